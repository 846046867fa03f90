"""SQLite: one connection that writes and commits in groups, a few read-only connections beside it.

A job is either brief, a few statements that find their rows by keys, or it is not. Brief ones run where they were
asked for, on the event loop's thread, for BRIEF_SECONDS in one go; their COMMIT, which waits for the disk, goes to the
writer's thread, but for that of a single one on a quick disk. What is asked for meanwhile gathers, and is the next
group. All other jobs run on the writer's thread as a whole, and whatever came behind one of them with it: jobs run in
the order in which they came. So the writer's connection is now the loop's and now the thread's, never both's, and it is
the loop that says whose.

Why: a message whose statements run on another thread crosses to it and back, and the two fight over the interpreter's
lock at each statement. Measured on two cores with 100 senders at once, turn about, that is no less work (320 to 380 µs
of processor time a message either way), and 2,250 to 2,860 messages/s arrive instead of 2,060 to 2,550: nearly all of
the work is one thread's, and the disk is waited for beside it. At 20 a second, half of them arrive within 2.0 ms where
a single one is committed on the loop, and within 2.2 ms where that is left to the thread.

The writer's thread alone checkpoints, and never while a transaction is open: two connections that write or checkpoint
at the same moment can corrupt the log of an SQLite before 3.51.3 (https://sqlite.org/wal.html#walreset).
"""

import asyncio
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from errno import ENOSPC
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final, TypeVar, cast

from tui_chat.clock import system_clock
from tui_chat.protocol.errors import StorageFull, Unavailable

from . import Clock, Committed, DatabaseSize, Transaction
from .filelock import FileLock
from .migrations import migrate
from .sqlite_files import CopyStopped, NotADatabase, connect, copy, refuse_anothers
from .sqlite_group import Group, Job, as_refusal
from .sqlite_log import WriteAheadLog
from .sqlite_space import compact, empty_bytes, give_back, pages_to_spare
from .sqlite_transaction import SqliteTransaction

T = TypeVar("T")

GROUP: Final = 256
"""Jobs in one commit, at most."""
BRIEF_GROUP: Final = 64
"""Brief jobs in one commit, at most."""
TOGETHER: Final = 16
"""Brief jobs of one kind that are carried out together, at most: the next twice as many take hardly less time each, and
nobody looks at the time in between."""
BRIEF_SECONDS: Final = 0.002
"""So long brief jobs run in one go, and those that are then under way to their end; the loop serves nobody else
meanwhile."""
LATE_SECONDS: Final = 0.05
"""Where brief jobs took longer than that, what they read was not in memory and the disk is slow: for ASIDE_SECONDS they
run on the writer's thread, where they hold nobody up."""
ASIDE_SECONDS: Final = 1.0
QUICK_SECONDS: Final = 0.002
"""A single job is committed on the loop as well where the commit before took less, and nobody else waits."""
READERS: Final = 3
IDLE_SECONDS: Final = 1.0
"""Quiet after which the log is folded in and emptied: what was erased would stay readable in it. While nothing was
written, no timer runs."""


