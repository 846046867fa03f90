"""What a World keeps its data in: either engine's, one transaction at a time."""

import sqlite3
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from tui_chat.server.engines import Row, Transaction
from tui_chat.server.engines.migrations import migrate
from tui_chat.server.engines.postgres_locks import Locks
from tui_chat.server.engines.postgres_session import Session, translated
from tui_chat.server.engines.postgres_transaction import PostgresTransaction
from tui_chat.server.engines.sqlite_transaction import SqliteTransaction


class Store(ABC):
    """A database with our schema and nothing in it."""

    @abstractmethod
    def begin(self, now: int) -> Transaction:
        """Begin a transaction."""

    @abstractmethod
    def commit(self) -> None:
        """Keep what it did."""

    @abstractmethod
    def rollback(self) -> None:
        """Forget what it did."""

    @abstractmethod
    def rows(self, sql: str, *values: Any) -> list[Row]:
        """What stands in the database."""

    @abstractmethod
    def change(self, sql: str, *values: Any) -> None:
        """Change it behind the operations' backs."""

    @abstractmethod
    def mark(self) -> None:
        """Keep the present state in mind, once."""

    @abstractmethod
    def go_back(self) -> None:
        """Return to the state that was marked, as often as wanted."""

    @abstractmethod
    def tables(self) -> list[str]:
        """The names of all tables."""

    @abstractmethod
    def columns(self, table: str) -> list[str]:
        """The names of a table's columns."""

    @abstractmethod
    def close(self) -> None:
        """The test is over."""


class SqliteStore(Store):
    """A file."""

    def __init__(self, path: Path | str, now: int) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None, cached_statements=512)
        self.connection.execute("PRAGMA journal_mode=WAL")
        self.connection.execute("PRAGMA synchronous=OFF")
        migrate(self.connection, now)
        self._marked: sqlite3.Connection | None = None

    def begin(self, now: int) -> Transaction:
        self.connection.execute("BEGIN IMMEDIATE")
        return SqliteTransaction(self.connection, now)

    def commit(self) -> None:
        self.connection.execute("COMMIT")

    def rollback(self) -> None:
        self.connection.execute("ROLLBACK")

    def rows(self, sql: str, *values: Any) -> list[Row]:
        return self.connection.execute(sql, values).fetchall()

    def change(self, sql: str, *values: Any) -> None:
        self.connection.execute(sql, values)

    def mark(self) -> None:
        self._marked = sqlite3.connect(":memory:")
        self.connection.backup(self._marked)

    def go_back(self) -> None:
        assert self._marked is not None
        self._marked.backup(self.connection)

    def tables(self) -> list[str]:
        return [row[0] for row in self.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]

    def columns(self, table: str) -> list[str]:
        return [row[1] for row in self.rows(f"PRAGMA table_info({table})")]

    def close(self) -> None:
        if self._marked is not None:
            self._marked.close()
        self.connection.close()


class PostgresStore(Store):
    """A migrated database that others use after this: everything happens in one transaction that is rolled back, and
    what the operations take for transactions are savepoints in it."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._run("BEGIN")

    def _run(self, *statements: str) -> None:
        for statement in statements:
            self._session.count(statement)

    def begin(self, now: int) -> Transaction:
        self._run("SAVEPOINT operation")
        return PostgresTransaction(self._session, lambda: now, Locks(self._session))

    def commit(self) -> None:
        self._run("RELEASE SAVEPOINT operation")

    def rollback(self) -> None:
        self._run("ROLLBACK TO SAVEPOINT operation", "RELEASE SAVEPOINT operation")

    def rows(self, sql: str, *values: Any) -> list[Row]:
        return self._session.rows(translated(sql), values)

    def change(self, sql: str, *values: Any) -> None:
        self._session.count(translated(sql), values)

    def mark(self) -> None:
        self._run("SAVEPOINT marked")

    def go_back(self) -> None:
        self._run("ROLLBACK TO SAVEPOINT marked")

    def tables(self) -> list[str]:
        return [row[0] for row in self.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]

    def columns(self, table: str) -> list[str]:
        query = "SELECT column_name FROM information_schema.columns WHERE table_name = ?"
        return [row[0] for row in self.rows(query, table)]

    def close(self) -> None:
        self._session.roll_back()
