"""Statements on one PostgreSQL connection, prepared once, and sent together as far as nobody waits for an answer.

What a statement costs is mostly the trip: two processes that wake each other. So what nobody asks the result of is
posted, and goes along with the next statement whose result is wanted (libpq's pipeline mode). This works on libpq's own
calls: psycopg's cursors take some 100 µs of Python for a statement, and forget all that is prepared at each ROLLBACK,
also at one to a savepoint (measured: 2.3 ms a message in the database, most of it planning).
"""

import struct
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from functools import cache, lru_cache
from typing import Any, Final, NamedTuple

import psycopg
from psycopg import errors
from psycopg.adapt import Transformer
from psycopg.pq import ConnStatus, ExecStatus, Format
from psycopg.pq.abc import PGresult
from psycopg.waiting import Ready, Wait, wait

from . import Row

Then = Callable[[list[Row]], None]
"""What is done with the rows of a posted statement; may raise, on behalf of the statement that is then waited for."""

FEW: Final = 4
"""A list of so many values is written out: the database plans that once, and a list of any length each time."""
LOOK_SECONDS: Final = 1.0
"""So often a wait looks whether the connection was closed under it."""
_STATEMENTS: Final = 1_000
"""Statements that stay prepared; the application has a few hundred."""
_INT8, _TEXT, _BYTEA, _INT8S, _TEXTS = 20, 25, 17, 1016, 1009
_ITEM: Final = struct.Struct(">iq")
_NULL: Final = struct.pack(">i", -1)
_NO_CHARACTER: Final = "\ufffd".encode()
_LIST: Final = "IN (?*)"
_GOOD: Final = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)


@cache
def _in_binary(count: int) -> tuple[Format, ...]:
    return (Format.BINARY,) * count


@lru_cache(maxsize=2048)
def translated(sql: str, listed: int | None = None) -> str:
    """Our portable SQL in PostgreSQL's placeholders. A list `?*` is one value, an array; where it is of no more than
    FEW values, which `listed` tells, it is as many values."""
    if listed is not None and listed <= FEW:
        sql = sql.replace(_LIST, f"IN ({', '.join('?' * listed)})")
    else:
        sql = sql.replace(_LIST, "= ANY(?)")
    pieces = sql.split("?")
    return pieces[0] + "".join(f"${number}{piece}" for number, piece in enumerate(pieces[1:], 1))


class _Posted(NamedTuple):
    """A statement that was sent, or a step of it, whose result was not read yet."""

    then: Then | None = None
    """What to do with the rows; None: nothing."""
    prepares: tuple[str, tuple[int, ...]] | None = None
    """It prepares this, and has no result of its own."""
    is_end: bool = False
    """Where a batch ends: if one of it fails, the database leaves out the rest of it."""


