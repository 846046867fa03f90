"""`ChatSession`: one device of one account, as programs and screens use it. A facade; the work is done beside it."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from random import Random
from types import MappingProxyType, TracebackType
from typing import Self, overload

from tui_chat.cache.memory import MemoryAccount
from tui_chat.cache.store import HISTORY_KEEP
from tui_chat.clock import system_clock
from tui_chat.protocol import requests
from tui_chat.protocol.errors import InvalidRequest, NotConnected, Unauthorized
from tui_chat.protocol.models import Conversation, Deletion, ServerFacts

from . import deleting, waiting
from .administration import AccountCommands
from .announcer import Listener
from .capabilities import Capabilities
from .changes import Connection
from .core import Core
from .credentials import CredentialStore, StoredCredentials
from .groups import GroupCommands
from .messages import MessageCommands
from .opening import entered, opened, resumed
from .results import (
    DeletedConversation,
    DeletedConversations,
    QueuedCommand,
    RestoredConversations,
    UndoableBatch,
)

_log = logging.getLogger(__name__)


class ChatSession(MessageCommands, GroupCommands, AccountCommands):
    """Made by `log_in`, `register` or `resume`; then `start` (live) or `load` (for a script), at the end `close`.

    A command needs neither: the first one loads what it needs. Until then what can be read is what the cache had.

    Belongs to one event loop. Every command raises `protocol.errors.ChatError` where it is refused. Commands that go
    through the queue (delete, undo, clear, read, flags, send) do not fail for want of a connection: they wait, and what
    they return says so. Only where nothing is known of the account yet they raise NotConnected.
    """

    def __init__(self, core: Core):
        self._core = core
        self._conversations = MappingProxyType(core.state.shown)
        self._closed = False

    # Opening and closing

    @classmethod
    async def log_in(
        cls,
        server_url: str,
        user_id: str,
        password: str,
        *,
        device_name: str,
        cache_directory: Path | None = None,
        keep_messages: int = HISTORY_KEEP,
        secrets: CredentialStore | None = None,
        clock: Callable[[], int] = system_clock,
        random: Random | None = None,
    ) -> Self:
        """A new device of an account.

        Arguments:
            device_name: what the account's other devices call this one.
            cache_directory: of this account alone; without it nothing is kept on disk.
            keep_messages: of each conversation, the newest; older ones are asked of the server.
            secrets: where the tokens are kept; without it they last as long as the session.
            clock: milliseconds since 1970.

        Raises:
            WrongPassword, NotConnected, TooFrequent, AccountInUse.
        """
        credentials = requests.Credentials(user_id=user_id, password=password, device_name=device_name)
        store = opened(cache_directory, keep_messages)  # first: a device that cannot be used should not be made
        return cls(await entered("/v1/login", server_url, credentials, store, secrets, clock, random))

    @classmethod
    async def register(
        cls,
        server_url: str,
        user_id: str,
        password: str,
        *,
        device_name: str,
        nick: str | None = None,
        invite: str | None = None,
        cache_directory: Path | None = None,
        keep_messages: int = HISTORY_KEEP,
        secrets: CredentialStore | None = None,
        clock: Callable[[], int] = system_clock,
        random: Random | None = None,
    ) -> Self:
        """A new account, and its first device. Arguments as for `log_in`.

        Raises:
            RegistrationClosed, NameTaken, InvalidName, NotConnected.
        """
        credentials = requests.Credentials(
            user_id=user_id, password=password, device_name=device_name, nick=nick, invite=invite
        )
        store = opened(cache_directory, keep_messages)
        return cls(await entered("/v1/register", server_url, credentials, store, secrets, clock, random))

    @classmethod
    def resume(
        cls,
        credentials: StoredCredentials,
        *,
        cache_directory: Path | None = None,
        keep_messages: int = HISTORY_KEEP,
        secrets: CredentialStore | None = None,
        clock: Callable[[], int] = system_clock,
        random: Random | None = None,
    ) -> Self:
        """A device that logged in before. Asks the server nothing yet: the state is the cache's.

        Needs a running event loop. Raises AccountInUse, CacheUnusable.
        """
        return cls(resumed(credentials, opened(cache_directory, keep_messages), secrets, clock, random))

    @classmethod
    async def resume_beside(
        cls,
        credentials: StoredCredentials,
        *,
        cache_directory: Path,
        keep_messages: int = HISTORY_KEEP,
        secrets: CredentialStore | None = None,
    ) -> Self:
        """As `resume`; the cache is opened on a thread, beside whatever else goes on."""
        store = await asyncio.to_thread(opened, cache_directory, keep_messages)
        return cls(resumed(credentials, store, secrets, system_clock, None))

    async def start(self) -> None:
        """Connect and stay connected, in the background; what happens arrives by `subscribe`."""
        self._core.start(stream=True)

    async def load(self, *, stream: bool = False, timeout: float = 30.0) -> None:
        """For scripts: come into step once and return; `stream` stays connected as well.

        Raises:
            NotConnected, Unauthorized.
        """
        self._core.start(stream=stream)
        if stream:
            await self.wait_until_current(timeout=timeout)
        else:
            await self._core.come_into_step()

    async def wait_until_current(self, *, timeout: float = 30.0) -> None:
        """Return once the state has been in step with the server; starts the session where nobody has.

        Raises:
            Unauthorized: this device is signed out.
            NotConnected: not within `timeout` seconds.
        """
        if not self._core.running:
            self._core.start(stream=True)
        try:
            async with asyncio.timeout(timeout):
                while not self._core.current.is_set():
                    if self.connection is Connection.SIGNED_OUT:
                        raise Unauthorized()
                    await self._core.wait_for_news()
        except TimeoutError as error:
            raise NotConnected("the server did not answer in time") from error

    async def close(self) -> None:
        """End the connection and let go of the cache; what is queued stays there. A second call does nothing.

        Without a cache what is queued is lost, which is logged as a warning.
        """
        if not self._closed:
            self._closed = True
            if self.queued and isinstance(self._core.store, MemoryAccount):
                _log.warning(
                    "commands that were not confirmed, and end with this session (it has no cache): %d", self.queued
                )
            await self._core.close()

    async def log_out(self) -> None:
        """Make this device unknown to the server. What is on this machine stays until it is removed."""
        await self._core.calls.log_out()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    # What is known

    @property
    def credentials(self) -> StoredCredentials:
        """The tokens as they are now."""
        return self._core.tokens.credentials

    @property
    def user_id(self) -> str:
        """One's own userID, in the registered spelling."""
        return self.credentials.user_id

    @property
    def device_id(self) -> str:
        """This device."""
        return self.credentials.device_id

    @property
    def device_name(self) -> str:
        """What the account's other devices call this one."""
        me = self._core.identity.me
        return me.device_name if me is not None else self.credentials.device_name

    @property
    def nick(self) -> str | None:
        """One's own display name."""
        return self._core.identity.nick

    @property
    def administrator(self) -> bool:
        """Whether one may change the server's settings."""
        return self._core.identity.me is not None and self._core.identity.me.administrator

    @property
    def conversations(self) -> Mapping[str, Conversation]:
        """The rows as they are shown: what the server confirmed, with the queue laid over it. Live, not a copy."""
        return self._conversations

    @property
    def conversation_count(self) -> int:
        """How many there are."""
        return len(self._conversations)

    @property
    def numbering(self) -> int:
        """Another number after the server was restored from a backup: messageSeqs from before stand for other messages.

        What one decides is refused then as ServerRestored where it was queued before; whoever keeps a messageSeq for
        longer compares this.
        """
        return self._core.state.numbering

    @property
    def stale(self) -> AbstractSet[str]:
        """Rows that another device deleted without word: copies."""
        return frozenset(self._core.state.stale)

    @property
    def online(self) -> AbstractSet[str]:
        """userIDs of those, among the people one talks with, who are connected now; empty without a connection."""
        return self._core.presence.online

    @property
    def connection(self) -> Connection:
        """The event socket's state."""
        return self._core.connection

    @property
    def queued(self) -> int:
        """Commands that the server has not confirmed."""
        return self._core.outbox.waiting()

    @property
    def queue(self) -> list[QueuedCommand]:
        """What waits for the server, in order, and why."""
        return waiting.commands(self._core)

    def drop(self, number: int) -> None:
        """Give up a command of `queue`. Raises OperationNotFound where it does not wait (any more)."""
        waiting.drop(self._core, number)

    @property
    def server(self) -> ServerFacts:
        """What the server last said of itself."""
        return self._core.identity.server

    @property
    def capabilities(self) -> Capabilities:
        """What this network can do."""
        facts = self.server
        return Capabilities(
            undoes_deletions=facts.undo_seconds > 0,
            administration=self.administrator,
            syncs_deletions=facts.sync_conversation_deletion,
        )

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Have `listener` called with every batch of changes, on the session's loop; returns what ends that."""
        return self._core.announcer.subscribe(listener)

    # Deleting

    @overload
    async def delete_conversation(
        self, conversation_id: str, *, up_to: Mapping[str, int] | None = None
    ) -> DeletedConversation: ...
    @overload
    async def delete_conversation(
        self,
        *,
        conversation_id_list: Sequence[str],
        clear_history_message: bool = True,
        up_to: Mapping[str, int] | None = None,
        batch_id: str | None = None,
        progress: deleting.Progress | None = None,
        stop: asyncio.Event | None = None,
    ) -> DeletedConversations: ...
    async def delete_conversation(
        self,
        conversation_id: str | None = None,
        *,
        conversation_id_list: Sequence[str] | None = None,
        clear_history_message: bool | None = None,
        up_to: Mapping[str, int] | None = None,
        batch_id: str | None = None,
        progress: deleting.Progress | None = None,
        stop: asyncio.Event | None = None,
    ) -> DeletedConversation | DeletedConversations:
        """Delete conversations from one's own account; the others keep theirs.

        With one ID: clears its history, raises on failure, answers `.conversation_id`. With a list (any number, in
        calls of a hundred of one batch): clears unless told otherwise, answers `.conversation_id_list` and `.failures`,
        raises only where all of it is refused. As Tencent's `deleteConversation`
        (https://www.tencentcloud.com/document/product/1047/48313), except that nothing is cut off silently.

        Arguments:
            up_to: conversationID -> newest messageSeq that was on the screen; what is newer is kept, and its row stays.
            progress: called with (through, of how many).
            stop: set it to leave out what was not attempted yet.
        """
        if (conversation_id is None) == (conversation_id_list is None):
            raise InvalidRequest("give one conversationID or a conversationIDList")
        if conversation_id is not None:
            if clear_history_message is False or any(more is not None for more in (batch_id, progress, stop)):
                raise InvalidRequest("one conversationID alone is always cleared: to say more, give a list of one")
            return await deleting.delete_one(self._core, conversation_id, up_to)
        assert conversation_id_list is not None
        return await deleting.delete(
            self._core,
            conversation_id_list,
            clear_history_message=True if clear_history_message is None else clear_history_message,
            up_to=up_to,
            batch_id=batch_id,
            progress=progress,
            stop=stop,
        )

    async def undo(self, batch_id: str | None = None) -> RestoredConversations:
        """Bring a batch back, the newest that can be undone unless told which.

        Raises:
            OperationNotFound: there is nothing to undo. UndoExpired: it is final.
        """
        return await deleting.undo(self._core, batch_id)

    @property
    def undoable(self) -> list[UndoableBatch]:
        """What can be undone now, newest first."""
        return deleting.undoable(self._core)

    async def deletions(self) -> list[Deletion]:
        """The account's log of deletions, newest first, from the server."""
        listed = (await self._core.calls.deletions()).deletions
        self._core.undo_log.learn(listed, now=self._core.clock(), device_id=self.device_id)
        return listed

    async def erase_deletion(self, batch_id: str) -> None:
        """End the time for undo now."""
        await self._core.calls.erase_deletion(batch_id)
        self._core.undo_log.forget(batch_id)

    async def clear_history(
        self, conversation_id_list: Sequence[str], *, up_to: Mapping[str, int] | None = None
    ) -> DeletedConversations:
        """Clear one's own history of these, and leave the rows."""
        return await deleting.clear(self._core, conversation_id_list, up_to=up_to)

    # The way to the server

    async def reload(self) -> None:
        """Ask for the whole state anew; stale rows come in line."""
        await self._core.catch_up.reload()

    def reconnect_now(self) -> None:
        """Do not wait any longer: a person asks."""
        self._core.stream.reconnect_now()
        self._core.outbox.wake()
