"""SQLite databases as files: a connection, a copy of a running one, and whether a file is a whole database of ours."""

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Final

from .migrations import OURS

COPIED_AT_ONCE: Final = 512
"""Pages; between two such pieces of a copy everybody else gets the disk for PAUSE_SECONDS."""
PAUSE_SECONDS: Final = 0.002
STEPS_AT_ONCE: Final = 100_000
"""Of SQLite's machine; between two such stretches of the check of a copy it may be stopped."""
BUSY_MS: Final = 5_000
"""So long a connection waits for one that is in its way."""
_UNFINISHED: Final = ".tui-chat-partial"
"""How the name of a copy ends that is being written."""
_ABANDONED_SECONDS: Final = 86_400
"""A copy that was not written to for so long belongs to nobody any more: its process was killed."""
BESIDE: Final = ("-journal", "-wal", "-shm")
"""What SQLite keeps beside a database, by the ends of their names."""

SqliteError = sqlite3.Error
"""What SQLite raises where a file cannot be read or written, for those who do not import it."""


class NotADatabase(ValueError):
    """A file is no database of ours, or a damaged one; `str()` is one line that says so."""


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection without Python's own transactions, which any thread may use."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}",
        uri=True,
        timeout=BUSY_MS / 1000,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=512,
    )
    connection.execute(f"PRAGMA busy_timeout={BUSY_MS}")
    return connection


def with_patience(connection: sqlite3.Connection, statement: str) -> None:
    """Run a statement of a connection that otherwise waits for nobody, and wait for others up to BUSY_MS."""
    connection.execute(f"PRAGMA busy_timeout={BUSY_MS}")
    try:
        connection.execute(statement).fetchone()
    finally:
        connection.execute("PRAGMA busy_timeout=0")


class CopyStopped(Exception):
    """Whoever asked for a copy does not want it any more; nothing is left of it."""


def copy(source: Path, target: Path, *, stopped: Callable[[], bool] = lambda: False) -> None:
    """Copy one consistent state of a database that others may be writing to; in one file, for its owner alone.

    The copy is checked before it takes the target's name, so under that name there is a whole one or none. Writers are
    not held up: the source is read under one snapshot, a piece at a time; `stopped` is asked between two of them.

    Raises:
        CopyStopped: it said so.
        NotADatabase: the source is none, or what was copied of it is damaged.
        sqlite3.Error, OSError: it cannot be read or written.
    """
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    scratch = target.with_name(f".{target.name}{_UNFINISHED}")
    discard(scratch)
    os.close(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    try:
        _discard_abandoned(scratch)
        reader = connect(source, read_only=True)
        try:
            writer = connect(scratch)
            try:
                # Under a snapshot of its own a copy need not begin anew whenever somebody else has written.
                reader.execute("BEGIN")
                reader.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
                reader.backup(writer, pages=COPIED_AT_ONCE, progress=partial(_between_pieces, stopped))
                reader.execute("ROLLBACK")
                writer.execute("PRAGMA journal_mode=DELETE")
                writer.set_progress_handler(stopped, STEPS_AT_ONCE)
                check(writer, str(source))
            finally:
                writer.close()
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                raise CopyStopped from error
            if error.sqlite_errorcode in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
                raise NotADatabase(f"{source} is not a whole database: {error}") from error
            raise
        finally:
            reader.close()
        keep(scratch)
        scratch.replace(target)
        keep(target.parent)
    except BaseException:
        discard(scratch)
        raise


def discard(path: Path) -> None:
    """Remove a database and what SQLite keeps beside it: a journal that a full disk left there would be played back
    into the next file of that name."""
    for suffix in ("", *BESIDE):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _discard_abandoned(fresh: Path) -> None:
    """Remove what copies left in a directory that were killed; `fresh`, there as well, was made just now."""
    now = fresh.stat().st_mtime  # the disk's time, as that of the others
    for path in fresh.parent.glob(f".*{_UNFINISHED}"):
        with suppress(FileNotFoundError):  # Another copy may be at it as well.
            if now - path.stat().st_mtime > _ABANDONED_SECONDS:
                discard(path)


def check(connection: sqlite3.Connection, name: str) -> None:
    """Read the whole database, and see that it is one of ours.

    Raises:
        NotADatabase: it is not, or it is damaged.
    """
    (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if found != "ok":
        raise NotADatabase(f"{name} is damaged: {found}")
    if not _is_ours(connection):
        raise NotADatabase(f"{name} is no database of tui-chat")


def refuse_anothers(path: Path) -> None:
    """See that a database which is there is empty, or one of ours, of whatever version. Nothing is written.

    Raises:
        NotADatabase: it is another program's.
        sqlite3.DatabaseError: it cannot be read, or is damaged.
    """
    if not path.is_file():
        return
    # Not read only: of one in WAL mode that would leave files beside it.
    with closing(connect(path)) as connection:
        if connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() and not _is_ours(connection):
            raise NotADatabase(f"{path} is another program's database")


def _is_ours(connection: sqlite3.Connection) -> bool:
    for table, columns in OURS.items():
        found = {row[0] for row in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))}
        if not columns <= found:
            return False
    return True


def keep(path: Path) -> None:
    """Have a file, or a directory's list of files, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _between_pieces(stopped: Callable[[], bool], _status: int, _remaining: int, _total: int) -> None:
    if stopped():
        raise CopyStopped
    time.sleep(PAUSE_SECONDS)
