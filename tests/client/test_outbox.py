"""The queue: stored first, in order, repeated until answered, once in effect."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from random import Random

import pytest

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
    stored_form,
)
from tui_chat.client.outbox import Answer, Outbox, TakenOut, Waits
from tui_chat.client.problems import Unreadable
from tui_chat.protocol.errors import (
    BatchUndone,
    ChatError,
    Internal,
    NotAMember,
    NotConnected,
    TooFrequent,
    Unauthorized,
    Unavailable,
)
from tui_chat.protocol.requests import ConversationsChanged, ConversationsDeleted, ConversationsRestored, MessageSent

BOB = "C2Cbob"
CAROL = "C2Ccarol"

_numbers = iter(range(1, 1_000_000))


def send(conversation_id: str = BOB, text: str = "hello") -> QueuedSend:
    return QueuedSend(conversation_id=conversation_id, client_id=f"c{next(_numbers)}", text=text, time=5)


def deletion(*ids: str, up_to: int = 4, batch: str = "b1") -> QueuedDeletion:
    return QueuedDeletion(
        conversation_id_list=list(ids),
        clear_history_message=True,
        up_to=dict.fromkeys(ids, up_to),
        operation_id=f"o{next(_numbers)}",
        batch_id=batch,
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


@pytest.mark.parametrize("entry", [send(), deletion(BOB, CAROL), read(3)])
def test_an_entry_survives_its_stored_form(entry: AnyEntry) -> None:
    assert entry_from(stored_form(entry)) == entry


async def test_a_command_is_stored_before_it_is_attempted_and_gone_when_its_event_is_here() -> None:
    server, store = Server(), MemoryOutbox()
    server.holding.clear()
    server.events.clear()
    async with working(server, store) as (outbox, _):
        (ticket,) = outbox.submit([send()])
        assert len(queued(store)) == 1
        assert not server.attempts
        await until(lambda: bool(server.attempts))
        assert queued(store)[0].attempted
        server.holding.set()
        await until(lambda: ("answered", "QueuedSend") in server.told)
        assert len(queued(store)) == 1, "it stays until its event is here"
        assert outbox.waiting() == 0, "but it does not count as waiting"
        server.events.set()
        assert isinstance(await ticket.outcome(), MessageSent)
        assert not queued(store)


async def test_where_the_event_is_late_the_caller_is_answered_and_the_row_stays_as_it_is_shown() -> None:
    server, store = Server(), MemoryOutbox()
    server.events.clear()
    async with working(server, store, settle_seconds=0.01) as (outbox, _):
        (ticket,) = outbox.submit([deletion(BOB)])
        assert isinstance(await ticket.outcome(), ConversationsDeleted)
        await asyncio.sleep(0.02)
        assert len(queued(store)) == 1
        assert outbox.queue.of(BOB), "it still hides the row"
        server.events.set()
        await until(lambda: not queued(store))


async def test_callers_do_not_wait_for_a_queue_that_has_ended() -> None:
    server, store = Server(), MemoryOutbox()
    server.holding.clear()
    async with working(server, store) as (outbox, _):
        (ticket,) = outbox.submit([send()])
        waiting = asyncio.create_task(ticket.outcome())
        await until(lambda: bool(server.attempts))
    assert await waiting == Waits()
    (late,) = outbox.submit([send(CAROL)])
    assert await late.outcome() == Waits()
    assert len(queued(store)) == 2


async def test_what_another_version_has_queued_is_left_to_it() -> None:
    server, store = Server(), MemoryOutbox()
    store.add({"what": "teleport", "where": "elsewhere"})
    store.add(stored_form(send()))
    async with working(server, store):
        await until(lambda: len(store.all()) == 1)
    assert store.all()[0][1]["what"] == "teleport"


async def test_one_conversation_in_order_and_others_beside() -> None:
    server = Server()
    server.holding.clear()
    first, second, other = send(text="1"), send(text="2"), send(CAROL)
    async with working(server) as (outbox, _):
        tickets = outbox.submit([first, second, other])
        await until(lambda: len(server.attempts) == 2)
        assert [entry.conversations() for entry in server.attempts] == [[BOB], [CAROL]]
        server.holding.set()
        for ticket in tickets:
            await ticket.outcome()
    assert [entry.text for entry in server.attempts if isinstance(entry, QueuedSend)] == ["1", "hello", "2"]


async def test_without_a_connection_callers_are_told_and_the_command_is_repeated_as_it_was() -> None:
    server, store = Server(), MemoryOutbox()
    server.failures = [NotConnected(), NotConnected()]
    async with working(server, store) as (outbox, sleeps):
        (ticket,) = outbox.submit([deletion(BOB)])
        assert await ticket.outcome() == Waits()
        await until(lambda: len(sleeps.asked) == 1)
        (later,) = outbox.submit([send(CAROL)])
        assert await later.outcome() == Waits()
        sleeps.go_on()
        await until(lambda: len(server.attempts) == 3)
        outbox.wake()
        await until(lambda: not queued(store))
    tried = [entry for entry in server.attempts if isinstance(entry, QueuedDeletion)]
    assert len({entry.operation_id for entry in tried}) == 1
    assert len(tried) >= 2


async def test_too_frequent_waits_as_long_as_the_server_says_and_the_caller_goes_on_waiting() -> None:
    server = Server()
    server.failures = [TooFrequent(retry_after=7.0)]
    async with working(server) as (outbox, sleeps):
        (ticket,) = outbox.submit([send()])
        outcome = asyncio.create_task(ticket.outcome())
        await until(lambda: sleeps.asked == [7.0])
        assert not outcome.done()
        sleeps.go_on()
        assert isinstance(await outcome, MessageSent)


@pytest.mark.parametrize("failure", [Unavailable, Internal, Unreadable])
class TestAServerThatFails:
    async def test_it_releases_the_caller_but_not_the_command(self, failure: type[ChatError]) -> None:
        server, store = Server(), MemoryOutbox()
        server.failures = [failure(), failure(), failure()]
        async with working(server, store) as (outbox, sleeps):
            (ticket,) = outbox.submit([send()])
            outcome = asyncio.create_task(ticket.outcome())
            while len(server.attempts) < 3:
                assert not outcome.done()
                await sleeps.pass_on()
            assert await outcome == Waits()
            assert len(queued(store)) == 1
            assert server.told.count(("held", failure().code)) == 1

    async def test_one_command_at_which_it_always_fails_holds_up_its_own_conversations_alone(
        self, failure: type[ChatError]
    ) -> None:
        server, store = Server(), MemoryOutbox()
        server.fail_for = lambda entry: failure() if isinstance(entry, QueuedDeletion) else None
        async with working(server, store) as (outbox, sleeps):
            (bad, behind, *others) = outbox.submit([deletion(BOB), send(), *(send(CAROL) for _ in range(20))])
            waiting = asyncio.create_task(behind.outcome())
            while len(queued(store)) > 2:
                await sleeps.pass_on()
            for ticket in others:
                assert isinstance(await ticket.outcome(), MessageSent)
            while not waiting.done():
                await sleeps.pass_on()
            assert (await waiting, await bad.outcome()) == (Waits(), Waits())
            (later, elsewhere) = outbox.submit([read(3), send(CAROL)])
            assert await later.outcome() == Waits(), "whoever queues behind it is told at once"
            while len(queued(store)) > 3:
                await sleeps.pass_on()
            assert isinstance(await elsewhere.outcome(), MessageSent)
            tried = sum(isinstance(entry, QueuedDeletion) for entry in server.attempts)
            for _ in range(10):
                await sleeps.pass_on()
            more = sum(isinstance(entry, QueuedDeletion) for entry in server.attempts) - tried
            assert more >= 1, "it is tried for ever"
            server.fail_for = lambda _: None
            outbox.wake()
            await until(lambda: not queued(store))

    async def test_while_others_go_through_it_is_not_tried_with_each_of_them(self, failure: type[ChatError]) -> None:
        server, store = Server(), MemoryOutbox()
        server.fail_for = lambda entry: failure() if isinstance(entry, QueuedDeletion) else None
        async with working(server, store) as (outbox, sleeps):
            (bad,) = outbox.submit([deletion(BOB)])
            while bad.slot.failures < 6:
                await sleeps.pass_on()
            began = sleeps.now
            for _ in range(50):
                (ticket,) = outbox.submit([send(CAROL)])
                while outbox.queue.of(CAROL):
                    await sleeps.pass_on()
                assert isinstance(await ticket.outcome(), MessageSent | Waits)
            assert bad.slot.failures <= 7 + (sleeps.now - began) / 10

    async def test_given_up_what_waited_behind_it_goes_on(self, failure: type[ChatError]) -> None:
        server, store = Server(), MemoryOutbox()
        server.fail_for = lambda entry: failure() if isinstance(entry, QueuedDeletion) else None
        async with working(server, store) as (outbox, sleeps):
            (bad, _) = outbox.submit([deletion(BOB), send()])
            while not bad.slot.held:
                await sleeps.pass_on()
            assert outbox.drop(bad.slot)
            assert not outbox.drop(bad.slot)
            outbox.wake()
            await until(lambda: not queued(store))
        assert isinstance(server.attempts[-1], QueuedSend)

    async def test_where_it_fails_at_everything_it_is_not_stormed(self, failure: type[ChatError]) -> None:
        server = Server()
        server.fail_for = lambda _: failure()
        async with working(server) as (outbox, sleeps):
            tickets = outbox.submit([send(f"C2Cu{number}") for number in range(100)])
            began = sleeps.now
            while sleeps.now < began + 60:
                await sleeps.pass_on()
            assert len(server.attempts) < 60, "in a minute"
            assert [await ticket.outcome() for ticket in tickets] == [Waits()] * 100


async def test_a_wait_that_takes_long_releases_the_caller() -> None:
    server = Server()
    server.failures = [TooFrequent(retry_after=600.0)]
    async with working(server) as (outbox, sleeps):
        (ticket,) = outbox.submit([send()])
        assert await ticket.outcome() == Waits()
        await until(lambda: sleeps.asked == [600.0])


async def test_a_refusal_leaves_the_queue_and_is_raised() -> None:
    server, store = Server(), MemoryOutbox()
    server.failures = [NotAMember()]
    async with working(server, store) as (outbox, _):
        (ticket,) = outbox.submit([send("GROUPg")])
        with pytest.raises(NotAMember):
            await ticket.outcome()
        assert not queued(store)
        assert ("refused", "not_a_member") in server.told


async def test_a_refusal_that_nobody_waits_for_is_told() -> None:
    server, store = Server(), MemoryOutbox()
    store.add(stored_form(deletion(BOB)))
    server.failures = [BatchUndone()]
    async with working(server, store):
        await until(lambda: ("refused unawaited", "batch_undone") in server.told)


async def test_signed_out_raises_and_loses_nothing() -> None:
    server, store = Server(), MemoryOutbox()
    server.failures = [Unauthorized()]
    async with working(server, store) as (outbox, _):
        (ticket,) = outbox.submit([send()])
        with pytest.raises(Unauthorized):
            await ticket.outcome()
        assert len(queued(store)) == 1


async def test_after_a_crash_the_queue_goes_on_under_the_same_names() -> None:
    server, store = Server(), MemoryOutbox()
    server.holding.clear()
    command = deletion(BOB)
    async with working(server, store) as (outbox, _):
        outbox.submit([command])
        await until(lambda: bool(server.attempts))
    # Killed while it was under way: nobody knows whether it arrived.
    again = Server()
    async with working(again, store):
        await until(lambda: not queued(store))
    (attempt,) = again.attempts
    assert isinstance(attempt, QueuedDeletion)
    assert (attempt.operation_id, attempt.attempted) == (command.operation_id, True)


class TestDeletingWhatHasUnsentMessages:
    async def test_they_are_not_sent_first_and_go_with_it(self) -> None:
        server, store = Server(), MemoryOutbox()
        server.fail_for = lambda _: NotConnected()
        async with working(server, store) as (outbox, _):
            (unsent, gone) = (*outbox.submit([send()]), *outbox.submit([deletion(BOB)]))
            # The message may have been attempted before the deletion came: then it is resolved first.
            await until(lambda: len(server.attempts) >= 1)
            server.attempts.clear()
            server.fail_for = lambda _: None
            outbox.wake()
            await until(lambda: not queued(store))
            assert unsent.slot.entry.attempted or isinstance(await unsent.outcome(), TakenOut | Waits)
            assert gone.slot not in outbox.queue

    async def test_never_attempted_ones_are_dropped(self) -> None:
        server, store = Server(), MemoryOutbox()
        server.failures = [NotConnected()]
        async with working(server, store) as (outbox, sleeps):
            outbox.submit([send(CAROL)])
            await until(lambda: len(sleeps.asked) == 1)
            outbox.submit([send()])
            outbox.submit([deletion(BOB)])
            outbox.wake()
            await until(lambda: not queued(store))
        assert [type(entry).__name__ for entry in server.attempts if BOB in entry.conversations()] == ["QueuedDeletion"]
        assert ("unsent", "hello") in server.told, "or they would stand on the screen for ever where the row stays"

    async def test_taken_out_again_they_are_sent_after_all(self) -> None:
        server, store = Server(), MemoryOutbox()
        server.failures = [NotConnected()]
        async with working(server, store) as (outbox, sleeps):
            outbox.submit([send(CAROL)])
            await until(lambda: len(sleeps.asked) == 1)
            outbox.submit([send()])
            outbox.submit([deletion(BOB)])
            assert len(outbox.take_out(outbox.queue.untried_of("b1"))) == 1
            outbox.wake()
            await until(lambda: not queued(store))
        assert [type(entry).__name__ for entry in server.attempts if BOB in entry.conversations()] == ["QueuedSend"]

    async def test_one_written_after_the_deletion_brings_the_row_back(self) -> None:
        server, store = Server(), MemoryOutbox()
        server.failures = [NotConnected()]
        async with working(server, store) as (outbox, sleeps):
            outbox.submit([send(CAROL)])
            await until(lambda: len(sleeps.asked) == 1)
            outbox.submit([deletion(BOB)])
            outbox.submit([send()])
            outbox.wake()
            await until(lambda: not queued(store))
        attempts = [type(entry).__name__ for entry in server.attempts if BOB in entry.conversations()]
        assert attempts == ["QueuedDeletion", "QueuedSend"]

    async def test_one_that_was_not_deleted_with_it_goes_before_what_was_written_after_it(self) -> None:
        """The server deletes nothing, and the event up to which its answer counts is late."""
        server = Server()
        server.unknown = {BOB}
        server.failures = [NotConnected()]
        server.events.clear()
        async with working(server) as (outbox, sleeps):
            outbox.submit([send(CAROL)])
            await until(lambda: len(sleeps.asked) == 1)
            outbox.submit([send(text="before")])
            outbox.submit([deletion(BOB)])
            outbox.submit([send(text="after")])
            outbox.wake()
            await until(lambda: len([entry for entry in server.attempts if BOB in entry.conversations()]) == 3)
        written = [entry.text for entry in server.attempts if isinstance(entry, QueuedSend)]
        assert [text for text in written if text != "hello"] == ["before", "after"]

    async def test_the_echo_that_stood_on_the_screen_is_deleted_with_the_rest(self) -> None:
        server = Server()
        server.holding.clear()
        async with working(server) as (outbox, _):
            outbox.submit([send()])
            await until(lambda: bool(server.attempts))
            (ticket,) = outbox.submit([deletion(BOB, up_to=4)])
            server.holding.set()
            await ticket.outcome()
        last = server.attempts[-1]
        assert isinstance(last, QueuedDeletion)
        assert last.up_to == {BOB: 5}

    async def test_and_what_is_shown_follows_at_once(self) -> None:
        server = Server()
        server.holding.clear()
        server.fail_for = lambda entry: NotConnected() if isinstance(entry, QueuedDeletion) else None
        async with working(server) as (outbox, _):
            outbox.submit([send()])
            await until(lambda: bool(server.attempts))
            outbox.submit([deletion(BOB, up_to=4)])
            server.shown.clear()
            server.holding.set()
            await until(lambda: isinstance(server.attempts[-1], QueuedDeletion))
        # The message's event may have come before its answer: then the row was shown again, and hides again here.
        assert server.shown[0] == "QueuedDeletion"

    async def test_but_not_what_came_between_unseen(self) -> None:
        server = Server()
        server.holding.clear()
        server.seq = 6  # bob wrote 5 and 6 meanwhile
        async with working(server) as (outbox, _):
            outbox.submit([send()])
            await until(lambda: bool(server.attempts))
            (ticket,) = outbox.submit([deletion(BOB, up_to=4)])
            server.holding.set()
            await ticket.outcome()
        last = server.attempts[-1]
        assert isinstance(last, QueuedDeletion)
        assert last.up_to == {BOB: 4}


class TestTakingOut:
    async def test_what_was_never_attempted_goes_and_callers_hear_it(self) -> None:
        server, store = Server(), MemoryOutbox()
        server.holding.clear()
        calls = [deletion(f"C2Cu{number}") for number in range(8)]
        async with working(server, store) as (outbox, _):
            tickets = outbox.submit([*calls])
            await until(lambda: len(server.attempts) == 4)
            taken = outbox.take_out(ticket.slot for ticket in tickets)
            assert len(taken) == 4
            assert [await ticket.outcome() for ticket in tickets[4:]] == [TakenOut()] * 4
            server.holding.set()
            for ticket in tickets[:4]:
                assert isinstance(await ticket.outcome(), ConversationsDeleted)
        assert len(server.attempts) == 4

    async def test_a_restore_waits_behind_its_batch(self) -> None:
        server = Server()
        server.holding.clear()
        async with working(server) as (outbox, _):
            outbox.submit([deletion(BOB)])
            (ticket,) = outbox.submit([QueuedRestore(batch_id="b1", conversation_id_list=[])])
            await until(lambda: bool(server.attempts))
            assert len(server.attempts) == 1
            server.holding.set()
            assert isinstance(await ticket.outcome(), ConversationsRestored)
        assert isinstance(server.attempts[1], QueuedRestore)


async def test_read_marks_that_wait_are_one() -> None:
    server, store = Server(), MemoryOutbox()
    server.failures = [NotConnected()]
    async with working(server, store) as (outbox, sleeps):
        outbox.submit([send(CAROL)])
        await until(lambda: len(sleeps.asked) == 1)
        for seq in (3, 9, 5):
            outbox.submit([read(seq)])
        assert [entry.message_seq for entry in queued(store) if isinstance(entry, QueuedRead)] == [9]
        outbox.wake()
        await until(lambda: not queued(store))
    assert [entry.message_seq for entry in server.attempts if isinstance(entry, QueuedRead)] == [9]


async def test_a_caller_that_goes_away_takes_nothing_back() -> None:
    server, store = Server(), MemoryOutbox()
    server.holding.clear()
    async with working(server, store) as (outbox, _):
        (ticket,) = outbox.submit([send()])
        waiting = asyncio.create_task(ticket.outcome())
        await until(lambda: bool(server.attempts))
        waiting.cancel()
        await asyncio.wait([waiting])
        server.holding.set()
        await until(lambda: not queued(store))
    assert ("settled", "QueuedSend") in server.told
