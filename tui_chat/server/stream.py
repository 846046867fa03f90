"""One event socket: hello, what was missed, live; a queue and a writer of its own, so that it delays nobody else.

The log is the truth and the queue only a short cut: a socket that was just opened, that fell behind, or whose queue ran
over reads on from the log until it is level, and is live again.
"""

import asyncio
import logging
from collections import deque
from contextlib import suppress
from typing import Any, Final, Protocol

import msgspec

from tui_chat.protocol import events, limits
from tui_chat.protocol.errors import ChatError, TooFrequent, Unauthorized, Unavailable
from tui_chat.protocol.ids import fold
from tui_chat.protocol.models import ServerFacts
from tui_chat.protocol.wire import encode

from .addresses import Receive, Send
from .hub import Frame, Hub
from .line import LINE, Line, text_frame
from .operations.caller import Caller
from .ratelimit import Rate

QUEUE_BYTES: Final = 1024 * 1024
FRAMES_A_SECOND: Final = 5.0
FRAMES_BURST: Final = 100.0
"""Of a peer's frames; a client sends a pong every limits.PING_SECONDS, and typing at most every second."""
TYPING_SECONDS: Final = 1.0
"""A device's typing is passed on at most so often to each conversation; how often altogether, FRAMES_A_SECOND says."""

READ_AGAIN_SECONDS: Final = 1.0
"""After which a socket that has to read on tries the database again."""

_CLIENT_FRAME: "msgspec.json.Decoder[events.ClientFrame]" = msgspec.json.Decoder(events.ClientFrame)
_log = logging.getLogger(__name__)


class Stretch(msgspec.Struct, frozen=True):
    """A stretch of a user's log as one device is told it, and how far the whole log reaches."""

    missed: events.EventRange
    """Under a frame's size."""
    newest: int


class Beginning(msgspec.Struct, frozen=True):
    """What a socket begins with, from one reading: `position` is the newest where the cursor was of no use."""

    server: ServerFacts
    position: int
    reset: events.Reset | None
    stretch: Stretch


class Log(Protocol):
    """What a socket needs of the database."""

    async def begin(self, caller: Caller, cursor: str | None) -> Beginning:
        """Where a cursor stands (None: at the newest), and what follows it. Raises Unauthorized where the device was
        revoked before the hub could have told its socket."""

    async def since(self, caller: Caller, position: int) -> Stretch | None:
        """What follows a position; None where the log no longer reaches back so far."""

    async def typing(self, caller: Caller, conversation_id: str) -> None:
        """Tell the others of a conversation."""


class _Closed(Exception):
    """The connection has ended, or must: with this code, where there is still somebody to be told."""

    def __init__(self, code: int | None) -> None:
        super().__init__(code)
        self.code = code


