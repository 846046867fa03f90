"""Devices that are logged in, and their tokens.

Tokens are 256 random bits and stand in the database as SHA-256. A refresh token is exchanged for a new pair; the old
one still works until the new pair was used (an answer can get lost), afterwards showing it again means that somebody
has a copy, and the device is logged out (RFC 9700, section 4.14.2).

No token lives longer than it was made for, though it was made while the machine's clock was ahead: an access token that
seems to is refused, and the refresh token brings another one; a refresh token has as long as a new one from when the
clock is seen to be right again, which is within an hour (see `redate`).
"""

import secrets
from collections.abc import Sequence
from hashlib import sha256
from typing import Final, NamedTuple

from tui_chat.protocol import limits
from tui_chat.protocol.errors import DeviceNotFound
from tui_chat.protocol.events import DeviceRevoked
from tui_chat.protocol.models import Device
from tui_chat.protocol.requests import DeviceList, Done, Session
from tui_chat.protocol.text import accept_name
from tui_chat.server.engines import Revoked, Transaction

from .caller import Caller
from .eventlog import Outgoing, emit
from .settling import DAY

SEEN_EVERY: Final = 60_000
"""Milliseconds between two notes of when a device was last seen."""
ACCESS_MS: Final = limits.ACCESS_TOKEN_SECONDS * 1000
REFRESH_MS: Final = limits.REFRESH_TOKEN_SECONDS * 1000
ASKEW_MS: Final = 300_000
"""Clocks of several hosts may differ by so much; a clock that was ahead by more was wrong."""
KEPT_DAYS: Final = limits.DELETION_LOG_DAYS + 1
"""Days that a revoked device's row stays: the log of deletions names it."""
_ROWS: Final = 2_000


def log_in(tx: Transaction, account: int, user_id: str, device_name: str) -> Session:
    """Make a device of an account; where it has limits.DEVICES already, the one last seen longest ago goes.

    A name that another of them has gets a number, so that "Deleted on vm 2" says which.

    Raises InvalidName.
    """
    name = accept_name(device_name, "a device's name")
    tx.lock_users((account,))
    held = tx.all(
        "SELECT id, device_id, name, refresh_until FROM device WHERE account = ? AND revoked IS NULL"
        " ORDER BY last_seen, id",
        account,
    )
    too_many = max(0, len(held) - limits.DEVICES + 1)
    _revoke(tx, account, [_Row(*row[:2]) for row in held[:too_many]])
    name = _free(name, {row[2] for row in held[too_many:] if row[3] > tx.now})
    device = tx.next_key("device")
    device_id = secrets.token_hex(8)
    tx.execute(
        "INSERT INTO device (id, device_id, account, name, access_hash, access_until, refresh_hash, refresh_until,"
        " confirmed, created, last_seen, revoked) VALUES (?, ?, ?, ?, NULL, 0, NULL, 0, 1, ?, ?, NULL)",
        device,
        device_id,
        account,
        name,
        tx.now,
        tx.now,
    )
    return _new_tokens(tx, device, user_id, device_id)


def _free(name: str, taken: set[str]) -> str:
    """The name, or with the first number from 2 on that nobody has; within limits.NAME_CHARACTERS."""
    if name not in taken:
        return name
    endings = (f" {number}" for number in range(2, len(taken) + 2))
    numbered = (name[: limits.NAME_CHARACTERS - len(ending)].rstrip() + ending for ending in endings)
    return next(one for one in numbered if one not in taken)


def _new_tokens(tx: Transaction, device: int, user_id: str, device_id: str) -> Session:
    access, refresh = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    tx.execute(
        "UPDATE device SET access_hash = ?, access_until = ?, refresh_hash = ?, refresh_until = ?, confirmed = 0,"
        " last_seen = ? WHERE id = ?",
        hash_of(access),
        tx.now + ACCESS_MS,
        hash_of(refresh),
        tx.now + REFRESH_MS,
        tx.now,
        device,
    )
    return Session(
        user_id=user_id,
        device_id=device_id,
        access_token=access,
        refresh_token=refresh,
        expires_in=limits.ACCESS_TOKEN_SECONDS,
    )


