"""The ends of connections: what uvicorn's protocols do with ours over them."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from tui_chat.server.asked import Asked, AskedByASGI
from tui_chat.server.line import SocketProtocol
from tui_chat.server.transport import RequestProtocol

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


class Answering:
    """An application that answers requests of either kind."""

    def __init__(self, answer: Callable[[Asked], Coroutine[Any, Any, None]]) -> None:
        self._answer = answer
        self.whole: list[str] = []
        """Paths of requests that came whole."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._answer(AskedByASGI(scope, receive, send))

    def at_once(self, asked: Asked) -> Coroutine[Any, Any, None] | None:
        if asked.path == "/task":
            return None
        self.whole.append(asked.path)
        return self._answer(asked)


def asking(application: Any) -> tuple[RequestProtocol, Wire]:
    config = uvicorn.Config(
        application, http=RequestProtocol, log_config=None, lifespan="off", proxy_headers=False, timeout_keep_alive=1
    )
    config.load()
    protocol, wire = RequestProtocol(config, ServerState(), {}), Wire()
    protocol.connection_made(wire)
    return protocol, wire


async def until(condition: Callable[[], object], wire: Wire) -> None:
    async with asyncio.timeout(10):
        while not condition():
            wire.answered.clear()
            await wire.answered.wait()


async def echo(asked: Asked) -> None:
    await asked.answer(200, b"%b %b" % (asked.path.encode(), await asked.body()))


