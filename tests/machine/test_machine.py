"""Whatever happens in whatever order: the rules hold on the server and on every device.

Three runs of the same steps: a short one by default, one by Hypothesis, which shrinks what it finds, in the slow tier,
and a million on plain dice by hand:

    pytest -m soak -n 2 -v tests/machine            MACHINE_SEED=7 and MACHINE_STEPS=500000 say which and how many
"""

import os

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from .actions import ACTIONS, Action, step
from .driver import fingerprint, play, soak
from .world import World

SLOW_STEPS = 20_000
SOAK_STEPS = 1_000_000
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

    def __init__(self) -> None:
        super().__init__()
        self.world: World | None = None

    @initialize(seed=st.integers(0, 1_000_000), told=st.booleans())
    def begin(self, seed: int, told: bool) -> None:
        self.world = World(seed, told=told)

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


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("seed", [1, 2])
def test_everything_holds(seed: int, told: bool) -> None:
    play(seed, 150, told=told)


def test_the_same_seed_is_the_same_history() -> None:
    assert fingerprint(3, 100) == fingerprint(3, 100)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_hypothesis_finds_nothing_in_so_many_steps() -> None:
    Histories.counted = 0
    run_state_machine_as_test(
        Histories,
        settings=settings(
            max_examples=SLOW_STEPS // 80,
            stateful_step_count=100,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert Histories.counted >= SLOW_STEPS


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
