"""Blocking: whom one has blocked sends one nothing any more, not even an application to a group, adds one to no group,
and neither is told when the other types.

What is already there stays; in a group that both are in, both go on reading each other. One may still write to whom
one has blocked, as in Tencent's relationship chain. The sender is told (Tencent's 20007) instead of being made to
believe that the message arrived: what the server acknowledges is in a history.
"""

from collections.abc import Sequence

from tui_chat.protocol import limits
from tui_chat.protocol.errors import Blocked, InvalidRequest, TooManyBlocks, UserErased
from tui_chat.protocol.events import UserBlocked
from tui_chat.protocol.models import BlockedUser
from tui_chat.protocol.requests import BlockList, Done
from tui_chat.server.engines import Transaction

from .caller import Caller
from .eventlog import tell
from .users import Account, account_of


def block(tx: Transaction, caller: Caller, user_id: str) -> Done:
    """Take nothing from that user any more; a second time changes nothing.

    Raises:
        UserNotFound: there is none of that name.
        InvalidRequest: it is the caller.
        TooManyBlocks: over limits.BLOCKS.
    """
    target = account_of(tx, user_id)
    if target.key == caller.user:
        raise InvalidRequest("nobody can block themselves")
    tx.lock_users((caller.user,))
    if _has_blocked(tx, caller.user, target.key):
        return Done()
    count = tx.one("SELECT COUNT(*) FROM block WHERE account = ?", caller.user)
    if count is not None and count[0] >= limits.BLOCKS:
        raise TooManyBlocks(f"at most {limits.BLOCKS} users can be blocked")
    tx.execute("INSERT INTO block (account, blocked, time) VALUES (?, ?, ?)", caller.user, target.key, tx.now)
    return Done(event_seq=tell(tx, caller, [UserBlocked(user_id=target.user_id, blocked=True)]))


def unblock(tx: Transaction, caller: Caller, user_id: str) -> Done:
    """Take messages from that user again; a second time changes nothing. Raises UserNotFound."""
    target = account_of(tx, user_id)
    tx.lock_users((caller.user,))
    if not tx.execute("DELETE FROM block WHERE account = ? AND blocked = ?", caller.user, target.key):
        return Done()
    return Done(event_seq=tell(tx, caller, [UserBlocked(user_id=target.user_id, blocked=False)]))


def blocks(tx: Transaction, caller: Caller) -> BlockList:
    """Whom the caller has blocked, the newest first; at most limits.BLOCKS."""
    rows = tx.all(
        "SELECT a.user_id, a.nick, b.time FROM block b JOIN account a ON a.id = b.blocked WHERE b.account = ?"
        " ORDER BY b.time DESC, b.blocked",
        caller.user,
    )
    return BlockList(blocks=[BlockedUser(user_id=row[0], nick=row[1], blocked_at=row[2]) for row in rows])


def check_may_write(tx: Transaction, account: int, peer: int) -> None:
    """Whether a user can write to the other side of a one-to-one conversation.

    Raises:
        Blocked: the other side has blocked them.
        UserErased: there is nobody on the other side any more.
    """
    row = tx.one(
        "SELECT a.erased, b.time FROM account a LEFT JOIN block b ON b.account = a.id AND b.blocked = ? WHERE a.id = ?",
        account,
        peer,
    )
    if row is None or row[0] is not None:
        raise UserErased()
    if row[1] is not None:
        raise Blocked()


def check_may_add(tx: Transaction, caller: Caller, accounts: Sequence[Account]) -> None:
    """Raise Blocked, naming one who has blocked the caller: the caller adds them to no group."""
    found = have_blocked(tx, caller, accounts)
    if found:
        raise Blocked(f"{found[0].user_id} has blocked you: you cannot add them to a group")


def have_blocked(tx: Transaction, caller: Caller, accounts: Sequence[Account]) -> list[Account]:
    """Those of them who have blocked the caller."""
    query = "SELECT account FROM block WHERE account IN (?*) AND blocked = ?"
    found = {row[0] for row in tx.in_list(query, [one.key for one in accounts], caller.user)}
    return [one for one in accounts if one.key in found]


def apart(tx: Transaction, account: int) -> set[int]:
    """Who has blocked this account, and whom it has blocked: neither is told when the other types or comes online."""
    rows = tx.all("SELECT blocked FROM block WHERE account = ?", account)
    rows += tx.all("SELECT account FROM block WHERE blocked = ?", account)
    return {row[0] for row in rows}


def _has_blocked(tx: Transaction, account: int, other: int) -> bool:
    return tx.one("SELECT 1 FROM block WHERE account = ? AND blocked = ?", account, other) is not None
