"""An event loop whose time passes only when it is told to: no sockets, no threads, no waiting, the same every time."""

import asyncio
from asyncio import base_events
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar, TypeVarTuple, Unpack

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class _Selector:
    """What the loop waits on: instead of waiting, the clock is put forward."""

    def __init__(self, loop: "SimulatedLoop"):
        self._loop = loop

    def select(self, timeout: float | None) -> list[Any]:
        """Nothing ever comes from outside. Raises RuntimeError where nothing could ever happen again."""
        if timeout is None:
            raise RuntimeError("everything waits for something that cannot come")
        if timeout > 0:
            self._loop.now += timeout
        return []


class SimulatedLoop(base_events.BaseEventLoop):
    """asyncio's own loop on a clock of its own; what would go to a thread is done at once."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        """Seconds since it was made."""
        self.failures: list[dict[str, Any]] = []
        """What was reported to the loop's exception handler."""
        self._selector = _Selector(self)
        self.set_exception_handler(lambda _, context: self.failures.append(context))

    def time(self) -> float:
        """The simulated time, in seconds."""
        return self.now

    def pass_time(self, seconds: float) -> None:
        """Let everything happen that is due within `seconds`."""
        self.call_at(self.now + seconds, self.stop)
        self.run_forever()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Run until `work` is done. Raises TimeoutError where it is not within an hour."""
        return self.run_until_complete(asyncio.wait_for(work, 3_600.0))

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Ts]], T], *args: *Ts
    ) -> "asyncio.Future[T]":
        """Do it now."""
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:
            future.set_exception(error)
        return future

    def _process_events(self, event_list: list[Any]) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """Nobody calls from another thread."""
