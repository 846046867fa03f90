"""The newest of many users' logs in one reading: what another process has just written for all of them."""

from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

from tui_chat.server.engines import Transaction

from .crowdlog import logged_for_many
from .replay import replay_for_many

EVENTS_MOST: Final = 20
"""Of each user; who is further behind reads on alone."""


NOBODY: Final = ""
"""The deviceID of what only a device was to hear that is forgotten by now."""


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
    near = {user: reached[user] for user in newest if user not in far}
    found = logged_for_many(tx, near, newest)
    far |= {user for user, rows in found.items() if len(rows) < newest[user] - reached[user]}
    near_rows = {user: rows for user, rows in found.items() if user not in far}
    devices = {row[1] for rows in near_rows.values() for row in rows if row[1] is not None}
    names: dict[int | None, str | None] = {None: None}
    names |= tx.in_list("SELECT id, device_id FROM device WHERE id IN (?*)", list(devices))
    told = replay_for_many(
        tx, {user: [(row[0], row[2], row[3], row[4]) for row in rows] for user, rows in near_rows.items()}
    )
    only = {(user, row[0]): names.get(row[1], NOBODY) for user, rows in near_rows.items() for row in rows}
    latest = {
        user: Latest(newest[user], [(seq, only[user, seq], raw) for seq, raw in told[user]]) for user in near_rows
    }
    return latest | {user: Latest(newest[user], None) for user in far}
