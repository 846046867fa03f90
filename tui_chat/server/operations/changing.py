"""What edits, recalls and reactions have in common: the message as it stands, and telling of what became of it.

A change neither counts as unread nor brings a deleted conversation back: it is not a message. It is told to whoever
sees the message and is in the conversation; a recall to former members as well, because it takes away what they may
have kept, while what is added after they had gone was never theirs to see: history shows them the message as it was.
"""

from typing import Final, NamedTuple

import msgspec

from tui_chat.protocol.errors import (
    ConversationNotFound,
    InvalidRequest,
    MessageNotFound,
    MessageRecalled,
    NotAMember,
    NotChangeable,
)
from tui_chat.protocol.events import MessageChanged
from tui_chat.protocol.models import Message, MessageType
from tui_chat.server.engines import Transaction

from . import indexing
from .caller import Caller
from .eventlog import Outgoing, emit
from .extras import Extra, read_extra
from .history import COLUMNS, FROM, as_last, as_message
from .naming import named
from .perspective import seen_from, with_own
from .posting import Reached, seen_by
from .state import GROUP, JOINED, Seat, Side, audience, past_periods, side, views

SEQ_DIGITS: Final = 16
"""Of a messageSeq in a path."""
_CHANGEABLE: Final = (MessageType.TEXT, MessageType.CUSTOM)


class Subject(NamedTuple):
    """A message that somebody wants to change, and that one's side of its conversation."""

    own: Side
    message: Message
    """As of no reader."""
    extra: Extra
    sender: int
    """Key of the account."""


def seq_of(text: str) -> int:
    """A messageSeq as it stands in a path. Raises InvalidRequest."""
    if not (text.isascii() and text.isdigit() and len(text) <= SEQ_DIGITS):
        raise InvalidRequest(f"{text[:40]!r} is no messageSeq")
    return int(text)


def visible(tx: Transaction, own: Side) -> list[tuple[int, int]]:
    """The spans of messages that a user sees: within periods of membership, above what was cleared."""
    past = past_periods(tx, [own]).get((own.account, own.conversation), [])
    spans = [(max(period.first, own.cleared + 1), period.last) for period in own.periods(past)]
    return [span for span in spans if span[0] <= span[1]]


def sees(tx: Transaction, own: Side, message_seq: int) -> bool:
    """Whether a user sees a message."""
    return any(first <= message_seq <= last for first, last in visible(tx, own))


def look_at(tx: Transaction, caller: Caller, conversation_id: str, message_seq: int) -> Subject:
    """The message, where the caller sees it.

    Raises:
        InvalidConversation, ConversationNotFound, MessageNotFound.
    """
    own = side(tx, caller.user, named(caller, conversation_id).folded)
    if own is None:
        raise ConversationNotFound()
    row = tx.one(
        f"SELECT {COLUMNS}, m.sender{FROM} WHERE m.conversation = ? AND m.seq = ?", own.conversation, message_seq
    )
    if row is None or row[7] is None or not sees(tx, own, message_seq):
        raise MessageNotFound(f"there is no message {message_seq} in that conversation")
    return Subject(own, as_message(row, own.conversation_id), read_extra(row[8]), row[-1])


def take(tx: Transaction, caller: Caller, conversation_id: str, message_seq: int) -> Subject:
    """The message, locked, where the caller may change anything about it at all.

    Raises:
        InvalidConversation, ConversationNotFound, MessageNotFound: the caller sees no such message.
        NotAMember: the caller has left the group.
        NotChangeable: it is a tip or a notice.
    """
    tx.lock_room(caller.user, named(caller, conversation_id).folded)
    subject = look_at(tx, caller, conversation_id, message_seq)
    tx.found_room(subject.own.conversation)
    if subject.own.kind == GROUP and subject.own.membership != JOINED:
        raise NotAMember()
    if subject.message.type not in _CHANGEABLE:
        raise NotChangeable()
    return subject


def not_recalled(subject: Subject) -> None:
    """Raise MessageRecalled where it was."""
    if subject.message.recalled:
        raise MessageRecalled()


