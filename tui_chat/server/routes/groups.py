"""Groups and their members."""

from typing import Any

from tui_chat.protocol.errors import (
    ApplicationNotFound,
    Blocked,
    Forbidden,
    GroupNotFound,
    InvalidName,
    NameTaken,
    NotAMember,
    OperationReused,
    OwnerCannotQuit,
    TooManyAdministrators,
    TooManyMembers,
    UserNotFound,
)
from tui_chat.protocol.models import Group
from tui_chat.protocol.requests import (
    AddMembers,
    ApplicationPage,
    ChangeGroup,
    ChangeMember,
    CreateGroup,
    DecideApplication,
    GroupAnswer,
    GroupCommand,
    GroupJoined,
    JoinGroup,
    MemberPage,
    MuteGroup,
    TransferGroup,
)
from tui_chat.server.operations import applications, groups
from tui_chat.server.operations import members as membership

from .endpoint import Call, Endpoint, Nothing
from .queries import OperationQuery, PageQuery


async def create(call: Call[CreateGroup, Nothing]) -> GroupAnswer:
    """Make a group, with its first members; the caller owns it."""
    return await call.write(groups.create, call.body)


async def get(call: Call[Nothing, Nothing]) -> Group:
    """A group as its members see it."""
    return await call.read(groups.get, call.path["group_id"])


async def change(call: Call[ChangeGroup, Nothing]) -> GroupAnswer:
    """Rename a group, or change how one joins it."""
    return await call.write(groups.change, call.path["group_id"], call.body)


async def dismiss(call: Call[Nothing, OperationQuery]) -> GroupAnswer:
    """End a group; what was said in it stays readable for those who were there."""
    return await call.write(groups.dismiss, call.path["group_id"], call.query.operation_id)


async def transfer(call: Call[TransferGroup, Nothing]) -> GroupAnswer:
    """Hand a group on to another member."""
    return await call.write(groups.transfer, call.path["group_id"], call.body)


async def mute(call: Call[MuteGroup, Nothing]) -> GroupAnswer:
    """Let only the owner and the administrators write, or everybody again."""
    return await call.write(groups.set_muted, call.path["group_id"], call.body)


async def join(call: Call[JoinGroup, Nothing]) -> GroupJoined:
    """Join a group that is free to join; apply where joining takes approval."""
    return await call.write(membership.join, call.path["group_id"], call.body)


async def quit_group(call: Call[GroupCommand, Nothing]) -> GroupAnswer:
    """Leave a group; its conversation stays in the list."""
    return await call.write(membership.quit_group, call.path["group_id"], call.body)


async def members(call: Call[Nothing, PageQuery]) -> MemberPage:
    """Who is in a group."""
    return await call.read(membership.page, call.path["group_id"], cursor=call.query.cursor, limit=call.query.limit)


async def invite(call: Call[AddMembers, Nothing]) -> GroupAnswer:
    """Add members at once."""
    return await call.write(membership.invite, call.path["group_id"], call.body)


async def set_role(call: Call[ChangeMember, Nothing]) -> GroupAnswer:
    """Make a member an administrator, or an ordinary member again."""
    return await call.write(membership.set_role, call.path["group_id"], call.path["user_id"], call.body)


async def kick(call: Call[Nothing, OperationQuery]) -> GroupAnswer:
    """Remove a member."""
    return await call.write(membership.kick, call.path["group_id"], call.path["user_id"], call.query.operation_id)


async def waiting(call: Call[Nothing, PageQuery]) -> ApplicationPage:
    """Who wants to join a group and waits for a decision."""
    return await call.read(applications.page, call.path["group_id"], cursor=call.query.cursor, limit=call.query.limit)


async def decide(call: Call[DecideApplication, Nothing]) -> GroupAnswer:
    """Let an applicant in, or decline."""
    return await call.write(applications.decide, call.path["group_id"], call.path["user_id"], call.body)


_MEMBERS = (GroupNotFound, NotAMember)
_CHANGE = (*_MEMBERS, OperationReused)
_OWNERS = (*_CHANGE, Forbidden)

ENDPOINTS: tuple[Endpoint[Any, Any, Any], ...] = (
    Endpoint(
        "POST",
        "/v1/groups",
        create,
        GroupAnswer,
        body=CreateGroup,
        errors=(Blocked, InvalidName, NameTaken, UserNotFound, TooManyMembers, OperationReused),
    ),
    Endpoint("GET", "/v1/groups/{group_id}", get, Group, errors=(GroupNotFound,)),
    Endpoint("PATCH", "/v1/groups/{group_id}", change, GroupAnswer, body=ChangeGroup, errors=(*_OWNERS, InvalidName)),
    Endpoint("DELETE", "/v1/groups/{group_id}", dismiss, GroupAnswer, query=OperationQuery, errors=_OWNERS),
    Endpoint(
        "POST",
        "/v1/groups/{group_id}/join",
        join,
        GroupJoined,
        body=JoinGroup,
        errors=(Forbidden, GroupNotFound, OperationReused, TooManyMembers),
    ),
    Endpoint(
        "POST",
        "/v1/groups/{group_id}/quit",
        quit_group,
        GroupAnswer,
        body=GroupCommand,
        errors=(*_CHANGE, OwnerCannotQuit),
    ),
    Endpoint("GET", "/v1/groups/{group_id}/members", members, MemberPage, query=PageQuery, errors=_MEMBERS),
    Endpoint(
        "POST",
        "/v1/groups/{group_id}/members",
        invite,
        GroupAnswer,
        body=AddMembers,
        errors=(*_OWNERS, Blocked, UserNotFound, TooManyMembers),
    ),
    Endpoint(
        "POST",
        "/v1/groups/{group_id}/transfer",
        transfer,
        GroupAnswer,
        body=TransferGroup,
        errors=(*_OWNERS, UserNotFound),
    ),
    Endpoint("POST", "/v1/groups/{group_id}/mute", mute, GroupAnswer, body=MuteGroup, errors=_OWNERS),
    Endpoint(
        "GET",
        "/v1/groups/{group_id}/applications",
        waiting,
        ApplicationPage,
        query=PageQuery,
        errors=(*_MEMBERS, Forbidden),
    ),
    Endpoint(
        "POST",
        "/v1/groups/{group_id}/applications/{user_id}",
        decide,
        GroupAnswer,
        body=DecideApplication,
        errors=(*_OWNERS, ApplicationNotFound, TooManyMembers, UserNotFound),
    ),
    Endpoint(
        "PATCH",
        "/v1/groups/{group_id}/members/{user_id}",
        set_role,
        GroupAnswer,
        body=ChangeMember,
        errors=(*_OWNERS, TooManyAdministrators, UserNotFound),
    ),
    Endpoint(
        "DELETE",
        "/v1/groups/{group_id}/members/{user_id}",
        kick,
        GroupAnswer,
        query=OperationQuery,
        errors=(*_OWNERS, UserNotFound),
    ),
)
