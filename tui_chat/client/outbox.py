"""Commands on their way: stored before they are attempted, repeated until the server has answered, once in effect.

A command that the server cannot answer now (no connection, too frequent, its own failure) stays and waits; one that it
refuses leaves the queue and somebody is told. One at which the server fails every time holds up its own conversations
and no others; people are told of it and may drop it.

After a kill -9 the queue goes on where it was: whatever was attempted is repeated under its operationID or clientID,
which changes nothing where it had arrived.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from random import Random
from typing import Final, Protocol

import msgspec

from tui_chat.cache.store import CacheError, OutboxStore
from tui_chat.protocol.errors import ChatError, Internal, NotConnected, TooFrequent, Unauthorized, Unavailable
from tui_chat.protocol.requests import ConversationsChanged, ConversationsDeleted, ConversationsRestored, MessageSent

from .entries import AnyEntry, QueuedDeletion, QueuedRead, QueuedSend, entry_from, stored_form
from .problems import Unreadable
from .queueing import PATIENCE, Phase, Queue, Slot

Answer = MessageSent | ConversationsDeleted | ConversationsRestored | ConversationsChanged

SIDE_BY_SIDE: Final = 4
"""Commands under way at once."""
FIRST_WAIT: Final = 0.5
LONGEST_WAIT: Final = 30.0
LONGEST_REST: Final = 300.0
"""Between two attempts at a command at which the server fails again and again."""
SETTLE_SECONDS: Final = 5.0
"""How long whoever waits for an answered command also waits for its event."""


class Waits(msgspec.Struct, frozen=True):
    """The command stays in the queue, because the server cannot be reached."""


class TakenOut(msgspec.Struct, frozen=True):
    """The command was taken out of the queue before it was attempted."""


Outcome = Answer | Waits | TakenOut


class Ticket:
    """What callers wait on. Cancelling the wait leaves the command in the queue."""

    def __init__(self, slot: Slot):
        self.slot = slot
        self.future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self.waiting = 0
        """How many wait just now."""

    async def outcome(self) -> Outcome:
        """The server's answer, once the event that the command caused is here. Raises ChatError where it refused."""
        self.waiting += 1
        try:
            return await asyncio.shield(self.future)
        finally:
            self.waiting -= 1


class Carrier(Protocol):
    """What the outbox needs of its session."""

    async def perform(self, entry: AnyEntry) -> Answer:
        """Carry it out. Raises ChatError."""

    async def reach(self, event_seq: int) -> None:
        """Return when the state includes this event."""

    def queue_changed(self, entries: Iterable[AnyEntry], *, settled: bool = False) -> None:
        """Entries were added, changed or are gone: what is shown of their conversations may be other.

        `settled`: they went because what they did is here.
        """

    def answered(self, entry: AnyEntry, answer: Answer, *, awaited: bool) -> None:
        """The server confirmed."""

    def settled(self, entry: AnyEntry, answer: Answer) -> None:
        """The event that it caused is here."""

    def refused(self, entry: AnyEntry, error: ChatError, *, awaited: bool) -> None:
        """The server refused; the entry is gone. `awaited`: somebody gets the exception."""

    def held(self, entry: AnyEntry, error: ChatError) -> None:
        """The server failed at it again and again: it stays, and its conversations wait with it. Told once."""

    def unsent(self, entries: Iterable[QueuedSend]) -> None:
        """Messages went unsent, because their conversations were deleted behind them."""

    def disk_failed(self, error: CacheError) -> None:
        """The queue could not be written."""


