"""SQLite: one writer thread that commits in groups, a few read-only connections beside it.

Measured on two cores at synchronous=FULL: a thread hop for each statement gives 0.9 k messages/s, one for each
transaction with group commit 17-26 k. The writer alone checkpoints: two connections that write or checkpoint at the
same moment can corrupt the log of an SQLite before 3.51.3 (https://sqlite.org/wal.html#walreset).
"""

import asyncio
import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from errno import ENOSPC
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Final, TypeVar, cast

from tui_chat.clock import system_clock
from tui_chat.protocol.errors import StorageFull, Unavailable

from . import ERASED, Clock, Committed, DatabaseSize, Emitted, Revoked, Transaction
from .filelock import FileLock
from .migrations import migrate
from .sqlite_files import BUSY_MS, NotADatabase, connect, copy
from .sqlite_transaction import SqliteTransaction

T = TypeVar("T")

GROUP: Final = 256
"""Jobs in one commit, at most."""
READERS: Final = 3
CHECKPOINT_PAGES: Final = 4_096
"""Pages in the log after which it is folded into the database even while there is more to write, which takes some 10
ms. How many there are is estimated by the changed rows, and by what was found the last time."""
CHECKPOINT_BYTES: Final = CHECKPOINT_PAGES * 4_096
PAGES_A_ROW: Final = 3.0
"""Pages that one changed row may put into the log: its table's, and an index or two."""
PAGES_A_ROW_LEAST: Final = 0.2
"""Where many jobs share commits, rows share pages: a message to a group of 200 changes 400 rows, on 250 pages, which
those of the same commit mostly share. Taken for less than this, a log would grow long before it is noticed that jobs
come one by one again."""
IDLE_SECONDS: Final = 1.0
"""Quiet after which it is folded in anyway, and emptied: what was erased would stay readable in it. While nothing was
written, no timer runs."""
COMPACTED_BYTES: Final = 256 * 1024 * 1024
"""Databases up to this size are written anew at a start after something was erased (measured: some 20 ms a MB); larger
ones when they are backed up and restored."""
RECLAIMED_AT_ONCE: Final = 256
"""Empty pages that one step gives back; it holds the writer up for some 10 ms."""
SPARE_PAGES: Final = 1_024
"""Empty pages that are kept, because they will soon be written again."""

_log = logging.getLogger(__name__)


class _Job:
    """A transaction that somebody waits for."""

    __slots__ = ("failure", "future", "result", "transaction", "work")

    def __init__(self, work: Callable[[Transaction], Any], future: "asyncio.Future[Any]") -> None:
        self.work = work
        self.future = future
        self.result: Any = None
        self.failure: BaseException | None = None
        self.transaction: SqliteTransaction | None = None


