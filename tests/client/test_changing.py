"""Messages that are edited, recalled, reacted to, with a connection and without; who has read them; finding them."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from tests.client.making import message
from tests.client.sessions import Sessions, Watched, eventually, in_step, texts
from tests.proxy import Proxy, proxy_to
from tests.servers import LiveServer
from tui_chat.client.changes import CommandRefused, Connection, HistoryRestored, MessageUpdated
from tui_chat.client.entries import MessageEntry, QueuedEdit, QueuedReaction, QueuedRecall
from tui_chat.client.overlay import changed
from tui_chat.protocol.errors import (
    InvalidEmoji,
    MessageNotFound,
    MessageRecalled,
    NotConnected,
    NotYourMessage,
    RecallExpired,
    TextEmpty,
)
from tui_chat.protocol.models import Message, Reaction

BOB = "C2Cbob"
ALICE = "C2Calice"


class World:
    """alice on a laptop behind a proxy and on a phone, and bob; alice wrote "one" and "two", bob "three"."""

    alice: Watched
    phone: Watched
    bob: Watched
    proxy: Proxy

    async def offline(self) -> None:
        await self.proxy.stop()
        await eventually(lambda: self.alice.session.connection is not Connection.CONNECTED)

    async def online(self) -> None:
        await self.proxy.start()
        self.alice.session.reconnect_now()
        await eventually(lambda: self.alice.session.queued == 0)
        await in_step(self.alice)


@pytest_asyncio.fixture
async def world(sessions: Sessions, server: LiveServer, tmp_path: Path) -> AsyncIterator[World]:
    async with proxy_to(server.url) as proxy:
        made = World()
        made.proxy = proxy
        made.alice = await sessions.register("alice", url=proxy.url, cache=tmp_path / "alice")
        made.bob = await sessions.register("bob", device="desk")
        made.phone = await sessions.log_in("alice")
        await in_step(made.alice, made.bob, made.phone)
        for text in ("one", "two"):
            await made.alice.session.send_message(BOB, text)
        await made.bob.session.send_message(ALICE, "three")
        for one, conversation_id in ((made.alice, BOB), (made.phone, BOB), (made.bob, ALICE)):
            await eventually(lambda one=one, which=conversation_id: newest(one, which) == 3)  # type: ignore[misc]
            one.forget()
        yield made


def newest(watched: Watched, conversation_id: str) -> int:
    row = watched.session.conversations.get(conversation_id)
    return row.newest_seq if row is not None else 0


def held(watched: Watched, conversation_id: str, message_seq: int) -> Message:
    (found,) = [one for one in watched.session.cached_tail(conversation_id) if one.message_seq == message_seq]
    return found


async def both_see(world: World, what: Callable[[Message], object], message_seq: int = 2) -> None:
    """alice's phone and bob end up with this."""
    for one, conversation_id in ((world.phone, BOB), (world.bob, ALICE)):
        await eventually(
            lambda one=one, which=conversation_id: what(held(one, which, message_seq))  # type: ignore[misc]
        )


