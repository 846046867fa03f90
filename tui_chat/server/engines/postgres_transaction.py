"""A transaction on one PostgreSQL connection, and the locks that it holds.

Transactions run READ COMMITTED and lock before they read what they decide by. They cannot wait for each other in a
circle: whoever holds locks waits only for one that comes after all of these (conversations before users, each by key),
and whoever has written anything, which locks what was written, waits for none. Otherwise a lock is taken only if that
needs no waiting; where it does, the job is given up (`Busy`), and begun anew with all locks that are known by then
taken first, in order.
"""

import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from psycopg import Cursor, errors

from . import Clock, Row, Transaction

KEYED: Final = ("account", "audit", "batch", "conversation", "device", "operation")
"""Tables with keys that the application makes: each from a sequence `key_TABLE`."""
FEW: Final = 4
"""Rows that are inserted by one statement; a pipeline, as for more of them, costs three trips to the server."""
_INSERT: Final = re.compile(r"(INSERT INTO \w+ \([\w, ]+\) VALUES )(\([^()]*\))")
_LIST: Final = re.compile(r"IN \(\?\*\)")


class Busy(Exception):
    """A lock out of order is held by somebody else: the job begins anew, with its locks taken first."""


@lru_cache(maxsize=1024)
def translated(sql: str) -> str:
    """Our portable SQL in psycopg's placeholders; a list is one value, an array."""
    return _LIST.sub("= ANY(?)", sql.replace("%", "%%")).replace("?", "%s")


class Wanted:
    """Locks: of conversations, of users, and of everybody who has a side of some conversations."""

    def __init__(self) -> None:
        self.conversations: set[int] = set()
        self.users: set[int] = set()
        self.everybody: set[int] = set()

    def copy(self) -> "Wanted":
        """The same, to be changed by itself."""
        other = Wanted()
        other.add(self)
        return other

    def add(self, other: "Wanted") -> None:
        """These and the other's."""
        self.conversations |= other.conversations
        self.users |= other.users
        self.everybody |= other.everybody


class Locks:
    """What one transaction holds, and what the job that runs in it has asked for so far."""

    def __init__(self, cursor: "Cursor[Row]") -> None:
        self._cursor = cursor
        self.held = Wanted()
        self.asked = Wanted()
        self.written = False
        """Whether rows were written, which are locked by that."""

    def take_first(self, wanted: Wanted) -> None:
        """Take these in order, before anything else is held."""
        self.conversations(wanted.conversations)
        if wanted.users or wanted.everybody:
            rows = self._locked(
                "SELECT account FROM stream WHERE account = ANY(%s) OR account IN"
                " (SELECT account FROM state WHERE conversation = ANY(%s)) ORDER BY account FOR NO KEY UPDATE",
                (sorted(wanted.users), sorted(wanted.everybody)),
                waits=True,
            )
            self.held.users.update(row[0] for row in rows)
            self.held.add(wanted)

    def conversations(self, wanted: Iterable[int]) -> None:
        """Lock conversations."""
        new = sorted(set(wanted) - self.held.conversations)
        self.asked.conversations.update(new)
        if new:
            self._locked(
                "SELECT id FROM conversation WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE",
                (new,),
                waits=not self.held.users and (not self.held.conversations or new[0] > max(self.held.conversations)),
            )
            self.held.conversations.update(new)

    def users(self, wanted: Iterable[int]) -> None:
        """Lock users, by their row in `stream`, which nearly every change writes anyway."""
        new = sorted(set(wanted) - self.held.users)
        self.asked.users.update(new)
        if new:
            self._locked(
                "SELECT account FROM stream WHERE account = ANY(%s) ORDER BY account FOR NO KEY UPDATE",
                (new,),
                waits=not self.held.users or new[0] > max(self.held.users),
            )
            self.held.users.update(new)

    def everybody(self, conversations: Iterable[int]) -> None:
        """Lock everybody who has a side of these conversations, which are locked."""
        new = set(conversations) - self.held.everybody
        self.asked.everybody |= new
        if new:
            rows = self._locked(
                "SELECT account FROM stream WHERE account IN (SELECT account FROM state WHERE conversation = ANY(%s))"
                " ORDER BY account FOR NO KEY UPDATE",
                (sorted(new),),
                waits=not self.held.users,
            )
            self.held.users.update(row[0] for row in rows)
            self.held.everybody |= new

    def named(self, user: int, folded: str) -> int | None:
        """Lock the conversation that a user calls so; its key, None where there is none."""
        query = (
            "SELECT c.id FROM conversation c JOIN state s ON s.conversation = c.id"
            " WHERE s.account = %s AND s.folded = %s"
        )
        if self.held.conversations or self.held.users:
            row = self._cursor.execute(query, (user, folded)).fetchone()
            if row is not None:
                self.conversations((row[0],))
        else:
            rows = self._locked(f"{query} FOR NO KEY UPDATE OF c", (user, folded), waits=True)
            row = rows[0] if rows else None
            if row is not None:
                self.asked.conversations.add(row[0])
                self.held.conversations.add(row[0])
        return None if row is None else row[0]

    def _locked(self, query: str, values: Sequence[Any], *, waits: bool) -> list[Row]:
        waits = waits and not self.written
        try:
            return self._cursor.execute(query if waits else f"{query} NOWAIT", values).fetchall()
        except errors.LockNotAvailable:
            if waits:
                raise
            raise Busy from None


