"""The queue where the server cannot be reached, fails, refuses, or wants to be asked less often."""

import asyncio

import pytest

from tests.client.working import BOB, CAROL, Server, deletion, queued, read, send, until, working
from tui_chat.cache.memory import MemoryOutbox
from tui_chat.client.entries import QueuedDeletion, QueuedSend, stored_form
from tui_chat.client.outbox import Waits
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
from tui_chat.protocol.requests import MessageSent


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
