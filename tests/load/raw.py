"""A client on bare asyncio: HTTP/1.1 and WebSocket by hand, so that what is measured is the server and not a library.

httpx alone costs a millisecond a request. It checks nothing that the servers it is used on do not get wrong: answers
have a content-length, frames are not fragmented.
"""

import asyncio
import json
from collections import deque
from collections.abc import Callable
from typing import Any, Final, cast
from urllib.parse import quote, urlsplit

import msgspec

Json = dict[str, Any]
Heard = Callable[[bytes], None]

DEADLINE: Final = 30.0
"""Seconds after which something that must happen has not."""
_NO_MASK: Final = bytes(4)


class Refused(Exception):
    """A status other than 200."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"{status} {body[:300]!r}")
        self.status = status
        self.body = body


class Http(asyncio.Protocol):
    """One connection that is kept alive; calls on it are answered in their order."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._buffer = bytearray()
        self._waiting: deque[asyncio.Future[bytes]] = deque()
        self._transport: asyncio.Transport | None = None

    @classmethod
    async def open(cls, url: str, token: str) -> "Http":
        """Connect."""
        host, port = _address(url)
        _, protocol = await asyncio.get_running_loop().create_connection(lambda: cls(token), host, port)
        return protocol

    def call(self, method: str, path: str, body: bytes = b"") -> "asyncio.Future[bytes]":
        """Write a request now; the answer's body later. The future raises Refused, or ConnectionError."""
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        if self._transport is None or self._transport.is_closing():
            future.set_exception(ConnectionResetError("the connection has ended"))
            return future
        head = (
            f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {self._token}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        self._waiting.append(future)
        self._transport.write(head.encode() + body)
        return future

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The decoded answer of a call."""
        answer = await self.call(method, path, b"" if body is None else msgspec.json.encode(body))
        return json.loads(answer)

    def send(self, conversation_id: str, client_id: str, text: str) -> "asyncio.Future[bytes]":
        """Send a message."""
        body = msgspec.json.encode({"clientID": client_id, "text": text})
        return self.call("POST", f"/v1/conversations/{quote(conversation_id, safe='')}/messages", body)

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody waits any longer."""
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_exception(ConnectionResetError("the connection ended before the answer"))

    def data_received(self, data: bytes) -> None:
        """Take answers off the buffer."""
        buffer = self._buffer
        buffer += data
        while (end := buffer.find(b"\r\n\r\n")) >= 0:
            at = buffer.find(b"content-length:", 0, end)
            length = int(bytes(buffer[at + 15 : buffer.find(b"\r", at)]))
            whole = end + 4 + length
            if len(buffer) < whole:
                return
            status, body = int(bytes(buffer[9:12])), bytes(buffer[end + 4 : whole])
            del buffer[:whole]
            future = self._waiting.popleft()
            if future.done():
                continue
            if status == 200:
                future.set_result(body)
            else:
                future.set_exception(Refused(status, body))


class Socket(asyncio.Protocol):
    """An event socket: every text frame's payload is handed to `heard`; the server's pings are answered."""

    def __init__(self, token: str, heard: Heard) -> None:
        self.ended = asyncio.Event()
        self.close_code: int | None = None
        self._token = token
        self._heard = heard
        self._buffer = bytearray()
        self._open: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport | None = None

    @classmethod
    async def open(cls, url: str, token: str, heard: Heard, since: str | None = None) -> "Socket":
        """Connect and say hello; the welcome comes through `heard` like everything else."""
        host, port = _address(url)
        _, protocol = await asyncio.get_running_loop().create_connection(lambda: cls(token, heard), host, port)
        async with asyncio.timeout(DEADLINE):
            await protocol._open
        protocol.say({"t": "hello", "since": since})
        return protocol

    def say(self, frame: Any) -> None:
        """Send a text frame."""
        self._send(0x81, msgspec.json.encode(frame))

    def stop_reading(self) -> None:
        """From now on take nothing from the connection."""
        assert self._transport is not None
        self._transport.pause_reading()

    def close(self) -> None:
        """Hang up without a word."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(
            b"GET /v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            b"Authorization: Bearer " + self._token.encode() + b"\r\n\r\n"
        )

    def connection_lost(self, exc: Exception | None) -> None:
        """It has ended."""
        self.ended.set()
        if not self._open.done():
            self._open.set_exception(ConnectionResetError("the handshake was cut"))

    def data_received(self, data: bytes) -> None:
        """Take the handshake's answer, then frames, off the buffer."""
        buffer = self._buffer
        buffer += data
        if not self._open.done():
            end = buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            if not buffer.startswith(b"HTTP/1.1 101"):
                self._open.set_exception(Refused(int(bytes(buffer[9:12])), bytes(buffer[end + 4 :])))
                return
            self._open.set_result(None)
            del buffer[: end + 4]
        at = 0
        while len(buffer) - at >= 2:
            start, length = at + 2, buffer[at + 1]
            if length == 126:
                start, length = at + 4, int.from_bytes(buffer[at + 2 : at + 4], "big")
            elif length == 127:
                start, length = at + 10, int.from_bytes(buffer[at + 2 : at + 10], "big")
            if len(buffer) < start + length:
                break
            self._take(buffer[at] & 0x0F, bytes(buffer[start : start + length]))
            at = start + length
        del buffer[:at]

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == 1:
            self._heard(payload)
        elif opcode == 9:
            self._send(0x8A, payload)
        elif opcode == 8:
            self.close_code = int.from_bytes(payload[:2], "big")

    def _send(self, first: int, payload: bytes) -> None:
        """A frame under a mask of zeros, which RFC 6455 allows and which costs nothing."""
        if self._transport is None or self._transport.is_closing():
            return
        length = len(payload)
        head = bytes((first, 0x80 | length)) if length < 126 else bytes((first, 0xFE)) + length.to_bytes(2, "big")
        self._transport.write(head + _NO_MASK + payload)


def _address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    return parts.hostname, parts.port
