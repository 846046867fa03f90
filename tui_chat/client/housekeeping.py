"""Bringing what was written to the disk, together; and removing what was cleared, once a burst."""

import asyncio
from contextlib import suppress
from typing import Final

from tui_chat.cache.store import AccountStore, CacheError, DiskFull

from .announcer import Announcer
from .changes import Notice

PURGE_QUIET_SECONDS: Final = 0.25
"""A batch of deletions is purged from the disk once, this long after its last event."""
PURGE_LATEST_SECONDS: Final = 3.0
"""However busy the account is: what was cleared is gone from the disk within five seconds (protocol.md)."""
PURGE_PUT_OFF: Final = 8
"""Without such a pause it is put off so often at most: what was cleared is gone within about two seconds."""


class Housekeeping:
    """Knows what waits for the disk; `run` does it. Idle, it costs nothing."""

    def __init__(self, store: AccountStore, announcer: Announcer):
        self._store = store
        self._announcer = announcer
        self._written = asyncio.Event()
        self._to_purge = False
        self._full = False

    def wrote(self, vanish: bool = False) -> None:
        """Something waits for the disk; `vanish`: something must go from it."""
        self._to_purge = self._to_purge or vanish
        self._written.set()

    def disk_full(self) -> None:
        """Something could not be written: told once, until something can be again."""
        if not self._full:
            self._full = True
            self._announcer.put(Notice(what="disk_full"))

    async def run(self) -> None:
        """For ever."""
        put_off = 0
        while True:
            await self._written.wait()
            self._written.clear()
            try:
                await self._store.flush()
                self._full = False
                if self._to_purge:
                    await asyncio.sleep(PURGE_QUIET_SECONDS)
                    put_off += 1
                    if put_off >= PURGE_PUT_OFF or not self._written.is_set():
                        put_off = 0
                        self._to_purge = False
                        await self._store.purge()
            except DiskFull:
                self._to_purge = True
                self.disk_full()

    async def finish(self) -> None:
        """What is still to do, and let go of the disk."""
        try:
            await self._store.purge()
            await self._store.flush()
        except CacheError:
            self._full = True  # what stands on the disk is whole; opening purges, and the server is asked for the rest
        with suppress(CacheError):
            self._store.close()
