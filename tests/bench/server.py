"""The server from outside: deletions, messages, fan-out, connections, beside what it cannot be faster than.

`tui-chat serve` runs in a process of its own and the load comes from this one, over bare asyncio. Parts can be chosen:
`--only latency --only fanout`.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Coroutine
from typing import Any, Final

from tests.load.crowd import allow_many_files
from tests.load.raw import Http
from tui_chat.server.run import new_event_loop

from . import _server_parts as parts
from .framework import Bench, Figure, at_least, at_most, timings

Part = Callable[[Bench], Coroutine[Any, Any, None]]


async def floors(bench: Bench) -> None:
    """What each answer and each commit costs at least on this machine."""
    turns = bench.size(2_000, quick=20)
    bench.progress("floors: TCP, uvicorn, SQLite")
    with parts.floor("echo") as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        seconds = []
        for _ in range(turns):
            began = time.perf_counter()
            writer.write(b"x" * 100)
            await reader.readexactly(100)
            seconds.append(time.perf_counter() - began)
        writer.close()
    bench.times("TCP echo", seconds)
    with parts.floor("post") as port:
        line = await Http.open(f"http://127.0.0.1:{port}", "token")
        seconds = []
        for _ in range(turns):
            began = time.perf_counter()
            await line.call("POST", "/", b"{}")
            seconds.append(time.perf_counter() - began)
        line.close()
    bench.times("uvicorn POST, bare", seconds)
    database = sqlite3.connect(bench.scratch / "floor.sqlite", isolation_level=None)
    for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "CREATE TABLE x (a INTEGER, b TEXT)"):
        database.execute(statement)
    commits = timings(lambda turn: database.execute("INSERT INTO x VALUES (?, 'hello')", (turn,)), turns // 4)
    database.close()
    bench.times("SQLite commit, FULL", commits)


async def delete(bench: Bench) -> None:
    """Deleting 100 conversations with their histories."""
    few, many = bench.size((1_000, 1_000_000), quick=(200, 400))
    found = await parts.deletions(bench, few, many, bench.size(150, quick=2))
    small = bench.times(f"delete 100 conversations, {few:,} messages stored", found.few)
    large = bench.times(f"delete 100 conversations, {many:,} messages stored", found.many)
    bench.times("the same with few stored, one right after the other", found.hurried)
    bench.judge("deleting 100 conversations", small, "median", at_most(2.5))
    bench.ratio(f"deleting with {many:,} / {few:,} stored", of=large, to=small, bar=at_most(1.2))


async def elsewhere(bench: Bench) -> None:
    """A deletion on one device until another has its event."""
    connected, turns = bench.size((100, 300), quick=(4, 2))
    bench.progress("a deletion on one device until another has its event")
    seconds = await parts.deletion_elsewhere(bench, connected, turns)
    figure = bench.times(f"delete until another device has the event, {connected} connected", seconds)
    bench.judge("deletion elsewhere", figure, "median", at_most(20))
    bench.judge("deletion elsewhere, slowest", figure, "p99", at_most(60))


async def latency(bench: Bench) -> None:
    """A one-to-one message, POST until received."""
    # Half before and half after: how long an idling machine takes to wake for each message changes by the minute.
    rate, seconds = bench.size((20.0, 20.0), quick=(20.0, 0.2))
    bare = await parts.durable_posts(bench.scratch / "before.sqlite", rate, seconds / 2)
    ours = await _message(bench, 2, rate, seconds, median=1.5, slowest=4.0)
    bare += await parts.durable_posts(bench.scratch / "after.sqlite", rate, seconds / 2)
    least = bench.times(f"bare POST with one commit, {rate:g}/s", bare)
    bench.ratio(f"message at {rate:g}/s / bare POST with one commit", of=ours, to=least)
    bench.ratio("the same, slowest", of=ours, to=least, statistic="p99")
    users, rate, seconds = bench.size((1_000, 500.0, 15.0), quick=(4, 50.0, 0.2))
    await _message(bench, users, rate, seconds, median=5.0, slowest=25.0)


async def _message(bench: Bench, users: int, rate: float, seconds: float, *, median: float, slowest: float) -> Figure:
    bench.progress(f"one-to-one messages at {rate:g}/s, {users} connected")
    name = f"message until received, {rate:g}/s, {users:,} connected"
    figure = bench.times(name, await parts.latency(bench, users, rate, seconds))
    bench.judge(f"message at {rate:g}/s", figure, "median", at_most(median))
    bench.judge(f"message at {rate:g}/s, slowest", figure, "p99", at_most(slowest))
    return figure


async def throughput(bench: Bench) -> None:
    """One-to-one messages a second, as fast as they go."""
    users, at_once, seconds, turns = bench.size((600, 100, 5.0, 4), quick=(4, 2, 0.2, 1))
    bench.progress("one-to-one messages as fast as they go")
    rates, processor = await parts.sustained(bench, users, at_once, seconds, turns)
    figure = bench.values("one-to-one messages received a second", rates, "/s")
    bench.judge("sustained messages a second", figure, "median", at_least(3_000))
    bench.times("the server's processor time for a message", [processor], unit="µs")


async def fanout(bench: Bench) -> None:
    """Messages to a group in which everybody is connected, beside bare writes."""
    members, at_once, seconds, turns = bench.size((200, 8, 4.0, 4), quick=(4, 2, 0.2, 1))
    bench.progress(f"messages to a group of {members}")
    raw = bench.values(
        f"raw asyncio writes to {members} connections",
        await parts.raw_fan_out(members, at_once, seconds / 2, turns),
        "/s",
    )
    ours = bench.values(
        f"deliveries to a group of {members}", await parts.fan_out(bench, members, at_once, seconds, turns), "/s"
    )
    bench.ratio("fan-out / raw writes", of=ours, to=raw, bar=at_least(0.3))


async def memory(bench: Bench) -> None:
    """What an idle connection takes."""
    count = bench.size(1_000, quick=120)
    bench.progress(f"{count:,} idle connections")
    figure = bench.values("memory of an idle connection", [await parts.idle_memory(bench, count)], "KiB")
    bench.judge("idle connection", figure, "median", at_most(40))


async def stalled(bench: Bench) -> None:
    """1,000 sockets, one of which stops reading."""
    users, rate, seconds, turns = bench.size((1_000, 200.0, 12.0, 3), quick=(24, 20.0, 0.2, 1))
    bench.progress(f"{users:,} sockets, one of which stops reading")
    before, during = await parts.one_stalled(bench, users, rate, seconds, turns)
    first = bench.times(f"message until received, {users:,} sockets that read", before)
    second = bench.times("the same while one reads nothing", during)
    bench.ratio("one that reads nothing, for the others", of=second, to=first, statistic="p99", bar=at_most(1.5))


async def reconnect(bench: Bench) -> None:
    """1,000 sockets that come back at once."""
    users, missed = bench.size((1_000, 20), quick=(4, 3))
    bench.progress(f"{users:,} sockets come back at once")
    turns = [await parts.reconnecting(bench, users, missed)]
    figure = bench.times(f"{users:,} sockets that missed {missed} events each, until in step", turns, unit="s")
    bench.judge("reconnecting", figure, "median", at_most(5))


PARTS: Final[dict[str, Part]] = {
    part.__name__: part for part in (floors, delete, elsewhere, latency, throughput, fanout, memory, stalled, reconnect)
}


def run(bench: Bench) -> None:
    """Measure the chosen parts."""
    allow_many_files()
    for name in bench.chosen(PARTS):
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(_measure(PARTS[name], bench))


async def _measure(part: Part, bench: Bench) -> None:
    """One part; then let all of its connections notice that their servers are gone."""
    await part(bench)
    for _ in range(20):
        await asyncio.sleep(0.01)
