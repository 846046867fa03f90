"""Runs worlds step by step on plain seeded dice: what Hypothesis does with shrinking, this does quickly."""

from collections.abc import Callable
from random import Random
from typing import NamedTuple

from tests.server.operations.stores import Store

from .actions import ACTIONS, step
from .dice import SeededDice
from .world import World

STEPS_A_WORLD = 300


class Broken(AssertionError):
    """A world in which something was wrong; says how to see it again."""


class Tally(NamedTuple):
    """What was done."""

    steps: int
    worlds: int


def play(
    seed: int, steps: int = STEPS_A_WORLD, *, told: bool | None = None, store: Callable[[], Store] | None = None
) -> int:
    """One world from its beginning until everything has come to rest. Raises Broken; returns the number of steps.

    Arguments:
        told: whether deletions are told to other devices throughout; None: as the seed has it.
        store: makes what the server's data are in; SQLite in memory where none is given.
    """
    random = Random(seed)
    dice = SeededDice(random)
    done: list[str] = []
    world = World(
        seed, told=told if told is not None else random.random() < 0.5, store=store() if store is not None else None
    )
    try:
        for _ in range(steps):
            action = random.choice(ACTIONS)
            done.append(action.__name__)
            step(world, action, dice)
        world.settle()
    except BaseException as error:
        raise Broken(f"seed {seed}, step {world.steps} ({' '.join(done[-12:])}): {error}") from error
    finally:
        world.close()
    return world.steps


def fingerprint(seed: int, steps: int) -> list[tuple[float, int, str | None, int]]:
    """Where every device stood after every step: when, how far in the log, after how many commands."""
    random = Random(seed)
    dice = SeededDice(random)
    world = World(seed, told=False)
    found: list[tuple[float, int, str | None, int]] = []
    try:
        for _ in range(steps):
            step(world, random.choice(ACTIONS), dice)
            for number, device in enumerate(world.devices):
                found.append((world.loop.now, number, device.store.cursor, len(device.store.outbox.ever)))
    finally:
        world.close()
    return found


def soak(seed: int, steps: int, store: Callable[[], Store] | None = None) -> Tally:
    """Worlds one after the other until `steps` steps are done."""
    done = worlds = 0
    while done < steps:
        done += play(seed * 1_000_003 + worlds, min(STEPS_A_WORLD, steps - done), store=store)
        worlds += 1
    return Tally(done, worlds)
