"""Several processes at one database do not get in each other's way."""

import asyncio
import threading
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from tests.buses import eventually
from tests.databases import PostgresServer
from tests.servers import LiveServer
from tui_chat.server import services
from tui_chat.server.bus import processes
from tui_chat.server.engines import Transaction
from tui_chat.server.engines.postgres import PostgresEngine
from tui_chat.server.operations import events as log
from tui_chat.server.operations import expiry

from .servers import servers


async def test_several_that_start_at_once_make_one_schema(postgres: PostgresServer) -> None:
    address = postgres.new_database()
    engines = await asyncio.gather(*(PostgresEngine.open(address) for _ in range(4)))
    assert len({await engine.read(log.epoch) for engine in engines}) == 1
    for engine in engines:
        await engine.close()


async def test_one_tidies_at_a_time(postgres: PostgresServer) -> None:
    address = postgres.new_database()
    one, other = await PostgresEngine.open(address), await PostgresEngine.open(address)
    begun, gate = threading.Event(), threading.Event()

    trim = expiry.alone(expiry.trim)

    def slowly(tx: Transaction) -> bool:
        trim(tx)
        begun.set()
        assert gate.wait(10)
        return True

    def trimmed(tx: Transaction) -> bool:
        return tx.one("SELECT 1 FROM meta WHERE name = 'trimmed'") is not None

    try:
        task = asyncio.create_task(one.write(slowly))
        await asyncio.to_thread(begun.wait, 10)
        assert not await asyncio.wait_for(other.write(trim), 5)
        assert not await other.read(trimmed), "the other one left it alone"
        gate.set()
        await task
        assert await other.read(trimmed)
    finally:
        gate.set()
        await one.close()
        await other.close()


def test_a_group_is_read_for_everybody_at_once(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with servers(tmp_path, postgres.new_database(), None) as two:
        alice, bob = two.couple("b")
        group = alice.create_group("team", bob.user_id)["conversationID"]
        with bob.stream() as first, two.at(1, bob).stream() as second, two.at(1, alice).stream() as third:
            services = two.live[1].running.services
            alone: list[int] = []
            since = services.since

            async def counted(caller, position):  # type: ignore[no-untyped-def]
                alone.append(position)
                return await since(caller, position)

            monkeypatch.setattr(services, "since", counted)
            for number in range(40):
                (alice, bob)[number % 2].send(group, f"{number}")
            for stream in (first, second, third):
                assert [stream.event("message.new")["message"]["text"] for _ in range(40)] == [*map(str, range(40))]
            assert alone == [], "no socket had to read by itself"


def test_servers_of_other_data_on_the_same_bus_are_none_of_ours(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their users have the numbers of ours: whoever is connected there seemed to be here."""
    monkeypatch.setattr(services, "CHECK_SECONDS", 0.02)
    monkeypatch.setattr(processes, "BEAT_SECONDS", 0.05)
    shared = postgres.new_database()
    schemas = [f"{shared}&options=-csearch_path%3D{name}" for name in ("ours", "theirs")]
    with psycopg.connect(shared, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA ours; CREATE SCHEMA theirs")
    with ExitStack() as stack:
        live = [LiveServer(tmp_path / f"{number}", database=one) for number, one in enumerate(schemas)]
        for server in live:
            stack.callback(server.stop)
        live.append(LiveServer(tmp_path / "again", database=schemas[0]))
        stack.callback(live[-1].stop)
        exchanges = [server.running.services.exchange for server in live]
        same = exchanges[::2]
        eventually(lambda: all(len(one.processes) > 1 for one in same), "the servers of one schema know of each other")
        assert [len(one.processes) for one in exchanges] == [2, 1, 2]
