"""Tidying, a bounded piece at a time: final deletions, bodies that nobody can see, logs that are too long."""

from collections.abc import Callable, Sequence
from typing import Final

from tui_chat.protocol import limits
from tui_chat.server.engines import Transaction

from . import accounts, audit, devices, erasing, indexing
from .bodies import erase_bodies
from .settings import current
from .settling import DAY, FINAL, LIVE, fold, note_perhaps_unseen
from .state import SIDE, Side, past_periods

OPERATIONS: Final = 10
"""Calls of deletions, of up to limits.CONVERSATIONS_A_CALL conversations each."""
CONVERSATIONS: Final = 50
MESSAGES: Final = 2_000
EVENTS: Final = 5_000
USERS: Final = 500
"""Whose logs are looked at, whether or not there is anything to trim."""
BATCHES: Final = 50
"""Entries of the log of deletions; each may have had a hundred calls."""
ROWS: Final = 2_000
"""The most of each that one call works on: it holds the writer up for some 10 to 30 ms."""
TRIM_EVERY: Final = 3_600_000
"""Milliseconds between two looks at what days have made too old; they go through every user's log."""
_OVER: Final = (
    "status = ? AND until <= ? AND NOT EXISTS (SELECT 1 FROM operation o WHERE o.batch = batch.id AND o.status = ?)"
)
"""Of batches: LIVE, a time, LIVE."""


Piece = Callable[[Transaction], bool]


def alone(piece: Piece) -> Piece:
    """A piece of tidying that nothing is done of while another process tidies."""
    return lambda tx: tx.is_alone_at("tidying") and piece(tx)


def trim(tx: Transaction) -> bool:
    """Forget what days have made too old, every TRIM_EVERY."""
    row = tx.one("SELECT value FROM meta WHERE name = 'trimmed'")
    if row is not None and abs(tx.now - int(row[0])) < TRIM_EVERY:
        return False
    more = [trim_logs(tx), forget_old(tx), devices.forget_revoked(tx), audit.forget_old(tx), devices.redate(tx)]
    accounts.redate_invitations(tx)
    if not any(more):
        tx.execute(
            "INSERT INTO meta (name, value) VALUES ('trimmed', ?)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            str(tx.now),
        )
    return any(more)


def fold_expired(tx: Transaction) -> bool:
    """Make deletions final whose time for undo is over, call by call: a batch may have had a hundred.

    What was deleted while the clock was ahead has as long from now as it had then.
    """
    ahead = tx.now + devices.ASKEW_MS
    tx.execute(
        "UPDATE batch SET until = until - time + ?, time = ? WHERE status = ? AND until > ? AND time > ?",
        tx.now,
        tx.now,
        LIVE,
        ahead + current(tx).undo_seconds * 1000,  # what was deleted in time is not even looked at
        ahead,
    )
    of_due = (
        "SELECT b.account, o.id, b.id FROM batch b JOIN operation o ON o.batch = b.id"
        " WHERE b.status = ? AND b.until <= ? AND o.status = ?"
    )
    rows = tx.all(f"{of_due} ORDER BY b.until, o.id LIMIT ?", LIVE, tx.now, LIVE, OPERATIONS)
    tx.lock_users({account for account, _, _ in rows})
    # Read once more: until its user was locked, a call may have been undone, or another one of its batch have come.
    due: dict[int, dict[int, int]] = {}
    for account, operation, batch in tx.in_list(
        f"{of_due} AND o.id IN (?*)", [row[1] for row in rows], LIVE, tx.now, LIVE
    ):
        due.setdefault(account, {})[operation] = batch
    for account in sorted(due):
        fold(tx, account, due[account])
    if len(rows) == OPERATIONS:
        return True
    # Only where no call is live: one may have come meanwhile, from a process whose clock is behind.
    ended = tx.all(f"SELECT id, account FROM batch WHERE {_OVER}", LIVE, tx.now, LIVE)  # noqa: S608
    tx.lock_users({account for _, account in ended})
    keys = [key for key, _ in ended]
    tx.change_list(f"UPDATE batch SET status = ? WHERE {_OVER} AND id IN (?*)", keys, FINAL, LIVE, tx.now, LIVE)  # noqa: S608
    return False


