"""Who is in a conversation into which somebody is about to write, in as few statements as can be: each is a trip to the
database, and nothing else is done as often as sending. No more is read than what a new message needs."""

from typing import Final, NamedTuple

from tui_chat.protocol.errors import Blocked, GroupMuted, NotAMember, UserErased
from tui_chat.server.engines import Row, Transaction

from .eventlog import Numbers
from .history import Stored
from .state import ADMIN, JOINED, counted

_OWN: Final = (
    "join_seq",
    "join_count",
    "cleared",
    "floor_count",
    "mention_count",
    "read_seq",
    "hidden",
    "pinned",
    "muted",
    "marked_unread",
    "sent_seq",
)
"""Of a side: what a new message's Conversation is made of."""
_WIDTH: Final = len(_OWN)


def own_columns(table: str) -> str:
    """The columns that `numbers` takes."""
    return ", ".join(f"{table}.{name}" for name in _OWN)


def numbers(
    own: Row,
    stored: Stored,
    now: int,
    peer_read: int = 0,
    membership: int = 0,
    role: int | None = None,
    member_count: int | None = None,
    muted_all: int = 0,
) -> Numbers:
    """The numbers of a side (a row of own_columns) after a message that its user sees. Who was in a group before and
    came back is counted in state.shown alone. It runs for each member of each message.
    """
    (
        join_seq,
        join_count,
        cleared,
        floor_count,
        mention_count,
        read_seq,
        hidden,
        pinned,
        muted,
        marked_unread,
        sent_seq,
    ) = own
    newest, so_far = stored
    messages, first, unread = counted(newest, so_far, join_seq, join_count, cleared, floor_count)
    return Numbers(
        messages,
        unread,
        mention_count,
        read_seq,
        hidden,
        cleared,
        pinned | muted << 1 | marked_unread << 2 | muted_all << 3,
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
    nick: str | None


_HERE: Final = "s.conversation, s.conversation_id, c.last_seq, c.last_count, u.nick"
_HERE_WIDTH: Final = len(Here._fields)
_FROM: Final = " FROM state s JOIN conversation c ON c.id = s.conversation JOIN account u ON u.id = s.account"
_BETWEEN_TWO: Final = (
    f"SELECT {_HERE}, s.peer, mine.seq, {own_columns('s')}, theirs.seq, {own_columns('t')},"
    " t.conversation_id, p.user_id, p.nick, p.erased, b.time"
    f"{_FROM} JOIN account p ON p.id = s.peer"
    " LEFT JOIN state t ON t.account = s.peer AND t.conversation = s.conversation"
    " LEFT JOIN stream mine ON mine.account = s.account LEFT JOIN stream theirs ON theirs.account = s.peer"
    " LEFT JOIN block b ON b.account = s.peer AND b.blocked = s.account"
    " WHERE s.account = ? AND s.folded = ?"
)
_OF_GROUP: Final = (
    f"SELECT {_HERE}, s.membership, s.role, g.name, g.member_count, g.muted{_FROM}"
    " JOIN chat_group g ON g.conversation = s.conversation WHERE s.account = ? AND s.folded = ?"
)


class BetweenTwo:
    """A one-to-one conversation, and the other one in it."""

    def __init__(self, row: Row) -> None:
        self.here: Final = Here(*row[:_HERE_WIDTH])
        self.peer: Final[int] = row[_HERE_WIDTH]
        """The other one's account."""
        at = _HERE_WIDTH + 1
        self.position: Final[int | None] = row[at]
        """Where the log of the one who writes stands; None where there is none."""
        self.own: Final[Row] = row[at + 1 : at + 1 + _WIDTH]
        at += 1 + _WIDTH
        self.peer_position: Final[int | None] = row[at]
        self.theirs: Final[Row] = row[at + 1 : at + 1 + _WIDTH]
        self.their_conversation_id: Final[str | None] = row[at + 1 + _WIDTH]
        """None where the other one has left nothing there."""
        self.peer_id: Final[str] = row[at + 2 + _WIDTH]
        self.peer_nick: Final[str | None] = row[at + 3 + _WIDTH]
        self._erased, self._blocked = row[at + 4 + _WIDTH :]

    def check_writable(self) -> None:
        """Raise UserErased where there is nobody on the other side any more, Blocked where they take nothing; see
        grouprows.check_writable."""
        if self._erased is not None:
            raise UserErased()
        if self._blocked is not None:
            raise Blocked()


def between_two(tx: Transaction, account: int, folded: str) -> BetweenTwo | None:
    """The one-to-one conversation that `account` calls so; None where it is not begun."""
    row = tx.one(_BETWEEN_TWO, account, folded)
    return None if row is None else BetweenTwo(row)


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
