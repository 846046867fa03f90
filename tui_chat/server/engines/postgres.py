"""PostgreSQL: threads with a connection each; how they write, and in whose order that is told, stands beside this."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final, TypeVar, cast

import psycopg

from tui_chat.clock import system_clock
from tui_chat.protocol.errors import Unavailable

from . import Clock, Committed, DatabaseSize, Transaction
from .postgres_commits import Commits, Job
from .postgres_connection import connect, described, in_full, migrate
from .postgres_locks import Locks
from .postgres_reaching import Reaching
from .postgres_session import Session
from .postgres_transaction import PostgresTransaction
from .postgres_writer import Writer

T = TypeVar("T")

WRITERS: Final = 4
READERS: Final = 4


class PostgresEngine:
    """A database that other processes may use too. Use `open`."""

    def __init__(self, address: str, clock: Clock, loop: asyncio.AbstractEventLoop) -> None:
        self.clock: Final = clock
        self._loop = loop
        self._reaching = Reaching(address)
        self._commits = Commits(loop)
        self._observers: list[Callable[[int, float], None]] = []
        self._closed = False
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._reading = ThreadPoolExecutor(READERS, thread_name_prefix="postgres-reader")
        self._readers: SimpleQueue[Session | None] = SimpleQueue()
        for _ in range(READERS):
            self._readers.put(None)
        writers = [Writer(self._queue, self._reaching, self._commits, clock, self._observe) for _ in range(WRITERS)]
        self._threads = [threading.Thread(target=one.run, name="postgres-writer", daemon=True) for one in writers]
        for thread in self._threads:
            thread.start()

    @classmethod
    async def open(cls, address: str, *, clock: Clock | None = None) -> "PostgresEngine":
        """Use the database at `address`, and bring its schema up to date.

        Raises:
            Unavailable: it cannot be reached, or refuses.
            RuntimeError: it was written by a newer version, is of a kind that cannot be used, or does not let its
                tables be made.
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
            refusal = in_full(failure)
            if isinstance(refusal, Unavailable):
                raise refusal from failure
            raise RuntimeError(f"the database's tables cannot be made: {described(failure)}") from failure

    def on_commit(self, listener: Callable[[Committed], None]) -> None:
        """Call `listener` on the loop's thread after each transaction, in an order that is every user's."""
        self._commits.tell(listener)

    def on_group(self, observer: Callable[[int, float], None]) -> None:
        """Call `observer` on a writer's thread with each transaction's number of jobs and the seconds that it took."""
        self._observers.append(observer)

    @property
    def refusals(self) -> int:
        """How many commits the database itself has refused since the engine began: no room, or no way to it."""
        return self._commits.refusals

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

    async def write(self, job: Callable[[Transaction], T], *, brief: bool = False) -> T:
        """Run `job` on a writer's thread, `brief` or not; see Engine.write. Cancelling the wait does not undo the job.

        Raises:
            Unavailable: also where the connection broke while the transaction was being committed, and nobody knows
                whether it was; whoever repeats what has a clientID or an operationID does nothing twice.
        """
        if self._closed:
            raise Unavailable("the server is shutting down: try again")
        future: asyncio.Future[Any] = self._loop.create_future()
        self._queue.put(Job(job, future))
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
        self._commits.serve()

    def _finish(self) -> None:
        for thread in self._threads:
            thread.join()
        self._reading.shutdown()
        for _ in range(READERS):
            session = self._readers.get_nowait()
            if session is not None:
                session.close()

    def _observe(self, jobs: int, seconds: float) -> None:
        for observer in self._observers:
            observer(jobs, seconds)

    def _read(self, job: Callable[[Transaction], T]) -> T:
        session = self._readers.get()
        try:
            for attempt in (1, 2):
                used = session is not None
                session = self._reaching.connected(session)
                try:
                    return self._read_in(session, job)
                except psycopg.Error as failure:
                    # One that was idle may have been broken for long: the server was restarted.
                    if not (session.closed and used and attempt == 1):
                        raise self._reaching.refusal(failure) from failure
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
