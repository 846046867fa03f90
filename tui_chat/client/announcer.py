"""Changes on their way to those who show them: collected for one turn of the event loop, delivered in order."""

import asyncio
from collections.abc import Callable

from .changes import Change, Notice

Listener = Callable[[list[Change]], None]


class Announcer:
    """Who listens, and what they have not been told yet."""

    def __init__(self) -> None:
        self._listeners: dict[int, Listener] = {}
        self._next = 0
        self._waiting: list[Change] = []
        self._unheard: list[Change] = []
        """Notices from before anybody listened. All else the first listener reads from the state."""

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Deliver to `listener` from now on; returns what ends that."""
        self._next += 1
        key = self._next
        self._listeners[key] = listener
        notices, self._unheard = self._unheard, []
        self.put(*notices)
        return lambda: self._listeners.pop(key, None) and None

    def put(self, *changes: Change) -> None:
        """Deliver these with what else this turn of the loop brings."""
        if not changes:
            return
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._deliver)
        self._waiting.extend(changes)

    def _deliver(self) -> None:
        changes, self._waiting = self._waiting, []
        if not self._listeners:
            self._unheard.extend(change for change in changes if isinstance(change, Notice))
        for listener in list(self._listeners.values()):
            try:
                listener(list(changes))
            except Exception as error:  # one listener's fault must not cost the others their changes
                loop = asyncio.get_running_loop()
                loop.call_exception_handler({"message": "a listener of the session failed", "exception": error})
