"""HTTP exchanges against a server that answers whatever a test says, byte by byte."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import msgspec
import pytest

from tui_chat.client.api import Api
from tui_chat.client.problems import Unreadable
from tui_chat.client.tls import context_for, is_loopback
from tui_chat.protocol.errors import (
    BodyTooLarge,
    ChatError,
    ConversationNotFound,
    Internal,
    NotConnected,
    StorageFull,
    TooFrequent,
    Unavailable,
    Unexpected,
)
from tui_chat.protocol.requests import Done, RestoreConversations

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
    [
        (302, Unreadable),
        (401, Unreadable),
        (403, Unreadable),
        (404, Unreadable),
        (413, BodyTooLarge),
        (429, TooFrequent),
        (500, Internal),
        (502, Unavailable),
        (503, Unavailable),
        (507, StorageFull),
    ],
)
async def test_what_a_proxy_answers_is_understood_by_its_status(status: int, kind: type[ChatError]) -> None:
    error = await refusal(answer(status, "<html>", "Retry-After: 12"))
    assert type(error) is kind
    assert error.retry_after == 12.0


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("Retry-After: soon", None),
        ("Retry-After:", None),
        ("Retry-After: -1", None),
        ("Retry-After: 0.5", 0.5),
        (f"Retry-After: {'9' * 400}", 86_400.0),
        ("Retry-After: Wed, 21 Oct 2026 07:28:00 GMT", None),
        ("Retry-After: Wed, 21 Oct 2026 07:28:09 GMT\r\nDate: Wed, 21 Oct 2026 07:28:00 GMT", 9.0),
        ("Retry-After: Wed, 21 Oct 2026 07:28:00 GMT\r\nDate: Wed, 21 Oct 2026 07:28:09 GMT", 0.0),
    ],
)
async def test_how_long_to_wait(header: str, seconds: float | None) -> None:
    assert (await refusal(answer(429, "", header))).retry_after == seconds


@pytest.mark.parametrize("body", ["", "nonsense", "[]", '{"eventSeq": "seven"}'])
async def test_an_answer_of_another_shape(body: str) -> None:
    assert type(await refusal(answer(200, body))) is Unreadable


async def test_a_code_from_a_newer_server_keeps_its_message() -> None:
    error = await refusal(answer(418, '{"error":{"code":"teapot","message":"I am one"}}'))
    assert type(error) is Unexpected
    assert str(error) == "I am one"
    error = await refusal(answer(599, '{"error":{"code":"teapot","message":"I am one"}}'))
    assert type(error) is Unavailable, "its own failure, whatever it calls it: what is queued waits"


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


RECOGNISED = RestoreConversations(batch_id="b1")


@pytest.mark.parametrize(("method", "body"), [("GET", None), ("DELETE", None), ("POST", RECOGNISED)])
async def test_an_exchange_that_breaks_is_begun_once_more_where_that_is_harmless(
    method: str, body: msgspec.Struct | None
) -> None:
    accepted = 0

    async def hangs_up_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal accepted
        accepted += 1
        await reader.readuntil(b"\r\n\r\n")
        if accepted > 1:
            writer.write(answer(200, "{}"))
            await writer.drain()

    async with serving(hangs_up_once) as url, api_at(url) as api:
        assert await api.call(method, "/v1/x", Done, body=body) == Done()
    assert accepted == 2


@pytest.mark.parametrize(("body", "times"), [(RECOGNISED, 2), (RestoreConversations(), 1), (None, 1)])
async def test_one_that_always_hangs_up_is_not_called_for_ever(body: msgspec.Struct | None, times: int) -> None:
    accepted = 0

    async def hangs_up(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        nonlocal accepted
        accepted += 1
        await reader.readuntil(b"\r\n\r\n")

    async with serving(hangs_up) as url, api_at(url) as api:
        with pytest.raises(NotConnected):
            await api.call("POST", "/v1/x", Done, body=body)
    assert accepted == times


async def test_with_new_connections_what_hung_in_the_old_ones_is_asked_again() -> None:
    accepted = 0
    asked = asyncio.Event()

    async def deaf_at_first(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal accepted
        accepted += 1
        silent = accepted <= 3
        while await reader.readuntil(b"\r\n\r\n"):
            if accepted == 3:
                asked.set()
            if not silent:
                writer.write(answer(200, "{}"))

    async with serving(deaf_at_first) as url, api_at(url, seconds=60.0) as api:
        calls = [asyncio.create_task(api.call("GET", "/v1/x", Done)) for _ in range(3)]
        await asked.wait()
        await api.renew()
        assert await asyncio.gather(*calls) == [Done()] * 3


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
