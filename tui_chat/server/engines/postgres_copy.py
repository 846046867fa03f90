"""Moving a server's data from SQLite to PostgreSQL: all tables as they are, compared row by row before it counts."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import msgspec
import psycopg
from psycopg import sql

from tui_chat.protocol.errors import Unavailable

from . import Row
from .filelock import FileLock
from .migrations import available
from .postgres_connection import Connection, in_full, migrate
from .postgres_connection import connect as connect_postgres
from .postgres_transaction import KEYED
from .sqlite_files import NotADatabase, SqliteError, connect

STEP: Final = 20_000
"""Rows between two reports."""

Progress = Callable[[str, str, int, int], None]
"""What is done ("copied", "compared"), to which table, how many of its rows, of how many."""


class CannotMigrate(RuntimeError):
    """It was not done, and nothing was changed; `str()` is one line that says why."""


class Table(msgspec.Struct, frozen=True):
    """A table of the schema."""

    name: str
    columns: list[str]
    key: list[str]


def migrate_database(source: Path, address: str, *, now: int, progress: Progress) -> int:
    """Copy a stopped server's data into an empty PostgreSQL database, all of it or nothing; the number of rows.

    Devices stay logged in, and clients go on where they were: not even the epoch is another one.

    Raises:
        DatabaseInUse: a server works on the source.
        CannotMigrate: the source is none of this version, the target is not empty, or they differ afterwards.
        Unavailable: PostgreSQL cannot be reached, or refuses.
    """
    with _opened(source, address) as (reader, writer):
        migrate(writer, now)
        tables = _tables(reader)
        with writer.transaction():
            writer.execute("SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0")
            # Whoever would register on a server that runs there waits, and is refused afterwards by what is there.
            writer.execute("LOCK TABLE account IN EXCLUSIVE MODE")
            if writer.execute("SELECT 1 FROM account LIMIT 1").fetchone() is not None:
                raise CannotMigrate("the PostgreSQL database has accounts already: give an empty one")
            for table in tables:
                writer.execute(sql.SQL("TRUNCATE {}").format(sql.Identifier(table.name)))
            rows = sum(_copy(reader, writer, table, progress) for table in tables)
            for name in KEYED:
                writer.execute(
                    sql.SQL("SELECT setval({}, COALESCE((SELECT MAX(id) FROM {}), 0) + 1, false)").format(
                        sql.Literal(f"key_{name}"), sql.Identifier(name)
                    )
                )
            if different := _different(reader, writer, tables, progress):
                raise CannotMigrate(f"what was copied is not the same in {', '.join(different)}; nothing was kept")
        writer.execute("SET statement_timeout = 0; ANALYZE")
    return rows


def compare_databases(source: Path, address: str, *, progress: Progress) -> list[str]:
    """Compare every row of both; the names of the tables that differ. Raises as migrate_database."""
    with _opened(source, address) as (reader, writer), writer.transaction():
        writer.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = 0")
        return _different(reader, writer, _tables(reader), progress)


@contextmanager
def _opened(source: Path, address: str) -> Iterator[tuple[sqlite3.Connection, Connection]]:
    if not source.is_file():
        raise CannotMigrate(f"{source} is no database: give the file, or the directory that it is in")
    lock = FileLock(source.with_name(source.name + ".lock"))
    lock.acquire(f"the database {source}")
    try:
        reader = connect(source, read_only=True)
        try:
            reader.execute("BEGIN")
            with connect_postgres(address) as writer:
                yield reader, writer
        finally:
            reader.close()
    except (SqliteError, NotADatabase) as failure:
        raise CannotMigrate(f"{source} cannot be read: {failure}") from failure
    except psycopg.DataError as failure:
        raise CannotMigrate(f"PostgreSQL takes not all of it: {' '.join(str(failure).split())}") from failure
    except psycopg.Error as failure:
        refusal = in_full(failure)
        raise refusal if isinstance(refusal, Unavailable) else CannotMigrate(str(failure)) from failure
    finally:
        lock.release()


def _tables(reader: sqlite3.Connection) -> list[Table]:
    """The tables of the source, which has to be of this version."""
    found = {
        name
        for (name,) in reader.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        if not name.startswith("sqlite_")
    }
    if not {"migration", "meta", "account"} <= found:
        raise CannotMigrate("that file is no database of tui-chat")
    (has,) = reader.execute("SELECT MAX(number) FROM migration").fetchone()
    newest = max(number for number, _ in available())
    if has != newest:
        advice = "update tui-chat" if has > newest else "start and stop its server once"
        raise CannotMigrate(f"that file has schema {has}, this version has {newest}: {advice}")
    tables = []
    for name in sorted(found - {"migration"}):
        info = reader.execute(f"PRAGMA table_info({name})").fetchall()
        key = sorted((row for row in info if row[5]), key=lambda row: row[5])
        tables.append(Table(name, [row[1] for row in info], [row[1] for row in key]))
    return tables


def _rows(reader: sqlite3.Connection, table: Table) -> Iterator[Row]:
    query = f"SELECT {', '.join(table.columns)} FROM {table.name} ORDER BY {', '.join(table.key)}"  # noqa: S608
    return iter(reader.execute(query))


def _count(reader: sqlite3.Connection, table: Table) -> int:
    return int(reader.execute(f"SELECT COUNT(*) FROM {table.name}").fetchone()[0])  # noqa: S608


def _copy(reader: sqlite3.Connection, writer: Connection, table: Table, progress: Progress) -> int:
    total = _count(reader, table)
    into = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table.name), _names(table.columns))
    with writer.cursor() as cursor, cursor.copy(into) as copy:
        for row in _reported(_rows(reader, table), "copied", table, total, progress):
            copy.write_row(row)
    return total


def _different(
    reader: sqlite3.Connection, writer: Connection, tables: Sequence[Table], progress: Progress
) -> list[str]:
    different = []
    for table in tables:
        total = _count(reader, table)
        ours = _digest(_reported(_rows(reader, table), "compared", table, total, progress))
        query = sql.SQL("SELECT {} FROM {} ORDER BY {}").format(
            _names(table.columns), sql.Identifier(table.name), _names(table.key)
        )
        with writer.cursor("comparing", binary=True) as cursor:
            cursor.itersize = 2_000
            cursor.execute(query)
            if _digest(cursor) != ours:
                different.append(table.name)
    return different


def _names(columns: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def _digest(rows: Iterable[Sequence[Any]]) -> tuple[int, bytes]:
    """How many rows, and what they are."""
    encode = msgspec.msgpack.Encoder().encode
    count, digest = 0, sha256()
    for row in rows:
        count += 1
        digest.update(encode(row))
    return count, digest.digest()


def _reported(rows: Iterable[Row], what: str, table: Table, total: int, progress: Progress) -> Iterator[Row]:
    for number, row in enumerate(rows, 1):
        yield row
        if number % STEP == 0:
            progress(what, table.name, number, total)
    progress(what, table.name, total, total)
