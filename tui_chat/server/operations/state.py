"""One user's side of conversations: watermarks, membership, counts; and the Conversation that clients are shown.

Rules: protocol.md, "State of a conversation, per user". Nothing here depends on how long a history is: messages carry
the running number of those that count as unread, and message numbers are contiguous, so counts are differences.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from tui_chat.protocol.ids import SYSTEM, ConversationType, fold
from tui_chat.protocol.models import Conversation, LastMessage, Membership
from tui_chat.protocol.text import PREVIEWED_CHARACTERS, preview
from tui_chat.server.engines import Row, Transaction

from .extras import MESSAGE_TYPES, read_extra, short_tip

C2C: Final = 1
GROUP: Final = 2
SYSTEM_KIND: Final = 3
TYPES: Final = {C2C: ConversationType.C2C, GROUP: ConversationType.GROUP, SYSTEM_KIND: ConversationType.SYSTEM}

JOINED: Final = 1
LEFT: Final = 2
KICKED: Final = 3
DISMISSED: Final = 4
MEMBERSHIPS: Final[Mapping[int, Membership | None]] = {
    0: None,
    JOINED: Membership.JOINED,
    LEFT: Membership.LEFT,
    KICKED: Membership.KICKED,
    DISMISSED: Membership.DISMISSED,
}
MEMBER: Final = 0
ADMIN: Final = 1
OWNER: Final = 2
ROLES: Final = {MEMBER: "member", ADMIN: "admin", OWNER: "owner"}
"""By rank: the higher number may do what the lower may."""


class Period(NamedTuple):
    """A span of messages that a user could see, both ends inclusive, with the counts before it and at its end."""

    first: int
    last: int
    start_count: int
    end_count: int


class Side(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A row of `state` with its conversation's numbers, in the order of SIDE.

    What ends in `seq` is the number of a message, and the watermarks are such; what ends in `count`, but for
    `mention_count`, says how many of the messages up to one are to be counted as unread: all but tips.
    """

    account: int
    conversation: int
    conversation_id: str
    """As this user calls it; `folded`: as that is compared."""
    folded: str
    peer: int | None
    """The account on the other side; of one-to-one conversations alone."""
    membership: int
    """JOINED, LEFT, KICKED or DISMISSED; 0 where it is no group."""
    role: int
    join_seq: int
    """The tip at which the present period of membership began, or the last one; 0 where it is no group."""
    join_count: int
    leave_seq: int | None
    """The tip at which it ended; None, as what follows, while it goes on."""
    leave_count: int | None
    leave_time: int | None
    past: int
    """How many periods there were before that one: so many rows of `past_period`."""
    hidden: int
    """The watermarks in effect: what was deleted or cleared up to here. Undoing can move them back, as far as the
    settled ones, which are what of it is final."""
    cleared: int
    hidden_settled: int
    cleared_settled: int
    read_seq: int
    floor_count: int
    """Of the message `floor`."""
    mention_count: int
    """Unread mentions of this user: rows of `mention` above the floor."""
    pinned: int
    pin_version: int
    """Counts up whenever somebody decides about the pin, so that undoing a deletion sees whether anybody has."""
    muted: int
    marked_unread: int
    sent_seq: int
    """The last message that this user wrote here."""
    peer_read: int
    """How far an erased other side had read; 0 while it is there."""
    kind: int
    """C2C, GROUP or SYSTEM_KIND; this and what follows are the conversation's."""
    last_seq: int
    last_count: int
    last_time: int

    @property
    def newest(self) -> int:
        """The newest message that this user could ever see, cleared or not."""
        return self.last_seq if self.leave_seq is None else self.leave_seq

    @property
    def newest_count(self) -> int:
        """How many countable messages there are up to it."""
        return self.last_count if self.leave_count is None else self.leave_count

    @property
    def floor(self) -> int:
        """Nothing up to here is unread."""
        return max(self.read_seq, self.hidden, self.cleared)

    def periods(self, past: Sequence[Period] = ()) -> list[Period]:
        """Everything that this user could ever see, in order."""
        return [*past, Period(max(self.join_seq, 1), self.newest, self.join_count, self.newest_count)]


