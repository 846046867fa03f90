"""Messages as rows: writing one, and reading them as one reader sees them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from tui_chat.protocol.ids import SYSTEM
from tui_chat.protocol.models import LastMessage, Message, MessageType, Reaction
from tui_chat.protocol.text import preview
from tui_chat.server.engines import Transaction

from .extras import MESSAGE_TYPES, NO_EXTRA, Extra, Tally, read_extra, short_tip

SYSTEM_SENDER: Final = 0
"""`message.sender` of what the server itself says."""
_TYPE_NUMBERS: Final[Mapping[MessageType, int]] = {name: number for number, name in enumerate(MESSAGE_TYPES)}
TEXT: Final = _TYPE_NUMBERS[MessageType.TEXT]
WRITE: Final = (
    "INSERT INTO message (conversation, seq, sender, client_id, time, type, count, text, extra)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (sender, client_id) DO NOTHING"
)
"""A message; nothing is written where the sender has used the clientID before."""
NEWEST: Final = "UPDATE conversation SET last_seq = ?, last_count = ?, last_time = ? WHERE id = ?"
"""A conversation's newest message: its number, how many countable ones there are up to it, its time."""
UNINDEXED: Final = "UPDATE conversation SET unindexed = 1 WHERE id = ? AND unindexed = 0"
"""It has messages that indexing.py has not seen."""
READ_ALL: Final = (
    "UPDATE state SET sent_seq = ?, read_seq = ?, floor_count = ?, mention_count = 0, marked_unread = 0"
    " WHERE account = ? AND conversation = ?"
)
"""Who writes has read everything: the message twice, and how many countable ones there are up to it."""
COLUMNS: Final = (
    "m.seq, m.sender, a.user_id, a.nick, m.client_id, m.time, m.type, m.text, m.extra, m.version, m.edited_at,"
    " m.recalled"
)
FROM: Final = " FROM message m LEFT JOIN account a ON a.id = m.sender"
"""What `as_message` reads."""


class Stored(NamedTuple):
    """Where a message was written: its number, and how many countable messages there are up to it."""

    seq: int
    so_far: int


class Sender(NamedTuple):
    """Who says it: the account's key, its userID and nick."""

    account: int
    user_id: str
    nick: str | None


THE_SYSTEM: Final = Sender(SYSTEM_SENDER, SYSTEM, None)


def append(
    tx: Transaction, conversation: int, *, sender: int, kind: MessageType, text: str, extra: Extra = NO_EXTRA
) -> Stored:
    """Write what the server says itself, a tip or a notice, as a conversation's next message."""
    tx.lock_conversations((conversation,))
    row = tx.one("SELECT last_seq, last_count, unindexed FROM conversation WHERE id = ?", conversation)
    if row is None:
        raise LookupError(f"there is no conversation {conversation}")
    last_seq, last_count, unindexed = row
    stored = write(
        tx,
        conversation,
        last_seq,
        last_count,
        unindexed=unindexed,
        sender=sender,
        kind=kind,
        text=text,
        extra=extra,
    )
    if stored is None:
        raise LookupError("a message without clientID was taken for one that was sent before")
    return stored


def write(
    tx: Transaction,
    conversation: int,
    last_seq: int,
    last_count: int,
    *,
    unindexed: int,
    sender: int,
    kind: MessageType,
    text: str,
    client_id: str | None = None,
    extra: Extra = NO_EXTRA,
) -> Stored | None:
    """Write the message after `last_seq` into a locked conversation; None where the sender has used the clientID
    before. Tips do not count as unread. `unindexed`: whether it is already noted for indexing.py."""
    stored = Stored(last_seq + 1, last_count + (kind is not MessageType.TIP))
    written = tx.execute(
        WRITE,
        conversation,
        stored.seq,
        sender,
        client_id,
        tx.now,
        _TYPE_NUMBERS[kind],
        stored.so_far,
        text,
        extra_column(extra),
    )
    if not written:
        return None
    tx.later(NEWEST, stored.seq, stored.so_far, tx.now, conversation)
    if not unindexed:
        tx.later(UNINDEXED, conversation)
    return stored