class EventSocket:
    """The server's end of one device's socket."""

    def __init__(
        self, scope: dict[str, Any], receive: Receive, send: Send, *, caller: Caller, hub: Hub, log: Log
    ) -> None:
        self.user = caller.user
        self.device_id = caller.device_id
        self.sent = 0
        """Highest eventSeq that was handed to the transport."""
        self._line: Line = scope["extensions"][LINE]
        self._receive = receive
        self._send = send
        self._caller = caller
        self._hub = hub
        self._counts = hub.counts
        self._log = log
        self._loop = asyncio.get_running_loop()
        self._queue: deque[tuple[int, bytes]] = deque()
        """(last eventSeq or 0 for ephemerals, frame)"""
        self._queued = 0
        self._queued_bytes = 0
        self._notice: bytes | None = None
        self._newest = 0
        """Highest eventSeq that is known to be in the log."""
        self._live = False
        self._idle: asyncio.Future[None] | None = None
        self._closing: int | None = None
        self._sending_since: float | None = None
        self._next_ping = 0.0
        self._typed: dict[str, float] = {}
        """Where the peer typed within the last TYPING_SECONDS."""
        self._frames = Rate(FRAMES_A_SECOND, FRAMES_BURST, self._loop.time)

    async def run(self) -> None:
        """Serve an accepted socket until it ends."""
        try:
            async with asyncio.timeout(limits.HELLO_SECONDS):
                hello = self._read(await self._receive())
        except TimeoutError:
            return await self._goodbye(events.CLOSE_NO_HELLO)
        except _Closed as closed:
            return await self._goodbye(closed.code)
        if not isinstance(hello, events.Hello):
            return await self._goodbye(events.CLOSE_NO_HELLO)
        if self._hub.count(self.user) >= limits.SOCKETS_A_USER:
            # It was looked at before, but of those that had said nothing yet nobody knew.
            return await self._goodbye(events.CLOSE_TRY_AGAIN)
        self._next_ping = self._loop.time() + limits.PING_SECONDS
        self._hub.join(self)
        writer = asyncio.create_task(self._write(hello))
        try:
            while True:
                await self._obey(self._read(await self._receive()))
        except _Closed as closed:
            if closed.code is not None:
                self.close(closed.code)
                await asyncio.wait([writer])
        finally:
            self._hub.leave(self)
            writer.cancel()
            await asyncio.wait([writer])

    # What the hub calls.

    @property
    def reached(self) -> int | None:
        """The highest eventSeq that was sent or is queued; None while it reads the log by itself."""
        return self._queued if self._live and self._closing is None else None

    def offer(self, frame: Frame) -> None:
        """Queue the next range; when it does not follow, or the queue runs over, read on from the log instead."""
        last, queued = frame.last, self._queued
        if last > self._newest:
            self._newest = last
        if not self._live or last <= queued or self._closing is not None:
            return
        follows, idle = frame.first == queued + 1, self._idle
        # While the writer has nothing to do, nothing can be overtaken.
        if follows and idle is not None and not idle.done() and self._line.offer(frame.data):
            self.sent = self._queued = last
            self._counts.frames += 1
            return
        full = len(self._queue) >= limits.SOCKET_QUEUE or self._queued_bytes + len(frame.data) > QUEUE_BYTES
        if not (follows or full) and self._hub.reads_on is not None and self._hub.reads_on(self.user):
            return  # Another process' event comes first, of which this one has not heard yet.
        if full or not follows:
            self._counts.overflows += full
            self._drop_queue()
        else:
            self._queue.append((frame.last, frame.data))
            self._queued = frame.last
            self._queued_bytes += len(frame.data)
        self._wake()

    def offer_ephemeral(self, frame: bytes) -> None:
        """Queue it, unless the peer is slow."""
        if self._closing is None and len(self._queue) < limits.SOCKET_QUEUE // 4:
            self._queue.append((0, frame))
            self._queued_bytes += len(frame)
            self._wake()

    def offer_notice(self, frame: bytes) -> None:
        """Send it before anything else; a newer one takes the place of one that is still waiting."""
        self._notice = frame
        self._wake()

    def fall_behind(self, newest: int) -> None:
        """Read on from the log if it reaches further than what is queued here."""
        self._newest = max(self._newest, newest)
        if self._live and newest > self._queued:
            self._drop_queue()
            self._wake()

    def close(self, code: int) -> None:
        """End after what is being sent; what is still queued stays in the log for the next connection."""
        if self._closing is None:
            self._closing = code
            self._wake()

    def check(self, now: float) -> None:
        """Cut a peer that takes nothing; ping one for which the time has come."""
        if self._sending_since is not None and now - self._sending_since > limits.STALL_SECONDS:
            self._sending_since = None
            self._counts.cut += 1
            self._line.abort(events.CLOSE_SLOW)
        elif now >= self._next_ping:
            self._next_ping = now + limits.PING_SECONDS
            self.offer_ephemeral(text_frame(encode(events.Ping(event_seq=self._newest))))

    # What the peer says.

    def _read(self, message: Any) -> events.ClientFrame:
        if message["type"] == "websocket.disconnect":
            raise _Closed(None)
        try:
            self._frames.take(None)
            return _CLIENT_FRAME.decode(message.get("text") or b"")
        except (msgspec.DecodeError, RecursionError) as error:
            raise _Closed(events.CLOSE_BAD_FRAME) from error
        except TooFrequent as error:
            raise _Closed(events.CLOSE_TRY_AGAIN) from error

    async def _obey(self, frame: events.ClientFrame) -> None:
        match frame:
            case events.Hello():
                raise _Closed(events.CLOSE_BAD_FRAME)
            case events.Typing():
                now = self._loop.time()
                self._typed = {place: when for place, when in self._typed.items() if now - when < TYPING_SECONDS}
                place = fold(frame.conversation_id[: limits.IDENTIFIER_CHARACTERS])  # No conversationID has so many.
                if place not in self._typed:
                    self._typed[place] = now
                    await self._log.typing(self._caller, frame.conversation_id)
            case events.Pong():
                pass

    # The writer.

    async def _write(self, hello: events.Hello) -> None:
        try:
            await self._begin(await self._log.begin(self._caller, hello.since))
            while self._closing is None:
                if self._notice is not None:
                    notice, self._notice = self._notice, None
                    await self._put(notice)
                elif not self._live:
                    await self._catch_up()
                elif self._queue:
                    last, frame = self._queue.popleft()
                    self._queued_bytes -= len(frame)
                    await self._put(frame)
                    if last:
                        self.sent = last
                        self._counts.frames += 1
                else:
                    self._idle = self._loop.create_future()
                    await self._idle
            code: int | None = self._closing
        except Unauthorized:
            code = events.CLOSE_REVOKED
        except ChatError as error:
            _log.warning("event socket of device %s ends: %s", self.device_id, error)
            code = events.CLOSE_TRY_AGAIN
        except OSError:
            return  # The peer is gone; the reader hears of it as well.
        except Exception:
            _log.exception("event socket of device %s ends", self.device_id)
            code = events.CLOSE_TRY_AGAIN
        await self._goodbye(code)

    async def _begin(self, found: Beginning) -> None:
        """Welcome; whoever has the welcome misses nothing from there on."""
        await self._put(text_frame(encode(events.Welcome(server=found.server))))
        if found.reset is not None:
            await self._put(text_frame(encode(found.reset)))
        self.sent = found.position
        await self._hand_on(found.stretch)

    async def _catch_up(self) -> None:
        """Send the next stretch of the log, or say that it is gone. While the database is away, wait: nobody else can
        read it either."""
        try:
            found = await self._log.since(self._caller, self.sent)
        except Unavailable as error:
            _log.debug("event socket of device %s waits: %s", self.device_id, error)
            self._idle = self._loop.create_future()
            await asyncio.wait({self._idle}, timeout=READ_AGAIN_SECONDS)
            self._idle = None
            return
        if found is None:
            beginning = await self._log.begin(self._caller, None)
            await self._put(text_frame(encode(events.Reset(reason="log_too_old"))))
            self.sent = beginning.position
        else:
            await self._hand_on(found)

    async def _hand_on(self, found: Stretch) -> None:
        """Send a stretch; if nothing is missing then, go live, without a pause between."""
        if found.missed.last > self.sent:
            await self._put(text_frame(encode(found.missed)))
            self.sent = found.missed.last
            self._counts.frames += 1
        if self.sent >= max(found.newest, self._newest):
            self._newest = self._queued = self.sent
            self._live = True

    async def _put(self, frame: bytes) -> None:
        if not self._line.offer(frame):
            self._sending_since = self._loop.time()
            await self._line.put(frame)
            self._sending_since = None

    async def _goodbye(self, code: int | None) -> None:
        if code is not None:
            self._sending_since = self._loop.time()
            with suppress(OSError, RuntimeError):  # It may have ended from the other side.
                await self._send({"type": "websocket.close", "code": code})

    def _drop_queue(self) -> None:
        self._live = False
        self._queue.clear()
        self._queued_bytes = 0

    def _wake(self) -> None:
        if self._idle is not None and not self._idle.done():
            self._idle.set_result(None)
