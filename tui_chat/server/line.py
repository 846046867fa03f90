"""uvicorn's end of a WebSocket with what ASGI cannot say: how to send without waiting, and how to end a socket.

ASGI's `send` waits until the peer has taken what is buffered, for ever if need be, and so does an orderly close.
"""

from struct import pack
from typing import Any, Final, Protocol, cast

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from tui_chat.protocol.events import CLOSE_TRY_AGAIN

from .transport import UNREADABLE

LINE: Final = "tui_chat.line"
"""Among a WebSocket's extensions: its Line."""
GRACE_SECONDS: Final = 5.0
SMALL_FRAMES_MOST: Final = 256
SMALL_FRAMES_SECONDS: Final = 20.0
"""A peer that sends more pings, pongs and fragments than that in so long is told to come back later."""


class Line(Protocol):
    """The connection under an event socket, as the application finds it in the scope's extensions under LINE.

    It takes frames that are already serialized: a server's frames carry no mask, so all devices of a user get the same
    bytes. Measured, that is half the work of a delivery.
    """

    def offer(self, frame: bytes) -> bool:
        """Send at once, where nothing waits for the peer; False: the frame must be `put`, or the peer is gone."""

    async def put(self, frame: bytes) -> None:
        """Send once the peer has taken most of what was sent before. Raises OSError when it is gone."""

    def abort(self, code: int) -> None:
        """End the connection, whether or not the peer takes anything."""


class SocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's end of a WebSocket, which is also a Line."""

    _small = 0
    """Pings, pongs and fragments since `_small_since`."""
    _small_since = 0.0

    def data_received(self, data: bytes) -> None:
        """As uvicorn's, which leaves a request that websockets cannot read unanswered and open for ever."""
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.transport.is_closing():
            self.transport.write(UNREADABLE)
            self.transport.close()

    def handle_ping(self) -> None:
        """Answer it, unless it is one of a flood."""
        if self._is_welcome():
            super().handle_ping()

    def handle_pong(self, event: Any) -> None:
        """Take it, unless it is one of a flood."""
        if self._is_welcome():
            super().handle_pong(event)

    def handle_cont(self, event: Any) -> None:
        """Take it, unless it is one of a flood: empty fragments are under every limit of size."""
        if self._is_welcome():
            super().handle_cont(event)

    def _is_welcome(self) -> bool:
        """Count one of the frames of which the application hears nothing; end the socket at one too many."""
        if self.close_sent:
            return False
        self._small += 1
        if self._small > SMALL_FRAMES_MOST:
            now = self.loop.time()
            if now - self._small_since < SMALL_FRAMES_SECONDS:
                self.abort(CLOSE_TRY_AGAIN)
                return False
            self._small, self._small_since = 0, now
        return True

    async def run_asgi(self) -> None:
        """Run the application with the extension in its scope."""
        cast(dict[str, object], self.scope["extensions"])[LINE] = self
        await super().run_asgi()

    async def send(self, message: Any) -> None:
        """As uvicorn's, which does not see that a handshake was answered when it was refused with a body: it would
        write an error into the log for each, and anybody can cause those."""
        await super().send(message)
        if self.initial_response is not None and self.close_sent:
            self.handshake_complete = True

    def offer(self, frame: bytes) -> bool:
        """See Line."""
        if self.close_sent or self.disconnected or not self.writable.is_set() or self.transport.is_closing():
            return False
        self.transport.write(frame)
        return True

    async def put(self, frame: bytes) -> None:
        """See Line."""
        await self.writable.wait()
        if self._ended():
            raise ClientDisconnected()
        self.transport.write(frame)

    def abort(self, code: int) -> None:
        """Say goodbye behind what is buffered, and cut the line if that is not taken within GRACE_SECONDS."""
        if self.disconnected:
            return
        if not self._ended():
            self.transport.write(pack("!BBH", 0x88, 2, code))
            self.close_sent = True
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": ""})
        self.transport.close()
        self.loop.call_later(GRACE_SECONDS, self.transport.abort)

    def shutdown(self) -> None:
        """The server stops: say so, and wait for nobody who does not listen.

        A socket that the peer has just closed is still among uvicorn's connections, and takes no second goodbye.
        """
        if self.conn.close_rcvd is not None or self.conn.close_sent is not None:
            self.close_sent = True
        super().shutdown()
        self.loop.call_later(GRACE_SECONDS / 2, self.transport.abort)

    def _ended(self) -> bool:
        return self.close_sent or self.disconnected or self.transport.is_closing()


def text_frame(payload: bytes) -> bytes:
    """A whole WebSocket text frame, as a server sends it (RFC 6455, section 5.2)."""
    length = len(payload)
    if length < 126:
        return bytes((0x81, length)) + payload
    if length < 65_536:
        return pack("!BBH", 0x81, 126, length) + payload
    return pack("!BBQ", 0x81, 127, length) + payload
