"""What one device needs to speak for its user, and how processes that share it keep from logging each other out.

Refresh tokens rotate: using an old one twice ends the session on the server. So whoever renews holds the store's lock
and reads it again first; another process may have renewed meanwhile.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

import msgspec

from tui_chat.protocol.requests import Session


class StoredCredentials(msgspec.Struct, frozen=True, kw_only=True):
    """One log-in of one user at one server."""

    server_url: str
    user_id: str
    device_id: str
    device_name: str
    access_token: str
    refresh_token: str
    expires_at: int
    """When the access token ends, in milliseconds since 1970 on this machine's clock."""

    @classmethod
    def of(cls, session: Session, *, server_url: str, device_name: str, now: int) -> "StoredCredentials":
        """What a log-in or a renewal at `now` (ms) answered."""
        return cls(
            server_url=server_url.rstrip("/"),
            user_id=session.user_id,
            device_id=session.device_id,
            device_name=device_name,
            access_token=session.access_token,
            refresh_token=session.refresh_token,
            expires_at=now + session.expires_in * 1000,
        )


class CredentialStore(Protocol):
    """Where credentials are kept between runs. All three may block; the session calls them on a thread."""

    def read(self) -> StoredCredentials | None:
        """What is stored now."""

    def write(self, credentials: StoredCredentials) -> None:
        """Replace what is stored."""

    def locked(self) -> AbstractContextManager[None]:
        """Keep every other process from renewing, for as long as the context lasts."""


class CredentialsInMemory:
    """A store for one process, for scripts and tests."""

    def __init__(self, credentials: StoredCredentials):
        self._credentials = credentials

    def read(self) -> StoredCredentials | None:
        """What was written last."""
        return self._credentials

    def write(self, credentials: StoredCredentials) -> None:
        """Keep it for as long as the process lives."""
        self._credentials = credentials

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else has it, so there is nobody to keep out."""
        yield
