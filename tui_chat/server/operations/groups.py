"""Groups: making, joining, leaving, ending them. What happens is told in the group, by tips.

Leaving leaves the conversation in the list: what was visible stays readable. A period of membership goes from the tip
that tells of the joining to the one that tells of the leaving, both inclusive.
"""

from collections.abc import Sequence
from functools import partial

from tui_chat.protocol import ids, limits
from tui_chat.protocol.errors import (
    Forbidden,
    GroupNotFound,
    InvalidRequest,
    NameTaken,
    OwnerCannotQuit,
    TooManyMembers,
    UserNotFound,
)
from tui_chat.protocol.events import GroupChanged
from tui_chat.protocol.models import Group, Member, Tip, TipKind
from tui_chat.protocol.requests import (
    AddMembers,
    ChangeGroup,
    CreateGroup,
    GroupAnswer,
    GroupCommand,
    MemberPage,
)
from tui_chat.protocol.text import accept_name
from tui_chat.server.engines import Transaction

from .caller import Caller
from .eventlog import Outgoing, emit
from .grouprows import GroupRow, as_seen, group_of, known_to, living, members_only, owner_only
from .idempotency import once
from .membership import Joining, enter, leave, leave_all
from .naming import folded_users
from .posting import Reached, notify
from .state import DISMISSED, GROUP, JOINED, KICKED, LEFT, OWNER, ROLES, side
from .tips import TIP_USERS, write_tip
from .users import SYSTEM_FOLDED, Account, account_of, accounts_of, add_conversations


def create(tx: Transaction, caller: Caller, request: CreateGroup) -> GroupAnswer:
    """Make a group, the caller its owner, with members that are added at once.

    Raises:
        InvalidName, NameTaken, UserNotFound, TooManyMembers, OperationReused.
    """
    name = accept_name(request.name, "a group's name")
    group_id = ids.new_group_id() if request.group_id is None else ids.check_new_group_id(request.group_id)

    def carry_out(_: str) -> GroupAnswer:
        _check_room(0, len(folded_users(request.members)))
        members = [one for one in accounts_of(tx, request.members) if one.key != caller.user]
        _check_room(0, 1 + len(members))
        if tx.one("SELECT 1 FROM chat_group WHERE folded = ?", ids.fold(group_id)):
            raise NameTaken(f"there is, or was, a group {group_id!r}")
        key = tx.next_key("conversation")
        add_conversations(tx, [(key, GROUP, key, 0)])
        tx.execute(
            "INSERT INTO chat_group (conversation, group_id, folded, name, join_rule, owner, member_count, dismissed,"
            " created) VALUES (?, ?, ?, ?, ?, ?, 0, 0, ?)",
            key,
            group_id,
            ids.fold(group_id),
            name,
            request.join,
            caller.user,
            tx.now,
        )
        row = group_of(tx, group_id)
        owner = Joining(Account(caller.user, caller.user_id, None), OWNER)
        told = write_tip(
            tx,
            row.conversation,
            row.group_id,
            caller,
            TipKind.CREATED,
            name=name,
            effect=partial(enter, tx, row.conversation, row.group_id, [owner]),
        )
        event_seq = _add(tx, caller, row, members)
        return _answer(tx, group_id, event_seq or told.positions[caller.user])

    return once(tx, caller, "group.create", request.operation_id, request, GroupAnswer, carry_out)


def invite(tx: Transaction, caller: Caller, group_id: str, request: AddMembers) -> GroupAnswer:
    """Add members at once; who is one already stays one. Any member can.

    Raises:
        GroupNotFound, NotAMember, UserNotFound, TooManyMembers, InvalidRequest, OperationReused.
    """
    if not request.members:
        raise InvalidRequest("members is empty")
    _check_room(0, len(request.members))

    def carry_out(_: str) -> GroupAnswer:
        standing = living(tx, caller, group_id)
        members_only(standing)
        row = standing.row
        present = {
            one[0]
            for one in tx.all(
                "SELECT account FROM state WHERE conversation = ? AND membership = ?", row.conversation, JOINED
            )
        }
        new = [one for one in accounts_of(tx, request.members) if one.key not in present]
        _check_room(row.member_count, len(new))
        return _answer(tx, group_id, _add(tx, caller, row, new))

    return once(tx, caller, "group.invite", request.operation_id, (group_id, request), GroupAnswer, carry_out)


