"""A request that has come whole, answered on its connection without ASGI."""

from collections.abc import Mapping, Sequence
from typing import Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from tui_chat.protocol import limits

from .asked import JSON, Asked, Header, head, too_large
from .auth import Bearer

_OK: Final = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncache-control: no-store\r\ncontent-length: "


class _NobodyWaits:
    """Stands where uvicorn has the event of who waits for more of a request."""

    def set(self) -> None:
        """Nothing to be done."""


class AskedWhole(Asked):
    """A request of which nothing is still to come. To uvicorn's protocol it is the cycle that is under way."""

    __slots__ = ("_body", "_line", "disconnected", "keep_alive", "response_complete")

    message_event = _NobodyWaits()
    more_body = False

    def __init__(
        self,
        line: HttpToolsProtocol,
        method: str,
        path: str,
        query: bytes,
        headers: Mapping[bytes, bytes],
        body: bytes,
        keep_alive: bool,
        bearer: Bearer,
    ) -> None:
        """`line`: the connection over which it came, whose `headers` are its own."""
        super().__init__(method, path, query, line.headers, headers, line.client, bearer)
        self.keep_alive = keep_alive
        """Whether the connection goes on afterwards; uvicorn takes it back when the server stops."""
        self.disconnected = False
        self.response_complete = False
        self._body = body
        self._line = line

    async def body(self) -> bytes:
        """See Asked."""
        if len(self._body) > limits.BODY_BYTES:
            raise too_large()
        return self._body

    async def answer(
        self, status: int, body: bytes, more: Sequence[Header] = (), *, kind: bytes = JSON, unread: bool = False
    ) -> None:
        """See Asked: in one write, which with uvloop is one system call. `unread` there is nothing."""
        line = self._line
        if line.flow.write_paused:
            await line.flow.drain()
        if self.disconnected:
            return
        end = b"\r\n\r\n" if self.keep_alive else b"\r\nconnection: close\r\n\r\n"
        if status == 200 and kind is JSON and not more:
            start = _OK
        else:
            fields = b"".join(b"%b: %b\r\n" % field for field in (*head(kind), *more))
            start = b"%b%bcontent-length: " % (STATUS_LINE[status], fields)
        line.transport.write(b"%b%d%b%b" % (start, len(body), end, b"" if self.method == "HEAD" else body))
        self.response_complete = True
        if not self.keep_alive:
            line.transport.close()
        line.on_response_complete()
