"""The ends of connections: what uvicorn's protocols do with ours over them."""

import asyncio
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from tui_chat.server.transport import DIRECT, RequestProtocol, SocketProtocol

HANDSHAKE = (
    b"GET /v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
GOODBYE = bytes((0x88, 0x82, 0, 0, 0, 0, 0x03, 0xE8))
"""A client's close frame with code 1000, under the mask 0."""


class Wire(asyncio.Transport):
    """A connection whose end is not noticed yet: closing is asked for, and nothing has come of it."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.written = b""
        self.closing = False
        self.answered = asyncio.Event()

    def write(self, data: Any) -> None:
        self.written += bytes(data)
        self.answered.set()

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.closing = True

    def abort(self) -> None:
        self.closing = True

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


async def application(_scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    await receive()


async def connected() -> tuple[SocketProtocol, Wire]:
    config = uvicorn.Config(application, http="h11", ws=SocketProtocol, log_config=None, lifespan="off")
    config.load()
    protocol, wire = SocketProtocol(config, ServerState(), {}), Wire()
    protocol.connection_made(wire)
    protocol.data_received(HANDSHAKE)
    async with asyncio.timeout(10):
        await wire.answered.wait()
    assert b"101 Switching" in wire.written
    return protocol, wire


async def test_the_server_can_stop_while_a_socket_is_being_closed_by_its_peer() -> None:
    protocol, wire = await connected()
    protocol.data_received(GOODBYE)
    protocol.shutdown()
    protocol.shutdown()
    assert wire.closing
    assert wire.written.count(b"\x88\x02") == 1, "one goodbye, which answers the peer's"
    protocol.connection_lost(None)


async def test_a_socket_that_is_open_when_the_server_stops_is_told() -> None:
    protocol, wire = await connected()
    protocol.shutdown()
    assert wire.closing
    assert wire.written.endswith(b"\x88\x02\x03\xf4"), "1012"
    protocol.connection_lost(None)


async def test_a_connection_is_closed_once_it_was_idle_for_long_enough_and_not_before() -> None:
    answered = asyncio.Event()

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        assert scope["extensions"][DIRECT].answer(scope, b"{}")
        answered.set()

    config = uvicorn.Config(answer, http=RequestProtocol, log_config=None, lifespan="off", timeout_keep_alive=1)
    config.load()
    protocol, wire = RequestProtocol(config, ServerState(), {}), Wire()
    protocol.connection_made(wire)
    for _ in range(3):
        answered.clear()
        protocol.data_received(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        async with asyncio.timeout(10):
            await answered.wait()
    first = protocol.timeout_keep_alive_task
    assert first is not None
    assert protocol._idle_since is not None
    protocol._idle_since += 100.0
    protocol.timeout_keep_alive_handler()
    assert not wire.closing, "there was a request since the timer began"
    assert protocol.timeout_keep_alive_task is not None
    protocol._idle_since -= 200.0
    protocol.timeout_keep_alive_handler()
    assert wire.closing
    protocol.connection_lost(None)
    assert protocol.timeout_keep_alive_task is None


async def test_requests_that_come_behind_each_other_get_their_own_bodies_and_answers_in_turn() -> None:
    ended = asyncio.Event()

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        direct: RequestProtocol = scope["extensions"][DIRECT]
        body = direct.whole_body(scope)
        way = b"with its head" if body is not None else b"awaited"
        while body is None or body.count(b".") < 2:
            body = (body or b"") + (await receive())["body"]
        said = b"%b %b %b" % (scope["path"].encode(), body, way)
        if not direct.answer(scope, said):
            head = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(said))]}
            await send(head)
            await send({"type": "http.response.body", "body": said})
        if scope["path"] == "/3":
            ended.set()

    config = uvicorn.Config(answer, http=RequestProtocol, log_config=None, lifespan="off")
    config.load()
    protocol, wire = RequestProtocol(config, ServerState(), {}), Wire()
    protocol.connection_made(wire)
    one, two, three = (b"POST /%d HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n.." % number for number in (1, 2, 3))
    protocol.data_received(one + two)
    protocol.data_received(three[:-1])
    async with asyncio.timeout(10):
        while b"/2" not in wire.written:
            wire.answered.clear()
            await wire.answered.wait()
        protocol.data_received(three[-1:])
        await ended.wait()
    answers = [line for line in wire.written.split(b"\r\n") if line.startswith(b"/")]
    told = [line.partition(b"HTTP/")[0] for line in answers]
    assert [line.split(b" ", 2)[:2] for line in told] == [[b"/1", b".."], [b"/2", b".."], [b"/3", b".."]]
    assert told[0].endswith(b"awaited")
    protocol.connection_lost(None)
