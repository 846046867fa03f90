"""Putting a backup in the place of a server's data. The server must not run."""

import os
import secrets
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import msgspec

from tui_chat.server.options import DATABASE

from .filelock import FileLock
from .migrations import migrate
from .sqlite_files import BESIDE, NotADatabase, check, connect, copy, discard, keep, refuse_anothers
from .sqlite_takeover import SAME_ACCOUNTS, TakenOver, take_over


class Restored(msgspec.Struct, frozen=True):
    """What was done."""

    database: Path
    aside: Path | None
    """Where the data lies that was there before; None where there was none."""
    taken_over: TakenOver | None
    """What stays ended, and devices stay logged in, or logged out, as they were before; None where nothing could be
    read of that."""


def restore(source: Path, data: Path, *, now: int) -> Restored:
    """Put the backup `source` in the place of what is in `data`, which is put aside.

    The database gets a new epoch, by which every client learns that what it has may be of another past: it throws away
    the messages that it keeps, takes the new state, and goes on with its drafts and its outbox. Who is logged in is
    taken over from the data that is replaced, for the accounts that are in both: tokens are exchanged every hour, so a
    backup's own are of no use, and a device that was logged out since must stay so. What was ended for good since the
    backup stays so too: see sqlite_takeover.

    At every moment there is a whole database under the server's name: the old one, then the new one.

    Raises:
        DatabaseInUse: a server runs on that data.
        NotADatabase: the backup is damaged, or is none; or what is in `data` is another program's.
        RuntimeError: the backup was made by a newer version.
        sqlite3.Error, OSError: it cannot be read, or the new database not be written; nothing has changed.
    """
    if not source.is_file():
        raise NotADatabase(f"{source}: there is no such file")
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = data / DATABASE
    with suppress(sqlite3.DatabaseError):  # What is damaged is put aside, whosever it was.
        refuse_anothers(database)
    lock = FileLock(database.with_name(database.name + ".lock"))
    lock.acquire(f"the database {database}")
    try:
        scratch = data / f".{DATABASE}.restored"
        discard(scratch)
        copy(source, scratch)
        try:
            taken = _prepare(scratch, database if database.exists() else None, now)
            aside = _put_aside(database, now) if database.exists() else None
            scratch.replace(database)
            keep(data)
        except BaseException:
            discard(scratch)
            raise
    finally:
        lock.release()
    return Restored(database, aside, taken)


def _prepare(scratch: Path, replaced: Path | None, now: int) -> TakenOver | None:
    """Bring the copy up to date, give it a new epoch, and take over what is due; None where that cannot be done."""
    with closing(connect(scratch)) as connection:
        migrate(connection, now)
        connection.execute("UPDATE meta SET value = ? WHERE name = 'epoch'", (secrets.token_hex(6),))
        taken = None if replaced is None else _take_over(connection, replaced, now)
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
        connection.execute("VACUUM")
    keep(scratch)
    return taken


def _take_over(connection: sqlite3.Connection, replaced: Path, now: int) -> TakenOver | None:
    """Log-ins, and what was ended for good, as it was in the data that is replaced; None where that is damaged."""
    try:
        with closing(connect(replaced)) as before:
            check(before, replaced.name)
            migrate(before, now)
    except (NotADatabase, sqlite3.DatabaseError):
        return None
    connection.execute("ATTACH ? AS before", (str(replaced),))
    connection.execute("BEGIN IMMEDIATE")
    _take_logins(connection, now)
    taken = take_over(connection, now)
    connection.execute("COMMIT")
    connection.execute("DETACH before")
    return taken


def _take_logins(connection: sqlite3.Connection, now: int) -> None:
    """Devices and their tokens as they were in the data that is replaced."""
    # Rows of the log of deletions name devices, so that none is removed; one that is not known any more is logged out.
    connection.execute(
        "UPDATE main.device SET revoked = ?, access_hash = NULL, refresh_hash = NULL WHERE revoked IS NULL", (now,)
    )
    connection.execute("DELETE FROM main.spent_token")
    connection.execute(
        f"INSERT OR REPLACE INTO main.device SELECT * FROM before.device WHERE account IN ({SAME_ACCOUNTS})"  # noqa: S608
    )
    connection.execute(
        "INSERT INTO main.spent_token SELECT * FROM before.spent_token WHERE device IN (SELECT id FROM main.device)"
    )


def _put_aside(database: Path, now: int) -> Path:
    """Give what is there a second name, in one file where it is whole; its own stays until it is replaced."""
    aside = _unused(database, datetime.fromtimestamp(now / 1000, UTC))
    with suppress(sqlite3.DatabaseError), closing(connect(database)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE").fetchone()
    # A log that is still there, because the database is damaged, would be taken for the new one's.
    for suffix in BESIDE:
        log = _log(database, suffix)
        if log.exists():
            log.replace(_log(aside, suffix))
    os.link(database, aside)
    keep(database.parent)
    return aside


def _unused(database: Path, moment: datetime) -> Path:
    """A name for what is put aside: two restores may be of one second."""
    name = f"{database.name}.before-{moment:%Y%m%dT%H%M%S}Z"
    asides = (database.with_name(f"{name}-{number}" if number > 1 else name) for number in count(1))
    return next(aside for aside in asides if not any(_log(aside, suffix).exists() for suffix in ("", *BESIDE)))


def _log(database: Path, suffix: str) -> Path:
    return database.with_name(database.name + suffix)
