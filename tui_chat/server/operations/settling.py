"""When the time for undo is over: a deletion's share of the watermarks becomes part of the settled value.

The watermarks in effect do not move by it, so nobody is told, and it does not matter when it is done.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from tui_chat.server.engines import Transaction

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
    items = tx.in_list(
        "SELECT conversation, operation, hidden, cleared FROM item WHERE operation IN (?*)", sorted(operations)
    )
    # What two calls of a batch deleted is one conversation for the log, whose entry keeps no IDs: the last one counts.
    counted = {
        (batch, conversation)
        for conversation, batch, operation in tx.in_list(
            "SELECT i.conversation, o.batch, o.id FROM item i JOIN operation o ON o.id = i.operation"
            " WHERE i.account = ? AND i.conversation IN (?*)",
            sorted({item[0] for item in items}),
            account,
        )
        if operation not in operations
    }
    counts = dict.fromkeys(operations, 0)
    hidden: dict[int, int] = {}
    cleared: dict[int, int] = {}
    for conversation, operation, hidden_share, cleared_share in items:
        if (operations[operation], conversation) not in counted:
            counted.add((operations[operation], conversation))
            counts[operation] += 1
        hidden[conversation] = max(hidden_share, hidden.get(conversation, 0))
        cleared[conversation] = max(cleared_share, cleared.get(conversation, 0))
    settle_shares(tx, account, [(conversation, share, cleared[conversation]) for conversation, share in hidden.items()])
    # A deletion that is final took the pin for good, also from the undoing of an earlier one.
    tx.change_rows(
        "UPDATE item SET unpinned = 0 FROM (VALUES ?**) v WHERE item.account = ?"
        " AND item.conversation = v.column1 AND item.operation < v.column2 AND item.unpinned = 1",
        [(conversation, operation) for conversation, operation, hidden_share, _ in items if hidden_share],
        account,
    )
    tx.many("DELETE FROM item WHERE operation = ?", [(operation,) for operation in operations])
    tx.many(
        "UPDATE operation SET status = ?, count = ? WHERE id = ?",
        [(FINAL, count, operation) for operation, count in counts.items()],
    )


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
    to_be_erased(tx, [conversation for conversation, _, cleared in shares if cleared])


def to_be_erased(tx: Transaction, conversations: Sequence[int]) -> None:
    """Note conversations in which there may now be messages that nobody can see."""
    tx.many(
        "INSERT INTO erasure (conversation) VALUES (?) ON CONFLICT (conversation) DO NOTHING",
        [(conversation,) for conversation in sorted(set(conversations))],
    )
