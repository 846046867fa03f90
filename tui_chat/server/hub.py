"""Who is connected here, and what happens to them: hands committed events to sockets and to waiting sync requests.

Everything runs on the event loop's thread and nothing here waits: a socket has its own queue and its own writer.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Protocol

import msgspec

from tui_chat.protocol import limits

from .engines import Emitted
from .line import text_frame

Buffer = bytes | msgspec.Raw
"""JSON of an event."""
ENVELOPE_BYTES: Final = 256
"""Room for what stands around the events of a frame."""


class StreamCounts:
    """What sockets count, as plain numbers: they are counted for every frame, and read when a monitor asks."""

    __slots__ = ("cut", "frames", "overflows")

    def __init__(self) -> None:
        self.frames = 0
        """Frames with events that were handed to the transport."""
        self.overflows = 0
        """Queues that were dropped; the socket read on from the log."""
        self.cut = 0
        """Connections that were cut because their peer took nothing."""


class Frame(msgspec.Struct, frozen=True, gc=False):
    """A range of a user's log as it goes over the wire."""

    first: int
    last: int
    data: bytes
    """The whole WebSocket frame."""


class Connection(Protocol):
    """What the hub knows of a socket."""

    user: int
    device_id: str
    sent: int

    @property
    def reached(self) -> int | None:
        """The highest eventSeq that it has, or has queued; None while it reads the log by itself."""

    def offer(self, frame: Frame) -> None:
        """Take the next range of the log."""

    def offer_ephemeral(self, frame: bytes) -> None:
        """Take something that is neither logged nor numbered, or drop it."""

    def offer_notice(self, frame: bytes) -> None:
        """Take what every client must know now; only the latest counts."""

    def fall_behind(self, newest: int) -> None:
        """The log reaches to `newest`: read on from it where that is news."""

    def close(self, code: int) -> None:
        """End, after what is queued."""

    def check(self, now: float) -> None:
        """Look after deadlines; `now` is the loop's time."""


