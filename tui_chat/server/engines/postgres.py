"""PostgreSQL: threads with a connection each; jobs that wait share a transaction.

Locks cannot make transactions wait for each other in a circle (see postgres_locks.py); what else comes between
two of them, as a name that both want, makes the later one begin anew, which it can, being a function of its
transaction alone. Events are handed out in the order of commits, of which the database does not tell: whoever is about
to commit takes a place in a row while it still holds its locks, and the row is served in order.
"""

import asyncio
import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Final, TypeVar, cast

import psycopg

from tui_chat.clock import system_clock
from tui_chat.protocol.errors import ChatError, StorageFull, Unavailable

from . import Clock, Committed, DatabaseSize, Emitted, Revoked, Transaction
from .postgres_connection import as_refusal, connect, described, in_full, is_race, migrate
from .postgres_locks import Busy, Locks, Wanted
from .postgres_session import Session
from .postgres_transaction import PostgresTransaction

_log = logging.getLogger(__name__)

T = TypeVar("T")

WRITERS: Final = 4
READERS: Final = 4
GROUP: Final = 32
"""Jobs in one transaction, at most; all but the first take only locks that nobody holds."""
SHARES: Final = 2
"""So many writers share what waits: fewer than there are, which leaves some for what comes while these are busy, and
makes larger transactions (measured, 90 requests at a time: 4 shares 810 to 930 µs of the server a message, 2 shares 700
to 770)."""
TOGETHER: Final = 2
"""So often jobs are tried in one transaction, when one of them spoils it for the others."""
ATTEMPTS: Final = 8
"""So often a job that somebody else came before is begun anew."""
PAUSE_SECONDS: Final = 0.02
"""Before the third attempt, at most; the double before each that follows."""
DOWN_SECONDS: Final = 0.5
"""After a connection could not be made, nobody tries again for so long: what comes meanwhile is refused at once."""


class _Job:
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


class _Place:
    """Jobs whose transaction is being committed, or is."""

    __slots__ = ("done", "jobs")

    def __init__(self, jobs: list[_Job]) -> None:
        self.jobs = jobs
        self.done = False


class _LostAtCommit(Exception):
    """The connection broke while the transaction was being committed: nobody knows whether it was."""


