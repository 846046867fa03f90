"""Groups: what a message and other acts cost with 2, 20, 200 and 2,000 members, beside the bare rows that it takes."""

import sqlite3
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from tui_chat.protocol.requests import ChangeGroup, CreateGroup, SendMessage
from tui_chat.server.engines import Transaction
from tui_chat.server.engines.migrations import migrate
from tui_chat.server.engines.sqlite_transaction import SqliteTransaction
from tui_chat.server.operations import groups, members, messages
from tui_chat.server.operations.caller import Caller
from tui_chat.server.operations.importing import Archive, ArchivedGroup, ArchivedUser, import_archive
from tui_chat.server.operations.users import account_of

from .framework import Bench, Figure, at_most, timings

NOW: Final = 1_700_000_000_000
TEXT: Final = "the quick brown fox jumps over a lazy dog while we wait for news of tomorrow"
T = TypeVar("T")

MIB: Final = 1024 * 1024


def run(bench: Bench) -> None:
    """Every size on its own; the largest against the one before it."""
    sizes = bench.size([2, 20, 200, 2_000], quick=[2, 5])
    sent = [_Size(bench, size).measure() for size in sizes]
    bench.ratio(f"a message to {sizes[-1]:,} / to {sizes[-2]:,} members", of=sent[-1], to=sent[-2], bar=at_most(13))
    bench.note("a message: the operation and its commit, synchronous=FULL, one at a time; delivery comes after it")
    bench.note("bare rows: as many event rows and counters, written by statements alone, in one such commit")
    bench.note("memory: the most that Python holds beyond what it held before, while one message is written")


class _Size:
    """A group of so many, in a database of its own."""

    def __init__(self, bench: Bench, size: int):
        self._bench = bench
        self._size = size
        self._path: Path = bench.scratch / f"{size}.db"
        self._turns = bench.size(30, quick=2)
        self._connection = sqlite3.connect(self._path, isolation_level=None, cached_statements=512)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=0", "cache_size=-65536"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._sent = 0

    def measure(self) -> Figure:
        """Everything at this size; answers what a message takes."""
        bench, size = self._bench, self._size
        bench.progress(f"{size:,} members")
        migrate(self._connection, NOW)
        names = [f"user{number}" for number in range(size)]
        group = ArchivedGroup(group_id="g", name="The group", members=names, time=NOW)
        users = [ArchivedUser(user_id=name) for name in names]
        self._do(lambda tx: import_archive(tx, Archive(users=users, groups=[group])))
        owner = self._caller("user0")
        self._fold()
        for _ in range(3):
            self._send(owner)
        label = f"{size:,} members: "
        sent = bench.times(f"{label}a message", timings(lambda _: self._send(owner), self._turns))
        bench.values(f"{label}log of a message", [self._logged(lambda: self._send(owner)) / 1024], "KiB")
        bench.values(f"{label}memory of a message", [self._held(lambda: self._send(owner)) / MIB], "MiB")
        bare = bench.times(f"{label}bare rows", timings(self._bare, self._turns))
        bench.ratio(f"{label}a message / bare rows", of=sent, to=bare)
        few = bench.size(5, quick=1)
        bench.times(f"{label}another name", timings(lambda turn: self._rename(owner, turn), few))
        if size > 2:
            leavers = [self._caller(name) for name in names[1 : 1 + few]]
            bench.times(f"{label}one is removed", timings(lambda turn: self._kick(owner, leavers[turn]), few))
        made = CreateGroup(group_id="h", name="Another", members=names[1:])
        bench.times(f"{label}made at once", timings(lambda _: self._do(lambda tx: groups.create(tx, owner, made)), 1))
        bench.times(f"{label}dismissed", timings(lambda _: self._do(lambda tx: groups.dismiss(tx, owner, "h")), 1))
        self._connection.close()
        return sent

    def _do(self, operation: Callable[[Transaction], T]) -> T:
        self._connection.execute("BEGIN IMMEDIATE")
        result = operation(SqliteTransaction(self._connection, NOW))
        self._connection.execute("COMMIT")
        return result

    def _caller(self, name: str) -> Caller:
        account = self._do(lambda tx: account_of(tx, name))
        return Caller(user=account.key, user_id=account.user_id, device=1, device_id="d", device_name="laptop")

    def _send(self, sender: Caller) -> None:
        self._sent += 1
        request = SendMessage(client_id=f"c{self._sent}", text=TEXT)
        self._do(lambda tx: messages.send(tx, sender, "GROUPg", request))

    def _rename(self, owner: Caller, turn: int) -> None:
        self._do(lambda tx: groups.change(tx, owner, "g", ChangeGroup(name=f"Name {turn}")))

    def _kick(self, owner: Caller, member: Caller) -> None:
        self._do(lambda tx: members.kick(tx, owner, "g", member.user_id))

    def _bare(self, turn: int) -> None:
        """What a message to all must write, as plain as it can be written."""
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.execute("UPDATE stream SET seq = seq + 1")
        data = "[100,10,0,90,0,0,0,1,0,2000,100,1700000000000,0,1,1,false]"
        rows = [(account, 1_000_000 + turn, NOW, None, 1, turn, data) for account in range(1, self._size + 1)]
        self._connection.executemany("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        self._connection.execute("COMMIT")

    def _logged(self, action: Callable[[], None]) -> int:
        """Bytes that the database's log grew by."""
        self._fold()
        action()
        return self._path.with_name(self._path.name + "-wal").stat().st_size

    def _fold(self) -> None:
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _held(self, action: Callable[[], None]) -> int:
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            tracemalloc.reset_peak()
            action()
            return tracemalloc.get_traced_memory()[1] - before
        finally:
            tracemalloc.stop()
