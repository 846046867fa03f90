"""The client's end of an event socket on a bare TCP connection, which sends whatever a test wants it to."""

import contextlib
import json
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from tests.accounts import DEADLINE, Device, People
from tests.servers import LiveServer
from tui_chat.protocol.wire import encode

CONTINUATION: Final = 0x0
TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA
FIN: Final = 0x80
KEY: Final = "dGhlIHNhbXBsZSBub25jZQ=="
GONE: Final = 1006
"""In place of a close code: the connection ended without one."""


class Frame(NamedTuple):
    """What came in one frame."""

    first: int
    """FIN, the reserved bits and the opcode."""
    payload: bytes


def frame(first: int, payload: bytes = b"", *, mask: bytes | None = b"\x5a\x01\xff\x80", length: bytes = b"") -> bytes:
    """A frame. `first`: its first byte; `mask`: None leaves it out; `length`: instead of the true one, as it stands in
    the frame without the mask's bit."""
    size = len(payload)
    if not length:
        if size < 126:
            length = bytes((size,))
        else:
            length = struct.pack("!BH", 126, size) if size < 65_536 else struct.pack("!BQ", 127, size)
    if mask is None:
        return bytes((first,)) + length + payload
    masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))
    return bytes((first, length[0] | 0x80)) + length[1:] + mask + masked


def text(content: Any) -> bytes:
    """A whole text frame; what is no text already becomes JSON."""
    return frame(FIN | TEXT, content if isinstance(content, bytes) else encode(content))


def close(code: int | None = None, reason: bytes = b"") -> bytes:
    """A close frame."""
    return frame(FIN | CLOSE, b"" if code is None else struct.pack("!H", code) + reason)


def handshake(token: str | None = None, *, line: str = "GET /v1/stream HTTP/1.1", **changes: str | None) -> bytes:
    """The request for a socket. `changes` are headers, with `_` for `-`; None leaves one out."""
    headers: dict[str, str | None] = {
        "host": "127.0.0.1",
        "connection": "Upgrade",
        "upgrade": "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": KEY,
        "authorization": None if token is None else f"Bearer {token}",
    }
    headers |= {name.replace("_", "-"): value for name, value in changes.items()}
    lines = [line, *(f"{name}: {value}" for name, value in headers.items() if value is not None)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class RawSocket:
    """A TCP connection to the server. Everything that waits has DEADLINE."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self.connection = socket.create_connection((address.hostname, address.port), DEADLINE)
        self._buffer = bytearray()

    def send(self, data: bytes) -> None:
        """Send bytes as they are; a server that has gone already does not matter, what it said does."""
        with contextlib.suppress(OSError):
            self.connection.sendall(data)

    def open(self, device: Device) -> None:
        """Ask for a socket and get it; frames that come before the answer to that would be lost."""
        self.send(handshake(device.access_token))
        status, head = self.head()
        assert status == 101, head

    def head(self) -> tuple[int, str]:
        """The status and the whole head of the answer; 0 where the connection ended instead."""
        while b"\r\n\r\n" not in self._buffer:
            if not self._more():
                return 0, bytes(self._buffer).decode("latin-1")
        head, _, rest = bytes(self._buffer).partition(b"\r\n\r\n")
        self._buffer = bytearray(rest)
        return int(head.split(b" ", 2)[1]), head.decode("latin-1")

    def frame(self) -> Frame | None:
        """The next frame; None where the connection ended."""
        while (found := self._whole()) is None:
            if not self._more():
                return None
        return found

    def answer(self) -> Any:
        """The next text frame, decoded; a close frame as its code; the end of the connection as GONE."""
        while (came := self.frame()) is not None:
            if came.first == FIN | TEXT:
                return json.loads(came.payload)
            if came.first == FIN | CLOSE:
                return int.from_bytes(came.payload[:2], "big")
        return GONE

    def ended(self) -> int:
        """The code with which the server closes, past what comes before; it is echoed, and then the server hangs up."""
        code = GONE
        while (came := self.frame()) is not None:
            if came.first == FIN | CLOSE:
                assert code == GONE, "one goodbye is enough"
                code = int.from_bytes(came.payload[:2], "big")
                self.send(frame(FIN | CLOSE, came.payload))
        return code

    def close(self) -> None:
        """Hang up."""
        self.connection.close()

    def reset(self) -> None:
        """Hang up so that the other end gets a reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def _whole(self) -> Frame | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        start, length = 2, buffer[1]
        if length >= 126:
            width = 2 if length == 126 else 8
            start, length = 2 + width, int.from_bytes(buffer[2 : 2 + width], "big")
        if len(buffer) < start + length:
            return None
        found = Frame(buffer[0], bytes(buffer[start : start + length]))
        del buffer[: start + length]
        return found

    def _more(self) -> bool:
        try:
            data = self.connection.recv(65_536)
        except ConnectionError:
            return False
        self._buffer += data
        return bool(data)


class Place:
    """A server with alice, whose sockets are maltreated, and with a witness, who must not notice."""

    def __init__(self, data: Path) -> None:
        self.server = LiveServer(data)
        self.people = People(self.server.url)
        self.alice = self.people.register("alice")
        self.bob = self.people.register("bob")
        self.witness = self.people.register("witness")

    def stop(self) -> None:
        """End it."""
        self.people.close()
        self.server.stop()

    @contextlib.contextmanager
    def connection(self) -> Iterator[RawSocket]:
        """A bare connection."""
        raw = RawSocket(self.server.url)
        try:
            yield raw
        finally:
            raw.close()

    @contextlib.contextmanager
    def socket(self, device: Device | None = None, since: str | None = None) -> Iterator[RawSocket]:
        """An event socket that was welcomed: alice's, unless told otherwise."""
        with self.connection() as raw:
            raw.open(device or self.alice)
            raw.send(text({"t": "hello", "since": since}))
            assert raw.answer()["t"] == "welcome"
            yield raw

    def connected(self) -> int:
        """How many sockets the hub knows."""
        return len(list(self.server.running.services.hub))
