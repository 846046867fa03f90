"""A network that loses, repeats, reorders and cuts, by chance and always the same: in place of httpx and websockets."""

import asyncio
from collections import deque
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec
from websockets.exceptions import ConnectionClosedError

from tui_chat.protocol import errors, events
from tui_chat.protocol.limits import Limits
from tui_chat.protocol.models import ServerFacts
from tui_chat.protocol.wire import decode, encode
from tui_chat.server.hub import Frame
from tui_chat.server.line import text_frame
from tui_chat.server.operations.caller import Caller

from .simulated_server import SimulatedServer, payload

if TYPE_CHECKING:
    from tui_chat.client.api import Query

Answer = TypeVar("Answer")

A_CALL: Final = 2
"""Conversations in a call, as the server says here: so batches take several."""


@dataclass
class Faults:
    """How probable it is, for each request or frame, that it meets with each."""

    request_lost: float = 0.0
    answer_lost: float = 0.0
    """After the request had its effect."""
    request_repeated: float = 0.0
    """It arrives once more, later."""
    busy: float = 0.0
    """429 or 503 instead of an effect."""
    frame_repeated: float = 0.0
    frame_late: float = 0.0
    """Others overtake it."""
    frame_lost: float = 0.0


NONE: Final = Faults()
SOME: Final = Faults(0.03, 0.03, 0.03, 0.02, 0.05, 0.03, 0.02)
MANY: Final = Faults(0.15, 0.15, 0.1, 0.1, 0.2, 0.1, 0.1)


class Link:
    """One device's way to the server."""

    def __init__(self, server: SimulatedServer, random: Random):
        self.server = server
        self.random = random
        self.faults = NONE
        self.up = True
        self.busy = 0
        """Requests under way."""
        self.sockets: list[SimulatedSocket] = []

    def delay(self) -> float:
        """One way, in seconds."""
        return self.random.uniform(0.001, 0.04)

    def happens(self, probability: float) -> bool:
        """Whether chance has it so."""
        return probability > 0 and self.random.random() < probability

    def cut(self) -> None:
        """End every connection, from the middle."""
        for socket in list(self.sockets):
            socket.end()

    def go_down(self) -> None:
        """No way to the server any more."""
        self.up = False
        self.cut()

    def come_up(self) -> None:
        """There is one again."""
        self.up = True


class SimulatedApi:
    """Has what `client.api.Api` has, and goes over a link."""

    def __init__(self, link: Link, caller: Caller):
        self.server_url = f"http://{caller.device_id}"
        self.link = link
        self.caller = caller
        self._closed = False

    async def call(
        self,
        method: str,
        path: str,
        answer: type[Answer],
        *,
        body: msgspec.Struct | None = None,
        query: "Query | None" = None,
        token: str | None = None,
        seen_at: str = "",
        wait_seconds: float = 0.0,
    ) -> Answer:
        """As `Api.call`: whoever asked may go away, the exchange goes on."""
        if self._closed:
            raise errors.NotConnected("the session is closed")
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        asked = {name: str(value) for name, value in (query or {}).items() if value is not None}
        content = encode(body) if body is not None else None
        self._send(future, method, path, asked, content, seen_at)
        return decode(await asyncio.shield(future), answer)

    async def renew(self) -> None:
        """New connections; here no request depends on an old one."""

    async def close(self, *, patience: float = 1.0) -> None:
        """No more requests."""
        self._closed = True

    def _send(
        self,
        future: "asyncio.Future[Any]",
        method: str,
        path: str,
        query: dict[str, str],
        content: bytes | None,
        seen_at: str,
    ) -> None:
        link = self.link
        faults = link.faults
        loop = asyncio.get_running_loop()
        link.busy += 1

        def end(result: bytes | errors.ChatError) -> None:
            link.busy -= 1
            if isinstance(result, bytes):
                future.set_result(result)
            else:
                future.set_exception(result)
                future.exception()  # whoever asked may be gone

        def broken() -> None:
            wait = link.random.choice((0.01, 0.5, 15.0))
            loop.call_later(wait, end, errors.NotConnected("the server cannot be reached"))

        def arrive() -> None:
            if not link.up:
                return broken()
            if link.happens(faults.busy):
                refusals = (errors.TooFrequent(retry_after=0.5), errors.TooFrequent(), errors.Unavailable())
                loop.call_later(link.delay(), end, link.random.choice(refusals))
                return None
            result = self._served(method, path, query, content, seen_at)
            if link.happens(faults.request_repeated):
                wait = link.random.choice((0.0, 0.1, 5.0))
                loop.call_later(wait, self._served, method, path, query, content, seen_at)
            if link.happens(faults.answer_lost):
                return broken()
            loop.call_later(link.delay(), lambda: end(result) if link.up else broken())
            return None

        if not link.up or link.happens(faults.request_lost):
            broken()
        else:
            loop.call_later(link.delay(), arrive)

    def _served(
        self, method: str, path: str, query: dict[str, str], content: bytes | None, seen_at: str
    ) -> bytes | errors.ChatError:
        try:
            answer = self.link.server.exchange(self.caller, method, path, query, content, seen_at)
        except errors.ChatError as error:
            return error
        if hasattr(answer, "server"):
            answer = msgspec.structs.replace(answer, server=with_small_calls(answer.server))
        return encode(answer)


