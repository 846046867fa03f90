"""Logged events, made whole again: names and bodies are looked up, what was cleared meanwhile is left out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from tui_chat.protocol import events
from tui_chat.protocol.ids import fold
from tui_chat.protocol.models import Conversation, LastMessage, Message
from tui_chat.server.engines import Transaction

from .eventlog import Numbers
from .history import as_last, pointed_at
from .packing import unpack
from .perspective import seen_from
from .state import TYPES

Logged = tuple[int, int | None, int | None, str | Numbers]
"""eventSeq; conversation and messageSeq where it is a message.new or message.changed; data, or what it says."""

PIECE_BYTES: Final = 16 * 1024
"""Of events as they are stored, about which as many are made whole at once."""
MESSAGE_BYTES: Final = 1024
"""What one with a message counts there: the message stands elsewhere."""

_NUMBERS = msgspec.json.Decoder(Numbers)
_KNOWN: Final = (
    "SELECT s.conversation, s.folded, s.conversation_id, s.cleared, s.leave_seq, c.kind,"
    " COALESCE(s.left_name, g.name), p.user_id, p.nick, s.account"
    " FROM state s JOIN conversation c ON c.id = s.conversation"
    " LEFT JOIN chat_group g ON g.conversation = s.conversation LEFT JOIN account p ON p.id = s.peer"
)


class _Known(NamedTuple):
    """What a conversation of the reader's is called now, and what is cleared of it."""

    key: int
    folded: str
    conversation_id: str
    cleared: int
    leave_seq: int | None
    kind: int
    group_name: str | None
    peer_id: str | None
    peer_nick: str | None
    account: int

    @property
    def name(self) -> str:
        return self.group_name or self.peer_nick or self.peer_id or ""


def replay(tx: Transaction, account: int, logged: Sequence[Logged]) -> Iterator[tuple[int, msgspec.Raw]]:
    """The events with their eventSeq, in order; one whose message is cleared by now is left out. A message that was
    changed meanwhile is told as it stands now, each time.

    They are made a piece at a time: who stops because a frame is full has not paid for what did not fit, and will not
    pay for it again with each frame.
    """
    for piece in _pieces(logged):
        yield from _replay(tx, account, piece)


def _pieces(logged: Sequence[Logged]) -> Iterator[list[Logged]]:
    piece: list[Logged] = []
    size = 0
    for one in logged:
        piece.append(one)
        size += len(one[3]) if isinstance(one[3], str) and one[1] is None else MESSAGE_BYTES
        if size >= PIECE_BYTES:
            yield piece
            piece, size = [], 0
    if piece:
        yield piece


def _replay(tx: Transaction, account: int, logged: Sequence[Logged]) -> Iterator[tuple[int, msgspec.Raw]]:
    others = {row[0]: unpack(row[3]) for row in logged if row[1] is None and isinstance(row[3], str)}
    numbers = {row[0]: _numbers(row) for row in logged if row[1] is not None}
    named = {fold(shown.conversation_id) for event in others.values() for shown in _conversations(event)}
    by_key = _known(tx, account, "conversation", {row[1] for row in logged if row[1] is not None})
    by_name = {one.folded: one for one in _known(tx, account, "folded", named).values()}
    messages = _messages(tx, account, logged, numbers, others.values(), by_key, by_name)
    for event_seq, key, message_seq, _ in logged:
        if key is None or message_seq is None:
            event = _whole(others[event_seq], by_name, messages)
            yield event_seq, events.raw_event(msgspec.structs.replace(event, event_seq=event_seq))
        elif (message := messages.get((key, message_seq))) is not None:
            one, told = by_key[key], numbers[event_seq]
            newest = messages.get((key, told.newest_seq)) if told.changed else message
            yield _told(event_seq, one, told, message, newest)


def _numbers(row: Logged) -> Numbers:
    """What stands in the log of a message.new or message.changed."""
    return row[3] if isinstance(row[3], Numbers) else _NUMBERS.decode(row[3])


def _known(tx: Transaction, account: int, column: str, values: set[int] | set[str]) -> dict[int, _Known]:
    rows = tx.in_list(f"{_KNOWN} WHERE s.account = ? AND s.{column} IN (?*)", list(values), account)
    return {row[0]: _Known(*row) for row in rows}


def _messages(
    tx: Transaction,
    account: int,
    logged: Sequence[Logged],
    numbers: dict[int, Numbers],
    others: Iterable[events.AnyEvent],
    by_key: dict[int, _Known],
    by_name: dict[str, _Known],
) -> dict[tuple[int, int], Message]:
    """Every message that is pointed at and still to be seen, as the reader sees it."""
    pointers = [(row[1], row[2], by_key[row[1]]) for row in logged if row[1] is not None and row[2] is not None]
    for event_seq, key, _, _ in logged:
        if key is not None and numbers[event_seq].changed:
            pointers.append((key, numbers[event_seq].newest_seq, by_key[key]))
    for event in others:
        for shown in _conversations(event):
            one = by_name.get(fold(shown.conversation_id))
            if one is not None and shown.last_message is not None:
                pointers.append((one.key, shown.last_message.message_seq, one))
    found = pointed_at(tx, [(key, seq) for key, seq, one in pointers if seq > one.cleared])
    by_conversation: dict[int, list[Message]] = {}
    known = {one.key: one for _, _, one in pointers}
    for (key, _), message in found.items():
        named = msgspec.structs.replace(message, conversation_id=known[key].conversation_id)
        by_conversation.setdefault(key, []).append(named)
    return {
        (key, message.message_seq): message
        for key, theirs in by_conversation.items()
        for message in seen_from(tx, account, key, known[key].leave_seq, theirs)
    }


