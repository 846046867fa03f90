"""What a restored backup takes over from the data that it replaces, so that nothing comes back that was ended for good.

A backup is older than promises that were made since: that an account is erased, that its name is never given out again,
that somebody is no longer an administrator, that an invitation is used, that a recalled text is gone, that a deletion
is final, that what administrators did stands in the log. Everything else is as the backup has it.

Rows are taken for the same in both where more than their numbers agree, because numbers are given out again after a
restore: an account also in its name and when it was made, a message in who sent it and when.
"""

import sqlite3
from typing import Final

import msgspec


class TakenOver(msgspec.Struct, frozen=True):
    """How much there was of each."""

    erased: int
    """Accounts that were erased since the backup."""
    names: int
    """Names of users and groups that were given out since; nobody gets them."""
    withdrawn: int
    """Messages that were recalled, or removed by an administrator."""
    final: int
    """Conversations, of one user each, in which a deletion became final."""
    demoted: int
    """Who is an administrator in the backup, and was no longer one."""
    invitations: int
    """Which let somebody in since, or were withdrawn with whoever had made them."""


_SAME: Final = "b.id = n.id AND b.folded = n.folded AND b.created = n.created"
SAME_ACCOUNTS: Final = f"SELECT n.id FROM main.account n JOIN before.account b ON {_SAME}"  # noqa: S608
"""Keys of the accounts that are in both."""

_SHARED: Final = (
    "CREATE TEMP TABLE shared AS SELECT n.conversation AS conversation, MAX(n.seq) AS through FROM main.message n"
    " JOIN before.message b ON b.conversation = n.conversation AND b.seq = n.seq AND b.sender = n.sender"
    " AND b.time = n.time GROUP BY n.conversation"
)
"""How far each conversation is the same in both: what one says of later messages says nothing of the other's."""
_RECALLED: Final = (
    "CREATE TEMP TABLE withdrawn AS SELECT b.conversation AS conversation, b.seq AS seq, b.version AS version,"
    " b.extra AS extra FROM before.message b JOIN main.message n ON n.conversation = b.conversation AND n.seq = b.seq"
    " AND n.sender = b.sender AND n.time = b.time WHERE b.recalled = 1 AND n.recalled = 0 AND n.text IS NOT NULL"
)
_SETTLED: Final = (
    "CREATE TEMP TABLE settled AS SELECT n.account AS account, n.conversation AS conversation,"  # noqa: S608
    " MAX(n.hidden_settled, MIN(b.hidden_settled, s.through, COALESCE(n.leave_seq, s.through))) AS hidden,"
    " MAX(n.cleared_settled, MIN(b.cleared_settled, s.through, COALESCE(n.leave_seq, s.through))) AS cleared,"
    " b.pinned AS pinned FROM main.state n JOIN before.state b ON b.account = n.account"
    " AND b.conversation = n.conversation AND b.folded = n.folded JOIN temp.shared s ON s.conversation = n.conversation"
    f" WHERE n.account IN ({SAME_ACCOUNTS}) AND"
    " (b.hidden_settled > n.hidden_settled OR b.cleared_settled > n.cleared_settled)"
)
_WITHDRAWN: Final = "(conversation, seq) IN (SELECT conversation, seq FROM temp.withdrawn)"
_SETTLED_OF: Final = "FROM temp.settled t WHERE t.account = state.account AND t.conversation = state.conversation"
_AUDIT: Final = "time, administrator, device_name, what, whom, details"


def take_over(connection: sqlite3.Connection, now: int) -> TakenOver:
    """Do it, in the transaction that is open; `connection` has the replaced data as the database `before`."""
    taken = TakenOver(
        erased=_erased(connection, now),
        names=_names(connection, now),
        withdrawn=_withdrawn(connection),
        final=_final(connection),
        demoted=_demoted(connection),
        invitations=_invitations(connection),
    )
    _audit(connection)
    return taken


