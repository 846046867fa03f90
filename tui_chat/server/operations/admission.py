"""Becoming a member, however it comes about."""

from collections.abc import Sequence
from functools import partial

from tui_chat.protocol import limits
from tui_chat.protocol.errors import TooManyMembers
from tui_chat.protocol.models import TipKind
from tui_chat.server.engines import Transaction

from .blocking import check_may_add
from .caller import Caller
from .grouprows import GroupRow
from .membership import Joining, enter
from .notices import notify, of_group
from .tips import write_tip
from .users import Account


def check_room(present: int, new: int) -> None:
    """Raise TooManyMembers where `new` do not fit beside those who are there."""
    if present + new > limits.GROUP_MEMBERS:
        raise TooManyMembers(f"a group has at most {limits.GROUP_MEMBERS} members")


def admit(tx: Transaction, caller: Caller, row: GroupRow, new: Sequence[Account], how: TipKind) -> int:
    """Make members, with one tip of `how` however many they are; the caller's eventSeq, 0 where nobody is new.

    One tip, because each is told to everybody who is in by then: 2,000 in tips of a hundred made 21,000 events.
    """
    if not new:
        return 0
    told = write_tip(
        tx,
        row.conversation,
        row.group_id,
        caller,
        how,
        user_ids=[one.user_id for one in new],
        name=row.name,
        effect=partial(enter, tx, row.conversation, row.group_id, [Joining(one) for one in new]),
    )
    return told.positions.get(caller.user, 0)


def add(tx: Transaction, caller: Caller, row: GroupRow, new: Sequence[Account]) -> int:
    """Make members of people who did not ask for it, and tell each of them; the caller's last eventSeq.

    Raises Blocked where one of them has blocked the caller.
    """
    check_may_add(tx, caller, new)
    event_seq = admit(tx, caller, row, new, TipKind.INVITED)
    notify(tx, [of_group(caller, row, TipKind.INVITED, one, one) for one in new])
    return event_seq
