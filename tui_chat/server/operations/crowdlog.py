"""What a group is told of a message: one row for everybody, which is spread into its members' logs soon after.

The table of events lies in the order of the users. A row for each of 200 members is 200 pages that are written for one
message (measured: 8.5 µs of processor time a member, a quarter of all that a delivery took); one row for all of them is
three. Spreading takes many messages at once, in the order of the users, so that a page is written once for all of them.

Both are the log: whoever reads it reads what waits as well (`waiting`, `waiting_for_many`), in one reading with it, so
that the eventSeq of a user are without a gap wherever they stand.
"""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import chain
from struct import Struct, error, iter_unpack, pack, unpack_from
from typing import Final, NamedTuple

import msgspec

from tui_chat.server.engines import Row, Transaction

from .eventlog import Numbers
from .history import Stored
from .rooms import numbers
from .state import JOINED

EVENTS_AT_ONCE: Final = 6_000
"""The most that one call spreads, one message at least: it holds the writer up for some 20 ms."""
MESSAGES_AT_ONCE: Final = 200

MEMBER: Final = (
    "s.account, l.seq, s.mention_count * 64 + CASE WHEN s.past > 0 THEN 32 ELSE 0 END + s.role * 8"
    " + s.marked_unread * 4 + s.muted * 2 + s.pinned,"
    " s.join_seq, s.join_count, s.cleared, s.floor_count, s.read_seq, s.hidden, s.sent_seq"
)
"""What is read, and kept, of a member (of `state` as s and `stream` as l): where the log stands before the event, and
what the Conversation in it is made of. A column that is read takes longer than adding some up in one."""
_WIDTH: Final = 10
FLAGS: Final = 7
_ROLE: Final = 8
_ROLES: Final = 3
CAME_BACK: Final = 32
_MENTION: Final = 64

_HEAD: Final = Struct("<BQQB")
"""Bytes of a number below; of the group: countable messages with this one, members, whether all are muted."""
_NARROW, _WIDE = 4, 8
_FORMATS: Final = {_NARROW: "I", _WIDE: "Q"}


class Crowd(NamedTuple):
    """What of a group's message is the same for all members."""

    conversation: int
    message: Stored
    time: int
    """Milliseconds since 1970."""
    member_count: int
    muted_all: int


class Waiting(NamedTuple):
    """An event that waits."""

    event_seq: int
    conversation: int
    message_seq: int
    numbers: Numbers


def role(small: int) -> int:
    """Of the third number of a MEMBER."""
    return small // _ROLE & _ROLES


def mentions(small: int) -> int:
    """Of the third number of a MEMBER."""
    return small // _MENTION


def log_for_all(tx: Transaction, crowd: Crowd, members: Sequence[Row]) -> None:
    """Append an event of a message to the logs of these members of a group: rows of MEMBER, by ascending account. Their
    eventSeq, which follow where the logs stood, have been taken."""
    if not members:
        return
    tx.later(
        "INSERT INTO crowd_event (conversation, message_seq, time, data) VALUES (?, ?, ?, ?)",
        crowd.conversation,
        crowd.message.seq,
        crowd.time,
        _packed(crowd, members),
    )


def _packed(crowd: Crowd, members: Sequence[Row]) -> bytes:
    count = _WIDTH * len(members)
    flat = chain.from_iterable(members)
    try:
        width, body = _NARROW, pack(f"<{count}I", *flat)
    except error:  # A number over 4,294,967,295.
        width, body = _WIDE, pack(f"<{count}Q", *chain.from_iterable(members))
    return _HEAD.pack(width, crowd.message.so_far, crowd.member_count, crowd.muted_all) + body


def waiting(tx: Transaction, account: int, after: int) -> list[Waiting]:
    """The events of a user after an eventSeq that are not yet in their log, in no order."""
    # CROSS: as in marks.py, or SQLite looks through all conversations that the user has.
    rows = tx.all(
        "SELECT w.conversation, w.message_seq, w.time, w.data FROM crowd_event w CROSS JOIN state s"
        " WHERE s.account = ? AND s.conversation = w.conversation",
        account,
    )
    found = (_Row(row).of(account) for row in rows)
    return [one for one in found if one is not None and one.event_seq > after]


def waiting_for_many(tx: Transaction, accounts: Sequence[int], messages: int) -> dict[int, list[Waiting]]:
    """What waits for each of these users of the last so many messages of each group, in no order. Of somebody who has
    left a group it may not be all."""
    rows = tx.in_list(
        "SELECT w.conversation, w.message_seq, w.time, w.data FROM crowd_event w"
        " JOIN conversation c ON c.id = w.conversation WHERE w.message_seq > c.last_seq - ?"
        " AND EXISTS (SELECT 1 FROM state s WHERE s.conversation = w.conversation AND s.account IN (?*))",
        accounts,
        messages,
    )
    packed = [_Row(row) for row in {row[:2]: row for row in rows}.values()]
    return {account: [one for row in packed if (one := row.of(account)) is not None] for account in accounts}


