"""The order of commits, in which callers are answered and events handed out.

The database does not tell in which order transactions were committed: whoever is about to commit takes a place in a row
while it still holds its locks, and the row is served in order.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from tui_chat.protocol.errors import StorageFull, Unavailable

from . import Committed, Emitted, Revoked, Transaction
from .postgres_locks import Wanted
from .postgres_transaction import PostgresTransaction


class Job:
    """A transaction that somebody waits for."""

    __slots__ = ("failure", "future", "result", "transaction", "wanted", "work")

    def __init__(self, work: Callable[[Transaction], Any], future: "asyncio.Future[Any]") -> None:
        self.work = work
        self.future = future
        self.wanted = Wanted()
        """Locks that earlier attempts have asked for."""
        self.result: Any = None
        self.failure: BaseException | None = None
        self.transaction: PostgresTransaction | None = None

    @property
    def wrote(self) -> bool:
        """Whether it changed anything."""
        return self.transaction is not None and self.transaction.wrote


class Place:
    """Jobs whose transaction is being committed, or is."""

    __slots__ = ("done", "jobs")

    def __init__(self, jobs: list[Job]) -> None:
        self.jobs = jobs
        self.done = False


class Commits:
    """The row, served on the event loop's thread; any thread may stand in it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._listeners: list[Callable[[Committed], None]] = []
        self._row: deque[Place] = deque()
        self._row_lock = threading.Lock()
        self.refusals = 0
        """How many transactions the database itself has refused; exact enough to see that there were more."""

    def tell(self, listener: Callable[[Committed], None]) -> None:
        """Call `listener` on the loop's thread after each transaction, in an order that is every user's."""
        self._listeners.append(listener)

    def take_place(self, jobs: list[Job]) -> Place:
        """Where a transaction stands that is about to be committed."""
        place = Place(jobs)
        with self._row_lock:
            self._row.append(place)
        return place

    def answer(self, place: Place) -> None:
        """The transaction of that place is committed, or failed; its jobs say which."""
        place.done = True
        self._loop.call_soon_threadsafe(self.serve)

    def refuse(self, jobs: list[Job], refusal: BaseException) -> None:
        """Nothing happened of these jobs, or nobody knows whether it did; `refusal` says why."""
        if isinstance(refusal, StorageFull | Unavailable):
            self.refusals += 1
        for job in jobs:
            job.failure = refusal
        self.answer(self.take_place(jobs))

    def serve(self) -> None:
        """Answer those at the head of the row who can be; on the loop's thread."""
        while self._row and self._row[0].done:
            self._deliver(self._row.popleft().jobs)

    def _deliver(self, jobs: list[Job]) -> None:
        emitted: list[Emitted] = []
        revoked: list[Revoked] = []
        settings = None
        for job in jobs:
            if job.failure is None and job.transaction is not None:
                emitted += job.transaction.emitted
                revoked += job.transaction.revoked
                settings = job.transaction.settings_changed or settings
        if emitted or revoked or settings is not None:
            committed = Committed(emitted=emitted, revoked=revoked, settings_changed=settings)
            for listener in self._listeners:
                try:
                    listener(committed)
                except Exception as failure:
                    self._loop.call_exception_handler({"message": "a commit listener failed", "exception": failure})
        for job in jobs:
            if job.future.done():
                continue  # whoever waited has gone; what was asked for is done all the same
            if job.failure is not None:
                job.future.set_exception(job.failure)
            else:
                job.future.set_result(job.result)
