"""Servers for tests: one in this process on a thread of its own, and one as a real process that can be killed."""

import asyncio
import itertools
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any, TypeVar

from tests.accounts import DEADLINE
from tui_chat.protocol.models import Settings
from tui_chat.protocol.requests import ChangeSettings
from tui_chat.server.engines import Transaction
from tui_chat.server.operations import expiry, settings
from tui_chat.server.options import HashParameters
from tui_chat.server.run import Running, ServerOptions, new_event_loop, running

Result = TypeVar("Result")

START_MS = 1_760_000_000_000
"""Where tests' clocks begin: in October 2025."""
CHEAP = HashParameters(memory_kib=8)
"""Passwords that cost nothing."""


class AdjustableClock:
    """Milliseconds since 1970 that go on by one with every look, and by as much as a test says."""

    def __init__(self) -> None:
        self._ticks = itertools.count(1)
        self._advanced = 0
        self._jumped = 0
        self._stood_still: float | None = None

    def __call__(self) -> int:
        return START_MS + next(self._ticks) + self._advanced + self._jumped

    def monotonic(self) -> float:
        """Seconds, for limits: the machine's, and what a test adds."""
        return (self._stood_still or time.monotonic()) + self._advanced / 1000

    def stand_still(self) -> None:
        """For limits no time passes any more but what a test adds: however long it takes to come to one."""
        self._stood_still = time.monotonic()

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._advanced += int(seconds * 1000)

    def jump(self, seconds: float) -> None:
        """Set the machine's clock forward or back, while no time passes."""
        self._jumped += int(seconds * 1000)


class LiveServer:
    """A real server, with its own event loop on its own thread, and what tests want to do behind its back."""

    def __init__(self, data: Path, **options: Any) -> None:
        self.clock = AdjustableClock()
        self.options = ServerOptions(**{"port": 0, "data": data, "passwords": CHEAP, **options})
        self._thread = threading.Thread(target=self._run, name="test-server", daemon=True)
        self._started: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
        self._thread.start()
        failure = self._started.get(timeout=DEADLINE)
        if failure is not None:
            raise failure
        self.url = self.running.listening.url

    def stop(self) -> None:
        """Stop it gracefully."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(DEADLINE)
        assert not self._thread.is_alive(), "the server does not stop"

    def write(self, job: Callable[[Transaction], Result]) -> Result:
        """Run a job in a transaction of its own."""
        return asyncio.run_coroutine_threadsafe(self.running.engine.write(job), self._loop).result(DEADLINE)

    def read(self, job: Callable[[Transaction], Result]) -> Result:
        """Run a job that only reads."""
        return asyncio.run_coroutine_threadsafe(self.running.engine.read(job), self._loop).result(DEADLINE)

    def change_settings(self, **changes: Any) -> Settings:
        """Change settings as whoever runs the server does."""
        return self.write(lambda tx: settings.apply(tx, ChangeSettings(**changes)))

    def tidy(self) -> None:
        """Do what the server does from time to time: fold in what expired, erase what nobody can see."""
        while sum(map(self.write, expiry.PIECES)):
            pass

    def tidy_soon(self) -> None:
        """Have the server tidy by itself, and now."""
        self._loop.call_soon_threadsafe(self.running.services.tidy_soon)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        async with AsyncExitStack() as stack:
            server = running(self.options, clock=self.clock, monotonic=self.clock.monotonic)
            try:
                self.running: Running = await stack.enter_async_context(server)
            except Exception as error:
                self._started.put(error)
                return
            self._started.put(None)
            await self._stop.wait()


class ServerProcess:
    """`python -m tui_chat serve` as a child that can be killed and started again on the same port and data."""

    def __init__(self, data: Path, *words: str) -> None:
        """`words`: further options of `serve`."""
        self.data = data
        self._words = words
        self._port = 0
        self._process: subprocess.Popen[str] | None = None
        self.start()

    def start(self) -> None:
        """Start it; the first time on a free port, later on the same."""
        command = [sys.executable, "-m", "tui_chat", "serve", "--port", str(self._port), "--data", str(self.data)]
        command += self._words
        environment = {**os.environ, "HOME": str(self.data), "PYTHONWARNINGS": "error"}
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        output = self._process.stdout
        assert output is not None
        threading.Thread(target=lambda: lines.put(output.readline()), daemon=True).start()
        line = lines.get(timeout=3 * DEADLINE)
        if not line.startswith("Listening on http"):
            self.kill()
            raise AssertionError(f"the server did not start: {line!r}")
        self.url = line.split()[-1]
        self._port = int(self.url.rpartition(":")[2])

    @property
    def pid(self) -> int:
        """Its number, while it runs."""
        assert self._process is not None, "it does not run"
        return self._process.pid

    def send_signal(self, which: signal.Signals) -> None:
        """Send it a signal, such as SIGSTOP, SIGCONT, SIGHUP."""
        os.kill(self.pid, which)

    def kill(self) -> None:
        """As kill -9 does: nothing is finished."""
        self.end(signal.SIGKILL)

    def terminate(self) -> int:
        """As a service manager does; the exit status."""
        return self.end(signal.SIGTERM)

    def restart(self) -> None:
        """Kill it and start it again."""
        self.kill()
        self.start()

    def end(self, how: signal.Signals) -> int:
        """Send a signal and wait; the exit status."""
        process = self._process
        if process is None:
            return 0
        self._process = None
        process.send_signal(how)
        try:
            return process.wait(2 * DEADLINE)
        finally:
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