class _Row:
    """A row, in which members are looked up."""

    def __init__(self, row: Row) -> None:
        self._conversation: int
        self._message_seq: int
        self._time: int
        self._data: bytes
        self._conversation, self._message_seq, self._time, self._data = row
        self._width: int
        self._width, self._so_far, self._member_count, self._muted_all = _HEAD.unpack_from(self._data)
        self._kind = _FORMATS[self._width]
        self._count = (len(self._data) - _HEAD.size) // (self._width * _WIDTH)

    def of(self, account: int) -> Waiting | None:
        """The event of a user; None for who was not told."""
        place = bisect_left(range(self._count), account, key=self._account)
        if place == self._count or self._account(place) != account:
            return None
        member = unpack_from(f"<{_WIDTH}{self._kind}", self._data, self._offset(place))
        crowd = Crowd(
            self._conversation,
            Stored(self._message_seq, self._so_far),
            self._time,
            self._member_count,
            self._muted_all,
        )
        return Waiting(member[1] + 1, self._conversation, self._message_seq, _numbers(crowd, member[2:]))

    def events(self) -> list[tuple[int, int, int, int, int, str]]:
        """Rows of all members' logs: account, seq, time, conversation, message_seq, data."""
        body = memoryview(self._data)[_HEAD.size :]
        own, rest = f"<2{self._kind}{(_WIDTH - 2) * self._width}x", f"<{2 * self._width}x{_WIDTH - 2}{self._kind}"
        # Written as one list and cut apart: a third of the time of one text after the other.
        texts = msgspec.json.encode(list(iter_unpack(rest, body)))[2:-2].decode().split("],[")
        time, conversation, message_seq = self._time, self._conversation, self._message_seq
        end = f",{self._so_far},{time},{self._member_count},{self._muted_all}"
        return [
            (account, before + 1, time, conversation, message_seq, text + end)
            for (account, before), text in zip(iter_unpack(own, body), texts, strict=True)
        ]

    @property
    def key(self) -> tuple[int, int]:
        """Of the row."""
        return self._conversation, self._message_seq

    def _offset(self, place: int) -> int:
        return _HEAD.size + place * self._width * _WIDTH

    def _account(self, place: int) -> int:
        account: int = unpack_from(f"<{self._kind}", self._data, self._offset(place))[0]
        return account


def read_numbers(data: str, message_seq: int) -> Numbers | None:
    """The Numbers of an event that was spread, from what stands in the log; None where it was written by itself."""
    if data.startswith("["):
        return None
    *own, so_far, time, member_count, muted_all = map(int, data.split(","))
    return _numbers(Crowd(0, Stored(message_seq, so_far), time, member_count, muted_all), own)


def _numbers(crowd: Crowd, own: Sequence[int]) -> Numbers:
    small, join_seq, join_count, cleared, floor_count, read_seq, hidden, sent_seq = own
    side = (
        join_seq,
        join_count,
        cleared,
        floor_count,
        mentions(small),
        read_seq,
        hidden,
        small & 1,
        small >> 1 & 1,
        small >> 2 & 1,
        sent_seq,
    )
    return numbers(side, crowd.message, crowd.time, 0, JOINED, role(small), crowd.member_count, crowd.muted_all)


def waits(tx: Transaction) -> bool:
    """Whether anything is to be spread."""
    return tx.one("SELECT 1 FROM crowd_event LIMIT 1") is not None


def spread(tx: Transaction) -> bool:
    """Give some of what waits to the logs of its users; False where nothing waits, or another process does it.

    What a log has been cut off of, and who was erased, is left out. Both are done by `tidy`, which is never at work at
    the same time.
    """
    if not tx.is_alone_at("tidying"):
        return False
    last = _last_of_some(tx)
    if last is None:
        return False
    # Rows that other processes have written in between may be among them.
    rows = tx.all(
        "SELECT conversation, message_seq, time, data FROM crowd_event WHERE (conversation, message_seq) <= (?, ?)"
        " ORDER BY conversation, message_seq",
        *last,
    )
    packed = [_Row(row) for row in rows]
    events = sorted(event for one in packed for event in one.events())
    accounts = list(dict.fromkeys(event[0] for event in events))
    floors: dict[int, int] = dict(tx.in_list("SELECT account, floor FROM stream WHERE account IN (?*)", accounts))
    tx.many(
        "INSERT INTO event (account, seq, time, conversation, message_seq, data) VALUES (?, ?, ?, ?, ?, ?)",
        [event for event in events if event[1] > floors.get(event[0], event[1])],
    )
    tx.many("DELETE FROM crowd_event WHERE conversation = ? AND message_seq = ?", [one.key for one in packed])
    return True


def _last_of_some(tx: Transaction) -> tuple[int, int] | None:
    """The key of the last row that is spread in one go."""
    rows = tx.all(
        "SELECT conversation, message_seq, LENGTH(data) FROM crowd_event ORDER BY conversation, message_seq LIMIT ?",
        MESSAGES_AT_ONCE,
    )
    last, left = None, EVENTS_AT_ONCE * _NARROW * _WIDTH
    for conversation, message_seq, size in rows:
        left -= size
        if last is not None and left < 0:
            break
        last = conversation, message_seq
    return last
