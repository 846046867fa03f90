"""The event socket's way back, against a server that accepts, closes and says what a test wants."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from random import Random
from typing import Any

import pytest
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

from tests.client.sessions import eventually
from tui_chat.client.changes import Connection
from tui_chat.client.stream import Stream
from tui_chat.protocol import events
from tui_chat.protocol.errors import ChatError, NotConnected, Unauthorized
from tui_chat.protocol.models import ServerFacts
from tui_chat.protocol.wire import encode

WELCOME = encode(events.Welcome(server=ServerFacts(version="test"))).decode()


class Heard:
    """Implements `stream.Listener`."""

    def __init__(self) -> None:
        self.states: list[Connection] = []
        self.frames: list[events.ServerFrame] = []
        self.refused: list[str] = []
        self.token = "t1"
        self.cursor: str | None = "e:7"
        self.before: list[ChatError] = []
        self.slept = 0
        self.preparations = 0

    async def before_connecting(self) -> tuple[str | None, str]:
        self.preparations += 1
        if self.before:
            raise self.before.pop(0)
        return self.cursor, self.token

    async def token_refused(self, token: str) -> None:
        self.refused.append(token)
        if self.token == "dead":
            raise Unauthorized()
        self.token = "t2"

    def frame_came(self, frame: events.ServerFrame) -> None:
        self.frames.append(frame)

    def connection_is(self, connection: Connection) -> None:
        self.states.append(connection)

    def machine_slept(self) -> None:
        self.slept += 1


class Pauses:
    """Counts pauses and makes them short."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self.endless = False

    async def __call__(self, seconds: float) -> None:
        self.asked.append(seconds)
        await asyncio.sleep(3600 if self.endless else 0.001)


Behaviour = Callable[[ServerConnection], Awaitable[None]]


@asynccontextmanager
async def streaming(
    behave: Behaviour,
    heard: Heard,
    *,
    refuse: Callable[[Request], HTTPStatus | None] = lambda _: None,
    **more: Any,
) -> AsyncIterator[tuple[Stream, Pauses, asyncio.Task[None]]]:
    def process(connection: ServerConnection, request: Request) -> Response | None:
        status = refuse(request)
        return connection.respond(status, "") if status is not None else None

    server: Server
    async with serve(behave, "127.0.0.1", 0, process_request=process, compression=None, close_timeout=0.5) as server:
        port = server.sockets[0].getsockname()[1]
        pauses = Pauses()
        stream = Stream(f"http://127.0.0.1:{port}", heard, random=Random(1), sleep=pauses, **more)
        task = asyncio.create_task(stream.run())
        try:
            yield stream, pauses, task
        finally:
            task.cancel()
            await asyncio.wait([task])


async def welcoming(socket: ServerConnection) -> None:
    await socket.recv()
    await socket.send(WELCOME)
    async for _ in socket:
        pass


async def test_hello_says_where_we_are_and_welcome_makes_it_connected() -> None:
    said: list[str | bytes] = []
    asked: list[str | None] = []

    async def behave(socket: ServerConnection) -> None:
        assert socket.request is not None
        asked.append(socket.request.headers.get("Authorization"))
        said.append(await socket.recv())
        await socket.send(WELCOME)
        said.append(await socket.recv())
        said.append(await socket.recv())
        await socket.wait_closed()

    heard = Heard()
    async with streaming(behave, heard) as (stream, _, _):
        await eventually(lambda: stream.connected)
        stream.typing("C2Cbob")
        stream.typing("C2Ccarol")
        await eventually(lambda: len(said) == 3)
    assert asked[0] == "Bearer t1"
    assert said[:2] == ['{"t":"hello","since":"e:7"}', '{"t":"typing","conversationID":"C2Cbob"}']
    assert heard.states[:2] == [Connection.CONNECTING, Connection.CONNECTED]