def refresh(tx: Transaction, refresh_token: str) -> Session | None:
    """A new pair of tokens for a refresh token; None where it is refused.

    A refusal can log the device out, which has to be committed: so it is an answer, not an exception.
    """
    given = hash_of(refresh_token)
    tx.lock_users(
        row[0]
        for row in tx.all(
            "SELECT account FROM device WHERE refresh_hash = ?"
            " UNION SELECT d.account FROM spent_token s JOIN device d ON d.id = s.device WHERE s.hash = ?",
            given,
            given,
        )
    )
    row = tx.one(
        "SELECT d.id, d.device_id, a.user_id, d.refresh_until FROM device d JOIN account a ON a.id = d.account"
        " WHERE d.refresh_hash = ? AND d.revoked IS NULL",
        given,
    )
    if row is not None:
        device, device_id, user_id, until = row
        if until <= tx.now:
            return None
        session = _new_tokens(tx, device, user_id, device_id)
        _spend(tx, given, device, session)
        return session
    row = tx.one(
        "SELECT d.id, d.device_id, d.account, a.user_id, d.refresh_hash, d.confirmed, s.exchanged_for, s.until"
        " FROM spent_token s JOIN device d ON d.id = s.device JOIN account a ON a.id = d.account"
        " WHERE s.hash = ? AND d.revoked IS NULL",
        given,
    )
    if row is None:
        return None
    device, device_id, account, user_id, newest, confirmed, exchanged_for, until = row
    if exchanged_for == newest and not confirmed and until > tx.now:
        session = _new_tokens(tx, device, user_id, device_id)
        # The pair between was perhaps not lost but is somebody else's: it counts as exchanged too, so that a copy shows
        # as soon as one of the pairs is used.
        tx.execute(
            "UPDATE spent_token SET exchanged_for = ? WHERE device = ? AND exchanged_for = ?",
            hash_of(session.refresh_token),
            device,
            newest,
        )
        _spend(tx, newest, device, session)
        return session
    _revoke(tx, account, [_Row(device, device_id)])
    return None


def _spend(tx: Transaction, given: str, device: int, session: Session) -> None:
    """Remember an exchanged token for as long as a copy of it could have been good."""
    tx.execute(
        "INSERT INTO spent_token (hash, device, exchanged_for, until) VALUES (?, ?, ?, ?)",
        given,
        device,
        hash_of(session.refresh_token),
        tx.now + REFRESH_MS,
    )


def is_fresh(now: int, until: int) -> bool:
    """Whether an access token that ends at `until` is good at `now`.

    One that lasts longer than any was made for is not: the clock was ahead when it was made, and it would be good for
    as long as the clock was wrong.
    """
    return now < until <= now + 2 * ACCESS_MS


def redate(tx: Transaction) -> bool:
    """Take from devices that were logged in while the clock was ahead what they have too much; whether there may be
    more of them.

    Otherwise a copy of a refresh token would be good for as long as the clock was wrong, an access token, which is
    refused meanwhile, good once more at the end of that, and a device that nobody uses the one seen last.
    """
    latest = tx.now + REFRESH_MS
    rows = tx.all(
        "SELECT id, account FROM device WHERE refresh_until > ? OR access_until > ? OR last_seen > ?"
        " ORDER BY id LIMIT ?",
        latest + ASKEW_MS,
        tx.now + 2 * ACCESS_MS,
        tx.now + ASKEW_MS,
        _ROWS,
    )
    tx.lock_users({account for _, account in rows})
    tx.many(
        "UPDATE device SET refresh_until = CASE WHEN refresh_until > ? THEN ? ELSE refresh_until END,"
        " access_until = CASE WHEN access_until > ? THEN 0 ELSE access_until END,"
        " last_seen = CASE WHEN last_seen > ? THEN ? ELSE last_seen END WHERE id = ?",
        [(latest, latest, tx.now + 2 * ACCESS_MS, tx.now, tx.now, device) for device, _ in rows],
    )
    tx.execute("UPDATE spent_token SET until = ? WHERE until > ?", latest, latest + ASKEW_MS)
    return len(rows) == _ROWS


