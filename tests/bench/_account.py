"""A real server with one large account, made behind its back and then served by a process of its own."""

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.accounts import Device, People
from tests.servers import ServerProcess
from tui_chat.client.credentials import StoredCredentials
from tui_chat.clock import system_clock
from tui_chat.protocol.requests import SendMessage
from tui_chat.server.engines import Transaction
from tui_chat.server.engines.sqlite import SqliteEngine
from tui_chat.server.operations import messages
from tui_chat.server.operations.caller import Caller
from tui_chat.server.operations.importing import Archive, ArchivedMessage, ArchivedUser, import_archive
from tui_chat.server.operations.users import account_of
from tui_chat.server.run import DATABASE

USER: Final = "alice"
TO_USER: Final = f"C2C{USER}"
_AT_ONCE: Final = 500
"""Jobs of a transaction."""


class ServedAccount:
    """alice's account at a server process; `with` ends that process."""

    def __init__(self, directory: Path):
        self._data = directory
        self._process = ServerProcess(directory)
        try:
            self._people = People(self._process.url)
            self.device: Device = self._people.register(USER)
        except BaseException:
            self._process.kill()
            raise

    @property
    def credentials(self) -> StoredCredentials:
        """Of alice's one device."""
        return StoredCredentials(
            server_url=self._process.url,
            user_id=USER,
            device_id=self.device.device_id,
            device_name="bench",
            access_token=self.device.access_token,
            refresh_token=self.device.refresh_token,
            expires_at=2**52,
        )

    def import_conversations(self, names: list[str]) -> None:
        """One message from each of so many users, without events."""
        now = system_clock()
        archive = Archive(
            users=[ArchivedUser(user_id=name) for name in names],
            messages=[
                ArchivedMessage(sender=name, to=USER, time=now - len(names) + number, text=f"hello from {name}")
                for number, name in enumerate(names)
            ],
        )
        self._behind_its_back([lambda tx: import_archive(tx, archive)])

    def miss_messages(self, senders: Iterable[str]) -> None:
        """A message from each, in turn, that alice's device is not told of before it asks."""

        def sending(name: str, number: int) -> Callable[[Transaction], object]:
            request = SendMessage(client_id=f"missed-{number}", text=f"{name} says number {number}")
            return lambda tx: messages.send(tx, _caller(tx, name), TO_USER, request)

        self._behind_its_back([sending(name, number) for number, name in enumerate(senders)])

    def _behind_its_back(self, jobs: list[Callable[[Transaction], object]]) -> None:
        self._process.terminate()
        asyncio.run(_write(self._data / DATABASE, jobs))
        self._process.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._people.close()
        self._process.kill()


async def _write(path: Path, jobs: list[Callable[[Transaction], object]]) -> None:
    engine = await SqliteEngine.open(path, clock=system_clock)
    try:
        for start in range(0, len(jobs), _AT_ONCE):
            part = jobs[start : start + _AT_ONCE]
            await engine.write(lambda tx, part=part: [job(tx) for job in part])  # type: ignore[misc]
    finally:
        await engine.close()


def _caller(tx: Transaction, user_id: str) -> Caller:
    account = account_of(tx, user_id)
    return Caller(user=account.key, user_id=account.user_id, device=0, device_id="", device_name="bench")