def store(tx: Transaction, subject: Subject, extra: Extra, *, text: str, edited_at: int | None) -> None:
    """Write a new version of a message; for members who have gone, the one before is kept."""
    conversation, seq = subject.own.conversation, subject.message.message_seq
    if subject.own.kind == GROUP:
        _keep_for_former(tx, conversation, seq, subject.own.last_seq)
    tx.execute(
        "UPDATE message SET text = ?, extra = ?, edited_at = ?, version = version + 1"
        " WHERE conversation = ? AND seq = ?",
        text,
        None if extra == Extra() else msgspec.json.encode(extra).decode(),
        edited_at,
        conversation,
        seq,
    )
    if text != subject.message.text:
        indexing.changed(tx, conversation, seq)


def _keep_for_former(tx: Transaction, conversation: int, seq: int, last_seq: int) -> None:
    """Keep a message as it is for those who have seen it and gone, unless it was not changed since they went."""
    kept = tx.one(
        "SELECT COALESCE(MAX(until_seq), 0) FROM former_message WHERE conversation = ? AND seq = ?", conversation, seq
    )
    gone = tx.one("SELECT COALESCE(MAX(leave_seq), 0) FROM state WHERE conversation = ?", conversation)
    assert kept is not None
    assert gone is not None
    if gone[0] >= seq and gone[0] > kept[0]:
        tx.execute(
            "INSERT INTO former_message (conversation, seq, until_seq, version, edited_at, text, extra)"
            " SELECT conversation, seq, ?, version, edited_at, text, extra FROM message"
            " WHERE conversation = ? AND seq = ?",
            last_seq,
            conversation,
            seq,
        )


def tell(tx: Transaction, conversation: int, message_seq: int, *, former: bool = False) -> dict[int, int]:
    """Tell those who see a message of its new version; the eventSeq of each. `former`: those who have gone as well.

    The conversation and everybody who has it are locked.
    """
    rows = tx.all(
        f"SELECT {COLUMNS}{FROM} JOIN conversation c ON c.id = m.conversation"
        " WHERE m.conversation = ? AND (m.seq = ? OR m.seq = c.last_seq) ORDER BY m.seq",
        conversation,
        message_seq,
    )
    message, newest = as_message(rows[0], ""), as_message(rows[-1], "")
    seats = audience(tx, conversation, message_seq)
    there = [seat for seat in seats if seat.side.leave_seq is None]
    reached = seen_by(tx, there, message, as_last(newest))
    if former:
        reached += [_reached(tx, seat, message) for seat in seats if seat.side.leave_seq is not None]
    past = past_periods(tx, (one.side for one in reached))
    own: dict[int, set[str]] = {}
    for account, emoji in tx.all(
        "SELECT account, emoji FROM reaction WHERE conversation = ? AND seq = ?", conversation, message_seq
    ):
        own.setdefault(account, set()).add(emoji)
    told = []
    for one in reached:
        theirs = one.side
        periods = theirs.periods(past.get((theirs.account, conversation), ()))
        if message_seq > theirs.cleared and any(span.first <= message_seq <= span.last for span in periods):
            seen = with_own(one.message, own.get(theirs.account, ()))
            event = MessageChanged(message=seen, conversation=one.conversation)
            told.append(Outgoing(theirs.account, event, conversation=conversation))
    return emit(tx, told)


def _reached(tx: Transaction, seat: Seat, message: Message) -> Reached:
    """How the message and its conversation look to one who has gone."""
    one = seat.side
    shown = views(tx, one.account, [one.conversation])[one.conversation]
    return Reached(one, seat.user_id, msgspec.structs.replace(message, conversation_id=one.conversation_id), shown)


def as_it_stands(tx: Transaction, caller: Caller, conversation_id: str, message_seq: int) -> Message:
    """The message as the caller sees it. Raises as look_at."""
    subject = look_at(tx, caller, conversation_id, message_seq)
    own = subject.own
    return seen_from(tx, own.account, own.conversation, own.leave_seq, [subject.message])[0]
