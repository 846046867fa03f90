"""Several processes on one PostgreSQL against one: throughput, and delivery across them with the bus up and dead.

Everything runs on this machine, the load and PostgreSQL as well: on two cores three processes share what one has alone,
so that what they take from each other shows more than what they add. Parts can be chosen: `--only postgres`.
"""

import asyncio
import gc
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx
import psycopg

from tests.buses import nats_cluster
from tests.databases import PostgresServer, postgres_server
from tests.load.crowd import Aim, Stopwatch, allow_many_files, as_fast, at_rate, lines, nothing, sockets
from tests.load.measured import MeasuredServer
from tests.load.population import Login, filling_postgres
from tui_chat.server.run import new_event_loop

from .framework import Bench, Figure, at_most

PROCESSES: Final = 3
ACROSS_MS: Final = 60.0
"""Most of a message from process to process, at the 99th percentile."""
WITHOUT_BUS_MS: Final = 2_500.0
"""The same while the bus is dead: positions are compared every two seconds then."""
NOTICING_SECONDS: Final = 15.0
"""Within so long every process has found out that the bus is dead, or there again."""
_NUMBER: Final = re.compile(rb'"text":"#(\d+) ')

Part = Callable[[Bench, PostgresServer], Coroutine[Any, Any, None]]


class Deliveries(Stopwatch):
    """Counts each message once, however many come in one frame, and although a row repeats its newest."""

    def listen(self, payload: bytes) -> None:
        """What a socket heard."""
        now = time.perf_counter()
        for found in _NUMBER.finditer(payload):
            begun = self._begun.pop(int(found[1]), None)
            if begun is not None:
                self.heard += 1
                self.seconds.append(now - begun)
        self._look()


class LastDelivery(Stopwatch):
    """Takes a message for heard when everybody in a group has it."""

    def __init__(self, members: int) -> None:
        super().__init__()
        self._members = members
        self._reached: Counter[int] = Counter()

    def listen(self, payload: bytes) -> None:
        """What a member's socket heard."""
        now = time.perf_counter()
        for number in map(int, _NUMBER.findall(payload)):
            self._reached[number] += 1
            if self._reached[number] == self._members:
                self.heard += 1
                self.seconds.append(now - self._begun.pop(number))
        self._look()


@dataclass(frozen=True)
class Crowd:
    """Pairs of people: who writes is at one process, who is written to at the next."""

    servers: list[MeasuredServer]
    aims: list[Aim]
    watch: Stopwatch

    async def delivered(self, rate: float, seconds: float) -> list[float]:
        """Seconds from POST until received, at so many messages a second. Fails where one does not arrive."""
        self.watch.forget()
        await at_rate(self.aims, self.watch, rate, seconds)
        await self.watch.until(int(rate * seconds))
        return list(self.watch.seconds)

    async def sustained(self, at_once: int, seconds: float, turns: int) -> tuple[list[float], float]:
        """Messages received a second, as fast as they go, of each turn, and the servers' processor seconds for one.
        Fails where one does not arrive."""
        rates, sent, used = [], 0, 0.0
        for turn in range(turns + 1):
            self.watch.forget()
            began, used_before = time.perf_counter(), self._used()
            answered = await as_fast(self.aims, self.watch, at_once, seconds)
            await self.watch.until(answered)
            if turn:  # the first one warms up
                rates.append(self.watch.heard / (time.perf_counter() - began))
                sent += answered
                used += self._used() - used_before
        return rates, used / sent

    def _used(self) -> float:
        return sum(server.cpu_seconds() for server in self.servers)


@asynccontextmanager
async def crowd(
    bench: Bench, postgres: PostgresServer, pairs: int, processes: int, bus: str | None = None, *, bus_role: str = ""
) -> AsyncIterator[Crowd]:
    """So many pairs at so many processes on a database of their own.

    `bus`: an address for it; `bus_role`: where it is PostgreSQL, who connects for it.
    """
    address = postgres.new_database()
    if bus_role:
        bus = address.replace("postgres@", f"{bus_role}@")
    async with filling_postgres(address) as population:
        writers = await population.users(*(f"a{number}" for number in range(pairs)))
        readers = await population.users(*(f"b{number}" for number in range(pairs)))
        await population.messages(pairs, lambda number: (f"a{number}", f"b{number}", "hello"))
    with ExitStack() as stack:
        servers = await _serving(bench, stack, processes, address, bus)
        watch = Deliveries()
        for number in range(processes):
            url = servers[(number + 1) % processes].url
            await sockets(url, readers[number::processes], lambda _: watch.listen)
            await sockets(servers[number].url, writers[number::processes], lambda _: nothing)
        aims: list[Aim] = [
            aim for number, server in enumerate(servers) for aim in await _aims(server.url, writers[number::processes])
        ]
        aims.sort(key=lambda aim: int(aim[1].removeprefix("C2Cb")))  # at one process after the other
        yield Crowd(servers, aims, watch)


