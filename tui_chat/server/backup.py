"""Copies of the database while the server runs."""

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path

from tui_chat.protocol.errors import BackupRunning
from tui_chat.protocol.requests import BackupMade

from .engines import Clock, Engine
from .operations import audit
from .operations.caller import Caller, administrators_only


class Backups:
    """Makes them, one at a time, in a directory that whoever runs the server has named."""

    def __init__(self, engine: Engine, directory: Path, clock: Clock) -> None:
        self._engine = engine
        self._directory = directory
        self._clock = clock
        self._running = asyncio.Lock()

    async def make(self, caller: Caller) -> BackupMade:
        """Write one more, and check it.

        Raises:
            AdministratorOnly: the caller is none.
            BackupRunning: another one is being written.
            StorageFull, Unavailable: it cannot be written; nothing is left of it.
        """
        await self._engine.read(lambda tx: administrators_only(tx, caller))
        if self._running.locked():
            raise BackupRunning()
        async with self._running:
            began = time.monotonic()
            moment = datetime.fromtimestamp(self._clock() / 1000, UTC)
            target = self._directory / f"tui-chat-{moment:%Y%m%dT%H%M%S}.{moment.microsecond // 1000:03d}Z.sqlite"
            await self._engine.backup(target)
            size = (await asyncio.to_thread(target.stat)).st_size
            await self._engine.write(lambda tx: audit.note(tx, caller, "backup.made", file=target.name))
            return BackupMade(file=target.name, bytes=size, seconds=round(time.monotonic() - began, 3))