class Outbox:
    """The queue and what works it off."""

    def __init__(
        self,
        store: OutboxStore,
        carrier: Carrier,
        *,
        random: Random,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
        settle_seconds: float = SETTLE_SECONDS,
    ):
        self._store = store
        self._carrier = carrier
        self._random = random
        self._sleep = sleep
        self._clock = clock
        """Seconds."""
        self._settle_seconds = settle_seconds
        self.queue = Queue(_readable(store))
        self._tickets: dict[int, Ticket] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._paused_until = 0.0
        """Before then nothing is attempted."""
        self._failures = 0
        """Attempts in a row, of whatever command, that came to nothing."""
        self._offline = False
        """Whether callers are told at once that it may take long."""

    # Taking in and out

    def submit(self, entries: list[AnyEntry]) -> list[Ticket]:
        """Store commands (all or none), then attempt them in their turn.

        Raises:
            DiskFull: there is no room to store them; nothing was taken in.
        """
        if len(entries) == 1 and isinstance(entries[0], QueuedRead):
            merged = self.queue.merge_read(entries[0])
            if merged is not None:
                self._update(merged)
                self._carrier.queue_changed([merged.entry])
                return [self._ticket(merged)]
        entry_ids = self._store.add_many([stored_form(entry) for entry in entries])
        slots = [self.queue.append(*pair) for pair in zip(entry_ids, entries, strict=True)]
        tickets = [self._ticket(slot) for slot in slots]
        if self._offline:
            self._release()
        for slot in slots:
            if any(other.held for other in self.queue.tied_to(slot)):
                self._resolve(slot, Waits())
        self._carrier.queue_changed(entries)
        self._wake.set()
        return tickets

    def take_out(self, slots: Iterable[Slot]) -> list[AnyEntry]:
        """Remove those of which nothing can have reached the server; returns what was removed."""
        removed = [slot for slot in slots if slot.untried and slot in self.queue]
        self._remove(removed, TakenOut())
        return [slot.entry for slot in removed]

    def drop(self, slot: Slot) -> bool:
        """Give a command up, attempted or not; what it may have done already comes as an event. False: too late.

        Whoever waits for it hears that it was taken out.
        """
        if slot not in self.queue or slot.phase is not Phase.WAITING:
            return False
        self._remove([slot], TakenOut())
        return True

    def waiting(self) -> int:
        """How many the server has not confirmed."""
        return self.queue.waiting()

    @property
    def held(self) -> bool:
        """Whether commands wait for the server rather than for their turn."""
        return self._offline or self._paused_until > self._clock() or self.queue.next_rest(self._clock()) is not None

    def wake(self) -> None:
        """The server may be reachable (again): try now."""
        self._paused_until = 0.0
        self._failures = 0
        self._offline = False
        for slot in self.queue:
            slot.rests_until = 0.0
        self._wake.set()

    # Working it off

    async def run(self) -> None:
        """Attempt what waits, for ever."""
        try:
            while True:
                self._wake.clear()
                now = self._clock()
                if self._paused_until > now:
                    until: float | None = self._paused_until
                else:
                    for slot in self.queue.runnable(SIDE_BY_SIDE - self._under_way(), now):
                        self._start(slot)
                    until = self.queue.next_rest(now)
                await self._rest(until - now if until is not None else None)
        finally:
            self._offline = True
            for task in self._tasks:
                task.cancel()
            self._release()

    async def _rest(self, seconds: float | None) -> None:
        """Wait for news, for at most so many seconds."""
        if seconds is None:
            await self._wake.wait()
            return
        sleeping = asyncio.ensure_future(self._sleep(seconds))
        waking = asyncio.ensure_future(self._wake.wait())
        try:
            await asyncio.wait([sleeping, waking], return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            waking.cancel()

    def _under_way(self) -> int:
        return sum(slot.phase is Phase.ATTEMPTING for slot in self.queue)

    def _start(self, slot: Slot) -> None:
        slot.phase = Phase.ATTEMPTING
        if not slot.entry.attempted:
            slot.entry = msgspec.structs.replace(slot.entry, attempted=True)
            self._update(slot)
        task = asyncio.create_task(self._attempt(slot))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _attempt(self, slot: Slot) -> None:
        try:
            answer = await self._carrier.perform(slot.entry)
        except ChatError as error:
            self._failed(slot, error)
            self._wake.set()
            return
        self._failures = 0
        self._offline = False
        slot.failures = 0
        slot.phase = Phase.ANSWERED
        self._after(slot, answer)
        self._carrier.answered(slot.entry, answer, awaited=self._awaited(slot))
        self._wake.set()
        reaching = asyncio.ensure_future(self._carrier.reach(answer.event_seq))
        try:
            _, late = await asyncio.wait([reaching], timeout=self._settle_seconds)
            if late:
                self._resolve(slot, answer)
            await reaching
        finally:
            reaching.cancel()
        if slot in self.queue:
            self._carrier.settled(slot.entry, answer)
            self._remove([slot], answer, settled=True)

    def _after(self, slot: Slot, answer: Answer) -> None:
        """What an answer means for others in the queue."""
        match slot.entry, answer:
            case QueuedSend(), MessageSent(message=message):
                raised = self.queue.sent(slot, message.message_seq)
                if raised is not None:
                    self._update(raised)
                    self._carrier.queue_changed([raised.entry])  # its event may have come first, and shown the row
            case QueuedDeletion(), ConversationsDeleted(conversation_id_list=deleted):
                unsent = [
                    other
                    for conversation_id in deleted
                    for other in self.queue.slots_of(conversation_id)
                    if isinstance(other.entry, QueuedSend) and other.untried and other.entry_id < slot.entry_id
                ]
                self._remove(unsent, TakenOut())
                self._carrier.unsent([other.entry for other in unsent if isinstance(other.entry, QueuedSend)])
            case _:
                pass

    def _failed(self, slot: Slot, error: ChatError) -> None:
        slot.phase = Phase.WAITING
        slot.problem = error
        match error:
            case TooFrequent():
                wait = error.retry_after if error.retry_after is not None else 1.0
                self._pause(wait)
                if wait > LONGEST_WAIT:
                    self._release()
            case NotConnected():
                self._offline = True
                self._release()
                self._back_off(error)
            case Unavailable() | Internal() | Unreadable():
                self._server_failed(slot, error)
            case Unauthorized() if error.code == Unauthorized.code:
                # Nothing is lost: after a new log-in the queue goes on.
                self._resolve(slot, error)
                self._offline = True
                self._release()
                self._pause(LONGEST_WAIT)
            case _:
                awaited = self._awaited(slot)
                self._resolve(slot, error)
                self._remove([slot], None)
                self._carrier.refused(slot.entry, error, awaited=awaited)
                return
        self._carrier.queue_changed(())

    def _server_failed(self, slot: Slot, error: ChatError) -> None:
        """Nobody knows whether it fails at this command or at all: this one rests, and all pause for a moment.

        While others succeed the pauses stay short, so that one bad command delays the rest by next to nothing.
        """
        slot.failures += 1
        most = min(LONGEST_REST, FIRST_WAIT * 2 ** min(slot.failures, 16))
        slot.rests_until = self._clock() + max(error.retry_after or 0.0, self._random.uniform(most / 2, most))
        self._back_off(error)
        if self._failures >= PATIENCE:
            self._offline = True
            self._release()
        if slot.failures == PATIENCE:
            self._carrier.held(slot.entry, error)
        if slot.held:
            for one in (slot, *self.queue.tied_to(slot)):
                self._resolve(one, Waits())

    def _back_off(self, error: ChatError) -> None:
        self._failures += 1
        most = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(self._failures, 10))
        self._pause(max(error.retry_after or 0.0, self._random.uniform(0.1, most)))

    def _pause(self, seconds: float) -> None:
        self._paused_until = max(self._paused_until, self._clock() + seconds)

    # Waiters

    def _ticket(self, slot: Slot) -> Ticket:
        ticket = self._tickets.get(slot.entry_id)
        if ticket is None:
            ticket = self._tickets[slot.entry_id] = Ticket(slot)
        return ticket

    def _awaited(self, slot: Slot) -> bool:
        ticket = self._tickets.get(slot.entry_id)
        return ticket is not None and ticket.waiting > 0

    def _release(self) -> None:
        """Tell everyone who waits that it may take long."""
        for entry_id in list(self._tickets):
            self._tickets.pop(entry_id).future.set_result(Waits())

    def _resolve(self, slot: Slot, outcome: Outcome | ChatError) -> None:
        ticket = self._tickets.pop(slot.entry_id, None)
        if ticket is None:
            return
        if isinstance(outcome, ChatError):
            ticket.future.set_exception(outcome)
            ticket.future.exception()  # whoever waited may have gone away
        else:
            ticket.future.set_result(outcome)

    # The store

    def _update(self, slot: Slot) -> None:
        try:
            self._store.update(slot.entry_id, stored_form(slot.entry))
        except CacheError as error:
            self._carrier.disk_failed(error)  # it stands there as it was: repeated under the same number after a crash

    def _remove(self, slots: list[Slot], outcome: Outcome | None, *, settled: bool = False) -> None:
        if not slots:
            return
        for slot in slots:
            self.queue.remove(slot)
            if outcome is not None:
                self._resolve(slot, outcome)
        try:
            self._store.remove(*(slot.entry_id for slot in slots))
        except CacheError as error:
            self._carrier.disk_failed(error)
        self._carrier.queue_changed([slot.entry for slot in slots], settled=settled)
        self._wake.set()


def _readable(store: OutboxStore) -> Iterator[tuple[int, AnyEntry]]:
    """What this version understands; the rest stays where it is, for the version that wrote it."""
    for entry_id, stored in store.all():
        try:
            yield entry_id, entry_from(stored)
        except msgspec.ValidationError:
            continue
