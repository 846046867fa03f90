"""What runs inside a session: the store, the state, the queue, the socket, and the tasks that tie them together."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from random import Random
from typing import Any, Final

import msgspec

from tui_chat.cache.store import AccountStore, CacheError
from tui_chat.protocol import events, requests
from tui_chat.protocol.errors import ChatError, NotConnected
from tui_chat.protocol.models import Message

from . import changes
from .announcer import Announcer
from .api import Api
from .calls import Calls
from .carrying import Carrying, perform
from .catch_up import CatchUp
from .changes import Connection
from .credentials import CredentialStore, StoredCredentials
from .cursors import position_of
from .doubt import Doubt
from .echoes import Echoes
from .entries import AnyEntry, MessageEntry, QueuedSend, seen_at
from .housekeeping import Housekeeping
from .identity import Identity
from .inbox import Inbox
from .inquiry import Inquiry
from .on_hand import OnHand
from .outbox import Answer, Outbox, Ticket
from .overlay import changed, standing
from .pages import Pages
from .presence import Presence
from .problems import Unreadable, Untrusted, not_stored
from .receiver import Receiver
from .search_here import SearchHere
from .state import State
from .stream import Stream
from .tokens import Tokens
from .undo_log import UndoLog

EVENT_SECONDS: Final = 2.0
"""How long the socket may bring nothing before an answered command's event is asked for."""