class SimulatedSocket:
    """The client's end of an event socket, with what the session uses of websockets' connection."""

    def __init__(self, link: Link, caller: Caller):
        self.close_code: int | None = None
        self._link = link
        self._arrived: deque[bytes] = deque()
        self._reader: asyncio.Future[None] | None = None
        self._due = 0.0
        self._server = _ServerEnd(self, link, caller)
        link.sockets.append(self)

    async def recv(self) -> bytes:
        """The next frame. Raises ConnectionClosed."""
        while not self._arrived:
            if self.close_code is not None:
                raise ConnectionClosedError(None, None)
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        return self._arrived.popleft()

    async def send(self, data: bytes, *, text: bool = False) -> None:
        """A frame for the server. Raises ConnectionClosed."""
        if self.close_code is not None:
            raise ConnectionClosedError(None, None)
        frame = msgspec.json.decode(data, type=events.ClientFrame)
        if isinstance(frame, events.Hello):
            asyncio.get_running_loop().call_later(self._link.delay(), self._server.begin, frame)

    async def close(self) -> None:
        """Hang up."""
        self.end()

    def carry(self, data: bytes, *, surely: bool = False) -> None:
        """A frame sets out from the server. `surely`: nothing befalls it but a cut."""
        link, loop = self._link, asyncio.get_running_loop()
        faults = NONE if surely else link.faults
        if link.happens(faults.frame_lost):
            return
        due = loop.time() + link.delay()
        if link.happens(faults.frame_late):
            loop.call_at(due + link.random.uniform(0.0, 0.5), self._arrive, data)
            return
        self._due = due = max(due, self._due)
        loop.call_at(due, self._arrive, data)
        if link.happens(faults.frame_repeated):
            loop.call_at(due + link.random.choice((0.0, 0.1, 0.5, 5.0)), self._arrive, data)

    def end(self, code: int = 1006) -> None:
        """The connection is gone; what was on its way is lost."""
        if self.close_code is None:
            self.close_code = code
            self._arrived.clear()
            self._server.leave()
            self._link.sockets.remove(self)
            self._wake()

    @property
    def transport(self) -> "SimulatedSocket":
        """What can be aborted."""
        return self

    def abort(self) -> None:
        """End at once, without a word."""
        self.end()

    def ping(self) -> None:
        """The server says where the log stands."""
        self._server.check(0.0)

    def _arrive(self, data: bytes) -> None:
        if self.close_code is None:
            self._arrived.append(data)
            self._wake()

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)


class _ServerEnd:
    """The same socket as the hub knows it (`hub.Connection`): no queue, since here nobody is slow."""

    def __init__(self, socket: SimulatedSocket, link: Link, caller: Caller):
        self.user = caller.user
        self.device_id = caller.device_id
        self.sent = 0
        self._socket = socket
        self._server = link.server
        self._hub = link.server.hub
        self._caller = caller
        self._greeted = False
        self._number = next(link.server.numbers)

    def __hash__(self) -> int:
        """The hub keeps sets of these: in the same order every time."""
        return self._number

    def __eq__(self, other: object) -> bool:
        return self is other

    @property
    def reached(self) -> int | None:
        """The highest eventSeq that was sent; None before the hello."""
        return self.sent if self._greeted else None

    def begin(self, hello: events.Hello) -> None:
        """Answer a hello: the welcome, what was missed, live from then on."""
        if self._socket.close_code is not None:
            return
        self._hub.join(self)
        found = self._server.begin(self._caller, hello.since)
        self._greeted = True
        self._socket.carry(encode(events.Welcome(server=with_small_calls(found.server))), surely=True)
        if found.reset is not None:
            self._socket.carry(encode(found.reset), surely=True)
        self.sent = found.position
        while True:
            missed = self._server.since(self._caller, self.sent)
            if isinstance(missed, events.Reset) or missed.last <= self.sent:
                return
            self.sent = missed.last
            self._socket.carry(encode(missed))

    def leave(self) -> None:
        """Be told nothing any more."""
        self._hub.leave(self)

    def offer(self, frame: Frame) -> None:
        """The next range."""
        if self._greeted and frame.last > self.sent:
            self.sent = frame.last
            self._socket.carry(payload(frame.data))

    def offer_ephemeral(self, frame: bytes) -> None:
        """What is neither logged nor numbered."""
        if self._greeted:
            self._socket.carry(payload(frame))

    def offer_notice(self, frame: bytes) -> None:
        """What every client must know."""
        self.offer_ephemeral(frame)

    def fall_behind(self, newest: int) -> None:
        """Nothing to do: what is missing was lost on its way, and a ping tells of it."""

    def check(self, now: float) -> None:
        """Say where the log stands."""
        position = self._server.position(self.user)
        self.offer_ephemeral(text_frame(encode(events.Ping(event_seq=position))))

    def close(self, code: int) -> None:
        """End it from here."""
        self._socket.end(code)


def with_small_calls(server: ServerFacts) -> ServerFacts:
    """The server's facts, but that a call takes few conversations."""
    return msgspec.structs.replace(server, limits=Limits(conversations_a_call=A_CALL))


class Switchboard:
    """In place of `websockets.asyncio.client.connect`: finds a device's link by the address it calls."""

    def __init__(self) -> None:
        self._lines: dict[str, tuple[Link, Caller]] = {}

    def connect_to(self, api: SimulatedApi) -> None:
        """From now on this device can call."""
        self._lines[f"ws://{api.caller.device_id}/v1/stream"] = (api.link, api.caller)

    async def connect(self, url: str, **_: Any) -> SimulatedSocket:
        """A socket. Raises OSError where there is no way."""
        link, caller = self._lines[url]
        await asyncio.sleep(link.delay())
        if not link.up or link.happens(link.faults.request_lost):
            raise OSError("no way to the server")
        return SimulatedSocket(link, caller)
