"""Erasing an account. At once: password, nick and every log-in; the rest in bounded pieces, as `tidy` comes to it.

What stays is the userID, so that it is never given out again, and what the user said in others' histories under that
name: those are theirs. Groups are left, those that the user owns go to another member; a one-to-one conversation stays
readable for the other side, which keeps how far it was read, and takes nothing any more.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from tui_chat.protocol.errors import Forbidden, LastAdministrator
from tui_chat.protocol.events import UserChanged
from tui_chat.protocol.models import User
from tui_chat.protocol.requests import Done, GroupCommand, TransferGroup
from tui_chat.server.engines import Transaction

from . import audit, groups, members
from .accounts import check_still
from .caller import Caller, administrators_only
from .devices import revoke_all
from .eventlog import Outgoing, emit
from .settling import note_perhaps_unseen
from .state import GROUP, JOINED
from .users import account_of

MEMBERS_A_PIECE: Final = 500
"""Members of groups that one piece tells; one group at least."""
ROWS_A_PIECE: Final = 500
LEAVING_AT_ONCE: Final = 50
"""Accounts that are looked at."""
AFTERWARDS_MS: Final = 60_000
"""So long what requests that were on their way may have left behind is looked for."""

_KEYED: Final = (
    ("past_period", "account", ("account", "conversation", "join_seq")),
    ("mention", "account", ("account", "conversation", "seq")),
    ("share", "account", ("account", "batch", "operation", "part")),
    ("operation", "account", ("id",)),
    ("batch", "account", ("id",)),
    ("answered", "account", ("account", "operation_id")),
    ("application", "account", ("conversation", "account")),
    ("block", "account", ("account", "blocked")),
    ("block", "blocked", ("account", "blocked")),
    ("invite", "account", ("hash",)),
    ("invite", "creator", ("hash",)),
    ("event", "account", ("account", "seq")),
    ("device", "account", ("id",)),
    ("stream", "account", ("account",)),
)
"""What is the user's alone: (table, the column that names the user, the key)."""


def erase_self(tx: Transaction, caller: Caller, *, verified: str) -> Done:
    """Erase the caller's account. `verified`: the stored hash against which the password was checked.

    Raises:
        PasswordMismatch: the password has been changed meanwhile.
        LastAdministrator.
    """
    check_still(tx, caller, verified)
    _begin(tx, caller.user)
    return Done()


def remove_user(tx: Transaction, caller: Caller, user_id: str) -> Done:
    """Erase somebody else's account, for an administrator; it is written down.

    Raises:
        AdministratorOnly, UserNotFound.
        Forbidden: it is the caller's own, for which the password is needed.
    """
    administrators_only(tx, caller)
    target = account_of(tx, user_id)
    if target.key == caller.user:
        raise Forbidden("your own account is erased with its password: `tui-chat account erase`")
    _begin(tx, target.key)
    audit.note(tx, caller, "user.removed", target.user_id)
    return Done()


def check_not_last_administrator(tx: Transaction, account: int) -> None:
    """Raise LastAdministrator where there would be none without this one."""
    query = "SELECT id FROM account WHERE administrator = 1 ORDER BY id"
    tx.lock_users(row[0] for row in tx.all(query))
    if tx.all(query) == [(account,)]:
        raise LastAdministrator()


def _begin(tx: Transaction, account: int) -> None:
    """What holds from the answer on: nobody logs in, nothing can be sent there, no name is left but the ID, and no
    invitation of theirs lets anybody in."""
    tx.lock_users((account,))
    check_not_last_administrator(tx, account)
    tx.execute(
        "UPDATE account SET nick = NULL, nick_folded = '', password_hash = NULL, administrator = 0, erased = ?"
        " WHERE id = ?",
        tx.now,
        account,
    )
    revoke_all(tx, account)
    tx.execute("DELETE FROM invite WHERE creator = ? AND account IS NULL", account)
    tx.execute("INSERT INTO departure (account, time) VALUES (?, ?)", account, tx.now)


class _Leaving(NamedTuple):
    account: int
    user_id: str
    since: int


