"""Messages that changed without a word are asked for again before they are taken for true; rows are told in order."""

import asyncio
from collections.abc import Callable

import pytest

from tests.client.making import MINE, OTHER, Inside, arrived, deleted, message, ranged, restored, row
from tests.client.sessions import texts
from tests.client.test_closed_and_unread import changed
from tui_chat.cache.memory import MemoryAccount
from tui_chat.client.changes import (
    ConversationsRemoved,
    ConversationsRestored,
    ConversationsUpdated,
    HistoryRestored,
)
from tui_chat.client.merging import Marks
from tui_chat.protocol.errors import ChatError, NotConnected
from tui_chat.protocol.requests import MessagePage

BOB = "C2Cbob"
CAROL = "C2Ccarol"


class Reading(Inside):
    """Of bob's conversation two messages are held, and somebody opens it."""

    def __init__(self, store: MemoryAccount | None = None):
        super().__init__(row(BOB, 2), row(CAROL, 1), store=store)
        if store is None:
            self.store.history.add(BOB, [message(BOB, 1), message(BOB, 2)])
        self.pages = self.pages_from(self)
        self.asked = 0
        self.answer: MessagePage | ChatError = MessagePage(messages=[message(BOB, 1), self.edited])
        self.meanwhile: Callable[[], object] = lambda: None

    edited = message(BOB, 2, "edited", version=2)

    async def messages(self, conversation_id: str, **_: object) -> MessagePage:
        """In the place of the server."""
        self.asked += 1
        self.meanwhile()
        if isinstance(self.answer, ChatError):
            raise self.answer
        return self.answer

    async def read(self) -> list[str]:
        """What somebody reads who opens the conversation."""
        page = await self.pages.page(BOB, before=None, after=None, limit=50)
        return texts(page.messages)


async def test_behind_a_gap_in_the_log_the_server_is_asked_once_and_then_the_cache_again() -> None:
    inside = Reading()
    assert (await inside.read(), inside.asked) == (["m1", "m2"], 0)
    inside.receiver.replace([row(BOB, 2), row(CAROL, 1)], "e:40", keep_history=True)
    assert texts(inside.pages.tail(BOB, 9)) == ["m1", "m2"], "at once, and without a connection, what there is"
    inside = Reading(inside.store)
    assert (await inside.read(), inside.asked) == (["m1", "edited"], 1), "over a restart as well"
    assert (await inside.read(), inside.asked) == (["m1", "edited"], 1)
    inside = Reading(inside.store)
    assert (await inside.read(), inside.asked) == (["m1", "edited"], 0)
    assert inside.doubt.of(CAROL)


@pytest.mark.parametrize("cursor", ["e:10", "f:40"])
async def test_where_nothing_was_left_out_or_nothing_is_held_nothing_is_in_doubt(cursor: str) -> None:
    inside = Reading()
    inside.receiver.replace([row(BOB, 2)], cursor, keep_history=cursor == "e:10")
    assert not inside.doubt.of(BOB)


async def test_what_is_read_without_a_connection_is_loaded_anew_with_one() -> None:
    inside = Reading()
    inside.receiver.replace([row(BOB, 2)], "e:40", keep_history=True)
    inside.answer = NotConnected()
    assert await inside.read() == ["m1", "m2"]
    await asyncio.sleep(0)
    inside.changes.clear()
    inside.pages.back_in_step()
    inside.pages.back_in_step()
    await asyncio.sleep(0)
    assert inside.changes == [HistoryRestored(conversation_id=BOB)]


async def test_a_restore_puts_in_doubt_what_was_held_while_it_may_have_changed_unseen() -> None:
    """Another device had cleared it without word; what became of messages meanwhile is not in the log."""
    inside = Reading()
    inside.receiver.receive(ranged(11, restored(11, row(BOB, 2), device=OTHER)))
    await asyncio.sleep(0)
    assert HistoryRestored(conversation_id=BOB) in inside.changes, "an open pane loads it anew"
    assert (await inside.read(), inside.asked) == (["m1", "edited"], 1)
    assert (await inside.read(), inside.asked) == (["m1", "edited"], 1)


