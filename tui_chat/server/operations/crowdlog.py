"""What a group is told of a message: one row for everybody, which is spread into its members' logs soon after.

The table of events lies in the order of the users. A row for each of 200 members is 200 pages that are written for one
message (measured: 8.5 µs of processor time a member, a quarter of all that a delivery took); one row for all of them is
three. Spreading takes many messages at once, and what they are to one user goes into one row of that user's log, under
the last eventSeq in it.

So events stand in three forms: in rows of their own, several in a row, and waiting. Whoever reads a log reads all three
in one reading (`logged`, `logged_for_many`); together the eventSeq of a user are without a gap.

    own row      event: seq is the event's, data what eventlog.py wrote
    several      event: seq is the last one's, data [[conversation, messageSeq, soFar, time, memberCount, mutedAll,
                 before, …], …], the rest of each as in MEMBER; an event's own seq is `before` + 1
    waiting      crowd_event: data _HEAD, then a MEMBER for each member, by ascending account: numbers of 4 or 8 bytes,
                 little-endian

An event is in one form at a time: `spread` moves it from the last to the second.
"""

from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from struct import Struct
from sys import byteorder
from typing import Final, NamedTuple

import msgspec

from tui_chat.server.engines import Row, Transaction

from .eventlog import Numbers
from .history import Stored
from .rooms import numbers
from .state import JOINED

EVENTS_AT_ONCE: Final = 10_000
"""The most that one call spreads, one message at least: it holds the writer up for some 20 ms."""
MESSAGES_AT_ONCE: Final = 500
EVENTS_A_ROW: Final = 32
"""In one row of a log, at most: who reads one of them reads all."""
ROWS_AT_ONCE: Final = 64
"""Of a log, that are read in one go."""

MEMBER: Final = (
    "s.account, l.seq, s.mention_count * 64 + CASE WHEN s.past > 0 THEN 32 ELSE 0 END + s.role * 8"
    " + s.marked_unread * 4 + s.muted * 2 + s.pinned,"
    " s.join_seq, s.join_count, s.cleared, s.floor_count, s.read_seq, s.hidden, s.sent_seq"
)
"""What is read, and kept, of a member (of `state` as s and `stream` as l): where the log stands before the event, and
what the Conversation in it is made of. A column that is read takes longer than adding some up in one."""
_WIDTH: Final = 10
FLAGS: Final = 7
ROLE: Final = 24
ROLE_UNIT: Final = 8
CAME_BACK: Final = 32
MENTION: Final = 64
"""What the third number of a MEMBER is made of; the rest of it counts mentions."""

_HEAD: Final = Struct("<BQQB")
"""Bytes of a number below; of the group: countable messages with this one, members, whether all are muted."""
_NARROW, _WIDE = 4, 8
_SEVERAL: Final = "[["
"""How a log's row of several events begins. It is JSON: for each event what of Crowd it needs, and a MEMBER without the
account."""
_BETWEEN: Final = "],["
BEFORE: Final = 6
"""Where in it stands how far the log had come."""
_entries = msgspec.json.Decoder(list[list[int]]).decode
_KINDS: Final = {_NARROW: "I", _WIDE: "Q"}


class Crowd(NamedTuple):
    """What of a group's message is the same for all members."""

    conversation: int
    message: Stored
    time: int
    """Milliseconds since 1970."""
    member_count: int
    muted_all: int


class Told(NamedTuple):
    """An event of a message of a group."""

    event_seq: int
    only_device: None
    conversation: int
    message_seq: int
    numbers: Numbers


LogRow = tuple[int, int | None, int | None, int | None, str | Numbers]
"""eventSeq; only_device; conversation and messageSeq where it is a message.new or message.changed; data, or what it
says."""


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
    try:
        width, body = _NARROW, array(_KINDS[_NARROW], chain.from_iterable(members))
    except OverflowError:  # A number over 4,294,967,295.
        width, body = _WIDE, array(_KINDS[_WIDE], chain.from_iterable(members))
    if byteorder == "big":
        body.byteswap()
    return _HEAD.pack(width, crowd.message.so_far, crowd.member_count, crowd.muted_all) + body.tobytes()


