"""What happens in a group, told in the group: tips, with their facts and in English."""

from collections.abc import Callable, Sequence
from typing import Final, Literal, NamedTuple

from tui_chat.protocol import ids
from tui_chat.protocol.events import GroupChanged
from tui_chat.protocol.models import Group, MessageType, Tip, TipKind
from tui_chat.server.engines import Transaction

from .caller import Caller
from .eventlog import Outgoing, emit
from .extras import Extra
from .history import Sender, Stored, append
from .posting import Reached, announce, as_written, reach

TIP_USERS: Final = 100
"""Users that a tip lists; of more it says how many, so that it stays small for everybody who is sent it."""
_NAMED: Final = 3
"""Users that a tip's English names before it counts."""
_RULES: Final = {
    "free": "everybody",
    "approval": "whom the owner or an administrator lets in",
    "closed": "only who is added",
}


class Told(NamedTuple):
    """Who saw a tip, and where it stands in each one's event log."""

    members: list[Reached]
    positions: dict[int, int]


def write_tip(
    tx: Transaction,
    conversation: int,
    group_id: str,
    caller: Caller,
    what: TipKind,
    *,
    user_ids: Sequence[str] = (),
    name: str | None = None,
    role: Literal["admin", "member"] | None = None,
    join: Literal["free", "approval", "closed"] | None = None,
    effect: Callable[[Stored], None] | None = None,
) -> Told:
    """Write a tip, let it have its effect on membership, and tell everybody who sees it."""
    tip = Tip(
        what=what,
        operator=caller.user_id,
        user_id_list=list(user_ids[:TIP_USERS]),
        user_count=len(user_ids) if len(user_ids) > TIP_USERS else 0,
        group_id=group_id,
        name=name,
        role=role,
        join=join,
    )
    text = in_english(tip)
    extra = Extra(tip=tip)
    stored = append(tx, conversation, sender=caller.user, kind=MessageType.TIP, text=text, extra=extra)
    tx.lock_everybody((conversation,))
    if effect is not None:
        effect(stored)
    nick = tx.one("SELECT nick FROM account WHERE id = ?", caller.user)
    message = as_written(
        tx,
        conversation_id=ids.group(group_id),
        message_seq=stored.seq,
        sender=Sender(caller.user, caller.user_id, None if nick is None else nick[0]),
        kind=MessageType.TIP,
        text=text,
        extra=extra,
    )
    members = reach(tx, conversation, message)
    return Told(members, announce(tx, members))


def in_english(tip: Tip) -> str:
    """The tip as a sentence, for clients that do not say it in their reader's language."""
    users = ", ".join(tip.user_id_list[:_NAMED])
    count = tip.user_count or len(tip.user_id_list)
    if count > _NAMED:
        users += f" and {count - _NAMED} more"
    match tip.what:
        case TipKind.CREATED:
            return f"{tip.operator} created the group {tip.name}"
        case TipKind.INVITED:
            return f"{tip.operator} added {users}"
        case TipKind.JOINED:
            return f"{tip.operator} joined"
        case TipKind.ACCEPTED:
            return f"{tip.operator} let {users} join"
        case TipKind.QUIT:
            return f"{tip.operator} left"
        case TipKind.KICKED:
            return f"{tip.operator} removed {users}"
        case TipKind.DISMISSED:
            return f"{tip.operator} dismissed the group"
        case TipKind.RENAMED:
            return f"{tip.operator} renamed the group to {tip.name}"
        case TipKind.JOIN_RULE:
            return f"{tip.operator} changed who may join: {_RULES[tip.join or 'closed']}"
        case TipKind.TRANSFERRED:
            return f"{tip.operator} made {users} the owner"
        case TipKind.ROLE if tip.role == "admin":
            return f"{tip.operator} made {users} an administrator"
        case TipKind.ROLE:
            return f"{tip.operator} made {users} an ordinary member again"
        case TipKind.MUTED:
            return f"{tip.operator} muted the group: only its owner and administrators can write"
        case TipKind.UNMUTED:
            return f"{tip.operator} let everybody write again"
        case _:
            raise ValueError(f"nothing writes tips of {tip.what}")


def tell_changed(tx: Transaction, caller: Caller, group: Group, members: Sequence[Reached]) -> int:
    """Tell those who saw a tip how the group stands; the caller's eventSeq."""
    told = [Outgoing(one.side.account, GroupChanged(group=group, conversation=one.conversation)) for one in members]
    return emit(tx, told)[caller.user]
