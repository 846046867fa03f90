"""Bodies of requests about groups, their members, and who wants to be one."""

from typing import Literal

from tui_chat.protocol.models import Application, Group, Member
from tui_chat.protocol.wire import Request, Wire


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
