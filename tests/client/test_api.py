"""HTTP exchanges against a server that answers whatever a test says, byte by byte."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from tui_chat.client.api import Api
from tui_chat.client.tls import context_for, is_loopback
from tui_chat.protocol.errors import (
    ChatError,
    ConversationNotFound,
    Internal,
    NotConnected,
    NotFound,
    StorageFull,
    TooFrequent,
    Unavailable,
    Unexpected,
)
from tui_chat.protocol.requests import Done

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def answer(status: int, body: str, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body.encode())}", *headers, "", body]
    return "\r\n".join(lines).encode()


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """A server that hands each connection to `handler`."""
    connections: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        try:
            await handler(reader, writer)
        except (asyncio.CancelledError, asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            connections.discard(task)
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in list(connections):
            task.cancel()
        if connections:
            await asyncio.wait(connections)


def always(response: bytes) -> Handler:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (await reader.readuntil(b"\r\n\r\n")).strip():
            writer.write(response)
            await writer.drain()

    return handler


@asynccontextmanager
async def api_at(url: str, *, seconds: float = 5.0) -> AsyncIterator[Api]:
    api = Api(url, connect_seconds=seconds, read_seconds=seconds)
    try:
        yield api
    finally:
        await api.close()


async def refusal(response: bytes) -> ChatError:
    async with serving(always(response)) as url, api_at(url) as api:
        with pytest.raises(ChatError) as refused:
            await api.call("GET", "/v1/x", Done)
    return refused.value


async def test_an_answer_is_read() -> None:
    async with serving(always(answer(200, '{"eventSeq": 7, "later": true}'))) as url, api_at(url) as api:
        assert await api.call("GET", "/v1/x", Done) == Done(event_seq=7)


async def test_a_refusal_is_the_exception_of_its_code() -> None:
    body = '{"error":{"code":"conversation_not_found","message":"none","details":{"tencent":2500}}}'
    error = await refusal(answer(404, body))
    assert type(error) is ConversationNotFound
    assert str(error) == "none"


@pytest.mark.parametrize(
    ("status", "kind"),
    [(404, NotFound), (429, TooFrequent), (500, Internal), (502, Unavailable), (503, Unavailable), (507, StorageFull)],
)
async def test_what_a_proxy_answers_is_understood_by_its_status(status: int, kind: type[ChatError]) -> None:
    error = await refusal(answer(status, "<html>", "Retry-After: 12"))
    assert type(error) is kind
    assert error.retry_after == 12.0


@pytest.mark.parametrize("wait", ["soon", "", "-1", "Wed, 21 Oct 2026 07:28:00 GMT"])
async def test_a_retry_after_that_is_no_number_is_none(wait: str) -> None:
    assert (await refusal(answer(429, "", f"Retry-After: {wait}"))).retry_after is None


@pytest.mark.parametrize("body", ["", "nonsense", "[]", '{"eventSeq": "seven"}'])
async def test_an_answer_of_another_shape(body: str) -> None:
    assert type(await refusal(answer(200, body))) is Unexpected


async def test_a_code_from_a_newer_server_keeps_its_message() -> None:
    error = await refusal(answer(418, '{"error":{"code":"teapot","message":"I am one"}}'))
    assert type(error) is Unexpected
    assert str(error) == "I am one"


async def test_nobody_there() -> None:
    async with api_at("http://127.0.0.1:9") as api:
        with pytest.raises(NotConnected):
            await api.call("GET", "/v1/x", Done)


async def test_an_answer_that_does_not_come_in_time() -> None:
    async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serving(silent) as url, api_at(url, seconds=0.2) as api:
        with pytest.raises(NotConnected):
            await api.call("GET", "/v1/x", Done)


async def test_a_connection_that_was_closed_meanwhile_is_tried_once_more() -> None:
    accepted = 0

    async def hangs_up_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal accepted
        accepted += 1
        await reader.readuntil(b"\r\n\r\n")
        if accepted > 1:
            writer.write(answer(200, "{}"))
            await writer.drain()

    async with serving(hangs_up_once) as url, api_at(url) as api:
        assert await api.call("POST", "/v1/x", Done) == Done()
    assert accepted == 2


async def test_one_that_always_hangs_up_is_not_called_for_ever() -> None:
    accepted = 0

    async def hangs_up(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        nonlocal accepted
        accepted += 1
        await reader.readuntil(b"\r\n\r\n")

    async with serving(hangs_up) as url, api_at(url) as api:
        with pytest.raises(NotConnected):
            await api.call("POST", "/v1/x", Done)
    assert accepted == 2


async def test_a_caller_that_goes_away_leaves_its_exchange_to_end_by_itself() -> None:
    """httpx loses a pool slot for good with a request that is cancelled while it connects."""
    accepted = 0
    asked, gate = asyncio.Event(), asyncio.Event()

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal accepted
        accepted += 1
        while await reader.readuntil(b"\r\n\r\n"):
            asked.set()
            await gate.wait()
            writer.write(answer(200, "{}"))

    async with serving(slow) as url, api_at(url) as api:
        call = asyncio.create_task(api.call("GET", "/v1/x", Done))
        await asked.wait()
        call.cancel()
        await asyncio.wait([call])
        assert call.cancelled()
        gate.set()
        await asyncio.sleep(0.05)
        assert await api.call("GET", "/v1/x", Done) == Done()
    assert accepted == 1, "the same connection, free again"


async def test_closed_is_closed() -> None:
    api = Api("http://127.0.0.1:9")
    await api.close()
    with pytest.raises(NotConnected):
        await api.call("GET", "/v1/x", Done)


@pytest.mark.parametrize(
    ("host", "yes"), [("127.0.0.1", True), ("localhost", True), ("::1", True), ("chat.example.org", False)]
)
def test_loopback(host: str, yes: bool) -> None:
    assert is_loopback(host) is yes


def test_certificates_are_checked() -> None:
    import ssl

    context = context_for("https://chat.example.org")
    assert context is not None
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context_for("http://127.0.0.1:8790") is None


def test_importing_a_session_loads_neither_httpx_nor_websockets_nor_tinydb() -> None:
    import subprocess
    import sys

    program = (
        "import sys, tui_chat.client.session\n"
        "loaded = {'httpx', 'websockets', 'tinydb', 'textual'} & set(sys.modules)\n"
        "print(sorted(loaded)); sys.exit(bool(loaded))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
