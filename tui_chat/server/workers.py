"""Several processes behind one address: a parent that serves nothing, and workers that share its listening socket.

The socket is bound once, by the parent, and inherited. So the port stays taken while a worker is started again, what
waits in its queue is not lost with a worker, and any of them may take the next connection: one that is busy takes none.
(With SO_REUSEPORT each would have a queue of its own, which dies with it, and the kernel would go on giving connections
to one that hangs; and on macOS it does not share them out at all.)

A worker is a fresh interpreter, not a fork: drivers and event loops do not come through a fork everywhere. It is told
what to do on its standard input, and reports on a pipe that it has begun, and from then on every BEAT_SECONDS that its
event loop goes round: one that falls silent is killed, and replaced as one that died. Another pipe tells it when the
parent is gone: then it stops.
"""

import asyncio
import contextlib
import io
import logging
import os
import signal
import socket
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from pathlib import Path
from random import SystemRandom
from typing import Any, Final, NamedTuple

import msgspec

from .bus.pauses import Pauses
from .garbage import collect_rarely
from .logs import Format, Level, logging_to
from .options import CannotServe, ServerOptions
from .run import Listening, at_hangup, listen, new_event_loop, running, stopping_at_signals

FIRST_PAUSE_SECONDS: Final = 0.5
LONGEST_PAUSE_SECONDS: Final = 30.0
BEAT_SECONDS: Final = 1.0
SILENT_SECONDS: Final = 20.0
"""A worker that has not been heard for so long hangs: nothing holds its event loop up for a fraction of that."""
STANDARD_ERROR: Final = 2
FAREWELL_SECONDS: Final = 30.0
"""Workers that have not ended so long after they were told are killed."""

_log = logging.getLogger(__name__)


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker is told."""

    options: ServerOptions
    first: bool
    """Whether it prepares the database and says what there is to be said."""
    log_format: Format
    log_level: Level
    listener: int
    lifeline: int
    report: int


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker answers, once, in a line; after it each byte is a sign of life."""

    listening: Listening | None = None
    refused: str | None = None


class _Worker(NamedTuple):
    """A process, and where it is heard."""

    process: Process
    said: asyncio.StreamReader
    pipe: asyncio.ReadTransport


async def serve_with_workers(
    options: ServerOptions, *, ready: Callable[[Listening], None], log_format: Format, log_level: Level
) -> None:
    """Serve with `options.workers` processes until SIGTERM or SIGINT; at SIGHUP all read their certificates again.

    A worker that ends is started again, after a pause that grows while it does not last. `ready` is called once, when
    the first one accepts connections.

    Raises:
        CannotServe: options that must not be served, the address not available, the first worker cannot start.
    """
    options.check()
    with contextlib.closing(listen(options)) as listener:
        parent = _Parent(options, listener, log_format, log_level)
        try:
            with stopping_at_signals(again=parent.stop) as told:
                ready(await parent.begin())
                with at_hangup(parent.read_certificates):
                    await told.wait()
                _log.info("stopping")
                await parent.end()
        finally:
            parent.close()


