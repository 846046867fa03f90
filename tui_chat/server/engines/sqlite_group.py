"""Jobs that share one commit of SQLite. Whoever uses it has the connection for himself until the commit is over."""

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable, Sequence
from typing import Any

from tui_chat.protocol.errors import StorageFull, Unavailable

from . import Alike, Clock, Committed, Emitted, Revoked, TakesLong, Transaction
from .sqlite_files import with_patience
from .sqlite_transaction import SqliteTransaction

_log = logging.getLogger(__name__)


class Job:
    """A transaction that somebody waits for."""

    __slots__ = ("brief", "failure", "future", "result", "transaction", "work")

    def __init__(self, work: Callable[[Transaction], Any], future: "asyncio.Future[Any]", brief: bool) -> None:
        self.work = work
        self.future = future
        self.brief = brief
        """See Engine.write."""
        self.result: Any = None
        self.failure: BaseException | None = None
        self.transaction: SqliteTransaction | None = None

    def is_like(self, other: "Job") -> bool:
        """Whether both can be carried out together."""
        return isinstance(self.work, Alike) and type(self.work) is type(other.work)

    def answer(self) -> None:
        """Tell who waits what came of it; whoever has gone meanwhile undoes nothing."""
        if self.future.done():
            return
        if self.failure is not None:
            self.future.set_exception(self.failure)
        else:
            self.future.set_result(self.result)


class Group:
    """Jobs from BEGIN to COMMIT, each of which fails alone: `begin`, `run_in_haste` as often as wanted, and `commit`;
    or `run` and `commit`.

    A savepoint for each would cost each two statements more. So there are none until a job fails that had changed
    something, which next to none does: then everything is undone, and done again with them.
    """

    def __init__(self, connection: sqlite3.Connection, clock: Clock) -> None:
        self.jobs: list[Job] = []
        self.refused = False
        """The database itself refused it, or one of its jobs."""
        self.wrote = False
        """Something was changed, and is committed."""
        self.seconds = 0.0
        """From its beginning to the end of its commit."""
        self.commit_seconds = 0.0
        """Of these, the commit."""
        self._connection = connection
        self._clock = clock
        self._in_haste = False
        """Whoever takes long is to say so, and ends there."""
        self._changes = connection.total_changes
        self._began = time.perf_counter()

    @property
    def changed(self) -> bool:
        """Something was changed, so that the commit has to reach the disk."""
        return self._connection.total_changes != self._changes

    def begin(self) -> bool:
        """Begin without waiting for anybody. False where that cannot be: then nothing has happened."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error:
            return False
        return True

    def run_in_haste(self, jobs: Sequence[Job]) -> bool:
        """Run some jobs in haste, together where there are several, who are Alike. False where one of them would leave
        something behind, or takes long: then nothing has happened, and all that are in `jobs` are to be run again, by
        `run` of another group."""
        self._in_haste = True
        self.jobs += jobs
        if self._run_stretch(jobs):
            return self._connection.in_transaction
        self._undo()
        return False

    def run(self, jobs: Sequence[Job]) -> None:
        """Run all jobs, and wait where another connection is writing."""
        self.jobs += jobs
        connection = self._connection
        try:
            self._begin()
            if not all(map(self._try_alone, jobs)):
                self._undo()
                if len(jobs) == 1:
                    return
                self.refused = False
                self._begin()
                for job in jobs:
                    self._try_under_savepoint(job)
            if not connection.in_transaction:
                raise StorageFull()
        except (sqlite3.Error, StorageFull) as failure:
            self._give_up(failure)

    def commit(self) -> None:
        """Have everything happen, or nothing of it where the database refuses."""
        began = time.perf_counter()
        if self._connection.in_transaction:
            try:
                self._connection.execute("COMMIT")
                self.wrote = self.changed
            except sqlite3.Error as failure:
                self._give_up(failure)
        ended = time.perf_counter()
        self.seconds, self.commit_seconds = ended - self._began, ended - began

    def committed(self) -> Committed:
        """What came of it."""
        emitted: list[Emitted] = []
        revoked: list[Revoked] = []
        settings = None
        for job in self.jobs:
            if job.failure is None and job.transaction is not None:
                emitted += job.transaction.emitted
                revoked += job.transaction.revoked
                settings = job.transaction.settings_changed or settings
        return Committed(emitted=emitted, revoked=revoked, settings_changed=settings)

    def _begin(self) -> None:
        if not self.begin():
            with_patience(self._connection, "BEGIN IMMEDIATE")

    def _undo(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def _give_up(self, failure: Exception) -> None:
        refusal = as_refusal(failure)
        self.refused = True
        self._undo()
        for job in self.jobs:
            job.failure = refusal

    def _try_alone(self, job: Job) -> bool:
        """Run a job; False where it fails and had changed something, or where SQLite gave them all up with it."""
        connection = self._connection
        before = connection.total_changes
        self._try(job)
        return job.failure is None or (connection.total_changes == before and connection.in_transaction)

    def _run_stretch(self, jobs: Sequence[Job]) -> bool:
        together = 0
        if len(jobs) > 1:
            try:
                together = self._try_together(jobs)
            except (sqlite3.Error, TakesLong):
                return False  # Those whom it concerns are told of it when each is run alone.
            except Exception:
                _log.exception("jobs could not be carried out together, and are carried out one by one")
                return False
        return all(self._try_alone(job) and not isinstance(job.failure, TakesLong) for job in jobs[together:])

    def _try_together(self, jobs: Sequence[Job]) -> int:
        """Run the first of these jobs as one; how many of them."""
        transaction = self._transaction()
        first = jobs[0].work
        assert isinstance(first, Alike)
        results = first.together(transaction, [job.work for job in jobs])
        for job, result in zip(jobs, results, strict=False):
            job.result = result
        jobs[0].transaction = transaction
        return len(results)

    def _transaction(self) -> SqliteTransaction:
        return SqliteTransaction(self._connection, self._clock(), in_haste=self._in_haste)

    def _try(self, job: Job) -> None:
        job.failure = None
        job.transaction = self._transaction()
        try:
            job.result = job.work(job.transaction)
        except sqlite3.OperationalError as failure:
            job.failure = as_refusal(failure)
            if isinstance(job.failure, Unavailable):
                self.refused = True
        except BaseException as failure:
            job.failure = failure

    def _try_under_savepoint(self, job: Job) -> None:
        connection = self._connection
        if not connection.in_transaction:
            return  # SQLite gave the whole group up (disk full); `run` refuses all of it
        connection.execute("SAVEPOINT job")
        self._try(job)
        if connection.in_transaction:
            if job.failure is not None:
                connection.execute("ROLLBACK TO job")
            connection.execute("RELEASE job")


def as_refusal(failure: Exception) -> BaseException:
    """What a caller is told of a failure of the database."""
    if isinstance(failure, StorageFull):
        return failure
    code = getattr(failure, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return StorageFull()
    if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN):
        return Unavailable(f"the database cannot be used just now: {failure}")
    return failure