class TestConnected:
    async def test_an_edit_shows_at_once_and_everywhere(self, world: World) -> None:
        edited = await world.alice.session.edit_message(BOB, 2, "zwei")
        assert edited is not None
        assert (edited.text, edited.version > 1, edited.edited_at is not None) == ("zwei", True, True)
        await both_see(world, lambda one: one.text == "zwei")
        assert held(world.alice, BOB, 2) == edited
        said = [change.message.text for change in world.alice.of(MessageUpdated)]
        assert said == ["zwei", "zwei"], "the echo, then the word of the server"
        assert (await world.bob.sees(MessageUpdated)).message.text == "zwei"
        assert texts((await world.bob.session.history(ALICE)).messages) == ["one", "zwei", "three"]

    async def test_a_recall_takes_the_text_from_everybody(self, world: World) -> None:
        recalled = await world.alice.session.recall_message(BOB, 2)
        assert recalled is not None
        assert (recalled.text, recalled.recalled) == ("", True)
        await both_see(world, lambda one: one.recalled and not one.text)

    async def test_a_reaction_and_taking_it_back(self, world: World) -> None:
        await world.alice.session.react(BOB, 3, "👍")
        await both_see(world, lambda one: one.reactions and one.reactions["👍"].user_id_list == ["alice"], 3)
        assert held(world.alice, BOB, 3).reactions["👍"].mine
        await world.bob.session.react(ALICE, 3, "👍")
        await eventually(lambda: held(world.alice, BOB, 3).reactions["👍"].count == 2)
        await world.alice.session.unreact(BOB, 3, "👍")
        await both_see(world, lambda one: one.reactions["👍"].user_id_list == ["bob"], 3)

    async def test_who_has_read(self, world: World) -> None:
        await world.alice.session.send_message(BOB, "four")
        await eventually(lambda: newest(world.bob, ALICE) == 4)
        before = await world.alice.session.readers(BOB, 4)
        assert [user.user_id for user in before.unread] == ["bob"]
        await world.bob.session.mark_read(ALICE)
        after = await world.alice.session.readers(BOB, 4)
        assert [user.user_id for user in after.read] == ["bob"]

    async def test_reading_takes_the_flag_of_unread_away(self, world: World) -> None:
        session = world.alice.session
        await session.mark_read(BOB)
        assert not await session.set_flags([BOB], marked_unread=True)
        await eventually(lambda: session.conversations[BOB].marked_unread)
        await session.mark_read(BOB)
        await eventually(lambda: not session.conversations[BOB].marked_unread)

    async def test_finding_what_was_said(self, world: World) -> None:
        found = await world.alice.session.search("TWO")
        assert (texts(found.messages), found.here_only) == (["two"], False)
        assert (await world.alice.session.search("two", conversation_id=BOB)).messages == found.messages
        assert texts((await world.bob.session.search("t", conversation_id=ALICE)).messages) == ["three", "two"]

    async def test_what_is_refused_is_raised_and_shown_as_it_was(self, world: World, server: LiveServer) -> None:
        with pytest.raises(NotYourMessage):
            await world.alice.session.edit_message(BOB, 3, "not mine")
        assert [one.message.text for one in world.alice.of(MessageUpdated)] == ["not mine", "three"]
        assert held(world.alice, BOB, 3).text == "three"
        server.clock.advance(121)
        with pytest.raises(RecallExpired):
            await world.alice.session.recall_message(BOB, 2)
        assert held(world.alice, BOB, 2).text == "two"
        await world.alice.session.edit_message(BOB, 2, "zwei")

    async def test_what_cannot_be_meant_is_refused_here(self, world: World) -> None:
        with pytest.raises(TextEmpty):
            await world.alice.session.edit_message(BOB, 2, " ")
        with pytest.raises(MessageNotFound):
            await world.alice.session.edit_message(BOB, 0, "not sent yet")
        with pytest.raises(InvalidEmoji):
            await world.alice.session.react(BOB, 2, "thumbs up")
        assert world.alice.of(MessageUpdated) == []


class TestOffline:
    async def test_changes_show_at_once_and_take_effect_in_order_and_once(self, world: World) -> None:
        await world.offline()
        session = world.alice.session
        assert (await session.edit_message(BOB, 2, "zwei")) == held(world.alice, BOB, 2)
        await session.edit_message(BOB, 2, "deux")
        await session.react(BOB, 3, "👍")
        await session.recall_message(BOB, 1)
        assert [(one.text, one.recalled) for one in session.cached_tail(BOB)] == [
            ("", True),
            ("deux", False),
            ("three", False),
        ]
        assert held(world.alice, BOB, 3).reactions["👍"] == Reaction(count=1, user_id_list=["alice"], mine=True)
        assert texts((await session.history(BOB)).messages) == ["", "deux", "three"]
        assert session.queued == 4
        await world.online()
        await both_see(world, lambda one: one.text == "deux")
        await both_see(world, lambda one: one.recalled, 1)
        await both_see(world, lambda one: one.reactions["👍"].count == 1, 3)
        assert held(world.bob, ALICE, 2).version == 3, "both edits, each once"

    async def test_they_survive_a_restart(self, world: World, sessions: Sessions, tmp_path: Path) -> None:
        await world.offline()
        await world.alice.session.edit_message(BOB, 2, "zwei")
        again = await sessions.again(world.alice, cache=tmp_path / "alice", start=False)
        assert held(again, BOB, 2).text == "zwei", "shown from the queue"
        world.alice = again
        await world.proxy.start()
        await again.session.start()
        await both_see(world, lambda one: one.text == "zwei")

    async def test_an_edit_whose_answer_is_lost_takes_effect_once(self, world: World) -> None:
        world.proxy.deaf_to_answers = True
        world.alice.session._core.api._read_seconds = 0.3
        await world.alice.session.edit_message(BOB, 2, "zwei")
        await both_see(world, lambda one: one.text == "zwei")
        world.proxy.deaf_to_answers = False
        world.proxy.cut()
        world.alice.session.reconnect_now()
        await eventually(lambda: world.alice.session.queued == 0)
        assert held(world.alice, BOB, 2).version == 2

    async def test_an_edit_of_what_was_recalled_meanwhile_is_told(self, world: World) -> None:
        await world.offline()
        await world.alice.session.edit_message(BOB, 2, "zwei")
        await world.phone.session.recall_message(BOB, 2)
        await world.online()
        refused = await world.alice.sees(CommandRefused)
        assert (refused.what, refused.conversation_id_list, refused.text) == ("edit", [BOB], "zwei")
        assert refused.error.code == MessageRecalled.code
        await eventually(lambda: held(world.alice, BOB, 2).recalled)
        assert held(world.alice, BOB, 2).text == ""
        assert world.alice.of(MessageUpdated)[-1].message.recalled

    async def test_one_that_is_refused_and_no_more_on_hand_is_asked_for_again(self, world: World) -> None:
        await world.offline()
        await world.alice.session.edit_message(BOB, 3, "not mine")
        world.alice.session._core.on_hand.forget(BOB)
        assert world.alice.of(HistoryRestored) == []
        await world.online()
        assert (await world.alice.sees(HistoryRestored)).conversation_id == BOB

    async def test_the_row_shows_what_the_newest_will_say(self, world: World) -> None:
        await world.alice.session.send_message(BOB, "four")
        await eventually(lambda: newest(world.alice, BOB) == 4)
        await world.offline()
        await world.alice.session.edit_message(BOB, 4, "vier")
        last = world.alice.session.conversations[BOB].last_message
        assert last is not None
        assert last.text == "vier"

    async def test_one_conversation_can_be_searched_as_far_as_it_is_here(self, world: World) -> None:
        await world.offline()
        found = await world.alice.session.search("TWO", conversation_id=BOB)
        assert (texts(found.messages), found.here_only) == (["two"], True)
        with pytest.raises(NotConnected):
            await world.alice.session.readers(BOB, 2)


