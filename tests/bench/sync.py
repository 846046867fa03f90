"""The client core: 100,000 events applied; 10,000 missed events; 10,000 conversations synced, deleted, brought back."""

import asyncio
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.client.making import NOWHERE, arrived, message, ranged
from tests.client.sessions import eventually
from tui_chat.cache.account import AccountCache
from tui_chat.client.core import Core
from tui_chat.client.session import ChatSession
from tui_chat.protocol import limits
from tui_chat.protocol.events import EventRange

from ._account import ServedAccount
from .framework import Bench, at_most

RANGE: Final = 100
"""Events of a range, as the server sends them to who catches up."""
FLUSHED_EVERY: Final = 10
"""Ranges; a session brings to the disk what came since the last time, in the background."""


def run(bench: Bench) -> None:
    """Events by themselves (part `apply`), then a real server process with a large account (part `server`)."""
    parts = bench.chosen(["apply", "server"])
    if "apply" in parts:
        asyncio.run(_apply(bench))
        bench.note("applied: reduced, kept, told; with the cache on disk an fsync every 1,000 events")
    if "server" in parts:
        _with_a_server(bench)


def _with_a_server(bench: Bench) -> None:
    conversations = bench.size(10_000, quick=120)
    with ServedAccount(bench.scratch / "server") as account:
        names = [f"user{number}" for number in range(conversations)]
        bench.progress(f"an account with {conversations:,} conversations")
        account.import_conversations(names)
        asyncio.run(_first_sync(bench, account, conversations))
        missed = bench.size(10_000, quick=130)
        bench.progress(f"{missed:,} messages while the client is away")
        account.miss_messages(bench.random.choices(names, k=missed))
        asyncio.run(_catch_up(bench, account, missed))
        asyncio.run(_delete(bench, account, conversations))
    bench.note("a session's figures are from resume() until the state is in step, its cache on disk")
    bench.note("raw: the same answers fetched one after the other by httpx and parsed as JSON, nothing kept")
    bench.note("deleted: until the server confirmed all and no row is left; purged: until no message is on the disk")


# Events by themselves


async def _apply(bench: Bench) -> None:
    """The same events into a session whose cache is on disk, and into one that keeps nothing."""
    events, conversations = bench.size(100_000, quick=500), bench.size(1_000, quick=20)
    bench.progress(f"making {events:,} events")
    ranges = list(_ranges(bench, events, conversations))
    turns = bench.size(2, quick=1)
    seconds: dict[str, list[float]] = {"on disk": [], "in memory": []}
    for turn in range(turns):
        for where, taken in seconds.items():
            bench.progress(f"applying them, {where}, {turn + 1} of {turns}")
            directory = bench.scratch / f"apply-{turn}" if where == "on disk" else None
            session = ChatSession.resume(NOWHERE, cache_directory=directory)
            try:
                taken.append(await _applied(session._core, ranges))
                assert len(session.conversations) == conversations
            finally:
                await session.close()
    disk = bench.values(
        "events applied a second: on disk", [events / taken for taken in seconds["on disk"]], "events/s"
    )
    memory = bench.values(
        "events applied a second: in memory", [events / taken for taken in seconds["in memory"]], "events/s"
    )
    label = f"{events:,} events applied"
    bench.times(f"{label}: on disk", seconds["on disk"], unit="s")
    bench.times(f"{label}: in memory", seconds["in memory"], unit="s")
    bench.ratio("events applied a second: in memory / on disk", of=memory, to=disk, bar=at_most(2))


def _ranges(bench: Bench, events: int, conversations: int) -> Iterator[EventRange]:
    """Messages in turn to all, then to any conversation."""
    newest = dict.fromkeys((f"C2Cuser{number}" for number in range(conversations)), 0)
    names = list(newest)
    for first in range(1, events + 1, RANGE):
        happened = []
        for event_seq in range(first, min(first + RANGE, events + 1)):
            name = names[event_seq - 1] if event_seq <= conversations else bench.random.choice(names)
            newest[name] += 1
            happened.append(arrived(event_seq, name, newest[name]))
        yield ranged(first, *happened)


async def _applied(core: Core, ranges: list[EventRange]) -> float:
    core.state.cursor, core.state.position = "e:0", 0
    start = time.perf_counter()
    for number, received in enumerate(ranges):
        core.receiver.receive(received)
        if number % FLUSHED_EVERY == 0:
            await core.store.flush()
    await core.store.flush()
    return time.perf_counter() - start


