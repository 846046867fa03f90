"""A transaction on one SQLite connection."""

import re
import sqlite3
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain, islice
from types import GenericAlias
from typing import Any, Final, TypeVar

import msgspec

from . import Row, TakesLong, Transaction
from .rows import PLACE

S = TypeVar("S", bound=msgspec.Struct)

_LENGTHS: Final = (1, 2, 4, 8, 16, 32, 64, 100, 250, 500)
"""Lists are padded to one of these, so that the connection's statement cache knows the query again."""
_FEW: Final = 4
"""Rows up to which it is quicker to ask for each: SQLite sorts a list of keys into a table of its own first (measured:
23 µs for two, instead of 5; RETURNING costs about the same)."""
_KEYED: Final = frozenset({"account", "device", "conversation", "batch", "operation", "audit"})
_AT_ONCE: Final = 50
"""Rows that one statement inserts: more take no less time each."""
_PLACEHOLDERS_MOST: Final = 999
"""In one statement, before SQLite 3.32."""
_UPDATE: Final = re.compile(r"\AUPDATE ")
_INSERT: Final = re.compile(r"INSERT (INTO \w+ \([\w, ]+\) VALUES )(\([?, ]+\))")


@lru_cache(maxsize=256)
def _inserting(sql: str) -> tuple[str, int] | None:
    """The INSERT of one row as one of several, and of how many; None where it is none.

    OR FAIL: as with a statement for each row, those before the one that is refused stay. Without it SQLite keeps a copy
    of each page that a statement of several rows changes, in case it had to take them back, which takes longer than
    the rows (measured: 200 rows in as many logs take 2.6 µs each, instead of 4.4 one by one and 4.9 with copies).
    """
    match = _INSERT.fullmatch(sql)
    if match is None:
        return None
    count = min(_AT_ONCE, _PLACEHOLDERS_MOST // match[2].count("?"))
    return f"INSERT OR FAIL {match[1]}{','.join([match[2]] * count)}", count


@lru_cache(maxsize=512)
def _written_out(sql: str, length: int) -> tuple[str, int]:
    """The query with so many placeholders for its `?*`, and how many others come before them.

    Remembered, because the connection finds a query again much quicker by the very same string. OR FAIL: as with
    _inserting (measured: a hundred rows take 3 to 5 % less).
    """
    head, tail = _UPDATE.sub("UPDATE OR FAIL ", sql).split("?*")
    return head + ",".join("?" * length) + tail, head.count("?")


_HAS_JSON: Final = sqlite3.sqlite_version_info >= (3, 38)
"""Before that, not every SQLite was built with it."""


def _from_json(sources: str) -> str:
    """A query's sources with its list of keys as JSON."""
    return sources.replace(PLACE, "json_each(?) v").replace("v.column1", "v.value")


@lru_cache(maxsize=32)
def _in_one_row(kind: type[Any], columns: str, sources: str) -> tuple[str, "msgspec.json.Decoder[list[Any]]"]:
    """The query for Transaction.structs as one whose one row is JSON, as is the list of keys that it is given."""
    query = f"SELECT json_group_array(json_array({columns})){_from_json(sources)}"
    return query, msgspec.json.Decoder(GenericAlias(list, (kind,)))


@lru_cache(maxsize=32)
def _in_one_row_by_column(columns: tuple[str, ...], sources: str) -> str:
    """The same for Transaction.columns: the one row has a list for each column, in the same order."""
    return f"SELECT {', '.join([f'json_group_array({column})' for column in columns])}{_from_json(sources)}"


class SqliteTransaction(Transaction):
    """Statements run at once on the connection, whose thread has begun the transaction and ends it."""

    def __init__(self, connection: sqlite3.Connection, now: int, *, in_haste: bool = False) -> None:
        super().__init__(now)
        self._connection = connection
        self._in_haste = in_haste

    def takes_long(self) -> None:
        """See Transaction.takes_long."""
        if self._in_haste:
            raise TakesLong()

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
        rows = iter(rows)
        if several := _inserting(sql):
            statement, count = several
            while len(piece := list(islice(rows, count))) == count:
                self._connection.execute(statement, tuple(chain.from_iterable(piece)))
            rows = iter(piece)
        self._connection.executemany(sql, rows)

    def touched(self, sql: str, rows: Sequence[Sequence[Any]]) -> int:
        """See Transaction.touched."""
        return self._connection.executemany(sql, rows).rowcount

    def in_list(self, sql: str, values: Sequence[Any], *more: Any) -> list[Row]:
        """See Transaction.in_list."""
        return self._over(sql, values, more)

    def _over(self, sql: str, values: Sequence[Any], more: Sequence[Any]) -> list[Row]:
        """A statement with `IN (?*)`, in pieces."""
        rows: list[Row] = []
        for start in range(0, len(values), _LENGTHS[-1]):
            piece = tuple(values[start : start + _LENGTHS[-1]])
            length = _LENGTHS[bisect_left(_LENGTHS, len(piece))]
            padded = piece + piece[-1:] * (length - len(piece))
            query, before = _written_out(sql, length)
            given = (*more[:before], *padded, *more[before:])
            rows += self._connection.execute(query, given).fetchall()
        return rows

    def structs(self, kind: type[S], columns: str, sources: str, keys: Sequence[int | str], *more: Any) -> list[S]:
        """See Transaction.structs. sqlite3 lets go of the interpreter's lock for each row, and asks for the type and
        the value of each of its columns: a hundred rows of eleven take two thirds of the time as JSON in one row."""
        if not _HAS_JSON:
            return super().structs(kind, columns, sources, keys, *more)
        query, decoder = _in_one_row(kind, columns, sources)
        row = self.one(query, msgspec.json.encode(keys).decode(), *more)
        assert row is not None
        found: list[S] = decoder.decode(row[0])
        return found

    def columns(self, columns: Sequence[str], sources: str, keys: Sequence[int | str], *more: Any) -> list[list[Any]]:
        """See Transaction.columns; in one row, as `structs`."""
        if not _HAS_JSON:
            return super().columns(columns, sources, keys, *more)
        row = self.one(_in_one_row_by_column(tuple(columns), sources), msgspec.json.encode(keys).decode(), *more)
        assert row is not None
        return [msgspec.json.decode(column) for column in row]

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

    def take_event_seqs(self, wanted: Mapping[int, int], known: Mapping[int, int] | None = None) -> dict[int, int]:
        """See Transaction.take_event_seqs."""
        if known is not None:
            before = {account: known[account] for account in wanted if account in known}
        elif len(wanted) <= _FEW:
            before = dict(
                row
                for account in wanted
                for row in self._connection.execute("SELECT account, seq FROM stream WHERE account = ?", (account,))
            )
        else:
            before = dict(self.in_list("SELECT account, seq FROM stream WHERE account IN (?*)", list(wanted)))
        if len(before) <= _FEW:
            self._connection.executemany(
                "UPDATE stream SET seq = ? WHERE account = ?",
                [(seq + wanted[account], account) for account, seq in before.items()],
            )
            return before
        # Members of a group take one each: a statement for all of them takes 40 % of the time of one for each.
        alike: dict[int, list[int]] = {}
        for account in before:
            alike.setdefault(wanted[account], []).append(account)
        for count, accounts in alike.items():
            self._over("UPDATE stream SET seq = seq + ? WHERE account IN (?*)", accounts, (count,))
        return before

    def lock_users(self, users: Iterable[int]) -> None:
        """Nothing to do: there is only one writer."""

    def lock_room(self, user: int, folded: str) -> None:
        """Nothing to do: there is only one writer."""

    def lock_conversations(self, conversations: Iterable[int]) -> None:
        """Nothing to do: there is only one writer."""

    def lock_everybody(self, conversations: Iterable[int]) -> None:
        """Nothing to do: there is only one writer."""
