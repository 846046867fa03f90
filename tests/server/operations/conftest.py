"""People to try operations with."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .world import Device, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """An empty server."""
    world = World(tmp_path / "chat.db")
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