# A server


async def _rested(bench: Bench) -> None:
    """Until the server's limits are as for one who has not asked anything for a while: not they are measured."""
    await asyncio.sleep(bench.size(limits.OTHERS_BURST / limits.OTHERS_A_SECOND, quick=0.0))


async def _session(account: ServedAccount, cache: Path) -> tuple[ChatSession, float]:
    """A session that is in step, and the seconds that took."""
    start = time.perf_counter()
    session = ChatSession.resume(account.credentials, cache_directory=cache)
    try:
        await session.load()
    except BaseException:
        await session.close()
        raise
    return session, time.perf_counter() - start


async def _first_sync(bench: Bench, account: ServedAccount, conversations: int) -> None:
    seconds, raw = [], []
    for turn in range(bench.size(3, quick=1)):
        bench.progress(f"first sync, {turn + 1}")
        await _rested(bench)
        raw.append(_raw_conversations(account, conversations))
        await _rested(bench)
        session, taken = await _session(account, bench.scratch / f"first-{turn}")
        assert len(session.conversations) == conversations
        await session.close()
        seconds.append(taken)
    label = f"first sync of {conversations:,} conversations"
    ours = bench.times(f"{label}: session", seconds)
    bench.ratio(f"{label}: session / raw", of=ours, to=bench.times(f"{label}: raw", raw))


def _raw_conversations(account: ServedAccount, expected: int) -> float:
    start = time.perf_counter()
    found = account.device.conversations()
    assert len(found) == expected
    return time.perf_counter() - start


async def _catch_up(bench: Bench, account: ServedAccount, missed: int) -> None:
    seconds, raw = [], []
    for turn in range(bench.size(3, quick=1)):
        bench.progress(f"catching up, {turn + 1}")
        cache = bench.scratch / f"caught-up-{turn}"
        await asyncio.to_thread(shutil.copytree, bench.scratch / "first-0", cache)
        left = AccountCache.open(cache)
        since, before = left.cursor, sum(one.message_count for one in left.conversations().values())
        left.close()
        assert since is not None
        await _rested(bench)
        raw.append(_raw_events(account, since, missed))
        await _rested(bench)
        session, taken = await _session(account, cache)
        assert sum(one.message_count for one in session.conversations.values()) == before + missed
        await session.close()
        seconds.append(taken)
    label = f"catch-up of {missed:,} missed events"
    ours = bench.times(f"{label}: session", seconds)
    bench.ratio(f"{label}: session / raw", of=ours, to=bench.times(f"{label}: raw", raw), bar=at_most(1.5))


def _raw_events(account: ServedAccount, since: str, expected: int) -> float:
    start = time.perf_counter()
    found = 0
    while True:
        answer = account.device.sync(since, limit=limits.PAGE)
        found += len(answer["events"])
        since = answer["cursor"]
        if not answer["more"]:
            assert found == expected
            return time.perf_counter() - start


async def _delete(bench: Bench, account: ServedAccount, conversations: int) -> None:
    """Of an account whose messages are cached; each time undone again."""
    label = f"{conversations:,} conversations"
    deleted, purged, undone = [], [], []
    history = bench.scratch / "first-0" / "history"
    session, _ = await _session(account, bench.scratch / "first-0")
    try:
        names = list(session.conversations)
        for turn in range(bench.size(3, quick=1)):
            bench.progress(f"deleting them all, {turn + 1}")
            store = session._core.store
            for name in names:
                store.history.add(name, [message(name, seq) for seq in range(2, 12)])
            await store.flush()
            await _rested(bench)
            start = time.perf_counter()
            answer = await session.delete_conversation(conversation_id_list=names)
            assert len(answer.conversation_id_list) == conversations
            await eventually(lambda: not session.conversations, "rows are left", deadline=60)
            deleted.append(time.perf_counter() - start)
            await eventually(lambda: not any(history.iterdir()), "messages are left", deadline=60)
            purged.append(time.perf_counter() - start)
            start = time.perf_counter()
            await session.undo(answer.batch_id)
            await eventually(lambda: len(session.conversations) == conversations, "rows are missing", deadline=60)
            undone.append(time.perf_counter() - start)
    finally:
        await session.close()
    figure = bench.times(f"{label} deleted", deleted, unit="s")
    bench.times(f"{label} purged from the disk", purged, unit="s")
    bench.times(f"{label} brought back", undone, unit="s")
    bench.judge(f"{label} deleted", figure, "median", at_most(3))
