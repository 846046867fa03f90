"""What files of hostile tests share."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .raw_socket import Place


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Place]":
    """A server with alice, bob and a witness, for a whole file."""
    from .raw_socket import Place

    there = Place(tmp_path_factory.mktemp("server"))
    yield there
    there.stop()
