"""The cache on disk: write, open, page and purge at 1 k, 10 k and 100 k messages, beside plain TinyDB and SQLite."""

import asyncio
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from tests.cache.samples import row
from tui_chat.cache.account import AccountCache
from tui_chat.cache.head import HEAD_ROWS, read_head
from tui_chat.cache.store import HISTORY_KEEP
from tui_chat.protocol.models import Conversation, Message

from ._stores import PAGE, PlainSQLite, PlainTinyDB
from .framework import Bench, Figure, at_least, at_most, timings

TALK: Final = "the quick brown fox jumps over a lazy dog while we wait for news of tomorrow, and nobody knows any of it"


def run(bench: Bench) -> None:
    """Every size on its own; then the start of a large account."""
    for messages in bench.size([1_000, 10_000, 100_000], quick=[60, 400]):
        _Size(bench, messages).measure()
    _start(bench, conversations=bench.size(10_000, quick=150), messages_each=bench.size(10, quick=2))
    bench.note("write: one message more, in a conversation that is open; where it holds as many as are kept, one goes")
    bench.note("event with fsync: a message, its row and the cursor; SQLite: the message alone, synchronous=FULL")
    bench.note("open: until the newest page of one conversation is there, and close; after a few thousand writes")
    bench.note("start: what precedes the list of an account, with ten messages in each conversation")
    bench.note("purge: one conversation of many, until no file has a byte of it")
    bench.note("nothing is fsynced but where the name says so; SQLite: WAL, synchronous=NORMAL, secure_delete")


