"""When the time for undo is over: a deletion's share of the watermarks becomes part of the settled value.

The watermarks in effect do not move by it, so nobody is told, and it does not matter when it is done.
"""

from collections.abc import Sequence
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
    operations: dict[int, int] = dict(
        tx.in_list("SELECT id, batch FROM operation WHERE status = ? AND batch IN (?*)", batches, LIVE)
    )
    counts = dict.fromkeys(operations, 0)
    counted: set[tuple[int, int]] = set()
    hidden: dict[int, int] = {}
    cleared: dict[int, int] = {}
    done = []
    for conversation, operation, hidden_share, cleared_share in tx.all(
        "SELECT conversation, operation, hidden, cleared FROM item WHERE account = ? ORDER BY operation",
        account,
    ):
        if operation in operations:
            # What two calls of a batch deleted is one conversation for the log, whose entry keeps no IDs.
            if (operations[operation], conversation) not in counted:
                counted.add((operations[operation], conversation))
                counts[operation] += 1
            hidden[conversation] = max(hidden_share, hidden.get(conversation, 0))
            cleared[conversation] = max(cleared_share, cleared.get(conversation, 0))
            done.append((account, conversation, operation))
    tx.many(
        "UPDATE state SET hidden_settled = CASE WHEN hidden_settled < ? THEN ? ELSE hidden_settled END,"
        " cleared_settled = CASE WHEN cleared_settled < ? THEN ? ELSE cleared_settled END"
        " WHERE account = ? AND conversation = ?",
        [
            (share, share, cleared[conversation], cleared[conversation], account, conversation)
            for conversation, share in hidden.items()
        ],
    )
    tx.many("DELETE FROM item WHERE account = ? AND conversation = ? AND operation = ?", done)
    tx.many(
        "UPDATE operation SET status = ?, count = ? WHERE id = ?",
        [(FINAL, count, operation) for operation, count in counts.items()],
    )
    tx.many("UPDATE batch SET status = ? WHERE id = ?", [(FINAL, batch) for batch in batches])
    to_be_erased(tx, [conversation for conversation, share in cleared.items() if share])


def to_be_erased(tx: Transaction, conversations: Sequence[int]) -> None:
    """Note conversations in which there may now be messages that nobody can see."""
    tx.many(
        "INSERT INTO erasure (conversation) VALUES (?) ON CONFLICT (conversation) DO NOTHING",
        [(conversation,) for conversation in conversations],
    )