class Core:
    """Implements `outbox.Carrier` and `stream.Listener`."""

    def __init__(
        self,
        credentials: StoredCredentials,
        store: AccountStore,
        credential_store: CredentialStore,
        *,
        api: Api,
        clock: Callable[[], int],
        random: Random,
        monotonic: Callable[[], float] = time.monotonic,
    ):
        """`clock`: milliseconds since 1970. `monotonic`: seconds, by which waits are measured."""
        self.clock = clock
        self.store = store
        self.api = api
        self.tokens = Tokens(api, credentials, credential_store, clock=clock)
        self.calls = Calls(api, self.tokens)
        self.announcer = Announcer()
        self.undo_log = UndoLog()
        self.presence = Presence(self.announcer)
        self.house = Housekeeping(store, self.announcer)
        self.identity = Identity(store, self.house, self.announcer)
        self._inherited = self.identity.me is not None and self.identity.me.device_id != credentials.device_id
        """The cache is another log-in's, who was told things that this one is not: its rows are a beginning only."""
        self.echoes = Echoes(credentials.user_id, nick=lambda: self.identity.nick)
        self.connection = Connection.OFFLINE
        self._told_why = False
        """Whether it was told why there is no connection."""
        self.current = asyncio.Event()
        """Set once the state has been in step with the server in this session."""
        self.on_hand = OnHand(store.history, disk_failed=self.house.disk_failed)
        self.doubt = Doubt(store, disk_failed=self.house.disk_failed)
        self.outbox = Outbox(store.outbox, self, random=random, clock=monotonic)
        self.state = State(device_id=credentials.device_id, queued_for=self._queued_for)
        self.state.cursor = store.cursor
        self.state.position = position_of(store.cursor)
        self.state.fill(store.conversations(), store.stale)
        self.carrying = Carrying(
            state=self.state,
            announcer=self.announcer,
            echoes=self.echoes,
            undo_log=self.undo_log,
            shown_message=self.shown_message,
            queue_moved=self._queue_moved,
        )
        self.receiver = Receiver(
            state=self.state,
            store=store,
            on_hand=self.on_hand,
            doubt=self.doubt,
            announcer=self.announcer,
            undo_log=self.undo_log,
            user_id=credentials.user_id,
            clock=clock,
            is_echo=self.echoes.is_echo,
            overlaid=self.overlaid,
            wrote=self.house.wrote,
            inexact=lambda conversation_id: self.inquiry.about(conversation_id),
            position_moved=lambda: self.catch_up.position_moved(),
            signed_out=self._signed_out,
            nick_changed=self.identity.learn_nick,
            disk_failed=self.house.disk_failed,
        )
        self.catch_up = CatchUp(self.calls, self.state, self.receiver, facts=self.identity.learn_server)
        self.inbox = Inbox(
            receiver=self.receiver,
            catch_up=self.catch_up,
            identity=self.identity,
            presence=self.presence,
            announcer=self.announcer,
            spawn=self._spawn,
        )
        self.pages = Pages(
            state=self.state,
            on_hand=self.on_hand,
            doubt=self.doubt,
            announcer=self.announcer,
            calls=self.calls,
            receiver=self.receiver,
            overlaid=self.overlaid,
        )
        self.search_here = SearchHere(state=self.state, pages=self.pages, shown_message=self.shown_message)
        self.inquiry = Inquiry(
            state=self.state,
            store=store,
            house=self.house,
            calls=self.calls,
            receiver=self.receiver,
            spawn=self._spawn,
        )
        self.stream = Stream(api.server_url, self, random=random, wall=lambda: clock() / 1000, monotonic=monotonic)
        self._queued_told = 0
        self._greeted = False
        self._running = self._streaming = self._closed = False
        self._getting_ready = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._news = asyncio.Event()
        self._deliberately_out = False
        for slot in self.outbox.queue:
            if isinstance(slot.entry, QueuedSend):
                self.echoes.show(slot.entry)

    # Life

    def start(self, *, stream: bool) -> None:
        """Begin the tasks; those that run already go on."""
        if stream and not self._streaming:
            self._streaming = True
            self._spawn(self.stream.run())
        if self._running:
            return
        self._running = True
        self.house.wrote(vanish=True)  # there may have been no room for it when the cache was opened
        self._spawn(self.inbox.run())
        self._spawn(self.house.run())
        self._spawn(self.outbox.run())
        if self.store.recovered is not None:
            what: Any = "cache_from_backup" if self.store.recovered == "backup" else "cache_rebuilt"
            self.announcer.put(changes.Notice(what=what))

    @property
    def running(self) -> bool:
        """Whether the tasks have begun."""
        return self._running

    async def ready(self) -> None:
        """Return when a command can do its work: where nobody has started or loaded the session, or its state is not
        there yet, by coming into step. Without a server what the cache has will do.

        Raises:
            ChatError: the session is closed, or nothing is known here of the account and the server does not tell.
        """
        if self._closed:
            raise NotConnected("the session is closed")
        async with self._getting_ready:
            if self._running and self.state.cursor is not None:
                return
            self.start(stream=False)
            try:
                await self.come_into_step()
            except NotConnected:
                if self.state.cursor is None:
                    raise

    async def close(self) -> None:
        """End the tasks, bring what was written to the disk, let go of it."""
        self._closed = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await self.api.close()
        await self.house.finish()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            loop = asyncio.get_running_loop()
            loop.call_exception_handler({"message": "a task of the session failed", "exception": error, "task": task})

    async def wait_for_news(self) -> None:
        """Return when the state has come into step, or the connection is other than before."""
        self._news.clear()
        await self._news.wait()

    # stream.Listener

    async def before_connecting(self) -> tuple[str | None, str]:
        """Come back into step, so that what the socket brings afterwards is new."""
        try:
            await self.come_into_step()
        except (Untrusted, Unreadable) as error:
            self._cannot_connect(error)
            raise
        self._told_why = False
        return self.state.cursor, await self.tokens.access()

    async def come_into_step(self) -> None:
        """Identity, facts and everything that was missed. Raises ChatError."""
        away = self.state.cursor is not None
        if not self._greeted:
            self.identity.learn(await self.calls.me())
        if (self._inherited or self.inquiry.left_over) and self.state.cursor is not None:
            await self.catch_up.reload()
        else:
            await self.catch_up.run(while_away=away)
        self._inherited = False
        self.inquiry.whole_again()
        self.pages.back_in_step()
        self.current.set()
        self._news.set()
        self.outbox.wake()
        self.inquiry.go_on()
        self._greeted = True
        self._spawn(self.learn_deletions())  # what was replayed does not say how much of its time has passed

    def _cannot_connect(self, error: ChatError) -> None:
        """Something answers, which no waiting makes the server: told once, until it is there."""
        if not self._told_why:
            self._told_why = True
            self.announcer.put(changes.Notice(what="cannot_connect", detail=str(error)))

    def machine_slept(self) -> None:
        """Neither the socket nor the pooled connections lead anywhere: new ones, for what hangs in them as well."""
        self._spawn(self.api.renew())
        self.outbox.wake()

    async def token_refused(self, token: str) -> None:
        """The server did not take it at the socket."""
        await self.tokens.renewed(token)

    def frame_came(self, frame: events.ServerFrame) -> None:
        """Put it where the applying task finds it."""
        self.inbox.put(frame)

    def connection_is(self, connection: Connection) -> None:
        """Tell of it."""
        if self._deliberately_out:
            connection = Connection.SIGNED_OUT
        if connection is not self.connection:
            self.connection = connection
            if connection is not Connection.CONNECTED:
                self.presence.are_there(frozenset())
            self._news.set()
            self._tell_connection()

    def _signed_out(self) -> None:
        self._deliberately_out = True
        self.connection_is(Connection.SIGNED_OUT)

    async def learn_deletions(self) -> None:
        """Ask what can be undone, where the server can be asked."""
        try:
            listed = await self.calls.deletions()
        except ChatError:
            return  # undo by name works all the same, and the log asks again
        self.undo_log.learn(listed.deletions, now=self.clock(), device_id=self.state.device_id)

    def submit(self, entries: Sequence[AnyEntry], cursor: str | None = None) -> list[Ticket]:
        """Put commands into the queue, all or none.

        Arguments:
            cursor: of the state from which the numbers in them are; None: of the state as it is.

        Raises:
            DiskIsFull, CacheUnusable: they could not be stored.
        """
        try:
            return self.outbox.submit([seen_at(entry, cursor or self.state.cursor) for entry in entries])
        except CacheError as error:
            raise not_stored(error) from error

    # outbox.Carrier

    async def perform(self, entry: AnyEntry) -> Answer:
        """Carry a command out."""
        self.stream.look_at_clocks()
        resets = self.catch_up.resets
        answer = await perform(self.calls, entry)
        if self.catch_up.resets != resets:
            answer = msgspec.structs.replace(answer, event_seq=0)  # it may be of the numbering that has ended
        return answer

    async def reach(self, event_seq: int) -> None:
        """Wait for the socket to bring it; ask where there is no socket, or where it takes too long."""
        resets = self.catch_up.resets
        before: int | None = -1
        while self.stream.connected and self.state.position != before:  # for as long as it brings anything
            before = self.state.position
            try:
                async with asyncio.timeout(EVENT_SECONDS):
                    return await self.catch_up.arrival(event_seq)
            except TimeoutError:
                continue
        if self.state.position is not None and self.state.position >= event_seq:
            return None
        try:
            await self.catch_up.run()  # what it does not bring is of another numbering
        except ChatError:
            if self.catch_up.resets == resets:
                await self.catch_up.arrival(event_seq)

    def queue_changed(self, entries: Iterable[AnyEntry], *, settled: bool = False) -> None:
        """Show it, and bring it to the disk."""
        self.carrying.queue_changed(entries, settled=settled)
        self.house.wrote()

    def answered(self, entry: AnyEntry, answer: Answer, *, awaited: bool) -> None:
        """The server confirmed."""
        if isinstance(entry, MessageEntry) and isinstance(answer, requests.MessageSent):
            self.receiver.adopt_message(answer.message)
        self.carrying.answered(entry, answer, awaited=awaited)

    def settled(self, entry: AnyEntry, answer: Answer) -> None:
        """The state includes what it did."""
        self.carrying.settled(answer)

    def refused(self, entry: AnyEntry, error: ChatError, *, awaited: bool) -> None:
        """The server refused."""
        self.carrying.refused(entry, error, awaited=awaited)

    def held(self, entry: AnyEntry, error: ChatError) -> None:
        """The server fails at it again and again."""
        self.carrying.held(entry, error)

    def unsent(self, entries: Iterable[QueuedSend]) -> None:
        """Messages that a deletion took."""
        self.carrying.unsent(entries)

    def disk_failed(self, error: CacheError) -> None:
        """The queue could not be written."""
        self.house.disk_failed(error)

    def _queue_moved(self) -> None:
        """Told while commands really wait; with a connection they come and go in milliseconds."""
        if (self.outbox.held or self._queued_told) and self.outbox.waiting() != self._queued_told:
            self._tell_connection()

    # What is shown of the queue, and of messages

    def _queued_for(self, conversation_id: str) -> list[AnyEntry]:
        return standing(self.outbox.queue.of(conversation_id), self.state.cursor)

    def overlaid(self, message: Message) -> Message:
        """A message with what is queued for it laid over it."""
        queued = standing(self.outbox.queue.changes_of(message.conversation_id), self.state.cursor)
        return changed(message, queued, self.tokens.credentials.user_id) if queued else message

    def shown_message(self, conversation_id: str, message_seq: int) -> Message | None:
        """One message as it is shown; None where it is not on this machine, or may not be shown."""
        held = self.on_hand.one(conversation_id, message_seq)
        if held is None or message_seq <= self.state.shown_cleared_through(conversation_id):
            return None
        return self.overlaid(held)

    def _tell_connection(self) -> None:
        self._queued_told = self.outbox.waiting() if self.outbox.held else 0
        self.announcer.put(changes.ConnectionChanged(connection=self.connection, queued=self._queued_told))
