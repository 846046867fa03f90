"""Registering, logging in, devices, oneself."""

from typing import Any

from tui_chat.protocol.errors import (
    DeviceNotFound,
    InvalidName,
    LastAdministrator,
    NameTaken,
    PasswordMismatch,
    RegistrationClosed,
    TooFrequent,
    Unauthorized,
    WrongPassword,
)
from tui_chat.protocol.ids import fold
from tui_chat.protocol.requests import (
    ChangeMe,
    ChangePassword,
    Credentials,
    DeviceList,
    Done,
    EraseAccount,
    Me,
    PasswordChanged,
    RefreshToken,
    Session,
)
from tui_chat.server.auth import may_register_freely
from tui_chat.server.operations import accounts, erasing
from tui_chat.server.operations import devices as operations
from tui_chat.server.ratelimit import limited_address

from .endpoint import Call, Counted, Endpoint, Nothing


async def register(call: Call[Credentials, Nothing]) -> Session:
    """Make an account and log this device in. The first account of a server is its administrator."""
    services, credentials = call.services, call.body
    freely = may_register_freely(services.options, call.peer.connection, call.peer.headers)
    await services.engine.read(lambda tx: accounts.check_registration(tx, credentials, open_registration=freely))
    password_hash = await services.passwords.hash(credentials.password)
    return await services.engine.write(
        lambda tx: accounts.register(tx, credentials, password_hash, open_registration=freely)
    )


async def login(call: Call[Credentials, Nothing]) -> Session:
    """Log this device in. An unknown user and a wrong password look alike, in words and in time."""
    services, credentials = call.services, call.body
    verified = await _verified(call, credentials.user_id, credentials.password)
    if verified is None:
        raise WrongPassword()
    renewed = verified
    if services.passwords.is_outdated(verified):
        renewed = await services.passwords.hash_again(credentials.password)
    return await services.engine.write(
        lambda tx: accounts.login(tx, credentials, verified=verified, renewed_hash=renewed)
    )


async def change_password(call: Call[ChangePassword, Nothing]) -> PasswordChanged:
    """Choose another password. One's other devices are logged out, and their sockets closed, unless asked otherwise."""
    asked = call.body
    verified = await _verified(call, call.caller.user_id, asked.old_password)
    if verified is None:
        raise PasswordMismatch()
    password_hash = await call.services.passwords.hash(asked.new_password)
    return await call.write(
        accounts.change_password, verified=verified, password_hash=password_hash, keep_devices=asked.keep_devices
    )


async def erase_me(call: Call[EraseAccount, Nothing]) -> Done:
    """Erase one's account, for good. Every device is logged out, groups are left, what one wrote stays with those who
    have it; the name is never given out again."""
    verified = await _verified(call, call.caller.user_id, call.body.password)
    if verified is None:
        raise PasswordMismatch()
    done = await call.write(erasing.erase_self, verified=verified)
    call.services.tidy_soon()
    return done


async def _verified(call: Call[Any, Nothing], user_id: str, password: str) -> str | None:
    """The stored hash against which the password is right; None where it is wrong or there is no such user."""
    services, account, address = call.services, fold(user_id), limited_address(call.peer.address)
    services.limiter.guesses.attempt(account, address)
    stored = await services.engine.read(lambda tx: accounts.password_of(tx, user_id))
    if not await services.passwords.verify(stored, password):
        return None
    services.limiter.guesses.succeeded(account, address)
    return stored


async def refresh(call: Call[RefreshToken, Nothing]) -> Session:
    """Exchange a refresh token for a new pair. One that was used before revokes its device."""
    session = await call.services.engine.write(lambda tx: operations.refresh(tx, call.body.refresh_token))
    if session is None:
        raise Unauthorized()
    return session


async def logout(call: Call[Nothing, Nothing]) -> Done:
    """Log this device out."""
    return await call.write(operations.logout)


async def me(call: Call[Nothing, Nothing]) -> Me:
    """Who one is, and what the server's settings are."""
    return await call.read(accounts.me)


async def change_me(call: Call[ChangeMe, Nothing]) -> Me:
    """Change one's nick."""
    call.services.limiter.nicks.take(call.caller.user)
    return await call.write(accounts.set_nick, call.body.nick)


async def devices(call: Call[Nothing, Nothing]) -> DeviceList:
    """One's log-ins."""
    return await call.read(operations.devices)


async def revoke(call: Call[Nothing, Nothing]) -> Done:
    """Log one of one's devices out; its socket is closed."""
    return await call.write(operations.revoke, call.path["device_id"])


ENDPOINTS: tuple[Endpoint[Any, Any, Any], ...] = (
    Endpoint(
        "POST",
        "/v1/register",
        register,
        Session,
        body=Credentials,
        counted=Counted.LOGINS,
        anyone=True,
        errors=(InvalidName, NameTaken, RegistrationClosed, TooFrequent),
    ),
    Endpoint(
        "POST",
        "/v1/login",
        login,
        Session,
        body=Credentials,
        counted=Counted.LOGINS,
        anyone=True,
        errors=(InvalidName, WrongPassword, TooFrequent),
    ),
    Endpoint("POST", "/v1/token/refresh", refresh, Session, body=RefreshToken, anyone=True, errors=(Unauthorized,)),
    Endpoint("POST", "/v1/logout", logout, Done),
    Endpoint(
        "POST",
        "/v1/password",
        change_password,
        PasswordChanged,
        body=ChangePassword,
        counted=Counted.LOGINS,
        errors=(PasswordMismatch,),
    ),
    Endpoint("GET", "/v1/me", me, Me),
    Endpoint("PATCH", "/v1/me", change_me, Me, body=ChangeMe, errors=(InvalidName,)),
    Endpoint(
        "DELETE",
        "/v1/me",
        erase_me,
        Done,
        body=EraseAccount,
        counted=Counted.LOGINS,
        errors=(PasswordMismatch, LastAdministrator),
    ),
    Endpoint("GET", "/v1/devices", devices, DeviceList),
    Endpoint("DELETE", "/v1/devices/{device_id}", revoke, Done, errors=(DeviceNotFound,)),
)
