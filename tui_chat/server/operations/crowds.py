"""A new message on its way to every member of a group, by the shortest way: what all are told alike is made once, what
each is told alone when somebody is there to be told. What posting.py makes of the same message is the same."""

from collections.abc import Sequence
from typing import Final

import msgspec

from tui_chat.protocol.events import MessageNew
from tui_chat.protocol.ids import ConversationType
from tui_chat.protocol.models import Conversation, Membership, Message
from tui_chat.server.engines import Emitted, Row, ToBeMade, Transaction

from .crowdlog import CAME_BACK, FLAGS, MEMBER, MENTION, ROLE, ROLE_UNIT, Crowd, log_for_all
from .history import Stored, as_last
from .posting import announce, reach
from .rooms import OfGroup
from .state import ROLES, counted

_MEMBERS: Final = (
    f"SELECT {MEMBER} FROM state s JOIN stream l ON l.account = s.account"  # noqa: S608 - columns of our own
    " WHERE s.conversation = ? AND s.leave_seq IS NULL ORDER BY s.account"
)
"""Everybody who is in a group and has a log."""
_NUMBERED: Final = b'"eventSeq":0,'
_LAST_MESSAGE: Final = b'"lastMessage":null'
_ROLES: Final = {number * ROLE_UNIT: msgspec.json.encode(name) for number, name in ROLES.items()}
_OWN_NUMBERS: Final = (
    "message_count",
    "unread_count",
    "mention_count",
    "read_seq",
    "hidden_through",
    "cleared_through",
    "join_seq",
    "first_seq",
    "sent_seq",
)
"""Numbers in a Conversation that are each member's own, in their order there."""
_MARK: Final = 4_611_686_018_427_387_904
"""From here on numbers stand for a place in a pattern."""


class Telling:
    """How one message's event looks to each member of a group."""

    def __init__(self, message: Message, conversation: Conversation, stored: Stored) -> None:
        """`conversation`: with what all members see of it."""
        bare = Conversation(
            conversation_id=conversation.conversation_id,
            type=conversation.type,
            name=conversation.name,
            last_message=conversation.last_message,
        )
        end = len(_after_preview(Conversation(conversation_id="", type=conversation.type, name=""))) + 1
        whole = msgspec.json.encode(MessageNew(message=message, conversation=bare))
        kind, _, rest = whole.partition(_NUMBERED)
        self._shared = rest[:-end]
        marked = {name: _MARK + place for place, name in enumerate(_OWN_NUMBERS)}
        # Of names and texts, which are anybody's, nothing is in the pattern.
        pattern = _after_preview(
            msgspec.structs.replace(conversation, conversation_id="", name="", last_message=None, **marked)
        )
        for place in range(len(_OWN_NUMBERS)):
            pattern = pattern.replace(b"%d" % (_MARK + place), b"%d")
        pattern = pattern.replace(_flags(0), b"%b").replace(b'"role":null', b'"role":%b')
        self._pattern = b'%b"eventSeq":%%d,%%b%b}' % (kind, pattern)

        self._newest, self._so_far = stored

    def to(self, member: Row) -> bytes:
        """The event of one member, a row of MEMBER. It runs for each who is there."""
        _, before, small, join_seq, join_count, cleared, floor_count, read_seq, hidden, sent_seq = member
        messages, first, unread = counted(self._newest, self._so_far, join_seq, join_count, cleared, floor_count)
        return self._pattern % (
            before + 1,
            self._shared,
            messages,
            unread,
            small // MENTION,
            read_seq,
            hidden,
            cleared,
            _FLAGS[small & FLAGS],
            join_seq,
            first,
            _ROLES[small & ROLE],
            sent_seq,
        )


class OneOfMany(ToBeMade, frozen=True, gc=False):
    """The event of one member of a group."""

    telling: Telling
    member: Row

    def raw(self) -> bytes:
        """The event's JSON."""
        return self.telling.to(self.member)


def tell_everybody(tx: Transaction, room: OfGroup, message: Message, stored: Stored) -> dict[int, int]:
    """Tell every member of a message that was just written in their group, which is locked and all of them with it; the
    last eventSeq of each."""
    here, now = room.here, tx.now
    members: Sequence[Row] = tx.all(_MEMBERS, here.conversation)
    again = {member[0] for member in members if member[2] & CAME_BACK}
    if again:
        members = [member for member in members if member[0] not in again]
    before = {member[0]: member[1] for member in members}
    tx.take_event_seqs(dict.fromkeys(before, 1), before)
    crowd = Crowd(here.conversation, stored, now, room.member_count, room.muted)
    log_for_all(tx, crowd, members)
    conversation = Conversation(
        conversation_id=here.conversation_id,
        type=ConversationType.GROUP,
        name=room.name,
        last_message=as_last(message),
        membership=Membership.JOINED,
        member_count=room.member_count,
        newest_seq=stored.seq,
        time=now,
        muted_all=room.muted == 1,
    )
    telling = Telling(message, conversation, stored)
    tx.emitted += [Emitted(member[0], member[1] + 1, None, OneOfMany(telling, member)) for member in members]
    positions = {account: position + 1 for account, position in before.items()}
    if again:
        # What they see has more than one beginning, so it is made the long way.
        those = [one for one in reach(tx, here.conversation, message) if one.side.account in again]
        positions |= announce(tx, those)
    return positions


def _flags(flags: int) -> bytes:
    """The flags of a Conversation that are each member's own, as they stand in its JSON."""
    own = tuple(b"true" if flags >> bit & 1 else b"false" for bit in range(3))
    return b'"pinned":%b,"muted":%b,"markedUnread":%b' % own


_FLAGS: Final = tuple(_flags(flags) for flags in range(FLAGS + 1))


def _after_preview(conversation: Conversation) -> bytes:
    """What follows the preview in the JSON of a Conversation that has none: numbers and flags alone."""
    return msgspec.json.encode(conversation).partition(_LAST_MESSAGE)[2]