class Hub:
    """The connections of this process, by user."""

    def __init__(self, cursor: bytes) -> None:
        """`cursor`: the JSON of a cursor, with %d where the eventSeq stands."""
        self._form = form(cursor)
        self.counts: Final = StreamCounts()
        self.stopping = False
        """Nothing is worth waiting for any more."""
        self._arrived: Callable[[Connection], None] | None = None
        self.reads_on: Callable[[int], bool] | None = None
        """Asked when a user's connection is handed a range that does not follow what it has: whether somebody reads
        what lies between for all connections at once. Otherwise each reads by itself."""
        self._connections: dict[int, set[Connection]] = {}
        self._waiting: dict[int, set[asyncio.Future[None]]] = {}

    def on_arrival(self, listener: Callable[[Connection], None]) -> None:
        """Call `listener` with each connection that joins, before it does."""
        self._arrived = listener

    def join(self, connection: Connection) -> None:
        """From now on it is told."""
        if self._arrived is not None:
            self._arrived(connection)
        self._connections.setdefault(connection.user, set()).add(connection)

    def leave(self, connection: Connection) -> None:
        """It is no longer told."""
        there = self._connections.get(connection.user, set())
        there.discard(connection)
        if not there:
            self._connections.pop(connection.user, None)

    def __iter__(self) -> Iterator[Connection]:
        return iter([connection for there in self._connections.values() for connection in there])

    def size(self) -> int:
        """How many connections there are."""
        return sum(map(len, self._connections.values()))

    def count(self, user: int) -> int:
        """How many connections a user has."""
        return len(self._connections.get(user, ()))

    def users(self) -> list[int]:
        """Who is connected."""
        return list(self._connections)

    def waiting_users(self) -> list[int]:
        """Who has a request that waits for news."""
        return list(self._waiting)

    def concerns(self, user: int) -> bool:
        """Whether the user is connected, or waits."""
        return user in self._connections or user in self._waiting

    def news(self, user: int) -> "asyncio.Future[None]":
        """A future that is done when something is committed for the user; give it back with `no_news`."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(user, set()).add(future)
        return future

    def no_news(self, user: int, future: "asyncio.Future[None]") -> None:
        """Nobody waits for that future any more."""
        there = self._waiting.get(user, set())
        there.discard(future)
        if not there:
            self._waiting.pop(user, None)

    def waiting(self) -> int:
        """How many users have a request that waits for news."""
        return len(self._waiting)

    def deliver(self, emitted: Iterable[Emitted]) -> None:
        """Hand out what one commit caused, in its order."""
        connected, waiting = self._connections, self._waiting
        by_user: dict[int, list[Emitted]] = {}
        for one in emitted:
            user = one.user
            if user in connected or user in waiting:
                theirs = by_user.get(user)
                if theirs is None:
                    by_user[user] = [one]
                else:
                    theirs.append(one)
        for user, theirs in by_user.items():
            if user in waiting:
                self._wake(user)
            if connections := connected.get(user):
                self._hand_out(connections, theirs)

    def tell(self, user: int, frame: bytes) -> None:
        """Give an ephemeral frame to a user's connections."""
        for connection in tuple(self._connections.get(user, ())):
            connection.offer_ephemeral(frame)

    def tell_everyone(self, frame: bytes) -> None:
        """Give a notice to every connection."""
        for connection in self:
            connection.offer_notice(frame)

    def compare(self, newest: dict[int, int]) -> None:
        """Let connections that have missed something read on: user -> newest eventSeq in the database."""
        for user, event_seq in newest.items():
            for connection in tuple(self._connections.get(user, ())):
                connection.fall_behind(event_seq)

    def reached(self, user: int) -> int | None:
        """How far those of the user's connections that are live have been told, at least; None where none is."""
        told = [connection.reached for connection in self._connections.get(user, ())]
        return min((one for one in told if one is not None), default=None)

    def read(self, user: int, first: int, last: int, raws: Sequence[tuple[int, str | None, msgspec.Raw]]) -> None:
        """Hand out a range of the user's log that was read from it: (eventSeq, only_device, event) of each event."""
        if connections := self._connections.get(user):
            self._offer(connections, first, last, raws, {only for _, only, _ in raws if only is not None})

    def wake(self, users: Iterable[int]) -> None:
        """Let these users' waiting requests look again."""
        for user in users:
            self._wake(user)

    def close_users(self, users: Iterable[int], code: int) -> None:
        """End every connection of these users."""
        for user in users:
            for connection in tuple(self._connections.get(user, ())):
                connection.close(code)

    def close_devices(self, device_ids: Iterable[str], code: int) -> None:
        """End the connections of these devices."""
        gone = frozenset(device_ids)
        for connection in self:
            if connection.device_id in gone:
                connection.close(code)

    def check(self, now: float) -> None:
        """Look after every connection's deadlines."""
        for connection in self:
            connection.check(now)

    def stop(self) -> None:
        """Wake every waiting request, because the server stops."""
        self.stopping = True
        for user in tuple(self._waiting):
            self._wake(user)

    def _wake(self, user: int) -> None:
        for future in self._waiting.pop(user, ()):
            if not future.done():
                future.set_result(None)

    def _hand_out(self, connections: set[Connection], theirs: Sequence[Emitted]) -> None:
        """Encode once for all devices; once more for a device that gets what others do not."""
        one = theirs[0]
        if len(theirs) == 1 and one.only_device is None:
            # Nearly always so, and for a message to a large group so for each member: the shortest way.
            seq = one.event_seq
            frame = Frame(seq, seq, text_frame(self._form % (seq, seq, seq, one.raw())))
            for connection in tuple(connections):
                connection.offer(frame)
            return
        raws: list[bytes] = []
        size, for_all = ENVELOPE_BYTES, True
        for one in theirs:
            raw = one.raw()
            raws.append(raw)
            size += len(raw) + 1
            for_all = for_all and one.only_device is None
        first, last = theirs[0].event_seq, theirs[-1].event_seq
        if for_all and size <= limits.FRAME_BYTES:
            frame = _frame(first, last, raws, self._form)
            for connection in tuple(connections):
                connection.offer(frame)
            return
        told = [(one.event_seq, one.only_device, raw) for one, raw in zip(theirs, raws, strict=True)]
        self._offer(connections, first, last, told, {one.only_device for one in theirs if one.only_device is not None})

    def _offer(
        self,
        connections: set[Connection],
        first: int,
        last: int,
        raws: Sequence[tuple[int, str | None, Buffer]],
        named: set[str],
    ) -> None:
        """A range as frames, made once for all devices but those that are `named` in it."""
        made: dict[str | None, list[Frame]] = {}
        for connection in tuple(connections):
            device = connection.device_id if connection.device_id in named else None
            frames = made.get(device)
            if frames is None:
                wanted = [(seq, raw) for seq, only, raw in raws if only is None or only == device]
                frames = made[device] = list(cut(first, last, wanted, self._form))
            for frame in frames:
                connection.offer(frame)


def form(cursor: bytes) -> bytes:
    """The JSON of an events.EventRange, to be filled in with its first eventSeq, its last, the same again, and its
    events; they are JSON already and are not looked through again. `cursor`: as the Hub's."""
    return b'{"t":"events","from":%%d,"to":%%d,"cursor":%b,"events":[%%b]}' % cursor


def cut(first: int, last: int, wanted: Sequence[tuple[int, Buffer]], form: bytes) -> Iterator[Frame]:
    """The range as frames under limits.FRAME_BYTES that follow each other without a gap.

    `wanted`: (eventSeq, event) of those that are for this device. An event that is larger than a frame by itself is
    sent as it is: it cannot be cut.
    """
    start, held, size = first, list[Buffer](), ENVELOPE_BYTES
    for seq, raw in wanted:
        length = len(memoryview(raw)) + 1
        if held and size + length > limits.FRAME_BYTES:
            yield _frame(start, seq - 1, held, form)
            start, held, size = seq, [], ENVELOPE_BYTES
        held.append(raw)
        size += length
    yield _frame(start, last, held, form)


def _frame(first: int, last: int, raws: Sequence[Buffer], form: bytes) -> Frame:
    return Frame(first, last, text_frame(form % (first, last, last, b",".join(raws))))
