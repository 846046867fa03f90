"""The primary is lost for good under load, and a standby takes its place: nothing that was acknowledged is gone.

With those settings of the example of three machines which make an answer wait for a standby.
"""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.buses import eventually
from tests.databases import PostgresServer, StandbyServer, postgres_server, standby_of
from tests.history.load import Run
from tests.integration.test_cluster_faults import held, started
from tui_chat.server.run import new_event_loop

EXAMPLE = Path(__file__).parents[2] / "assets/deploy/three-machines/primary.conf"
STANDBY = "standby1"


@pytest.fixture
def primary() -> Iterator[PostgresServer]:
    with postgres_server(fsync=True) as server:
        yield server
        server.start()  # so that it can be stopped


def settings() -> dict[str, str]:
    """What the example says of when an answer is given."""
    found = dict(re.findall(r"^(\w+) = '?(.*?)'?(?:\s+#.*)?$", EXAMPLE.read_text(), re.MULTILINE))
    return {name: found[name] for name in ("synchronous_standby_names", "synchronous_commit")}


def wait_for_a_standby(primary: PostgresServer) -> None:
    """Let commits wait as in the example, from the moment that the standby has caught up."""
    with psycopg.connect(primary.address("postgres"), autocommit=True) as connection:
        for name, value in settings().items():
            connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
        connection.execute("SELECT pg_reload_conf()")
        query = "SELECT count(*) FROM pg_stat_replication WHERE application_name = %s AND sync_state = 'quorum'"
        eventually(lambda: connection.execute(query, (STANDBY,)).fetchone() == (1,), "commits wait for the standby")


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_standby_takes_the_place_of_a_lost_primary(tmp_path: Path, primary: PostgresServer) -> None:
    database = primary.new_database()
    with standby_of(primary, STANDBY) as standby:
        wait_for_a_standby(primary)
        address = either(database, primary, standby)

        async def befall() -> None:
            await asyncio.sleep(4)
            await asyncio.to_thread(primary.stop)
            await asyncio.to_thread(standby.promote)
            await asyncio.sleep(4)

        async def run() -> None:
            async with started(tmp_path, [("--database", address)] * 3) as processes:
                people = Run(address, [process.url for process in processes], seed=3)
                held(await people.history(befall), 100)

        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(run())


def either(database: str, primary: PostgresServer, standby: StandbyServer) -> str:
    """The address of a database on whichever of the two is the primary."""
    return database.replace(
        f"host={primary.directory}", f"host={primary.directory},{standby.directory}&target_session_attrs=read-write"
    )
