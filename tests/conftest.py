"""Fixtures that many tests share. What they need is imported when they are used, so that a test pays for its own."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.accounts import Device, People
    from tests.buses import NatsServer
    from tests.databases import PostgresServer
    from tests.servers import LiveServer, ServerProcess


ON_BOTH_ENGINES = ("test_http_messages", "test_http_rules_deleting", "test_http_rules_undo", "test_stream", "test_sync")
"""Modules whose `server` keeps its data in SQLite, and in CI in PostgreSQL as well."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "server" in metafunc.fixturenames and metafunc.module.__name__.rpartition(".")[2] in ON_BOTH_ENGINES:
        engines = ["sqlite", pytest.param("postgres", marks=pytest.mark.slow)]
        metafunc.parametrize("server", engines, indirect=True)


def pytest_configure() -> None:
    """Where Hypothesis makes the examples, before any test is read: that the machine is slow is no fault of theirs."""
    from hypothesis import HealthCheck, settings

    settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("any machine")


@pytest.fixture
def server(request: pytest.FixtureRequest, tmp_path: Path) -> "Iterator[LiveServer]":
    """A real server in this process, on a thread and a free port of its own."""
    from tests.servers import LiveServer

    database = None
    if getattr(request, "param", "sqlite") == "postgres":
        database = request.getfixturevalue("postgres").new_database()
    live = LiveServer(tmp_path / "server", database=database)
    yield live
    live.stop()


@pytest.fixture
def people(server: "LiveServer") -> "Iterator[People]":
    """Makes log-ins at `server`."""
    from tests.accounts import People

    there = People(server.url)
    yield there
    there.close()


@pytest.fixture
def alice(people: "People") -> "Device":
    """The first user, and so the administrator."""
    return people.register("alice")


@pytest.fixture
def phone(people: "People", alice: "Device") -> "Device":
    """Another device of alice's."""
    return people.login("alice")


@pytest.fixture
def bob(people: "People", alice: "Device") -> "Device":
    return people.register("bob")


@pytest.fixture
def carol(people: "People", alice: "Device") -> "Device":
    return people.register("carol")


@pytest.fixture(scope="session")
def postgres() -> "Iterator[PostgresServer]":
    """A real PostgreSQL, begun by the first test of this process that wants one."""
    from tests.databases import postgres_server

    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def nats() -> "Iterator[NatsServer]":
    """A real NATS server, begun by the first test of this process that wants one; no test ends it."""
    from tests.buses import nats_server

    with nats_server() as server:
        yield server


@pytest.fixture
def server_process(tmp_path: Path) -> "Iterator[ServerProcess]":
    """A server as a real process, which can be killed and started again."""
    from tests.servers import ServerProcess

    process = ServerProcess(tmp_path / "server")
    yield process
    process.kill()