SIDE: Final = (
    "s.account, s.conversation, s.conversation_id, s.folded, s.peer, s.membership, s.role, s.join_seq, s.join_count,"
    " s.leave_seq, s.leave_count, s.leave_time, s.past, s.hidden, s.cleared, s.hidden_settled, s.cleared_settled,"
    " s.read_seq, s.floor_count, s.mention_count, s.pinned, s.pin_version, s.muted, s.marked_unread,"
    " s.sent_seq, s.peer_read, c.kind, c.last_seq, c.last_count, c.last_time"
)
SIDE_WIDTH: Final = len(Side.__struct_fields__)
_OF_SIDE: Final = " JOIN conversation c ON c.id = s.conversation"
_FROM: Final = f" FROM state s{_OF_SIDE}"
_NEWEST: Final = "CASE WHEN s.leave_seq IS NULL THEN c.last_seq ELSE s.leave_seq END"
_FACE: Final = (
    f"{SIDE}, COALESCE(s.left_name, g.name), COALESCE(s.left_count, g.member_count),"
    " COALESCE(s.left_muted, g.muted), p.user_id, p.nick, COALESCE(t.read_seq, s.peer_read),"
    f" m.sender, a.user_id, a.nick, m.time, m.type, SUBSTR(m.text, 1, {PREVIEWED_CHARACTERS}), m.extra, m.recalled"
)
_FACE_OF: Final = (
    f"{_OF_SIDE}"
    " LEFT JOIN chat_group g ON g.conversation = s.conversation"
    " LEFT JOIN account p ON p.id = s.peer"
    " LEFT JOIN state t ON t.account = s.peer AND t.conversation = s.conversation"
    f" LEFT JOIN message m ON m.conversation = s.conversation AND m.seq = {_NEWEST}"
    " LEFT JOIN account a ON a.id = m.sender"
)


class _Faced(Side, frozen=True, array_like=True, gc=False):
    """A side with what else its Conversation shows, in the order of _FACE."""

    name: str | None
    member_count: int | None
    muted_all: int | None
    peer_id: str | None
    peer_nick: str | None
    peer_read_seq: int
    sender: int | None
    """Of the newest message; as all that follows, None where it is not known any more."""
    sender_id: str | None
    nick: str | None
    time: int | None
    type: int | None
    text: str | None
    extra: str | None
    recalled: int | None


class Face(NamedTuple):
    """What a Conversation shows beside the numbers."""

    name: str
    member_count: int | None = None
    peer_read_seq: int = 0
    last_message: LastMessage | None = None
    muted_all: bool = False


def side(tx: Transaction, account: int, folded: str) -> Side | None:
    """The caller's side of one conversation, or None where there is none."""
    row = tx.one(f"SELECT {SIDE}{_FROM} WHERE s.account = ? AND s.folded = ?", account, folded)
    return None if row is None else Side(*row)


def sides(tx: Transaction, account: int, folded: Sequence[str]) -> dict[str, Side]:
    """The caller's sides of several, by folded conversationID."""
    # CROSS: as in marks.py, or SQLite reads all sides that the caller has.
    sources = f" FROM (VALUES ?**) v CROSS JOIN state s{_OF_SIDE} WHERE s.account = ? AND s.folded = v.column1"
    return {one.folded: one for one in tx.structs(Side, SIDE, sources, folded, account)}


def sides_by_key(tx: Transaction, account: int, conversations: Sequence[int]) -> dict[int, Side]:
    """The same by the conversations' keys."""
    query = f"SELECT {SIDE}{_FROM} WHERE s.account = ? AND s.conversation IN (?*)"
    return {row[1]: Side(*row) for row in tx.in_list(query, conversations, account)}


class Seat(NamedTuple):
    """Somebody in a conversation: the account's side of it, its userID and nick."""

    side: Side
    user_id: str
    nick: str | None


_SEATS: Final = f"SELECT {SIDE}, u.user_id, u.nick"
_AUDIENCE: Final = (
    f"{_SEATS}{_FROM} JOIN account u ON u.id = s.account"
    " WHERE s.conversation = ? AND (s.leave_seq IS NULL OR s.leave_seq >= ?) ORDER BY s.account"
)


def audience(tx: Transaction, conversation: int, since: int) -> list[Seat]:
    """Everybody who sees the message `since`."""
    return [_seat(row) for row in tx.all(_AUDIENCE, conversation, since)]


def system_seats(tx: Transaction, accounts: Sequence[int]) -> dict[int, Seat]:
    """Each account's seat in its own conversation with the system."""
    query = f"{_SEATS}{_FROM} JOIN account u ON u.id = s.account WHERE s.account IN (?*) AND s.folded = ?"
    return {row[0]: _seat(row) for row in tx.in_list(query, accounts, fold(SYSTEM))}


def _seat(row: Row) -> Seat:
    return Seat(Side(*row[:SIDE_WIDTH]), row[SIDE_WIDTH], row[SIDE_WIDTH + 1])


def past_periods(tx: Transaction, sides: Iterable[Side]) -> dict[tuple[int, int], list[Period]]:
    """Former periods of membership of those that had some, by (account, conversation)."""
    found: dict[tuple[int, int], list[Period]] = {}
    for one in sides:
        if one.past:
            rows = tx.all(
                "SELECT join_seq, leave_seq, join_count, leave_count FROM past_period"
                " WHERE account = ? AND conversation = ? ORDER BY join_seq",
                one.account,
                one.conversation,
            )
            found[one.account, one.conversation] = [Period(*row) for row in rows]
    return found


