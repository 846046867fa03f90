"""One stream of bytes, given to the server's HTTP as it is, in pieces, and with everything sent by ASGI: the same comes
back, or one of the ways is wrong.

No socket lies between, so a piece is read as a piece.
"""

import asyncio
from collections.abc import Iterable
from typing import Any, Final, NamedTuple, cast

from uvicorn.server import ServerState

from tests.accounts import DEADLINE
from tui_chat.server.app import create_app
from tui_chat.server.run import Running, ServerOptions, _configure
from tui_chat.server.transport import RequestProtocol

PEER: Final = ("192.0.2.7", 40_000)
"""Not this machine: limits by address hold for it."""
UNREADABLE: Final = b"text/plain; charset=utf-8"
"""The type of a refusal of what is no HTTP; all others are JSON."""
HERE: Final = ("192.0.2.1", 80)


class Answer(NamedTuple):
    """One answer, taken apart."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


class Came(NamedTuple):
    """Everything that came back over one connection."""

    answers: tuple[Answer, ...]
    rest: bytes
    """What is no whole answer."""
    closed: bool
    """Whether the server ended the connection."""


class Wire(asyncio.Transport):
    """The server's end of a connection of which the test holds the other."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self.written = bytearray()
        self.closing = False
        self._loop = loop
        self._paused = False
        self._waiting: list[bytes] = []
        self._protocol: asyncio.BaseProtocol

    def connect(self, protocol: asyncio.Protocol) -> None:
        """Begin."""
        self.set_protocol(protocol)
        protocol.connection_made(self)

    def arrive(self, data: bytes) -> None:
        """A piece comes in; it waits where the server does not read."""
        if self._paused or self._waiting:
            self._waiting.append(data)
        elif not self.closing:
            cast(asyncio.Protocol, self._protocol).data_received(data)

    def hang_up(self) -> None:
        """The other end is gone."""
        if not self.closing:
            self.closing = True
            self._protocol.connection_lost(None)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return {"peername": PEER, "sockname": HERE}.get(name, default)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol

    def write(self, data: Any) -> None:
        if not self.closing:
            self.written += data

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        if not self.closing:
            self.closing = True
            self._loop.call_soon(self._protocol.connection_lost, None)

    def abort(self) -> None:
        self.close()

    def pause_reading(self) -> None:
        self._paused = True

    def resume_reading(self) -> None:
        self._paused = False
        if self._waiting:
            self._loop.call_soon(self._read_on)

    def is_reading(self) -> bool:
        return not self._paused

    def _read_on(self) -> None:
        while self._waiting and not self._paused and not self.closing:
            cast(asyncio.Protocol, self._protocol).data_received(self._waiting.pop(0))


class Ways:
    """A server's HTTP without its sockets."""

    def __init__(self, running: Running, options: ServerOptions) -> None:
        self.services = running.services
        self._config = _configure(options, running.services)
        self._application = create_app(running.services)

    async def ask(self, pieces: Iterable[bytes], methods: str | list[str], *, by_asgi: bool = False) -> Came:
        """Send these pieces; what comes back until nothing is under way any more. `methods`: of the requests among
        them, which says how to read the answers."""
        state = ServerState()
        protocol = RequestProtocol(self._config, state, {})
        wire = Wire(asyncio.get_running_loop())
        wire.connect(protocol)
        if by_asgi:
            protocol._at_once = None
        for piece in pieces:
            wire.arrive(piece)
            await asyncio.sleep(0)
        await self._quiet(protocol, wire, state)
        came = take_apart(bytes(wire.written), methods, closed=wire.closing)
        wire.hang_up()
        await self._over(state)
        return came

    async def _over(self, state: ServerState) -> None:
        """Wait until nothing is done any more."""
        deadline = asyncio.get_running_loop().time() + DEADLINE
        while state.tasks:
            assert asyncio.get_running_loop().time() < deadline, "it goes on for nobody"
            await asyncio.sleep(0.001)

    async def _quiet(self, protocol: RequestProtocol, wire: Wire, state: ServerState) -> None:
        """Wait until nothing is done any more, or all that is waits for more of a request."""
        deadline = asyncio.get_running_loop().time() + DEADLINE
        while True:
            await asyncio.sleep(0)
            waiting = bool(wire._waiting) and not wire.closing
            if not state.tasks and not waiting and protocol._held is None:
                return
            cycle = protocol.cycle
            if cycle is not None and cycle.more_body and len(state.tasks) == 1 and not waiting:
                before = len(wire.written)
                await asyncio.sleep(0.05)
                if len(wire.written) == before and not wire.closing and cycle.more_body:
                    return
                continue
            assert asyncio.get_running_loop().time() < deadline, f"it hangs: {bytes(wire.written)!r}"
            await asyncio.sleep(0.001)


def take_apart(data: bytes, methods: str | list[str], *, closed: bool) -> Came:
    """The answers in what came back."""
    asked = iter([methods] if isinstance(methods, str) else methods)
    answers = []
    while data:
        head, end, rest = data.partition(b"\r\n\r\n")
        if not end:
            break
        first, *lines = head.split(b"\r\n")
        status = int(first.split(b" ")[1])
        headers = tuple((line.partition(b": ")[0].lower(), line.partition(b": ")[2]) for line in lines)
        if status == 100:
            data = rest
            continue
        method = next(asked, "GET")
        known = dict(headers)
        if method == "HEAD" and known[b"content-type"] != UNREADABLE:
            body = b""
        elif b"content-length" in known:
            length = int(known[b"content-length"])
            if len(rest) < length:
                break
            body, rest = rest[:length], rest[length:]
        else:
            assert known.get(b"transfer-encoding") == b"chunked", head
            body = b""
            while True:
                size, end, after = rest.partition(b"\r\n")
                if not end:
                    break
                count = int(size, 16)
                body += after[:count]
                rest = after[count + 2 :]
                if count == 0:
                    break
        answers.append(Answer(status, tuple(sorted(headers)), body))
        data = rest
    return Came(tuple(answers), data, closed)
