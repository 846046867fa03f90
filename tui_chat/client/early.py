"""A session that can be shown before its cache is opened: from the head of the list, a small file of its own.

Opening ten thousand rows, and loading what that takes, costs more time than a person should look at an empty screen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from tui_chat.cache.head import Head, read_head
from tui_chat.cache.store import HISTORY_KEEP
from tui_chat.protocol.models import Conversation, ServerFacts

from .capabilities import Capabilities
from .changes import Connection, StateReset

if TYPE_CHECKING:
    from .announcer import Listener
    from .credentials import CredentialStore, StoredCredentials
    from .interface import Session
    from .results import QueuedCommand, UndoableBatch
    from .session import ChatSession


def resume_early(
    credentials: StoredCredentials,
    *,
    cache_directory: Path,
    keep_messages: int = HISTORY_KEEP,
    secrets: CredentialStore | None = None,
) -> Session:
    """As `ChatSession.resume`, at once: until `start` has returned, its first rows are all that is known.

    Until then it can be read and listened to, and asked for nothing. Where there is no head it is a ChatSession.

    Raises:
        AccountInUse, CacheUnusable: here, or from `start`.
    """
    view = known(credentials, cache_directory=cache_directory)
    if view is None:
        from .session import ChatSession

        return ChatSession.resume(
            credentials, cache_directory=cache_directory, keep_messages=keep_messages, secrets=secrets
        )

    async def resume() -> ChatSession:
        session_class = await asyncio.to_thread(_loaded)
        return await session_class.resume_beside(
            credentials, cache_directory=cache_directory, keep_messages=keep_messages, secrets=secrets
        )

    # What it does not have itself it takes from whichever session stands behind it, which no checker sees.
    return cast("Session", EarlySession(view, resume))


def known(credentials: StoredCredentials, *, cache_directory: Path) -> HeadView | None:
    """What can be shown of an account before it is opened; None where that is not known."""
    head = read_head(cache_directory)
    return None if head is None else HeadView(head, credentials)


class EarlySession:
    """First a view of the head, and from `start` on the session that this opens, by the same name for whoever has it.

    Everything that is not here is that of what stands behind it.
    """

    def __init__(self, view: HeadView, resume: Callable[[], Awaitable[Session]]) -> None:
        self._behind: HeadView | Session = view
        self._resume = resume
        self._opening: asyncio.Task[Session] | None = None
        self._listeners: dict[int, Listener] = {}
        self._ends: dict[int, Callable[[], None]] = {}
        self._next = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._behind, name)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Have `listener` called with every batch of changes, the first that all is there; returns what ends that."""
        self._next += 1
        key = self._next
        self._listeners[key] = listener
        if not isinstance(self._behind, HeadView):
            self._ends[key] = self._behind.subscribe(listener)

        def end() -> None:
            self._listeners.pop(key, None)
            self._ends.pop(key, lambda: None)()

        return end

    async def start(self) -> None:
        """Open the cache on a thread, tell that the whole state is there, and connect. To be called once.

        Raises:
            AccountInUse, CacheUnusable, DiskIsFull: as `ChatSession.resume`.
        """
        self._opening = asyncio.ensure_future(self._resume())
        # Whoever waits may be cancelled; what is being opened has to be closed all the same.
        session = await asyncio.shield(self._opening)
        self._behind = session
        for key, listener in list(self._listeners.items()):
            self._ends[key] = session.subscribe(listener)
            listener([StateReset()])
        await session.start()

    async def close(self) -> None:
        """End it, also while it is being opened; a second call does nothing."""
        if self._opening is None:
            return
        await asyncio.wait([self._opening])
        if self._opening.exception() is None:
            await self._opening.result().close()


class HeadView:
    """What is known of an account before it is opened. Implements `interface.Known`, and what a first frame shows."""

    def __init__(self, head: Head, credentials: StoredCredentials) -> None:
        self._head = head
        self._credentials = credentials
        self.conversations: Mapping[str, Conversation] = {row.conversation_id: row for row in head.rows}
        self.stale: AbstractSet[str] = frozenset(head.stale)
        self.online: AbstractSet[str] = frozenset()
        self.numbering = 0
        self.drafts: Mapping[str, str] = head.drafts
        self.connection = Connection.OFFLINE
        self.queued = 0
        self.queue: list[QueuedCommand] = []
        self.undoable: list[UndoableBatch] = []
        self.server = head.facts.server if head.facts is not None else ServerFacts(version="")

    @property
    def conversation_count(self) -> int:
        """How many there are, with those that are not read yet."""
        return self._head.total

    @property
    def user_id(self) -> str:
        """One's own userID, in the registered spelling."""
        return self._credentials.user_id

    @property
    def device_id(self) -> str:
        """This device."""
        return self._credentials.device_id

    @property
    def device_name(self) -> str:
        """What the account's other devices call this one."""
        return self._head.facts.device_name if self._head.facts is not None else self._credentials.device_name

    @property
    def nick(self) -> str | None:
        """One's own display name."""
        return self._head.facts.nick if self._head.facts is not None else None

    @property
    def administrator(self) -> bool:
        """Whether one may change the server's settings."""
        return self._head.facts is not None and self._head.facts.administrator

    @property
    def capabilities(self) -> Capabilities:
        """What the network could do when it was last heard of."""
        return Capabilities(
            undoes_deletions=self.server.undo_seconds > 0,
            administration=self.administrator,
            syncs_deletions=self.server.sync_conversation_deletion,
        )

    def reconnect_now(self) -> None:
        """It has not even begun to connect."""


def _loaded() -> type[ChatSession]:
    from .session import ChatSession

    return ChatSession
