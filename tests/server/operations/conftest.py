"""People to try operations with, in a database of either engine: what holds on one holds on the other."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .stores import PostgresStore, Store
from .world import START, Device, World

HERE = Path(__file__).parent

if TYPE_CHECKING:
    from tests.databases import PostgresServer
    from tui_chat.server.engines.postgres_session import Session


CORE = ("accounts", "blocking", "deleting", "devices", "editing", "expiry", "groups", "messages", "shares", "undo")
"""Files whose tests run on PostgreSQL by default; CI runs all others there too."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    core = {f"test_{name}.py" for name in CORE}
    for item in items:
        parameters = getattr(item, "callspec", None)
        on_postgres = parameters is not None and parameters.params.get("world") == "postgres"
        if on_postgres and item.path.parent == HERE and item.path.name not in core:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def postgres_session(postgres: "PostgresServer") -> "Iterator[Session]":
    """A migrated database, on which every test rolls back what it did."""
    from tui_chat.server.engines.postgres_connection import connect, migrate
    from tui_chat.server.engines.postgres_session import Session

    with connect(postgres.new_database()) as connection:
        migrate(connection, START)
        yield Session(connection)


@pytest.fixture(params=["sqlite", "postgres"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """An empty server."""
    data: Path | Store = tmp_path / "chat.db"
    if request.param == "postgres":
        data = PostgresStore(request.getfixturevalue("postgres_session"))
    world = World(data)
    yield world
    world.close()


@pytest.fixture
def alice(world: World) -> Device:
    """The administrator, on a laptop."""
    return world.join("Alice")


@pytest.fixture
def bob(world: World, alice: Device) -> Device:
    return world.join("bob")


@pytest.fixture
def carol(world: World, bob: Device) -> Device:
    return world.join("carol")
