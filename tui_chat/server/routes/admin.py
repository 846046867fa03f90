"""What only administrators do."""

from typing import Any

from tui_chat.protocol.errors import AdministratorOnly
from tui_chat.protocol.requests import ChangeSettings, Invite, SettingsAnswer
from tui_chat.server.operations import accounts, settings

from .endpoint import Call, Endpoint, Nothing


async def get_settings(call: Call[Nothing, Nothing]) -> SettingsAnswer:
    """The server's settings."""
    return await call.read(settings.get)


async def change_settings(call: Call[ChangeSettings, Nothing]) -> SettingsAnswer:
    """Change settings while the server runs; connected clients are told."""
    return await call.write(settings.change, call.body)


async def create_invite(call: Call[Nothing, Nothing]) -> Invite:
    """A code with which one account can be registered."""
    return await call.write(accounts.create_invite)


ENDPOINTS: tuple[Endpoint[Any, Any, Any], ...] = (
    Endpoint("GET", "/v1/admin/settings", get_settings, SettingsAnswer, errors=(AdministratorOnly,)),
    Endpoint(
        "PATCH",
        "/v1/admin/settings",
        change_settings,
        SettingsAnswer,
        body=ChangeSettings,
        errors=(AdministratorOnly,),
    ),
    Endpoint("POST", "/v1/admin/invites", create_invite, Invite, errors=(AdministratorOnly,)),
)
