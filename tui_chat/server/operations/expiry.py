"""Tidying, a bounded piece at a time: final deletions, bodies that nobody can see, logs that are too long."""

from typing import Final

from tui_chat.protocol import limits
from tui_chat.server.engines import Transaction

from .settling import DAY, LIVE, settle
from .state import SIDE, Side, past_periods

BATCHES: Final = 20
CONVERSATIONS: Final = 50
MESSAGES: Final = 2_000
EVENTS: Final = 5_000
USERS: Final = 100
ROWS: Final = 2_000
"""The most of each that one call works on."""
TRIM_EVERY: Final = 3_600_000
"""Milliseconds between two looks at what days have made too old; they go through every user's log."""


def tidy(tx: Transaction) -> bool:
    """Do some of what is due; whether there is more, so that it should be called again soon."""
    more = [fold_expired(tx), erase_unseen(tx)]
    row = tx.one("SELECT value FROM meta WHERE name = 'trimmed'")
    if row is None or abs(tx.now - int(row[0])) >= TRIM_EVERY:
        more += [trim_logs(tx), forget_old(tx)]
        if not any(more):
            tx.execute(
                "INSERT INTO meta (name, value) VALUES ('trimmed', ?)"
                " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                str(tx.now),
            )
    return any(more)


def fold_expired(tx: Transaction) -> bool:
    """Make deletions final whose time for undo is over."""
    rows = tx.all(
        "SELECT account, id FROM batch WHERE status = ? AND until <= ? ORDER BY until LIMIT ?", LIVE, tx.now, BATCHES
    )
    due: dict[int, list[int]] = {}
    for account, batch in rows:
        due.setdefault(account, []).append(batch)
    for account in sorted(due):
        settle(tx, account, due[account])
    return len(rows) == BATCHES


def erase_unseen(tx: Transaction) -> bool:
    """Take the bodies of messages that nobody can see, nor bring back by undo. The numbers stay."""
    due = [row[0] for row in tx.all("SELECT conversation FROM erasure ORDER BY conversation LIMIT ?", CONVERSATIONS)]
    left = MESSAGES
    for conversation in due:
        tx.lock_conversations((conversation,))
        row = tx.one("SELECT erased_through FROM conversation WHERE id = ?", conversation)
        erased = row[0] if row is not None else 0
        through = unseen_through(tx, conversation)
        until = min(through, erased + left)
        if until > erased:
            tx.execute(
                "UPDATE message SET text = NULL, extra = NULL WHERE conversation = ? AND seq > ? AND seq <= ?",
                conversation,
                erased,
                until,
            )
            tx.many(
                "DELETE FROM mention WHERE account = ? AND conversation = ? AND seq <= ?",
                [
                    (account, conversation, until)
                    for (account,) in tx.all("SELECT account FROM state WHERE conversation = ?", conversation)
                ],
            )
            tx.execute("UPDATE conversation SET erased_through = ? WHERE id = ?", until, conversation)
            left -= until - erased
        if until < through:
            return True
        tx.execute("DELETE FROM erasure WHERE conversation = ?", conversation)
    return len(due) == CONVERSATIONS


def unseen_through(tx: Transaction, conversation: int) -> int:
    """Up to which message nobody can see any of a conversation: its end, where nobody can see anything."""
    query = f"SELECT {SIDE} FROM state s JOIN conversation c ON c.id = s.conversation WHERE s.conversation = ?"  # noqa: S608
    everyone = [Side(*row) for row in tx.all(query, conversation)]
    if not everyone:
        return 0
    past = past_periods(tx, everyone)
    seen = [
        max(period.first, one.cleared_settled + 1)
        for one in everyone
        for period in one.periods(past.get((one.account, one.conversation), ()))
        if period.last > one.cleared_settled
    ]
    return min(seen) - 1 if seen else everyone[0].last_seq


def trim_logs(tx: Transaction) -> bool:
    """Forget events over limits.LOG_EVENTS of a user, and older than limits.LOG_DAYS."""
    long = tx.all(
        "SELECT account, seq, floor FROM stream WHERE seq - floor > ? ORDER BY account LIMIT ?",
        limits.LOG_EVENTS,
        USERS,
    )
    old = tx.all(
        "SELECT s.account, s.floor FROM stream s JOIN event e ON e.account = s.account AND e.seq = s.floor + 1"
        " WHERE e.time < ? ORDER BY s.account LIMIT ?",
        tx.now - limits.LOG_DAYS * DAY,
        USERS,
    )
    floors = {account: min(seq - limits.LOG_EVENTS, floor + EVENTS) for account, seq, floor in long}
    for account, floor in old:
        row = tx.one(
            "SELECT MAX(e.seq) FROM (SELECT seq, time FROM event WHERE account = ? AND seq > ? ORDER BY seq LIMIT ?) e"
            " WHERE e.time < ?",
            account,
            floor,
            EVENTS,
            tx.now - limits.LOG_DAYS * DAY,
        )
        if row is not None and row[0] is not None:
            floors[account] = max(row[0], floors.get(account, 0))
    tx.lock_users(floors)
    tx.many("DELETE FROM event WHERE account = ? AND seq <= ?", sorted(floors.items()))
    tx.many("UPDATE stream SET floor = ? WHERE account = ?", [(floor, account) for account, floor in floors.items()])
    return len(long) == USERS or len(old) == USERS


def forget_old(tx: Transaction) -> bool:
    """Forget answers to retries, entries of the log of deletions, and tokens whose time is over."""
    tx.execute("DELETE FROM spent_token WHERE until <= ?", tx.now)
    answers = tx.all(
        "SELECT account, operation_id FROM answered WHERE time <= ? ORDER BY time LIMIT ?",
        tx.now - limits.OPERATION_DAYS * DAY,
        ROWS,
    )
    tx.many("DELETE FROM answered WHERE account = ? AND operation_id = ?", answers)
    batches = tx.all(
        "SELECT id FROM batch WHERE status <> ? AND time <= ? ORDER BY id LIMIT ?",
        LIVE,
        tx.now - limits.DELETION_LOG_DAYS * DAY,
        ROWS,
    )
    tx.many("DELETE FROM operation WHERE batch = ?", batches)
    tx.many("DELETE FROM batch WHERE id = ?", batches)
    return ROWS in (len(answers), len(batches))
