"""The line between a demo's server and the programs that show it: one connection each, JSON lines over loopback.

It is also what keeps the server alive: when the last connection has gone, however it went, the server ends. So nothing
is left running by a program that was killed.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final, Protocol

import msgspec

from tui_chat.protocol.requests import Session

HELLO_SECONDS: Final = 5.0
GOODBYE_SECONDS: Final = 2.0
FIRST_SECONDS: Final = 30.0
"""The server ends when nobody has come by then."""
LINGER_SECONDS: Final = 2.0
"""How long it waits for somebody else after the last has gone."""
_LINE_BYTES: Final = 16 * 1024


class State(msgspec.Struct, frozen=True):
    """What the running demo leaves in its directory, readable by its owner alone, for others to find it."""

    url: str
    pid: int
    port: int
    """Of the control line, on 127.0.0.1."""
    secret: str


class Report(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the server's process says on standard output, once: how its start went."""

    state: State | None = None
    in_use: bool = False
    """Another one has the directory already."""
    error: str | None = None


class Hello(msgspec.Struct, frozen=True, tag_field="ask", tag="hello"):
    """First line of a connection."""

    secret: str


class AskDevice(msgspec.Struct, frozen=True, tag_field="ask", tag="device"):
    """A new device of alice's, which is logged out when the connection ends."""


class AskNudge(msgspec.Struct, frozen=True, tag_field="ask", tag="nudge"):
    """Have somebody write to alice now."""

    user_id: str


class AskEnd(msgspec.Struct, frozen=True, tag_field="ask", tag="end"):
    """End the server, if nobody else shows the demo."""


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """To each line one."""

    ok: bool = True
    alone: bool = False
    """To Hello: nobody else shows the demo."""
    session: Session | None = None
    device_name: str | None = None


Ask = Hello | AskDevice | AskNudge | AskEnd


class Host(Protocol):
    """What the line's other end can do."""

    async def new_device(self) -> tuple[Session, str]:
        """A device of alice's and its name. Raises ChatError."""

    async def end_device(self, device_id: str, name: str) -> None:
        """Log a device out and give its name free."""

    def nudge(self, user_id: str) -> bool:
        """Have somebody write to alice; False where there is nobody of that name."""


class Control:
    """The server's end of the line."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._connections: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._told_to_end = False
        self.secret: Final = secrets.token_urlsafe(24)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        """Take connections; gives the port."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0, limit=_LINE_BYTES)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            for task in list(self._connections):
                task.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)

    async def deserted(self, patience: float) -> None:
        """Return once nobody is connected any more, or nobody came at all within `patience`, in seconds."""
        while True:
            self._changed.clear()
            if self._told_to_end:
                return
            if self._connections:
                await self._changed.wait()
                patience = LINGER_SECONDS
                continue
            try:
                async with asyncio.timeout(patience):
                    await self._changed.wait()
            except TimeoutError:
                return

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        devices: list[tuple[str, str]] = []
        try:
            async with asyncio.timeout(HELLO_SECONDS):
                hello = _read(await reader.readline())
            if not isinstance(hello, Hello) or not secrets.compare_digest(hello.secret, self.secret):
                return
            self._connections.add(task)
            self._changed.set()
            await _write(writer, Answer(alone=self._alone()))
            while line := await reader.readline():
                await _write(writer, await self._do(_read(line), devices))
        except (OSError, ValueError, TimeoutError):
            pass  # whoever it was has gone, or does not speak this language
        finally:
            try:
                for device_id, name in devices:
                    await self._host.end_device(device_id, name)
            finally:
                self._connections.discard(task)
                self._changed.set()
                writer.close()  # last: this tells whoever let go that its devices are free again

    async def _do(self, ask: Ask | None, devices: list[tuple[str, str]]) -> Answer:
        match ask:
            case AskDevice():
                session, name = await self._host.new_device()
                devices.append((session.device_id, name))
                return Answer(session=session, device_name=name)
            case AskNudge(user_id=user_id):
                return Answer(ok=self._host.nudge(user_id))
            case AskEnd() if self._alone():
                self._told_to_end = True
                self._changed.set()
                return Answer()
            case _:
                return Answer(ok=False)

    def _alone(self) -> bool:
        return len(self._connections) == 1


class Line:
    """A program's end of the line."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self.alone = False
        """Whether nobody else showed the demo when this line was opened."""
        self._answers: asyncio.Queue[Answer | None] = asyncio.Queue()
        self._asking = asyncio.Lock()
        self.ended: Final = asyncio.Event()
        """Set when the other end has gone."""
        self._reading = asyncio.create_task(self._read(reader))

    @classmethod
    async def open(cls, state: State) -> "Line | None":
        """Connect to a running demo; None where there is none (any more)."""
        try:
            async with asyncio.timeout(HELLO_SECONDS):
                reader, writer = await asyncio.open_connection("127.0.0.1", state.port, limit=_LINE_BYTES)
        except (OSError, TimeoutError):
            return None
        line = cls(reader, writer)
        try:
            async with asyncio.timeout(HELLO_SECONDS):
                welcome = await line.ask(Hello(state.secret))
        except TimeoutError:
            welcome = None
        if welcome is None:
            await line.close()
            return None
        line.alone = welcome.alone
        return line

    async def ask(self, ask: Ask) -> Answer | None:
        """One question, one answer; None when the other end has gone."""
        async with self._asking:
            if self.ended.is_set():
                return None
            try:
                await _write(self._writer, ask)
            except OSError:
                return None
            return await self._answers.get()

    async def close(self) -> None:
        """Let go, once the devices that were asked for are logged out over there (or GOODBYE_SECONDS have gone by)."""
        with suppress(OSError):
            self._writer.write_eof()
        await asyncio.wait([self._reading], timeout=GOODBYE_SECONDS)
        self._reading.cancel()
        with suppress(asyncio.CancelledError):
            await self._reading
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while text := await reader.readline():
                self._answers.put_nowait(msgspec.json.decode(text, type=Answer))
        except (OSError, ValueError):
            pass  # as good as gone
        finally:
            self.ended.set()
            self._answers.put_nowait(None)


def read_state(path: Path) -> State | None:
    """What a running demo left at `path`; None where there is nothing that makes sense."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=State)
    except (OSError, msgspec.MsgspecError):
        return None


def _read(line: bytes) -> Ask | None:
    return msgspec.json.decode(line, type=Ask) if line else None


async def _write(writer: asyncio.StreamWriter, value: Ask | Answer) -> None:
    writer.write(msgspec.json.encode(value) + b"\n")
    await writer.drain()