class Session:
    """A connection, whose statements belong to one thread at a time. Nobody else uses it for statements."""

    def __init__(self, connection: "psycopg.Connection[Row]") -> None:
        self._connection = connection
        self._libpq = connection.pgconn
        self._libpq.enter_pipeline_mode()
        self._transformer = Transformer(connection)
        self._names: dict[tuple[str, tuple[int, ...]], bytes] = {}
        self._numbers = 0
        self._posted: deque[_Posted] = deque()
        self._is_open = False
        """Whether something was posted since the last batch's end."""

    @property
    def closed(self) -> bool:
        """Whether the connection is lost, or was closed."""
        return self._connection.closed

    def close(self) -> None:
        """Let the connection go."""
        self._connection.close()

    def post(self, sql: str, values: Sequence[Any] = (), then: Then | None = None) -> None:
        """Send a statement along with the next that is waited for, whose caller hears of its failure.

        `sql` has PostgreSQL's placeholders; values are int, str, bytes, None, and lists of int or of str.
        """
        encoded, types = _encoded(values)
        key = (sql, types)
        name = self._names.get(key)
        if name is None:
            name = self._prepare(key)
        self._libpq.send_query_prepared(name, encoded, _in_binary(len(encoded)), Format.BINARY)
        self._posted.append(_Posted(then) if then is not None else _UNASKED)
        self._is_open = True

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """Run a statement; its rows.

        Raises:
            psycopg.Error: this one failed, or one that was posted before; which leaves the transaction to be rolled
                back.
            whatever a `then` raised.
        """
        return self._loaded(self._run(sql, values))

    def count(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Run a statement; how many rows it touched. Raises as `rows` does."""
        return self._run(sql, values).command_tuples or 0

    def commit(self) -> None:
        """Commit, with all that was posted. Raises psycopg.Error: nothing happened, unless the connection was lost."""
        if self._run("COMMIT", ()).command_status != b"COMMIT":
            raise errors.InFailedSqlTransaction("the transaction had failed, and was rolled back")

    def roll_back(self) -> None:
        """Roll back; what was posted may have failed. Raises psycopg.Error: the connection is not good any more."""
        if self._posted:
            try:
                self.settle()
            except Exception:
                if self.closed:
                    raise
        self._run("ROLLBACK", ())

    def end_reading(self) -> None:
        """End a transaction that only read, without waiting for the answer."""
        self.post("COMMIT")
        self._end_batch()
        self._libpq.flush()

    def settle(self) -> None:
        """Wait for what was posted. Raises as `rows` does."""
        if self._posted:
            self._exchange()

    def _run(self, sql: str, values: Sequence[Any]) -> PGresult:
        self.post(sql, values)
        result = self._exchange()
        assert result is not None
        return result

    def _prepare(self, key: tuple[str, tuple[int, ...]]) -> bytes:
        if len(self._names) >= _STATEMENTS:
            self._names.clear()
            self.post("DEALLOCATE ALL")
            self._names.clear()
        self._numbers += 1
        name = self._names[key] = b"s%d" % self._numbers
        sql, types = key
        self._libpq.send_prepare(name, sql.encode(), types)
        self._posted.append(_Posted(prepares=key))
        return name

    def _end_batch(self) -> None:
        if self._is_open:
            self._libpq.pipeline_sync()
            self._posted.append(_END)
            self._is_open = False

    def _exchange(self) -> PGresult | None:
        """Send what was posted and read all results; the last one."""
        self._end_batch()
        return wait(self._exchanging(), self._libpq.socket, LOOK_SECONDS)

    def _exchanging(self) -> Generator[Wait, Ready | int, PGresult | None]:
        libpq, posted = self._libpq, self._posted
        unsent = libpq.flush()
        failure: Exception | None = None
        last: PGresult | None = None
        try:
            while posted:
                while libpq.is_busy():
                    ready = yield Wait.RW if unsent else Wait.R
                    if ready & Ready.W and unsent:
                        unsent = libpq.flush()
                    # Also where nothing came for LOOK_SECONDS: a socket that was closed under us wakes nobody.
                    if ready != Ready.W:
                        libpq.consume_input()
                    self._check_connected()
                result = libpq.get_result()
                if result is None:  # between the results of two statements, or because there are none any more
                    self._check_connected()
                    continue
                one = posted.popleft()
                if one.is_end:
                    continue
                if result.status in _GOOD:
                    last = result
                    if one.then is not None and failure is None:
                        try:
                            one.then(self._loaded(result))
                        except Exception as raised:
                            failure = raised
                    continue
                if one.prepares is not None:
                    self._names.pop(one.prepares, None)
                if failure is None and result.status != ExecStatus.PIPELINE_ABORTED:
                    failure = errors.error_from_result(result)
        except psycopg.Error as lost:
            posted.clear()
            failure = failure or lost
        if failure is not None:
            raise failure
        return last

    def _check_connected(self) -> None:
        if self._libpq.status == ConnStatus.BAD:
            raise psycopg.OperationalError("the connection to the database is lost")

    def _loaded(self, result: PGresult) -> list[Row]:
        self._transformer.set_pgresult(result)
        return self._transformer.load_rows(0, result.ntuples, tuple)


_UNASKED: Final = _Posted()
_END: Final = _Posted(is_end=True)


def _encoded(values: Iterable[Any]) -> tuple[list[bytes | None], tuple[int, ...]]:
    """Values as PostgreSQL reads them in binary, and their types. Every number is of one type, or each statement would
    be prepared anew for small ones and large ones."""
    encoded: list[bytes | None] = []
    types: list[int] = []
    for value in values:
        kind = type(value)
        if kind is int:
            encoded.append(value.to_bytes(8, "big", signed=True))
            types.append(_INT8)
        elif kind is str:
            encoded.append(_text(value))
            types.append(_TEXT)
        elif value is None:
            encoded.append(None)
            types.append(0)
        elif isinstance(value, list):
            data, type_ = _array(value)
            encoded.append(data)
            types.append(type_)
        elif isinstance(value, bytes | bytearray | memoryview):
            encoded.append(bytes(value))
            types.append(_BYTEA)
        elif isinstance(value, int):
            encoded.append(int(value).to_bytes(8, "big", signed=True))
            types.append(_INT8)
        elif isinstance(value, str):
            encoded.append(_text(value))
            types.append(_TEXT)
        else:
            raise TypeError(f"a {kind.__name__} is no value for a statement")
    return encoded, tuple(types)


def _text(value: str) -> bytes:
    """A text as it is sent. PostgreSQL refuses U+0000, which nothing that is stored has: whoever asks for a name with
    it asks for what is not there, and is told so, as with SQLite."""
    return value.encode().replace(b"\0", _NO_CHARACTER)


def _array(values: Sequence[Any]) -> tuple[bytes, int]:
    """An array of one dimension: of numbers, or of texts; some may be None."""
    first = next((one for one in values if one is not None), 0)
    if isinstance(first, int):
        element, whole = _INT8, _INT8S
        pieces = [_NULL if one is None else _ITEM.pack(8, one) for one in values]
    else:
        element, whole = _TEXT, _TEXTS
        texts = (one if one is None else _text(one) for one in values)
        pieces = [_NULL if one is None else len(one).to_bytes(4, "big") + one for one in texts]
    head = struct.pack(">iiiii", 1, int(_NULL in pieces), element, len(values), 1)
    return head + b"".join(pieces), whole


def arrays(rows: Sequence[Sequence[Any]]) -> list[list[Any]] | None:
    """The columns of rows, to be sent as arrays; None where one is neither of numbers nor of texts."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    kinds = [{type(one) for one in column} - {type(None)} for column in columns]
    return columns if all(kind in ({int}, {str}) for kind in kinds) else None


def array_type(column: Sequence[Any]) -> str:
    """What such a column is called in SQL."""
    return "text[]" if any(isinstance(one, str) for one in column) else "bigint[]"