def erase_unseen(tx: Transaction) -> bool:
    """Take the bodies of messages that nobody can see, nor bring back by undo. The numbers stay."""
    query = "SELECT DISTINCT conversation FROM perhaps_unseen ORDER BY conversation LIMIT ?"
    due = [row[0] for row in tx.all(query, CONVERSATIONS)]
    left = MESSAGES
    for conversation in due:
        tx.lock_conversations((conversation,))
        # Before it is looked at: what is noted meanwhile stays noted.
        tx.execute("DELETE FROM perhaps_unseen WHERE conversation = ?", conversation)
        row = tx.one("SELECT erased_through FROM conversation WHERE id = ?", conversation)
        erased = row[0] if row is not None else 0
        through = unseen_through(tx, conversation)
        until = min(through, erased + left)
        if until > erased:
            erase_bodies(tx, conversation, erased, until)
            tx.execute("UPDATE conversation SET erased_through = ? WHERE id = ?", until, conversation)
            left -= until - erased
        if until < through:
            note_perhaps_unseen(tx, 0, [conversation])  # nobody's in particular
            return True
    return len(due) == CONVERSATIONS


def unseen_through(tx: Transaction, conversation: int) -> int:
    """Up to which message nobody can see any of a conversation: its end, where nobody can see anything."""
    query = f"SELECT {SIDE} FROM state s JOIN conversation c ON c.id = s.conversation WHERE s.conversation = ?"  # noqa: S608
    everyone = [Side(*row) for row in tx.all(query, conversation)]
    if not everyone:
        # All who were in it have been erased.
        row = tx.one("SELECT last_seq FROM conversation WHERE id = ?", conversation)
        return 0 if row is None else int(row[0])
    past = past_periods(tx, everyone)
    seen = [
        max(period.first, one.cleared_settled + 1)
        for one in everyone
        for period in one.periods(past.get((one.account, one.conversation), ()))
        if period.last > one.cleared_settled
    ]
    return min(seen) - 1 if seen else everyone[0].last_seq


def trim_logs(tx: Transaction) -> bool:
    """Forget events over limits.LOG_EVENTS of a user, and older than limits.LOG_DAYS; goes through all logs, some of
    them at a time."""
    row = tx.one("SELECT value FROM meta WHERE name = 'trimming'")
    after = 0 if row is None else int(row[0])
    too_old = tx.now - limits.LOG_DAYS * DAY
    looked_at = tx.all(
        "SELECT s.account, s.seq, s.floor,"
        " (SELECT e.time FROM event e WHERE e.account = s.account AND e.seq > s.floor ORDER BY e.seq LIMIT 1)"
        " FROM stream s WHERE s.account > ? ORDER BY s.account LIMIT ?",
        after,
        USERS,
    )
    left = EVENTS
    for account, seq, floor, oldest in looked_at:
        through = min(seq - limits.LOG_EVENTS, floor + left)
        if oldest is not None and oldest < too_old:
            through = max(through, _older(tx, account, floor, too_old, left))
        if through > floor:
            tx.lock_users((account,))
            tx.execute("DELETE FROM event WHERE account = ? AND seq <= ?", account, through)
            tx.execute("UPDATE stream SET floor = ? WHERE account = ?", through, account)
            left -= through - floor
            if left <= 0:
                break
        after = account
    finished = left > 0 and len(looked_at) < USERS
    tx.execute(
        "INSERT INTO meta (name, value) VALUES ('trimming', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        "0" if finished else str(after),
    )
    return not finished


def _older(tx: Transaction, account: int, floor: int, time: int, most: int) -> int:
    """Up to which of the `most` oldest events of a log they are older than `time`."""
    row = tx.one(
        "SELECT MAX(e.seq) FROM (SELECT seq, time FROM event WHERE account = ? AND seq > ? ORDER BY seq LIMIT ?) e"
        " WHERE e.time < ?",
        account,
        floor,
        most,
        time,
    )
    return floor if row is None or row[0] is None else int(row[0])


def forget_old(tx: Transaction) -> bool:
    """Forget answers to retries, entries of the log of deletions, and tokens whose time is over."""
    tokens = tx.all("SELECT hash FROM spent_token WHERE until <= ? ORDER BY until LIMIT ?", tx.now, ROWS)
    tx.many("DELETE FROM spent_token WHERE hash = ?", tokens)
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
        BATCHES,
    )
    tx.many("DELETE FROM operation WHERE batch = ?", batches)
    tx.many("DELETE FROM batch WHERE id = ?", batches)
    return ROWS in (len(tokens), len(answers)) or len(batches) == BATCHES


PIECES: Final[Sequence[Piece]] = tuple(map(alone, (erasing.go_on, fold_expired, erase_unseen, indexing.advance, trim)))
"""What there is to tidy, each in a transaction of its own: whoever sends meanwhile waits for one, and where one fails
the others are done. Each does some of it, and tells whether there is more, so that it should be called again soon."""