class _Size:
    """One number of messages, in conversations of as many as are kept."""

    def __init__(self, bench: Bench, messages: int):
        self._bench = bench
        self._keep = bench.size(HISTORY_KEEP, quick=100)
        self._each = min(messages, self._keep)
        self._names = [f"C2Cuser{number}" for number in range(messages // self._each)]
        self._all = messages
        self._judged = messages == 100_000
        self._directory = bench.scratch / str(messages)
        self._directory.mkdir()

    def measure(self) -> None:
        """Fill three stores with the same, and have each do the same."""
        bench, directory, keep = self._bench, self._directory, self._keep
        label = f"{self._all // 1000} k" if self._all >= 1000 else str(self._all)
        bench.progress(f"{label} messages: filling three stores")
        ours = AccountCache.open(directory / "ours", keep=keep)
        for name in self._names:
            ours.history.add(name, self._messages(name, 1, self._each))
        ours.save(upsert=[row(number) for number in range(len(self._names))], cursor="e:1")
        sqlite = PlainSQLite(directory / "sqlite", keep=keep)
        plain = PlainTinyDB(directory / "tinydb.json")
        for store in (sqlite, plain):
            store.fill(each for name in self._names for each in self._messages(name, 1, self._each))

        few = bench.size(9, quick=2)
        many = bench.size(2_000, quick=5)
        name = self._names[0]
        bench.progress(f"{label} messages: write")
        more = self._more(name)
        mine = self._times(f"write, {label}", "ours", lambda: ours.history.add(name, [next(more)]), many, "µs")
        more = self._more(name)
        theirs = self._times(f"write, {label}", "SQLite", lambda: sqlite.write(next(more)), many, "µs")
        more = self._more(name)
        tiny = self._times(f"write, {label}", "TinyDB", lambda: plain.write(next(more)), few, "µs")
        judged = self._judged
        bench.ratio(f"write, {label}: TinyDB / ours", of=tiny, to=mine, bar=at_least(500) if judged else None)
        bench.ratio(f"write, {label}: ours / SQLite", of=mine, to=theirs, bar=at_most(20) if judged else None)

        bench.progress(f"{label} messages: event to the disk")
        self._event(ours, label)

        bench.progress(f"{label} messages: page")

        def before() -> int:
            return bench.random.randrange(self._each // 2, self._each)

        mine = self._times(f"page, {label}", "ours", lambda: ours.history.before(name, before(), PAGE), many, "µs")
        theirs = self._times(f"page, {label}", "SQLite", lambda: sqlite.page(name, before()), many, "µs")
        tiny = self._times(f"page, {label}", "TinyDB", lambda: plain.page(name, before()), few, "µs")
        bench.ratio(f"page, {label}: TinyDB / ours", of=tiny, to=mine)
        bench.ratio(f"page, {label}: ours / SQLite", of=mine, to=theirs)

        bench.progress(f"{label} messages: open")
        for closing in (ours, sqlite, plain):
            closing.close()
        mine = self._times(f"open, {label}", "ours", lambda: self._open_ours(name), few, "ms")
        theirs = self._times(f"open, {label}", "SQLite", lambda: self._open_sqlite(name), few, "ms")
        tiny = self._times(f"open, {label}", "TinyDB", lambda: self._open_plain(name), few, "ms")
        bench.ratio(f"open, {label}: TinyDB / ours", of=tiny, to=mine)
        bench.ratio(f"open, {label}: ours / SQLite", of=mine, to=theirs)

        bench.progress(f"{label} messages: purge")
        self._purge(label)

    def _times(self, what: str, who: str, action: Callable[[], object], turns: int, unit: str) -> Figure:
        return self._bench.times(f"{what}: {who}", timings(lambda _: action(), turns), unit=unit)

    def _messages(self, name: str, first: int, last: int) -> Iterator[Message]:
        return (_message(name, seq) for seq in range(first, last + 1))

    def _more(self, name: str) -> Iterator[Message]:
        return (_message(name, seq) for seq in itertools.count(self._each + 1))

    def _event(self, ours: AccountCache, label: str) -> None:
        """What a message that came in costs altogether, fsync and all: it, its row, the cursor."""
        turns = self._bench.size(200, quick=3)
        name = "C2Cevents"
        more = self._more(name)
        events = iter([(next(more), row(len(self._names) - 1, text=str(turn))) for turn in range(turns)])

        def apply() -> None:
            message, changed = next(events)
            ours.save(upsert=[changed], messages=[message], cursor=f"e:{message.message_seq}")
            loop.run_until_complete(ours.flush())

        loop = asyncio.new_event_loop()
        mine = self._times(f"event with fsync, {label}", "ours", apply, turns, "µs")
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
        sqlite = PlainSQLite(self._directory / "sqlite", keep=self._keep, full=True)
        again = self._more(name)
        theirs = self._times(f"event with fsync, {label}", "SQLite", lambda: sqlite.write(next(again)), turns, "µs")
        sqlite.close()
        self._bench.ratio(f"event with fsync, {label}: ours / SQLite", of=mine, to=theirs)

    def _open_ours(self, name: str) -> None:
        cache = AccountCache.open(self._directory / "ours", keep=self._keep)
        assert len(cache.history.tail(name, PAGE)) == min(PAGE, self._each)
        cache.close()

    def _open_sqlite(self, name: str) -> None:
        sqlite = PlainSQLite(self._directory / "sqlite", keep=self._keep)
        assert sqlite.page(name, 2**53)
        sqlite.close()

    def _open_plain(self, name: str) -> None:
        plain = PlainTinyDB(self._directory / "tinydb.json")
        assert plain.page(name, 2**53)
        plain.close()

    def _purge(self, label: str) -> None:
        ours = AccountCache.open(self._directory / "ours", keep=self._keep)
        sqlite = PlainSQLite(self._directory / "sqlite", keep=self._keep)
        plain = PlainTinyDB(self._directory / "tinydb.json")
        names = self._names[: self._bench.size(9, quick=2)]
        loop = asyncio.new_event_loop()

        def purge(turn: int) -> None:
            ours.save(remove=[names[turn]], clear={names[turn]: 2**40})
            loop.run_until_complete(ours.purge())

        turns = len(names)
        mine = self._bench.times(f"purge, {label}: ours", timings(purge, turns))
        theirs = self._bench.times(f"purge, {label}: SQLite", timings(lambda turn: sqlite.purge(names[turn]), turns))
        tiny = self._bench.times(f"purge, {label}: TinyDB", timings(lambda turn: plain.purge(names[turn]), turns))
        self._bench.ratio(f"purge, {label}: TinyDB / ours", of=tiny, to=mine)
        self._bench.ratio(f"purge, {label}: ours / SQLite", of=mine, to=theirs)
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
        for store in (ours, sqlite, plain):
            store.close()


def _start(bench: Bench, *, conversations: int, messages_each: int) -> None:
    """What the client does before it can show a list of many rows."""
    label = f"{conversations:,} rows"
    bench.progress(f"start: filling {label}, {conversations * messages_each:,} messages")
    directory: Path = bench.scratch / "start"
    cache = AccountCache.open(directory)
    cache.replace([_row(bench, number) for number in range(conversations)], "e:1")
    for number in range(conversations):
        name = f"C2Cuser{number}"
        cache.history.add(name, [_message(name, seq) for seq in range(1, messages_each + 1)])
    cache.close()
    bench.progress("start: opening it")
    opened: list[AccountCache] = []

    def open_it(turn: int) -> None:
        opened.append(AccountCache.open(directory))

    turns = bench.size(15, quick=2)
    heads, opening, reading = [], [], []
    for _ in range(turns):
        heads += timings(lambda _: read_head(directory), 1)
        opening += timings(open_it, 1)
        reading += timings(lambda _: opened[-1].conversations(), 1)
        opened.pop().close()
    head = bench.times(f"start, {label}: the first {HEAD_ROWS} of them", heads)
    bench.times(f"start, {label}: open", opening)
    bench.times(f"start, {label}: all rows", reading)
    whole = [one + other for one, other in zip(opening, reading, strict=True)]
    bench.ratio(
        f"start, {label}: all / the first {HEAD_ROWS}",
        of=bench.times(f"start, {label}: open and all rows", whole),
        to=head,
    )


def _row(bench: Bench, number: int) -> Conversation:
    length = bench.random.randrange(10, len(TALK))
    return row(number, time=1_700_000_000_000 + bench.random.randrange(10**9), text=TALK[:length])


def _message(conversation_id: str, seq: int) -> Message:
    return Message(
        conversation_id=conversation_id,
        message_seq=seq,
        client_id=f"{seq:032x}",
        sender="bob" if seq % 3 else "alice",
        time=1_700_000_000_000 + seq * 60_000,
        text=TALK[: 10 + seq * 7 % (len(TALK) - 10)],
    )
