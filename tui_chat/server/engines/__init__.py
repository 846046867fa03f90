"""Databases under the operations: what a transaction offers, and what an engine promises about commits."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeVar

import msgspec

from tui_chat.protocol.events import Event, decode_event
from tui_chat.protocol.models import ServerFacts
from tui_chat.protocol.wire import encode

from .rows import pieces

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
S = TypeVar("S", bound=msgspec.Struct)
Row = tuple[Any, ...]
Clock = Callable[[], int]
"""Milliseconds since 1970 in UTC."""


ERASED: Final = "erased"
"""Name of the row in `meta` that says that bodies were erased: when an engine next starts, it may have to see to what
its storage keeps of them."""


class DatabaseInUse(RuntimeError):
    """Another process works on this database; the message is one line that says so."""


class TakesLong(Exception):
    """A job that was taken for a brief one is not; the engine runs it anew, where it holds nobody up."""


class ToBeMade(msgspec.Struct, frozen=True, gc=False):
    """An event that is made when somebody is there to be told: most members of a large group are not."""

    def raw(self) -> bytes:
        """Its JSON."""
        raise NotImplementedError


class Emitted(msgspec.Struct, frozen=True, gc=False):
    """An event as a transaction caused it, whole, so that live delivery needs no reading."""

    user: int
    event_seq: int
    only_device: str | None
    """Public deviceID of the one device that hears of it; None: every device of the user."""
    what: Event | ToBeMade

    @property
    def event(self) -> Event:
        """The event."""
        if not isinstance(self.what, ToBeMade):
            return self.what
        made = decode_event(self.what.raw())
        assert isinstance(made, Event)
        return made

    def raw(self) -> bytes:
        """Its JSON, as it stands in a range."""
        # Asked so, it is one class that is looked for: there are some twenty kinds of events.
        return self.what.raw() if isinstance(self.what, ToBeMade) else encode(self.what)


class Revoked(NamedTuple):
    """A device that was logged out: its sockets are closed, its tokens forgotten."""

    user: int
    device_id: str


class DatabaseSize(NamedTuple):
    """Bytes that a database takes."""

    used: int
    """With what is still in its log."""
    free: int
    """Of these, what is empty and will be written again."""


class Committed(msgspec.Struct, frozen=True, kw_only=True):
    """What one commit made true, in the order in which it happened."""

    emitted: list[Emitted]
    revoked: list[Revoked]
    settings_changed: ServerFacts | None = None


class Transaction(ABC):
    """What operations see of a database: portable SQL with `?` placeholders, and where to say what they caused.

    Whoever reads to decide what to write locks first (`lock_users` or `lock_conversations`); an engine with one
    writer has nothing to do there.
    """

    def __init__(self, now: int) -> None:
        self.now = now
        """Milliseconds since 1970, the same throughout the transaction."""
        self.emitted: list[Emitted] = []
        self.revoked: list[Revoked] = []
        self.settings_changed: ServerFacts | None = None

    @abstractmethod
    def one(self, sql: str, *values: Any) -> Row | None:
        """The first row, or None."""

    @abstractmethod
    def all(self, sql: str, *values: Any) -> list[Row]:
        """Every row."""

    @abstractmethod
    def execute(self, sql: str, *values: Any) -> int:
        """Run a statement; the number of rows that it touched."""

    def later(self, sql: str, *values: Any) -> None:
        """Run a statement of which nobody asks how many rows it touches; an engine may send it along with the next."""
        self.execute(sql, *values)

    @abstractmethod
    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement once for each row of values."""

    def touched(self, sql: str, rows: Sequence[Sequence[Any]]) -> int:
        """The same, and the number of rows that they touched together."""
        return sum(self.execute(sql, *row) for row in rows)

    @abstractmethod
    def in_list(self, sql: str, values: Sequence[Any], *more: Any) -> list[Row]:
        """Rows of a query with `IN (?*)`, whatever the list's length (an empty one has no rows).

        `more` are the values of the ordinary placeholders, before and after `?*`, in their order. The list is cut
        into pieces, so the query must not sort or limit.
        """

    def for_rows(self, sql: str, rows: Sequence[Sequence[int | str]], *more: Any) -> list[Row]:
        """Rows of a query over `(VALUES ?**) v`: rows of one width, each column of numbers or of texts; see rows.py.

        `more` are the values of the ordinary placeholders, in their order. Rows that are all NULL may be among them:
        they must find nothing. The rows are cut into pieces, so the query must not sort, limit or group across them.
        """
        return [row for statement, values in pieces(sql, rows, more) for row in self.all(statement, *values)]

    def change_rows(self, sql: str, rows: Sequence[Sequence[int | str]], *more: Any) -> None:
        """The same for a statement that changes something."""
        for statement, values in pieces(sql, rows, more):
            self.execute(statement, *values)

    def change_list(self, sql: str, values: Sequence[Any], *more: Any) -> None:
        """Run a statement with `IN (?*)` that changes something; the rest as `in_list`."""
        self.in_list(sql, values, *more)

    def structs(self, kind: type[S], columns: str, sources: str, keys: Sequence[int | str], *more: Any) -> list[S]:
        """What `for_rows` finds for rows of one key each, as structs of `kind`, which are array_like, with the columns
        for their fields; `sources` is what follows them, from FROM on."""
        rows = self.for_rows(f"SELECT {columns}{sources}", [(key,) for key in keys], *more)
        return [kind(*row) for row in rows]

    def columns(self, columns: Sequence[str], sources: str, keys: Sequence[int | str], *more: Any) -> list[list[Any]]:
        """The same as a list for each column: a hundred rows are quicker moved so than one by one."""
        rows = self.for_rows(f"SELECT {', '.join(columns)}{sources}", [(key,) for key in keys], *more)
        return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in columns]

    def next_key(self, table: str) -> int:
        """An unused value for the `id` of `table`, greater than all that were committed before."""
        return self.next_keys(table, 1)[0]

    def takes_long(self) -> None:  # noqa: B027 - most transactions have no haste
        """Say that what follows takes long, whatever the job was taken for.

        Raises:
            TakesLong: the job has to end here, and is run anew; let it pass.
        """

    @abstractmethod
    def next_keys(self, table: str, count: int) -> list[int]:
        """The same for several rows, ascending; not always without gaps."""

    @abstractmethod
    def is_alone_at(self, what: str) -> bool:
        """Whether no other transaction is at this work, here or in another process; then none will be until this one
        ends."""

    @abstractmethod
    def take_event_seqs(self, wanted: Mapping[int, int], known: Mapping[int, int] | None = None) -> dict[int, int]:
        """Count the logs of these users, who are locked, up by so many events each; where each stood before. Who has no
        log is missing. `known`: where those stand that there are, where that was read since they were locked."""

    @abstractmethod
    def lock_room(self, user: int, folded: str) -> None:
        """`lock_conversations` for the one that this user calls so, and `lock_everybody` there; nothing where there is
        none yet. Whoever finds one afterwards says so by `found_room`."""

    def found_room(self, conversation: int) -> None:  # noqa: B027 - where there is one writer, nothing comes between
        """Say that this conversation was found where `lock_room` has looked: if somebody has begun it since, or has
        added the user, it is not locked, and the job begins anew. Before anything is written; what this raises then is
        the engine's own, let it pass."""

    @abstractmethod
    def lock_everybody(self, conversations: Iterable[int]) -> None:
        """`lock_users` for everybody who has, or had, these conversations, which are locked already."""

    @abstractmethod
    def lock_users(self, users: Iterable[int]) -> None:
        """Keep other transactions from writing these users' rows, in ascending order."""

    @abstractmethod
    def lock_conversations(self, conversations: Iterable[int]) -> None:
        """Keep other transactions from writing these conversations, in ascending order; before `lock_users`."""


