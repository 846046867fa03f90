"""Accounts, the devices that are logged in to them, and their tokens.

Tokens are 256 random bits and stand in the database as SHA-256. A refresh token is exchanged for a new pair; the old
one still works until the new pair was used (an answer can get lost), afterwards showing it again means that somebody
has a copy, and the device is logged out. Passwords are hashed and verified by whoever calls, off the transaction.
"""

import secrets
from hashlib import sha256
from typing import Final

from tui_chat.protocol import limits
from tui_chat.protocol.errors import (
    DeviceNotFound,
    NameTaken,
    RegistrationClosed,
    Unauthorized,
    WrongPassword,
)
from tui_chat.protocol.events import DeviceRevoked, Event, UserChanged
from tui_chat.protocol.ids import check_user_id, fold
from tui_chat.protocol.models import Device, User
from tui_chat.protocol.requests import Credentials, DeviceList, Done, Invite, Me, Session
from tui_chat.protocol.text import accept_name
from tui_chat.server.engines import Revoked, Transaction

from .caller import Caller, administrators_only
from .eventlog import Outgoing, emit
from .settings import current, facts
from .users import NewAccount, account_of, add_accounts

INVITE_SECONDS: Final = 7 * 86_400
SEEN_EVERY: Final = 60_000
"""Milliseconds between two notes of when a device was last seen."""


def check_registration(tx: Transaction, credentials: Credentials, *, open_registration: bool) -> None:
    """Raise what `register` would raise, so that no password is hashed for nothing.

    Raises:
        InvalidName, RegistrationClosed, NameTaken.
    """
    check_user_id(credentials.user_id)
    accept_name(credentials.device_name, "a device's name")
    if credentials.nick is not None:
        accept_name(credentials.nick, "a nick")
    if credentials.invite is not None:
        usable = tx.one(
            "SELECT 1 FROM invite WHERE hash = ? AND account IS NULL AND until > ?", _hash(credentials.invite), tx.now
        )
        if usable is None:
            raise RegistrationClosed("that invitation is unknown, used or too old: ask for another one")
    elif not _is_open(tx, open_registration):
        raise RegistrationClosed()
    if tx.one("SELECT 1 FROM account WHERE folded = ?", fold(credentials.user_id)) is not None:
        raise NameTaken(f"{credentials.user_id} is taken: choose another userID")


def register(tx: Transaction, credentials: Credentials, password_hash: str, *, open_registration: bool) -> Session:
    """Make an account and log its first device in. The first account is an administrator's.

    `open_registration`: whether the setting `auto` lets this request register without an invitation.

    Raises:
        InvalidName, RegistrationClosed, NameTaken.
    """
    check_registration(tx, credentials, open_registration=open_registration)
    first = nobody_yet(tx)
    nick = None if credentials.nick is None else accept_name(credentials.nick, "a nick")
    add_accounts(tx, [NewAccount(credentials.user_id, nick, password_hash, first)])
    account = account_of(tx, credentials.user_id)
    if credentials.invite is not None:
        tx.execute("UPDATE invite SET account = ? WHERE hash = ?", account.key, _hash(credentials.invite))
    return _log_in(tx, account.key, account.user_id, credentials.device_name)


def _is_open(tx: Transaction, open_registration: bool) -> bool:
    match current(tx).registration:
        case "open":
            return True
        case "invite":
            return open_registration and nobody_yet(tx)
        case "auto":
            return open_registration


def nobody_yet(tx: Transaction) -> bool:
    """Whether there is no account at all."""
    return tx.one("SELECT 1 FROM account LIMIT 1") is None


def password_of(tx: Transaction, user_id: str) -> str | None:
    """The stored hash of a user's password; None where there is no such user, or none can log in."""
    row = tx.one("SELECT password_hash FROM account WHERE folded = ?", fold(user_id))
    return None if row is None else row[0]


def login(tx: Transaction, credentials: Credentials) -> Session:
    """Log a device in; the caller has verified the password.

    Raises:
        InvalidName: the device's name cannot be one.
        WrongPassword: there is no such user.
    """
    row = tx.one("SELECT id, user_id FROM account WHERE folded = ?", fold(credentials.user_id))
    if row is None:
        raise WrongPassword()
    return _log_in(tx, row[0], row[1], credentials.device_name)


def _log_in(tx: Transaction, account: int, user_id: str, device_name: str) -> Session:
    name = accept_name(device_name, "a device's name")
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


