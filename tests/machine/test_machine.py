"""Whatever happens in whatever order: the rules hold on the server and on every device.

Three runs of the same steps: a short one by default, one by Hypothesis, which shrinks what it finds, in the slow tier,
and a million on plain dice by hand; fewer of each with the server's data in PostgreSQL, which takes six times as long:

    pytest -m soak -n 2 -v tests/machine            MACHINE_SEED=7 and MACHINE_STEPS=500000 say which and how many
"""

import os
from collections.abc import Callable, Iterator

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.databases import PostgresServer
from tests.server.operations.stores import PostgresStore, Store
from tui_chat.server.engines.postgres_connection import connect, migrate
from tui_chat.server.engines.postgres_session import Session

from .actions import ACTIONS, Action, step
from .driver import fingerprint, play, soak
from .simulated_server import START
from .world import World

SLOW_STEPS = 20_000
SOAK_STEPS = 1_000_000
POSTGRES_STEPS = 1_500
"""Of each of two runs in the slow tier, one by Hypothesis and one on plain dice."""
POSTGRES_SOAK_SHARE = 20
"""The soak on PostgreSQL has one of so many of the other's steps."""
PROCESSES = 2
"""Over which the soak is spread."""


class DrawnDice:
    """Dice of Hypothesis."""

    def __init__(self, data: st.DataObject):
        self._data = data

    def below(self, count: int) -> int:
        """One of 0 to count - 1."""
        return self._data.draw(st.integers(0, count - 1))


class Histories(RuleBasedStateMachine):
    """One world, with steps and dice from Hypothesis."""

    counted = 0
    store: Callable[[], Store] | None = None

    def __init__(self) -> None:
        super().__init__()
        self.world: World | None = None

    @initialize(seed=st.integers(0, 1_000_000), told=st.booleans())
    def begin(self, seed: int, told: bool) -> None:
        self.world = World(seed, told=told, store=None if self.store is None else self.store())

    @rule(action=st.sampled_from(ACTIONS), data=st.data())
    def happen(self, action: Action, data: st.DataObject) -> None:
        assert self.world is not None
        type(self).counted += 1
        step(self.world, action, DrawnDice(data))

    def teardown(self) -> None:
        if self.world is not None:
            try:
                self.world.settle()
            finally:
                self.world.close()


@pytest.fixture
def in_postgres(postgres: PostgresServer) -> Iterator[Callable[[], Store]]:
    """Makes stores in a database, one after the other, each of which leaves it as it was."""
    with connect(postgres.new_database()) as connection:
        migrate(connection, START)
        session = Session(connection)
        yield lambda: PostgresStore(session)


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("seed", [1, 2])
def test_everything_holds(seed: int, told: bool) -> None:
    play(seed, 150, told=told)


def test_everything_holds_in_postgres(in_postgres: Callable[[], Store]) -> None:
    play(3, 60, told=True, store=in_postgres)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_everything_holds_in_postgres_for_longer(in_postgres: Callable[[], Store]) -> None:
    assert soak(1, POSTGRES_STEPS, in_postgres).steps == POSTGRES_STEPS


def test_the_same_seed_is_the_same_history() -> None:
    assert fingerprint(3, 100) == fingerprint(3, 100)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_hypothesis_finds_nothing_in_so_many_steps() -> None:
    run_so_many(Histories, SLOW_STEPS)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_hypothesis_finds_nothing_in_postgres_either(in_postgres: Callable[[], Store]) -> None:
    class HistoriesInPostgres(Histories):
        store = staticmethod(in_postgres)

    run_so_many(HistoriesInPostgres, POSTGRES_STEPS)


def run_so_many(histories: type[Histories], steps: int) -> None:
    """Let Hypothesis do so many steps."""
    histories.counted = 0
    run_state_machine_as_test(
        histories,
        settings=settings(
            max_examples=steps // 80,
            stateful_step_count=100,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert histories.counted >= steps


def parts() -> list[tuple[int, int]]:
    """The seed and the steps of each process of the soak; the environment may say others than these."""
    seed = int(os.environ.get("MACHINE_SEED", "1"))
    steps = int(os.environ.get("MACHINE_STEPS", str(SOAK_STEPS)))
    return [(seed * PROCESSES + part, steps // PROCESSES + (part < steps % PROCESSES)) for part in range(PROCESSES)]


@pytest.mark.soak
@pytest.mark.timeout(4 * 3600)
@pytest.mark.parametrize(("seed", "steps"), parts(), ids=lambda number: f"{number:_}")
def test_nothing_is_found_from_this_seed_in_so_many_steps(seed: int, steps: int) -> None:
    assert soak(seed, steps).steps == steps


@pytest.mark.soak
@pytest.mark.timeout(4 * 3600)
@pytest.mark.parametrize(("seed", "steps"), parts(), ids=lambda number: f"{number:_}")
def test_nothing_is_found_in_postgres_either(seed: int, steps: int, in_postgres: Callable[[], Store]) -> None:
    some = steps // POSTGRES_SOAK_SHARE
    assert soak(seed, some, in_postgres).steps == some