def go_on(tx: Transaction) -> bool:
    """Do one bounded piece of what is due; whether there is more to do now."""
    rows = tx.all(
        "SELECT d.account, a.user_id, d.time FROM departure d JOIN account a ON a.id = d.account"
        " ORDER BY d.time, d.account LIMIT ?",
        LEAVING_AT_ONCE,
    )
    for leaving in (_Leaving(*row) for row in rows):
        if _leave_groups(tx, leaving) or _leave_conversations(tx, leaving) or _forget(tx, leaving):
            return True
        if abs(tx.now - leaving.since) >= AFTERWARDS_MS:
            tx.execute("DELETE FROM departure WHERE account = ?", leaving.account)
            return True
    return False


def _leave_groups(tx: Transaction, leaving: _Leaving) -> bool:
    """End memberships, as the user would: hand on or dismiss what is owned, then leave."""
    rows = tx.all(
        "SELECT g.group_id, g.conversation, g.owner, g.member_count FROM state s"
        " JOIN chat_group g ON g.conversation = s.conversation WHERE s.account = ? AND s.membership = ?"
        " ORDER BY s.conversation LIMIT ?",
        leaving.account,
        JOINED,
        ROWS_A_PIECE,
    )
    caller = Caller(user=leaving.account, user_id=leaving.user_id, device=0, device_id="", device_name="")
    told = 0
    for group_id, conversation, owner, member_count in rows:
        told += member_count
        if told > MEMBERS_A_PIECE and told > member_count:
            break
        if owner == leaving.account:
            heir = _heir(tx, conversation)
            if heir is None:
                groups.dismiss(tx, caller, group_id)
                continue
            groups.transfer(tx, caller, group_id, TransferGroup(user_id=heir))
        members.quit_group(tx, caller, group_id, GroupCommand())
    return bool(rows)


def _heir(tx: Transaction, conversation: int) -> str | None:
    """Who owns a group next: of its administrators, else of all, who has been there longest."""
    row = tx.one(
        "SELECT a.user_id FROM state s JOIN account a ON a.id = s.account"
        " WHERE s.conversation = ? AND s.membership = ? AND a.erased IS NULL"
        " ORDER BY s.role DESC, s.join_seq, s.account LIMIT 1",
        conversation,
        JOINED,
    )
    return None if row is None else row[0]


def _leave_conversations(tx: Transaction, leaving: _Leaving) -> bool:
    """Take the user's side of conversations away, and tell the others of one-to-one ones that the nick is gone."""
    rows = tx.all(
        "SELECT s.conversation, c.kind, p.id, s.read_seq FROM state s"
        " JOIN conversation c ON c.id = s.conversation LEFT JOIN account p ON p.id = s.peer"
        " WHERE s.account = ? ORDER BY s.conversation LIMIT ?",
        leaving.account,
        ROWS_A_PIECE,
    )
    keys = [row[0] for row in rows]
    tx.lock_conversations(keys)
    tx.lock_users({leaving.account, *(row[2] for row in rows if row[2])})
    tx.many(
        "UPDATE state SET peer_read = ? WHERE account = ? AND conversation = ?",
        [(read_seq, peer, key) for key, _, peer, read_seq in rows if peer],
    )
    mine = [(leaving.account, key) for key in keys]
    for table in ("past_period", "mention", "state"):
        tx.many(f"DELETE FROM {table} WHERE account = ? AND conversation = ?", mine)  # noqa: S608 - one of three names
    note_perhaps_unseen(tx, leaving.account, keys)
    nameless = UserChanged(user=User(user_id=leaving.user_id))
    emit(tx, [Outgoing(peer, nameless) for _, kind, peer, _ in rows if kind != GROUP and peer])
    return bool(rows)


def _forget(tx: Transaction, leaving: _Leaving) -> bool:
    """Take what is the user's alone, a table at a time."""
    tx.lock_users((leaving.account,))
    for table, column, key in _KEYED:
        columns = ", ".join(key)
        rows: Sequence[tuple[object, ...]] = tx.all(
            f"SELECT {columns} FROM {table} WHERE {column} = ? LIMIT ?",  # noqa: S608 - names from the table above
            leaving.account,
            ROWS_A_PIECE,
        )
        if rows:
            where = " AND ".join(f"{name} = ?" for name in key)
            tx.many(f"DELETE FROM {table} WHERE {where}", rows)  # noqa: S608 - names from the table above
            return True
    return False
