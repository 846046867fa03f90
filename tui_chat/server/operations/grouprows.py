"""Groups as rows, and who may do what to them."""

from typing import Literal, NamedTuple

from tui_chat.protocol import ids
from tui_chat.protocol.errors import Forbidden, GroupNotFound, NotAMember
from tui_chat.protocol.models import Group
from tui_chat.server.engines import Transaction

from .caller import Caller
from .state import JOINED, side


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


def living(tx: Transaction, group_id: str) -> GroupRow:
    """The group, locked. Raises GroupNotFound where it is not, or is no longer."""
    row = group_of(tx, group_id)
    tx.lock_conversations((row.conversation,))
    row = group_of(tx, group_id)
    if row.dismissed:
        raise GroupNotFound("that group was dismissed")
    return row


def members_only(tx: Transaction, caller: Caller, row: GroupRow) -> None:
    """Raise NotAMember for everybody else."""
    own = side(tx, caller.user, ids.fold(ids.group(row.group_id)))
    if own is None or own.membership != JOINED:
        raise NotAMember()


def owner_only(tx: Transaction, caller: Caller, row: GroupRow, what: str) -> None:
    """Raise Forbidden for other members, who are told `what` they cannot do; NotAMember for everybody else."""
    members_only(tx, caller, row)
    if row.owner != caller.user:
        raise Forbidden(f"only the group's owner can {what}")
