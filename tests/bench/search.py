"""Searching on the server: what the index takes, what sending costs with and without it, how long searches take."""

import itertools
import sqlite3
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

from tests.server.operations.world import START, Device, World
from tui_chat.demo.excerpt import load
from tui_chat.protocol.requests import SendMessage
from tui_chat.server.engines.sqlite_transaction import SqliteTransaction
from tui_chat.server.operations import importing, indexing, messages, search
from tui_chat.server.operations.signatures import folded

from .framework import Bench, at_most, timings

ADDED: Final = 50_000


def run(bench: Bench) -> None:
    """Two sizes of what one user can see, then the cost of an index of another kind, then sending."""
    texts = _texts()
    for count, people in bench.size([(100_000, 10_000), (1_000_000, 10_000)], quick=[(400, 20)]):
        _size(bench, texts, count, people)
    _pairs(bench, texts)
    _sending(bench)
    bench.note("messages: mail of the demo's excerpt, every fourth Chinese")
    bench.note("bytes a message: by how much the database grew")
    bench.note(
        "search: one call for 20 messages in everything that one user sees, on one connection, nothing beside it"
    )
    bench.note("without signatures: the same call, reading every message")
    bench.note("a row for each pair: the index that is not used, of the same messages, in one transaction")


def _texts() -> Callable[[int], str]:
    talks = load().talks
    chinese = [text for talk in talks if talk.chinese for text in talk.text]
    others = [text for talk in talks if not talk.chinese for text in talk.text]
    return lambda number: others[number % len(others)] if number % 4 else chinese[number // 4 % len(chinese)]


def _size(bench: Bench, texts: Callable[[int], str], count: int, people: int) -> None:
    label = f"{count:,}"
    world = World(bench.scratch / f"{count}.db")
    reader = world.join("reader")
    names = [f"user{number}" for number in range(people)]
    world.do(
        importing.import_archive,
        importing.Archive(users=[importing.ArchivedUser(user_id=name) for name in names]),
    )
    needles = {count // 3: "xylophone", count // 2: "鱵魚"}
    for start in range(0, count, ADDED):
        bench.progress(f"{label} messages: {start:,} are there")
        letters = [
            importing.ArchivedMessage(
                # Most talk with few: a tenth of the people write half of the messages.
                sender=names[number % people if number % 2 else number % max(1, people // 10)],
                to="reader",
                time=START - 1_000 * (count - number),
                text=f"{texts(number)} {needles.get(number, '')}",
            )
            for number in range(start, min(count, start + ADDED))
        ]
        world.do(importing.import_archive, importing.Archive(messages=letters))
    bench.values(f"{label}: messages", [_bytes(world.connection) / count], "bytes a message")
    before = _bytes(world.connection)
    world.pass_seconds(indexing.QUIET_MS / 1000)
    bench.progress(f"{label} messages: indexing")
    pieces: list[float] = []
    more = [True]
    while more[0]:
        pieces += timings(lambda _: more.__setitem__(0, world.do(indexing.advance)), 1)
    bench.values(f"{label}: index", [1e6 * sum(pieces) / count], "µs a message")
    bench.times(f"{label}: one piece of indexing", pieces)
    bench.values(f"{label}: index, size", [(_bytes(world.connection) - before) / count], "bytes a message")
    turns = bench.size(15, quick=2)
    for what, q in (
        ("a word that stands in one message", "xylophone"),
        ("two characters that stand in one", "鱵魚"),
        ("one character that stands in one", "鱵"),
        ("one character of many", "的"),
        ("a word of many", "the"),
        ("a word that is nowhere", "qqqqqq"),
    ):
        bench.progress(f"{label} messages: {what}")
        bench.times(f"{label}: {what}", timings(partial(_find, world, reader, q), turns))
    if count == 100_000 or bench.quick:
        world.connection.execute("UPDATE search_block SET signature = NULL")
        bench.times(f"{label}: without signatures", timings(partial(_find, world, reader, "xylophone"), 2))
    world.close()


def _find(world: World, reader: Device, q: str, _turn: int = 0) -> int:
    """All calls that it takes to find the first 20; how many they were."""
    calls = 0
    cursor: str | None = None
    found = 0
    while True:
        calls += 1
        tx = SqliteTransaction(world.connection, world.now)
        answer = search.search(tx, reader.caller, q, cursor=cursor, limit=20)
        found += len(answer.messages)
        cursor = answer.next
        if cursor is None or found >= 20:
            return calls


def _pairs(bench: Bench, texts: Callable[[int], str]) -> None:
    """What a row for each pair of characters of each message would take."""
    count = bench.size(20_000, quick=100)
    bench.progress("a row for each pair")
    connection = sqlite3.connect(bench.scratch / "pairs.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute(
        "CREATE TABLE pair (conversation BIGINT, pair TEXT, seq BIGINT, PRIMARY KEY (conversation, pair, seq))"
        " WITHOUT ROWID"
    )

    def rows() -> Iterator[tuple[int, str, int]]:
        for number in range(count):
            text = folded(texts(number))
            pairs = {first + second for first, second in itertools.pairwise(text)} | set(text)
            for pair in pairs:
                if not pair.isspace():
                    yield number % 200, pair, number // 200

    def fill(_: int) -> None:
        connection.execute("BEGIN")
        connection.executemany("INSERT OR IGNORE INTO pair VALUES (?, ?, ?)", rows())
        connection.execute("COMMIT")

    [seconds] = timings(fill, 1)
    bench.values("a row for each pair", [1e6 * seconds / count], "µs a message")
    bench.values("a row for each pair, size", [_bytes(connection) / count], "bytes a message")
    connection.close()


def _bytes(connection: sqlite3.Connection) -> int:
    """What is used of a database."""
    pages, free, size = (
        connection.execute(f"PRAGMA {what}").fetchone()[0] for what in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


def _sending(bench: Bench) -> None:
    """A send as the engine's thread does it, with what the index adds to it and without, by turns."""
    bench.progress("sending")
    worlds = []
    for name in ("with", "without"):
        world = World(Path(bench.scratch) / f"sending-{name}.db")
        alice = world.join("alice")
        world.join("bob")
        alice.send("C2Cbob")
        worlds.append((world, alice))
    worlds[1][0].connection.execute("DROP INDEX conversation_unindexed")
    seconds: list[list[float]] = [[], []]
    for turn in range(bench.size(10_000, quick=10)):
        for (world, alice), taken in zip(worlds, seconds, strict=True):
            request = SendMessage(client_id=f"n{turn}", text="hello " * 10)
            begun = time.perf_counter()
            world.do(messages.send, alice.caller, "C2Cbob", request)
            taken.append(time.perf_counter() - begun)
    figures = [
        bench.times(f"a send, {name} the index", taken, unit="µs")
        for name, taken in zip(("with", "without"), seconds, strict=True)
    ]
    bench.ratio("a send, with / without the index", of=figures[0], to=figures[1], bar=at_most(1.05))
    for world, _ in worlds:
        world.close()
