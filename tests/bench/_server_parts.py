"""The parts of the server's bench: each fills a database, starts `tui-chat serve` on it, and measures from outside."""

import asyncio
import gc
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from tests.load.crowd import Aim, Stopwatch, as_fast, at_rate, last_event, lines, nothing, sockets
from tests.load.measured import MeasuredServer
from tests.load.population import Login, Population, filling, pairs
from tests.load.raw import Http, Json, Socket
from tui_chat.protocol import limits
from tui_chat.server.line import text_frame

from ._floor import FAN_BYTES
from .framework import Bench

BATCH: Final = 100
"""Conversations in one deletion."""
STRETCH: Final = 10
"""Deletions at one server before it is the other's turn."""
PAUSE_SECONDS: Final = 0.04
"""Before a deletion, which keeps below the server's limit."""
DEADLINE: Final = 30.0


@asynccontextmanager
async def serving(data: Path) -> AsyncIterator[MeasuredServer]:
    """The real server in a process of its own; this one collects no garbage meanwhile."""
    server = await asyncio.to_thread(MeasuredServer, data)
    gc.collect()
    gc.disable()
    try:
        yield server
    finally:
        gc.enable()
        await asyncio.to_thread(server.kill)


@contextmanager
def floor(kind: str, *arguments: str) -> Iterator[int]:
    """The port of one of the processes of _floor.py."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.bench._floor", kind, *arguments], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.kill()


def names(count: int, prefix: str = "u") -> list[str]:
    """So many userIDs."""
    return [f"{prefix}{number}" for number in range(count)]


async def people(data: Path, count: int) -> list[Login]:
    """So many users, of whom each two have a conversation."""
    async with filling(data) as population:
        logins = await population.users(*names(count))
        await population.messages(count // 2, lambda pair: (f"u{2 * pair}", f"u{2 * pair + 1}", "hello"))
        return logins


# Deleting.


class Owner:
    """One who has BATCH conversations with so many messages in all, at a server of their own; deletes and undoes."""

    def __init__(self, line: Http, each: int) -> None:
        self._line = line
        self._ids = [f"C2Cp{number}" for number in range(BATCH)]
        self._up_to = dict.fromkeys(self._ids, each)
        self._turns = 0

    @staticmethod
    async def fill(population: Population, messages: int) -> Login:
        """The owner, who was written to by each of BATCH others in turn."""
        await population.users(*names(BATCH, "p"))
        (login,) = await population.users("owner")
        await population.messages(messages, lambda number: (f"p{number % BATCH}", "owner", f"message {number}"))
        await population.not_to_be_searched()
        return login

    async def delete(self) -> float:
        """Delete all with their histories; the seconds from the request's first byte to the answer's last, in which
        this side neither makes JSON nor reads any. Afterwards everything is as it was."""
        self._turns += 1
        body = {"conversationIDList": self._ids, "upTo": self._up_to, "operationID": f"bench-{self._turns}"}
        request = msgspec.json.encode(body)
        began = time.perf_counter()
        data = await self._line.call("POST", "/v1/conversations/delete", request)
        seconds = time.perf_counter() - began
        answer: Json = msgspec.json.decode(data)
        assert len(answer["conversationIDList"]) == BATCH, answer
        await self._line.ask("POST", "/v1/conversations/restore", {"operationID": f"bench-{self._turns}"})
        return seconds


class Deletions(NamedTuple):
    """Seconds of deleting BATCH conversations."""

    few: list[float]
    """With few messages stored, PAUSE_SECONDS after the one before."""
    many: list[float]
    """With many."""
    hurried: list[float]
    """With few, and no pause."""


async def deletions(bench: Bench, few: int, many: int, turns: int) -> Deletions:
    """Delete at a server with few and at one with many messages stored, some of the turns here, some there: whoever
    runs a server runs one, and finds in the processor's caches what that left there."""
    owners, logins = [], []
    servers = []
    try:
        for messages in (few, many):
            bench.progress(f"deleting {BATCH} conversations: {messages:,} messages are filled in")
            data = bench.scratch / f"delete-{messages}"
            async with filling(data) as population:
                logins.append(await Owner.fill(population, messages))
            servers.append(await asyncio.to_thread(MeasuredServer, data))
        for server, login, messages in zip(servers, logins, (few, many), strict=True):
            owners.append(Owner(await Http.open(server.url, login.token), messages // BATCH))
        bench.progress("deleting and undoing, turn about")
        for owner in owners:
            for _ in range(5):
                await owner.delete()
        found = Deletions([], [], [])
        for start in range(0, turns, STRETCH):
            for owner, seconds in zip(owners, (found.few, found.many), strict=True):
                taken = []
                for _ in range(min(STRETCH, turns - start)):
                    await asyncio.sleep(PAUSE_SECONDS)
                    taken.append(await owner.delete())
                seconds += taken
        await asyncio.sleep(limits.DELETIONS_BURST / limits.DELETIONS_A_SECOND)
        for _ in range(min(turns, limits.DELETIONS_BURST // 2)):
            found.hurried.append(await owners[0].delete())
        return found
    finally:
        for server in servers:
            await asyncio.to_thread(server.kill)


async def deletion_elsewhere(bench: Bench, connected: int, turns: int) -> list[float]:
    """Seconds from a deletion on one device until the event is at another of the user, with others connected."""
    data = bench.scratch / "elsewhere"
    async with filling(data) as population:
        crowd = await population.users(*names(connected - 1))
        await population.messages(connected - 1, lambda number: ("u0", f"u{max(1, number)}", "hello"))
        (phone,) = await population.devices("u0")
        await population.settings(sync_conversation_deletion=True)
    async with serving(data) as server:
        arrived: asyncio.Queue[float] = asyncio.Queue()

        def hear(payload: bytes) -> None:
            if b'"conversation.deleted"' in payload:
                arrived.put_nowait(time.perf_counter())

        await sockets(server.url, [*crowd, phone], lambda login: hear if login is phone else nothing)
        (line,) = await lines(server.url, crowd[:1])
        seconds = []
        for turn in range(turns):
            name = f"C2Cu{1 + turn % (connected - 2)}"
            began = time.perf_counter()
            body = {"conversationIDList": [name], "operationID": f"bench-{turn}"}
            await line.ask("POST", "/v1/conversations/delete", body)
            async with asyncio.timeout(DEADLINE):
                seconds.append(await arrived.get() - began)
            await line.ask("POST", "/v1/conversations/restore", {"operationID": f"bench-{turn}"})
            await asyncio.sleep(0.05)
        return seconds


# Messages.


async def latency(bench: Bench, users: int, rate: float, seconds: float) -> list[float]:
    """Seconds from POST until received, between pairs of connected users, at so many messages a second."""
    data = bench.scratch / f"latency-{users}"
    logins = await people(data, users)
    async with serving(data) as server:
        watch = Stopwatch()
        others = {login.user_id for _, login in pairs(logins)}
        await sockets(server.url, logins, lambda login: watch.listen if login.user_id in others else nothing)
        senders = await lines(server.url, logins[::2])
        aims = [(line, f"C2C{to.user_id}") for line, (_, to) in zip(senders, pairs(logins), strict=True)]
        await _warm_up(aims, watch, rate, seconds)
        await at_rate(aims, watch, rate, seconds)
        await watch.until(int(rate * seconds))
        return watch.seconds


async def durable_posts(file: Path, rate: float, seconds: float) -> list[float]:
    """Seconds that a bare POST takes which commits one row to `file`, a new one, at so many a second: no message that
    is on the disk when it is received can be faster."""
    with floor("durable", str(file)) as port:
        line = await Http.open(f"http://127.0.0.1:{port}", "token")
        taken = []
        for _ in range(int(rate * seconds)):
            await asyncio.sleep(1 / rate)
            began = time.perf_counter()
            await line.call("POST", "/", b"{}")
            taken.append(time.perf_counter() - began)
        line.close()
    return taken


async def sustained(bench: Bench, users: int, at_once: int, seconds: float, turns: int) -> tuple[list[float], float]:
    """One-to-one messages a second that arrive, of each turn; and the server's processor time for one, in seconds."""
    data = bench.scratch / "sustained"
    logins = await people(data, users)
    async with serving(data) as server:
        watch = Stopwatch()
        await sockets(server.url, [login for _, login in pairs(logins)], lambda _: watch.count)
        senders = await lines(server.url, logins[::2])
        aims = [(line, f"C2C{to.user_id}") for line, (_, to) in zip(senders, pairs(logins), strict=True)]
        await as_fast(aims, watch, at_once, seconds / 4)
        rates = []
        used, sent = server.cpu_seconds(), 0
        for _ in range(turns):
            watch.forget()
            began = time.perf_counter()
            answered = await as_fast(aims, watch, at_once, seconds)
            await watch.until(answered)
            rates.append(watch.heard / (time.perf_counter() - began))
            sent += answered
        return rates, (server.cpu_seconds() - used) / sent


async def fan_out(bench: Bench, members: int, at_once: int, seconds: float, turns: int) -> list[float]:
    """Deliveries a second of messages to a group in which everybody is connected, of each turn."""
    data = bench.scratch / "group"
    async with filling(data) as population:
        logins = await population.users(*names(members))
        group = await population.group("everybody", names(members))
    async with serving(data) as server:
        watch = Stopwatch()
        await sockets(server.url, logins, lambda _: watch.count)
        aims = [(line, group) for line in await lines(server.url, logins)]
        await as_fast(aims, watch, at_once, seconds / 4)
        rates = []
        for _ in range(turns):
            watch.forget()
            began = time.perf_counter()
            answered = await as_fast(aims, watch, at_once, seconds)
            await watch.until(answered * members)
            rates.append(watch.heard / (time.perf_counter() - began))
        return rates


async def raw_fan_out(members: int, at_once: int, seconds: float, turns: int) -> list[float]:
    """Frames a second of about the same size that bare asyncio writes to as many connections."""
    with floor("fan") as port:
        loop = asyncio.get_running_loop()
        heard = wanted = 0
        size = len(text_frame(b"x" * FAN_BYTES))
        there = asyncio.Event()

        class Listener(asyncio.Protocol):
            def data_received(self, data: bytes) -> None:
                nonlocal heard
                heard += len(data)
                if heard >= wanted:
                    there.set()

        trigger, _ = await loop.create_connection(asyncio.Protocol, "127.0.0.1", port)
        await asyncio.sleep(0.1)
        for _ in range(members):
            await loop.create_connection(Listener, "127.0.0.1", port)
        await asyncio.sleep(0.1)
        rates = []
        for _ in range(turns):
            heard = wanted = 0
            began = loop.time()
            while loop.time() < began + seconds:
                there.clear()
                wanted += at_once * members * size
                trigger.write(b"!" * at_once)
                await there.wait()
            rates.append(heard / size / (loop.time() - began))
        return rates


# Connections.


async def idle_memory(bench: Bench, count: int) -> float:
    """KiB of resident memory for each of so many idle sockets."""
    data = bench.scratch / "idle"
    async with filling(data) as population:
        logins = await population.users(*names(count))
    async with serving(data) as server:
        await sockets(server.url, logins[:100], lambda _: nothing)
        before = await asyncio.to_thread(server.resident_kib)
        await sockets(server.url, logins[100:], lambda _: nothing)
        await asyncio.sleep(1)
        return (await asyncio.to_thread(server.resident_kib) - before) / (count - 100)


async def one_stalled(
    bench: Bench, users: int, rate: float, seconds: float, turns: int
) -> tuple[list[float], list[float]]:
    """Seconds from POST until received by the others, while all read and while one of so many reads nothing of what it
    gets; in turn, because the machine is another one from minute to minute."""
    data = bench.scratch / "stalled"
    async with filling(data) as population:
        logins = await population.users(*names(users))
        await population.messages(users // 2, lambda pair: (f"u{2 * pair}", f"u{2 * pair + 1}", "hello"))
        group = await population.group("some", names(20))
    async with serving(data) as server:
        watch = Stopwatch()
        others = {login.user_id for _, login in pairs(logins[20:])}
        await sockets(server.url, logins[1:], lambda login: watch.listen if login.user_id in others else nothing)
        senders = await lines(server.url, logins[20::2])
        aims = [(line, f"C2C{to.user_id}") for line, (_, to) in zip(senders, pairs(logins[20:]), strict=True)]
        feeders = await lines(server.url, logins[1:20])

        async def measure() -> list[float]:
            watch.forget()
            feeding = asyncio.create_task(_feed(feeders, group, seconds))
            await at_rate(aims, watch, rate, seconds)
            await watch.until(int(rate * seconds))
            await feeding
            return list(watch.seconds)

        await _warm_up(aims, watch, rate, seconds)
        reading: list[float] = []
        stalled: list[float] = []
        for _ in range(turns):
            [one] = await sockets(server.url, logins[:1], lambda _: nothing)
            reading += await measure()
            one.stop_reading()
            stalled += await measure()
            one.close()
        return reading, stalled


async def reconnecting(bench: Bench, users: int, missed: int) -> float:
    """Seconds until so many sockets, which connect at once and each missed so many events, are in step."""
    data = bench.scratch / "reconnecting"
    logins = await people(data, users)
    async with serving(data) as server:
        there = await lines(server.url, logins)
        cursors = await asyncio.gather(*(line.ask("GET", "/v1/sync?limit=1") for line in there))
        for start in range(0, users, 2):
            line, to = there[start], f"C2Cu{start + 1}"
            await asyncio.gather(*(line.send(to, f"m{start}-{number}", "missed") for number in range(missed)))
        newest = [int(answer["cursor"].rpartition(":")[2]) + missed for answer in cursors]
        in_step = asyncio.Event()
        waiting = users

        def listener(wanted: int) -> Any:
            def hear(payload: bytes) -> None:
                nonlocal waiting
                if last_event(payload) >= wanted:
                    waiting -= 1
                    if not waiting:
                        in_step.set()

            return hear

        began = time.perf_counter()
        opening = [
            Socket.open(server.url, login.token, listener(wanted), since=answer["cursor"])
            for login, wanted, answer in zip(logins, newest, cursors, strict=True)
        ]
        await asyncio.gather(*opening)
        async with asyncio.timeout(2 * DEADLINE):
            await in_step.wait()
        return time.perf_counter() - began


async def _feed(feeders: list[Http], group: str, seconds: float) -> None:
    """Messages of 6 KB to a group, more than its connections' buffers hold."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    for number in range(int(seconds * 40)):
        await asyncio.sleep(max(0.0, began + number / 40 - loop.time()))
        feeder = feeders[number % len(feeders)]
        await feeder.send(group, f"feed-{began}-{number}", "f" * 6_000)


async def _warm_up(aims: Sequence[Aim], watch: Stopwatch, rate: float, seconds: float) -> None:
    """Send for a second, and forget it."""
    some = min(1.0, seconds)
    await at_rate(aims, watch, rate, some)
    await watch.until(int(rate * some))
    watch.forget()
