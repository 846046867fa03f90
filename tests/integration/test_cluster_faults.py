"""Three server processes on one PostgreSQL, while processes, the database, the bus and the networks between them fail.

Several people on several devices go on writing, deleting, undoing and reading meanwhile (tests/history); everything
that they asked for, were answered and heard is held against the rules afterwards. None may be broken.

    pytest -m soak -v tests/integration/test_cluster_faults.py    CLUSTER_SECONDS=3600 and CLUSTER_SEED=7 say how long
"""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.buses import NatsServer, nats_cluster
from tests.databases import PostgresServer, postgres_server
from tests.history.checker import violations
from tests.history.load import Run, Size
from tests.history.nemesis import Fault, Nemesis
from tests.history.records import Delete, History, Restore, Send
from tests.proxy import Proxy
from tests.servers import ServerProcess
from tui_chat.server.run import new_event_loop

PROCESSES = 3
SOAK_ACTS = 1_500
"""Of each device, in the long run: what takes hours is done in pieces."""
SOAK_PIECE_SECONDS = 120.0


@pytest.fixture
def database() -> Iterator[PostgresServer]:
    """One of the test's own, which keeps what it promised through a crash."""
    with postgres_server(fsync=True) as server:
        yield server


@pytest.fixture
def nats_servers() -> Iterator[list[NatsServer]]:
    """A cluster of three."""
    with nats_cluster(3) as servers:
        yield servers


def addresses(servers: Sequence[NatsServer], first: int = 0) -> str:
    """What --bus takes."""
    return ",".join(server.address for server in [*servers[first:], *servers[:first]])


@asynccontextmanager
async def started(directory: Path, words: Sequence[Sequence[str]]) -> AsyncIterator[list[ServerProcess]]:
    """Processes with options of their own, and with a start beside each other."""
    with ExitStack() as stack:

        def start(number: int) -> ServerProcess:
            process = ServerProcess(directory / f"server{number}", *words[number])
            stack.callback(process.kill)
            return process

        yield list(await asyncio.gather(*(asyncio.to_thread(start, number) for number in range(len(words)))))


def held(history: History, least: int = 200) -> None:
    """Nothing is broken, and enough has happened."""
    found = violations(history)
    assert not found, f"{len(found)} violations: {Counter(one.rule for one in found)}, such as {found[:5]}"
    done = Counter(type(act) for act in history.acts if act.acknowledged)
    assert done[Send] >= least
    assert done[Delete] >= least // 10
    assert done[Restore] >= least // 20


def tried(
    directory: Path,
    database: PostgresServer,
    faults: Callable[[Nemesis], Sequence[Fault]],
    *,
    nats: Sequence[NatsServer] = (),
) -> None:
    """A run in which faults strike one after the other."""

    async def run() -> None:
        address = database.new_database()
        buses = [("--bus", addresses(nats, number)) if nats else () for number in range(PROCESSES)]
        async with started(directory, [("--database", address, *bus) for bus in buses]) as processes:
            nemesis = Nemesis(processes, database=database, nats=nats)
            people = Run(address, [process.url for process in processes], seed=1)
            held(await people.history(lambda: nemesis.strike(faults(nemesis))))

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(run())


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_processes_are_killed_and_frozen(tmp_path: Path, database: PostgresServer) -> None:
    tried(tmp_path, database, lambda nemesis: [nemesis.kill_each_process, nemesis.freeze_each_process])


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_the_database_is_restarted_and_frozen(tmp_path: Path, database: PostgresServer) -> None:
    def faults(nemesis: Nemesis) -> list[Fault]:
        return [
            nemesis.crash_database,
            nemesis.cut_database_connections,
            nemesis.freeze_database,
            nemesis.restart_database,
        ]

    tried(tmp_path, database, faults)


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_nats_servers_are_killed_and_frozen(
    tmp_path: Path, database: PostgresServer, nats_servers: list[NatsServer]
) -> None:
    def faults(nemesis: Nemesis) -> list[Fault]:
        return [nemesis.kill_each_nats, nemesis.freeze_each_nats, nemesis.kill_all_nats]

    tried(tmp_path, database, faults, nats=nats_servers)


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_with_nats_processes_and_the_database_fail_as_well(
    tmp_path: Path, database: PostgresServer, nats_servers: list[NatsServer]
) -> None:
    def faults(nemesis: Nemesis) -> list[Fault]:
        return [nemesis.kill_each_process, nemesis.crash_database, nemesis.freeze_each_process]

    tried(tmp_path, database, faults, nats=nats_servers)


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_ways_to_the_bus_and_to_processes_are_cut(
    tmp_path: Path, database: PostgresServer, nats_servers: list[NatsServer]
) -> None:
    """One process reaches the bus through a proxy, and people reach one through another."""

    async def run() -> None:
        address = database.new_database()
        bus = Proxy(nats_servers[0].address)
        await bus.start()
        buses = [f"nats://127.0.0.1:{bus.port}", *[addresses(nats_servers)] * 2]
        async with started(tmp_path, [("--database", address, "--bus", each) for each in buses]) as processes:
            door = Proxy(processes[1].url)
            await door.start()
            nemesis = Nemesis(processes, buses=[bus], doors=[door])
            people = Run(address, [processes[0].url, door.url, processes[2].url], seed=2)
            faults = [nemesis.cut_each_bus, nemesis.cut_each_door, nemesis.swallow_each_bus]
            try:
                held(await people.history(lambda: nemesis.strike(faults)))
            finally:
                await door.stop()
        await bus.stop()

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(run())


@pytest.mark.soak
@pytest.mark.timeout(8 * 3600)
@pytest.mark.parametrize("bus", ["postgres", "nats"])
def test_anything_in_any_order_for_long(tmp_path: Path, database: PostgresServer, bus: str) -> None:
    """In pieces, each on a database of its own, since a history is checked as a whole."""
    seconds = float(os.environ.get("CLUSTER_SECONDS", "1200"))
    seed = int(os.environ.get("CLUSTER_SEED", "1"))

    async def piece(number: int, servers: Sequence[NatsServer]) -> None:
        address = database.new_database()
        words: list[tuple[Any, ...]] = [
            ("--database", address, *(("--bus", addresses(servers, each)) if servers else ()))
            for each in range(PROCESSES)
        ]
        async with started(tmp_path / str(number), words) as processes:
            nemesis = Nemesis(processes, database=database, nats=servers, seed=seed + number)
            faults: list[Fault] = [
                nemesis.kill_each_process,
                nemesis.kill_all_processes,
                nemesis.restart_each_process,
                nemesis.freeze_each_process,
                nemesis.crash_database,
                nemesis.restart_database,
                nemesis.freeze_database,
                nemesis.cut_database_connections,
            ]
            if servers:
                faults += [
                    nemesis.kill_each_nats,
                    nemesis.kill_all_nats,
                    nemesis.freeze_each_nats,
                    nemesis.freeze_a_nats_for_long,
                ]
            people = Run(address, [each.url for each in processes], seed=seed + number, size=Size(most=SOAK_ACTS))
            held(await people.history(lambda: nemesis.strike_at_random(faults, SOAK_PIECE_SECONDS)))

    with ExitStack() as stack, asyncio.Runner(loop_factory=new_event_loop) as runner:
        servers = stack.enter_context(nats_cluster(3)) if bus == "nats" else []
        for number in range(max(1, round(seconds / SOAK_PIECE_SECONDS))):
            runner.run(piece(number, servers))
