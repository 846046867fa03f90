"""Bodies of an administrator's requests."""

from typing import Literal

from tui_chat.protocol.models import AccountRow, AuditEntry, Settings
from tui_chat.protocol.wire import Request, Wire


class SettingsAnswer(Wire, frozen=True, kw_only=True):
    """GET and PATCH /v1/admin/settings."""

    settings: Settings


class ChangeSettings(Request, frozen=True, kw_only=True):
    """PATCH /v1/admin/settings: what is given changes."""

    sync_conversation_deletion: bool | None = None
    undo_seconds: int | None = None
    registration: Literal["auto", "open", "invite"] | None = None


class Invite(Wire, frozen=True, kw_only=True):
    """POST /v1/admin/invites: a code for one registration."""

    invite: str
    expires_in: int


class AccountPage(Wire, frozen=True, kw_only=True):
    """GET /v1/admin/users: in an order that does not move."""

    users: list[AccountRow]
    next: str | None = None


class ChangeAccount(Request, frozen=True, kw_only=True):
    """PATCH /v1/admin/users/{userID}; answers an AccountRow."""

    administrator: bool


class AuditPage(Wire, frozen=True, kw_only=True):
    """GET /v1/admin/audit, the newest first."""

    entries: list[AuditEntry]
    next: str | None = None


class BackupMade(Wire, frozen=True, kw_only=True):
    """POST /v1/admin/backup: the copy's name in the server's directory for backups, and what it took."""

    file: str
    bytes: int
    seconds: float
