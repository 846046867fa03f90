"""A queue at work, against a server that answers as a test says, on a clock that the test moves."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from random import Random

from tests.client.making import message
from tui_chat.cache.memory import MemoryOutbox
from tui_chat.cache.store import CacheError
from tui_chat.client.entries import (
    AnyEntry,
    QueuedClear,
    QueuedDeletion,
    QueuedEdit,
    QueuedFlags,
    QueuedReaction,
    QueuedRead,
    QueuedRecall,
    QueuedRestore,
    QueuedSend,
    entry_from,
)
from tui_chat.client.outbox import Answer, Outbox
from tui_chat.protocol.errors import ChatError
from tui_chat.protocol.requests import ConversationsChanged, ConversationsDeleted, ConversationsRestored, MessageSent

BOB = "C2Cbob"
CAROL = "C2Ccarol"

_numbers = iter(range(1, 1_000_000))


def send(conversation_id: str = BOB, text: str = "hello") -> QueuedSend:
    return QueuedSend(conversation_id=conversation_id, client_id=f"c{next(_numbers)}", text=text, time=5)


def deletion(*ids: str, up_to: int = 4) -> QueuedDeletion:
    return QueuedDeletion(
        conversation_id_list=list(ids),
        clear_history_message=True,
        up_to=dict.fromkeys(ids, up_to),
        operation_id=f"o{next(_numbers)}",
        batch_id="b1",
    )


def read(message_seq: int) -> QueuedRead:
    return QueuedRead(conversation_id=BOB, message_seq=message_seq, operation_id=f"o{next(_numbers)}")


class Server:
    """Answers commands as a test says; implements `outbox.Carrier`."""

    def __init__(self) -> None:
        self.attempts: list[AnyEntry] = []
        self.failures: list[ChatError] = []
        self.fail_for: Callable[[AnyEntry], ChatError | None] = lambda _: None
        self.unknown: set[str] = set()
        """Conversations of which a deletion deletes nothing."""
        self.seq = 4
        self.holding = asyncio.Event()
        self.holding.set()
        self.events = asyncio.Event()
        self.events.set()
        self.told: list[tuple[str, str]] = []
        self.shown: list[str] = []

    async def perform(self, entry: AnyEntry) -> Answer:
        self.attempts.append(entry)
        await self.holding.wait()
        failure = self.failures.pop(0) if self.failures else self.fail_for(entry)
        if failure is not None:
            raise failure
        match entry:
            case QueuedSend():
                self.seq += 1
                return MessageSent(message=message(entry.conversation_id, self.seq, entry.text), event_seq=1)
            case QueuedEdit() | QueuedRecall() | QueuedReaction():
                return MessageSent(message=message(entry.conversation_id, entry.message_seq), event_seq=1)
            case QueuedDeletion() | QueuedClear():
                return ConversationsDeleted(
                    conversation_id_list=[one for one in entry.conversation_id_list if one not in self.unknown],
                    operation_id=entry.operation_id,
                    batch_id=entry.batch_id,
                    event_seq=1,
                )
            case QueuedRestore():
                return ConversationsRestored(conversation_id_list=entry.conversations(), batch_id=entry.batch_id)
            case QueuedRead() | QueuedFlags():
                return ConversationsChanged(conversation_id_list=entry.conversations())

    async def reach(self, event_seq: int) -> None:
        await self.events.wait()

    def queue_changed(self, entries: Iterable[AnyEntry], *, settled: bool = False) -> None:
        self.shown.extend(type(entry).__name__ for entry in entries)

    def answered(self, entry: AnyEntry, answer: Answer, *, awaited: bool) -> None:
        self.told.append(("answered", type(entry).__name__))

    def settled(self, entry: AnyEntry, answer: Answer) -> None:
        self.told.append(("settled", type(entry).__name__))

    def refused(self, entry: AnyEntry, error: ChatError, *, awaited: bool) -> None:
        self.told.append(("refused" if awaited else "refused unawaited", error.code))

    def held(self, entry: AnyEntry, error: ChatError) -> None:
        self.told.append(("held", error.code))

    def unsent(self, entries: Iterable[QueuedSend]) -> None:
        self.told.extend(("unsent", entry.text) for entry in entries)

    def disk_failed(self, error: CacheError) -> None:
        self.told.append(("disk", "full"))


class Sleeps:
    """A clock that a test moves: every pause ends when it is let go, and then its time has passed."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self.now = 100.0
        self._waiting = False
        self._gate = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        self.asked.append(seconds)
        self._waiting = True
        try:
            await self._gate.wait()
            self._gate.clear()
            self.now += seconds
        finally:
            self._waiting = False

    async def pass_on(self) -> None:
        """Let the queue do what it can, then the time pass for which it waits."""
        before = len(self.asked)
        await until(lambda: self._waiting)
        self.go_on()
        await until(lambda: len(self.asked) > before or not self._waiting)
        for _ in range(20):
            await asyncio.sleep(0)

    def time(self) -> float:
        return self.now

    def go_on(self) -> None:
        self._gate.set()


@asynccontextmanager
async def working(
    server: Server, store: MemoryOutbox | None = None, *, settle_seconds: float = 5.0
) -> AsyncIterator[tuple[Outbox, Sleeps]]:
    sleeps = Sleeps()
    stored = store if store is not None else MemoryOutbox()
    outbox = Outbox(stored, server, random=Random(1), sleep=sleeps, clock=sleeps.time, settle_seconds=settle_seconds)
    task = asyncio.create_task(outbox.run())
    try:
        yield outbox, sleeps
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            task.result()


async def until(condition: Callable[[], bool]) -> None:
    """Give the loop turns until something holds."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - any state may be asked for, not one event
            await asyncio.sleep(0)


def queued(store: MemoryOutbox) -> list[AnyEntry]:
    return [entry_from(stored) for _, stored in store.all()]
