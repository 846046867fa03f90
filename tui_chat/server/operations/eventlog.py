"""Writing users' event logs: numbered in the transaction that causes the event, stored as pointers and numbers.

A message's body never stands in the log, so that erasing the message's row erases it everywhere. A Conversation in an
event is stored with its numbers as they were then: a deletion that other devices are not told of does not show in what
happened before it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple, TypeVar

import msgspec
from msgspec.structs import replace

from tui_chat.protocol import events
from tui_chat.protocol.ids import ConversationType
from tui_chat.protocol.models import Conversation, LastMessage, Membership
from tui_chat.server.engines import Emitted, Transaction

from .caller import Caller
from .packing import Watermarks, pack
from .state import MEMBERSHIPS, ROLES

CONVERSATIONS_AN_EVENT: Final = 25
"""A Conversation takes up to 2 KB of JSON, a frame 64 KiB."""

_MEMBERSHIP_NUMBERS: Final = {name: number for number, name in MEMBERSHIPS.items()}
_ROLE_NUMBERS: Final[Mapping[str | None, int | None]] = {name: number for number, name in ROLES.items()} | {None: None}

T = TypeVar("T")


class Outgoing(NamedTuple):
    """An event for one user, before it has its number."""

    account: int
    event: events.Event | Watermarks
    only: Caller | None = None
    """The one device that hears of it; never of a message.new or message.changed."""
    conversation: int | None = None
    """Of a message.new or message.changed: where its message stands."""


class Numbers(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What is stored of the Conversation in a message.new or message.changed; names and messages are looked up when it
    is replayed."""

    message_count: int
    unread_count: int
    mention_count: int
    read_seq: int
    hidden_through: int
    cleared_through: int
    flags: int
    membership: int
    role: int | None
    member_count: int | None
    newest_seq: int
    time: int
    peer_read_seq: int
    join_seq: int
    first_seq: int
    changed: bool = False
    """Whether it is of a message.changed."""
    sent_seq: int = 0

    @classmethod
    def of(cls, conversation: Conversation, changed: bool) -> "Numbers":
        """The numbers of a Conversation."""
        return cls(
            conversation.message_count,
            conversation.unread_count,
            conversation.mention_count,
            conversation.read_seq,
            conversation.hidden_through,
            conversation.cleared_through,
            conversation.pinned
            | conversation.muted << 1
            | conversation.marked_unread << 2
            | conversation.muted_all << 3,
            _MEMBERSHIP_NUMBERS[conversation.membership],
            _ROLE_NUMBERS[conversation.role],
            conversation.member_count,
            conversation.newest_seq,
            conversation.time,
            conversation.peer_read_seq,
            conversation.join_seq,
            conversation.first_seq,
            changed,
            conversation.sent_seq,
        )

    def conversation(
        self, conversation_id: str, kind: ConversationType, name: str, last_message: LastMessage | None
    ) -> Conversation:
        """The Conversation again."""
        membership: Membership | None = MEMBERSHIPS[self.membership]
        return Conversation(
            conversation_id=conversation_id,
            type=kind,
            name=name,
            last_message=last_message,
            message_count=self.message_count,
            unread_count=self.unread_count,
            mention_count=self.mention_count,
            read_seq=self.read_seq,
            hidden_through=self.hidden_through,
            cleared_through=self.cleared_through,
            pinned=bool(self.flags & 1),
            muted=bool(self.flags & 2),
            marked_unread=bool(self.flags & 4),
            membership=membership,
            member_count=self.member_count,
            newest_seq=self.newest_seq,
            time=self.time,
            peer_read_seq=self.peer_read_seq,
            join_seq=self.join_seq,
            first_seq=self.first_seq,
            role=ROLES[self.role] if self.role is not None else None,
            muted_all=bool(self.flags & 8),
            sent_seq=self.sent_seq,
        )


_OF_MESSAGES: Final = (events.MessageNew, events.MessageChanged)
LOG_MESSAGE: Final = "INSERT INTO event (account, seq, time, conversation, message_seq, data) VALUES (?, ?, ?, ?, ?, ?)"
LogRow = tuple[int, int, int, int | None, int, str]
_encode = msgspec.json.Encoder().encode


def emit(tx: Transaction, outgoing: Sequence[Outgoing]) -> dict[int, int]:
    """Append events to their users' logs, in this order; the last eventSeq of each user.

    Who was erased has no log, and is told nothing.
    """
    if not outgoing:
        return {}
    newest = _allocate(tx, outgoing)
    now, emitted = tx.now, tx.emitted
    of_messages: list[LogRow] = []
    of_others: list[tuple[object, ...]] = []
    for account, event, only, conversation in outgoing:
        before = newest.get(account)
        if before is None:
            continue
        event_seq = newest[account] = before + 1
        if isinstance(event, _OF_MESSAGES):
            numbers = Numbers.of(event.conversation, isinstance(event, events.MessageChanged))
            of_messages.append(log_row(account, event_seq, now, conversation, event.message.message_seq, numbers))
        else:
            device = None if only is None else only.device
            bare = event if isinstance(event, Watermarks) else without_bodies(event)
            of_others.append((account, event_seq, now, device, pack(bare)))
        event = replace(event, event_seq=event_seq)
        emitted.append(Emitted(account, event_seq, None if only is None else only.device_id, event))
    # Two statements, because a NULL that is bound costs sqlite3 as much as the rest of a row's values.
    if of_messages:
        tx.many(LOG_MESSAGE, of_messages)
    if of_others:
        tx.many("INSERT INTO event (account, seq, time, only_device, data) VALUES (?, ?, ?, ?, ?)", of_others)
    return newest


def log_row(
    account: int, event_seq: int, now: int, conversation: int | None, message_seq: int, numbers: Numbers
) -> LogRow:
    """A row of LOG_MESSAGE: the event of a message in a log of which this number is taken."""
    return (account, event_seq, now, conversation, message_seq, _encode(numbers).decode())


def _allocate(tx: Transaction, outgoing: Sequence[Outgoing]) -> dict[int, int]:
    """Take numbers for the events of each user; the number before the first of them."""
    wanted: dict[int, int] = {}
    for one in outgoing:
        wanted[one.account] = wanted.get(one.account, 0) + 1
    tx.lock_users(wanted)
    return tx.take_event_seqs(wanted)


def tell(
    tx: Transaction, caller: Caller, told: Iterable[events.Event | Watermarks], *, only: Caller | None = None
) -> int:
    """Append events to the caller's own log; the last eventSeq, 0 where there was nothing to tell."""
    outgoing = [Outgoing(caller.user, event, only) for event in told]
    return emit(tx, outgoing).get(caller.user, 0)


def in_events(conversations: Iterable[T]) -> Iterator[list[T]]:
    """Conversations in lists that fit into one event each."""
    everything = list(conversations)
    for start in range(0, len(everything), CONVERSATIONS_AN_EVENT):
        yield everything[start : start + CONVERSATIONS_AN_EVENT]


def without_bodies(event: events.Event) -> events.Event:
    """The event with its previews reduced to which message it is."""
    match event:
        case events.ConversationRestored() | events.ConversationChanged():
            bare = [_without_body(conversation) for conversation in event.conversations]
            return replace(event, conversations=bare)
        case events.GroupChanged() | events.MemberChanged() if event.conversation is not None:
            return replace(event, conversation=_without_body(event.conversation))
        case _:
            return event


def _without_body(conversation: Conversation) -> Conversation:
    last = conversation.last_message
    if last is None:
        return conversation
    pointer = LastMessage(message_seq=last.message_seq, sender="", time=0)
    return replace(conversation, last_message=pointer)