def join(tx: Transaction, caller: Caller, group_id: str, request: GroupCommand) -> GroupAnswer:
    """Join a group that anyone may join; a member stays one.

    Raises:
        GroupNotFound, Forbidden, TooManyMembers, OperationReused.
    """

    def carry_out(_: str) -> GroupAnswer:
        row, own = living(tx, caller, group_id)
        if own is not None and own.membership == JOINED:
            return _answer(tx, group_id, 0)
        if row.join_rule != "free":
            raise Forbidden("that group is not open to everyone: ask one of its members to add you")
        if row.dismissed:
            raise GroupNotFound()
        _check_room(row.member_count, 1)
        joining = Joining(Account(caller.user, caller.user_id, None))
        told = write_tip(
            tx,
            row.conversation,
            row.group_id,
            caller,
            TipKind.JOINED,
            user_ids=[caller.user_id],
            name=row.name,
            effect=partial(enter, tx, row.conversation, row.group_id, [joining]),
        )
        return _answer(tx, group_id, told.positions.get(caller.user, 0))

    return once(tx, caller, "group.join", request.operation_id, (group_id, request), GroupAnswer, carry_out)


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
        return _answer(tx, group_id, told.positions.get(caller.user, 0))

    return once(tx, caller, "group.quit", request.operation_id, (group_id, request), GroupAnswer, carry_out)


def kick(tx: Transaction, caller: Caller, group_id: str, user_id: str, operation_id: str | None = None) -> GroupAnswer:
    """Remove a member; the owner can. The member is told by a notice.

    Raises:
        GroupNotFound, NotAMember, Forbidden, UserNotFound, OperationReused.
    """

    def carry_out(_: str) -> GroupAnswer:
        standing = living(tx, caller, group_id)
        owner_only(caller, standing, "remove members")
        row = standing.row
        target = account_of(tx, user_id)
        if target.key == caller.user:
            raise Forbidden("the owner cannot be removed: dismiss the group instead")
        member = side(tx, target.key, ids.fold(ids.group(row.group_id)))
        if member is None or member.membership != JOINED:
            raise UserNotFound(f"{target.user_id} is not a member of that group")
        told = write_tip(
            tx,
            row.conversation,
            row.group_id,
            caller,
            TipKind.KICKED,
            user_ids=[target.user_id],
            name=row.name,
            effect=partial(leave, tx, row.conversation, target.key, KICKED),
        )
        _notify(tx, caller, row, [target], TipKind.KICKED, f"{caller.user_id} removed you from {row.name}")
        return _answer(tx, group_id, told.positions.get(caller.user, 0))

    return once(tx, caller, "group.kick", operation_id, (group_id, user_id), GroupAnswer, carry_out)


def dismiss(tx: Transaction, caller: Caller, group_id: str, operation_id: str | None = None) -> GroupAnswer:
    """End a group; the owner can. Its name is never given out again.

    Raises:
        GroupNotFound, NotAMember, Forbidden, OperationReused.
    """

    def carry_out(_: str) -> GroupAnswer:
        standing = living(tx, caller, group_id)
        owner_only(caller, standing, "dismiss it")
        row = standing.row
        told = write_tip(
            tx,
            row.conversation,
            row.group_id,
            caller,
            TipKind.DISMISSED,
            name=row.name,
            effect=partial(leave_all, tx, row.conversation, DISMISSED),
        )
        others = [
            Account(one.side.account, one.user_id, None) for one in told.members if one.side.account != caller.user
        ]
        _notify(tx, caller, row, others, TipKind.DISMISSED, f"{caller.user_id} dismissed {row.name}")
        return _answer(tx, group_id, _tell_changed(tx, caller, group_id, told.members))

    return once(tx, caller, "group.dismiss", operation_id, group_id, GroupAnswer, carry_out)


def change(tx: Transaction, caller: Caller, group_id: str, request: ChangeGroup) -> GroupAnswer:
    """Rename a group, or change who may join it; the owner can.

    Raises:
        GroupNotFound, NotAMember, Forbidden, InvalidName, InvalidRequest, OperationReused.
    """
    if request.name is None and request.join is None:
        raise InvalidRequest("give at least one of name and join")
    name = None if request.name is None else accept_name(request.name, "a group's name")

    def carry_out(_: str) -> GroupAnswer:
        standing = living(tx, caller, group_id)
        owner_only(caller, standing, "change it")
        row = standing.row
        if name in (None, row.name) and request.join in (None, row.join_rule):
            return _answer(tx, group_id, 0)
        tx.execute(
            "UPDATE chat_group SET name = ?, join_rule = ? WHERE conversation = ?",
            name or row.name,
            request.join or row.join_rule,
            row.conversation,
        )
        if name in (None, row.name):
            return _answer(tx, group_id, _tell_rule(tx, caller, row.conversation, group_id))
        told = write_tip(tx, row.conversation, row.group_id, caller, TipKind.RENAMED, name=name)
        return _answer(tx, group_id, _tell_changed(tx, caller, group_id, told.members))

    return once(tx, caller, "group.change", request.operation_id, (group_id, request), GroupAnswer, carry_out)