def _new_tokens(tx: Transaction, device: int, user_id: str, device_id: str) -> Session:
    access, refresh = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    tx.execute(
        "UPDATE device SET access_hash = ?, access_until = ?, refresh_hash = ?, refresh_until = ?, confirmed = 0,"
        " last_seen = ? WHERE id = ?",
        _hash(access),
        tx.now + limits.ACCESS_TOKEN_SECONDS * 1000,
        _hash(refresh),
        tx.now + limits.REFRESH_TOKEN_SECONDS * 1000,
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
    given = _hash(refresh_token)
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
        _spend(tx, given, device, session)
        return session
    _revoke(tx, account, user_id, device, device_id)
    return None


def _spend(tx: Transaction, given: str, device: int, session: Session) -> None:
    """Remember an exchanged token for as long as a copy of it could have been good."""
    tx.execute(
        "INSERT INTO spent_token (hash, device, exchanged_for, until) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (hash) DO UPDATE SET exchanged_for = excluded.exchanged_for",
        given,
        device,
        _hash(session.refresh_token),
        tx.now + limits.REFRESH_TOKEN_SECONDS * 1000,
    )


def authenticate(tx: Transaction, access_token: str) -> Caller:
    """Who an access token stands for. Raises Unauthorized."""
    row = tx.one(
        "SELECT a.id, a.user_id, d.id, d.device_id, d.name, a.administrator, d.access_until"
        " FROM device d JOIN account a ON a.id = d.account WHERE d.access_hash = ? AND d.revoked IS NULL",
        _hash(access_token),
    )
    if row is None or row[6] <= tx.now:
        raise Unauthorized()
    return Caller(
        user=row[0],
        user_id=row[1],
        device=row[2],
        device_id=row[3],
        device_name=row[4],
        administrator=bool(row[5]),
    )


def touch(tx: Transaction, caller: Caller) -> None:
    """Note that a device's tokens are in use: the pair before them is dead, and the device was just seen."""
    tx.execute(
        "UPDATE device SET confirmed = 1, last_seen = ? WHERE id = ? AND (confirmed = 0 OR last_seen < ?)",
        tx.now,
        caller.device,
        tx.now - SEEN_EVERY,
    )


def me(tx: Transaction, caller: Caller) -> Me:
    """The caller, and what it has to know of the server."""
    return Me(
        user_id=caller.user_id,
        device_id=caller.device_id,
        device_name=caller.device_name,
        nick=account_of(tx, caller.user_id).nick,
        administrator=caller.administrator,
        server=facts(tx),
    )


def set_nick(tx: Transaction, caller: Caller, nick: str | None) -> Me:
    """Change or remove one's nick; those who have a conversation with the caller are told. Raises InvalidName.

    They are told of the user alone, from which clients name the row anew: a Conversation would carry watermarks, of
    which a device may not have been told.
    """
    accepted = None if nick is None else accept_name(nick, "a nick")
    tx.lock_users((caller.user,))
    if accepted == account_of(tx, caller.user_id).nick:
        return me(tx, caller)
    tx.execute("UPDATE account SET nick = ?, nick_folded = ? WHERE id = ?", accepted, fold(accepted or ""), caller.user)
    changed = UserChanged(user=User(user_id=caller.user_id, nick=accepted))
    peers = tx.all(
        "SELECT s.peer, a.user_id FROM state s JOIN account a ON a.id = s.peer WHERE s.account = ? ORDER BY s.peer",
        caller.user,
    )
    emit(tx, [Outgoing(account, user_id, changed) for account, user_id in [(caller.user, caller.user_id), *peers]])
    return me(tx, caller)


def logout(tx: Transaction, caller: Caller) -> Done:
    """Log the calling device out."""
    return Done(event_seq=_revoke(tx, caller.user, caller.user_id, caller.device, caller.device_id))


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


def revoke(tx: Transaction, caller: Caller, device_id: str) -> Done:
    """Log one of the caller's devices out. Raises DeviceNotFound."""
    row = tx.one(
        "SELECT id FROM device WHERE account = ? AND device_id = ? AND revoked IS NULL", caller.user, device_id
    )
    if row is None:
        raise DeviceNotFound()
    return Done(event_seq=_revoke(tx, caller.user, caller.user_id, row[0], device_id))


def _revoke(tx: Transaction, account: int, user_id: str, device: int, device_id: str) -> int:
    tx.execute("UPDATE device SET revoked = ?, access_hash = NULL, refresh_hash = NULL WHERE id = ?", tx.now, device)
    tx.execute("DELETE FROM spent_token WHERE device = ?", device)
    tx.revoked.append(Revoked(account, device_id))
    event: Event = DeviceRevoked(device_id=device_id)
    return emit(tx, [Outgoing(account, user_id, event)])[account]


def create_invite(tx: Transaction, caller: Caller) -> Invite:
    """A code for one registration, for INVITE_SECONDS. Raises AdministratorOnly."""
    administrators_only(caller)
    return _invite(tx)


def first_invite(tx: Transaction) -> Invite | None:
    """An invitation for the first account, which is its administrator's; None where there is an account."""
    if not nobody_yet(tx):
        return None
    tx.execute("DELETE FROM invite")
    return _invite(tx)


def _invite(tx: Transaction) -> Invite:
    code = secrets.token_urlsafe(18)
    tx.execute(
        "INSERT INTO invite (hash, account, until) VALUES (?, NULL, ?)", _hash(code), tx.now + INVITE_SECONDS * 1000
    )
    return Invite(invite=code, expires_in=INVITE_SECONDS)


def _hash(token: str) -> str:
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
