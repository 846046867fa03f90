"""What the documentation's samples stand on: a user and a group called Example, and a notice of the system."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest_asyncio

if TYPE_CHECKING:
    from tests.seeds.account import Account
    from tests.servers import LiveServer


@pytest_asyncio.fixture
async def account(server: "LiveServer") -> "AsyncIterator[Account]":
    """alice, who has all three conversations of the samples."""
    from tests.client.sessions import Sessions
    from tests.seeds.account import account_at

    async with Sessions(server.url) as opened:
        yield await account_at(opened)
