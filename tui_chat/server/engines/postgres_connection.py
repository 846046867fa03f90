"""Connections to PostgreSQL: how they are made, what schema they find, and what their failures mean to callers."""

import re
import secrets
from typing import Final

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.types.numeric import Int8Dumper

from tui_chat.protocol.errors import StorageFull, Unavailable

from . import Row
from .migrations import OURS, missing, statements
from .postgres_transaction import KEYED

Connection = psycopg.Connection[Row]

OLDEST: Final = 14
"""The oldest PostgreSQL that is still cared for by its makers."""
CONNECT_SECONDS: Final = 5
STATEMENT_MS: Final = 30_000
LOCK_MS: Final = 10_000
"""Nobody holds a lock for longer than a transaction, which takes milliseconds."""
IDLE_MS: Final = 60_000
"""A transaction whose process does nothing any more gives its locks back after that."""
_DEFAULTS: Final[dict[str, str | int]] = {
    "application_name": "tui-chat",
    "connect_timeout": CONNECT_SECONDS,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""Unless the address says otherwise; a server that vanished without a word is found out so."""
MIGRATING: Final = 0x7475_6963_6861_74
"""Key of the advisory lock of who brings the schema up to date."""
_TEXT: Final = re.compile(r"\bTEXT\b")
_TABLES: Final = (
    "SELECT c.relname, ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0)"
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p', 'f') AND NOT EXISTS (SELECT FROM pg_depend d"
    " WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')"
)
"""Those of the schema in which ours stand, or would be made, with their columns; none that an extension brings."""


def connect(address: str) -> Connection:
    """A connection without psycopg's own transactions.

    Raises:
        psycopg.Error: there is none to be had.
    """
    connection = psycopg.connect(parameters(address), autocommit=True)
    # One type for every number, or each statement would be prepared anew for small ones and large ones.
    connection.adapters.register_dumper(int, Int8Dumper)
    connection.prepare_threshold = 1
    connection.prepared_max = 512
    connection.execute(
        f"SET statement_timeout = {STATEMENT_MS}; SET lock_timeout = {LOCK_MS};"
        f" SET idle_in_transaction_session_timeout = {IDLE_MS}; SET jit = off; SET client_encoding = 'UTF8'"
    )
    return connection


def parameters(address: str) -> str:
    """The address with what it leaves open. Raises psycopg.ProgrammingError: it is none."""
    given = conninfo_to_dict(address)
    return make_conninfo(address, **{name: value for name, value in _DEFAULTS.items() if name not in given})


def migrate(connection: Connection, now: int) -> None:
    """Bring the schema up to date, all of it or nothing, one process at a time.

    Raises:
        RuntimeError: this server cannot be used, or the database has been written by a newer version, or is another
            program's.
        psycopg.Error: the database refuses.
    """
    if connection.info.server_version < OLDEST * 10_000:
        found = connection.info.server_version // 10_000
        raise RuntimeError(f"PostgreSQL {OLDEST} or newer is needed, this is {found}")
    encoding = connection.execute("SHOW server_encoding").fetchone()
    if encoding != ("UTF8",):
        raise RuntimeError(f"the database must be encoded in UTF8, not {encoding and encoding[0]}")
    with connection.transaction():
        # Of a large database a step may take minutes, and so long whoever else begins waits for it.
        connection.execute("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0")
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (MIGRATING,))
        _refuse_anothers(connection)
        connection.execute("CREATE TABLE IF NOT EXISTS migration (number BIGINT PRIMARY KEY, applied BIGINT NOT NULL)")
        done = {int(row[0]) for row in connection.execute("SELECT number FROM migration")}
        for number, text in missing(done):
            for statement in statements(text):
                connection.execute(_in_postgres(statement))
            connection.execute("INSERT INTO migration (number, applied) VALUES (%s, %s)", (number, now))
        for table in KEYED:
            connection.execute(f"CREATE SEQUENCE IF NOT EXISTS key_{table}")
        connection.execute(
            "INSERT INTO meta (name, value) VALUES ('epoch', %s) ON CONFLICT (name) DO NOTHING", (secrets.token_hex(6),)
        )


def _refuse_anothers(connection: Connection) -> None:
    """See that there are no tables yet, or ours among them. Raises RuntimeError."""
    tables = {name: set(columns) for name, columns in connection.execute(_TABLES)}
    if tables and not all(columns <= tables.get(name, set()) for name, columns in OURS.items()):
        raise RuntimeError(
            f"another program's tables are in that database, such as {min(tables)!r}; nothing was changed: give an"
            " empty database, or a schema of its own"
        )


def _in_postgres(statement: str) -> str:
    """A statement of a migration, which is text of our own; texts are compared by their bytes, as SQLite does."""
    if statement.startswith("UPDATE"):
        return statement
    return _TEXT.sub('TEXT COLLATE "C"', statement)


def is_race(failure: BaseException) -> bool:
    """Whether the same job may succeed, or be refused in its own words, when it is run again: somebody else was
    quicker."""
    return isinstance(failure, errors.UniqueViolation | errors.DeadlockDetected | errors.SerializationFailure)


def as_refusal(failure: BaseException) -> BaseException:
    """What a caller is told of a failure of the database: nothing of where that is and how it is reached."""
    match failure:
        case errors.DiskFull():
            return StorageFull()
        case (
            errors.InsufficientResources()
            | errors.OperatorIntervention()
            | errors.ReadOnlySqlTransaction()
            | errors.LockNotAvailable()
            | errors.IdleInTransactionSessionTimeout()
            | errors.IoError()
            | errors.DeadlockDetected()
            | errors.SerializationFailure()
        ):
            return Unavailable("the database cannot be used just now")
        case psycopg.OperationalError() | psycopg.InterfaceError():
            return Unavailable("the database cannot be reached just now")
        case _:
            return failure


def in_full(failure: BaseException) -> BaseException:
    """The same for whoever runs the server, with what the database said."""
    refusal = as_refusal(failure)
    return Unavailable(f"{refusal}: {described(failure)}") if type(refusal) is Unavailable else refusal


def described(failure: BaseException) -> str:
    """What it says, as one line."""
    return " ".join(str(failure).split())[:200]