async def test_a_connection_is_closed_once_it_was_idle_for_long_enough_and_not_before() -> None:
    protocol, wire = asking(Answering(echo))
    for _ in range(3):
        protocol.data_received(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
    assert wire.written.count(b"HTTP/1.1 200 OK") == 3, "at once"
    first = protocol.timeout_keep_alive_task
    assert first is not None
    assert protocol._idle_since is not None
    protocol._idle_since += 100.0
    protocol.timeout_keep_alive_handler()
    assert not wire.closing, "there was a request since the timer began"
    assert protocol.timeout_keep_alive_task is not None
    protocol._idle_since -= 200.0
    protocol.data_received(b"\r\n")  # which is no beginning of anything
    protocol.timeout_keep_alive_handler()
    assert wire.closing
    protocol.connection_lost(None)
    assert protocol.timeout_keep_alive_task is None


async def test_a_connection_is_not_idle_whose_next_request_began_before_the_last_was_answered() -> None:
    answered, go_on = asyncio.get_running_loop().create_future(), asyncio.Event()

    async def answer(asked: Asked) -> None:
        if asked.path == "/1":
            await answered
        else:
            await go_on.wait()
        await asked.answer(200, b"there")

    protocol, wire = asking(Answering(answer))
    protocol.data_received(b"GET /1 HTTP/1.1\r\nhost: x\r\n\r\nGET /task HTTP/1.1\r\n")
    answered.set_result(None)
    await until(lambda: wire.written.endswith(b"there"), wire)
    protocol.data_received(b"host: x\r\n\r\n")
    assert protocol._idle_since is None
    go_on.set()
    await until(lambda: wire.written.count(b"there") == 2, wire)
    assert protocol._idle_since is not None
    protocol.connection_lost(None)


async def test_requests_that_come_behind_each_other_get_their_own_bodies_and_answers_in_turn() -> None:
    go_on = asyncio.get_running_loop().create_future()

    async def answer(asked: Asked) -> None:
        if asked.path == "/1":
            await go_on
        await echo(asked)

    application = Answering(answer)
    protocol, wire = asking(application)
    one, two, three = (b"POST /%d HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n.." % number for number in (1, 2, 3))
    protocol.data_received(one + two)
    protocol.data_received(three[:-1])
    go_on.set_result(None)
    await until(lambda: b"/2" in wire.written, wire)
    protocol.data_received(three[-1:])
    await until(lambda: b"/3" in wire.written, wire)
    protocol.data_received(one.replace(b"POST /1", b"POST /4"))
    answers = [part.partition(b"\r\n\r\n")[2] for part in wire.written.split(b"HTTP/1.1 200 OK")[1:]]
    assert answers == [b"/1 ..", b"/2 ..", b"/3 ..", b"/4 .."]
    assert application.whole == ["/1", "/4"]
    protocol.connection_lost(None)


async def test_a_body_that_comes_right_behind_its_head_is_waited_for() -> None:
    begun = asyncio.Event()

    async def answer(asked: Asked) -> None:
        begun.set()
        await echo(asked)

    application = Answering(answer)
    protocol, wire = asking(application)
    head, body = b"POST /%b HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\n", b"body"
    for piece in (head % b"soon", body[:1], body[1:]):
        protocol.data_received(piece)
    assert wire.written.endswith(b"/soon body"), "at once"
    begun.clear()
    protocol.data_received(head % b"late" + body[:1])
    async with asyncio.timeout(10):
        await begun.wait()
    protocol.data_received(body[1:])
    await until(lambda: wire.written.endswith(b"/late body"), wire)
    protocol.data_received(head.replace(b"4", b"70000") % b"large" + b"x" * 69_999)
    assert protocol.tasks, "of a large one, no more than a part is held"
    protocol.data_received(b"x")
    await until(lambda: wire.written.endswith(b"x" * 70_000), wire)
    protocol.data_received(head % b"never")
    protocol.connection_lost(None)
    assert protocol._held_timer is None
    assert application.whole == ["/soon"]


async def test_an_answer_waits_for_a_peer_that_takes_nothing() -> None:
    protocol, wire = asking(Answering(echo))
    protocol.pause_writing()
    protocol.data_received(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n")
    await asyncio.sleep(0)
    assert wire.written == b""
    protocol.resume_writing()
    await until(lambda: wire.written.endswith(b"/slow "), wire)
    protocol.pause_writing()
    protocol.data_received(b"GET /gone HTTP/1.1\r\nhost: x\r\n\r\n")
    assert len(protocol.tasks) == 1
    protocol.connection_lost(ConnectionResetError())
    for _ in range(3):
        await asyncio.sleep(0)
    assert b"/gone" not in wire.written
    assert not protocol.tasks, "who has gone is not waited for"


async def test_what_takes_a_task_has_one() -> None:
    tasks: list[object] = []

    async def answer(asked: Asked) -> None:
        await asyncio.sleep(0)
        try:
            tasks.append(asyncio.current_task())
        except RuntimeError:
            tasks.append(None)
        await echo(asked)

    protocol, wire = asking(Answering(answer))
    for path in (b"/task", b"/other"):
        protocol.data_received(b"GET %b HTTP/1.1\r\nhost: x\r\n\r\n" % path)
        await until(lambda path=path: path in wire.written, wire)  # type: ignore[misc]
    assert tasks[0] is not None
    assert tasks[1] is None
    protocol.connection_lost(None)


async def test_a_server_that_cannot_wait_any_longer_gives_a_request_up(caplog: pytest.LogCaptureFixture) -> None:
    """As uvicorn does once what is under way has taken too long."""
    never: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def answer(_asked: Asked) -> None:
        await never

    protocol, wire = asking(Answering(answer))
    protocol.data_received(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
    protocol.shutdown()
    assert not wire.closing, "it is still to be answered"
    with caplog.at_level(logging.ERROR):
        for task in protocol.tasks:
            task.cancel(msg="enough")
        for _ in range(3):
            await asyncio.sleep(0)
    assert wire.closing
    assert not protocol.tasks
    assert "a request was not answered" in caplog.text


async def test_after_the_answer_a_stopping_server_closes_the_connection() -> None:
    go_on: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def answer(asked: Asked) -> None:
        await go_on
        await echo(asked)

    protocol, wire = asking(Answering(answer))
    protocol.data_received(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
    protocol.shutdown()
    go_on.set_result(None)
    await until(lambda: wire.written, wire)
    assert b"connection: close" in wire.written
    assert wire.closing


@pytest.mark.parametrize("address", [b"/\xc3\xa4", b"x:y", b"http://"])
async def test_an_address_that_is_none_is_refused(address: bytes) -> None:
    for end in (b"", b"content-length: 9\r\n"):
        protocol, wire = asking(Answering(echo))
        protocol.data_received(b"POST %b HTTP/1.1\r\nhost: x\r\n%b\r\n" % (address, end))
        assert wire.written.startswith(b"HTTP/1.1 400 ")
        assert wire.closing
        protocol.connection_lost(None)