async def _serving(
    bench: Bench, stack: ExitStack, processes: int, address: str, bus: str | None
) -> list[MeasuredServer]:
    def start(number: int) -> MeasuredServer:
        words = ("--database", address, *(() if bus is None else ("--bus", bus)), "--log-level", "error")
        server = MeasuredServer(bench.scratch / f"server{number}", *words)
        stack.callback(server.kill)
        return server

    servers = list(await asyncio.gather(*(asyncio.to_thread(start, number) for number in range(processes))))
    gc.collect()
    gc.disable()
    stack.callback(gc.enable)
    return servers


async def _aims(url: str, writers: Sequence[Login]) -> list[Aim]:
    opened = await lines(url, writers)
    return [(line, f"C2Cb{login.user_id[1:]}") for line, login in zip(opened, writers, strict=True)]


async def throughput(bench: Bench, postgres: PostgresServer) -> None:
    """One-to-one messages as fast as they go: one process, then three."""
    pairs, at_once, seconds, turns = bench.size((120, 90, 4.0, 3), quick=(6, 3, 0.2, 1))
    found: dict[int, Figure] = {}
    for processes in (1, PROCESSES):
        bench.progress(f"messages as fast as they go, {processes} processes")
        async with crowd(bench, postgres, pairs, processes) as there:
            rates, used = await there.sustained(at_once, seconds, turns)
        found[processes] = bench.values(f"messages received a second, {_count(processes)}", rates, "/s")
        bench.times(f"processor time for a message, {_count(processes)}, without PostgreSQL's", [used], unit="µs")
    bench.ratio("three processes / one, on the same cores", of=found[PROCESSES], to=found[1])


async def postgres(bench: Bench, postgres: PostgresServer) -> None:
    """Delivery over NOTIFY, beside one process; and while the connections that listen are gone."""
    pairs, rate, seconds = bench.size((120, 100.0, 10.0), quick=(6, 20.0, 0.3))
    async with crowd(bench, postgres, pairs, 1) as there:
        bench.progress(f"delivery at {rate:g}/s within one process")
        await there.delivered(rate, min(2.0, seconds))
        alone = bench.times(f"message until received, {rate:g}/s, one process", await there.delivered(rate, seconds))
    with psycopg.connect(postgres.address("postgres"), autocommit=True) as administrator:
        administrator.execute("CREATE ROLE bus LOGIN")
        async with crowd(bench, postgres, pairs, PROCESSES, bus_role="bus") as there:
            up = await _across(bench, there, "PostgreSQL", rate, seconds)
            bench.ratio("across three processes / within one", of=up, to=alone)
            administrator.execute("ALTER ROLE bus NOLOGIN")
            administrator.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'bus'")
            await _dead(bench, there, "PostgreSQL", rate, seconds)
            administrator.execute("ALTER ROLE bus LOGIN")
            await _again(bench, there, "PostgreSQL", rate, seconds, up)


async def nats(bench: Bench, postgres: PostgresServer) -> None:
    """Delivery over a cluster of three NATS servers: all up, one killed, all dead, up again."""
    pairs, rate, seconds = bench.size((120, 100.0, 10.0), quick=(6, 20.0, 0.3))
    with nats_cluster(3) as servers:
        addresses = ",".join(server.address for server in servers)
        async with crowd(bench, postgres, pairs, PROCESSES, addresses) as there:
            up = await _across(bench, there, "NATS", rate, seconds)
            bench.progress("one NATS server of three is killed")
            sending = asyncio.create_task(there.delivered(rate, seconds))
            await asyncio.sleep(seconds / 4)
            await asyncio.to_thread(servers[0].kill)
            one = bench.times("the same, while one NATS server of three is killed", await sending)
            bench.judge("across processes, a NATS server killed", one, "max", at_most(WITHOUT_BUS_MS))
            for server in servers[1:]:
                await asyncio.to_thread(server.kill)
            await _dead(bench, there, "NATS", rate, seconds)
            for server in servers:
                await asyncio.to_thread(server.start)
            await _again(bench, there, "NATS", rate, seconds, up)