def _demoted(connection: sqlite3.Connection) -> int:
    """Rights that were taken away do not come back, unless nobody would have any."""
    gone = connection.execute(
        f"SELECT n.id FROM main.account n JOIN before.account b ON {_SAME}"  # noqa: S608
        " WHERE n.administrator = 1 AND b.administrator = 0"
    ).fetchall()
    left = connection.execute("SELECT COUNT(*) FROM main.account WHERE administrator = 1").fetchone()[0] - len(gone)
    if not left:
        return 0
    connection.executemany("UPDATE main.account SET administrator = 0 WHERE id = ?", gone)
    return len(gone)


def _invitations(connection: sqlite3.Connection) -> int:
    """One that was open in the backup and is not any more lets nobody in; those that were made since are gone."""
    return connection.execute(
        "DELETE FROM main.invite WHERE account IS NULL"
        " AND hash NOT IN (SELECT hash FROM before.invite WHERE account IS NULL)"
    ).rowcount


def _erased(connection: sqlite3.Connection, now: int) -> int:
    """As the account's own request would: what is left of it goes when the server tidies up."""
    gone = connection.execute(
        f"SELECT n.id, b.erased FROM main.account n JOIN before.account b ON {_SAME}"  # noqa: S608
        " WHERE b.erased IS NOT NULL AND n.erased IS NULL"
    ).fetchall()
    connection.executemany(
        "UPDATE main.account SET nick = NULL, nick_folded = '', password_hash = NULL, administrator = 0, erased = ?"
        " WHERE id = ?",
        [(erased, key) for key, erased in gone],
    )
    connection.executemany("INSERT INTO main.departure (account, time) VALUES (?, ?)", [(key, now) for key, _ in gone])
    if gone and connection.execute("SELECT 1 FROM main.account WHERE administrator = 1").fetchone() is None:
        # All who administered the server then are gone: those do who came after them.
        connection.execute(
            "UPDATE main.account SET administrator = 1 WHERE erased IS NULL AND id IN"  # noqa: S608
            f" (SELECT n.id FROM main.account n JOIN before.account b ON {_SAME} WHERE b.administrator = 1)"
        )
    return len(gone)


def _names(connection: sqlite3.Connection, now: int) -> int:
    """Those of users stay as those of erased accounts, those of groups as those of dismissed ones."""
    users = connection.execute(
        "SELECT id, user_id, folded, created, COALESCE(erased, ?) FROM before.account"
        " WHERE folded NOT IN (SELECT folded FROM main.account) ORDER BY id",
        (now,),
    ).fetchall()
    for key, user_id, folded, created, erased in users:
        connection.execute(
            "INSERT INTO main.account (id, user_id, folded, nick, nick_folded, password_hash, administrator, created,"
            " erased) VALUES (?, ?, ?, NULL, '', NULL, 0, ?, ?)",
            (_free(connection, "account", key), user_id, folded, created, erased),
        )
    groups = connection.execute(
        "SELECT g.conversation, g.group_id, g.folded, g.created, (SELECT n.id FROM main.account n"
        " JOIN before.account b ON b.folded = n.folded WHERE b.id = g.owner) FROM before.chat_group g"
        " WHERE g.folded NOT IN (SELECT folded FROM main.chat_group) ORDER BY g.conversation"
    ).fetchall()
    for key, group_id, folded, created, owner in groups:
        place = _free(connection, "conversation", key)
        connection.execute(
            "INSERT INTO main.conversation (id, kind, low, high, last_seq, last_count, last_time, erased_through)"
            " SELECT ?, kind, ?, 0, 0, 0, 0, 0 FROM before.conversation WHERE id = ?",
            (place, place, key),
        )
        connection.execute(
            "INSERT INTO main.chat_group (conversation, group_id, folded, name, join_rule, owner, member_count,"
            " dismissed, created) VALUES (?, ?, ?, ?, 'closed', ?, 0, 1, ?)",
            (place, group_id, folded, group_id, owner, created),
        )
    return len(users) + len(groups)


