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
DAY: Final = 86_400_000
"""Milliseconds."""


def settle(tx: Transaction, account: int, batches: Sequence[int]) -> None:
    """Make what is live of these batches of one user final."""
    tx.lock_users((account,))
    operations = {
        row[0] for row in tx.in_list("SELECT id FROM operation WHERE status = ? AND batch IN (?*)", batches, LIVE)
    }
    hidden: dict[int, int] = {}
    cleared: dict[int, int] = {}
    done = []
    for conversation, operation, hidden_share, cleared_share in tx.all(
        "SELECT conversation, operation, hidden, cleared FROM item WHERE account = ?", account
    ):
        if operation in operations:
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
    tx.many("UPDATE operation SET status = ? WHERE id = ?", [(FINAL, operation) for operation in operations])
    tx.many("UPDATE batch SET status = ? WHERE id = ?", [(FINAL, batch) for batch in batches])
    to_be_erased(tx, [conversation for conversation, share in cleared.items() if share])


def to_be_erased(tx: Transaction, conversations: Sequence[int]) -> None:
    """Note conversations in which there may now be messages that nobody can see."""
    tx.many(
        "INSERT INTO erasure (conversation) VALUES (?) ON CONFLICT (conversation) DO NOTHING",
        [(conversation,) for conversation in conversations],
    )
