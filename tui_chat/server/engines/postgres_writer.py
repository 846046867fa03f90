"""A thread that writes to PostgreSQL: jobs that wait share a transaction.

Locks cannot make transactions wait for each other in a circle (see postgres_locks.py); what else comes between
two of them, as a name that both want, makes the later one begin anew, which it can, being a function of its
transaction alone.
"""

import random
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Final

import psycopg

from tui_chat.protocol.errors import ChatError, Unavailable

from . import Clock
from .postgres_commits import Commits, Job
from .postgres_connection import is_race
from .postgres_locks import Busy, Locks
from .postgres_reaching import Reaching
from .postgres_session import Session
from .postgres_transaction import PostgresTransaction

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


class _LostAtCommit(Exception):
    """The connection broke while the transaction was being committed: nobody knows whether it was."""


class Writer:
    """One thread's session, and what it does with it."""

    def __init__(
        self,
        queue: SimpleQueue[Job | None],
        reaching: Reaching,
        commits: Commits,
        clock: Clock,
        observe: Callable[[int, float], None],
    ) -> None:
        """`queue` has what is to be done, and None at the end; `observe` is told of each transaction's number of jobs
        and of the seconds that it took."""
        self._queue = queue
        self._reaching = reaching
        self._commits = commits
        self._clock = clock
        self._observe = observe
        self._session: Session | None = None

    def run(self) -> None:
        """Work until the end."""
        while True:
            job = self._queue.get()
            if job is None:
                self._queue.put(None)  # for the next thread
                if self._session is not None:
                    self._session.close()
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
            self._work(jobs)
            self._observe(len(jobs), time.perf_counter() - began)

    def _work(self, jobs: list[Job]) -> None:
        """Run jobs, and answer each of them."""
        alone: list[Job] = []
        for _ in range(TOGETHER):
            if len(jobs) > 1:
                jobs = self._together(jobs, alone)
        for job in alone + jobs:
            try:
                self._alone(job)
            except Exception as failure:
                self._commits.refuse([job], failure)

    def _together(self, jobs: list[Job], alone: list[Job]) -> list[Job]:
        """Run jobs in one transaction. Those that are to be run by themselves are added to `alone`.

        There are no savepoints, each of which costs as much as a message: where one spoils the transaction by failing
        after it wrote something, that one is run by itself, and the others, which are returned, are run once more.
        """
        done: list[Job] = []
        try:
            session = self._session = self._reaching.connected(self._session)
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
            self._commits.refuse(done, Unavailable(str(failure)))
        except (psycopg.Error, ChatError):
            return self._once_more(jobs, alone)
        return []

    def _once_more(self, jobs: list[Job], alone: list[Job]) -> list[Job]:
        """Nothing happened of these; which are to be run again."""
        self._roll_back()
        for job in jobs:
            job.failure = None
        return [job for job in jobs if job not in alone]

    def _alone(self, job: Job) -> None:
        """Run a job in a transaction of its own, as often as somebody else comes before it."""
        pause = PAUSE_SECONDS
        for attempt in range(1, ATTEMPTS + 1):
            used = self._session is not None
            try:
                session = self._session = self._reaching.connected(self._session)
                session.post("BEGIN")
                locks = Locks(session)
                locks.take_first(job.wanted)
                self._try(job, session, locks)
                locks.settle()
                if job.failure is None:
                    self._commit(session, [job])
                else:
                    self._roll_back()
                    self._commits.answer(self._commits.take_place([job]))
                return
            except _LostAtCommit as failure:
                self._commits.refuse([job], Unavailable(str(failure)))
                return
            except ChatError as failure:
                self._commits.refuse([job], failure)
                return
            except (Busy, psycopg.Error) as failure:
                broken = not self._roll_back()
                again = isinstance(failure, Busy) or is_race(failure) or (broken and used and attempt == 1)
                if not again or attempt == ATTEMPTS:
                    refusal = Unavailable("too many at once: try again") if isinstance(failure, Busy) else failure
                    self._commits.refuse([job], self._reaching.refusal(refusal))
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

    def _try(self, job: Job, session: Session, locks: Locks) -> None:
        """Run a job in the transaction that was begun; what it raises itself stands in it afterwards.

        Raises:
            Busy, psycopg.Error: it is the database's doing.
        """
        job.transaction = PostgresTransaction(session, self._clock, locks)
        job.failure = None
        locks.asked = job.wanted
        try:
            job.result = job.work(job.transaction)
        except (Busy, psycopg.Error):
            raise
        except BaseException as failure:
            job.failure = failure

    def _commit(self, session: Session, jobs: list[Job]) -> None:
        """Commit, and answer these jobs, all of whose locks are held.

        Raises:
            psycopg.Error: it was refused; nothing happened.
            _LostAtCommit.
        """
        place = self._commits.take_place(jobs)
        try:
            session.commit()
        except psycopg.Error as failure:
            place.jobs = []
            self._commits.answer(place)
            if session.closed:
                raise _LostAtCommit(
                    "the database was lost in the middle: what you did may or may not have happened"
                ) from failure
            raise
        self._commits.answer(place)
