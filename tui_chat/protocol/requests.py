"""Bodies of requests and of their answers, one pair an endpoint.

Requests refuse unknown fields; answers may grow. Where a body is only one model, the model itself is the body.
"""

from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from .errors import ErrorBody
from .models import (
    AccountRow,
    Application,
    AuditEntry,
    BlockedUser,
    Conversation,
    Deletion,
    Device,
    Group,
    Member,
    Message,
    ServerFacts,
    Settings,
    User,
)
from .wire import Request, Wire


class Credentials(Request, frozen=True, kw_only=True):
    """POST /v1/register and /v1/login."""

    user_id: str
    password: str
    device_name: str
    nick: str | None = None
    invite: str | None = None


class Session(Wire, frozen=True, kw_only=True):
    """The answer to a log-in: tokens of one device. `expires_in` is the access token's life in seconds."""

    user_id: str
    device_id: str
    access_token: str
    refresh_token: str
    expires_in: int


class RefreshToken(Request, frozen=True, kw_only=True):
    """POST /v1/token/refresh; answers a Session."""

    refresh_token: str


class Me(Wire, frozen=True, kw_only=True):
    """GET /v1/me."""

    user_id: str
    device_id: str
    device_name: str
    nick: str | None = None
    administrator: bool = False
    server: ServerFacts


class ChangeMe(Request, frozen=True, kw_only=True):
    """PATCH /v1/me; null takes the nick away. Answers Me."""

    nick: str | None


class ChangePassword(Request, frozen=True, kw_only=True):
    """POST /v1/password. The account's other devices are logged out, unless `keep_devices`."""

    old_password: str
    new_password: str
    keep_devices: bool = False


class PasswordChanged(Wire, frozen=True, kw_only=True):
    """The answer to a change of password: how many other devices were logged out."""

    devices_revoked: int = 0
    event_seq: int = 0


class EraseAccount(Request, frozen=True, kw_only=True):
    """DELETE /v1/me; for good."""

    password: str


class BlockList(Wire, frozen=True, kw_only=True):
    """GET /v1/blocks: whom one has blocked, the newest first."""

    blocks: list[BlockedUser]


class DeviceList(Wire, frozen=True, kw_only=True):
    """GET /v1/devices."""

    devices: list[Device]


class DeleteConversations(Request, frozen=True, kw_only=True):
    """POST /v1/conversations/delete.

    `up_to`: conversationID -> newest messageSeq that was on the screen when the person confirmed.
    """

    conversation_id_list: list[str]
    clear_history_message: bool = True
    up_to: dict[str, int] | None = None
    operation_id: str | None = None
    batch_id: str | None = None


class ClearConversations(Request, frozen=True, kw_only=True):
    """POST /v1/conversations/clear."""

    conversation_id_list: list[str]
    up_to: dict[str, int] | None = None
    operation_id: str | None = None
    batch_id: str | None = None


class ItemFailure(Wire, frozen=True, kw_only=True):
    """One item that was refused while its neighbours went through."""

    conversation_id: str
    code: str
    message: str

    @classmethod
    def of(cls, conversation_id: str, body: ErrorBody) -> "ItemFailure":
        """The failure of one conversation."""
        return cls(conversation_id=conversation_id, code=body.code, message=body.message)


class ConversationsDeleted(Wire, frozen=True, kw_only=True):
    """The answer to delete and clear. `synced`: whether the user's other devices are told."""

    conversation_id_list: list[str]
    failures: list[ItemFailure] = []
    operation_id: str
    batch_id: str
    undo_seconds: int = 0
    synced: bool = False
    event_seq: int = 0


class RestoreConversations(Request, frozen=True, kw_only=True):
    """POST /v1/conversations/restore: one of the two names what is undone."""

    batch_id: str | None = None
    operation_id: str | None = None


class ConversationsRestored(Wire, frozen=True, kw_only=True):
    """The answer to restore: what is back."""

    conversation_id_list: list[str]
    batch_id: str
    event_seq: int = 0


class DeletionList(Wire, frozen=True, kw_only=True):
    """GET /v1/conversations/deletions, newest first."""

    deletions: list[Deletion]


class ReadMark(Request, frozen=True, kw_only=True):
    """Everything of a conversation up to message_seq is read."""

    conversation_id: str
    message_seq: int


class ReadConversations(Request, frozen=True, kw_only=True):
    """POST /v1/conversations/read."""

    items: list[ReadMark]
    operation_id: str | None = None


class SetFlags(Request, frozen=True, kw_only=True):
    """POST /v1/conversations/flags; at least one flag."""

    conversation_id_list: list[str]
    pinned: bool | None = None
    muted: bool | None = None
    marked_unread: bool | None = None
    operation_id: str | None = None


class ConversationsChanged(Wire, frozen=True, kw_only=True):
    """The answer to read and flags."""

    conversation_id_list: list[str]
    failures: list[ItemFailure] = []
    event_seq: int = 0


class SendMessage(Request, frozen=True, kw_only=True):
    """POST /v1/conversations/{id}/messages."""

    client_id: str
    text: str
    reply_to: int | None = None
    mentions: list[str] = []


