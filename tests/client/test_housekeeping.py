"""What becomes of a disk that fails: it is told once, work goes on, and what was cleared still goes."""

import asyncio
from typing import Any

from tests.client.sessions import eventually
from tui_chat.cache.memory import MemoryAccount
from tui_chat.cache.store import CacheError
from tui_chat.client.announcer import Announcer
from tui_chat.client.changes import Change, Notice
from tui_chat.client.housekeeping import Housekeeping


class FailingAccount(MemoryAccount):
    """A store whose disk gives errors for a while."""

    def __init__(self) -> None:
        super().__init__()
        self.failures = 2
        self.purges = 0

    async def flush(self) -> None:
        if self.failures:
            self.failures -= 1
            raise CacheError("input/output error")

    async def purge(self) -> None:
        self.purges += 1


async def test_a_failing_disk_is_told_once_and_the_purge_is_made_up_for() -> None:
    announcer = Announcer()
    heard: list[Change] = []
    announcer.subscribe(heard.extend)
    store = FailingAccount()
    house = Housekeeping(store, announcer)
    running = asyncio.create_task(house.run())
    house.wrote(vanish=True)
    await eventually(lambda: store.failures == 1)
    house.wrote()
    await eventually(lambda: store.failures == 0)
    house.wrote()
    await eventually(lambda: store.purges == 1)
    running.cancel()
    assert heard == [Notice(what="disk_failed", detail="input/output error")]


class LeavingAccount(MemoryAccount):
    """A store whose first purge had to leave something, and whose second leaves something again."""

    def __init__(self) -> None:
        super().__init__()
        self.purge_due = True
        self.purges = 0

    async def purge(self) -> None:
        self.purges += 1
        self.purge_due = self.purges < 2


async def test_what_a_purge_had_to_leave_goes_although_nothing_more_is_cleared() -> None:
    store = LeavingAccount()
    house = Housekeeping(store, Announcer())
    running = asyncio.create_task(house.run())
    house.wrote()
    await eventually(lambda: store.purges == 2)
    running.cancel()


async def test_a_notice_from_before_anybody_listened_is_heard() -> None:
    announcer = Announcer()
    announcer.put(Notice(what="cache_rebuilt"))
    await asyncio.sleep(0)
    heard: list[Any] = []
    announcer.subscribe(heard.extend)
    await eventually(lambda: heard == [Notice(what="cache_rebuilt")])
