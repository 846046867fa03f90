"""Accounts: making them, passwords, oneself, invitations.

Passwords are hashed and verified by whoever calls, off the transaction; what was verified is compared once more in the
transaction of the effect, so that a password that was changed meanwhile lets nobody in.
"""

import secrets
from typing import Final

from tui_chat.protocol import limits
from tui_chat.protocol.errors import (
    NameTaken,
    PasswordMismatch,
    RegistrationClosed,
    Unauthorized,
    WrongPassword,
)
from tui_chat.protocol.events import UserChanged
from tui_chat.protocol.ids import check_user_id, fold
from tui_chat.protocol.models import User
from tui_chat.protocol.requests import Credentials, Invite, Me, PasswordChanged, Session
from tui_chat.protocol.text import accept_name
from tui_chat.server.engines import Transaction

from . import audit, devices
from .caller import Caller, administrators_only
from .devices import hash_of
from .eventlog import Outgoing, emit
from .settings import current, facts
from .state import JOINED
from .users import NewAccount, account_of, add_accounts

INVITE_SECONDS: Final = 7 * 86_400
TOGETHER_SECONDS: Final = 60
"""Processes that begin within so long of each other begin together."""
GROUPS_TOLD: Final = 20
"""Groups, those with the newest messages, whose members are told of a new nick."""


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
            "SELECT 1 FROM invite WHERE hash = ? AND account IS NULL AND until > ?", hash_of(credentials.invite), tx.now
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
    first = _is_first(tx)
    check_registration(tx, credentials, open_registration=open_registration)
    nick = None if credentials.nick is None else accept_name(credentials.nick, "a nick")
    add_accounts(tx, [NewAccount(credentials.user_id, nick, password_hash, first)])
    account = account_of(tx, credentials.user_id)
    if credentials.invite is not None and not tx.execute(
        "UPDATE invite SET account = ? WHERE hash = ? AND account IS NULL", account.key, hash_of(credentials.invite)
    ):
        raise RegistrationClosed("that invitation was used just now: ask for another one")
    if first:
        tx.execute("DELETE FROM invite WHERE account IS NULL")
    return devices.log_in(tx, account.key, account.user_id, credentials.device_name)


def _is_open(tx: Transaction, open_registration: bool) -> bool:
    match current(tx).registration:
        case "open":
            return True
        case "invite":
            return open_registration and nobody_yet(tx)
        case "auto":
            return open_registration


def nobody_yet(tx: Transaction) -> bool:
    """Whether there is no account at all, nor ever was one."""
    return tx.one("SELECT 1 FROM account LIMIT 1") is None


def _is_first(tx: Transaction) -> bool:
    """Whether there is nobody yet, nor will be before this transaction ends: of several who ask in one moment one
    administers the server, and the others wait here for that one."""
    if not nobody_yet(tx):
        return False
    tx.execute(
        "INSERT INTO meta (name, value) VALUES ('first', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        str(tx.now),
    )
    return nobody_yet(tx)


def password_of(tx: Transaction, user_id: str) -> str | None:
    """The stored hash of a user's password; None where there is no such user, or none can log in."""
    row = tx.one("SELECT password_hash FROM account WHERE folded = ?", fold(user_id))
    return None if row is None else row[0]


def login(
    tx: Transaction, credentials: Credentials, *, verified: str | None = None, renewed_hash: str | None = None
) -> Session:
    """Log a device in.

    `verified`: the stored hash against which the caller has checked the password; None where whoever runs the server
    logs somebody in, as the demo does. `renewed_hash`: the same password's under the cost that hashes have now.

    Raises:
        InvalidName: the device's name cannot be one.
        WrongPassword: there is no such user, or the password has been changed meanwhile.
    """
    query = "SELECT id, user_id, password_hash FROM account WHERE folded = ? AND erased IS NULL"
    tx.lock_users(row[0] for row in tx.all(query, fold(credentials.user_id)))
    row = tx.one(query, fold(credentials.user_id))
    if row is None or verified not in (None, row[2]):
        raise WrongPassword()
    if renewed_hash != verified:
        tx.execute("UPDATE account SET password_hash = ? WHERE id = ?", renewed_hash, row[0])
    return devices.log_in(tx, row[0], row[1], credentials.device_name)


def change_password(
    tx: Transaction, caller: Caller, *, verified: str, password_hash: str, keep_devices: bool
) -> PasswordChanged:
    """Store another password; the other devices are logged out, unless `keep_devices`.

    `verified`: the stored hash against which the caller has checked the old one.

    Raises:
        PasswordMismatch: it has been changed meanwhile.
    """
    check_still(tx, caller, verified)
    tx.execute("UPDATE account SET password_hash = ? WHERE id = ?", password_hash, caller.user)
    if keep_devices:
        return PasswordChanged()
    gone = devices.revoke_others(tx, caller)
    return PasswordChanged(devices_revoked=gone.devices, event_seq=gone.event_seq)


def check_still(tx: Transaction, caller: Caller, verified: str) -> None:
    """Raise PasswordMismatch where `verified` is no longer what is stored of the caller's password."""
    tx.lock_users((caller.user,))
    if password_of(tx, caller.user_id) != verified:
        raise PasswordMismatch("the password was changed meanwhile; nothing was done")


