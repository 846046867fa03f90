"""What only administrators do."""

from typing import Annotated, Any

from msgspec import Meta

from tui_chat.protocol import limits
from tui_chat.protocol.errors import (
    AdministratorOnly,
    ConversationNotFound,
    Forbidden,
    InvalidConversation,
    LastAdministrator,
    MessageNotFound,
    UserNotFound,
)
from tui_chat.protocol.models import AccountRow
from tui_chat.protocol.requests import (
    AccountPage,
    AuditPage,
    ChangeAccount,
    ChangeSettings,
    Done,
    Invite,
    SettingsAnswer,
)
from tui_chat.server.operations import accounts, administration, audit, changing, erasing, settings

from .endpoint import Call, Endpoint, Nothing
from .queries import PageQuery


class UsersQuery(PageQuery, frozen=True, kw_only=True):
    """A page; `q`: how the userID or nick begins."""

    q: Annotated[str, Meta(max_length=limits.SEARCH_CHARACTERS)] = ""


async def get_settings(call: Call[Nothing, Nothing]) -> SettingsAnswer:
    """The server's settings."""
    return await call.read(settings.get)


async def change_settings(call: Call[ChangeSettings, Nothing]) -> SettingsAnswer:
    """Change settings while the server runs; connected clients are told."""
    return await call.write(settings.change, call.body)


async def create_invite(call: Call[Nothing, Nothing]) -> Invite:
    """A code with which one account can be registered."""
    return await call.write(accounts.create_invite)


async def get_users(call: Call[Nothing, UsersQuery]) -> AccountPage:
    """Accounts, in the order in which they were made."""
    query = call.query
    return await call.read(administration.users, q=query.q, cursor=query.cursor, limit=query.limit)


async def get_user(call: Call[Nothing, Nothing]) -> AccountRow:
    """One account."""
    return await call.read(administration.user, call.path["user_id"])


async def change_user(call: Call[ChangeAccount, Nothing]) -> AccountRow:
    """Make somebody an administrator, or no longer one."""
    return await call.write(administration.change_user, call.path["user_id"], call.body)


async def remove_user(call: Call[Nothing, Nothing]) -> Done:
    """Erase somebody's account, for good, as its user could."""
    done = await call.write(erasing.remove_user, call.path["user_id"])
    call.services.tidy_soon()
    return done


async def remove_message(call: Call[Nothing, Nothing]) -> Done:
    """Take the body of a message from everybody. A one-to-one conversation is named by both: `C2Calice:bob`."""
    seq = changing.seq_of(call.path["message_seq"])
    return await call.write(administration.remove_message, call.path["conversation_id"], seq)


async def get_audit(call: Call[Nothing, PageQuery]) -> AuditPage:
    """What administrators did, the newest first."""
    return await call.read(audit.page, cursor=call.query.cursor, limit=call.query.limit)


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
    Endpoint("GET", "/v1/admin/users", get_users, AccountPage, query=UsersQuery, errors=(AdministratorOnly,)),
    Endpoint("GET", "/v1/admin/users/{user_id}", get_user, AccountRow, errors=(AdministratorOnly, UserNotFound)),
    Endpoint(
        "PATCH",
        "/v1/admin/users/{user_id}",
        change_user,
        AccountRow,
        body=ChangeAccount,
        errors=(AdministratorOnly, LastAdministrator, UserNotFound),
    ),
    Endpoint(
        "DELETE",
        "/v1/admin/users/{user_id}",
        remove_user,
        Done,
        errors=(AdministratorOnly, Forbidden, LastAdministrator, UserNotFound),
    ),
    Endpoint(
        "DELETE",
        "/v1/admin/messages/{conversation_id}/{message_seq}",
        remove_message,
        Done,
        errors=(AdministratorOnly, ConversationNotFound, InvalidConversation, MessageNotFound),
    ),
    Endpoint("GET", "/v1/admin/audit", get_audit, AuditPage, query=PageQuery, errors=(AdministratorOnly,)),
)