def logged(tx: Transaction, account: int, position: int, newest: int, limit: int) -> list[LogRow]:
    """The events that follow `position` in a user's log, in order, at most `limit`. The log's end is `newest`."""
    wanted = min(newest - position, limit)
    found: dict[int, LogRow] = {}

    def is_complete() -> bool:
        return all(event_seq in found for event_seq in range(position + 1, position + wanted + 1))

    after, at_once = position, min(limit, ROWS_AT_ONCE)
    while True:
        rows = tx.all(
            "SELECT seq, only_device, conversation, message_seq, data FROM event"
            " WHERE account = ? AND seq > ? ORDER BY seq LIMIT ?",
            account,
            after,
            at_once,
        )
        found.update((one[0], one) for row in rows for one in _events(row, position))
        if after == position and not is_complete():
            found.update((one.event_seq, one) for one in _waiting(tx, account, position))
        # What is still missing stands further on: a row comes behind those that came while its events were gathered.
        if is_complete() or len(rows) < at_once:
            return [found[event_seq] for event_seq in sorted(found)[:limit]]
        after = rows[-1][0]


def logged_for_many(tx: Transaction, reached: Mapping[int, int], newest: Mapping[int, int]) -> dict[int, list[LogRow]]:
    """What follows the positions that these users have reached, in order, up to the end of their logs; of somebody who
    has left a group meanwhile it may not be all. For users of whom none is far behind."""
    # One statement for everybody: from the end of each log back, as far as anybody needs.
    most = max((newest[user] - position for user, position in reached.items()), default=0)
    rows = tx.in_list(
        "SELECT e.account, e.seq, e.only_device, e.conversation, e.message_seq, e.data FROM stream s"
        " JOIN event e ON e.account = s.account AND e.seq > s.seq - ? WHERE s.account IN (?*)",
        list(reached),
        most,
    )
    found: dict[int, dict[int, LogRow]] = {user: {} for user in reached}
    for row in rows:
        found[row[0]].update((one[0], one) for one in _events(row[1:], reached[row[0]]))
    short = [user for user, position in reached.items() if len(found[user]) < newest[user] - position]
    for waits in _waiting_for_many(tx, short, most):
        for user in short:
            told = waits.of(user, reached[user])
            if told is not None:
                found[user][told.event_seq] = told
    return {user: [theirs[event_seq] for event_seq in sorted(theirs)] for user, theirs in found.items()}


def _events(row: Row, position: int) -> Sequence[LogRow]:
    """The events after `position` in a row of a log."""
    event_seq, _, conversation, _, data = row
    if event_seq <= position:
        return ()
    if conversation is None and data.startswith(_SEVERAL):
        return [_told(entry) for entry in _entries(data) if entry[BEFORE] >= position]
    return (row,)


def _waiting(tx: Transaction, account: int, position: int) -> list[Told]:
    """The events of a user after `position` that are not yet in their log."""
    # CROSS: as in marks.py, or SQLite looks through all conversations that the user has.
    rows = tx.all(
        "SELECT w.conversation, w.message_seq, w.time, w.data FROM crowd_event w CROSS JOIN state s"
        " WHERE s.account = ? AND s.conversation = w.conversation",
        account,
    )
    return [told for row in rows if (told := _Row(row).of(account, position)) is not None]