def get(tx: Transaction, caller: Caller, group_id: str) -> Group:
    """A group, for those who are or were in it, and for everyone where it is not closed. Raises GroupNotFound."""
    return as_seen(tx, known_to(tx, caller, group_id))


def members(
    tx: Transaction, caller: Caller, group_id: str, *, cursor: str | None = None, limit: int = limits.PAGE_DEFAULT
) -> MemberPage:
    """Members in an order that does not move, for members.

    Raises:
        GroupNotFound, NotAMember, InvalidRequest.
    """
    if not 1 <= limit <= limits.PAGE:
        raise InvalidRequest(f"limit is from 1 to {limits.PAGE}")
    if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
        raise InvalidRequest("cursor is not one that this server gave")
    standing = known_to(tx, caller, group_id)
    members_only(standing)
    rows = tx.all(
        "SELECT s.account, a.user_id, a.nick, s.role FROM state s JOIN account a ON a.id = s.account"
        " WHERE s.conversation = ? AND s.account > ? AND s.membership = ? ORDER BY s.account LIMIT ?",
        standing.row.conversation,
        int(cursor or 0),
        JOINED,
        limit + 1,
    )
    found = [Member(user_id=user_id, nick=nick, role=ROLES[role]) for _, user_id, nick, role in rows[:limit]]
    return MemberPage(members=found, next=str(rows[limit - 1][0]) if len(rows) > limit else None)


def _answer(tx: Transaction, group_id: str, event_seq: int) -> GroupAnswer:
    row = group_of(tx, group_id)
    return GroupAnswer(group=row.shown(), conversation_id=ids.group(row.group_id), event_seq=event_seq)


def _tell_changed(tx: Transaction, caller: Caller, group_id: str, members: Sequence[Reached]) -> int:
    """Tell members how the group stands; the caller's eventSeq."""
    group = group_of(tx, group_id).shown()
    told = [
        Outgoing(one.side.account, one.user_id, GroupChanged(group=group, conversation=one.conversation))
        for one in members
    ]
    return emit(tx, told)[caller.user]


def _notify(
    tx: Transaction, caller: Caller, row: GroupRow, accounts: Sequence[Account], what: TipKind, text: str
) -> None:
    """Put a notice into the system's conversation of each."""
    for one in accounts:
        tip = Tip(what=what, operator=caller.user_id, user_id_list=[one.user_id], group_id=row.group_id, name=row.name)
        notify(tx, one.key, SYSTEM_FOLDED, tip, text)


def _check_room(present: int, new: int) -> None:
    if present + new > limits.GROUP_MEMBERS:
        raise TooManyMembers(f"a group has at most {limits.GROUP_MEMBERS} members")


def _add(tx: Transaction, caller: Caller, row: GroupRow, new: Sequence[Account]) -> int:
    """Add members and tell the group, TIP_USERS in one tip; the caller's last eventSeq, 0 where nobody is new."""
    event_seq = 0
    for start in range(0, len(new), TIP_USERS):
        piece = new[start : start + TIP_USERS]
        told = write_tip(
            tx,
            row.conversation,
            row.group_id,
            caller,
            TipKind.INVITED,
            user_ids=[one.user_id for one in piece],
            name=row.name,
            effect=partial(enter, tx, row.conversation, row.group_id, [Joining(one) for one in piece]),
        )
        event_seq = told.positions.get(caller.user, 0)
    _notify(tx, caller, row, new, TipKind.INVITED, f"{caller.user_id} added you to {row.name}")
    return event_seq


def _tell_rule(tx: Transaction, caller: Caller, conversation: int, group_id: str) -> int:
    """Tell members that something changed that no tip tells of; the caller's eventSeq."""
    group = group_of(tx, group_id).shown()
    members = tx.all(
        "SELECT s.account, a.user_id FROM state s JOIN account a ON a.id = s.account"
        " WHERE s.conversation = ? AND s.membership = ? ORDER BY s.account",
        conversation,
        JOINED,
    )
    event = GroupChanged(group=group)
    return emit(tx, [Outgoing(account, user_id, event) for account, user_id in members])[caller.user]
