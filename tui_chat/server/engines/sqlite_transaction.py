"""A transaction on one SQLite connection."""

import sqlite3
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Any, Final

from . import Row, Transaction

_LENGTHS: Final = (1, 2, 4, 8, 16, 32, 64, 100, 250, 500)
"""Lists are padded to one of these, so that the connection's statement cache knows the query again."""
_KEYED: Final = frozenset({"account", "device", "conversation", "batch", "operation", "audit"})


class SqliteTransaction(Transaction):
    """Statements run at once on the connection, whose thread has begun the transaction and ends it."""

    def __init__(self, connection: sqlite3.Connection, now: int) -> None:
        super().__init__(now)
        self._connection = connection

    def one(self, sql: str, *values: Any) -> Row | None:
        """The first row, or None."""
        row: Row | None = self._connection.execute(sql, values).fetchone()
        return row

    def all(self, sql: str, *values: Any) -> list[Row]:
        """Every row."""
        return self._connection.execute(sql, values).fetchall()

    def execute(self, sql: str, *values: Any) -> int:
        """Run a statement; the number of rows that it touched."""
        return self._connection.execute(sql, values).rowcount

    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement once for each row of values."""
        self._connection.executemany(sql, rows)

    def in_list(self, sql: str, values: Sequence[Any], *more: Any) -> list[Row]:
        """See Transaction.in_list."""
        head, tail = sql.split("?*")
        before = more[: head.count("?")]
        after = more[len(before) :]
        rows: list[Row] = []
        for start in range(0, len(values), _LENGTHS[-1]):
            piece = tuple(values[start : start + _LENGTHS[-1]])
            length = _LENGTHS[bisect_left(_LENGTHS, len(piece))]
            padded = piece + piece[-1:] * (length - len(piece))
            query = head + ",".join("?" * length) + tail
            rows += self._connection.execute(query, (*before, *padded, *after)).fetchall()
        return rows

    def next_keys(self, table: str, count: int) -> list[int]:
        """From MAX + 1 on: there is only one writer."""
        if table not in _KEYED:
            raise ValueError(f"{table} has no keys to give out")
        row = self.one(f"SELECT COALESCE(MAX(id), 0) + 1 FROM {table}")  # noqa: S608 - one of a few names
        assert row is not None
        return list(range(row[0], row[0] + count))

    def is_alone_at(self, what: str) -> bool:
        """Always: there is only one writer."""
        return True

    def lock_users(self, users: Iterable[int]) -> None:
        """Nothing to do: there is only one writer."""

    def lock_room(self, user: int, folded: str) -> None:
        """Nothing to do: there is only one writer."""

    def lock_conversations(self, conversations: Iterable[int]) -> None:
        """Nothing to do: there is only one writer."""

    def lock_everybody(self, conversations: Iterable[int]) -> None:
        """Nothing to do: there is only one writer."""
