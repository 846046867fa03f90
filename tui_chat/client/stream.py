"""The event socket and its way back after a break. The only module that imports websockets.

The reading task decodes and hands over; it never waits for a disk, a screen or the socket's own writer: websockets
stops reading when its queue is full, and then our own keepalive would end the connection (measured). Backoff has full
jitter, so that a restarted server is not stampeded; it starts over only after a healthy spell, since a server that
accepts and closes at once would otherwise be called without pause.

A machine that slept finds its connections dead, and neither end knows: the wall clock has moved on and the monotonic
one has not. That is looked at every ten seconds and whenever a person does something, and begins anew at once.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from enum import Enum
from random import Random
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import urlsplit

import msgspec

from tui_chat.protocol import events, limits
from tui_chat.protocol.errors import ChatError, Unauthorized
from tui_chat.protocol.wire import encode

from .changes import Connection
from .tls import context_for, is_loopback

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

_log = logging.getLogger(__name__)

FIRST_WAIT: Final = 0.5
LONGEST_WAIT: Final = 30.0
HEALTHY_SECONDS: Final = 30.0
KEEPALIVE_SECONDS: Final = 20.0
"""Between two pings of ours, and how long the answer to one may take: a half-open connection ends after both."""
LOOK_SECONDS: Final = 10.0
"""Between two looks at the clocks."""
SLEPT_SECONDS: Final = 5.0
"""By so much the wall clock must have run ahead of the monotonic one for the machine to have slept."""
_OUTGOING: Final = 16
"""Small frames that wait to be sent; typing that does not fit is dropped."""

_FRAME: "msgspec.json.Decoder[events.ServerFrame]" = msgspec.json.Decoder(events.ServerFrame)


class _Head(msgspec.Struct):
    t: str


_HEAD = msgspec.json.Decoder(_Head)
_KNOWN: Final = frozenset({"events", "ephemeral", "welcome", "ping", "reset"})


class Then(Enum):
    """What a closed socket leaves to do."""

    COME_BACK = "come back"
    NEW_TOKEN = "new token"  # noqa: S105 - no password
    STOP = "stop"


_AFTER: Final[Mapping[int, Then]] = {
    events.CLOSE_REVOKED: Then.STOP,
    events.CLOSE_UNAUTHORIZED: Then.NEW_TOKEN,
}
"""By close code; after every other one, and after none at all, it comes back and resumes."""


class Listener(Protocol):
    """What the stream needs of its session."""

    async def before_connecting(self) -> tuple[str | None, str]:
        """Bring the state up to date by other means; the cursor from which to go on, and a token.

        Raises:
            ChatError: not now; Unauthorized: never again with these credentials.
        """

    async def token_refused(self, token: str) -> None:
        """Get another token. Raises as `before_connecting`."""

    def frame_came(self, frame: events.ServerFrame) -> None:
        """Take a frame in. Must return at once."""

    def connection_is(self, connection: Connection) -> None:
        """The connection's state, at each change."""

    def machine_slept(self) -> None:
        """Whatever was connected is not any more, and neither end may know."""


