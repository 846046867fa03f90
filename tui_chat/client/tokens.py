"""The access token that is sent, and its renewal: once at a time here, and once at a time among processes."""

import asyncio
from collections.abc import Callable
from typing import Final

from tui_chat.protocol.errors import Unauthorized
from tui_chat.protocol.requests import RefreshToken, Session

from .api import Api
from .credentials import CredentialStore, StoredCredentials

_EARLY_MS: Final = 30_000
"""An access token with less left is renewed before it is used."""


class Tokens:
    """Credentials of one device, kept fresh."""

    def __init__(self, api: Api, credentials: StoredCredentials, store: CredentialStore, *, clock: Callable[[], int]):
        self.credentials = credentials
        self._api = api
        self._store = store
        self._clock = clock
        self._renewing = asyncio.Lock()

    async def access(self) -> str:
        """A token that should be good.

        Raises:
            Unauthorized: this device is no longer known: log in again.
            ChatError: it had to be renewed, and that failed.
        """
        if self.credentials.expires_at - self._clock() > _EARLY_MS:
            return self.credentials.access_token
        return await self.renewed(self.credentials.access_token)

    async def renewed(self, refused: str) -> str:
        """Another token than `refused`. Raises as `access`."""
        renewal = asyncio.create_task(self._renewed(refused))
        renewal.add_done_callback(_ended)
        return await asyncio.shield(renewal)  # half of a rotation would log this device out

    async def _renewed(self, refused: str) -> str:
        async with self._renewing:
            if self.credentials.access_token != refused:
                return self.credentials.access_token
            lock = self._store.locked()
            await asyncio.to_thread(lock.__enter__)
            try:
                await self._renew(refused)
            finally:
                await asyncio.to_thread(lock.__exit__, None, None, None)
            return self.credentials.access_token

    async def _renew(self, refused: str) -> None:
        stored = await asyncio.to_thread(self._store.read)
        if stored is not None and stored.device_id == self.credentials.device_id and stored.access_token != refused:
            self.credentials = stored  # another process was first
            return
        if stored is None:
            raise Unauthorized("this device was logged out; log in again")
        body = RefreshToken(refresh_token=self.credentials.refresh_token)
        session = await self._api.call("POST", "/v1/token/refresh", Session, body=body)
        self.credentials = StoredCredentials.of(
            session,
            server_url=self.credentials.server_url,
            device_name=self.credentials.device_name,
            now=self._clock(),
        )
        await asyncio.to_thread(self._store.write, self.credentials)


def _ended(renewal: "asyncio.Task[str]") -> None:
    if not renewal.cancelled():
        renewal.exception()  # whoever asked may be gone; the failure was theirs to see
