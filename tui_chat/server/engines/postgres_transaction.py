"""A transaction on one PostgreSQL connection: our portable SQL, and what it takes part in."""

import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from . import Clock, Row, Transaction
from .postgres_locks import Locks
from .postgres_session import FEW, Session, array_type, arrays, translated
from .rows import PLACE

KEYED: Final = ("account", "audit", "batch", "conversation", "device", "operation")
"""Tables with keys that the application makes: each from a sequence `key_TABLE`."""
PIECE: Final = 1_000
"""Rows that are inserted by one statement, at most."""
_INSERT: Final = re.compile(r"(INSERT INTO \w+ \([\w, ]+\) )VALUES \(([^()]*)\)")
_LOGS: Final = re.compile(r"\bstream\b")


@lru_cache(maxsize=256)
def _inserting(sql: str, count: int) -> str | None:
    """The INSERT of one row as one of several; None where it is none, or more than that."""
    match = _INSERT.fullmatch(sql)
    return match and f"{match[1]}VALUES {', '.join([f'({match[2]})'] * count)}"


@lru_cache(maxsize=256)
def _inserting_arrays(sql: str, types: tuple[str, ...]) -> str | None:
    """The same as one of columns."""
    match = _INSERT.fullmatch(sql)
    if match is None:
        return None
    names = iter(f"c{number}" for number in range(len(types)))
    chosen = ", ".join(next(names) if one == "?" else one for one in match[2].split(", "))
    columns = ", ".join(f"c{number}" for number in range(len(types)))
    arrays_of = ", ".join(f"?::{one}" for one in types)
    return f"{match[1]}SELECT {chosen} FROM unnest({arrays_of}) AS rows ({columns})"  # noqa: S608 - our own statement


@lru_cache(maxsize=256)
def _over_columns(sql: str, types: tuple[str, ...]) -> tuple[str, int]:
    """A statement over `(VALUES ?**) v` as one over columns, and how many placeholders come before these."""
    head, tail = sql.split(PLACE)
    names = ", ".join(f"column{number}" for number in range(1, len(types) + 1))
    return f"{head}unnest({', '.join(f'?::{one}' for one in types)}) AS v ({names}){tail}", head.count("?")


@lru_cache(maxsize=1024)
def _concerns_logs(sql: str) -> bool:
    """Whether a statement that writes may change how far a user's log is counted."""
    return _LOGS.search(sql) is not None


