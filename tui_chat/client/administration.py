"""What one does with one's account, and what an administrator does with the server. None of it waits in the queue."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Literal

from msgspec import DecodeError

from tui_chat.protocol import export, requests
from tui_chat.protocol.errors import Unexpected, error_from
from tui_chat.protocol.limits import PAGE
from tui_chat.protocol.models import AccountRow, AuditEntry, BlockedUser, Device, Settings
from tui_chat.protocol.wire import decode, from_plain

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

    async def change_password(self, old_password: str, new_password: str, *, keep_devices: bool = False) -> int:
        """Choose another password; how many other devices were logged out by that, unless `keep_devices`.

        Raises:
            PasswordMismatch, TooFrequent.
            InvalidRequest: the new one is too short or too long.
        """
        body = requests.ChangePassword(old_password=old_password, new_password=new_password, keep_devices=keep_devices)
        return (await self._core.calls.change_password(body)).devices_revoked

    async def set_nick(self, nick: str | None) -> str | None:
        """Change one's display name, or take it away; the name as the server has cleaned it. Raises InvalidName."""
        return (await self._core.calls.change_me(requests.ChangeMe(nick=nick))).nick

    async def erase_account(self, password: str) -> None:
        """Erase one's account, for good; every device is logged out, this one too. What is on this machine stays.

        Raises:
            PasswordMismatch, TooFrequent, LastAdministrator.
        """
        await self._core.calls.erase_me(requests.EraseAccount(password=password))

    async def blocks(self) -> list[BlockedUser]:
        """Whom one has blocked, the newest first; BlockChanged tells of changes."""
        return (await self._core.calls.blocks()).blocks

    async def block(self, user_id: str) -> None:
        """Take nothing from a user any more. Raises UserNotFound, TooManyBlocks."""
        await self._core.calls.block(user_id)

    async def unblock(self, user_id: str) -> None:
        """Take messages from a user again. Raises UserNotFound."""
        await self._core.calls.unblock(user_id)

    async def export(self) -> AsyncGenerator[dict[str, Any], None]:
        """Everything that the server has of the account, line by line, as `protocol.export` describes it; the text in
        it is others', so make it harmless before it is shown.

        Raises:
            Unexpected: it broke off. TooFrequent: another one is under way.
        """
        count = 0
        async with aclosing(self._core.calls.export()) as lines:
            async for raw in lines:
                try:
                    line = decode(raw, dict[str, Any])
                    failure = from_plain(line, export.ExportFails) if line.get("kind") == "error" else None
                except DecodeError as error:
                    raise Unexpected(f"the export has a line that cannot be read: {error}") from error
                if failure is not None:
                    raise error_from(failure.error)
                yield line
                if line.get("kind") == "end":
                    if line.get("lines") != count:
                        raise Unexpected(f"the export has {count} lines instead of {line.get('lines')}")
                    return
                count += 1
        raise Unexpected("the export broke off: it has no end")

    async def accounts(self, begin: str = "") -> list[AccountRow]:
        """The server's accounts, those whose userID or nick begins so; for administrators."""
        found: list[AccountRow] = []
        cursor: str | None = None
        while True:
            page = await self._core.calls.accounts(begin, cursor)
            found += page.users
            cursor = page.next
            if cursor is None:
                return found

    async def set_administrator(self, user_id: str, administrator: bool) -> AccountRow:
        """Make somebody an administrator, or no longer one; for administrators. Raises LastAdministrator."""
        return await self._core.calls.change_account(user_id, requests.ChangeAccount(administrator=administrator))

    async def remove_user(self, user_id: str) -> None:
        """Erase somebody's account, for good; for administrators."""
        await self._core.calls.remove_account(user_id)

    async def remove_message(self, conversation_id: str, message_seq: int) -> None:
        """Take a message's body from everybody; for administrators. A one-to-one conversation of others is named by
        both: `C2Calice:bob`."""
        await self._core.calls.remove_message(conversation_id, message_seq)

    async def audit(self, count: int = 100) -> list[AuditEntry]:
        """The newest of what administrators did, the newest first; for administrators."""
        found: list[AuditEntry] = []
        cursor: str | None = None
        while len(found) < count:
            page = await self._core.calls.audit(cursor, min(PAGE, count - len(found)))
            found += page.entries
            cursor = page.next
            if cursor is None:
                break
        return found

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
