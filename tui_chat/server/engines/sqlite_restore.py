"""Putting a backup in the place of a server's data. The server must not run."""

import os
import secrets
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from tui_chat.server.options import DATABASE

from .filelock import FileLock
from .migrations import migrate
from .sqlite_files import NotADatabase, check, connect, copy, keep

_LOGINS: Final = ("device", "spent_token")
"""Tables that are taken over from the data that is replaced."""


class Restored(msgspec.Struct, frozen=True):
    """What was done."""

    database: Path
    aside: Path | None
    """Where the data lies that was there before; None where there was none."""
    logins_kept: bool
    """Whether devices stay logged in, or logged out, as they were before."""


def restore(source: Path, data: Path, *, now: int) -> Restored:
    """Put the backup `source` in the place of what is in `data`, which is put aside.

    The database gets a new epoch, by which every client learns that what it has may be of another past: it throws away
    the messages that it keeps, takes the new state, and goes on with its drafts and its outbox. Who is logged in is
    taken over from the data that is replaced, for the accounts that are in both: tokens are exchanged every hour, so a
    backup's own are of no use, and a device that was logged out since must stay so.

    At every moment there is a whole database under the server's name: the old one, then the new one.

    Raises:
        DatabaseInUse: a server runs on that data.
        NotADatabase: the backup is damaged, or is none.
        RuntimeError: the backup was made by a newer version.
        sqlite3.Error, OSError: it cannot be read, or the new database not be written; nothing has changed.
    """
    if not source.is_file():
        raise NotADatabase(f"{source}: there is no such file")
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = data / DATABASE
    lock = FileLock(database.with_name(database.name + ".lock"))
    lock.acquire(f"the database {database}")
    try:
        scratch = data / f".{DATABASE}.restored"
        copy(source, scratch)
        try:
            kept = _prepare(scratch, database if database.exists() else None, now)
            aside = _put_aside(database, now) if database.exists() else None
            scratch.replace(database)
            keep(data)
        except BaseException:
            scratch.unlink(missing_ok=True)
            raise
    finally:
        lock.release()
    return Restored(database, aside, kept)


def _prepare(scratch: Path, replaced: Path | None, now: int) -> bool:
    """Bring the copy up to date, give it a new epoch, and take the log-ins over; whether that could be done."""
    with closing(connect(scratch)) as connection:
        migrate(connection, now)
        connection.execute("UPDATE meta SET value = ? WHERE name = 'epoch'", (secrets.token_hex(6),))
        kept = replaced is not None and _take_logins(connection, replaced, now)
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
        connection.execute("VACUUM")
    keep(scratch)
    return kept


def _take_logins(connection: sqlite3.Connection, replaced: Path, now: int) -> bool:
    """Devices and their tokens as they were in the data that is replaced; False where that is damaged."""
    try:
        with closing(connect(replaced)) as before:
            check(before, replaced.name)
            migrate(before, now)
    except (NotADatabase, sqlite3.DatabaseError):
        return False
    connection.execute("ATTACH ? AS before", (str(replaced),))
    connection.execute("BEGIN IMMEDIATE")
    mine = "SELECT n.id FROM main.account n JOIN before.account b ON b.id = n.id AND b.folded = n.folded"
    # Rows of the log of deletions name devices, so that none is removed; one that is not known any more is logged out.
    connection.execute(
        "UPDATE main.device SET revoked = ?, access_hash = NULL, refresh_hash = NULL WHERE revoked IS NULL", (now,)
    )
    connection.execute("DELETE FROM main.spent_token")
    connection.execute(f"INSERT OR REPLACE INTO main.device SELECT * FROM before.device WHERE account IN ({mine})")  # noqa: S608
    connection.execute(
        "INSERT INTO main.spent_token SELECT * FROM before.spent_token WHERE device IN (SELECT id FROM main.device)"
    )
    connection.execute("COMMIT")
    connection.execute("DETACH before")
    return True


def _put_aside(database: Path, now: int) -> Path:
    """Give what is there a second name, in one file where it is whole; its own stays until it is replaced."""
    moment = datetime.fromtimestamp(now / 1000, UTC)
    aside = database.with_name(f"{database.name}.before-{moment:%Y%m%dT%H%M%S}Z")
    with suppress(sqlite3.DatabaseError), closing(connect(database)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE").fetchone()
    # A log that is still there, because the database is damaged, would be taken for the new one's.
    for suffix in ("-wal", "-shm"):
        log = database.with_name(database.name + suffix)
        if log.exists():
            log.replace(aside.with_name(aside.name + suffix))
    os.link(database, aside)
    keep(database.parent)
    return aside