class _Parent:
    """Who starts workers."""

    def __init__(self, options: ServerOptions, listener: socket.socket, log_format: Format, log_level: Level) -> None:
        self._options = options
        self._listener = listener
        self._log_format = log_format
        self._log_level = log_level
        # Nobody writes into it: who reads from it hears when the last of us is gone.
        self._lifeline, self._life = os.pipe()
        self._workers: dict[int, _Worker] = {}
        self._begun: set[int] = set()
        """Numbers of those that have reported; one that has not would die of SIGHUP."""
        self._hangups = 0
        self._keeping: list[asyncio.Task[None]] = []

    async def begin(self) -> Listening:
        """Start them, the first one before the others. Raises CannotServe."""
        worker, report = await self._start(0, first=True)
        if report.listening is None:
            await worker.process.wait()
            raise CannotServe(report.refused or "the first worker ended before it had begun")
        self._keeping.append(asyncio.create_task(self._keep(0, worker)))
        self._keeping += [asyncio.create_task(self._keep(number)) for number in range(1, self._options.workers)]
        return report.listening

    def stop(self) -> None:
        """Tell those who run to end."""
        self._signal(signal.SIGTERM)

    def read_certificates(self) -> None:
        """Tell them to; who is just starting is told when it has."""
        self._hangups += 1
        for number in self._begun:
            self._signal(signal.SIGHUP, number)

    async def end(self) -> None:
        """Stop them and wait."""
        for task in self._keeping:
            task.cancel()
        await asyncio.wait(self._keeping)
        self.stop()
        ending = [asyncio.create_task(worker.process.wait()) for worker in self._workers.values()]
        if ending:
            _, late = await asyncio.wait(ending, timeout=FAREWELL_SECONDS)
            if late:
                _log.error("%d workers do not end: they are killed", len(late))
                self._signal(signal.SIGKILL)
                await asyncio.wait(late)

    def close(self) -> None:
        """Let go of everything; who still runs hears of it."""
        for worker in self._workers.values():
            worker.pipe.close()
        os.close(self._lifeline)
        os.close(self._life)

    async def _keep(self, number: int, worker: _Worker | None = None) -> None:
        """Have a worker run, for ever."""
        pauses = Pauses(time.monotonic, SystemRandom(), first=FIRST_PAUSE_SECONDS, longest=LONGEST_PAUSE_SECONDS)
        if worker is not None:
            pauses.succeeded()
        while True:
            if worker is None:
                worker, report = await self._start(number, first=False)
                if report.listening is not None:
                    pauses.succeeded()
                else:
                    _log.error("worker %d cannot start: %s", number + 1, report.refused or "it ended at once")
            status = await self._ended(number, worker)
            worker.pipe.close()
            del self._workers[number]
            self._begun.discard(number)
            worker, seconds = None, pauses.next()
            _log.error("worker %d ended (%s); again in %.1f s", number + 1, _ending(status), seconds)
            await asyncio.sleep(seconds)

    async def _ended(self, number: int, worker: _Worker) -> int:
        """Wait until a worker has ended, which one that falls silent is made to; its status."""
        silent = 0
        while True:
            try:
                async with asyncio.timeout(SILENT_SECONDS / 2):
                    heard = await worker.said.read(4096)
            except TimeoutError:
                # Twice half of it: if it was this process that stood still, there is something to be read now.
                silent += 1
                if silent < 2:
                    continue
                _log.error("worker %d has not been heard for %.0f s: it is killed", number + 1, SILENT_SECONDS)
                self._signal(signal.SIGKILL, number)
                heard = b""
            if not heard:
                return await worker.process.wait()
            silent = 0

    async def _start(self, number: int, *, first: bool) -> tuple[_Worker, Report]:
        """Start a worker and wait for its word."""
        # What was said at the start holds at the start: an administrator may have changed it since.
        hangups = self._hangups
        options = self._options if first else msgspec.structs.replace(self._options, sync_deletions=None)
        reading, writing = os.pipe()
        try:
            order = Order(
                options=options,
                first=first,
                log_format=self._log_format,
                log_level=self._log_level,
                listener=self._listener.fileno(),
                lifeline=self._lifeline,
                report=writing,
            )
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                __name__,
                stdin=PIPE,
                stdout=STANDARD_ERROR,
                pass_fds=(order.listener, order.lifeline, writing),
                # The terminal's Ctrl+C is for the parent, which tells the workers once.
                start_new_session=True,
            )
        except BaseException:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        said = asyncio.StreamReader()
        pipe, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(said), os.fdopen(reading, "rb", buffering=0)
        )
        worker = self._workers[number] = _Worker(process, said, pipe)
        assert process.stdin is not None
        process.stdin.write(msgspec.json.encode(order, enc_hook=str))
        process.stdin.close()
        first_word = await said.readline()
        report = msgspec.json.decode(first_word, type=Report) if first_word else Report()
        if report.listening is not None:
            self._begun.add(number)
            if hangups != self._hangups:
                self._signal(signal.SIGHUP, number)
        return worker, report

    def _signal(self, which: signal.Signals, *numbers: int) -> None:
        """Send it to these workers; to all where none is named."""
        for number in numbers or list(self._workers):
            with contextlib.suppress(ProcessLookupError):
                self._workers[number].process.send_signal(which)


def _ending(status: int) -> str:
    return f"status {status}" if status >= 0 else f"signal {-status}"


async def _work(order: Order) -> None:
    """A worker's life."""
    loop = asyncio.get_running_loop()
    listener = socket.socket(fileno=order.listener)
    with stopping_at_signals() as told, os.fdopen(order.report, "wb", buffering=0) as report:

        def orphaned() -> None:
            loop.remove_reader(order.lifeline)
            told.set()

        loop.add_reader(order.lifeline, orphaned)
        beating: asyncio.Task[None] | None = None
        try:
            async with running(order.options, listener=listener, first=order.first) as server:
                with at_hangup(server.read_certificates):
                    collect_rarely()
                    report.write(msgspec.json.encode(Report(listening=server.listening)) + b"\n")
                    beating = asyncio.create_task(_beat(report))
                    await told.wait()
        except CannotServe as refusal:
            report.write(msgspec.json.encode(Report(refused=str(refusal))) + b"\n")
            raise SystemExit(1) from None
        finally:
            if beating is not None:
                beating.cancel()
            loop.remove_reader(order.lifeline)


async def _beat(report: io.RawIOBase | io.BufferedIOBase) -> None:
    """Show that the event loop goes round, until the end."""
    os.set_blocking(report.fileno(), False)
    while True:
        with contextlib.suppress(OSError):  # Nobody reads it: the parent stands still, or has gone.
            report.write(b".")
        await asyncio.sleep(BEAT_SECONDS)


def _decoded(kind: type, value: Any) -> Any:
    if kind is Path:
        return Path(value)
    raise NotImplementedError(kind)


def main() -> None:
    """Run as a worker."""
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order, dec_hook=_decoded)
    with (
        logging_to(form=order.log_format, level=order.log_level),
        asyncio.Runner(loop_factory=new_event_loop) as runner,
    ):
        runner.run(_work(order))


if __name__ == "__main__":
    main()
