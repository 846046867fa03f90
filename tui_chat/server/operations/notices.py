"""Notices: what the server tells users beside their groups, in @TIM#SYSTEM. Nobody else can write there."""

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

import msgspec

from tui_chat.protocol.models import MessageType, Tip, TipKind
from tui_chat.server.engines import Transaction

from .caller import Caller
from .extras import MESSAGE_TYPES, Extra
from .grouprows import GroupRow
from .history import THE_SYSTEM, UNINDEXED
from .posting import announce, as_written, seen_by
from .state import Seat, system_seats
from .users import SYSTEM_FOLDED, Account

_NOTICE: Final = MESSAGE_TYPES.index(MessageType.NOTICE)
"""Its number in the database."""


class Notice(NamedTuple):
    """What one user is told."""

    account: int
    user_id: str
    tip: Tip


def of_group(
    caller: Caller,
    row: GroupRow,
    what: TipKind,
    reader: Account,
    whom: Account | None = None,
    *,
    role: Literal["admin", "member"] | None = None,
    text: str | None = None,
) -> Notice:
    """What `reader` is told of what the caller did in a group, to `whom` if to anybody."""
    tip = Tip(
        what=what,
        operator=caller.user_id,
        user_id_list=[] if whom is None else [whom.user_id],
        group_id=row.group_id,
        name=row.name,
        role=role,
        text=text,
    )
    return Notice(reader.key, reader.user_id, tip)


def notify(tx: Transaction, notices: Sequence[Notice]) -> None:
    """Write notices and tell their readers, however many, in a handful of statements; one for each user.

    Who was erased has no conversation with the system any more, and is told nothing.
    """
    if len({one.account for one in notices}) < len(notices):
        raise ValueError("a user is given two notices at once")
    accounts = [one.account for one in notices]
    query = "SELECT conversation FROM state WHERE account IN (?*) AND folded = ?"
    tx.lock_conversations(row[0] for row in tx.in_list(query, accounts, SYSTEM_FOLDED))
    tx.lock_users(accounts)
    seats = system_seats(tx, accounts)
    written = [_written(tx, one, seats[one.account]) for one in notices if one.account in seats]
    tx.many(
        "INSERT INTO message (conversation, seq, sender, client_id, time, type, count, text, extra)"
        " VALUES (?, ?, ?, NULL, ?, ?, ?, ?, ?)",
        [
            (
                seat.side.conversation,
                seat.side.last_seq,
                THE_SYSTEM.account,
                tx.now,
                _NOTICE,
                seat.side.last_count,
                text,
                msgspec.json.encode(extra).decode(),
            )
            for seat, text, extra in written
        ],
    )
    tx.many(
        "UPDATE conversation SET last_seq = ?, last_count = ?, last_time = ? WHERE id = ?",
        [
            (seat.side.last_seq, seat.side.last_count, seat.side.last_time, seat.side.conversation)
            for seat, _, _ in written
        ],
    )
    tx.many(UNINDEXED, [(seat.side.conversation,) for seat, _, _ in written])
    reached = []
    for seat, text, extra in written:
        message = as_written(
            tx,
            conversation_id=seat.side.conversation_id,
            message_seq=seat.side.last_seq,
            sender=THE_SYSTEM,
            kind=MessageType.NOTICE,
            text=text,
            extra=extra,
        )
        reached += seen_by(tx, [seat], message)
    announce(tx, reached)


def _written(tx: Transaction, notice: Notice, seat: Seat) -> tuple[Seat, str, Extra]:
    """The seat as it is after the notice, and what the notice says. A notice counts as unread."""
    own = seat.side
    after = msgspec.structs.replace(own, last_seq=own.last_seq + 1, last_count=own.last_count + 1, last_time=tx.now)
    return seat._replace(side=after), in_english(notice), Extra(tip=notice.tip)


def in_english(notice: Notice) -> str:
    """The notice as a sentence, for clients that do not say it in their reader's language."""
    tip = notice.tip
    whom = ", ".join("you" if user_id == notice.user_id else user_id for user_id in tip.user_id_list)
    match tip.what:
        case TipKind.INVITED:
            return f"{tip.operator} added {whom} to {tip.name}"
        case TipKind.KICKED:
            return f"{tip.operator} removed {whom} from {tip.name}"
        case TipKind.DISMISSED:
            return f"{tip.operator} dismissed {tip.name}"
        case TipKind.TRANSFERRED:
            return f"{tip.operator} made {whom} the owner of {tip.name}"
        case TipKind.ROLE if tip.role == "admin":
            return f"{tip.operator} made {whom} an administrator of {tip.name}"
        case TipKind.ROLE:
            return f"{tip.operator} made {whom} an ordinary member of {tip.name} again"
        case TipKind.APPLIED:
            return f"{tip.operator} asks to join {tip.name}" + (f": {tip.text}" if tip.text else "")
        case TipKind.ACCEPTED:
            return f"{tip.operator} let {whom} join {tip.name}"
        case TipKind.DECLINED:
            return f"{tip.operator} declined to let {whom} join {tip.name}"
        case _:
            raise ValueError(f"nobody is notified of {tip.what}")
