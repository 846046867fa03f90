"""uvicorn's protocols with what ASGI cannot say: how long and how large a request's head may be; how to end a socket.

ASGI's `send` waits until the peer has taken what is buffered, for ever if need be, and so does an orderly close.
"""

import asyncio
from typing import Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState

ABORT: Final = "tui_chat.abort"
"""Key in the scope's `extensions`: a function that takes a close code."""
GRACE_SECONDS: Final = 5.0
HEAD_BYTES: Final = 32 * 1024
"""Of a request's line and headers."""
HEAD_SECONDS: Final = 20.0
"""From the connection, or from a request's first byte, to the end of its head."""


class RequestProtocol(HttpToolsProtocol):
    """Ends connections that never come to the point."""

    _head_bytes = 0
    _in_head = True
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A first request is due."""
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is due any more."""
        super().connection_lost(exc)
        self._have_head()

    def data_received(self, data: bytes) -> None:
        """Count what belongs to a head that has not ended."""
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES and not self.transport.is_closing():
                self.send_400_response("The head of the request is too large.")

    def on_message_begin(self) -> None:
        """A further request begins."""
        super().on_message_begin()
        self._expect_head()

    def on_headers_complete(self) -> None:
        """The head is there."""
        self._have_head()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is there; another may follow."""
        super().on_message_complete()
        self._head_bytes = 0

    def _expect_head(self) -> None:
        self._in_head = True
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self._head_is_late)

    def _have_head(self) -> None:
        self._in_head = False
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_is_late(self) -> None:
        self._head_timer = None
        if not self.transport.is_closing():
            self.transport.abort()


class SocketProtocol(WebSocketsSansIOProtocol):
    """Offers `abort` to the application."""

    async def run_asgi(self) -> None:
        """Run the application with the extension in its scope."""
        cast(dict[str, object], self.scope["extensions"])[ABORT] = self.abort
        await super().run_asgi()

    def shutdown(self) -> None:
        """The server stops: say so, and wait for nobody who does not listen."""
        super().shutdown()
        self.loop.call_later(GRACE_SECONDS / 2, self.transport.abort)

    def abort(self, code: int) -> None:
        """Say goodbye behind what is buffered, and cut the line if that is not taken within GRACE_SECONDS."""
        if self.disconnected:
            return
        if not self.close_sent and not self.transport.is_closing():
            try:
                self.conn.send_close(code)
                self.transport.write(b"".join(self.conn.data_to_send()))
            except InvalidState:
                pass
            self.close_sent = True
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": ""})
        self.transport.close()
        self.loop.call_later(GRACE_SECONDS, self.transport.abort)
