"""The newest of many users' logs in one reading: what another process has just written for all of them."""

from collections.abc import Mapping
from operator import itemgetter
from typing import Final, NamedTuple

import msgspec

from tui_chat.server.engines import Transaction

from .crowdlog import waiting_for_many
from .replay import Logged, replay_for_many

EVENTS_MOST: Final = 20
"""Of each user; who is further behind reads on alone."""


class Latest(NamedTuple):
    """What follows in a user's log, up to its end."""

    last: int
    events: list[tuple[int, str | None, msgspec.Raw]] | None
    """(eventSeq, the only device that is told or None, event); None where it is too much for here."""


def latest(tx: Transaction, reached: Mapping[int, int]) -> dict[int, Latest]:
    """What follows the positions that each of these users has reached; who has reached the end is left out."""
    newest: dict[int, int] = {}
    far: set[int] = set()
    for user, seq, floor in tx.in_list("SELECT account, seq, floor FROM stream WHERE account IN (?*)", list(reached)):
        if seq > reached[user]:
            newest[user] = seq
            if seq - reached[user] > EVENTS_MOST or reached[user] < floor:
                far.add(user)
    near = [user for user in newest if user not in far]
    # One statement for everybody: from the end of each log back, as far as anybody needs.
    most = max((newest[user] - reached[user] for user in near), default=0)
    rows = tx.in_list(
        "SELECT e.account, e.seq, e.conversation, e.message_seq, e.data, d.device_id FROM stream s"
        " JOIN event e ON e.account = s.account AND e.seq > s.seq - ? LEFT JOIN device d ON d.id = e.only_device"
        " WHERE s.account IN (?*)",
        near,
        most,
    )
    logged: dict[int, list[Logged]] = {user: [] for user in near}
    only: dict[tuple[int, int], str | None] = {}
    for user, seq, conversation, message_seq, data, device_id in sorted(rows, key=lambda row: (row[0], row[1])):
        if seq > reached[user]:
            logged[user].append((seq, conversation, message_seq, data))
            only[user, seq] = device_id
    short = [user for user in near if len(logged[user]) < newest[user] - reached[user]]
    for user, waits in waiting_for_many(tx, short, most).items():
        logged[user] += [one for one in waits if one.event_seq > reached[user]]
        logged[user].sort(key=itemgetter(0))
        only.update(((user, one.event_seq), None) for one in waits)
        if len(logged[user]) < newest[user] - reached[user]:
            far.add(user)
    told = replay_for_many(tx, logged)
    found = {
        user: Latest(newest[user], [(seq, only[user, seq], raw) for seq, raw in told.get(user, ())]) for user in near
    }
    return found | {user: Latest(newest[user], None) for user in far}
