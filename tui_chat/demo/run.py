"""Start the demo, or join the one that runs: for whoever shows it on a screen.

The server runs in a process of its own and lives as long as anybody shows the demo: whoever started it may go first,
and whoever is killed leaves nothing behind (see control.py).
"""

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self

import msgspec

import tui_chat
from tui_chat.client.credentials import StoredCredentials
from tui_chat.clock import system_clock
from tui_chat.protocol.errors import NotConnected

from .control import AskDevice, AskEnd, AskNudge, Line, Report, State, read_state
from .files import Files

STARTING_SECONDS: Final = 60.0
_LOOK_AGAIN_SECONDS: Final = 0.1


class CannotRunDemo(OSError):
    """The demo cannot be started or joined; `str()` is one line that says why and what to do."""


class Device(NamedTuple):
    """A device of alice's that nobody else uses."""

    credentials: StoredCredentials
    cache_directory: Path
    """Kept from one run to the next under the device's name."""


class RunningDemo:
    """A demo that runs, and this program's hold on it. `close` it, or use it as a context."""

    def __init__(self, state: State, files: Files, line: Line, device: Device, *, joined: bool) -> None:
        self._state = state
        self._files = files
        self._line = line
        self._device = device
        self.joined: Final = joined
        """Somebody else shows it as well."""

    @property
    def url(self) -> str:
        """The server's address, on this machine."""
        return self._state.url

    @property
    def credentials(self) -> StoredCredentials:
        """Of this program's device: alice's 'laptop', or what is free ('phone', 'tablet', …)."""
        return self._device.credentials

    @property
    def cache_directory(self) -> Path:
        """Of this program's device."""
        return self._device.cache_directory

    @property
    def coach(self) -> bool:
        """Whether the coach's line is to be shown: until it was once ended."""
        return not self._files.coached

    def end_coach(self) -> None:
        """The coach is done, or was sent away: not again, until a reset."""
        self._files.end_coach()

    @property
    def password(self) -> str:
        """Alice's, to log in by hand (`tui-chat --server URL --user alice`)."""
        return self._files.password.read_text("ascii")

    @property
    def ended(self) -> asyncio.Event:
        """Set when the server has gone (it never goes while this program holds on, unless it is killed)."""
        return self._line.ended

    async def another_device(self) -> Device:
        """One more device of alice's, logged out when this demo is closed. Raises NotConnected."""
        return await _device(self._line, self._state, self._files)

    async def nudge(self, user_id: str = "bob") -> bool:
        """Have somebody write to alice within two seconds. False: there is nobody of that name, or no demo."""
        answer = await self._line.ask(AskNudge(user_id))
        return answer is not None and answer.ok

    async def close(self) -> None:
        """Let go: this program's devices are logged out, and the server ends with the last who lets go."""
        await self._line.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


async def start(
    directory: Path,
    *,
    reset: bool = False,
    join: bool | None = None,
) -> RunningDemo:
    """Join the demo that runs in `directory`, or start one there.

    Arguments:
        directory: the demo's own; made with 0700 where it does not exist.
        reset: start over with fresh conversations.
        join: True: only join; None: join if there is one to join.

    Raises:
        CannotRunDemo: nothing to join; a reset under somebody's eyes; the server does not start.
    """
    files = Files(directory)
    await asyncio.to_thread(directory.mkdir, mode=0o700, parents=True, exist_ok=True)
    deadline = time.monotonic() + STARTING_SECONDS
    while True:
        found = await _find(files)
        if found is not None and not reset:
            return await _hold(*found, files, joined=not found[1].alone)
        if found is not None:
            await _end(found[1])
        elif join:
            raise CannotRunDemo("no demo is running: start one with `tui-chat demo`")
        report = await _launch(files, reset)
        if report.state is not None and (line := await Line.open(report.state)) is not None:
            return await _hold(report.state, line, files, joined=not line.alone)
        if not report.in_use:
            why = report.error or "it ended at once"
            raise CannotRunDemo(f"the demo's server did not start: {why} (see {files.log})")
        if time.monotonic() > deadline:
            raise CannotRunDemo(f"another program holds {files.directory}: wait a moment and try again")
        # The server of somebody who came at the same moment is on its way up, or that of the last run on its way out.
        await _appearance(files.state)


async def _find(files: Files) -> tuple[State, Line] | None:
    state = await asyncio.to_thread(read_state, files.state)
    line = None if state is None else await Line.open(state)
    return None if state is None or line is None else (state, line)


async def _end(line: Line) -> None:
    """End a server that lingers on after its last program; raise CannotRunDemo where somebody looks at it."""
    answer = await line.ask(AskEnd())
    await line.close()
    if answer is not None and not answer.ok:
        raise CannotRunDemo("a demo is running: quit it in the other terminal, then reset")


async def _appearance(state: Path) -> None:
    """Wait a little for a running demo to show itself: starting another process to look would slow it down."""
    for _ in range(10):
        await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        if await asyncio.to_thread(state.exists):
            return


async def _hold(state: State, line: Line, files: Files, *, joined: bool) -> RunningDemo:
    try:
        return RunningDemo(state, files, line, await _device(line, state, files), joined=joined)
    except BaseException:
        await line.close()
        raise


async def _device(line: Line, state: State, files: Files) -> Device:
    answer = await line.ask(AskDevice())
    if answer is None or answer.session is None or answer.device_name is None:
        raise NotConnected("the demo's server has gone: start `tui-chat demo` again")
    now = system_clock()
    credentials = StoredCredentials.of(answer.session, server_url=state.url, device_name=answer.device_name, now=now)
    return Device(credentials, files.cache(answer.device_name))


async def _launch(files: Files, reset: bool) -> Report:
    """Start the server's process and wait for its word. Cancelled, it leaves it to itself: what it fills stays, and it
    ends then, because nobody waits for it."""
    root = str(Path(tui_chat.__file__).parents[1])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    command = [sys.executable, "-P", "-m", "tui_chat.demo.host", str(files.directory.resolve())]
    log = os.open(files.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)  # emptied by the one that gets the lock
    try:
        starter = subprocess.Popen(  # noqa: ASYNC220, S603 - it returns at once; our own program
            [*command, "--reset"] if reset else command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd="/",
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            start_new_session=True,
        )
    finally:
        os.close(log)
    try:
        line = await _first_line(starter)
        await asyncio.to_thread(starter.wait)
    finally:
        if starter.poll() is None:  # cancelled before the server's process had left it: then there is none
            starter.kill()
            starter.wait()
    return msgspec.json.decode(line, type=Report) if line else Report()


async def _first_line(process: "subprocess.Popen[bytes]") -> bytes:
    assert process.stdout is not None
    reader = asyncio.StreamReader()
    pipe, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), process.stdout
    )
    try:
        return await reader.readline()
    finally:
        pipe.close()
