"""Who is in a conversation into which somebody is about to write, in as few statements as can be: each is a trip to the
database, and nothing else is done as often as sending. No more is read than what a new message needs."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from tui_chat.protocol.errors import Blocked, GroupMuted, NotAMember, UserErased
from tui_chat.server.engines import Transaction

from .eventlog import Numbers
from .history import Stored
from .state import ADMIN, JOINED, counted


def numbers(
    stored: Stored,
    now: int,
    join_seq: int,
    join_count: int,
    cleared: int,
    floor_count: int,
    mention_count: int,
    read_seq: int,
    hidden: int,
    flags: int,
    sent_seq: int,
    peer_read: int = 0,
    membership: int = 0,
    role: int | None = None,
    member_count: int | None = None,
) -> Numbers:
    """The numbers of a side after a message that its user sees. Who was in a group before and came back is counted in
    state.shown alone. It runs for each member of each message, so nothing is named where it is called."""
    newest, so_far = stored
    messages, first, unread = counted(newest, so_far, join_seq, join_count, cleared, floor_count)
    return Numbers(
        messages,
        unread,
        mention_count,
        read_seq,
        hidden,
        cleared,
        flags,
        membership,
        role,
        member_count,
        newest,
        now,
        peer_read,
        join_seq,
        first,
        False,
        sent_seq,
    )


class Here(NamedTuple):
    """A conversation as it stands, seen from the one who writes there."""

    conversation: int
    conversation_id: str
    last_seq: int
    last_count: int
    unindexed: int
    """Whether there are messages in it that indexing.py has not seen."""
    nick: str | None


class BetweenTwo(msgspec.Struct, frozen=True, gc=False):
    """A one-to-one conversation as it stands, seen from the one who writes there, and the other one in it: the columns
    of _TWO. Nobody joins one, so of both `join_seq` and `join_count` are 0."""

    conversation: int
    conversation_id: str
    last_seq: int
    last_count: int
    unindexed: int
    """See Here."""
    nick: str | None
    position: int | None
    """Where the log of the one who writes stands; None where there is none."""
    cleared: int
    hidden: int
    flags: int
    """PINNED and MUTED."""
    peer: int
    """The other one's account."""
    peer_id: str
    peer_nick: str | None
    peer_position: int | None
    their_conversation_id: str | None
    """None where the other one has left nothing there; then what follows is None as well."""
    their_cleared: int
    their_floor_count: int
    their_mention_count: int
    their_read_seq: int
    their_hidden: int
    their_flags: int
    """PINNED, MUTED and MARKED_UNREAD."""
    their_sent_seq: int
    erased: int | None
    blocked: int | None

    def check_writable(self) -> None:
        """Raise UserErased where there is nobody on the other side any more, Blocked where they take nothing; see
        grouprows.check_writable."""
        if self.erased is not None:
            raise UserErased()
        if self.blocked is not None:
            raise Blocked()


_HERE: Final = "s.conversation, s.conversation_id, c.last_seq, c.last_count, c.unindexed, u.nick"
_HERE_WIDTH: Final = len(Here._fields)
_FROM: Final = " JOIN conversation c ON c.id = s.conversation JOIN account u ON u.id = s.account"
# A column that is read takes longer than adding some up in one.
_TWO: Final = (
    f"{_HERE}, mine.seq, s.cleared, s.hidden, s.pinned + 2 * s.muted, s.peer, p.user_id, p.nick, theirs.seq,"
    " t.conversation_id, t.cleared, t.floor_count, t.mention_count, t.read_seq, t.hidden,"
    " t.pinned + 2 * t.muted + 4 * t.marked_unread, t.sent_seq, p.erased, b.time"
)
_TWO_WIDTH: Final = len(BetweenTwo.__struct_fields__)
_FROM_TWO: Final = (
    f"{_FROM} JOIN account p ON p.id = s.peer"
    " LEFT JOIN state t ON t.account = s.peer AND t.conversation = s.conversation"
    " LEFT JOIN stream mine ON mine.account = s.account LEFT JOIN stream theirs ON theirs.account = s.peer"
    " LEFT JOIN block b ON b.account = s.peer AND b.blocked = s.account"
)
_BETWEEN_TWO: Final = f"SELECT {_TWO} FROM state s{_FROM_TWO} WHERE s.account = ? AND s.folded = ?"  # noqa: S608 - our columns
_BETWEEN_MANY: Final = (
    # CROSS: as in marks.py, or SQLite reads all sides that a sender has.
    f"SELECT {_TWO}, s.account, s.folded FROM (VALUES ?**) v CROSS JOIN state s{_FROM_TWO}"  # noqa: S608 - our columns
    " WHERE s.account = v.column1 AND s.folded = v.column2"
)
_OF_GROUP: Final = (
    f"SELECT {_HERE}, s.membership, s.role, g.name, g.member_count, g.muted FROM state s{_FROM}"  # noqa: S608
    " JOIN chat_group g ON g.conversation = s.conversation WHERE s.account = ? AND s.folded = ?"
)


def between_two(tx: Transaction, account: int, folded: str) -> BetweenTwo | None:
    """The one-to-one conversation that `account` calls so; None where it is not begun."""
    row = tx.one(_BETWEEN_TWO, account, folded)
    return None if row is None else BetweenTwo(*row)


def between_many(tx: Transaction, wanted: Sequence[tuple[int, str]]) -> dict[tuple[int, str], BetweenTwo]:
    """The same for several at once, by account and what it calls the conversation; who has not begun one is missing."""
    rows = tx.for_rows(_BETWEEN_MANY, wanted)
    return {row[_TWO_WIDTH:]: BetweenTwo(*row[:_TWO_WIDTH]) for row in rows}


class OfGroup(NamedTuple):
    """A group's conversation, and how the one who writes stands to it."""

    here: Here
    membership: int
    role: int
    name: str
    member_count: int
    muted: int

    def check_writable(self) -> None:
        """Raise NotAMember where they have left, GroupMuted where only others can write; see
        grouprows.check_writable."""
        if self.membership != JOINED:
            raise NotAMember()
        if self.muted and self.role < ADMIN:
            raise GroupMuted()


def of_group(tx: Transaction, account: int, folded: str) -> OfGroup | None:
    """The group that `account` calls so; None where they never were in it."""
    row = tx.one(_OF_GROUP, account, folded)
    return None if row is None else OfGroup(Here(*row[:_HERE_WIDTH]), *row[_HERE_WIDTH:])