def extra_column(extra: Extra) -> str | None:
    """The column `message.extra`."""
    return None if extra is NO_EXTRA else msgspec.json.encode(extra).decode()


class Earlier(NamedTuple):
    """What was sent under a clientID: its conversation's key, the message (as of no reader)."""

    conversation: int
    message: Message
    gone: bool
    """Whether its body was erased or recalled."""
    sent: str | None
    """Extra.sent."""


def by_client_id(tx: Transaction, sender: int, client_id: str) -> Earlier | None:
    """What a sender has sent under a clientID."""
    row = tx.one(
        f"SELECT {COLUMNS}, m.conversation{FROM} WHERE m.sender = ? AND m.client_id = ?",
        sender,
        client_id,
    )
    if row is None:
        return None
    return Earlier(row[12], as_message(row, ""), row[7] is None or row[11] == 1, read_extra(row[8]).sent)


def between(
    tx: Transaction, conversation: int, conversation_id: str, first: int, last: int, limit: int, *, newest: bool
) -> list[Message]:
    """Messages `first` to `last`, oldest first: at most `limit`, counted from the newer end or from the older one."""
    rows = tx.all(
        f"SELECT {COLUMNS}{FROM} WHERE m.conversation = ? AND m.seq >= ? AND m.seq <= ?"
        f" ORDER BY m.seq {'DESC' if newest else 'ASC'} LIMIT ?",
        conversation,
        first,
        last,
        limit,
    )
    messages = [as_message(row, conversation_id) for row in rows]
    return messages[::-1] if newest else messages


def pointed_at(tx: Transaction, pointers: Iterable[tuple[int, int]]) -> dict[tuple[int, int], Message]:
    """Messages by (conversation, seq), as of no reader; those that were erased are missing."""
    wanted: dict[int, list[int]] = {}
    for conversation, seq in dict.fromkeys(pointers):
        wanted.setdefault(conversation, []).append(seq)
    # One statement for each conversation: whoever comes back has mostly missed many messages of few of them.
    query = f"SELECT {COLUMNS}{FROM} WHERE m.conversation = ? AND m.seq IN (?*)"
    return {
        (conversation, row[0]): as_message(row, "")
        for conversation, seqs in wanted.items()
        for row in tx.in_list(query, seqs, conversation)
        if row[7] is not None
    }


def as_message(row: Sequence[Any], conversation_id: str) -> Message:
    """A row of COLUMNS as the Message of a reader's conversation, none of whose reactions is the reader's."""
    seq, sender, sender_id, nick, client_id, time, type_number, text, extra, version, edited_at, recalled = row[:12]
    more = read_extra(extra)
    return Message(
        conversation_id=conversation_id,
        message_seq=seq,
        client_id=client_id or "",
        version=version,
        sender=SYSTEM if sender == SYSTEM_SENDER else sender_id,
        time=time,
        type=MESSAGE_TYPES[type_number],
        text=text or "",
        nick=nick,
        tip=more.tip,
        reply_to=more.reply_to,
        mentions=more.mentions,
        edited_at=edited_at,
        recalled=recalled == 1,
        recalled_by=more.recalled_by,
        reactions=as_reactions(more.reactions),
    )


def as_reactions(tallies: Mapping[str, Tally]) -> dict[str, Reaction]:
    """Reactions as they are told, none of them the reader's."""
    return {emoji: Reaction(count=tally.count, user_id_list=tally.first) for emoji, tally in tallies.items()}


def as_last(message: Message) -> LastMessage:
    """What a conversation list shows of a message."""
    return LastMessage(
        message_seq=message.message_seq,
        sender=message.sender,
        time=message.time,
        type=message.type,
        text=preview(message.text),
        nick=message.nick,
        tip=short_tip(message.tip),
        recalled=message.recalled,
    )