class EditMessage(Request, frozen=True, kw_only=True):
    """PATCH /v1/conversations/{id}/messages/{messageSeq}. Without `mentions` those of before stay."""

    text: str
    mentions: list[str] | None = None
    operation_id: str | None = None


class MessageReaders(Wire, frozen=True, kw_only=True):
    """GET …/messages/{messageSeq}/readers: of those whom the message was sent to, who has read it and who has not."""

    read: list[User]
    unread: list[User]
    read_count: int
    unread_count: int


class SearchAnswer(Wire, frozen=True, kw_only=True):
    """GET /v1/search: the newest first. `next` goes on from there; with it, there can be fewer messages than were asked
    for, none even: one call looks at so many and no more."""

    messages: list[Message]
    next: str | None = None


class MessageSent(Wire, frozen=True, kw_only=True):
    """The message as it stands in history: the answer to sending, editing, recalling, reacting."""

    message: Message
    event_seq: int = 0


class MessagePage(Wire, frozen=True, kw_only=True):
    """GET /v1/conversations/{id}/messages: oldest first; `more`: there are more in the direction asked for."""

    messages: list[Message]
    more: bool = False
    cleared_through: int = 0
    hidden_through: int = 0


class ConversationPage(Wire, frozen=True, kw_only=True):
    """GET /v1/conversations: in an order that does not move."""

    conversations: list[Conversation]
    next: str | None = None


class SyncAnswer(Wire, frozen=True, kw_only=True):
    """GET /v1/sync: events after the cursor; or, with `reset`, the state from which to go on.

    `reset`, `conversations` and `next` stand only in the second form, so that their presence tells which it is.
    """

    cursor: str
    first: int = msgspec.field(name="from", default=0)
    last: int = msgspec.field(name="to", default=0)
    events: list[msgspec.Raw] = []
    more: bool = False
    reset: Literal["epoch", "log_too_old"] | UnsetType = UNSET
    conversations: list[Conversation] | UnsetType = UNSET
    next: str | UnsetType | None = UNSET
    server: ServerFacts


class CreateGroup(Request, frozen=True, kw_only=True):
    """POST /v1/groups."""

    name: str
    group_id: str | None = None
    join: Literal["free", "approval", "closed"] = "closed"
    members: list[str] = []
    operation_id: str | None = None


class ChangeGroup(Request, frozen=True, kw_only=True):
    """PATCH /v1/groups/{groupID}."""

    name: str | None = None
    join: Literal["free", "approval", "closed"] | None = None
    operation_id: str | None = None


class GroupAnswer(Wire, frozen=True, kw_only=True):
    """The answer to what creates or changes a group."""

    group: Group
    conversation_id: str
    event_seq: int = 0


class JoinGroup(Request, frozen=True, kw_only=True):
    """POST /v1/groups/{groupID}/join; `text` is for those who decide, where it takes their approval."""

    text: str | None = None
    operation_id: str | None = None


class GroupJoined(GroupAnswer, frozen=True, kw_only=True):
    """The answer to join: a member now, one before, or waiting for those who decide. (Tencent: JoinedSuccess,
    AlreadyInGroup, WaitAdminApproval.)"""

    status: Literal["joined", "member", "waiting"]


class TransferGroup(Request, frozen=True, kw_only=True):
    """POST /v1/groups/{groupID}/transfer: the member who owns it from now on."""

    user_id: str
    operation_id: str | None = None


class MuteGroup(Request, frozen=True, kw_only=True):
    """POST /v1/groups/{groupID}/mute: whether only its owner and its administrators can write."""

    muted: bool
    operation_id: str | None = None


class ChangeMember(Request, frozen=True, kw_only=True):
    """PATCH /v1/groups/{groupID}/members/{userID}. To make somebody the owner, transfer the group."""

    role: Literal["admin", "member"]
    operation_id: str | None = None


class ApplicationPage(Wire, frozen=True, kw_only=True):
    """GET /v1/groups/{groupID}/applications, in an order that does not move."""

    applications: list[Application]
    next: str | None = None


class DecideApplication(Request, frozen=True, kw_only=True):
    """POST /v1/groups/{groupID}/applications/{userID}."""

    accept: bool
    operation_id: str | None = None


class AddMembers(Request, frozen=True, kw_only=True):
    """POST /v1/groups/{groupID}/members: added at once."""

    members: list[str]
    operation_id: str | None = None


class GroupCommand(Request, frozen=True, kw_only=True):
    """POST quit: no more than who and when."""

    operation_id: str | None = None


class MemberPage(Wire, frozen=True, kw_only=True):
    """GET /v1/groups/{groupID}/members."""

    members: list[Member]
    next: str | None = None


class UserList(Wire, frozen=True, kw_only=True):
    """GET /v1/users?q=."""

    users: list[User]


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


class Done(Wire, frozen=True, kw_only=True):
    """The answer of commands that have nothing else to say."""

    event_seq: int = 0


class Health(Wire, frozen=True, kw_only=True):
    """GET /healthz. `time`: the server's clock, milliseconds since 1970. `bus`: where several processes may share the
    database, whether what others write is told at once ("up") or found some seconds later ("down")."""

    status: Literal["ok"]
    version: str
    time: int = 0
    bus: Literal["up", "down"] | UnsetType = UNSET
