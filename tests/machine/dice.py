"""Where chance comes from, and what it picks for a step."""

from collections.abc import Callable
from random import Random
from typing import Final, Protocol

from .device import Device
from .world import GROUPS, World

PAUSES: Final = (0.0, 0.0, 0.005, 0.02, 0.05, 0.1, 0.5, 3.0)
"""Seconds after a step."""


class Dice(Protocol):
    """Hypothesis, or a seeded generator."""

    def below(self, count: int) -> int:
        """One of 0 to count - 1."""


class SeededDice:
    """Dice of a generator."""

    def __init__(self, random: Random):
        self.below: Callable[[int], int] = random.randrange


def pause(dice: Dice) -> float:
    """Seconds that pass after a step."""
    return PAUSES[dice.below(len(PAUSES))]


def a_device(world: World, dice: Dice) -> Device:
    """One of all."""
    return world.devices[dice.below(len(world.devices))]


def places_of(user_id: str) -> list[str]:
    """Every conversation that a user may have."""
    people = [one for one in ("alice", "bob", "carol", "dave") if one != user_id]
    return [f"C2C{one}" for one in people] + [f"GROUP{one}" for one in GROUPS]


def a_place(user_id: str, dice: Dice) -> str:
    """One of these."""
    places = places_of(user_id)
    return places[dice.below(len(places))]


def some_conversations(device: Device, dice: Dice) -> list[str]:
    """One to three, mostly of those that are listed."""
    rows = sorted(device.core.state.shown) or places_of(device.caller.user_id)
    return list({rows[dice.below(len(rows))]: None for _ in range(1 + dice.below(3))})


def seen_on_screen(device: Device, dice: Dice, ids: list[str]) -> dict[str, int] | None:
    """The newest message of each, or a little less; or nobody says."""
    back = (None, 0, 0, 0, 1, 2)[dice.below(6)]
    if back is None:
        return None
    rows = device.core.state.shown
    return {name: max(0, rows[name].newest_seq - back) for name in ids if name in rows}