class Stream:
    """One event socket at a time, for as long as `run` runs."""

    def __init__(
        self,
        server_url: str,
        listener: Listener,
        *,
        random: Random,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        open_seconds: float = 10.0,
        keepalive_seconds: float = KEEPALIVE_SECONDS,
        look_seconds: float = LOOK_SECONDS,
    ):
        parts = urlsplit(server_url)
        self._server_url = server_url
        self._url = f"{'wss' if parts.scheme == 'https' else 'ws'}://{parts.netloc}/v1/stream"
        self._loopback = is_loopback(parts.hostname or "")
        self._listener = listener
        self._random = random
        self._sleep = sleep
        self._wall = wall
        """Seconds since 1970."""
        self._monotonic = monotonic
        """Seconds; stands still while the machine sleeps."""
        self._open_seconds = open_seconds
        self._keepalive_seconds = keepalive_seconds
        self._look_seconds = look_seconds
        self._ahead = wall() - monotonic()
        self._wake = asyncio.Event()
        self._failures = 0
        self._outgoing: asyncio.Queue[bytes] = asyncio.Queue(_OUTGOING)
        self._socket: ClientConnection | None = None
        self.connected = False
        """Whether the server has welcomed us and the socket is open."""

    def reconnect_now(self) -> None:
        """Do not wait any longer for the next attempt."""
        self._failures = 0
        self._wake.set()

    def look_at_clocks(self) -> None:
        """Begin anew where the machine has slept. A wall clock that was set forward costs a reconnection, no more."""
        before, self._ahead = self._ahead, self._wall() - self._monotonic()
        if self._ahead - before > SLEPT_SECONDS:
            self._listener.machine_slept()
            self.reconnect_now()
            if self._socket is not None:
                self._socket.transport.abort()

    def typing(self, conversation_id: str) -> None:
        """Tell the server, if it can be told now."""
        if self.connected:
            self._put(events.Typing(conversation_id=conversation_id))

    async def run(self) -> None:
        """Connect, read, come back; returns when the server no longer knows this device."""
        looking = asyncio.create_task(self._keep_looking())
        try:
            await self._stay_connected()
        finally:
            looking.cancel()

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(self._look_seconds)
            self.look_at_clocks()

    async def _stay_connected(self) -> None:
        while True:
            self._listener.connection_is(Connection.CONNECTING)
            self._wake.clear()
            try:
                keep_on = await self._once()
            finally:
                self.connected = False
            if not keep_on:
                self._listener.connection_is(Connection.SIGNED_OUT)
                return
            self._listener.connection_is(Connection.OFFLINE)
            await self._wait()

    async def _wait(self) -> None:
        self._failures += 1
        most = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(self._failures, 10))
        wait = self._random.uniform(0.0, most)
        _log.debug("not connected; the next attempt, number %d, in %.1f s", self._failures, wait)
        sleeping = asyncio.ensure_future(self._sleep(wait))
        waking = asyncio.ensure_future(self._wake.wait())
        try:
            await asyncio.wait([sleeping, waking], return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            waking.cancel()

    async def _once(self) -> bool:
        """One connection, from the first byte to the last; False where there is no use in another."""
        try:
            cursor, token = await self._listener.before_connecting()
            return await self._connection(cursor, token)
        except ChatError as error:
            _log.debug("could not connect: %s", type(error).__name__)
            return not isinstance(error, Unauthorized)

    async def _connection(self, cursor: str | None, token: str) -> bool:
        from websockets.asyncio.client import connect
        from websockets.exceptions import InvalidStatus, WebSocketException

        context = await asyncio.to_thread(context_for, self._server_url)
        try:
            socket = await connect(
                self._url,
                additional_headers={"Authorization": f"Bearer {token}"},
                compression=None,
                proxy=None if self._loopback else True,
                ssl=context,
                max_size=2 * limits.FRAME_BYTES,
                open_timeout=self._open_seconds,
                ping_interval=self._keepalive_seconds,
                ping_timeout=self._keepalive_seconds,
                close_timeout=1.0,
            )
        except InvalidStatus as error:
            _log.debug("the socket was refused: %d", error.response.status_code)
            if error.response.status_code == 401:
                await self._listener.token_refused(token)
            return True
        except (OSError, TimeoutError, WebSocketException, EOFError) as error:
            _log.debug("the socket could not be opened: %s", type(error).__name__)
            return True
        self._socket = socket
        self._outgoing = asyncio.Queue(_OUTGOING)
        self._put(events.Hello(since=cursor))
        writer = asyncio.create_task(self._write(socket))
        try:
            await self._read(socket)
        finally:
            self._socket = None
            self.connected = False
            writer.cancel()
            await asyncio.wait([writer])
            await socket.close()
        _log.debug("the socket is closed: %s", socket.close_code)
        then = _AFTER.get(socket.close_code or 0, Then.COME_BACK)
        if then is Then.NEW_TOKEN:
            await self._listener.token_refused(token)
        return then is not Then.STOP

    async def _read(self, socket: "ClientConnection") -> None:
        from websockets.exceptions import ConnectionClosed

        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            while True:
                frame = self._decoded(await socket.recv())
                if frame is None:
                    continue
                if isinstance(frame, events.Ping):
                    self._put(events.Pong())
                if isinstance(frame, events.Welcome):
                    self.connected = True
                if _log.isEnabledFor(logging.DEBUG):
                    _log.debug("frame: %s", _headline(frame))
                self._listener.frame_came(frame)
                if isinstance(frame, events.Welcome):
                    self._listener.connection_is(Connection.CONNECTED)
                if self._failures and loop.time() - began > HEALTHY_SECONDS:
                    self._failures = 0
        except ConnectionClosed:
            return
        except msgspec.DecodeError:
            _log.debug("what came cannot be read")
            return  # begin again where the state stands
        finally:
            if loop.time() - began > HEALTHY_SECONDS:
                self._failures = 0

    def _decoded(self, text: str | bytes) -> events.ServerFrame | None:
        """The frame; None for a kind that this version does not know."""
        try:
            return _FRAME.decode(text)
        except msgspec.ValidationError:
            if _HEAD.decode(text).t in _KNOWN:
                raise
            return None

    async def _write(self, socket: "ClientConnection") -> None:
        from websockets.exceptions import ConnectionClosed

        try:
            while True:
                await socket.send(await self._outgoing.get(), text=True)
        except ConnectionClosed:
            return  # the reader hears of it as well

    def _put(self, frame: events.ClientFrame) -> None:
        if not self._outgoing.full():
            self._outgoing.put_nowait(encode(frame))


def _headline(frame: events.ServerFrame) -> str:
    """What it is, and of how much; nothing of what anybody wrote."""
    match frame:
        case events.EventRange(first=first, last=last, events=raw):
            return f"{len(raw)} events, {first} to {last}"
        case events.Ping(event_seq=seq):
            return f"ping at {seq}"
        case events.Reset(reason=reason):
            return f"reset: {reason}"
        case events.Welcome():
            return "welcome"
        case events.Ephemeral(kind=kind):
            return kind
