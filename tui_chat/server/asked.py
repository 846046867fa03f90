"""One HTTP request as the application sees it, whichever way it came, and the way back to whoever asked."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Final

from tui_chat.protocol import limits
from tui_chat.protocol.errors import BodyTooLarge, InvalidRequest

from .addresses import Receive, Scope, Send
from .auth import Bearer
from .operations.caller import Caller

JSON: Final = b"application/json"
BODY_SECONDS: Final = 30.0
DRAIN_SECONDS: Final = 1.0
"""So long, what is left of a refused body is thrown away: the refusal must reach a client that is still sending."""
DRAIN_BYTES: Final = 8 * limits.BODY_BYTES

Header = tuple[bytes, bytes]


class Asked(ABC):
    """A request."""

    __slots__ = ("bearer", "began", "caller", "client", "headers", "method", "pairs", "parameters", "path", "query")

    def __init__(
        self,
        method: str,
        path: str,
        query: bytes,
        pairs: Sequence[Header],
        headers: Mapping[bytes, bytes],
        client: tuple[str, int] | None,
        bearer: Bearer,
    ) -> None:
        self.began = time.monotonic()
        self.method = method
        self.path = path
        """Percent-encoded."""
        self.query = query
        self.pairs = pairs
        """The headers as they came, their names in lower case; a name may stand there more than once."""
        self.headers = headers
        """The same by name: the last of each."""
        self.client = client[0] if client else None
        """Address of the other end of the connection."""
        self.bearer = bearer
        """Whose token came over the connection last."""
        self.parameters: Mapping[str, str] = {}
        """The path's, decoded; as soon as it is known whose address it is."""
        self.caller: Caller | None = None
        """Who asks; as soon as that is known."""

    def token(self) -> tuple[str, bytes] | None:
        """The access token that came with it, and its hash; None where none did."""
        return self.bearer.of(self.headers.get(b"authorization", b""))

    @abstractmethod
    async def body(self) -> bytes:
        """All of it.

        Raises:
            BodyTooLarge: it has more than limits.BODY_BYTES.
            InvalidRequest: it does not come.
        """

    async def gone(self) -> None:
        """Return when the client has hung up; only for handlers that wait (see Endpoint.waits)."""
        raise NotImplementedError

    @abstractmethod
    async def answer(
        self, status: int, body: bytes, more: Sequence[Header] = (), *, kind: bytes = JSON, unread: bool = False
    ) -> None:
        """Answer it. `more`: further headers. `unread`: what is left of the request's body is thrown away, within
        bounds, and the connection ends."""


class AskedByASGI(Asked):
    """A request as ASGI hands it over: its body may come in pieces, and so may its answer. Also the handshake of an
    event socket, which can be refused."""

    __slots__ = ("receive", "scope", "send")

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        super().__init__(
            scope.get("method", "GET"),
            scope["raw_path"].decode("ascii", "replace"),
            scope["query_string"],
            scope["headers"],
            dict(scope["headers"]),
            scope.get("client"),
            Bearer(),
        )
        self.scope = scope
        self.receive = receive
        self.send = send

    async def body(self) -> bytes:
        """See Asked; what is too large is refused as soon as that is known."""
        declared = self.headers.get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > limits.BODY_BYTES:
            raise too_large()
        message = await self.receive()
        body: bytes = message.get("body", b"")
        if not message.get("more_body", False):
            return body
        parts = bytearray(body)
        try:
            async with asyncio.timeout(BODY_SECONDS):
                while message.get("more_body", False):
                    message = await self.receive()
                    parts += message.get("body", b"")
                    if len(parts) > limits.BODY_BYTES:
                        raise too_large()
        except TimeoutError:
            raise InvalidRequest(f"the request's body took longer than {BODY_SECONDS:.0f} s") from None
        if message["type"] == "http.disconnect":
            raise InvalidRequest("the request ended early")
        return bytes(parts)

    async def answer(
        self, status: int, body: bytes, more: Sequence[Header] = (), *, kind: bytes = JSON, unread: bool = False
    ) -> None:
        """See Asked."""
        prefix = "http."
        if self.scope["type"] == "websocket":
            prefix = "websocket.http."
            await self.receive()
        headers = [*head(kind), (b"content-length", b"%d" % len(body)), *more]
        if unread:
            headers.append((b"connection", b"close"))
        await self.send({"type": f"{prefix}response.start", "status": status, "headers": headers})
        await self.send({"type": f"{prefix}response.body", "body": body, "more_body": unread})
        if unread:
            await self._drain()
            await self.send({"type": f"{prefix}response.body", "body": b""})

    async def gone(self) -> None:
        """Return when the client has hung up."""
        while (await self.receive())["type"] != "http.disconnect":
            pass

    async def _drain(self) -> None:
        """Throw away what is left of the body, within bounds."""
        taken = 0
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                while taken < DRAIN_BYTES:
                    message = await self.receive()
                    taken += len(message.get("body", b""))
                    if not message.get("more_body", False):
                        return
        except TimeoutError:
            return


def head(kind: bytes) -> list[Header]:
    """The headers that every answer has: what it is, and that nobody keeps it."""
    return [(b"content-type", kind), (b"cache-control", b"no-store")]


def too_large() -> BodyTooLarge:
    """The refusal of a body over limits.BODY_BYTES."""
    return BodyTooLarge(f"a request has at most {limits.BODY_BYTES} bytes")
