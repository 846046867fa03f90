"""Members of a group: adding and removing them, joining and leaving, roles.

Leaving leaves the conversation in the list: what was visible stays readable. A period of membership goes from the tip
that tells of the joining to the one that tells of the leaving, both inclusive.
"""

from functools import partial
from typing import Literal

from tui_chat.protocol import limits
from tui_chat.protocol.errors import (
    Forbidden,
    GroupNotFound,
    InvalidRequest,
    OwnerCannotQuit,
    TooManyAdministrators,
)
from tui_chat.protocol.events import MemberChanged
from tui_chat.protocol.models import Member, TipKind
from tui_chat.protocol.requests import (
    AddMembers,
    ChangeMember,
    GroupAnswer,
    GroupCommand,
    GroupJoined,
    JoinGroup,
    MemberPage,
)
from tui_chat.server.engines import Transaction

from .admission import add, admit, check_room
from .applications import accept_reason, apply
from .caller import Caller
from .eventlog import Outgoing, emit
from .grouprows import answer, known_to, leaders, leaders_only, living, members_only, owner_only, sitting
from .idempotency import once
from .membership import joined, leave, set_roles
from .notices import notify, of_group
from .paging import after_key, cut
from .state import ADMIN, JOINED, KICKED, LEFT, MEMBER, OWNER, ROLES
from .tips import write_tip
from .users import Account, accounts_of


def page(
    tx: Transaction, caller: Caller, group_id: str, *, cursor: str | None = None, limit: int = limits.PAGE_DEFAULT
) -> MemberPage:
    """Members in an order that does not move, for members.

    Raises:
        GroupNotFound, NotAMember, InvalidRequest.
    """
    after = after_key(cursor, limit)
    standing = known_to(tx, caller, group_id)
    members_only(standing)
    rows = tx.all(
        "SELECT s.account, a.user_id, a.nick, s.role FROM state s JOIN account a ON a.id = s.account"
        " WHERE s.conversation = ? AND s.account > ? AND s.membership = ? ORDER BY s.account LIMIT ?",
        standing.row.conversation,
        after,
        JOINED,
        limit + 1,
    )
    here, following = cut(rows, limit)
    found = [Member(user_id=user_id, nick=nick, role=ROLES[role]) for _, user_id, nick, role in here]
    return MemberPage(members=found, next=following)


def invite(tx: Transaction, caller: Caller, group_id: str, request: AddMembers) -> GroupAnswer:
    """Add members at once; who is one already stays one.

    Any member can; where joining takes approval, those who approve.

    Raises:
        GroupNotFound, NotAMember, Forbidden, UserNotFound, TooManyMembers, InvalidRequest, OperationReused.
    """
    if not request.members:
        raise InvalidRequest("members is empty")
    check_room(0, len(request.members))

    def carry_out(_: str) -> GroupAnswer:
        standing = living(tx, caller, group_id)
        members_only(standing)
        row = standing.row
        if row.join_rule == "approval":
            leaders_only(standing, "let people in")
        present = set(joined(tx, row.conversation))
        new = [one for one in accounts_of(tx, request.members) if one.key not in present]
        check_room(row.member_count, len(new))
        return answer(tx, group_id, add(tx, caller, row, new))

    return once(tx, caller, "group.invite", request.operation_id, (group_id, request), GroupAnswer, carry_out)


def join(tx: Transaction, caller: Caller, group_id: str, request: JoinGroup) -> GroupJoined:
    """Join a group that anyone may join, or apply where its owner or an administrator decides; a member stays one.

    Raises:
        GroupNotFound, Forbidden, TooManyMembers, InvalidRequest, OperationReused.
    """
    text = accept_reason(request.text)

    def carry_out(_: str) -> GroupJoined:
        row, own = living(tx, caller, group_id)
        if own is not None and own.membership == JOINED:
            return _joined(answer(tx, group_id, 0), "member")
        if row.join_rule == "closed":
            raise Forbidden("that group is not open to everyone: ask one of its members to add you")
        if row.dismissed:
            raise GroupNotFound()
        check_room(row.member_count, 1)
        if row.join_rule == "approval":
            apply(tx, caller, row, text)
            return _joined(answer(tx, group_id, 0), "waiting")
        event_seq = admit(tx, caller, row, [Account(caller.user, caller.user_id, None)], TipKind.JOINED)
        return _joined(answer(tx, group_id, event_seq), "joined")

    return once(tx, caller, "group.join", request.operation_id, (group_id, request), GroupJoined, carry_out)


