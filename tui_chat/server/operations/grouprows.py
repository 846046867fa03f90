"""Groups as rows, and who may do what to them."""

from typing import Literal, NamedTuple

from tui_chat.protocol import ids
from tui_chat.protocol.errors import Forbidden, GroupNotFound, NotAMember
from tui_chat.protocol.models import Group
from tui_chat.server.engines import Transaction

from .caller import Caller
from .state import DISMISSED, JOINED, Side, side


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

    def shown(self) -> Group:
        """The Group that clients are shown."""
        return Group(
            group_id=self.group_id,
            name=self.name,
            join=self.join_rule,
            owner=self.owner_id,
            dismissed=bool(self.dismissed),
            member_count=self.member_count,
        )


def group_of(tx: Transaction, group_id: str) -> GroupRow:
    """The group, living or dismissed. Raises GroupNotFound."""
    row = tx.one(
        "SELECT g.conversation, g.group_id, g.name, g.join_rule, g.owner, a.user_id, g.member_count, g.dismissed"
        " FROM chat_group g JOIN account a ON a.id = g.owner WHERE g.folded = ?",
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
    name, rule, count = tx.one(
        "SELECT left_name, left_rule, left_count FROM state WHERE account = ? AND conversation = ?",
        own.account,
        own.conversation,
    ) or (row.name, row.join_rule, row.member_count)
    dismissed = int(own.membership == DISMISSED)
    return row._replace(name=name, join_rule=rule, member_count=count, dismissed=dismissed).shown()


def members_only(standing: Standing) -> None:
    """Raise NotAMember for everybody else."""
    if standing.own is None or standing.own.membership != JOINED:
        raise NotAMember()


def owner_only(caller: Caller, standing: Standing, what: str) -> None:
    """Raise Forbidden for other members, who are told `what` they cannot do; NotAMember for everybody else."""
    members_only(standing)
    if standing.row.owner != caller.user:
        raise Forbidden(f"only the group's owner can {what}")