async def test_all_conversations_can_be_searched_as_far_as_they_are_here(
    world: World, sessions: Sessions, server: LiveServer
) -> None:
    carol = await sessions.register("carol")
    for number in range(3):
        await carol.session.send_message(ALICE, f"carol's two {number}")
    await eventually(lambda: newest(world.alice, "C2Ccarol") == 3)
    await world.offline()
    found = await world.alice.session.search("Two", limit=3)
    assert found.here_only
    assert texts(found.messages) == ["carol's two 2", "carol's two 1", "carol's two 0"], "the newest first"
    assert found.next is not None
    await world.online()
    rest = await world.alice.session.search("Two", cursor=found.next, limit=3)
    assert (texts(rest.messages), rest.next, rest.here_only) == (["two"], None, True), "it goes on where it began"
    await world.offline()
    await world.alice.session.delete_conversation("C2Ccarol")  # it waits; what it clears is not shown
    assert texts((await world.alice.session.search("two")).messages) == ["two"]


async def test_what_the_server_found_is_not_gone_on_with_from_here(world: World) -> None:
    found = await world.alice.session.search("t", limit=1)
    assert found.next is not None
    await world.offline()
    with pytest.raises(NotConnected):
        await world.alice.session.search("t", limit=1, cursor=found.next)


async def test_what_is_cleared_is_not_shown_by_an_answer_that_comes_late(world: World) -> None:
    edited = await world.phone.session.edit_message(BOB, 2, "zwei")
    assert edited is not None
    await world.alice.session.clear_history([BOB])
    world.alice.forget()
    world.alice.session._core.receiver.adopt_message(edited)
    await world.alice.session.send_message(BOB, "later")
    await eventually(lambda: any(one.message.text == "later" for one in world.alice.of(MessageUpdated)))
    assert {one.message.text for one in world.alice.of(MessageUpdated)} == {"later"}
    assert texts(world.alice.session.cached_tail(BOB)) == ["later"]


def edit(text: str) -> QueuedEdit:
    return QueuedEdit(conversation_id=BOB, message_seq=2, text=text, operation_id="o", time=9)


def reaction(emoji: str, *, there: bool) -> QueuedReaction:
    return QueuedReaction(conversation_id=BOB, message_seq=2, emoji=emoji, there=there)


RECALL = QueuedRecall(conversation_id=BOB, message_seq=2, operation_id="o")


@pytest.mark.parametrize(
    ("queued", "text"),
    [([edit("a"), edit("b")], "b"), ([edit("a"), RECALL], ""), ([RECALL, edit("a")], ""), ([], "two")],
)
def test_changes_are_laid_over_in_order(queued: list[MessageEntry], text: str) -> None:
    assert changed(message(BOB, 2, "two"), queued, "alice").text == text
    assert changed(message(BOB, 3, "two"), queued, "alice").text == "two", "another message"


def test_ones_own_reaction_counts_once() -> None:
    before = message(BOB, 2, reactions={"👍": Reaction(count=1, user_id_list=["bob"])})
    twice = changed(before, [reaction("👍", there=True), reaction("👍", there=True)], "alice")
    assert twice.reactions == {"👍": Reaction(count=2, user_id_list=["bob", "alice"], mine=True)}
    assert changed(twice, [reaction("👍", there=False)], "alice").reactions == before.reactions
    alone = changed(message(BOB, 2), [reaction("👍", there=True), reaction("👍", there=False)], "alice")
    assert alone.reactions == {}