def quit_group(tx: Transaction, caller: Caller, group_id: str, request: GroupCommand) -> GroupAnswer:
    """Leave a group; its conversation stays in the list.

    Raises:
        GroupNotFound, NotAMember, OwnerCannotQuit, OperationReused.
    """

    def carry_out(_: str) -> GroupAnswer:
        standing = living(tx, caller, group_id)
        members_only(standing)
        row = standing.row
        if row.owner == caller.user:
            raise OwnerCannotQuit()
        told = write_tip(
            tx,
            row.conversation,
            row.group_id,
            caller,
            TipKind.QUIT,
            user_ids=[caller.user_id],
            name=row.name,
            effect=partial(leave, tx, row.conversation, caller.user, LEFT),
        )
        # Who has been erased, and is led out of what a late request of theirs had joined, is told nothing any more.
        return answer(tx, group_id, told.positions.get(caller.user, 0))

    return once(tx, caller, "group.quit", request.operation_id, (group_id, request), GroupAnswer, carry_out)


def kick(tx: Transaction, caller: Caller, group_id: str, user_id: str, operation_id: str | None = None) -> GroupAnswer:
    """Remove a member: the owner anybody else, administrators ordinary members. The member is told by a notice.

    Raises:
        GroupNotFound, NotAMember, Forbidden, UserNotFound, OperationReused.
    """

    def carry_out(_: str) -> GroupAnswer:
        standing = living(tx, caller, group_id)
        leaders_only(standing, "remove members")
        row = standing.row
        member = sitting(tx, row, user_id)
        if member.side.account == caller.user:
            raise Forbidden("nobody can remove themselves: leave the group, or dismiss it")
        if standing.own is None or standing.own.role <= member.side.role:
            raise Forbidden("only the group's owner can remove an administrator, and nobody the owner")
        told = write_tip(
            tx,
            row.conversation,
            row.group_id,
            caller,
            TipKind.KICKED,
            user_ids=[member.user_id],
            name=row.name,
            effect=partial(leave, tx, row.conversation, member.side.account, KICKED),
        )
        gone = Account(member.side.account, member.user_id, member.nick)
        notify(tx, [of_group(caller, row, TipKind.KICKED, gone, gone)])
        return answer(tx, group_id, told.positions[caller.user])

    return once(tx, caller, "group.kick", operation_id, (group_id, user_id), GroupAnswer, carry_out)


def set_role(tx: Transaction, caller: Caller, group_id: str, user_id: str, request: ChangeMember) -> GroupAnswer:
    """Make a member an administrator, or an ordinary member again; the owner can.

    Raises:
        GroupNotFound, NotAMember, Forbidden, UserNotFound, TooManyAdministrators, OperationReused.
    """

    def carry_out(_: str) -> GroupAnswer:
        standing = living(tx, caller, group_id)
        owner_only(caller, standing, "give roles")
        row = standing.row
        member = sitting(tx, row, user_id)
        role = ADMIN if request.role == "admin" else MEMBER
        if member.side.role == OWNER:
            raise Forbidden("the owner has no other role: hand the group on first")
        if member.side.role == role:
            return answer(tx, group_id, 0)
        # The owner is among the leaders and does not count.
        if role == ADMIN and len(leaders(tx, row.conversation)) > limits.GROUP_ADMINISTRATORS:
            raise TooManyAdministrators(f"a group has at most {limits.GROUP_ADMINISTRATORS} administrators")
        set_roles(tx, row.conversation, {member.side.account: role})
        told = write_tip(
            tx,
            row.conversation,
            row.group_id,
            caller,
            TipKind.ROLE,
            user_ids=[member.user_id],
            name=row.name,
            role=request.role,
        )
        other = Account(member.side.account, member.user_id, member.nick)
        notify(tx, [of_group(caller, row, TipKind.ROLE, other, other, role=request.role)])
        shown = Member(user_id=member.user_id, nick=member.nick, role=ROLES[role])
        positions = emit(
            tx,
            [
                Outgoing(
                    one.side.account,
                    MemberChanged(
                        group_id=row.group_id, member=shown, what=TipKind.ROLE, conversation=one.conversation
                    ),
                )
                for one in told.members
            ],
        )
        return answer(tx, group_id, positions[caller.user])

    return once(tx, caller, "group.role", request.operation_id, (group_id, user_id, request), GroupAnswer, carry_out)


def _joined(given: GroupAnswer, status: Literal["joined", "member", "waiting"]) -> GroupJoined:
    return GroupJoined(
        group=given.group, conversation_id=given.conversation_id, event_seq=given.event_seq, status=status
    )
