"""uvicorn's WebSocket protocol with the one thing that ASGI cannot say: end a connection that takes nothing.

ASGI's `send` waits until the peer has taken what is buffered, for ever if need be, and so does an orderly close.
"""

from typing import Final, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState

ABORT: Final = "tui_chat.abort"
"""Key in the scope's `extensions`: a function that takes a close code."""
GRACE_SECONDS: Final = 5.0


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
