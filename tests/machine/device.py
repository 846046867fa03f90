"""One device: the real session's core over the simulated network, and everything that must hold of it at any time."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from random import Random
from typing import Any, Final

from tui_chat.client import changes
from tui_chat.client.core import Core
from tui_chat.client.credentials import CredentialsInMemory, StoredCredentials
from tui_chat.client.entries import QueuedDeletion, QueuedRestore
from tui_chat.client.merging import NO_MARKS, Marks, is_listed
from tui_chat.protocol import events
from tui_chat.protocol.errors import ChatError
from tui_chat.protocol.models import Conversation, Membership, Message
from tui_chat.server.operations.caller import Caller

from .disk import HELD, Disk
from .screen import Screen
from .simulated_network import Link, SimulatedApi, Switchboard
from .simulated_server import SimulatedServer, is_for

NEVER: Final = 2**53
"""When the tokens here run out: their renewal is tests/client/test_tokens.py's."""


class Device:
    """A log-in of a user. `check` holds it against what it was told; `screen` is what a person would see."""

    def __init__(
        self,
        server: SimulatedServer,
        switchboard: Switchboard,
        caller: Caller,
        random: Random,
        monotonic: Callable[[], float],
        cleared_through: Callable[[int, str], int],
        ever_cleared: Callable[[int, str], int],
    ):
        self.server = server
        self.switchboard = switchboard
        self.caller = caller
        self.random = random
        self.monotonic = monotonic
        self.cleared_through = cleared_through
        """Up to where a user's history of a conversation is cleared now, by the rules."""
        self.ever_cleared = ever_cleared
        """The same, with what was undone since."""
        self.link = Link(server, random)
        self.store = Disk()
        self.core: Core
        self.doing: dict[asyncio.Task[Any], None] = {}
        """Commands that have not ended."""
        self.undone: set[str] = set()
        """batchIDs that somebody undid here: what was not attempted of them is taken out of the queue."""
        self.told: dict[str, Marks] = {}
        """Where the watermarks stand by what this device was told of deletions, clearings and restores."""
        self.screen: dict[str, set[int]] = {}
        """messageSeqs that were shown and not taken away."""
        self.ahead: dict[str, set[int]] = {}
        """Of these, what a page showed of a restore that this device has not heard of yet: it stays until it hears of
        the conversation, whatever is cleared on the server meanwhile."""
        self.kept: set[str] = set()
        """Rows that stay, since another device deleted them without word."""
        self.untold: dict[str, int] = {}
        """Conversations of which others deleted something without word, and when (the ledger's order)."""
        self.untold_at: dict[str, int] = {}
        """The same by the newest event that there was then."""
        self.held: dict[str, set[int]] = {}
        """messageSeqs that were on the disk when it was looked at last."""
        self.doubted: set[str] = set()
        """Of which conversations the core would have asked the server then."""
        self.drafts: dict[str, str] = {}
        """What was typed here and not sent."""
        self.changed_screen: Screen
        self.snapshot_order = 0
        """When the state was read from which this device began anew."""
        self._epoch: str | None = None
        self._heard = 0

    @property
    def name(self) -> str:
        """For messages of failures."""
        return f"{self.caller.user_id}'s {self.caller.device_name}"

    # Processes

    def boot(self) -> None:
        """Begin a process on what the disk has."""
        api = SimulatedApi(self.link, self.caller)
        self.switchboard.connect_to(api)
        credentials = StoredCredentials(
            server_url=api.server_url,
            user_id=self.caller.user_id,
            device_id=self.caller.device_id,
            device_name=self.caller.device_name,
            access_token="token",
            refresh_token="token",
            expires_at=NEVER,
        )
        self.core = Core(
            credentials,
            self.store,
            CredentialsInMemory(credentials),
            api=api,  # type: ignore[arg-type]
            clock=self.server.clock,
            random=Random(self.random.random()),
            monotonic=self.monotonic,
        )
        self.screen, self.held = {}, {}
        self._go_back()
        self.changed_screen = Screen(self.name, self.core, self.drafts)
        self.core.announcer.subscribe(self._announced)
        self.core.start(stream=True)

    async def shut_down(self) -> None:
        """End the process."""
        for task in list(self.doing):
            task.cancel()
        if self.doing:
            await asyncio.wait(self.doing)
        await self.core.close()

    def do(self, work: Coroutine[Any, Any, Any]) -> None:
        """Begin something and do not wait for it; what the server refuses is refused."""

        async def command() -> None:
            try:
                await work
            except ChatError:
                return

        task = asyncio.get_running_loop().create_task(command())
        self.doing[task] = None
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[Any]") -> None:
        self.doing.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            asyncio.get_running_loop().call_exception_handler({"message": "a command failed", "exception": error})

    # What a person sees

    async def look_at(self, conversation_id: str, before: int | None, after: int | None, limit: int) -> None:
        """Load a page, and show it."""
        page = await self.core.pages.page(conversation_id, before=before, after=after, limit=limit)
        self.hear()
        seqs = [message.message_seq for message in page.messages]
        assert seqs == sorted(set(seqs)), f"{self.name}: a page of {conversation_id} is out of order"
        self._show(conversation_id, page.messages)
        self.changed_screen.show(conversation_id, page.messages)

    def _show(self, conversation_id: str, messages: Iterable[Message]) -> None:
        floor = self._floor(conversation_id)
        shown = {message.message_seq for message in messages if message.message_seq}
        under = {seq for seq in shown if seq <= floor}
        assert not under, f"{self.name}: {conversation_id} shows {under}, cleared through {floor}"
        told = self.told.get(conversation_id, NO_MARKS).cleared_through
        self.ahead.setdefault(conversation_id, set()).update(seq for seq in shown if seq <= told)
        self.screen.setdefault(conversation_id, set()).update(shown)

    def _floor(self, conversation_id: str) -> int:
        """What may not be shown: what this device was told of, unless it was restored, which it may not have heard yet.

        After a backup was put in the place of the server's data, pages are of another truth than what was told before.
        """
        if self._epoch != self.server.epoch:
            return 0
        told = self.told.get(conversation_id, NO_MARKS).cleared_through
        return min(told, self.cleared_through(self.caller.user, conversation_id)) if told else 0

    def _announced(self, told: list[changes.Change]) -> None:
        """A batch of changes, as a screen takes them."""
        for change in told:
            match change:
                case changes.MessagesAdded(conversation_id=conversation_id, messages=messages):
                    self.screen.setdefault(conversation_id, set()).update(
                        message.message_seq for message in messages if message.message_seq
                    )
                case changes.MessageUpdated(conversation_id=conversation_id, message=message):
                    self.screen.setdefault(conversation_id, set()).add(message.message_seq)
                case changes.HistoryCleared(conversation_id=conversation_id, cleared_through=through):
                    left = {seq for seq in self.screen.get(conversation_id, ()) if seq > through}
                    self.screen[conversation_id] = left
                case changes.ConversationsRemoved(conversation_id_list=gone):
                    for conversation_id in gone:
                        self.screen.pop(conversation_id, None)
                case changes.StateReset():
                    self.screen.clear()
                    self.kept.clear()
                    self.untold = {
                        conversation_id: order
                        for conversation_id, order in self.untold.items()
                        if order > self.snapshot_order
                    }
                case _:
                    pass
        self.hear()
        for conversation_id, seqs in self.screen.items():
            floor = self._floor(conversation_id)
            under = {seq for seq in seqs if seq <= floor} - self.ahead.get(conversation_id, set())
            assert not under, f"{self.name}: {conversation_id} still shows {under}, cleared through {floor}"

    # What it was told

    def hear(self) -> set[str]:
        """Follow what the core took in; the conversations of which it was told something about deletions."""
        if self.store.snapshot is not None:
            (begun, told), self.store.snapshot = self.store.snapshot, None
            epoch, _, number = begun.rpartition(":")
            assert epoch != self._epoch or int(number) >= self._heard, f"{self.name}: a reload goes back to {begun}"
            self._epoch, self._heard, self.told = epoch, int(number), told
            self.held = {}
            self.ahead.clear()
        cursor = self.core.state.cursor
        if cursor is None:
            return set()
        epoch, _, number = cursor.rpartition(":")
        position = int(number)
        assert epoch == self._epoch, f"{self.name}: {cursor} without a snapshot"
        assert position >= self._heard, f"{self.name}: the cursor went back from {self._heard} to {position}"
        if position == self._heard:
            return set()
        happened = self.server.logs[epoch].get(self.caller.user, [])[self._heard : position]
        self._heard = position
        touched: set[str] = set()
        for one in happened:
            if is_for(one, self.caller.device_id):
                touched.update(self._take(one.event, one.event_seq))
        return touched & self.told.keys()

    def _take(self, event: events.Event, event_seq: int) -> list[str]:
        match event:
            case events.ConversationDeleted(items=items) | events.ConversationCleared(items=items):
                deleted = isinstance(event, events.ConversationDeleted)
                for item in items:
                    self.ahead.pop(item.conversation_id, None)
                    marks = self.told.get(item.conversation_id, NO_MARKS)
                    hidden = item.hidden_through if deleted else 0
                    self.told[item.conversation_id] = marks.raised(hidden, item.cleared_through)
                    if deleted:
                        self.kept.discard(item.conversation_id)
                return [item.conversation_id for item in items]
            case events.ConversationRestored(conversations=conversations):
                for one in conversations:
                    self.ahead.pop(one.conversation_id, None)
                    self.doubted.add(one.conversation_id)
                    marks = Marks(one.hidden_through, one.cleared_through)
                    if not is_listed(one) and one.conversation_id in self.untold:
                        # Another deletion still hides it, of which nothing was said: where a copy stayed, it stays.
                        told = self.told.get(one.conversation_id, NO_MARKS)
                        self.told[one.conversation_id] = Marks(*map(min, told, marks))
                    else:
                        self.told[one.conversation_id] = marks
                        self.kept.discard(one.conversation_id)
                return [one.conversation_id for one in conversations]
            case events.MessageNew(message=message, conversation=conversation):
                conversation_id = message.conversation_id
                self.kept.discard(conversation_id)
                if conversation.membership is Membership.JOINED and message.message_seq == conversation.join_seq:
                    # Back in a group: who is no member is not told of what is edited, so what is held is asked for anew
                    # then, and a page under way may bring the answer before anybody looks.
                    self.doubted.add(conversation_id)
                if self._left_out(message):
                    return [conversation_id]
                if event_seq > self.untold_at.get(conversation_id, event_seq):
                    self.untold.pop(conversation_id, None)  # which brings it in line
                return self._told_of([conversation])
            case events.MessageChanged(message=message, conversation=conversation) if not self._left_out(message):
                return self._told_of([conversation])
            case events.ConversationChanged(conversations=conversations):
                return self._told_of(conversations)
            case (
                events.GroupChanged(conversation=Conversation() as conversation)
                | events.MemberChanged(conversation=Conversation() as conversation)
            ):
                return self._told_of([conversation])
            case _:
                return []

    def _left_out(self, message: Message) -> bool:
        """Whether who catches up may not hear of it: the log says nothing of messages while they are cleared."""
        return message.message_seq <= self.ever_cleared(self.caller.user, message.conversation_id)

    def _told_of(self, conversations: Iterable[Conversation]) -> list[str]:
        """How conversations stand, in an event about something else: as good as any word of what is cleared, also where
        there is no row. But for a copy that is kept, and for what is here already from later on."""
        for said in conversations:
            row = self.core.state.conversations.get(said.conversation_id)
            if row is None or (is_listed(said) and row.newest_seq <= said.newest_seq):
                told = self.told.get(said.conversation_id, NO_MARKS)
                self.told[said.conversation_id] = told.raised(said.hidden_through, said.cleared_through)
        return [said.conversation_id for said in conversations]

    def _go_back(self) -> None:
        """A process begins where the disk stands, which may be before what the last one had heard."""
        cursor = self.store.cursor
        epoch, _, number = (cursor or "").rpartition(":")
        self._epoch, self._heard = (epoch, 0) if cursor else (None, 0)
        self.told = {}
        self.ahead = {}
        if cursor:
            # What the disk's rows were told is all of the log so far; what lies beyond comes again.
            for one in self.server.logs[epoch].get(self.caller.user, [])[: int(number)]:
                if is_for(one, self.caller.device_id):
                    self._take(one.event, one.event_seq)
            self._heard = int(number)

    def missed(self, conversation_id: str, order: int, *, hidden: bool) -> None:
        """Another device deleted this without word; `hidden`: nothing of it is left."""
        self.untold[conversation_id] = order
        self.untold_at[conversation_id] = self.server.position(self.caller.user)
        if hidden and conversation_id in self.core.state.conversations:
            self.kept.add(conversation_id)

    # What must hold

    def check(self) -> None:
        """At any time: nothing that was cleared, no row that was deleted, the disk in step with the memory."""
        state, store = self.core.state, self.store
        assert store.cursor == state.cursor, f"{self.name}: the stored cursor is another"
        for conversation_id in self.hear():
            told = self.told[conversation_id]
            row = state.conversations.get(conversation_id)
            marks = state.marks_of(conversation_id)
            where = f"{self.name}: {conversation_id}"
            assert row is None or row.newest_seq > told.hidden_through, f"{where} is listed, deleted through {told}"
            assert row is None or marks.raised(*told) == marks, f"{where} stands at {marks}, told {told}"
            held = [message.message_seq for message in store.history.tail(conversation_id, HELD)]
            assert not held or held[0] > told.cleared_through, f"{where} holds {held}, told {told}"
        self._check_held()
        self._check_queue()
        self.changed_screen.check()

    def _check_held(self) -> None:
        """Messages go from the disk because they were cleared on the server, never because somebody means to."""
        before, self.held = self.held, {name: set(one.messages) for name, one in self.store.history._shelves.items()}
        doubted, self.doubted = self.doubted, {name for name in self.held if self.core.doubt.of(name)}
        if self._epoch != self.server.epoch:
            return
        for conversation_id, seqs in before.items():
            gone = seqs - self.held.get(conversation_id, set())
            through = self.ever_cleared(self.caller.user, conversation_id)
            assert conversation_id in doubted or all(seq <= through for seq in gone), (
                f"{self.name}: {gone} of {conversation_id} were purged, cleared through {through}"
            )

    def _check_queue(self) -> None:
        """What is to be deleted is hidden at once; what was to be, before the server was restored from a backup, stays
        as it is."""
        state = self.core.state
        queued = [slot.entry for slot in self.core.outbox.queue]
        entries = [
            one for one in queued if one.seen_at.rpartition(":")[0] in ("", (state.cursor or "").rpartition(":")[0])
        ]
        touched = {name for entry in entries for name in entry.conversations()}
        for name in {name for entry in queued for name in entry.conversations()} - touched:
            assert state.shown.get(name) == state.conversations.get(name), f"{self.name}: {name} is not as it is"
        undone = {entry.batch_id for entry in entries if isinstance(entry, QueuedRestore)}
        for entry in entries:
            if isinstance(entry, QueuedDeletion) and entry.batch_id not in undone:
                for conversation_id, through in entry.up_to.items():
                    row = state.shown.get(conversation_id)
                    assert row is None or row.newest_seq > through, (
                        f"{self.name}: {conversation_id} is shown, to be deleted through {through}"
                    )