def _waiting_for_many(tx: Transaction, accounts: Sequence[int], messages: int) -> "list[_Row]":
    """What waits of the last so many messages of each group in which any of these users is."""
    rows = tx.in_list(
        "SELECT w.conversation, w.message_seq, w.time, w.data FROM crowd_event w"
        " JOIN conversation c ON c.id = w.conversation WHERE w.message_seq > c.last_seq - ?"
        " AND EXISTS (SELECT 1 FROM state s WHERE s.conversation = w.conversation AND s.account IN (?*))",
        accounts,
        messages,
    )
    return [_Row(row) for row in {row[:2]: row for row in rows}.values()]


def _told(entry: Sequence[int]) -> Told:
    conversation, message_seq, so_far, time, member_count, muted_all, before, *own = entry
    crowd = Crowd(conversation, Stored(message_seq, so_far), time, member_count, muted_all)
    return Told(before + 1, None, conversation, message_seq, _numbers(crowd, own))


class _Row:
    """A row of what waits."""

    def __init__(self, row: Row) -> None:
        self.key: tuple[int, int] = row[:2]
        self.time: int = row[2]
        width, so_far, member_count, muted_all = _HEAD.unpack_from(row[3])
        self._common = (*row[:2], so_far, self.time, member_count, muted_all)
        self._members = array(_KINDS[width], row[3][_HEAD.size :])
        if byteorder == "big":
            self._members.byteswap()

    def of(self, account: int, position: int) -> Told | None:
        """The event of a user; None for who was not told, or stands behind it."""
        accounts = self._members[::_WIDTH]
        place = bisect_left(accounts, account)
        if place == len(accounts) or accounts[place] != account:
            return None
        own = self._members[place * _WIDTH + 1 : (place + 1) * _WIDTH]
        return _told((*self._common, *own)) if own[0] >= position else None

    def events(self) -> Iterator[tuple[int, int, str]]:
        """The events of all members: account, where the log stood, what stands in a log's row."""
        members = self._members
        # Written as one list and cut apart: a third of the time of one text after the other.
        own = zip(*(members[column::_WIDTH] for column in range(1, _WIDTH)), strict=True)
        texts = msgspec.json.encode(list(own))[2:-2].decode().split(_BETWEEN)
        common = ",".join(map(str, self._common)) + ","
        for account, before, text in zip(members[::_WIDTH], members[1::_WIDTH], texts, strict=True):
            yield account, before, common + text


def _numbers(crowd: Crowd, own: Sequence[int]) -> Numbers:
    small, join_seq, join_count, cleared, floor_count, read_seq, hidden, sent_seq = own
    return numbers(
        crowd.message,
        crowd.time,
        join_seq,
        join_count,
        cleared,
        floor_count,
        small // MENTION,
        read_seq,
        hidden,
        small & FLAGS | crowd.muted_all << 3,
        sent_seq,
        0,
        JOINED,
        (small & ROLE) // ROLE_UNIT,
        crowd.member_count,
    )


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
    theirs: defaultdict[int, list[tuple[int, int, str]]] = defaultdict(list)
    for one in packed:
        for account, before, text in one.events():
            theirs[account].append((before, one.time, text))
    floors: dict[int, int] = dict(tx.in_list("SELECT account, floor FROM stream WHERE account IN (?*)", list(theirs)))
    tx.many(
        "INSERT INTO event (account, seq, time, data) VALUES (?, ?, ?, ?)",
        [row for account in sorted(floors) for row in _as_rows(account, floors[account], theirs[account])],
    )
    tx.many("DELETE FROM crowd_event WHERE conversation = ? AND message_seq = ?", [one.key for one in packed])
    return True


def _as_rows(account: int, floor: int, events: list[tuple[int, int, str]]) -> Iterator[tuple[int, int, int, str]]:
    """Rows of a user's log: account, seq, time, data."""
    events.sort()
    while events and events[0][0] < floor:
        del events[0]
    for start in range(0, len(events), EVENTS_A_ROW):
        several = events[start : start + EVENTS_A_ROW]
        before, time, _ = several[-1]
        yield account, before + 1, time, f"[[{_BETWEEN.join(text for _, _, text in several)}]]"


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