class PostgresEngine:
    """A database that other processes may use too. Use `open`."""

    def __init__(self, address: str, clock: Clock, loop: asyncio.AbstractEventLoop) -> None:
        self._address = address
        self.clock: Final = clock
        self._loop = loop
        self._listeners: list[Callable[[Committed], None]] = []
        self._observers: list[Callable[[int, float], None]] = []
        self._trouble: str | None = None
        self._closed = False
        self._down_until = 0.0
        self._logged = ""
        """What the database said last when it could not be used."""
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._row: deque[_Place] = deque()
        self._row_lock = threading.Lock()
        self._reading = ThreadPoolExecutor(READERS, thread_name_prefix="postgres-reader")
        self._readers: SimpleQueue[Session | None] = SimpleQueue()
        for _ in range(READERS):
            self._readers.put(None)
        self._threads = [
            threading.Thread(target=self._run, name="postgres-writer", daemon=True) for _ in range(WRITERS)
        ]
        for thread in self._threads:
            thread.start()

    @classmethod
    async def open(cls, address: str, *, clock: Clock | None = None) -> "PostgresEngine":
        """Use the database at `address`, and bring its schema up to date.

        Raises:
            Unavailable: it cannot be reached, or refuses.
            RuntimeError: it was written by a newer version, or is of a kind that cannot be used.
        """
        clock = clock or system_clock
        await asyncio.to_thread(cls._prepare, address, clock)
        return cls(address, clock, asyncio.get_running_loop())

    @staticmethod
    def _prepare(address: str, clock: Clock) -> None:
        try:
            with connect(address) as connection:
                migrate(connection, clock())
        except psycopg.Error as failure:
            raise in_full(failure) from failure

    def on_commit(self, listener: Callable[[Committed], None]) -> None:
        """Call `listener` on the loop's thread after each transaction, in an order that is every user's."""
        self._listeners.append(listener)

    def on_group(self, observer: Callable[[int, float], None]) -> None:
        """Call `observer` on a writer's thread with each transaction's number of jobs and the seconds that it took."""
        self._observers.append(observer)

    @property
    def trouble(self) -> str | None:
        """Why the newest transaction was refused by the database itself; None where it was not."""
        return self._trouble

    async def size(self) -> DatabaseSize:
        """The database's size; what is empty in it the server itself fills again."""
        row = await self.read(lambda tx: tx.one("SELECT pg_database_size(current_database())"))
        return DatabaseSize(used=0 if row is None else row[0], free=0)

    async def reclaim(self) -> bool:
        """Nothing to do: the server vacuums by itself."""
        return False

    async def backup(self, target: Path) -> None:
        """Refuse: the server has its own means, which know of its logs and of its other databases. Raises
        Unavailable."""
        raise Unavailable("this server's data is in PostgreSQL: make backups there, with pg_dump or pg_basebackup")

    async def write(self, job: Callable[[Transaction], T]) -> T:
        """Run `job` on a writer's thread; see Engine.write. Cancelling the wait does not undo the job.

        Raises:
            Unavailable: also where the connection broke while the transaction was being committed, and nobody knows
                whether it was; whoever repeats what has a clientID or an operationID does nothing twice.
        """
        if self._closed:
            raise Unavailable("the server is shutting down: try again")
        future: asyncio.Future[Any] = self._loop.create_future()
        self._queue.put(_Job(job, future))
        return cast(T, await future)

    async def read(self, job: Callable[[Transaction], T]) -> T:
        """Run `job` on a reader's thread, on one consistent state."""
        if self._closed:
            raise Unavailable("the server is shutting down: try again")
        return await self._loop.run_in_executor(self._reading, self._read, job)

    async def close(self) -> None:
        """Finish what is queued, and close the connections."""
        if self._closed:
            return
        self._closed = True
        self._queue.put(None)
        await asyncio.to_thread(self._finish)
        self._serve_row()

    def _finish(self) -> None:
        for thread in self._threads:
            thread.join()
        self._reading.shutdown()
        for _ in range(READERS):
            session = self._readers.get_nowait()
            if session is not None:
                session.close()

    def connected(self, session: Session | None) -> Session:
        """The session, or another one where that is broken. Raises Unavailable."""
        if session is not None and not session.closed:
            return session
        if time.monotonic() < self._down_until:
            raise Unavailable("the database cannot be reached just now")
        try:
            session = Session(connect(self._address))
        except psycopg.Error as failure:
            self._down_until = time.monotonic() + DOWN_SECONDS
            raise self.refusal(failure) from failure
        self._logged = ""
        return session

    def refusal(self, failure: BaseException) -> BaseException:
        """What a caller is told of a failure of the database. What that said goes into the log, once in a row."""
        refusal = as_refusal(failure)
        if refusal is not failure and (said := described(failure)) != self._logged:
            self._logged = said
            _log.warning("%s: %s", refusal, said)
        return refusal

    def _read(self, job: Callable[[Transaction], T]) -> T:
        session = self._readers.get()
        try:
            for attempt in (1, 2):
                used = session is not None
                session = self.connected(session)
                try:
                    return self._read_in(session, job)
                except psycopg.Error as failure:
                    # One that was idle may have been broken for long: the server was restarted.
                    if not (session.closed and used and attempt == 1):
                        raise self.refusal(failure) from failure
            raise AssertionError("a new connection is not tried twice")
        finally:
            self._readers.put(session)

    def _read_in(self, session: Session, job: Callable[[Transaction], T]) -> T:
        session.post("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            return job(PostgresTransaction(session, self.clock, Locks(session)))
        finally:
            if not session.closed:
                session.end_reading()

    def _run(self) -> None:
        writer = _Writer(self)
        while True:
            job = self._queue.get()
            if job is None:
                self._queue.put(None)  # for the next thread
                writer.close()
                return
            jobs = [job]
            # Where little waits, each job has a transaction of its own.
            wanted = min(GROUP, 1 + self._queue.qsize() // SHARES)
            while len(jobs) < wanted:
                try:
                    following = self._queue.get_nowait()
                except Empty:
                    break
                if following is None:
                    self._queue.put(None)
                    break
                jobs.append(following)
            began = time.perf_counter()
            writer.work(jobs)
            for observer in self._observers:
                observer(len(jobs), time.perf_counter() - began)

    def take_place(self, jobs: list[_Job]) -> _Place:
        """Where a transaction stands that is about to be committed."""
        place = _Place(jobs)
        with self._row_lock:
            self._row.append(place)
        return place

    def answer(self, place: _Place) -> None:
        """The transaction of that place is committed, or failed; its jobs say which."""
        place.done = True
        self._loop.call_soon_threadsafe(self._serve_row)

    def note(self, refusal: BaseException | None) -> None:
        """What became of the newest transaction, as far as it was up to the database."""
        if refusal is None:
            self._trouble = None
        elif isinstance(refusal, StorageFull | Unavailable):
            self._trouble = str(refusal)

    def _serve_row(self) -> None:
        while self._row and self._row[0].done:
            self._deliver(self._row.popleft().jobs)

    def _deliver(self, jobs: list[_Job]) -> None:
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


class _Writer:
    """One thread's session, and what it does with it."""

    def __init__(self, engine: PostgresEngine) -> None:
        self._engine = engine
        self._session: Session | None = None

    def close(self) -> None:
        """Let the connection go."""
        if self._session is not None:
            self._session.close()

    def work(self, jobs: list[_Job]) -> None:
        """Run jobs, and answer each of them."""
        alone: list[_Job] = []
        for _ in range(TOGETHER):
            if len(jobs) > 1:
                jobs = self._together(jobs, alone)
        for job in alone + jobs:
            try:
                self._alone(job)
            except Exception as failure:
                self._refuse([job], failure)

    def _together(self, jobs: list[_Job], alone: list[_Job]) -> list[_Job]:
        """Run jobs in one transaction. Those that are to be run by themselves are added to `alone`.

        There are no savepoints, each of which costs as much as a message: where one spoils the transaction by failing
        after it wrote something, that one is run by itself, and the others, which are returned, are run once more.
        """
        done: list[_Job] = []
        try:
            session = self._session = self._engine.connected(self._session)
            session.post("BEGIN")
            locks = Locks(session)
            for job in jobs:
                try:
                    self._try(job, session, locks)
                    locks.settle()
                except Busy:
                    job.failure = None
                    alone.append(job)
                    if job.wrote:
                        return self._once_more(jobs, alone)
                except psycopg.Error:
                    alone.append(job)
                    raise
                else:
                    if job.failure is None or not job.wrote:
                        done.append(job)
                    else:
                        alone.append(job)
                        return self._once_more(jobs, alone)
                locks.waits = False
            self._commit(session, done)
        except _LostAtCommit as failure:
            self._refuse(done, Unavailable(str(failure)))
        except (psycopg.Error, ChatError):
            return self._once_more(jobs, alone)
        return []

    def _once_more(self, jobs: list[_Job], alone: list[_Job]) -> list[_Job]:
        """Nothing happened of these; which are to be run again."""
        self._roll_back()
        for job in jobs:
            job.failure = None
        return [job for job in jobs if job not in alone]

    def _alone(self, job: _Job) -> None:
        """Run a job in a transaction of its own, as often as somebody else comes before it."""
        pause = PAUSE_SECONDS
        for attempt in range(1, ATTEMPTS + 1):
            used = self._session is not None
            try:
                session = self._session = self._engine.connected(self._session)
                session.post("BEGIN")
                locks = Locks(session)
                locks.take_first(job.wanted)
                self._try(job, session, locks)
                locks.settle()
                if job.failure is None:
                    self._commit(session, [job])
                else:
                    self._roll_back()
                    self._engine.answer(self._engine.take_place([job]))
                return
            except _LostAtCommit as failure:
                self._refuse([job], Unavailable(str(failure)))
                return
            except ChatError as failure:
                self._refuse([job], failure)
                return
            except (Busy, psycopg.Error) as failure:
                broken = not self._roll_back()
                again = isinstance(failure, Busy) or is_race(failure) or (broken and used and attempt == 1)
                if not again or attempt == ATTEMPTS:
                    refusal = Unavailable("too many at once: try again") if isinstance(failure, Busy) else failure
                    self._refuse([job], self._engine.refusal(refusal))
                    return
                if attempt > 1:
                    time.sleep(random.uniform(0, pause))  # noqa: S311 - it is only to part two that met
                    pause *= 2

    def _roll_back(self) -> bool:
        """End the transaction; whether the connection is still good."""
        if self._session is None or self._session.closed:
            return False
        try:
            self._session.roll_back()
        except psycopg.Error:
            self._session.close()
            return False
        return True

    def _try(self, job: _Job, session: Session, locks: Locks) -> None:
        """Run a job in the transaction that was begun; what it raises itself stands in it afterwards.

        Raises:
            Busy, psycopg.Error: it is the database's doing.
        """
        job.transaction = PostgresTransaction(session, self._engine.clock, locks)
        job.failure = None
        locks.asked = job.wanted
        try:
            job.result = job.work(job.transaction)
        except (Busy, psycopg.Error):
            raise
        except BaseException as failure:
            job.failure = failure

    def _commit(self, session: Session, jobs: list[_Job]) -> None:
        """Commit, and answer these jobs, all of whose locks are held.

        Raises:
            psycopg.Error: it was refused; nothing happened.
            _LostAtCommit.
        """
        place = self._engine.take_place(jobs)
        try:
            session.commit()
        except psycopg.Error as failure:
            place.jobs = []
            self._engine.answer(place)
            if session.closed:
                raise _LostAtCommit(
                    "the database was lost in the middle: what you did may or may not have happened"
                ) from failure
            raise
        self._engine.note(None)
        self._engine.answer(place)

    def _refuse(self, jobs: list[_Job], refusal: BaseException) -> None:
        self._engine.note(refusal)
        for job in jobs:
            job.failure = refusal
        self._engine.answer(self._engine.take_place(jobs))