async def groups(bench: Bench, postgres: PostgresServer) -> None:
    """A message to a group whose members are all connected, to three processes, until the last of them has it."""
    members, rate, seconds = bench.size((200, 5.0, 20.0), quick=(9, 20.0, 0.3))
    with nats_cluster(3) as servers:
        for name, bus in (("PostgreSQL", None), ("NATS", ",".join(server.address for server in servers))):
            bench.progress(f"messages to a group of {members} over {name}")
            address = postgres.new_database()
            async with filling_postgres(address) as population:
                logins = await population.users(*(f"m{number}" for number in range(members)))
                group = await population.group("everybody", [login.user_id for login in logins])
            with ExitStack() as stack:
                there = await _serving(bench, stack, PROCESSES, address, bus)
                watch = LastDelivery(members)
                aims: list[Aim] = []
                for number, server in enumerate(there):
                    own = logins[number::PROCESSES]
                    await sockets(server.url, own, lambda _: watch.listen)  # noqa: B023 - it is used at once
                    aims += [(line, group) for line in await lines(server.url, own[:5])]
                crowd = Crowd(there, aims, watch)
                await crowd.delivered(rate, min(2.0, seconds))
                what = f"message to a group of {members} at three processes until the last has it, {rate:g}/s, {name}"
                figure = bench.times(what, await crowd.delivered(rate, seconds))
                bench.judge(f"to the last of a group, {name}", figure, "p99", at_most(ACROSS_MS))


async def _across(bench: Bench, there: Crowd, bus: str, rate: float, seconds: float) -> Figure:
    bench.progress(f"delivery at {rate:g}/s from process to process over {bus}")
    await there.delivered(rate, min(2.0, seconds))
    name = f"message until received at another process, {rate:g}/s, {bus}"
    figure = bench.times(name, await there.delivered(rate, seconds))
    bench.judge(f"across processes, {bus}", figure, "p99", at_most(ACROSS_MS))
    return figure


async def _dead(bench: Bench, there: Crowd, bus: str, rate: float, seconds: float) -> None:
    await _all_say(there, "down")
    bench.progress(f"the bus over {bus} is dead")
    figure = bench.times(f"the same, {bus} as a bus dead", await there.delivered(rate, seconds))
    bench.judge(f"across processes, {bus} as a bus dead", figure, "p99", at_most(WITHOUT_BUS_MS))


async def _again(bench: Bench, there: Crowd, bus: str, rate: float, seconds: float, before: Figure) -> None:
    await _all_say(there, "up")
    figure = bench.times(f"the same, {bus} as a bus there again", await there.delivered(rate, seconds))
    bench.ratio(f"{bus} there again / before", of=figure, to=before)


async def _all_say(there: Crowd, bus: str) -> None:
    """Wait until every process says that of its bus."""
    async with httpx.AsyncClient(trust_env=False) as http, asyncio.timeout(NOTICING_SECONDS):
        waiting = list(there.servers)
        while waiting:
            waiting = [one for one in waiting if (await http.get(f"{one.url}/healthz")).json()["bus"] != bus]
            await asyncio.sleep(0.1)


def _count(processes: int) -> str:
    return "one process" if processes == 1 else f"{processes} processes"


PARTS: Final[dict[str, Part]] = {part.__name__: part for part in (throughput, postgres, nats, groups)}


def run(bench: Bench) -> None:
    """Measure the chosen parts."""
    allow_many_files()
    with postgres_server(fsync=True) as server:
        for name in bench.chosen(PARTS):
            with asyncio.Runner(loop_factory=new_event_loop) as runner:
                runner.run(_measure(PARTS[name], bench, server))
    bench.note("PostgreSQL with fsync and synchronous_commit on; it, the load and all processes share this machine")
    bench.note(
        "every message that was acknowledged must have been received before a figure is taken: else the bench fails"
    )


async def _measure(part: Part, bench: Bench, server: PostgresServer) -> None:
    """One part; then let all of its connections notice that their servers are gone."""
    await part(bench, server)
    for _ in range(20):
        await asyncio.sleep(0.01)
