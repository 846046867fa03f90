"""HTTP: one exchange with the server, and what can go wrong with it. The only module that imports httpx.

httpx 0.28 never frees the pool slot of a request that is cancelled while it connects. So each exchange runs in a task
of its own that nobody cancels: a caller may go away, the exchange ends by itself or by its own time limits. httpx is
imported, and its client built, on a thread and with the first exchange: that costs some 50 ms, which a screen has
better uses for before its first paint.
"""

import asyncio
import logging
import os
import re
import time
from collections.abc import AsyncGenerator, Mapping
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

import msgspec

from tui_chat.protocol import errors
from tui_chat.protocol.wire import SEEN_AT, decode, encode

from .problems import Unreadable, Untrusted
from .tls import context_for, is_loopback

if TYPE_CHECKING:
    import httpx

_log = logging.getLogger(__name__)

Answer = TypeVar("Answer")
Query = Mapping[str, str | int | None]

CONNECT_SECONDS: Final = 5.0
READ_SECONDS: Final = 15.0
"""Between two pieces of an answer; httpx has no limit on the whole."""
LINES: Final = "application/x-ndjson"
LINE_BYTES: Final = 4 * 1024 * 1024
"""Of one line of an answer of many."""
_PIECES_WAITING: Final = 8
"""Of such an answer, each of some 64 KB at most."""
_CONNECTIONS: Final = 8
_KEEP_SECONDS: Final = 30.0

_OF_STATUS: Final[Mapping[int, type[errors.ChatError]]] = {
    413: errors.BodyTooLarge,
    429: errors.TooFrequent,
    500: errors.Internal,
    502: errors.Unavailable,
    503: errors.Unavailable,
    504: errors.Unavailable,
    507: errors.StorageFull,
}
"""For answers without a body of ours: a proxy's, on the way. Others mean that no tui-chat answers there: a proxy's 404
must not end what is queued, nor its 401 a log-in."""
_TELLS_APART: Final = ("operation_id", "client_id", "batch_id", "refresh_token")
"""By one of these the server knows a repeated POST (a refresh token until the new one was used)."""
_LONGEST_WAIT: Final = 86_400.0
_FIELD: Final = re.compile(r"[!-~]+")
"""What can stand in a header; a cursor that cannot is of no server that would look for it there."""


