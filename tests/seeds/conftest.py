"""Fixtures of the seed tests."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest_asyncio

if TYPE_CHECKING:
    from tests.client.sessions import Sessions
    from tests.servers import LiveServer


@pytest_asyncio.fixture
async def sessions(server: "LiveServer") -> "AsyncIterator[Sessions]":
    """Opens sessions at `server`."""
    from tests.client.sessions import Sessions

    async with Sessions(server.url) as opened:
        yield opened
