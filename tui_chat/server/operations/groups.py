"""Groups: making, changing, handing on, ending them. What happens is told in the group, by tips.

Who may do what is Tencent's Public group (research: roles owner, admin, member): the owner everything, administrators
all but roles, handing on and ending; one rule each in `grouprows`.
"""

from functools import partial

from tui_chat.protocol import ids
from tui_chat.protocol.errors import InvalidRequest, NameTaken
from tui_chat.protocol.models import Group, TipKind
from tui_chat.protocol.requests import ChangeGroup, CreateGroup, GroupAnswer, MuteGroup, TransferGroup
from tui_chat.protocol.text import accept_name
from tui_chat.server.engines import Transaction

from .admission import add, check_room
from .applications import applicants
from .caller import Caller
from .grouprows import answer, as_seen, group_of, known_to, leaders_only, living, owner_only, sitting
from .idempotency import once
from .membership import Joining, enter, leave_all, set_roles
from .naming import folded_users
from .notices import notify, of_group
from .state import DISMISSED, GROUP, MEMBER, OWNER
from .tips import tell_changed, write_tip
from .users import Account, accounts_of, add_conversations


def create(tx: Transaction, caller: Caller, request: CreateGroup) -> GroupAnswer:
    """Make a group, the caller its owner, with members that are added at once.

    Raises:
        InvalidName, NameTaken, UserNotFound, TooManyMembers, OperationReused.
    """
    name = accept_name(request.name, "a group's name")
    group_id = ids.new_group_id() if request.group_id is None else ids.check_new_group_id(request.group_id)

    def carry_out(_: str) -> GroupAnswer:
        check_room(0, len(folded_users(request.members)))
        members = [one for one in accounts_of(tx, request.members) if one.key != caller.user]
        check_room(0, 1 + len(members))
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
        event_seq = add(tx, caller, row, members)
        return answer(tx, group_id, event_seq or told.positions[caller.user])

    return once(tx, caller, "group.create", request.operation_id, request, GroupAnswer, carry_out)


def get(tx: Transaction, caller: Caller, group_id: str) -> Group:
    """A group, for those who are or were in it, and for everyone where it is not closed. Raises GroupNotFound."""
    return as_seen(tx, known_to(tx, caller, group_id))


def change(tx: Transaction, caller: Caller, group_id: str, request: ChangeGroup) -> GroupAnswer:
    """Rename a group, or change who may join it; its owner and its administrators can.

    Raises:
        GroupNotFound, NotAMember, Forbidden, InvalidName, InvalidRequest, OperationReused.
    """
    if request.name is None and request.join is None:
        raise InvalidRequest("give at least one of name and join")
    new_name = None if request.name is None else accept_name(request.name, "a group's name")

    def carry_out(_: str) -> GroupAnswer:
        standing = living(tx, caller, group_id)
        leaders_only(standing, "change it")
        row = standing.row
        name = row.name if new_name is None else new_name
        rule = row.join_rule if request.join is None else request.join
        tx.execute("UPDATE chat_group SET name = ?, join_rule = ? WHERE conversation = ?", name, rule, row.conversation)
        told = None
        if name != row.name:
            told = write_tip(tx, row.conversation, row.group_id, caller, TipKind.RENAMED, name=name)
        if rule != row.join_rule:
            told = write_tip(tx, row.conversation, row.group_id, caller, TipKind.JOIN_RULE, name=name, join=rule)
        if told is None:
            return answer(tx, group_id, 0)
        return answer(tx, group_id, tell_changed(tx, caller, group_of(tx, group_id).shown(), told.members))

    return once(tx, caller, "group.change", request.operation_id, (group_id, request), GroupAnswer, carry_out)


def transfer(tx: Transaction, caller: Caller, group_id: str, request: TransferGroup) -> GroupAnswer:
    """Hand a group on to another member; the owner can, and is an ordinary member afterwards.

    Raises:
        GroupNotFound, NotAMember, Forbidden, UserNotFound, OperationReused.
    """

    def carry_out(_: str) -> GroupAnswer:
        standing = living(tx, caller, group_id)
        owner_only(caller, standing, "hand it on")
        row = standing.row
        member = sitting(tx, row, request.user_id)
        if member.side.account == caller.user:
            return answer(tx, group_id, 0)
        new = Account(member.side.account, member.user_id, member.nick)
        tx.execute("UPDATE chat_group SET owner = ? WHERE conversation = ?", new.key, row.conversation)
        set_roles(tx, row.conversation, {caller.user: MEMBER, new.key: OWNER})
        told = write_tip(
            tx,
            row.conversation,
            row.group_id,
            caller,
            TipKind.TRANSFERRED,
            user_ids=[new.user_id],
            name=row.name,
        )
        notify(tx, [of_group(caller, row, TipKind.TRANSFERRED, new, new)])
        return answer(tx, group_id, tell_changed(tx, caller, group_of(tx, group_id).shown(), told.members))

    return once(tx, caller, "group.transfer", request.operation_id, (group_id, request), GroupAnswer, carry_out)


def set_muted(tx: Transaction, caller: Caller, group_id: str, request: MuteGroup) -> GroupAnswer:
    """Let only the owner and the administrators write, who can do this; or everybody again.

    Raises:
        GroupNotFound, NotAMember, Forbidden, OperationReused.
    """

    def carry_out(_: str) -> GroupAnswer:
        standing = living(tx, caller, group_id)
        leaders_only(standing, "mute it")
        row = standing.row
        if bool(row.muted) is request.muted:
            return answer(tx, group_id, 0)
        tx.execute("UPDATE chat_group SET muted = ? WHERE conversation = ?", int(request.muted), row.conversation)
        what = TipKind.MUTED if request.muted else TipKind.UNMUTED
        told = write_tip(tx, row.conversation, row.group_id, caller, what, name=row.name)
        return answer(tx, group_id, tell_changed(tx, caller, group_of(tx, group_id).shown(), told.members))

    return once(tx, caller, "group.mute", request.operation_id, (group_id, request), GroupAnswer, carry_out)


def dismiss(tx: Transaction, caller: Caller, group_id: str, operation_id: str | None = None) -> GroupAnswer:
    """End a group; the owner can. Its name is never given out again. Who waits to be let in is told as well.

    Raises:
        GroupNotFound, NotAMember, Forbidden, OperationReused.
    """

    def carry_out(_: str) -> GroupAnswer:
        standing = living(tx, caller, group_id)
        owner_only(caller, standing, "dismiss it")
        row = standing.row
        waiting = applicants(tx, row.conversation)
        tx.execute("DELETE FROM application WHERE conversation = ?", row.conversation)
        told = write_tip(
            tx,
            row.conversation,
            row.group_id,
            caller,
            TipKind.DISMISSED,
            name=row.name,
            effect=partial(leave_all, tx, row.conversation, DISMISSED),
        )
        others = [Account(one.side.account, one.user_id, None) for one in told.members]
        readers = [one for one in others + waiting if one.key != caller.user]
        notify(tx, [of_group(caller, row, TipKind.DISMISSED, one) for one in readers])
        return answer(tx, group_id, tell_changed(tx, caller, group_of(tx, group_id).shown(), told.members))

    return once(tx, caller, "group.dismiss", operation_id, group_id, GroupAnswer, carry_out)