class SqliteEngine:
    """The default engine. Use `open`."""

    def __init__(self, path: Path, clock: Clock, lock: FileLock, loop: asyncio.AbstractEventLoop) -> None:
        self._path = path
        self._clock = clock
        self._lock = lock
        self._loop = loop
        self._listeners: list[Callable[[Committed], None]] = []
        self._observers: list[Callable[[int, float], None]] = []
        self._waiting: deque[Job] = deque()
        """In the order in which they were asked for."""
        self._at_work = False
        """A group is under way, or is about to begin, or the log is being emptied; the loop alone changes it."""
        self._orders: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        """What the writer's thread has to do; never more than one thing."""
        self._aside_until = 0.0
        self._disk_is_quick = False
        self._rested = 0.0
        self._idle: asyncio.TimerHandle | None = None
        self._readers: SimpleQueue[sqlite3.Connection] = SimpleQueue()
        self._reading = ThreadPoolExecutor(READERS, thread_name_prefix="sqlite-reader")
        self._closed = False
        self._refusals = 0
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
        compact(self._writer)
        self._writer.execute("PRAGMA busy_timeout=0")  # The loop waits for nobody; see Group.
        self._log = WriteAheadLog(self._writer, path)
        self._log.cut()  # A server that was killed left it as it was.
        for _ in range(READERS):
            reader = connect(path, read_only=True)
            reader.execute("PRAGMA query_only=1")
            reader.execute("PRAGMA cache_size=-16384")
            self._readers.put(reader)
        self._thread = threading.Thread(target=self._obey, name="sqlite-writer", daemon=True)
        self._thread.start()

    @classmethod
    async def open(cls, path: Path, *, clock: Clock | None = None) -> "SqliteEngine":
        """Open or create the database at `path` and bring its schema up to date.

        Raises:
            DatabaseInUse: another process has it open.
            RuntimeError: it was written by a newer version, is another program's or damaged, or cannot be opened.
        """
        return await asyncio.to_thread(cls._open, path, clock or system_clock, asyncio.get_running_loop())

    @classmethod
    def _open(cls, path: Path, clock: Clock, loop: asyncio.AbstractEventLoop) -> "SqliteEngine":
        path = path.absolute()
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            refuse_anothers(path)
        except NotADatabase as failure:
            raise RuntimeError(
                f"{failure}; nothing was changed: serve from another directory (--data DIR)"
            ) from failure
        except sqlite3.DatabaseError as failure:
            raise _unusable(path, failure) from failure
        lock = FileLock(path.with_name(path.name + ".lock"))
        lock.acquire(f"the database {path}")
        try:
            path.touch(mode=0o600)  # Its log and its index take over who may read it.
            return cls(path, clock, lock, loop)
        except sqlite3.DatabaseError as failure:
            lock.release()
            raise _unusable(path, failure) from failure
        except BaseException:
            lock.release()
            raise

    def on_commit(self, listener: Callable[[Committed], None]) -> None:
        """Call `listener` on the loop's thread after each group commit, in commit order."""
        self._listeners.append(listener)

    def on_group(self, observer: Callable[[int, float], None]) -> None:
        """Call `observer` on the loop's thread with each group's number of jobs and the seconds that it took."""
        self._observers.append(observer)

    @property
    def refusals(self) -> int:
        """How many commits the database itself has refused since the engine began: no room, or no way to it."""
        return self._refusals

    async def size(self) -> DatabaseSize:
        """The files' size, and how much in them is empty."""
        return DatabaseSize(used=self._path.stat().st_size + self._log.bytes, free=await self.read(empty_bytes))

    async def reclaim(self) -> bool:
        """Give one step's empty pages back to the disk; whether there are more to spare."""
        return await self.read(pages_to_spare) > 0 and await self.write(give_back) > 0

    async def backup(self, target: Path) -> None:
        """Copy the database on a thread of its own, which stops when the engine is closed; see Engine.backup."""
        try:
            await asyncio.to_thread(copy, self._path, target, stopped=lambda: self._closed)
        except CopyStopped as failure:
            raise Unavailable("the server is shutting down: try again") from failure
        except sqlite3.OperationalError as failure:
            raise as_refusal(failure) from failure
        except OSError as failure:
            raise (StorageFull if failure.errno == ENOSPC else Unavailable)(
                f"the backup cannot be written: {failure.strerror}"
            ) from failure
        except NotADatabase as failure:
            raise Unavailable(f"the backup is not good: {failure}") from failure

    async def write(self, job: Callable[[Transaction], T], *, brief: bool = False) -> T:
        """Run `job` in one of the next groups; see Engine.write. Cancelling the wait does not undo the job."""
        if self._closed:
            raise Unavailable("the server is shutting down: try again")
        future: asyncio.Future[Any] = self._loop.create_future()
        self._waiting.append(Job(job, future, brief))
        if not self._at_work:
            self._at_work = True
            # Not at once: what else has just arrived shares the commit.
            self._loop.call_soon(self._go_on)
        return cast(T, await future)

    async def read(self, job: Callable[[Transaction], T]) -> T:
        """Run `job` on a reader's thread, on one consistent state."""
        if self._closed:
            raise Unavailable("the server is shutting down: try again")
        return await self._loop.run_in_executor(self._reading, self._read, job)

    async def close(self) -> None:
        """Finish what is waiting, fold the log in, and release the file."""
        if self._closed:
            return
        self._closed = True
        if self._idle is not None:
            self._idle.cancel()
        if not self._at_work:
            self._orders.put(None)
        await asyncio.to_thread(self._finish)

    def _finish(self) -> None:
        self._thread.join()
        self._reading.shutdown()
        for _ in range(READERS):
            self._readers.get_nowait().close()
        self._log.cut()
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
            raise as_refusal(failure) from failure
        finally:
            self._readers.put(connection)

    # On the loop's thread, whose the writer's connection is here.

    def _go_on(self) -> None:
        """Begin the next group."""
        if not self._waiting:
            self._rest()
            return
        if self._waiting[0].brief and self._loop.time() >= self._aside_until:
            group = Group(self._writer, self._clock)
            if group.begin():
                self._run_brief_ones(group)
                return
        self._put_aside([self._waiting.popleft() for _ in range(min(GROUP, len(self._waiting)))])

    def _run_brief_ones(self, group: Group) -> None:
        """Run the brief jobs that are next, as many as there is time for; the others follow after whatever else the
        loop has to do."""
        began = time.perf_counter()
        whole, taken = True, 0.0
        while whole and taken <= BRIEF_SECONDS and self._brief_ones_wait(group):
            whole = group.run_in_haste(self._stretch(group))
            taken = time.perf_counter() - began
        if taken > LATE_SECONDS:
            self._aside_until = self._loop.time() + ASIDE_SECONDS
        if not whole:
            self._put_aside(group.jobs)
        elif self._brief_ones_wait(group):
            self._loop.call_soon(self._run_brief_ones, group)
        elif group.changed and not (self._disk_is_quick and len(group.jobs) == 1 and not self._waiting):
            self._orders.put(partial(self._commit_aside, group))
        else:
            group.commit()
            self._ended(group)

    def _brief_ones_wait(self, group: Group) -> bool:
        return bool(self._waiting) and self._waiting[0].brief and len(group.jobs) < BRIEF_GROUP

    def _stretch(self, group: Group) -> list[Job]:
        """The brief job that is next, and those behind it that can be carried out together with it."""
        waiting = self._waiting
        stretch = [waiting.popleft()]
        if waiting:
            most = min(TOGETHER, BRIEF_GROUP - len(group.jobs))
            while waiting and len(stretch) < most and stretch[0].is_like(waiting[0]):
                stretch.append(waiting.popleft())
        return stretch

    def _put_aside(self, jobs: list[Job]) -> None:
        """Have the writer's thread run jobs."""
        self._orders.put(partial(self._run_aside, jobs))

    def _ended(self, group: Group) -> None:
        """Deliver what a group did, and answer who waits for it."""
        if group.refused:
            self._refusals += 1
        elif group.wrote:
            self._disk_is_quick = group.commit_seconds < QUICK_SECONDS
        try:
            self._deliver(group.committed())
            for job in group.jobs:
                job.answer()
        finally:
            # Behind those who have just been answered, and not at once: what was delivered is written when the loop's
            # turn ends, and on an idle machine, whose caches know nothing of this, each step before that counts.
            self._loop.call_soon(self._settle, group)

    def _settle(self, group: Group) -> None:
        """See to what nobody waits for, and go on."""
        try:
            for observer in self._observers:
                observer(len(group.jobs), group.seconds)
        finally:
            if self._log.is_due():
                self._orders.put(self._tend_aside)
            else:
                self._go_on()

    def _deliver(self, committed: Committed) -> None:
        if not (committed.emitted or committed.revoked or committed.settings_changed is not None):
            return
        for listener in self._listeners:
            try:
                listener(committed)
            except Exception as failure:
                self._loop.call_exception_handler({"message": "a commit listener failed", "exception": failure})

    def _rest(self) -> None:
        """There is nothing to be done for now."""
        self._at_work = False
        self._rested = self._loop.time()
        if self._closed:
            self._orders.put(None)
        elif self._idle is None and self._log.rows:
            self._idle = self._loop.call_later(IDLE_SECONDS, self._look_after_log)

    def _look_after_log(self) -> None:
        """Have the log emptied if it has been quiet for so long; look again when it will have been."""
        self._idle = None
        if self._at_work:
            return
        left = self._rested + IDLE_SECONDS - self._loop.time()
        if left > 0:
            self._idle = self._loop.call_later(left, self._look_after_log)
            return
        self._at_work = True
        self._orders.put(self._empty_aside)

    # On the writer's thread, whose the writer's connection is meanwhile.

    def _obey(self) -> None:
        while (order := self._orders.get()) is not None:
            order()

    def _run_aside(self, jobs: list[Job]) -> None:
        group = Group(self._writer, self._clock)
        group.run(jobs)
        self._commit_aside(group)

    def _commit_aside(self, group: Group) -> None:
        group.commit()
        self._loop.call_soon_threadsafe(self._ended, group)

    def _tend_aside(self) -> None:
        self._log.tend()
        self._loop.call_soon_threadsafe(self._go_on)

    def _empty_aside(self) -> None:
        self._log.empty()
        self._loop.call_soon_threadsafe(self._go_on)


def _unusable(path: Path, failure: sqlite3.DatabaseError) -> RuntimeError:
    """Why a database cannot be opened, and what to do; of an OperationalError its words say it."""
    damaged = not isinstance(failure, sqlite3.OperationalError)
    mend = "; `tui-chat admin restore` puts a backup in its place" if damaged else ""
    return RuntimeError(f"the database {path} cannot be used: {failure}{mend}")