class Alike(ABC, Generic[T_co]):
    """A brief job of which there are many of its kind: some that wait one behind the other can be carried out together
    in fewer statements. An engine with one writer does so, where nothing has to be locked."""

    @abstractmethod
    def __call__(self, tx: Transaction) -> T_co:
        """Carry it out alone."""

    @staticmethod
    @abstractmethod
    def together(tx: Transaction, jobs: Sequence[Any]) -> Sequence[T_co]:
        """Carry out the first of these jobs, all of one kind, as if each were carried out alone after the one before;
        what came of each. The first one that cannot be carried out so, and those behind it, are left alone.

        Raises:
            anything: then all of them are carried out anew, each alone.
        """


class Engine(Protocol):
    """A database that runs whole transactions, and waits for its disk off the event loop."""

    async def write(self, job: Callable[[Transaction], T], *, brief: bool = False) -> T:
        """Run `job`, and return what it returned once that is durable.

        `brief`: it is a few statements, whatever it is given, each of which finds its rows, up to a hundred, by their
        keys, or it says `takes_long`; an engine may run such jobs on the event loop's thread, and those that are
        Alike together.

        Raises:
            whatever `job` raised; its own changes are then undone, and no one else's.
            StorageFull, Unavailable: the database could not take it; nothing of it happened.
        """
        ...

    async def read(self, job: Callable[[Transaction], T]) -> T:
        """Run `job` on one consistent state, without writing."""
        ...

    def on_commit(self, listener: Callable[[Committed], None]) -> None:
        """Call `listener` on the event loop's thread after each commit, in commit order, before `write` returns."""
        ...

    def on_group(self, observer: Callable[[int, float], None]) -> None:
        """Call `observer`, on any thread, with how many jobs each commit took in and how many seconds it took."""
        ...

    @property
    def refusals(self) -> int:
        """How many commits the database itself has refused since the engine began: no room, or no way to it."""
        ...

    async def size(self) -> DatabaseSize:
        """How large the database is."""
        ...

    async def reclaim(self) -> bool:
        """Give a bounded piece of what is empty back to the disk; whether there is more."""
        ...

    async def backup(self, target: Path) -> None:
        """Write a copy of one consistent state, checked, readable by its owner alone, without holding writers up.

        Raises:
            StorageFull, Unavailable: it cannot be written; nothing is left of it.
        """
        ...

    async def close(self) -> None:
        """Finish what was asked for and let the database go."""
        ...
