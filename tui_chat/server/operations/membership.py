"""Periods of membership: they begin and end at a tip, both inclusive."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from tui_chat.protocol import ids
from tui_chat.server.engines import Transaction

from .history import Stored
from .state import JOINED, MEMBER
from .users import Account, NewSide, add_sides


class Joining(NamedTuple):
    """Somebody who becomes a member."""

    account: Account
    role: int = MEMBER


def enter(tx: Transaction, conversation: int, group_id: str, joining: Sequence[Joining], at: Stored) -> None:
    """Begin periods at the tip `at`; a former member's last one becomes a past one. Who had applied waits no more."""
    tx.lock_users(one.account.key for one in joining)
    keys = [one.account.key for one in joining]
    query = "SELECT account FROM state WHERE account IN (?*) AND conversation = ?"
    former = {row[0] for row in tx.in_list(query, keys, conversation)}
    back = [one for one in joining if one.account.key in former]
    tx.many(
        "INSERT INTO past_period (account, conversation, join_seq, join_count, leave_seq, leave_count)"
        " SELECT account, conversation, join_seq, join_count, leave_seq, leave_count FROM state"
        " WHERE account = ? AND conversation = ?",
        [(one.account.key, conversation) for one in back],
    )
    tx.many(
        "UPDATE state SET membership = ?, role = ?, join_seq = ?, join_count = ?, leave_seq = NULL, leave_count = NULL,"
        " leave_time = NULL, left_name = NULL, left_rule = NULL, left_count = NULL, left_owner = NULL,"
        " left_muted = NULL, past = past + 1 WHERE account = ? AND conversation = ?",
        [(JOINED, one.role, at.seq, at.so_far, one.account.key, conversation) for one in back],
    )
    conversation_id = ids.group(group_id)
    add_sides(
        tx,
        [
            NewSide(one.account.key, conversation, conversation_id, None, JOINED, one.role, at.seq, at.so_far)
            for one in joining
            if one.account.key not in former
        ],
    )
    tx.many(
        "DELETE FROM application WHERE conversation = ? AND account = ?",
        [(conversation, one.account.key) for one in joining],
    )
    tx.execute(
        "UPDATE chat_group SET member_count = member_count + ? WHERE conversation = ?", len(joining), conversation
    )


_PARTING: Final = (
    " membership = ?, leave_seq = ?, leave_count = ?, leave_time = ?,"
    " left_name = (SELECT g.name FROM chat_group g WHERE g.conversation = state.conversation),"
    " left_rule = (SELECT g.join_rule FROM chat_group g WHERE g.conversation = state.conversation),"
    " left_count = (SELECT g.member_count FROM chat_group g WHERE g.conversation = state.conversation),"
    " left_owner = (SELECT g.owner FROM chat_group g WHERE g.conversation = state.conversation),"
    " left_muted = (SELECT g.muted FROM chat_group g WHERE g.conversation = state.conversation)"
)
"""What ends a period: the group stays for its former member as it was then, they themselves gone."""


def leave(tx: Transaction, conversation: int, account: int, how: int, at: Stored) -> None:
    """End a member's period at the tip `at`."""
    tx.lock_users((account,))
    tx.execute("UPDATE chat_group SET member_count = member_count - 1 WHERE conversation = ?", conversation)
    tx.execute(
        f"UPDATE state SET{_PARTING} WHERE account = ? AND conversation = ?",
        how,
        at.seq,
        at.so_far,
        tx.now,
        account,
        conversation,
    )


def joined(tx: Transaction, conversation: int) -> list[int]:
    """The accounts of a group's members."""
    rows = tx.all("SELECT account FROM state WHERE conversation = ? AND membership = ?", conversation, JOINED)
    return [row[0] for row in rows]


def leave_all(tx: Transaction, conversation: int, how: int, at: Stored) -> None:
    """End every member's period at the tip `at`, and the group with it."""
    members = joined(tx, conversation)
    tx.lock_users(members)
    tx.execute("UPDATE chat_group SET member_count = 0, dismissed = 1 WHERE conversation = ?", conversation)
    tx.execute(
        f"UPDATE state SET{_PARTING} WHERE conversation = ? AND membership = ?",
        how,
        at.seq,
        at.so_far,
        tx.now,
        conversation,
        JOINED,
    )


def set_roles(tx: Transaction, conversation: int, roles: Mapping[int, int]) -> None:
    """Give members other roles, by account."""
    tx.lock_users(roles)
    tx.many(
        "UPDATE state SET role = ? WHERE account = ? AND conversation = ?",
        [(role, account, conversation) for account, role in roles.items()],
    )
