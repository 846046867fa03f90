"""A program on a pty, watched for what it draws and when; and the mailbox that the screen's benches look at."""

import asyncio
import os
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import pexpect

from tests.servers import CHEAP, ServerProcess
from tui_chat.cache.account import AccountCache
from tui_chat.client.session import ChatSession
from tui_chat.config import Paths
from tui_chat.protocol.models import Message
from tui_chat.server.auth import Passwords
from tui_chat.server.engines.sqlite import SqliteEngine
from tui_chat.server.operations.importing import (
    Archive,
    ArchivedFlags,
    ArchivedMessage,
    ArchivedRead,
    ArchivedUser,
    import_archive,
)
from tui_chat.server.run import DATABASE

PASSWORD: Final = "correct horse"
MINUTE_MS: Final = 60_000
ROWS: Final = 40
COLUMNS: Final = 120
PATIENCE: Final = 30.0
"""Seconds in which what is waited for has to appear."""
_FRAME_QUIET: Final = 0.004
"""Seconds without output after which a frame is over."""
_QUIET: Final = 0.02
"""Seconds without output after which a screen has settled."""


class Watched:
    """A program on a pty of 120 by 40, read as bytes: an emulator would cost more than the program."""

    def __init__(self, command: Sequence[str], environment: dict[str, str]) -> None:
        self.started = time.perf_counter()
        self.child: Any = pexpect.spawn(
            command[0], list(command[1:]), env=environment, dimensions=(ROWS, COLUMNS), timeout=PATIENCE
        )
        self.child.delaybeforesend = None
        self._kept: list[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the program."""
        pid: int = self.child.pid
        return pid

    def until(self, *words: str) -> float:
        """Read until the words were drawn, in this order; when that was (seconds of perf_counter)."""
        drawn = b""
        wanted = [word.encode() for word in words]
        end = time.perf_counter() + PATIENCE
        while wanted:
            drawn += self._read(end - time.perf_counter())
            at = time.perf_counter()
            while wanted and (found := drawn.find(wanted[0])) >= 0:
                drawn = drawn[found + len(wanted.pop(0)) :]
            if at > end:
                raise TimeoutError(f"{words} is not drawn; last: {drawn[-2000:]!r}")
        return at

    def settle(self, quiet: float = _QUIET) -> None:
        """Read until nothing came for a moment."""
        while self._read(quiet):
            pass

    def press(self, keys: str) -> float:
        """Send keys; when."""
        pressed = time.perf_counter()
        self.child.send(keys)
        return pressed

    def frame(self, keys: str) -> float:
        """Send keys; seconds until all was drawn that they change: the last of it, with nothing after it for a moment.

        What came before is read first, so that it does not count.
        """
        self.settle(_FRAME_QUIET)
        pressed = self.press(keys)
        if not self._read(PATIENCE):
            raise TimeoutError(f"{keys!r} draws nothing")
        drawn = time.perf_counter()
        while self._read(_FRAME_QUIET):
            drawn = time.perf_counter()
        return drawn - pressed

    def keep_drawn(self) -> list[bytes]:
        """From now on keep what is drawn, in the list returned: to be looked at when nothing is measured any more."""
        self._kept = []
        return self._kept

    def quit(self) -> None:
        """Ctrl+Q, and wait for the end: what an orderly end leaves for the next start is there then."""
        self.press("\x11")
        end = time.perf_counter() + PATIENCE
        while time.perf_counter() < end:
            try:
                self._read(0.05)
            except EOFError:
                break
        self.child.wait()

    def processor_seconds(self) -> float:
        """What it has used so far, by the scheduler's own clock: a tick of the other one is half of what idling takes.

        A thread that has ended meanwhile is left out.
        """
        used = 0
        for thread in Path(f"/proc/{self.pid}/task").iterdir():
            with suppress(FileNotFoundError, ProcessLookupError):
                used += int((thread / "schedstat").read_text("ascii").split()[0])
        return used / 1e9

    def memory_mib(self) -> float:
        """Resident, without what it shares with other processes of the same program only in part."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text("ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def _read(self, seconds: float) -> bytes:
        ready, _, _ = select.select([self.child.child_fd], [], [], max(seconds, 0))
        if not ready:
            return b""
        try:
            read = os.read(self.child.child_fd, 262_144)
        except OSError as error:
            raise EOFError("the program has ended") from error
        if self._kept is not None:
            self._kept.append(read)
        return read

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.child.close(force=True)


def environment(home: Path) -> dict[str, str]:
    """Own directories, a plain terminal of many colours; compiled modules are kept, as an installed program's are."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "XDG_"))}
    for name in ("LINES", "COLUMNS", "PYTHONDONTWRITEBYTECODE"):
        kept.pop(name, None)
    directories = {f"XDG_{name}_HOME": str(home / name.lower()) for name in ("DATA", "CONFIG", "CACHE", "STATE")}
    return {
        **kept,
        **directories,
        "HOME": str(home),
        "PYTHONPYCACHEPREFIX": str(home / "compiled"),
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "LANG": "C.UTF-8",
        "TUI_CHAT_PASSWORD": PASSWORD,
    }


def person(number: int) -> str:
    """Whom the list shows as its `number`-th row."""
    return f"person{number:05}"


class Mailbox:
    """A server with alice's conversations, and her client's home with all of it in the cache."""

    def __init__(self, scratch: Path, lengths: Sequence[int], *, muted_each: int = 0) -> None:
        """`lengths`: messages of each conversation, from the top row; of so many rows one is muted."""
        self.lengths = lengths
        self.home = scratch / "home"
        self.home.mkdir(parents=True)
        self.environment = environment(self.home)
        data = scratch / "data"
        data.mkdir()
        asyncio.run(_fill(data, lengths, muted_each))
        self.server = ServerProcess(data)
        _run_plain(["login", "--server", self.server.url, "--user", "alice"], self.environment)
        asyncio.run(self._warm())

    @property
    def command(self) -> list[str]:
        """The client."""
        return [sys.executable, "-m", "tui_chat"]

    def open(self) -> Watched:
        """The client, on a pty."""
        return Watched(self.command, self.environment)

    def close(self) -> None:
        """End the server."""
        self.server.terminate()

    async def _warm(self) -> None:
        cached = self._paths().account_cache(self.server.url, "alice")
        async with await ChatSession.log_in(
            self.server.url, "alice", PASSWORD, device_name="warm", cache_directory=cached
        ) as session:
            await session.load()
            newest = max(row.time for row in session.conversations.values())
        store = AccountCache.open(cached)
        try:
            for number, length in enumerate(self.lengths):
                time = newest - number * MINUTE_MS
                store.history.add(f"C2C{person(number)}", _messages(number, length, time))
        finally:
            store.close()

    def _paths(self) -> Paths:
        before = {name: os.environ.get(name) for name in self.environment if name.startswith("XDG_")}
        os.environ.update({name: self.environment[name] for name in before})
        try:
            return Paths.of_user()
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name)
                else:
                    os.environ[name] = value


def _text(number: int, seq: int) -> str:
    return f"word{seq:05} of {person(number)}, as long as people write in a chat: where can I paste the contents?"


def _messages(number: int, length: int, newest: int) -> list[Message]:
    return [
        Message(
            conversation_id=f"C2C{person(number)}",
            message_seq=seq,
            client_id=f"{number}-{seq}",
            sender=person(number),
            time=newest - (length - seq),
            text=_text(number, seq),
        )
        for seq in range(max(1, length - 4_999), length + 1)
    ]


async def _fill(data: Path, lengths: Sequence[int], muted_each: int) -> None:
    passwords = Passwords(CHEAP)
    hashed = await passwords.hash(PASSWORD)
    passwords.close()
    now = time.time_ns() // 1_000_000
    engine = await SqliteEngine.open(data / DATABASE, clock=lambda: now)
    users = [ArchivedUser(user_id=person(number)) for number in range(len(lengths))]
    flags = [
        ArchivedFlags(user_id="alice", conversation_id=f"C2C{person(number)}", muted=True)
        for number in (range(0, len(lengths), muted_each) if muted_each else ())
    ]
    messages = [
        ArchivedMessage(
            sender=person(number), to="alice", time=now - number * MINUTE_MS - (length - seq), text=_text(number, seq)
        )
        for number, length in enumerate(lengths)
        for seq in range(1, length + 1)
    ]
    me = ArchivedUser(user_id="alice", password_hash=hashed, administrator=True)
    reads = [ArchivedRead(user_id="alice", conversation_id=f"C2C{person(number)}") for number in range(len(lengths))]
    archive = Archive(users=[me, *users], messages=messages, flags=flags, reads=reads)
    try:
        await engine.write(lambda tx: import_archive(tx, archive))
    finally:
        await engine.close()


def _run_plain(words: Sequence[str], environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tui_chat", *words], env=environment, capture_output=True, timeout=PATIENCE, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)} failed: {done.stderr!r}")
