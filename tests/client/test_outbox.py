"""The queue: stored first, in order, repeated until answered, once in effect."""

import asyncio

import pytest

from tests.client.working import BOB, CAROL, Server, deletion, queued, read, send, until, working
from tui_chat.cache.memory import MemoryOutbox
from tui_chat.client.entries import (
    AnyEntry,
    QueuedDeletion,
    QueuedRead,
    QueuedRestore,
    QueuedSend,
    entry_from,
    stored_form,
)
from tui_chat.client.outbox import TakenOut, Waits
from tui_chat.protocol.errors import NotConnected
from tui_chat.protocol.requests import ConversationsDeleted, ConversationsRestored, MessageSent


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
