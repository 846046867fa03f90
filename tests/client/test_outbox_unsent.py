"""Conversations that are deleted while messages to them wait."""

from tests.client.working import BOB, CAROL, Server, deletion, queued, send, until, working
from tui_chat.cache.memory import MemoryOutbox
from tui_chat.client.entries import QueuedDeletion, QueuedSend
from tui_chat.client.outbox import TakenOut, Waits
from tui_chat.protocol.errors import NotConnected


async def test_messages_are_not_sent_before_the_deletion_and_go_with_it() -> None:
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


async def test_messages_that_were_never_attempted_are_dropped() -> None:
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


async def test_where_the_deletion_is_taken_out_again_they_are_sent_after_all() -> None:
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


async def test_one_written_after_the_deletion_brings_the_row_back() -> None:
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


async def test_one_that_was_not_deleted_goes_before_what_was_written_after_it() -> None:
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


async def bound_after_the_answer(server: Server) -> dict[str, int]:
    """The upTo with which a deletion goes out that was asked for while a message's answer was on its way."""
    server.holding.clear()
    async with working(server) as (outbox, _):
        outbox.submit([send()])
        await until(lambda: bool(server.attempts))
        (ticket,) = outbox.submit([deletion(BOB, up_to=4)])
        server.holding.set()
        await ticket.outcome()
    last = server.attempts[-1]
    assert isinstance(last, QueuedDeletion)
    return dict(last.up_to)


async def test_the_echo_that_stood_on_the_screen_is_deleted_with_the_rest() -> None:
    assert await bound_after_the_answer(Server()) == {BOB: 5}


async def test_what_is_shown_follows_the_raised_bound_at_once() -> None:
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


async def test_what_came_between_unseen_is_not_deleted() -> None:
    server = Server()
    server.seq = 6  # bob wrote 5 and 6 meanwhile
    assert await bound_after_the_answer(server) == {BOB: 4}
