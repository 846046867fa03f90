"""Groups as rows, and who may do what to them."""

from typing import Literal, NamedTuple

from tui_chat.protocol import ids
from tui_chat.protocol.errors import Forbidden, GroupMuted, GroupNotFound, NotAMember, ReadOnly, UserNotFound
from tui_chat.protocol.models import Group
from tui_chat.protocol.requests import GroupAnswer
from tui_chat.server.engines import Transaction

from .blocking import check_may_write
from .caller import Caller
from .state import ADMIN, DISMISSED, GROUP, JOINED, SYSTEM_KIND, Seat, Side, side
from .users import Account, account_of


class GroupRow(NamedTuple):
    """A group as the database has it."""

    conversation: int
    group_id: str
    name: str
    join_rule: Literal["free", "approval", "closed"]
    owner: int
    owner_id: str
    member_count: int
    dismissed: int
    muted: int

    def shown(self) -> Group:
        """The Group that clients are shown."""
        return Group(
            group_id=self.group_id,
            name=self.name,
            join=self.join_rule,
            owner=self.owner_id,
            muted=bool(self.muted),
            dismissed=bool(self.dismissed),
            member_count=self.member_count,
        )


def group_of(tx: Transaction, group_id: str) -> GroupRow:
    """The group, living or dismissed. Raises GroupNotFound."""
    row = tx.one(
        "SELECT g.conversation, g.group_id, g.name, g.join_rule, g.owner, a.user_id, g.member_count, g.dismissed,"
        " g.muted FROM chat_group g JOIN account a ON a.id = g.owner WHERE g.folded = ?",
        ids.fold(group_id),
    )
    if row is None:
        raise GroupNotFound()
    return GroupRow(*row)


class Standing(NamedTuple):
    """A group, and how the caller stands to it: None for one who never was in it."""

    row: GroupRow
    own: Side | None


def known_to(tx: Transaction, caller: Caller, group_id: str) -> Standing:
    """The group, living or dismissed, for those who may know of it: whoever is or was in it; of one that is neither
    closed nor dismissed, everybody. Raises GroupNotFound, which does not tell one that is hidden from none."""
    row = group_of(tx, group_id)
    own = side(tx, caller.user, ids.fold(ids.group(row.group_id)))
    if own is None and (row.join_rule == "closed" or row.dismissed):
        raise GroupNotFound()
    return Standing(row, own)


def living(tx: Transaction, caller: Caller, group_id: str) -> Standing:
    """The same, locked. Raises GroupNotFound also for those who were there when it ended.

    Who had gone before does not learn of its end; what is for members is refused to them as ever.
    """
    tx.lock_conversations((group_of(tx, group_id).conversation,))
    standing = known_to(tx, caller, group_id)
    if standing.own is not None and standing.own.membership == DISMISSED:
        raise GroupNotFound("that group was dismissed")
    return standing


def as_seen(tx: Transaction, standing: Standing) -> Group:
    """The group as it is; for those who have gone, as it was then."""
    row, own = standing
    if own is None or own.leave_seq is None:
        return row.shown()
    name, rule, count, owner_id, muted = tx.one(
        "SELECT s.left_name, s.left_rule, s.left_count, a.user_id, s.left_muted"
        " FROM state s JOIN account a ON a.id = s.left_owner WHERE s.account = ? AND s.conversation = ?",
        own.account,
        own.conversation,
    ) or (row.name, row.join_rule, row.member_count, row.owner_id, row.muted)
    dismissed = int(own.membership == DISMISSED)
    return row._replace(
        name=name, join_rule=rule, member_count=count, owner_id=owner_id, muted=muted, dismissed=dismissed
    ).shown()


def members_only(standing: Standing) -> None:
    """Raise NotAMember for everybody else."""
    if standing.own is None or standing.own.membership != JOINED:
        raise NotAMember()


def leaders_only(standing: Standing, what: str) -> None:
    """Raise Forbidden for ordinary members, who are told `what` they cannot do; NotAMember for outsiders."""
    members_only(standing)
    if standing.own is not None and standing.own.role < ADMIN:
        raise Forbidden(f"only the group's owner and its administrators can {what}")


def owner_only(caller: Caller, standing: Standing, what: str) -> None:
    """Raise Forbidden for other members, who are told `what` they cannot do; NotAMember for everybody else."""
    members_only(standing)
    if standing.row.owner != caller.user:
        raise Forbidden(f"only the group's owner can {what}")


def check_writable(tx: Transaction, own: Side) -> None:
    """Whether this user may write in a conversation, now.

    Raises:
        ReadOnly: it is the system's.
        NotAMember: it is a group that they are not in, or not any more.
        GroupMuted: only its owner and its administrators can.
        Blocked, UserErased: the other side takes nothing from them, or is no more.
    """
    if own.kind == SYSTEM_KIND:
        raise ReadOnly()
    if own.peer is not None:
        check_may_write(tx, own.account, own.peer)
    if own.kind != GROUP:
        return
    if own.membership != JOINED:
        raise NotAMember()
    if own.role < ADMIN and tx.one("SELECT 1 FROM chat_group WHERE conversation = ? AND muted = 1", own.conversation):
        raise GroupMuted()


def sitting(tx: Transaction, row: GroupRow, user_id: str) -> Seat:
    """A member of the group. Raises UserNotFound for everybody else."""
    account = account_of(tx, user_id)
    found = side(tx, account.key, ids.fold(ids.group(row.group_id)))
    if found is None or found.membership != JOINED:
        raise UserNotFound(f"{account.user_id} is not a member of that group")
    return Seat(found, account.user_id, account.nick)


def leaders(tx: Transaction, conversation: int) -> list[Account]:
    """The group's owner and administrators."""
    rows = tx.all(
        "SELECT a.id, a.user_id, a.nick FROM state s JOIN account a ON a.id = s.account"
        " WHERE s.conversation = ? AND s.membership = ? AND s.role >= ? ORDER BY a.id",
        conversation,
        JOINED,
        ADMIN,
    )
    return [Account(*row) for row in rows]


def answer(tx: Transaction, group_id: str, event_seq: int) -> GroupAnswer:
    """How the group stands, for the caller of what changed it."""
    row = group_of(tx, group_id)
    return GroupAnswer(group=row.shown(), conversation_id=ids.group(row.group_id), event_seq=event_seq)