class SqliteEngine:
    """The default engine. Use `open`."""

    def __init__(self, path: Path, clock: Clock, lock: FileLock, loop: asyncio.AbstractEventLoop) -> None:
        self._path = path
        self._clock = clock
        self._lock = lock
        self._loop = loop
        self._listeners: list[Callable[[Committed], None]] = []
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._readers: SimpleQueue[sqlite3.Connection] = SimpleQueue()
        self._reading = ThreadPoolExecutor(READERS, thread_name_prefix="sqlite-reader")
        self._closed = False
        self._observers: list[Callable[[int, float], None]] = []
        self._trouble: str | None = None
        self._pages_a_row = PAGES_A_ROW
        """In the log, as it was found the last time."""
        self._folded_bytes = 0
        """The log's file when it was folded in last; it is written again from its beginning."""
        self._writer = connect(path)
        for statement in (
            # Only for a database that has no tables yet; measured, it costs writers nothing.
            "PRAGMA auto_vacuum=INCREMENTAL",
            "PRAGMA journal_mode=WAL",
            "PRAGMA synchronous=FULL",
            "PRAGMA wal_autocheckpoint=0",
            "PRAGMA journal_size_limit=67108864",
            "PRAGMA cache_size=-65536",
            "PRAGMA temp_store=MEMORY",
            "PRAGMA secure_delete=ON",
        ):
            self._writer.execute(statement)
        migrate(self._writer, clock())
        _compact(self._writer)
        self._shrinks = self._writer.execute("PRAGMA auto_vacuum").fetchone()[0] == 2
        for _ in range(READERS):
            reader = connect(path, read_only=True)
            reader.execute("PRAGMA query_only=1")
            reader.execute("PRAGMA cache_size=-16384")
            self._readers.put(reader)
        self._thread = threading.Thread(target=self._run, name="sqlite-writer", daemon=True)
        self._thread.start()

    @classmethod
    async def open(cls, path: Path, *, clock: Clock | None = None) -> "SqliteEngine":
        """Open or create the database at `path` and bring its schema up to date.

        Raises:
            DatabaseInUse: another process has it open.
            RuntimeError: it was written by a newer version.
        """
        return await asyncio.to_thread(cls._open, path, clock or system_clock, asyncio.get_running_loop())

    @classmethod
    def _open(cls, path: Path, clock: Clock, loop: asyncio.AbstractEventLoop) -> "SqliteEngine":
        path = path.absolute()
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path.with_name(path.name + ".lock"))
        lock.acquire(f"the database {path}")
        try:
            path.touch(mode=0o600)  # Its log and its index take over who may read it.
            return cls(path, clock, lock, loop)
        except BaseException:
            lock.release()
            raise

    def on_commit(self, listener: Callable[[Committed], None]) -> None:
        """Call `listener` on the loop's thread after each group commit, in commit order."""
        self._listeners.append(listener)

    def on_group(self, observer: Callable[[int, float], None]) -> None:
        """Call `observer` on the writer's thread with each group's number of jobs and the seconds that it took."""
        self._observers.append(observer)

    @property
    def trouble(self) -> str | None:
        """Why the newest commit was refused by the database itself; None where it was not."""
        return self._trouble

    async def size(self) -> DatabaseSize:
        """The files' size, and how much in them is empty."""

        def empty(tx: Transaction) -> int:
            pages, size = tx.one("PRAGMA freelist_count"), tx.one("PRAGMA page_size")
            assert pages is not None and size is not None  # noqa: PT018 - both always have a row
            return int(pages[0] * size[0])

        return DatabaseSize(used=self._path.stat().st_size + self._log_bytes(), free=await self.read(empty))

    async def reclaim(self) -> bool:
        """Give RECLAIMED_AT_ONCE empty pages beyond SPARE_PAGES back to the disk; whether there are more."""

        def empty(tx: Transaction) -> int:
            row = tx.one("PRAGMA freelist_count")
            assert row is not None
            return int(row[0]) - SPARE_PAGES if self._shrinks else 0

        def step(tx: Transaction) -> int:
            for _ in range(min(RECLAIMED_AT_ONCE, empty(tx))):
                tx.one("PRAGMA incremental_vacuum(1)")
            return empty(tx)

        return await self.read(empty) > 0 and await self.write(step) > 0

    async def backup(self, target: Path) -> None:
        """Copy the database on a thread of its own; see Engine.backup."""
        try:
            await asyncio.to_thread(copy, self._path, target)
        except sqlite3.OperationalError as failure:
            raise _as_refusal(failure) from failure
        except OSError as failure:
            raise (StorageFull if failure.errno == ENOSPC else Unavailable)(
                f"the backup cannot be written: {failure.strerror}"
            ) from failure
        except NotADatabase as failure:
            raise Unavailable(f"the backup is not good: {failure}") from failure

    async def write(self, job: Callable[[Transaction], T]) -> T:
        """Run `job` on the writer's thread; see Engine.write. Cancelling the wait does not undo the job."""
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
        """Finish what is queued, fold the log in, and release the file."""
        if self._closed:
            return
        self._closed = True
        self._queue.put(None)
        await asyncio.to_thread(self._finish)

    def _finish(self) -> None:
        self._thread.join()
        self._reading.shutdown()
        for _ in range(READERS):
            self._readers.get_nowait().close()
        self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._writer.close()
        self._lock.release()

    def _read(self, job: Callable[[Transaction], T]) -> T:
        connection = self._readers.get()
        try:
            connection.execute("BEGIN")
            try:
                return job(SqliteTransaction(connection, self._clock()))
            finally:
                connection.execute("ROLLBACK")
        except sqlite3.OperationalError as failure:
            raise _as_refusal(failure) from failure
        finally:
            self._readers.put(connection)

    def _run(self) -> None:
        folded = self._writer.total_changes
        while True:
            unfolded = self._writer.total_changes - folded
            if self._is_long(unfolded):
                self._checkpoint(unfolded)
                folded = self._writer.total_changes
                unfolded = 0
            try:
                job = self._queue.get(timeout=IDLE_SECONDS) if unfolded else self._queue.get()
            except Empty:
                if self._empty_log():
                    folded = self._writer.total_changes
                continue
            if job is None:
                return
            jobs = [job]
            last = False
            while len(jobs) < GROUP:
                try:
                    following = self._queue.get_nowait()
                except Empty:
                    break
                if following is None:
                    last = True
                    break
                jobs.append(following)
            began = time.perf_counter()
            committed = self._commit(jobs)
            seconds = time.perf_counter() - began
            self._loop.call_soon_threadsafe(self._deliver, jobs, committed)
            for observer in self._observers:
                observer(len(jobs), seconds)
            if last:
                return

    def _is_long(self, rows: int) -> bool:
        """Whether the log, to which so many changed rows have gone, is to be folded in."""
        if rows * PAGES_A_ROW < CHECKPOINT_PAGES:
            return False
        # Should rows put more into it than they did, its file has grown.
        return rows * self._pages_a_row >= CHECKPOINT_PAGES or self._log_bytes() > self._folded_bytes + CHECKPOINT_BYTES

    def _log_bytes(self) -> int:
        log = self._path.with_name(self._path.name + "-wal")
        return log.stat().st_size if log.exists() else 0

    def _checkpoint(self, rows: int) -> None:
        """Fold the log in, which so many changed rows have made."""
        try:
            _, pages, _ = self._writer.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            # Where readers kept the log from beginning anew, there is more in it: then it is only folded in earlier.
            self._pages_a_row = min(PAGES_A_ROW, max(PAGES_A_ROW_LEAST, pages / rows))
            self._folded_bytes = self._log_bytes()
        except sqlite3.OperationalError as failure:
            self._not_folded(failure)

    def _empty_log(self) -> bool:
        """Fold the log in and cut it to nothing, without waiting for readers; whether none of them still needs it."""
        self._writer.execute("PRAGMA busy_timeout=0")
        try:
            emptied = bool(self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0)
            self._folded_bytes = 0 if emptied else self._folded_bytes
            return emptied
        except sqlite3.OperationalError as failure:
            self._not_folded(failure)
            return True
        finally:
            self._writer.execute(f"PRAGMA busy_timeout={BUSY_MS}")

    def _not_folded(self, failure: sqlite3.OperationalError) -> None:
        self._loop.call_soon_threadsafe(
            self._loop.call_exception_handler,
            {"message": "the database's log could not be folded in; it is tried again", "exception": failure},
        )

    def _commit(self, jobs: list[_Job]) -> Committed:
        """Run a group of jobs in one commit, and say what came of it.

        A savepoint for each would cost each two statements more. So there are none until a job fails that had changed
        something, which next to none does: then everything is undone, and done again with them.
        """
        connection = self._writer
        before = connection.total_changes
        try:
            connection.execute("BEGIN IMMEDIATE")
            if not self._try_each(jobs) and connection.in_transaction:
                connection.execute("ROLLBACK")
                if len(jobs) == 1:
                    return _nothing()
                connection.execute("BEGIN IMMEDIATE")
                for job in jobs:
                    self._try_under_savepoint(job)
            if not connection.in_transaction:
                raise StorageFull()
            connection.execute("COMMIT")
        except (sqlite3.Error, StorageFull) as failure:
            refusal = _as_refusal(failure)
            self._trouble = str(refusal)
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            for job in jobs:
                job.failure = refusal
            return _nothing()
        if connection.total_changes > before and not any(isinstance(job.failure, Unavailable) for job in jobs):
            self._trouble = None
        emitted: list[Emitted] = []
        revoked: list[Revoked] = []
        settings = None
        for job in jobs:
            if job.failure is None and job.transaction is not None:
                emitted += job.transaction.emitted
                revoked += job.transaction.revoked
                settings = job.transaction.settings_changed or settings
        return Committed(emitted=emitted, revoked=revoked, settings_changed=settings)

    def _try_each(self, jobs: list[_Job]) -> bool:
        """Run the jobs; False as soon as one fails that had changed something, or with which SQLite gave them all
        up."""
        connection = self._writer
        for job in jobs:
            before = connection.total_changes
            self._try(job)
            if job.failure is not None and (connection.total_changes != before or not connection.in_transaction):
                return False
        return True

    def _try(self, job: _Job) -> None:
        job.failure = None
        job.transaction = SqliteTransaction(self._writer, self._clock())
        try:
            job.result = job.work(job.transaction)
        except sqlite3.OperationalError as failure:
            job.failure = _as_refusal(failure)
            if isinstance(job.failure, Unavailable):
                self._trouble = str(job.failure)
        except BaseException as failure:
            job.failure = failure

    def _try_under_savepoint(self, job: _Job) -> None:
        connection = self._writer
        if not connection.in_transaction:
            return  # SQLite gave the whole group up (disk full); the caller refuses all of it
        connection.execute("SAVEPOINT job")
        self._try(job)
        if connection.in_transaction:
            if job.failure is not None:
                connection.execute("ROLLBACK TO job")
            connection.execute("RELEASE job")

    def _deliver(self, jobs: list[_Job], committed: Committed) -> None:
        if committed.emitted or committed.revoked or committed.settings_changed is not None:
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


def _compact(writer: sqlite3.Connection) -> None:
    """Write the database anew if something was erased: split pages keep copies, and rows without a body leave room.

    Without the space for it, it is left for the next start.
    """
    due = writer.execute("SELECT 1 FROM meta WHERE name = ?", (ERASED,)).fetchone()
    (pages,), (size,) = (writer.execute(f"PRAGMA {what}").fetchone() for what in ("page_count", "page_size"))
    if due is None or pages * size > COMPACTED_BYTES:
        return
    try:
        writer.execute("VACUUM")
        writer.execute("DELETE FROM meta WHERE name = ?", (ERASED,))
        writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.OperationalError as failure:
        _log.warning("the database could not be written anew, which is tried again at the next start: %s", failure)


def _nothing() -> Committed:
    return Committed(emitted=[], revoked=[])


def _as_refusal(failure: Exception) -> BaseException:
    """What a caller is told of a failure of the database."""
    if isinstance(failure, StorageFull):
        return failure
    code = getattr(failure, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return StorageFull()
    if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN):
        return Unavailable(f"the database cannot be used just now: {failure}")
    return failure
