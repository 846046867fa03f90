"""Several processes on one PostgreSQL, with either bus: what happens at one is known at the others."""

from collections.abc import Iterator

import pytest

from tests.accounts import Device
from tests.buses import Cluster, NatsServer, cluster
from tests.databases import PostgresServer


@pytest.fixture(scope="module", params=["postgres", "nats"])
def two(
    request: pytest.FixtureRequest, postgres: PostgresServer, nats: NatsServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    bus = "postgres" if request.param == "postgres" else nats.address
    with cluster(tmp_path_factory.mktemp("two"), postgres.new_database(), 2, "--bus", bus) as processes:
        processes.people[0].register("admin")
        yield processes


@pytest.fixture
def couple(two: Cluster, request: pytest.FixtureRequest) -> tuple[Device, Device]:
    """alice at the first process and bob at the second, who know each other."""
    name = request.node.name.partition("[")[0][-20:].strip("_")
    alice, bob = two.people[0].register(f"a.{name}"), two.people[1].register(f"b.{name}")
    alice.send(f"C2C{bob.user_id}", "hello")
    bob.send(f"C2C{alice.user_id}", "hello")
    alice.read(f"C2C{bob.user_id}", 2)
    return alice, bob


def test_a_message_at_one_is_heard_at_the_other(couple: tuple[Device, Device]) -> None:
    alice, bob = couple
    with bob.stream() as stream:
        for text in ("one", "two", "three"):
            alice.send(f"C2C{bob.user_id}", text)
            assert stream.event("message.new", deadline=2)["message"]["text"] == text
