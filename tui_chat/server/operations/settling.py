"""When the time for undo is over: a deletion's share of the watermarks becomes part of the settled value.

The watermarks in effect do not move by it, so nobody is told, and it does not matter when it is done.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from tui_chat.server.engines import Transaction

from .shares import count_ended, forget_shares, save_shares_pins, shares_of, shares_with_pins

LIVE: Final = 0
UNDONE: Final = 1
FINAL: Final = 2
"""`status` of batches and operations."""
ERASED: Final = 3
"""`status` of a batch that was ended by a person: final, and no later call of it is carried out."""
DAY: Final = 86_400_000
"""Milliseconds."""


def settle(tx: Transaction, account: int, batches: Sequence[int]) -> None:
    """Make what is live of these batches of one user final."""
    tx.lock_users((account,))
    fold(
        tx,
        account,
        dict(tx.in_list("SELECT id, batch FROM operation WHERE status = ? AND batch IN (?*)", batches, LIVE)),
    )
    tx.many("UPDATE batch SET status = ? WHERE id = ?", [(FINAL, batch) for batch in batches])


def fold(tx: Transaction, account: int, operations: Mapping[int, int]) -> None:
    """Make live operations (operation -> its batch) of one user, who is locked, final."""
    shares = shares_of(tx, account, set(operations.values()))
    hidden: dict[int, int] = {}
    cleared: dict[int, int] = {}
    taken: dict[int, int] = {}
    """The last of the operations that deleted a conversation."""
    for one in shares:
        if one.operation in operations:
            for conversation, share in one.each():
                hidden[conversation] = max(share.hidden, hidden.get(conversation, 0))
                cleared[conversation] = max(share.cleared, cleared.get(conversation, 0))
                if share.hidden:
                    taken[conversation] = one.operation
    settle_shares(tx, account, [(conversation, share, cleared[conversation]) for conversation, share in hidden.items()])
    forget_shares(tx, account, operations)
    if taken:
        _keep_pins(tx, account, taken)
    tx.many(
        "UPDATE operation SET status = ?, count = ? WHERE id = ?",
        [(FINAL, count, operation) for operation, count in count_ended(shares, operations).items()],
    )


def _keep_pins(tx: Transaction, account: int, taken: Mapping[int, int]) -> None:
    """A deletion that is final (conversation -> operation) took the pin for good, also from the undoing of an earlier
    one."""
    changed = []
    for one in shares_with_pins(tx, account, max(taken.values())):
        left = {key: version for key, version in one.pins.items() if one.operation >= taken.get(key, 0)}
        if len(left) < len(one.pins):
            changed.append((one, left))
    save_shares_pins(tx, account, changed)


def settle_shares(tx: Transaction, account: int, shares: Sequence[tuple[int, int, int]]) -> None:
    """Make parts of the watermarks final: (conversation, hidden, cleared) of one user."""
    tx.change_rows(
        "UPDATE state SET"
        " hidden_settled = CASE WHEN hidden_settled < v.column2 THEN v.column2 ELSE hidden_settled END,"
        " cleared_settled = CASE WHEN cleared_settled < v.column3 THEN v.column3 ELSE cleared_settled END"
        " FROM (VALUES ?**) v WHERE state.account = ? AND state.conversation = v.column1",
        shares,
        account,
    )
    note_perhaps_unseen(tx, account, [conversation for conversation, _, cleared in shares if cleared])


def note_perhaps_unseen(tx: Transaction, account: int, conversations: Sequence[int]) -> None:
    """Note conversations in which there may now be messages that nobody can see, because of a user, who is locked."""
    tx.many(
        "INSERT INTO perhaps_unseen (conversation, account) VALUES (?, ?)"
        " ON CONFLICT (conversation, account) DO NOTHING",
        [(conversation, account) for conversation in sorted(set(conversations))],
    )
