"""What one does with one's devices, and what an administrator does with the server."""

from typing import Literal

from tui_chat.protocol import requests
from tui_chat.protocol.models import Device, Settings

from .core import Core


class AccountCommands:
    """A part of ChatSession. All raise ChatError; NotConnected where the server cannot be reached."""

    _core: Core

    async def devices(self) -> list[Device]:
        """The account's devices."""
        return (await self._core.calls.devices()).devices

    async def revoke_device(self, device_id: str) -> None:
        """Log a device out."""
        await self._core.calls.revoke_device(device_id)

    async def settings(self) -> Settings:
        """The server's settings; for administrators."""
        return (await self._core.calls.settings()).settings

    async def change_settings(
        self,
        *,
        sync_conversation_deletion: bool | None = None,
        undo_seconds: int | None = None,
        registration: Literal["auto", "open", "invite"] | None = None,
    ) -> Settings:
        """Change what is given, while the server runs; for administrators."""
        body = requests.ChangeSettings(
            sync_conversation_deletion=sync_conversation_deletion,
            undo_seconds=undo_seconds,
            registration=registration,
        )
        return (await self._core.calls.change_settings(body)).settings

    async def backup(self) -> requests.BackupMade:
        """Have the server copy its data into its directory for backups; for administrators."""
        return await self._core.calls.backup()

    async def invite(self) -> requests.Invite:
        """A code with which one account can be registered; for administrators."""
        return await self._core.calls.invite()
