"""Accounts as others see them, and making them."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from tui_chat.protocol.errors import UserNotFound
from tui_chat.protocol.ids import SYSTEM, fold
from tui_chat.protocol.limits import SEARCH_CHARACTERS
from tui_chat.protocol.models import User
from tui_chat.protocol.requests import UserList
from tui_chat.protocol.text import clean_name
from tui_chat.server.engines import Transaction

from .caller import Caller
from .naming import folded_users
from .state import SYSTEM_KIND

FOUND_MOST: Final = 50
"""Users in one answer to a search."""
SYSTEM_FOLDED: Final = fold(SYSTEM)


class Account(NamedTuple):
    """What operations need of another user."""

    key: int
    user_id: str
    nick: str | None


def find(tx: Transaction, caller: Caller, q: str) -> UserList:
    """Users whose userID or nick starts with `q`, whatever its case; at most FOUND_MOST."""
    begin = fold(clean_name(q[:SEARCH_CHARACTERS]))
    if not begin:
        return UserList(users=[])
    end = begin + "\U0010ffff"
    rows = tx.all(
        "SELECT user_id, nick FROM account"
        " WHERE ((folded >= ? AND folded < ?) OR (nick_folded >= ? AND nick_folded < ?)) AND erased IS NULL"
        " ORDER BY folded LIMIT ?",
        begin,
        end,
        begin,
        end,
        FOUND_MOST,
    )
    return UserList(users=[User(user_id=user_id, nick=nick) for user_id, nick in rows])


def get(tx: Transaction, caller: Caller, user_id: str) -> User:
    """One user. Raises UserNotFound."""
    account = account_of(tx, user_id)
    return User(user_id=account.user_id, nick=account.nick)


def account_of(tx: Transaction, user_id: str) -> Account:
    """The account of a userID in whatever case. Raises UserNotFound, also for one that was erased."""
    row = tx.one("SELECT id, user_id, nick FROM account WHERE folded = ? AND erased IS NULL", fold(user_id))
    if row is None:
        raise UserNotFound(f"there is no user {user_id[:40]!r}")
    return Account(*row)


def accounts_of(tx: Transaction, user_ids: Sequence[str]) -> list[Account]:
    """The accounts of several userIDs, each once, in their order. Raises UserNotFound, naming the first unknown."""
    folded = folded_users(user_ids)
    rows = tx.in_list("SELECT folded, id, user_id, nick FROM account WHERE folded IN (?*) AND erased IS NULL", folded)
    found = {row[0]: Account(*row[1:]) for row in rows}
    for user_id in user_ids:
        if fold(user_id) not in found:
            raise UserNotFound(f"there is no user {user_id[:40]!r}")
    return [found[name] for name in folded]


class NewAccount(NamedTuple):
    """An account to be made."""

    user_id: str
    nick: str | None
    password_hash: str | None
    administrator: bool


def add_accounts(tx: Transaction, accounts: Iterable[NewAccount]) -> None:
    """Make accounts, each with its event log and its conversation with the system."""
    made = list(accounts)
    keys, places = tx.next_keys("account", len(made)), tx.next_keys("conversation", len(made))
    rows = list(zip(keys, places, made, strict=True))
    tx.many(
        "INSERT INTO account (id, user_id, folded, nick, nick_folded, password_hash, administrator, created)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                key,
                new.user_id,
                fold(new.user_id),
                new.nick,
                fold(new.nick or ""),
                new.password_hash,
                int(new.administrator),
                tx.now,
            )
            for key, _, new in rows
        ],
    )
    tx.many("INSERT INTO stream (account, seq, floor) VALUES (?, 0, 0)", [(key,) for key, _, _ in rows])
    add_conversations(tx, [(where, SYSTEM_KIND, key, 0) for key, where, _ in rows])
    add_sides(tx, [NewSide(key, where, SYSTEM) for key, where, _ in rows])


def add_conversations(tx: Transaction, rows: Iterable[tuple[int, int, int, int]]) -> None:
    """Make empty conversations: (key, kind, low, high)."""
    tx.many(
        "INSERT INTO conversation (id, kind, low, high, last_seq, last_count, last_time, erased_through)"
        " VALUES (?, ?, ?, ?, 0, 0, 0, 0)",
        rows,
    )


class NewSide(NamedTuple):
    """A user's side of a conversation to be made."""

    account: int
    conversation: int
    conversation_id: str
    peer: int | None = None
    membership: int = 0
    role: int = 0
    join_seq: int = 0
    join_count: int = 0


def add_sides(tx: Transaction, new: Iterable[NewSide]) -> None:
    """Make sides: nothing read, nothing deleted, no flags."""
    tx.many(
        "INSERT INTO state (account, conversation, conversation_id, folded, peer, membership, role, join_seq,"
        " join_count, leave_seq, leave_count, leave_time, past, hidden, cleared, hidden_settled, cleared_settled,"
        " read_seq, floor_count, mention_count, pinned, pin_version, muted, marked_unread)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL, NULL, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)",
        [
            (
                one.account,
                one.conversation,
                one.conversation_id,
                fold(one.conversation_id),
                one.peer,
                one.membership,
                one.role,
                one.join_seq,
                one.join_count,
            )
            for one in new
        ],
    )
