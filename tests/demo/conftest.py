"""The tools in assets/ are scripts, not part of the package: tests take them from where they stand."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tui_chat.demo.excerpt import Excerpt, load

ASSETS = Path(__file__).parents[2] / "assets"


@pytest.fixture(scope="session")
def excerpt() -> Excerpt:
    """What is packaged."""
    return load()


@pytest.fixture(scope="session")
def maker() -> Iterator[ModuleType]:
    """assets/make_demo_excerpt.py as a module."""
    yield from _from_assets("make_demo_excerpt")


@pytest.fixture(scope="session")
def filters() -> Iterator[ModuleType]:
    """The rules for what may be shown."""
    yield from _from_assets("demo_excerpt.filters")


def _from_assets(name: str) -> Iterator[ModuleType]:
    sys.path.insert(0, str(ASSETS))
    try:
        yield importlib.import_module(name)
    finally:
        sys.path.remove(str(ASSETS))
