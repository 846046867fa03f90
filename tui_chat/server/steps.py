"""Coroutines without a task: for work that mostly ends after one thing that it waits for."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

_NO_FUTURE: Final = "a coroutine that is driven without a task can await futures alone"


class Steps:
    """A coroutine on its way: `begin` takes its first step at once, and each other one follows when the future that it
    awaits is done.

    A task takes its first step in the loop's next turn, and to make it, enter it, leave it and find it again costs as
    much as to read a small request. What runs here finds no `asyncio.current_task()`: it must not use
    `asyncio.timeout`, nor what is made of it.
    """

    __slots__ = ("_awaited", "_coroutine", "_ended", "_loop")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        coroutine: Coroutine[Any, Any, None],
        ended: Callable[["Steps", BaseException | None], None],
    ) -> None:
        """`ended` is called at the end, with what was raised."""
        self._loop = loop
        self._coroutine = coroutine
        self._ended = ended
        self._awaited: asyncio.Future[Any] | None = None

    def begin(self) -> None:
        """Go on to the first thing that has to be waited for, or to the end."""
        self._step()

    def cancel(self, msg: Any = None) -> bool:
        """Cancel what is awaited, as a task's `cancel` does; whether that can be."""
        return self._awaited is not None and self._awaited.cancel(msg)

    def _step(self, _done: object = None) -> None:
        try:
            awaited = self._coroutine.send(None)
        except StopIteration:
            self._ended(self, None)
        except BaseException as failure:
            self._ended(self, failure)
            if isinstance(failure, KeyboardInterrupt | SystemExit):
                raise
        else:
            self._wait_for(awaited)

    def _wait_for(self, awaited: Any) -> None:
        # What a future's `__await__` says to a task: https://peps.python.org/pep-3156/, asyncio/futures.py.
        if getattr(awaited, "_asyncio_future_blocking", False):
            awaited._asyncio_future_blocking = False
            self._awaited = awaited
            awaited.add_done_callback(self._step)
        elif awaited is None:  # asyncio.sleep(0)
            self._loop.call_soon(self._step)
        else:
            self._coroutine.close()
            self._ended(self, RuntimeError(_NO_FUTURE))
