"""The machine notices when a rule is broken: else it would prove nothing that it finds none broken."""

import pytest

from .driver import Broken, play
from .mutants import MUTANTS, Mutant

WORLDS = 40
STEPS = 150


def caught(mutant: Mutant) -> tuple[int, str]:
    """The number of worlds that it took, and what was noticed; 0 where nothing was."""
    for seed in range(WORLDS):
        noticed = broken_in(mutant, seed)
        if noticed is not None:
            # A rule must have been found broken: an exception of another kind would say nothing of the machine.
            assert isinstance(noticed.__cause__, AssertionError), f"{mutant.name} breaks down: {noticed}"
            return seed + 1, str(noticed)
    return 0, ""


def broken_in(mutant: Mutant, seed: int) -> Broken | None:
    """What one world comes to with the rule broken."""
    with mutant.plant():
        try:
            play(seed, STEPS)
        except Broken as broken:
            return broken
    return None


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name.replace(" ", "-"))
def test_a_broken_rule_is_noticed(mutant: Mutant) -> None:
    worlds, _ = caught(mutant)
    assert worlds, f"nobody noticed that {mutant.name}"


def test_there_are_at_least_ten() -> None:
    assert len({mutant.name for mutant in MUTANTS}) >= 10