class PostgresTransaction(Transaction):
    """Statements run at once on the connection, whose thread has begun the transaction and ends it."""

    def __init__(self, cursor: "Cursor[Row]", clock: Clock, locks: Locks) -> None:
        super().__init__(clock())
        self._clock = clock
        self._cursor = cursor
        self._locks = locks

    def one(self, sql: str, *values: Any) -> Row | None:
        """The first row, or None."""
        return self._run(sql, values).fetchone()

    def all(self, sql: str, *values: Any) -> list[Row]:
        """Every row."""
        return self._run(sql, values).fetchall()

    def execute(self, sql: str, *values: Any) -> int:
        """Run a statement; the number of rows that it touched."""
        return self._run(sql, values).rowcount

    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement once for each row of values; they are sent together."""
        rows = list(rows)
        if len(rows) == 1:
            self._run(sql, rows[0])
        elif 1 < len(rows) <= FEW and (insert := _INSERT.fullmatch(sql)):
            self._run(insert[1] + ", ".join([insert[2]] * len(rows)), [value for row in rows for value in row])
        elif rows:
            self._locks.written = True
            self._cursor.executemany(translated(sql), rows)

    def in_list(self, sql: str, values: Sequence[Any], *more: Any) -> list[Row]:
        """See Transaction.in_list."""
        if not values:
            return []
        before = sql[: sql.index("?*")].count("?")
        given = (*more[:before], list(values), *more[before:])
        return self._run(sql, given).fetchall()

    def _run(self, sql: str, values: Sequence[Any]) -> "Cursor[Row]":
        if not sql.startswith("SELECT"):
            self._locks.written = True
        return self._cursor.execute(translated(sql), values)

    def next_keys(self, table: str, count: int) -> list[int]:
        """From the table's sequence: keys of transactions that failed are never used."""
        if table not in KEYED:
            raise ValueError(f"{table} has no keys to give out")
        rows = self._cursor.execute(
            f"SELECT nextval('key_{table}') FROM generate_series(1, %s)",  # noqa: S608 - one of a few names
            (count,),
        ).fetchall()
        return sorted(row[0] for row in rows)

    def is_alone_at(self, what: str) -> bool:
        """By an advisory lock, which the transaction's end lets go."""
        row = self.one("SELECT pg_try_advisory_xact_lock(?)", zlib.crc32(what.encode()))
        return row is not None and bool(row[0])

    def take_event_seqs(self, wanted: Mapping[int, int], known: Mapping[int, int] | None = None) -> dict[int, int]:
        """See Transaction.take_event_seqs."""
        self._locks.written = True
        rows = self._cursor.execute(
            "UPDATE stream SET seq = seq + w.count FROM unnest(%s::bigint[], %s::bigint[]) AS w (account, count)"
            " WHERE stream.account = w.account RETURNING stream.account, seq - w.count",
            (list(wanted), list(wanted.values())),
        )
        return dict(rows.fetchall())

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
        conversation = self._locks.named(user, folded)
        if conversation is not None:
            self._locks.everybody((conversation,))
        self._look_at_the_clock()

    def _look_at_the_clock(self) -> None:
        """Who waited for a conversation comes after those who had it, also by the time that its messages bear."""
        if not self._locks.written:
            self.now = max(self.now, self._clock())