def replay_for_many(
    tx: Transaction, logged: Mapping[int, Sequence[Logged]]
) -> dict[int, list[tuple[int, msgspec.Raw]]]:
    """`replay` for many accounts: what they were told of a conversation in which all of them are is looked up once."""
    shared: dict[int, dict[int, tuple[Logged, Numbers]]] = {}
    for account, rows in logged.items():
        # Whoever has more than one event is replayed by themselves.
        if len(rows) == 1 and (key := rows[0][1]) is not None:
            shared.setdefault(key, {})[account] = rows[0], _numbers(rows[0])
    found: dict[int, list[tuple[int, msgspec.Raw]]] = {}
    for key, theirs in shared.items():
        if len(theirs) > 1:
            found |= _replay_shared(tx, key, theirs)
    return found | {
        account: list(replay(tx, account, rows)) for account, rows in logged.items() if account not in found
    }


def _replay_shared(
    tx: Transaction, key: int, logged: Mapping[int, tuple[Logged, Numbers]]
) -> dict[int, list[tuple[int, msgspec.Raw]]]:
    """One event of one conversation for each of these accounts, but for those who see the messages as nobody else."""
    query = f"{_KNOWN} WHERE s.conversation = ? AND s.account IN (?*)"
    known = {one.account: one for one in (_Known(*row) for row in tx.in_list(query, list(logged), key))}
    seqs = {row[2] for row, _ in logged.values() if row[2] is not None}
    seqs |= {numbers.newest_seq for _, numbers in logged.values() if numbers.changed}
    messages = {seq: message for (_, seq), message in pointed_at(tx, [(key, seq) for seq in seqs]).items()}
    found: dict[int, list[tuple[int, msgspec.Raw]]] = {}
    for account, (row, numbers) in logged.items():
        one = known.get(account)
        message = messages.get(row[2] or 0)
        newest = messages.get(numbers.newest_seq) if numbers.changed else message
        if one is None or one.leave_seq is not None or (message is not None and message.reactions):
            continue  # A former member, or perhaps a reaction of their own.
        if message is None or message.message_seq <= one.cleared:
            found[account] = []
            continue
        if newest is not None and newest.message_seq <= one.cleared:
            newest = None
        theirs = msgspec.structs.replace(message, conversation_id=one.conversation_id)
        found[account] = [_told(row[0], one, numbers, theirs, newest)]
    return found


def _told(
    event_seq: int, one: _Known, numbers: Numbers, message: Message, newest: Message | None
) -> tuple[int, msgspec.Raw]:
    """An event with a message, as the account is told it that knows the conversation so."""
    conversation = numbers.conversation(
        one.conversation_id, TYPES[one.kind], one.name, None if newest is None else as_last(newest)
    )
    kind = events.MessageChanged if numbers.changed else events.MessageNew
    return event_seq, events.raw_event(kind(event_seq=event_seq, message=message, conversation=conversation))


def _conversations(event: events.AnyEvent) -> list[Conversation]:
    match event:
        case events.ConversationRestored() | events.ConversationChanged():
            return event.conversations
        case events.GroupChanged() | events.MemberChanged() if event.conversation is not None:
            return [event.conversation]
        case _:
            return []


def _whole(
    event: events.AnyEvent, by_name: dict[str, _Known], messages: dict[tuple[int, int], Message]
) -> events.Event:
    """The event with its previews again; the reverse of eventlog.without_bodies."""
    match event:
        case events.ConversationRestored() | events.ConversationChanged():
            whole = [_with_body(shown, by_name, messages) for shown in event.conversations]
            return msgspec.structs.replace(event, conversations=whole)
        case events.GroupChanged() | events.MemberChanged() if event.conversation is not None:
            return msgspec.structs.replace(event, conversation=_with_body(event.conversation, by_name, messages))
        case events.Unknown():
            raise LookupError(f"the log has an event of an unknown kind, {event.kind}")
        case _:
            return event


def _with_body(
    shown: Conversation, by_name: dict[str, _Known], messages: dict[tuple[int, int], Message]
) -> Conversation:
    one = by_name.get(fold(shown.conversation_id))
    if one is None or shown.last_message is None:
        return shown
    message = messages.get((one.key, shown.last_message.message_seq))
    last: LastMessage | None = None if message is None else as_last(message)
    return msgspec.structs.replace(shown, name=one.name, last_message=last)