def _free(connection: sqlite3.Connection, table: str, key: int) -> int:
    """The key, or where something else has it, one that nothing has."""
    if connection.execute(f"SELECT 1 FROM main.{table} WHERE id = ?", (key,)).fetchone() is None:  # noqa: S608
        return key
    return int(connection.execute(f"SELECT MAX(id) + 1 FROM main.{table}").fetchone()[0])  # noqa: S608


def _withdrawn(connection: sqlite3.Connection) -> int:
    """What was recalled has no body, and nothing hangs on it."""
    connection.execute(_RECALLED)
    changed = connection.execute(
        "UPDATE main.message SET text = '', edited_at = NULL, recalled = 1, (version, extra) ="  # noqa: S608
        " (SELECT MAX(w.version, message.version + 1), w.extra FROM temp.withdrawn w"
        f" WHERE w.conversation = message.conversation AND w.seq = message.seq) WHERE {_WITHDRAWN}"
    ).rowcount
    for table in ("reaction", "former_message", "mention"):
        connection.execute(f"DELETE FROM main.{table} WHERE {_WITHDRAWN}")  # noqa: S608 - one of three names
    connection.execute(
        "UPDATE main.search_block SET signature = NULL WHERE EXISTS (SELECT 1 FROM temp.withdrawn w"
        " WHERE w.conversation = search_block.conversation AND w.seq BETWEEN first_seq AND last_seq)"
    )
    _recount(connection, "conversation IN (SELECT conversation FROM temp.withdrawn)")
    connection.execute("DROP TABLE temp.withdrawn")
    return changed


def _final(connection: sqlite3.Connection) -> int:
    """The higher watermark counts, as far as the messages are the same; bodies go when the server tidies up."""
    connection.execute(_SHARED)
    connection.execute(_SETTLED)
    here = "(account, conversation) IN (SELECT account, conversation FROM temp.settled)"
    changed = connection.execute(
        "UPDATE main.state SET (hidden_settled, cleared_settled, hidden, cleared, pinned) ="  # noqa: S608
        " (SELECT t.hidden, t.cleared, MAX(state.hidden, t.hidden), MAX(state.cleared, t.cleared),"
        f" MIN(state.pinned, t.pinned) {_SETTLED_OF})"
        f" WHERE {here}"
    ).rowcount
    _recount(connection, here)
    connection.execute(
        "INSERT INTO main.perhaps_unseen (conversation, account) SELECT DISTINCT conversation, account"
        " FROM temp.settled WHERE TRUE ON CONFLICT (conversation, account) DO NOTHING"
    )
    connection.execute("DROP TABLE temp.settled")
    connection.execute("DROP TABLE temp.shared")
    return changed


def _recount(connection: sqlite3.Connection, where: str) -> None:
    """Let the counts of these sides follow from their watermarks again."""
    connection.execute(
        "UPDATE main.state SET floor_count = COALESCE((SELECT m.count FROM main.message m"  # noqa: S608
        " WHERE m.conversation = state.conversation AND m.seq = MAX(state.read_seq, state.hidden, state.cleared)), 0),"
        " mention_count = (SELECT COUNT(*) FROM main.mention m WHERE m.account = state.account"
        " AND m.conversation = state.conversation AND m.seq > MAX(state.read_seq, state.hidden, state.cleared))"
        f" WHERE {where}"
    )


def _audit(connection: sqlite3.Connection) -> None:
    """Both logs as one, in the order of time."""
    rows = connection.execute(
        f"SELECT {_AUDIT} FROM (SELECT MIN(id) AS id, {_AUDIT} FROM"  # noqa: S608
        f" (SELECT id, {_AUDIT} FROM before.audit UNION ALL SELECT id, {_AUDIT} FROM main.audit)"
        f" GROUP BY {_AUDIT}) ORDER BY time, id"
    ).fetchall()
    connection.execute("DELETE FROM main.audit")
    connection.executemany(
        f"INSERT INTO main.audit (id, {_AUDIT}) VALUES (?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
        [(number, *row) for number, row in enumerate(rows, 1)],
    )
