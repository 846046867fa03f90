"""Who may know of whom whether they are there: those who talk with each other one-to-one."""

from collections.abc import Sequence
from typing import NamedTuple

from tui_chat.protocol import limits
from tui_chat.server.engines import Transaction


class Acquaintance(NamedTuple):
    """One with whom a user has a one-to-one conversation."""

    account: int
    user_id: str
    told: bool
    """Is told whether the user is there: the user has read something there, and has not blocked them. So nobody learns
    it by merely writing to a stranger."""
    shown: bool
    """The user is told whether they are there, for the same reasons."""


class Acquaintances(NamedTuple):
    """A user and those with whom they talked last, at most limits.PRESENCE_PEERS."""

    user_id: str
    peers: list[Acquaintance]


def acquaintances(tx: Transaction, users: Sequence[int]) -> dict[int, Acquaintances]:
    """Of each of these users."""
    names: dict[int, str] = dict(tx.in_list("SELECT id, user_id FROM account WHERE id IN (?*)", users))
    found = {}
    for user, user_id in names.items():
        rows = tx.all(
            "SELECT p.peer, a.user_id, p.read_seq, t.read_seq,"
            " (SELECT COUNT(*) FROM block b WHERE b.account = p.account AND b.blocked = p.peer),"
            " (SELECT COUNT(*) FROM block b WHERE b.account = p.peer AND b.blocked = p.account)"
            " FROM (SELECT s.account, s.peer, s.conversation, s.read_seq FROM state s"
            " JOIN conversation c ON c.id = s.conversation"
            " WHERE s.account = ? AND s.peer IS NOT NULL ORDER BY c.last_time DESC LIMIT ?) p"
            " JOIN state t ON t.account = p.peer AND t.conversation = p.conversation JOIN account a ON a.id = p.peer",
            user,
            limits.PRESENCE_PEERS,
        )
        found[user] = Acquaintances(
            user_id,
            [
                Acquaintance(peer, peer_id, own_read > 0 and not blocks, their_read > 0 and not blocked)
                for peer, peer_id, own_read, their_read, blocks, blocked in rows
            ],
        )
    return found
