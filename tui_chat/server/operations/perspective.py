"""Messages as one reader sees them: which reactions are the reader's own, and what a former member saw last."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import msgspec

from tui_chat.protocol.models import Message
from tui_chat.server.engines import Transaction

from .extras import read_extra
from .history import as_reactions


class _Former(NamedTuple):
    """What a message was before a change."""

    version: int
    edited_at: int | None
    text: str
    extra: str | None


def seen_from(
    tx: Transaction, account: int, conversation: int, leave_seq: int | None, messages: Sequence[Message]
) -> list[Message]:
    """The messages of a conversation as `account` sees them, which has gone from it at `leave_seq` if that is not None.

    What never changed costs nothing.
    """
    changed = [one.message_seq for one in messages if one.version > 1]
    if not changed:
        return list(messages)
    former = {} if leave_seq is None else _former(tx, conversation, leave_seq, changed)
    seen = [one if one.message_seq not in former else _as_it_was(one, former[one.message_seq]) for one in messages]
    reacted = [one.message_seq for one in seen if one.reactions]
    rows = tx.in_list(
        "SELECT seq, emoji FROM reaction WHERE account = ? AND conversation = ? AND seq IN (?*)",
        reacted,
        account,
        conversation,
    )
    own: dict[int, set[str]] = {}
    for seq, emoji in rows:
        own.setdefault(seq, set()).add(emoji)
    return [with_own(one, own.get(one.message_seq, ())) for one in seen]


def with_own(message: Message, own: Collection[str]) -> Message:
    """The message with the reader's own reactions marked."""
    if not own:
        return message
    marked = {
        emoji: msgspec.structs.replace(reaction, mine=emoji in own) for emoji, reaction in message.reactions.items()
    }
    return msgspec.structs.replace(message, reactions=marked)


def _former(tx: Transaction, conversation: int, leave_seq: int, seqs: list[int]) -> dict[int, _Former]:
    """The messages that were changed after `leave_seq`, as they were then."""
    rows = tx.in_list(
        "SELECT seq, until_seq, version, edited_at, text, extra FROM former_message"
        " WHERE conversation = ? AND until_seq >= ? AND seq IN (?*)",
        seqs,
        conversation,
        leave_seq,
    )
    found: dict[int, _Former] = {}
    for row in sorted(rows, key=lambda row: row[1], reverse=True):
        found[row[0]] = _Former(*row[2:])
    return found


def _as_it_was(message: Message, former: _Former) -> Message:
    more = read_extra(former.extra)
    return msgspec.structs.replace(
        message,
        version=former.version,
        edited_at=former.edited_at,
        text=former.text,
        mentions=more.mentions,
        reactions=as_reactions(more.reactions),
    )