def authenticate(tx: Transaction, access_token: str) -> Caller:
    """Who an access token stands for. Raises Unauthorized."""
    row = tx.one(
        "SELECT a.id, a.user_id, d.id, d.device_id, d.name, a.administrator, d.access_until"
        " FROM device d JOIN account a ON a.id = d.account WHERE d.access_hash = ? AND d.revoked IS NULL",
        hash_of(access_token),
    )
    if row is None or not devices.is_fresh(tx.now, row[6]):
        raise Unauthorized()
    return Caller(
        user=row[0],
        user_id=row[1],
        device=row[2],
        device_id=row[3],
        device_name=row[4],
        administrator=bool(row[5]),
    )


def me(tx: Transaction, caller: Caller) -> Me:
    """The caller, and what it has to know of the server."""
    nick, administrator = tx.one("SELECT nick, administrator FROM account WHERE id = ?", caller.user) or (None, 0)
    return Me(
        user_id=caller.user_id,
        device_id=caller.device_id,
        device_name=caller.device_name,
        nick=nick,
        administrator=bool(administrator),
        server=facts(tx),
    )


def set_nick(tx: Transaction, caller: Caller, nick: str | None) -> Me:
    """Change or remove one's nick; up to limits.NICK_AUDIENCE of those who share a conversation with the caller are
    told. Raises InvalidName.

    They are told of the user alone, from which clients name the row anew: a Conversation would carry watermarks, of
    which a device may not have been told.
    """
    accepted = None if nick is None else accept_name(nick, "a nick")
    tx.lock_users((caller.user,))
    if accepted == account_of(tx, caller.user_id).nick:
        return me(tx, caller)
    tx.execute("UPDATE account SET nick = ?, nick_folded = ? WHERE id = ?", accepted, fold(accepted or ""), caller.user)
    changed = UserChanged(user=User(user_id=caller.user_id, nick=accepted))
    told = {caller.user} | _acquainted(tx, caller)
    emit(tx, [Outgoing(account, changed) for account in sorted(told)])
    return me(tx, caller)


def _acquainted(tx: Transaction, caller: Caller) -> set[int]:
    """Who shares a conversation with the caller: the other sides of the newest one-to-one conversations first."""
    found: set[int] = {
        row[0]
        for row in tx.all(
            "SELECT s.peer FROM state s JOIN conversation c ON c.id = s.conversation"
            " JOIN account a ON a.id = s.peer WHERE s.account = ? AND a.erased IS NULL"
            " ORDER BY c.last_time DESC, s.peer LIMIT ?",
            caller.user,
            limits.NICK_AUDIENCE,
        )
    }
    groups = tx.all(
        "SELECT s.conversation FROM state s JOIN conversation c ON c.id = s.conversation"
        " WHERE s.account = ? AND s.membership = ? ORDER BY c.last_time DESC LIMIT ?",
        caller.user,
        JOINED,
        GROUPS_TOLD,
    )
    for (conversation,) in groups:
        members = tx.all(
            "SELECT s.account FROM state s JOIN account a ON a.id = s.account"
            " WHERE s.conversation = ? AND s.membership = ? AND s.account <> ? ORDER BY s.account",
            conversation,
            JOINED,
            caller.user,
        )
        for (account,) in members:
            if len(found) >= limits.NICK_AUDIENCE:
                return found
            found.add(account)
    return found


def create_invite(tx: Transaction, caller: Caller) -> Invite:
    """A code for one registration, for INVITE_SECONDS. Raises AdministratorOnly."""
    administrators_only(tx, caller)
    audit.note(tx, caller, "invite.created")
    return _invite(tx, caller.user)


def erased_since(tx: Transaction, time: int) -> list[int]:
    """Accounts that were erased after a time (milliseconds)."""
    return [row[0] for row in tx.all("SELECT id FROM account WHERE erased > ?", time)]


def first_invite(tx: Transaction) -> Invite | None:
    """An invitation for the first account, which is its administrator's; None where there is an account.

    Those that were made before are void, but for those of processes that began together with this one: each is printed
    somewhere, and whoever reads any of them shall get in. The first account makes all others void.
    """
    if not _is_first(tx):
        return None
    until, together = tx.now + INVITE_SECONDS * 1000, TOGETHER_SECONDS * 1000
    tx.execute("DELETE FROM invite WHERE until < ? OR until > ?", until - together, until + together)
    return _invite(tx, None)


def redate_invitations(tx: Transaction) -> None:
    """Give those that were made while the clock was ahead no longer from now than new ones have."""
    latest = tx.now + INVITE_SECONDS * 1000
    tx.execute("UPDATE invite SET until = ? WHERE account IS NULL AND until > ?", latest, latest + devices.ASKEW_MS)


def _invite(tx: Transaction, creator: int | None) -> Invite:
    code = secrets.token_hex(16)  # it is typed behind an option: no dash may stand in front
    tx.execute(
        "INSERT INTO invite (hash, account, until, creator) VALUES (?, NULL, ?, ?)",
        hash_of(code),
        tx.now + INVITE_SECONDS * 1000,
        creator,
    )
    return Invite(invite=code, expires_in=INVITE_SECONDS)
