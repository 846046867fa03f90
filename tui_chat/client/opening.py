"""How a session comes to be: the account's cache (TinyDB is loaded only then), the tokens, what runs inside."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from random import Random

from tui_chat.cache.memory import MemoryAccount
from tui_chat.cache.store import AccountStore, CacheError, DiskFull, Locked
from tui_chat.protocol.requests import Credentials, Session

from .api import Api
from .core import Core
from .credentials import CredentialsInMemory, CredentialStore, StoredCredentials
from .problems import AccountInUse, CacheUnusable, DiskIsFull


async def entered(
    path: str,
    server_url: str,
    body: Credentials,
    store: AccountStore,
    secrets: CredentialStore | None,
    clock: Callable[[], int],
    random: Random | None,
) -> Core:
    """Log in or register. Raises ChatError; nothing is left open then, the store neither."""
    api = Api(server_url)
    try:
        answer = await api.call("POST", path, Session, body=body)
        credentials = StoredCredentials.of(answer, server_url=server_url, device_name=body.device_name, now=clock())
        if secrets is not None:
            await asyncio.to_thread(secrets.write, credentials)
        core = _core(api, credentials, store, secrets, clock, random)
        core.identity.learn(await core.calls.me())
    except BaseException:
        await api.close()
        store.close()
        raise
    return core


def resumed(
    credentials: StoredCredentials,
    store: AccountStore,
    secrets: CredentialStore | None,
    clock: Callable[[], int],
    random: Random | None,
) -> Core:
    """Go on with a log-in."""
    return _core(Api(credentials.server_url), credentials, store, secrets, clock, random)


def opened(directory: Path | None, keep_messages: int) -> AccountStore:
    """The cache in `directory`; one in memory where there is none. Of each conversation so many messages are kept.

    Raises:
        AccountInUse: another process has it; says which. CacheUnusable, DiskIsFull.
    """
    if directory is None:
        return MemoryAccount(keep=keep_messages)
    from tui_chat.cache.account import AccountCache

    try:
        return AccountCache.open(directory, keep=keep_messages)
    except Locked as error:
        raise AccountInUse(str(error), details={"pid": error.pid}) from error
    except DiskFull as error:
        raise DiskIsFull(str(error)) from error
    except CacheError as error:
        raise CacheUnusable(str(error)) from error


def _core(
    api: Api,
    credentials: StoredCredentials,
    store: AccountStore,
    secrets: CredentialStore | None,
    clock: Callable[[], int],
    random: Random | None,
) -> Core:
    return Core(
        credentials,
        store,
        secrets if secrets is not None else CredentialsInMemory(credentials),
        api=api,
        clock=clock,
        random=random if random is not None else Random(),  # noqa: S311 - spreads waits, guards nothing
    )
