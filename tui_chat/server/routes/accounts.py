"""Registering, logging in, devices, oneself."""

from typing import Any

from tui_chat.protocol.errors import (
    DeviceNotFound,
    InvalidName,
    NameTaken,
    RegistrationClosed,
    TooFrequent,
    Unauthorized,
    WrongPassword,
)
from tui_chat.protocol.ids import fold
from tui_chat.protocol.requests import ChangeMe, Credentials, DeviceList, Done, Me, RefreshToken, Session
from tui_chat.server.auth import may_register_freely
from tui_chat.server.operations import accounts

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
    account = fold(credentials.user_id)
    services.limiter.guesses.check(account)
    stored = await services.engine.read(lambda tx: accounts.password_of(tx, credentials.user_id))
    if not await services.passwords.verify(stored, credentials.password):
        raise WrongPassword()
    services.limiter.guesses.succeeded(account)
    return await services.engine.write(lambda tx: accounts.login(tx, credentials))


async def refresh(call: Call[RefreshToken, Nothing]) -> Session:
    """Exchange a refresh token for a new pair. One that was used before revokes its device."""
    session = await call.services.engine.write(lambda tx: accounts.refresh(tx, call.body.refresh_token))
    if session is None:
        raise Unauthorized()
    return session


async def logout(call: Call[Nothing, Nothing]) -> Done:
    """Log this device out."""
    return await call.write(accounts.logout)


async def me(call: Call[Nothing, Nothing]) -> Me:
    """Who one is, and what the server's settings are."""
    return await call.read(accounts.me)


async def change_me(call: Call[ChangeMe, Nothing]) -> Me:
    """Change one's nick."""
    return await call.write(accounts.set_nick, call.body.nick)


async def devices(call: Call[Nothing, Nothing]) -> DeviceList:
    """One's log-ins."""
    return await call.read(accounts.devices)


async def revoke(call: Call[Nothing, Nothing]) -> Done:
    """Log one of one's devices out; its socket is closed."""
    return await call.write(accounts.revoke, call.path["device_id"])


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
    Endpoint("GET", "/v1/me", me, Me),
    Endpoint("PATCH", "/v1/me", change_me, Me, body=ChangeMe, errors=(InvalidName,)),
    Endpoint("GET", "/v1/devices", devices, DeviceList),
    Endpoint("DELETE", "/v1/devices/{device_id}", revoke, Done, errors=(DeviceNotFound,)),
)