def views(tx: Transaction, account: int, conversations: Sequence[int]) -> dict[int, Conversation]:
    """The conversations as clients are shown them, by key."""
    sources = f" FROM (VALUES ?**) v CROSS JOIN state s{_FACE_OF} WHERE s.account = ? AND s.conversation = v.column1"
    return _seen(tx, tx.structs(_Faced, _FACE, sources, conversations, account))


def listed_views(tx: Transaction, account: int, after: int, limit: int) -> dict[int, Conversation]:
    """The listed conversations whose key is over `after`, at most `limit`, in the order of the keys."""
    rows = tx.all(
        f"SELECT {_FACE} FROM state s{_FACE_OF}"  # noqa: S608 - of columns of ours
        f" WHERE s.account = ? AND s.conversation > ? AND {_NEWEST} > s.hidden"
        " ORDER BY s.conversation LIMIT ?",
        account,
        after,
        limit,
    )
    return _seen(tx, [_Faced(*row) for row in rows])


def _seen(tx: Transaction, found: Sequence[_Faced]) -> dict[int, Conversation]:
    past = past_periods(tx, found)
    return {one.conversation: _view(one, past.get((one.account, one.conversation), ())) for one in found}


def _view(one: _Faced, past: Sequence[Period]) -> Conversation:
    last = None
    if one.newest > one.cleared and one.time is not None and one.type is not None:
        last = LastMessage(
            message_seq=one.newest,
            sender=SYSTEM if one.sender == 0 else one.sender_id or "",
            time=one.time,
            type=MESSAGE_TYPES[one.type],
            text=preview(one.text or ""),
            nick=one.nick,
            tip=short_tip(read_extra(one.extra).tip),
            recalled=one.recalled == 1,
        )
    name = one.name or one.peer_nick or one.peer_id or ""
    return shown(one, Face(name, one.member_count, one.peer_read_seq, last, one.muted_all == 1), past)


def counted(
    newest: int, newest_count: int, join_seq: int, join_count: int, cleared: int, floor_count: int
) -> tuple[int, int, int]:
    """Of a period of membership from `join_seq` to `newest`: how many messages can be seen, the first of them (0 where
    there is none), and how many are unread. It began after `join_count` countable messages and ends with
    `newest_count`."""
    unread = newest_count - (floor_count if floor_count > join_count else join_count)
    first = cleared + 1 if cleared >= join_seq else join_seq
    if first > newest:
        return 0, 0, unread if unread > 0 else 0
    return newest - first + 1, first, unread if unread > 0 else 0


def shown(one: Side, face: Face, past: Sequence[Period] = ()) -> Conversation:
    """The Conversation of a side."""
    # Said out instead of asking the properties: in a large group this runs for each member of each message.
    cleared, floor_count = one.cleared, one.floor_count
    if one.leave_seq is None or one.leave_count is None or one.leave_time is None:
        newest, newest_count, time = one.last_seq, one.last_count, one.last_time
    else:
        newest, newest_count, time = one.leave_seq, one.leave_count, one.leave_time
    messages, first, unread = counted(newest, newest_count, one.join_seq, one.join_count, cleared, floor_count)
    for start, last, start_count, end_count in reversed(past):
        oldest = max(start, cleared + 1)
        if last >= oldest:
            messages += last - oldest + 1
            first = oldest
        unread += max(0, end_count - max(floor_count, start_count))
    return Conversation(
        conversation_id=one.conversation_id,
        type=TYPES[one.kind],
        name=face.name,
        last_message=face.last_message,
        message_count=messages,
        unread_count=unread,
        mention_count=one.mention_count,
        read_seq=one.read_seq,
        hidden_through=one.hidden,
        cleared_through=cleared,
        pinned=one.pinned == 1,
        muted=one.muted == 1,
        marked_unread=one.marked_unread == 1,
        membership=MEMBERSHIPS[one.membership],
        member_count=face.member_count,
        newest_seq=newest,
        time=time,
        peer_read_seq=face.peer_read_seq,
        join_seq=one.join_seq,
        first_seq=first,
        role=ROLES[one.role] if one.kind == GROUP else None,
        muted_all=face.muted_all,
        sent_seq=one.sent_seq,
    )


def save(tx: Transaction, changed: Iterable[Side]) -> None:
    """Write sides back: all but what membership and settling have their own statements for."""
    tx.many(
        "UPDATE state SET hidden = ?, cleared = ?, hidden_settled = ?, cleared_settled = ?, read_seq = ?,"
        " floor_count = ?, mention_count = ?, pinned = ?, pin_version = ?, muted = ?, marked_unread = ?"
        " WHERE account = ? AND conversation = ?",
        [
            (
                one.hidden,
                one.cleared,
                one.hidden_settled,
                one.cleared_settled,
                one.read_seq,
                one.floor_count,
                one.mention_count,
                one.pinned,
                one.pin_version,
                one.muted,
                one.marked_unread,
                one.account,
                one.conversation,
            )
            for one in changed
        ],
    )
