"""Bringing what was written to the disk, together; and removing what was cleared, once a burst."""

import asyncio
from contextlib import suppress
from typing import Final

from tui_chat.cache.store import AccountStore, CacheError, DiskFull

from .announcer import Announcer
from .changes import Notice

PURGE_QUIET_SECONDS: Final = 0.25
"""A batch of deletions is purged from the disk once, this long after its last event."""
PURGE_PUT_OFF: Final = 8
"""Without such a pause it is put off so often at most: what was cleared is gone within about two seconds, where
protocol.md asks for five."""


class Housekeeping:
    """Knows what waits for the disk; `run` does it. Idle, it costs nothing."""

    def __init__(self, store: AccountStore, announcer: Announcer):
        self._store = store
        self._announcer = announcer
        self._written = asyncio.Event()
        self._to_purge = False
        self._failing = False

    def wrote(self, vanish: bool = False) -> None:
        """Something waits for the disk; `vanish`: something must go from it."""
        self._to_purge = self._to_purge or vanish
        self._written.set()

    def disk_failed(self, error: CacheError) -> None:
        """Something could not be written: told once, until something can be again. What is in memory goes on."""
        if not self._failing:
            self._failing = True
            full = isinstance(error, DiskFull)
            self._announcer.put(Notice(what="disk_full") if full else Notice(what="disk_failed", detail=str(error)))

    async def run(self) -> None:
        """For ever."""
        put_off = 0
        while True:
            await self._written.wait()
            self._written.clear()
            try:
                await self._store.flush()
                self._failing = False
                if self._to_purge or self._store.purge_due:
                    await asyncio.sleep(PURGE_QUIET_SECONDS)
                    put_off += 1
                    if put_off >= PURGE_PUT_OFF or not self._written.is_set():
                        put_off = 0
                        self._to_purge = False
                        await self._store.purge()
                        if self._store.purge_due:  # something went, or was cleared, while the file was being written
                            self._written.set()
            except CacheError as error:
                self._to_purge = True
                self.disk_failed(error)

    async def finish(self) -> None:
        """What is still to do, and let go of the disk."""
        try:
            await self._store.purge()
            await self._store.flush()
        except CacheError:
            # What stands on the disk is whole: opening it purges, and the server is asked for the rest.
            self._failing = True
        with suppress(CacheError):
            self._store.close()