async def test_a_ping_is_answered_and_handed_on() -> None:
    answers: list[str | bytes] = []

    async def behave(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.send(WELCOME)
        await socket.send('{"t":"ping","eventSeq":44}')
        answers.append(await socket.recv())
        await socket.wait_closed()

    heard = Heard()
    async with streaming(behave, heard):
        await eventually(lambda: answers)
    assert answers == ['{"t":"pong"}']
    assert events.Ping(event_seq=44) in heard.frames


async def test_frames_of_a_newer_server_are_ignored_and_misshapen_ones_begin_again() -> None:
    connections = 0

    async def behave(socket: ServerConnection) -> None:
        nonlocal connections
        connections += 1
        await socket.recv()
        await socket.send(WELCOME)
        await socket.send('{"t":"fireworks","colour":"red"}')
        await socket.send('{"t":"ping","eventSeq":1}')
        if connections == 1:
            await socket.send('{"t":"events","from":"one"}')
        async for _ in socket:
            pass

    heard = Heard()
    async with streaming(behave, heard):
        await eventually(lambda: connections == 2)
    assert all(isinstance(frame, events.Welcome | events.Ping) for frame in heard.frames)


async def test_a_server_that_accepts_and_closes_is_given_more_and_more_time() -> None:
    async def behave(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.send(WELCOME)
        await socket.close(1012)

    heard = Heard()
    async with streaming(behave, heard) as (_, pauses, _):
        await eventually(lambda: len(pauses.asked) >= 12)
    assert max(pauses.asked) > 5, "being welcomed is no reason to begin anew"
    assert max(pauses.asked) <= 30
    assert len(set(pauses.asked)) == len(pauses.asked), "jitter"


async def test_a_key_ends_the_waiting() -> None:
    heard = Heard()
    heard.before = [NotConnected()]
    async with streaming(welcoming, heard) as (stream, pauses, _):
        pauses.endless = True
        await eventually(lambda: pauses.asked)
        assert not stream.connected
        stream.reconnect_now()
        await eventually(lambda: stream.connected)
    assert heard.states[:3] == [Connection.CONNECTING, Connection.OFFLINE, Connection.CONNECTING]


@pytest.mark.parametrize("code", [1000, 1001, 1011, 1012, 1013, events.CLOSE_SLOW, events.CLOSE_BAD_FRAME])
async def test_after_these_closes_it_comes_back(code: int) -> None:
    connections = 0

    async def behave(socket: ServerConnection) -> None:
        nonlocal connections
        connections += 1
        await socket.recv()
        if connections == 1:
            await socket.close(code)
        else:
            await welcoming_after_hello(socket)

    async def welcoming_after_hello(socket: ServerConnection) -> None:
        await socket.send(WELCOME)
        async for _ in socket:
            pass

    heard = Heard()
    async with streaming(behave, heard) as (stream, _, _):
        await eventually(lambda: stream.connected)
    assert heard.refused == []


async def test_told_that_it_was_revoked_it_stops() -> None:
    async def behave(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.close(events.CLOSE_REVOKED)

    heard = Heard()
    async with streaming(behave, heard) as (_, _, task):
        await asyncio.wait_for(task, 5)
    assert heard.states[-1] is Connection.SIGNED_OUT


@pytest.mark.parametrize("how", ["refused at the door", "closed"])
async def test_a_token_that_is_not_taken_is_renewed(how: str) -> None:
    async def behave(socket: ServerConnection) -> None:
        await socket.recv()
        assert socket.request is not None
        if socket.request.headers["Authorization"] == "Bearer t1":
            await socket.close(events.CLOSE_UNAUTHORIZED)
            return
        await socket.send(WELCOME)
        async for _ in socket:
            pass

    def refuse(request: Request) -> HTTPStatus | None:
        if how == "closed" or request.headers["Authorization"] != "Bearer t1":
            return None
        return HTTPStatus.UNAUTHORIZED

    heard = Heard()
    async with streaming(behave, heard, refuse=refuse) as (stream, _, _):
        await eventually(lambda: stream.connected)
    assert heard.refused == ["t1"]


async def test_a_log_in_that_is_dead_stops() -> None:
    heard = Heard()
    heard.token = "dead"
    async with streaming(welcoming, heard, refuse=lambda _: HTTPStatus.UNAUTHORIZED) as (_, _, task):
        await asyncio.wait_for(task, 5)
    assert heard.states[-1] is Connection.SIGNED_OUT


@pytest.mark.parametrize("status", [HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.BAD_GATEWAY, HTTPStatus.NOT_FOUND])
async def test_a_door_that_is_closed_for_now_is_tried_again(status: HTTPStatus) -> None:
    closed = 3

    def refuse(_: Request) -> HTTPStatus | None:
        nonlocal closed
        closed -= 1
        return status if closed >= 0 else None

    heard = Heard()
    async with streaming(welcoming, heard, refuse=refuse) as (stream, _, _):
        await eventually(lambda: stream.connected)


async def test_a_reader_that_is_slow_to_apply_keeps_its_connection() -> None:
    """Thousands of frames at once are taken in without the connection's keepalive suffering."""
    count = 5_000

    async def behave(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.send(WELCOME)
        for number in range(count):
            await socket.send(encode(events.Ping(event_seq=number)).decode())
        async for _ in socket:
            pass

    heard = Heard()
    async with streaming(behave, heard) as (stream, _, _):
        await eventually(lambda: len(heard.frames) == count + 1)
        assert stream.connected


class Clocks:
    """The wall's and the monotonic one, of a machine that can sleep."""

    def __init__(self) -> None:
        self.wall = 1_000.0
        self.monotonic = 50.0

    def awake(self, seconds: float) -> None:
        self.wall += seconds
        self.monotonic += seconds

    def asleep(self, seconds: float) -> None:
        self.wall += seconds


class TestAMachineThatSlept:
    @staticmethod
    @asynccontextmanager
    async def connected(heard: Heard, **more: Any) -> AsyncIterator[tuple[Stream, Pauses, Clocks]]:
        clocks = Clocks()
        seconds: dict[str, Any] = {"wall": lambda: clocks.wall, "monotonic": lambda: clocks.monotonic}
        async with streaming(welcoming, heard, **seconds, **more) as (stream, pauses, _):
            await eventually(lambda: stream.connected)
            pauses.endless = True
            yield stream, pauses, clocks

    async def test_begins_anew_at_once(self) -> None:
        heard = Heard()
        async with self.connected(heard) as (stream, _, clocks):
            clocks.asleep(3_600)
            stream.look_at_clocks()
            await eventually(lambda: heard.preparations == 2 and stream.connected)
            assert heard.slept == 1
            stream.look_at_clocks()
            assert heard.slept == 1

    async def test_nobody_has_to_press_a_key(self) -> None:
        heard = Heard()
        async with self.connected(heard, look_seconds=0.01) as (stream, _, clocks):
            clocks.asleep(3_600)
            await eventually(lambda: heard.preparations == 2 and stream.connected)

    async def test_nor_does_it_wait_for_its_next_attempt(self) -> None:
        heard = Heard()
        heard.before = [NotConnected() for _ in range(3)]
        clocks = Clocks()
        more: dict[str, Any] = {"wall": lambda: clocks.wall, "monotonic": lambda: clocks.monotonic}
        async with streaming(welcoming, heard, **more) as (stream, pauses, _):
            pauses.endless = True
            await eventually(lambda: pauses.asked)
            clocks.asleep(60)
            stream.look_at_clocks()
            await eventually(lambda: heard.preparations == 2)

    async def test_time_that_passes_and_a_clock_that_is_set_back_are_no_sleep(self) -> None:
        heard = Heard()
        async with self.connected(heard) as (stream, _, clocks):
            clocks.awake(3_600)
            stream.look_at_clocks()
            clocks.asleep(-3_600)
            stream.look_at_clocks()
            clocks.asleep(1)
            stream.look_at_clocks()
            assert (heard.slept, stream.connected) == (0, True)


async def test_a_server_that_falls_silent_is_left_after_the_keepalive() -> None:
    """Half-open: the machine at the other end is gone, and no packet says so."""
    sockets: list[ServerConnection] = []

    async def behave(socket: ServerConnection) -> None:
        sockets.append(socket)
        await socket.recv()
        await socket.send(WELCOME)
        if len(sockets) == 1:
            socket.transport.pause_reading()
        await socket.wait_closed()

    heard = Heard()
    async with streaming(behave, heard, keepalive_seconds=0.1) as (stream, _, _):
        await eventually(lambda: len(sockets) == 2 and stream.connected)
        await asyncio.sleep(0.5)
        assert len(sockets) == 2, "the one that answers is kept"
        sockets[0].transport.abort()
