"""A TCP proxy between a client and a server that a test can make bad: slow, throttled, stalled, cut, reset, half-open.

Runs on the test's event loop. Every connection goes through it, HTTP and WebSocket alike.
"""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit


class Proxy:
    """Listens on a free port; `url` takes the place of the server's."""

    def __init__(self, server_url: str):
        parts = urlsplit(server_url)
        assert parts.hostname is not None
        assert parts.port is not None
        self._target = (parts.hostname, parts.port)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self.port = 0
        self.accepted = 0
        """Connections so far."""
        self.refusing = False
        """Close every new connection right after accepting it."""
        self.delay = 0.0
        """Seconds that every piece takes, either way."""
        self.bytes_a_second = 0.0
        """How much goes through, either way on every connection; 0: all at once."""
        self.deaf_to_answers = False
        """What the server says is swallowed: requests arrive and take effect, nobody hears of it."""
        self.half_open = False
        """All that either end says is swallowed, and neither hears that the other has gone."""

    @property
    def url(self) -> str:
        """The server's address, by way of this proxy."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listen; the first time on a free port, later on the same."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Refuse connections (nothing listens), and cut those there are."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.cut()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def cut(self) -> None:
        """End all connections without a goodbye."""
        for writer in list(self._writers):
            writer.transport.abort()

    def reset(self) -> None:
        """End all connections with a reset: what was on its way is lost, also what had arrived and was not read."""
        for writer in list(self._writers):
            connection = writer.get_extra_info("socket")
            if connection.fileno() < 0:
                continue  # It has ended already, which its task will hear of.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    def stall(self) -> None:
        """Let nothing through until `flow`."""
        self._flowing.clear()

    def flow(self) -> None:
        """Let everything through again."""
        self._flowing.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        if self.refusing:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, far_writer}
        both = [
            self._spawn(self._carry(reader, far_writer, answers=False)),
            self._spawn(self._carry(far_reader, writer, answers=True)),
        ]
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        self._writers -= {writer, far_writer}
        for end in (writer, far_writer):
            end.transport.abort()
        await asyncio.wait(both)

    def _spawn(self, work: "asyncio.Future[None] | object") -> "asyncio.Task[None]":
        task: asyncio.Task[None] = asyncio.ensure_future(work)  # type: ignore[arg-type]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool) -> None:
        with suppress(OSError):
            while piece := await reader.read(self._piece()):
                if self.delay:
                    await asyncio.sleep(self.delay)
                if self.bytes_a_second:
                    await asyncio.sleep(len(piece) / self.bytes_a_second)
                await self._flowing.wait()
                if self.half_open or (answers and self.deaf_to_answers):
                    continue
                writer.write(piece)
                await writer.drain()

    def _piece(self) -> int:
        """How many bytes to take at once: a throttled connection gets its share twenty times a second."""
        return max(1, int(self.bytes_a_second / 20)) if self.bytes_a_second else 65_536


@asynccontextmanager
async def proxy_to(server_url: str) -> AsyncIterator[Proxy]:
    """A proxy for as long as the context lasts."""
    proxy = Proxy(server_url)
    await proxy.start()
    try:
        yield proxy
    finally:
        proxy.flow()
        await proxy.stop()