def _of_columns(sql: str, rows: Sequence[Sequence[int | str]], more: Sequence[Any]) -> tuple[str, list[Any]]:
    """A statement over `(VALUES ?**) v`, and what to give it."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    statement, before = _over_columns(sql, tuple(array_type(column) for column in columns))
    return translated(statement), [*more[:before], *columns, *more[before:]]


def _of_list(sql: str, values: Sequence[Any], more: Sequence[Any]) -> tuple[str, tuple[Any, ...]]:
    """A statement with `IN (?*)`, and what to give it."""
    before = sql[: sql.index("?*")].count("?")
    given = values if len(values) <= FEW else [list(values)]
    return translated(sql, len(values)), (*more[:before], *given, *more[before:])


class PostgresTransaction(Transaction):
    """Statements run on the session, whose thread has begun the transaction and ends it."""

    def __init__(self, session: Session, clock: Clock, locks: Locks) -> None:
        super().__init__(clock())
        self._clock = clock
        self._session = session
        self._locks = locks
        self.wrote = False
        """Whether this job has changed anything."""

    @property
    def now(self) -> int:
        """Milliseconds since 1970, the same throughout the transaction from its first lock on."""
        self._locks.settle()
        return self._now

    @now.setter
    def now(self, now: int) -> None:
        self._now = now

    def one(self, sql: str, *values: Any) -> Row | None:
        """The first row, or None."""
        rows = self.all(sql, *values)
        return rows[0] if rows else None

    def all(self, sql: str, *values: Any) -> list[Row]:
        """Every row."""
        return self._session.rows(translated(sql), values)

    def execute(self, sql: str, *values: Any) -> int:
        """Run a statement; the number of rows that it touched."""
        self._locks.settle()
        touched = self._session.count(translated(sql), values)
        if touched:
            self._note_writing(sql)
        return touched

    def later(self, sql: str, *values: Any) -> None:
        """See Transaction.later."""
        self._note_writing(sql)
        self._session.post(translated(sql), values)

    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement once for each row of values; they are sent together, with what comes next."""
        rows = list(rows)
        if not rows:
            return
        self._note_writing(sql)
        if len(rows) == 1:
            self._session.post(translated(sql), rows[0])
        elif len(rows) <= FEW and (several := _inserting(sql, len(rows))):
            self._session.post(translated(several), [value for row in rows for value in row])
        else:
            for start in range(0, len(rows), PIECE):
                self._post_many(sql, rows[start : start + PIECE])

    def _post_many(self, sql: str, rows: list[Sequence[Any]]) -> None:
        columns = arrays(rows)
        whole = columns and _inserting_arrays(sql, tuple(map(array_type, columns)))
        if columns and whole:
            self._session.post(translated(whole), columns)
        else:
            for row in rows:
                self._session.post(translated(sql), row)

    def in_list(self, sql: str, values: Sequence[Any], *more: Any) -> list[Row]:
        """See Transaction.in_list."""
        return self._session.rows(*_of_list(sql, values, more)) if values else []

    def change_list(self, sql: str, values: Sequence[Any], *more: Any) -> None:
        """See Transaction.change_list."""
        if values:
            self._note_writing(sql)
            self._session.post(*_of_list(sql, values, more))

    def for_rows(self, sql: str, rows: Sequence[Sequence[int | str]], *more: Any) -> list[Row]:
        """See Transaction.for_rows; the rows are sent as their columns."""
        return self._session.rows(*_of_columns(sql, rows, more)) if rows else []

    def change_rows(self, sql: str, rows: Sequence[Sequence[int | str]], *more: Any) -> None:
        """See Transaction.change_rows."""
        if rows:
            self._note_writing(sql)
            self._session.post(*_of_columns(sql, rows, more))

    def next_keys(self, table: str, count: int) -> list[int]:
        """From the table's sequence: keys of transactions that failed are never used."""
        if table not in KEYED:
            raise ValueError(f"{table} has no keys to give out")
        rows = self._session.rows(
            f"SELECT nextval('key_{table}') FROM generate_series(1, $1)",  # noqa: S608 - one of a few names
            (count,),
        )
        return sorted(row[0] for row in rows)

    def is_alone_at(self, what: str) -> bool:
        """By an advisory lock, which the transaction's end lets go."""
        row = self.one("SELECT pg_try_advisory_xact_lock(?)", zlib.crc32(what.encode()))
        return row is not None and bool(row[0])

    def take_event_seqs(self, wanted: Mapping[int, int], known: Mapping[int, int] | None = None) -> dict[int, int]:
        """See Transaction.take_event_seqs. What is known from elsewhere is not needed: the locks tell.

        Where one of these users is not locked after all, the job begins anew: one number for two events would be
        refused by nobody, since what a group is told stands in no log yet.
        """
        self._locks.settle()
        self._locks.look_up_seqs(wanted)
        seqs = self._locks.seqs
        before = {account: seqs[account] for account in wanted if account in seqs}
        self._locks.check_users(before)
        alike: dict[int, list[int]] = {}
        for account, seq in before.items():
            count = wanted[account]
            seqs[account] = seq + count
            alike.setdefault(count, []).append(account)
        for count, accounts in alike.items():
            self.wrote = self._locks.written = True
            sql = translated("UPDATE stream SET seq = seq + ? WHERE account IN (?*)", len(accounts))
            self._session.post(sql, (count, *accounts) if len(accounts) <= FEW else (count, accounts))
        return before

    def lock_users(self, users: Iterable[int]) -> None:
        """See Transaction.lock_users."""
        self._locks.users(users)

    def lock_conversations(self, conversations: Iterable[int]) -> None:
        """See Transaction.lock_conversations."""
        self._locks.conversations(conversations)
        self._look_at_the_clock()

    def lock_everybody(self, conversations: Iterable[int]) -> None:
        """See Transaction.lock_everybody."""
        self._locks.everybody(conversations)

    def lock_room(self, user: int, folded: str) -> None:
        """See Transaction.lock_room."""
        self._locks.room(user, folded, self._look_at_the_clock)

    def found_room(self, conversation: int) -> None:
        """See Transaction.found_room. Each statement sees what was committed before it, so the reading that found this
        conversation may have seen more than asking for its lock did."""
        self._locks.check_room(conversation)

    def _note_writing(self, sql: str) -> None:
        # Nothing is written along with asking for a lock: if that cannot be had, nothing is to be undone.
        self._locks.settle()
        self.wrote = self._locks.written = True
        if _concerns_logs(sql):
            self._locks.forget_seqs()

    def _look_at_the_clock(self) -> None:
        """Who waited for a conversation comes after those who had it, also by the time that its messages bear."""
        if not self._locks.written:
            self._now = max(self._now, self._clock())
