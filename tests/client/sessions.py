"""Sessions for tests against a real server, and waiting for what must happen."""

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from tests.accounts import DEADLINE, PASSWORD
from tui_chat.client.changes import Change
from tui_chat.client.credentials import CredentialStore
from tui_chat.client.session import ChatSession

Kind = TypeVar("Kind", bound=Change)


async def eventually(condition: Callable[[], object], what: str = "", *, deadline: float = DEADLINE) -> None:
    """Wait until something holds; fail where it does not in time."""
    loop = asyncio.get_running_loop()
    end = loop.time() + deadline
    while not condition():
        assert loop.time() < end, what or "it did not happen in time"
        await asyncio.sleep(0.005)


class Watched:
    """A session and every change that it announced."""

    def __init__(self, session: ChatSession):
        self.session = session
        self.changes: list[Change] = []
        session.subscribe(self.changes.extend)

    def of(self, kind: type[Kind]) -> list[Kind]:
        """The changes of one kind so far."""
        return [change for change in self.changes if isinstance(change, kind)]

    async def sees(self, kind: type[Kind], which: Callable[[Kind], object] = lambda _: True) -> Kind:
        """The first such change, waiting for it."""
        await eventually(lambda: any(which(change) for change in self.of(kind)), f"no such {kind.__name__}")
        return next(change for change in self.of(kind) if which(change))

    def forget(self) -> None:
        """Begin to look anew."""
        self.changes.clear()


class Sessions:
    """Opens sessions at one server, and closes them at the end."""

    def __init__(self, url: str):
        self.url = url
        self._open: list[ChatSession] = []

    async def register(
        self,
        user_id: str,
        *,
        device: str = "laptop",
        cache: Path | None = None,
        start: bool = True,
        url: str | None = None,
    ) -> Watched:
        """A new account with its first session."""
        session = await ChatSession.register(
            url or self.url, user_id, PASSWORD, device_name=device, cache_directory=cache
        )
        return await self._watched(session, start)

    async def log_in(
        self,
        user_id: str,
        *,
        device: str = "phone",
        cache: Path | None = None,
        start: bool = True,
        url: str | None = None,
        secrets: CredentialStore | None = None,
    ) -> Watched:
        """One more device of an account."""
        session = await ChatSession.log_in(
            url or self.url, user_id, PASSWORD, device_name=device, cache_directory=cache, secrets=secrets
        )
        return await self._watched(session, start)

    async def again(self, watched: Watched, *, cache: Path | None = None, start: bool = True) -> Watched:
        """The same device after its session was closed."""
        await watched.session.close()
        return await self._watched(ChatSession.resume(watched.session.credentials, cache_directory=cache), start)

    async def _watched(self, session: ChatSession, start: bool) -> Watched:
        self._open.append(session)
        watched = Watched(session)
        if start:
            await session.start()
            await session.wait_until_current(timeout=DEADLINE)
        return watched

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*(session.close() for session in self._open))


async def in_step(*watched: Watched) -> None:
    """Wait until these are connected and hear whatever happens."""
    for one in watched:
        await eventually(lambda one=one: one.session.connection == "connected")  # type: ignore[misc]


def texts(messages: Iterable[object]) -> list[str]:
    """What messages say."""
    return [str(getattr(message, "text", "")) for message in messages]