def touch(tx: Transaction, caller: Caller, access_token: str) -> None:
    """The device has used this access token: the pair before is dead, and the device was just seen.

    The token is named because a newer pair may be on its way, whose answer can still get lost.
    """
    # Several processes may hear of many devices in one moment, each in an order of its own.
    tx.lock_users((caller.user,))
    tx.execute(
        "UPDATE device SET confirmed = 1, last_seen = ?"
        " WHERE id = ? AND access_hash = ? AND (confirmed = 0 OR last_seen < ? OR last_seen > ?)",
        tx.now,
        caller.device,
        hash_of(access_token),
        tx.now - SEEN_EVERY,
        tx.now,
    )


def devices(tx: Transaction, caller: Caller) -> DeviceList:
    """The devices that are logged in, the last seen first."""
    rows = tx.all(
        "SELECT device_id, name, created, last_seen FROM device WHERE account = ? AND revoked IS NULL"
        " AND refresh_until > ? ORDER BY last_seen DESC, id DESC",
        caller.user,
        tx.now,
    )
    return DeviceList(
        devices=[
            Device(
                device_id=device_id,
                name=name,
                created_at=created,
                last_seen_at=last_seen,
                current=device_id == caller.device_id,
            )
            for device_id, name, created, last_seen in rows
        ]
    )


def logout(tx: Transaction, caller: Caller) -> Done:
    """Log the calling device out."""
    return Done(event_seq=_revoke(tx, caller.user, [_Row(caller.device, caller.device_id)]))


def revoke(tx: Transaction, caller: Caller, device_id: str) -> Done:
    """Log one of the caller's devices out. Raises DeviceNotFound."""
    tx.lock_users((caller.user,))
    row = tx.one(
        "SELECT id, device_id FROM device WHERE account = ? AND device_id = ? AND revoked IS NULL",
        caller.user,
        device_id,
    )
    if row is None:
        raise DeviceNotFound()
    return Done(event_seq=_revoke(tx, caller.user, [_Row(*row)]))


class Gone(NamedTuple):
    """How many devices were logged out, and the user's last eventSeq of it; 0 where there were none."""

    devices: int
    event_seq: int


def revoke_others(tx: Transaction, caller: Caller) -> Gone:
    """Log every other device of the caller out."""
    held = _held(tx, caller.user)
    others = [one for one in held if one.device != caller.device]
    return Gone(len(others), _revoke(tx, caller.user, others))


def revoke_all(tx: Transaction, account: int) -> None:
    """Log every device of an account out that has no event log any more to tell of it."""
    _end(tx, account, _held(tx, account))


class _Row(NamedTuple):
    device: int
    device_id: str


def _held(tx: Transaction, account: int) -> list[_Row]:
    tx.lock_users((account,))
    rows = tx.all("SELECT id, device_id FROM device WHERE account = ? AND revoked IS NULL ORDER BY id", account)
    return [_Row(*row) for row in rows]


def _revoke(tx: Transaction, account: int, gone: Sequence[_Row]) -> int:
    _end(tx, account, gone)
    told = [Outgoing(account, DeviceRevoked(device_id=one.device_id)) for one in gone]
    return emit(tx, told).get(account, 0)


def _end(tx: Transaction, account: int, gone: Sequence[_Row]) -> None:
    tx.many(
        "UPDATE device SET revoked = ?, access_hash = NULL, refresh_hash = NULL WHERE id = ?",
        [(tx.now, one.device) for one in gone],
    )
    tx.many("DELETE FROM spent_token WHERE device = ?", [(one.device,) for one in gone])
    tx.revoked += [Revoked(account, one.device_id) for one in gone]


def revoked_since(tx: Transaction, time: int) -> list[str]:
    """The deviceIDs of those that were logged out after a time (milliseconds)."""
    return [row[0] for row in tx.all("SELECT device_id FROM device WHERE revoked > ?", time)]


def forget_revoked(tx: Transaction) -> bool:
    """Forget devices that were logged out so long ago that nothing names them; whether there may be more."""
    rows = tx.all("SELECT id FROM device WHERE revoked <= ? ORDER BY revoked LIMIT ?", tx.now - KEPT_DAYS * DAY, _ROWS)
    tx.many("DELETE FROM device WHERE id = ?", rows)
    return len(rows) == _ROWS


def hash_of(token: str) -> str:
    """What is stored of a token or an invitation: of 256 (144) random bits a plain SHA-256 is enough."""
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