async def test_where_all_was_cleared_a_restore_leaves_no_doubt() -> None:
    inside = Reading()
    inside.receiver.receive(ranged(11, deleted(11, {BOB: Marks(2, 2)}, device=MINE)))
    inside.receiver.receive(ranged(12, restored(12, row(BOB, 2), device=MINE)))
    assert not inside.doubt.of(BOB)
    assert (await inside.read(), inside.asked) == (["m1", "edited"], 1), "it is not held"


async def test_a_page_says_nothing_of_what_is_cleared_when_it_is_asked_for() -> None:
    inside = Reading()
    inside.store.history.purge([BOB])
    inside.receiver.receive(ranged(11, arrived(11, BOB, 5, cleared_through=3)))
    inside.store.history.purge([BOB])
    inside.answer = MessagePage(messages=[message(BOB, 4), message(BOB, 5)], cleared_through=3)
    await inside.pages.page(BOB, before=None, after=1, limit=50)
    inside.receiver.receive(ranged(12, restored(12, row(BOB, 5), device=OTHER)))
    inside.store.history.add(BOB, [message(BOB, 1)])
    assert texts(inside.pages.tail(BOB, 9)) == ["m4", "m5"], "2 and 3 are missing between"


async def test_a_page_that_an_edit_overtook_shows_the_edit() -> None:
    inside = Reading()
    inside.store.history.purge([BOB])
    inside.answer = MessagePage(messages=[message(BOB, 1), message(BOB, 2)])
    inside.meanwhile = lambda: inside.receiver.receive(ranged(11, changed(11, BOB, 2, version=2, newest=2)))
    assert await inside.read() == ["m1", "edited 2"]


async def test_an_edit_that_overtook_the_page_that_ends_a_doubt_stays() -> None:
    inside = Reading()
    inside.receiver.replace([row(BOB, 2), row(CAROL, 1)], "e:40", keep_history=True)
    inside.answer = MessagePage(messages=[message(BOB, 1), message(BOB, 2)])
    inside.meanwhile = lambda: inside.receiver.receive(ranged(41, changed(41, BOB, 2, version=2, newest=2)))
    assert await inside.read() == ["m1", "edited 2"]
    assert (await inside.read(), inside.asked) == (["m1", "edited 2"], 1), "from the cache as well"


async def test_a_row_that_goes_and_comes_back_in_one_range_is_told_last_as_it_stands() -> None:
    inside = Reading()
    came_back = arrived(13, BOB, 3, hidden_through=2, cleared_through=2)
    inside.receiver.receive(ranged(11, arrived(11, CAROL, 2), deleted(12, {BOB: Marks(2, 2)}, device=MINE), came_back))
    await asyncio.sleep(0)
    told = [
        (type(one), one.conversation_id_list)
        for one in inside.changes
        if isinstance(one, ConversationsUpdated | ConversationsRemoved)
    ]
    assert told == [
        (ConversationsUpdated, [CAROL]),
        (ConversationsRemoved, [BOB]),
        (ConversationsUpdated, [BOB]),
    ]


async def test_a_row_that_an_undo_and_then_a_message_brought_back_is_told_last_as_it_stands() -> None:
    """Between the two another deletion had taken it again: the undo's word is before that."""
    inside = Reading()
    inside.receiver.receive(ranged(11, deleted(11, {BOB: Marks(2, 2)})))
    await asyncio.sleep(0)
    inside.changes.clear()
    taken = deleted(13, {BOB: Marks(2, 2)}, batch="b2")
    came_back = arrived(14, BOB, 3, hidden_through=2, cleared_through=2)
    inside.receiver.receive(ranged(12, restored(12, row(BOB, 2)), taken, came_back))
    await asyncio.sleep(0)
    told = [
        type(one)
        for one in inside.changes
        if isinstance(one, ConversationsRestored | ConversationsRemoved | ConversationsUpdated)
    ]
    assert told == [ConversationsRestored, ConversationsRemoved, ConversationsUpdated]