class Api:
    """Exchanges with one server. Belongs to the event loop on which it is first used."""

    def __init__(
        self, server_url: str, *, connect_seconds: float = CONNECT_SECONDS, read_seconds: float = READ_SECONDS
    ):
        self.server_url = server_url.rstrip("/")
        self._connect_seconds = connect_seconds
        self._read_seconds = read_seconds
        self._building: asyncio.Task[httpx.AsyncClient] | None = None
        self._running: set[asyncio.Task[Any]] = set()
        self._closed = False

    async def call(
        self,
        method: str,
        path: str,
        answer: type[Answer],
        *,
        body: msgspec.Struct | None = None,
        query: Query | None = None,
        token: str | None = None,
        seen_at: str = "",
        wait_seconds: float = 0.0,
    ) -> Answer:
        """Ask, and read the answer as `answer`. `wait_seconds`: how long the server may hold it on purpose. `seen_at`:
        the cursor of the state from which the call's messageSeqs are, where it has any.

        An exchange that breaks before its answer came is begun once more where that is harmless: it changes nothing,
        or the same again, or carries what tells the server that it has it already.

        Raises:
            ChatError: as the server refused; NotConnected where it cannot be reached in time, Unreadable where its
                answer has not the right shape.
        """
        if self._closed:
            raise errors.NotConnected("the session is closed")
        task = asyncio.create_task(self._exchange(method, path, body, query, token, seen_at, wait_seconds))
        self._running.add(task)
        task.add_done_callback(self._ended)
        status, headers, content = await asyncio.shield(task)
        if not 200 <= status < 300:
            raise _refusal(status, headers, content)
        try:
            return decode(content, answer)
        except msgspec.DecodeError as error:
            raise Unreadable(f"the server's answer to {method} {path} cannot be read: {error}") from error

    async def renew(self) -> None:
        """Begin with new connections: the old ones lead nowhere, as after the machine slept. What runs is repeated."""
        if self._building is not None and self._building.done() and self._building.exception() is None:
            await self._replace(self._building.result())

    async def lines(self, path: str, *, token: str) -> AsyncGenerator[bytes, None]:
        """Ask for an answer of many lines, and give them one by one as they come, without what ends them.

        Raises:
            ChatError: as `call`; Unexpected also for a line of more than LINE_BYTES.
        """
        if self._closed:
            raise errors.NotConnected("the session is closed")
        reading = _Reading()
        task = asyncio.create_task(self._read_lines(path, token, reading))
        self._running.add(task)
        task.add_done_callback(self._ended)
        try:
            while (lines := await reading.take(task)) is not None:
                for line in lines:
                    yield line
        finally:
            reading.wanted = False
            if reading.connected:  # what still connects must not be cancelled (see above); it will find itself unwanted
                task.cancel()

    async def _read_lines(self, path: str, token: str, reading: "_Reading") -> None:
        client = await self._client()
        import httpx

        timeout = httpx.Timeout(self._read_seconds, connect=self._connect_seconds)
        headers = {"Accept": LINES, "Authorization": f"Bearer {token}"}
        try:
            async with client.stream("GET", path, headers=headers, timeout=timeout) as response:
                reading.connected = True
                if not reading.wanted:
                    return
                if not response.is_success:
                    await reading.give(_refusal(response.status_code, response.headers, await response.aread()))
                    return
                rest = b""
                async for piece in response.aiter_bytes():
                    *whole, rest = (rest + piece).split(b"\n")
                    if len(rest) > LINE_BYTES:
                        await reading.give(errors.Unexpected("the server's answer has a line without an end"))
                        return
                    await reading.give(whole)
                await reading.give(errors.Unexpected("the server's answer breaks off") if rest else None)
        except httpx.HTTPError as error:
            await reading.give(_not_connected(error))

    async def close(self, *, patience: float = 1.0) -> None:
        """Let what runs end, for at most `patience` seconds, and close the connections."""
        self._closed = True
        if self._running:
            await asyncio.wait(self._running, timeout=patience)
        for task in self._running:
            task.cancel()
        if self._building is not None:
            (built,) = await asyncio.gather(self._building, return_exceptions=True)
            if not isinstance(built, BaseException):
                await built.aclose()

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # whoever asked may be gone; the failure was theirs to see

    async def _client(self) -> "httpx.AsyncClient":
        if self._building is None:
            self._building = asyncio.create_task(asyncio.to_thread(self._build))
        return await asyncio.shield(self._building)

    def _build(self) -> "httpx.AsyncClient":
        import httpx

        loopback = is_loopback(urlsplit(self.server_url).hostname or "")
        context = context_for(self.server_url)
        return httpx.AsyncClient(
            base_url=self.server_url,
            verify=context if context is not None else False,
            trust_env=not loopback,
            timeout=httpx.Timeout(self._read_seconds, connect=self._connect_seconds, pool=self._read_seconds),
            limits=httpx.Limits(
                max_connections=_CONNECTIONS,
                max_keepalive_connections=_CONNECTIONS // 2,
                keepalive_expiry=_KEEP_SECONDS,
            ),
        )

    async def _exchange(
        self,
        method: str,
        path: str,
        body: msgspec.Struct | None,
        query: Query | None,
        token: str | None,
        seen_at: str,
        wait_seconds: float,
    ) -> tuple[int, Mapping[str, str], bytes]:
        import httpx

        headers = {"Accept": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if _FIELD.fullmatch(seen_at):
            headers[SEEN_AT] = seen_at
        if body is not None:
            headers["Content-Type"] = "application/json"
        asked = {name: str(value) for name, value in (query or {}).items() if value is not None}
        timeout = httpx.Timeout(
            self._read_seconds,
            connect=self._connect_seconds,
            read=self._read_seconds + wait_seconds,
        )
        content = encode(body) if body is not None else None
        harmless = method != "POST" or any(getattr(body, name, None) is not None for name in _TELLS_APART)
        for repetition in (False, True):
            client = await self._client()
            began = time.monotonic()
            try:
                response = await client.request(
                    method, path, content=content, params=asked, headers=headers, timeout=timeout
                )
            except httpx.PoolTimeout as error:
                if repetition:
                    raise errors.NotConnected("too many requests wait for the server") from error
                await self._replace(client)
            except (httpx.ConnectError, httpx.TimeoutException) as error:
                _log.debug("%s %s: %s", method, path, type(error).__name__)
                raise _not_connected(error) from error
            except (httpx.TransportError, httpx.DecodingError) as error:
                _log.debug("%s %s: %s", method, path, type(error).__name__)
                if repetition or not harmless:
                    raise _not_connected(error) from error
            else:
                # What was asked for stands behind the path, and what was said in the body: neither is for a log.
                _log.debug("%s %s: %d in %d ms", method, path, response.status_code, (time.monotonic() - began) * 1000)
                return response.status_code, response.headers, response.content
            _log.debug("%s %s: no answer, once more", method, path)
        raise AssertionError("the second repetition returns or raises")

    async def _replace(self, worn: "httpx.AsyncClient") -> None:
        """Go on with another client; whoever comes second finds that done."""
        if self._building is not None and self._building.done() and self._building.result() is worn:
            self._building = None
            await worn.aclose()


class _Reading:
    """Lines on their way from the task that reads them to whoever wants them."""

    def __init__(self) -> None:
        self.connected = False
        self.wanted = True
        self._queue: asyncio.Queue[list[bytes] | errors.ChatError | None] = asyncio.Queue(_PIECES_WAITING)

    async def give(self, what: list[bytes] | errors.ChatError | None) -> None:
        """Some lines, what went wrong, or None at the end; waits while enough is there that was not taken."""
        await self._queue.put(what)

    async def take(self, reader: "asyncio.Task[None]") -> list[bytes] | None:
        """The next lines; None at the end. Raises ChatError as it was given, NotConnected where the reader has gone."""
        taking = asyncio.create_task(self._queue.get())
        try:
            await asyncio.wait({taking, reader}, return_when=asyncio.FIRST_COMPLETED)
            if not taking.done() and self._queue.empty():
                raise errors.NotConnected("the session is closed")
            taken = await taking
        finally:
            taking.cancel()
        if isinstance(taken, errors.ChatError):
            raise taken
        return taken


def _not_connected(error: Exception) -> errors.NotConnected:
    """What to raise where there was no exchange, with the reason in words."""
    said, kind = _reason(error), errors.NotConnected
    if "WRONG_VERSION_NUMBER" in said or "RECORD_LAYER_FAILURE" in said or "record layer failure" in said:
        # What OpenSSL calls the first bytes of an answer in plain HTTP.
        said = "it speaks no TLS there: is its address http://…?"
    elif "CERTIFICATE_VERIFY_FAILED" in said:
        why = said.partition("certificate verify failed: ")[2].partition(" (_ssl")[0]
        said, kind = f"its certificate is not trusted here: {why}", Untrusted
        if "self-signed" in why or "issuer" in why:
            # Python's own way to trust one more: a certificate that has ended, or is another's, is no matter of it.
            said += "; where it is your own, SSL_CERT_FILE=FILE trusts the certificates in that file"
    return kind(f"the server cannot be reached{f' ({said})' if said else ''}")


def _reason(error: BaseException) -> str:
    """The system's word for it where there is one: the libraries between know of all that failed only that it did."""
    from ssl import SSLError

    said = str(error).strip()
    below: BaseException | None = error
    while below is not None:
        if isinstance(below, BaseExceptionGroup):  # one for each address that the name has
            below = below.exceptions[0]
        if isinstance(below, OSError) and not isinstance(below, SSLError) and below.errno:
            said = os.strerror(below.errno) if below.errno > 0 else below.strerror or said  # a resolver's are negative
        below = below.__cause__ or below.__context__
    return said


def _refusal(status: int, headers: Mapping[str, str], content: bytes) -> errors.ChatError:
    retry_after = _wait(headers)
    try:
        body = decode(content, errors.ErrorAnswer).error
    except msgspec.DecodeError:
        kind = _OF_STATUS.get(status, Unreadable)
        return kind(f"the server answered with status {status}", retry_after=retry_after)
    if body.code not in errors.ERRORS and status >= 500:
        return errors.Unavailable(body.message, retry_after=retry_after)
    return errors.error_from(body, retry_after=retry_after)


def _wait(headers: Mapping[str, str]) -> float | None:
    """Seconds of a Retry-After, which says them or a time (RFC 9110, 10.2.3); a time counts from the answer's own."""
    said = headers.get("Retry-After", "").strip()
    if said.isascii() and said.replace(".", "", 1).isdigit():
        return min(float(said), _LONGEST_WAIT)
    try:
        seconds = (parsedate_to_datetime(said) - parsedate_to_datetime(headers.get("Date", ""))).total_seconds()
    except (ValueError, TypeError):
        return None
    return min(max(seconds, 0.0), _LONGEST_WAIT)
