"""Two devices of one account: what the second sees of what the first deletes."""

import asyncio
from pathlib import Path

import pytest

from tests.client.sessions import Sessions, Watched, eventually, in_step, texts
from tests.servers import LiveServer
from tui_chat.client.changes import (
    BlockChanged,
    ConversationsHidden,
    ConversationsRemoved,
    ConversationsRestored,
    ConversationStale,
    ConversationsUpdated,
    DraftKept,
    HistoryCleared,
    HistoryRestored,
    MessagesAdded,
    NickChanged,
    ServerChanged,
    StateReset,
)
from tui_chat.protocol.errors import OperationNotFound, UndoExpired
from tui_chat.protocol.requests import ChangeMe, Done, Me

BOB = "C2Cbob"


class World:
    """alice on two devices, and bob."""

    def __init__(self, laptop: Watched, phone: Watched, bob: Watched):
        self.laptop = laptop
        self.phone = phone
        self.bob = bob

    async def bob_says(self, *words: str) -> None:
        for text in words:
            await self.bob.session.send_message("C2Calice", text)
        for device in (self.laptop, self.phone):
            await self.has(device, words[-1])

    async def has(self, device: Watched, text: str) -> None:
        """Wait until a device's row of bob shows this as its newest message."""

        def newest() -> bool:
            row = device.session.conversations.get(BOB)
            return row is not None and row.last_message is not None and row.last_message.text == text

        await eventually(newest, f"{device.session.device_name} does not show {text!r}")

    async def history(self, device: Watched) -> list[str]:
        return texts((await device.session.history(BOB)).messages)


@pytest.fixture
async def world(sessions: Sessions) -> World:
    laptop = await sessions.register("alice")
    phone = await sessions.log_in("alice")
    bob = await sessions.register("bob", device="desk")
    made = World(laptop, phone, bob)
    await in_step(laptop, phone, bob)
    await made.bob_says("one", "two", "three")
    return made


class TestSyncOn:
    @pytest.fixture(autouse=True)
    def switched_on(self, server: LiveServer, world: World) -> None:
        server.change_settings(sync_conversation_deletion=True)

    async def test_gone_from_both_and_the_notice_names_the_device(self, world: World) -> None:
        await world.phone.session.history(BOB)
        result = await world.laptop.session.delete_conversation(BOB)
        assert result.synced
        assert BOB not in world.laptop.session.conversations
        removed = await world.phone.sees(ConversationsRemoved)
        assert (removed.conversation_id_list, removed.device, removed.clear_history_message) == ([BOB], "laptop", True)
        assert removed.batch_id == result.batch_id
        assert removed.undo_until > 0
        assert not removed.while_away
        assert BOB not in world.phone.session.conversations
        assert world.phone.session.cached_tail(BOB) == []
        assert (await world.phone.sees(HistoryCleared)).cleared_through == 3

    async def test_ones_own_rows_are_hidden_at_once_and_removed_by_the_event(self, world: World) -> None:
        world.laptop.forget()
        deleting = asyncio.create_task(world.laptop.session.delete_conversation(BOB))
        await world.laptop.sees(ConversationsHidden)
        assert BOB not in world.laptop.session.conversations
        await deleting
        removed = await world.laptop.sees(ConversationsRemoved)
        assert removed.device is None
        kinds = [type(change).__name__ for change in world.laptop.changes]
        assert kinds.index("ConversationsHidden") < kinds.index("ConversationsRemoved")

    @pytest.mark.parametrize("which", ["laptop", "phone"])
    @pytest.mark.parametrize("clear", [True, False])
    async def test_undo_from_either_brings_it_back_on_both(self, world: World, which: str, clear: bool) -> None:
        await world.laptop.session.delete_conversation(conversation_id_list=[BOB], clear_history_message=clear)
        await world.phone.sees(ConversationsRemoved)
        undoing = world.laptop if which == "laptop" else world.phone
        other = world.phone if which == "laptop" else world.laptop
        assert undoing.session.undoable[0].count == 1
        restored = await undoing.session.undo()
        assert restored.conversation_id_list == [BOB]
        assert (await undoing.sees(ConversationsRestored)).device is None
        assert (await other.sees(ConversationsRestored)).device == undoing.session.device_name
        await other.sees(HistoryRestored)
        for device in (world.laptop, world.phone):
            assert device.session.conversations[BOB].message_count == 3
            assert await world.history(device) == ["one", "two", "three"]
            assert device.session.undoable == []

    async def test_after_a_clear_a_new_message_comes_back_alone(self, world: World) -> None:
        await world.laptop.session.delete_conversation(BOB)
        await world.phone.sees(ConversationsRemoved)
        await world.bob_says("four")
        for device in (world.laptop, world.phone):
            assert device.session.conversations[BOB].message_count == 1
            assert await world.history(device) == ["four"]

    async def test_after_keeping_history_it_comes_back_with_all(self, world: World) -> None:
        await world.laptop.session.delete_conversation(conversation_id_list=[BOB], clear_history_message=False)
        await world.phone.sees(ConversationsRemoved)
        await world.bob_says("four")
        for device in (world.laptop, world.phone):
            assert device.session.conversations[BOB].message_count == 4
            assert await world.history(device) == ["one", "two", "three", "four"]

    async def test_what_arrives_while_the_dialog_is_open_survives(self, world: World) -> None:
        seen = {BOB: world.laptop.session.conversations[BOB].newest_seq}
        await world.bob_says("wait!")
        result = await world.laptop.session.delete_conversation(conversation_id_list=[BOB], up_to=seen)
        assert result.conversation_id_list == [BOB]
        assert result.kept == [BOB]
        for device in (world.laptop, world.phone):
            await eventually(
                lambda device=device: device.session.conversations[BOB].message_count == 1  # type: ignore[misc]
            )
            assert await world.history(device) == ["wait!"]

    async def test_a_draft_on_the_other_device_is_offered(self, world: World) -> None:
        world.phone.session.set_draft(BOB, "half a thought")
        await world.laptop.session.delete_conversation(BOB)
        assert (await world.phone.sees(DraftKept)).text == "half a thought"
        assert world.phone.session.draft(BOB) == ""
        await world.laptop.session.undo()
        await world.phone.sees(ConversationsRestored)
        assert world.phone.session.draft(BOB) == "half a thought"

    async def test_offline_then_told_while_away(self, world: World, sessions: Sessions) -> None:
        await world.phone.session.close()
        await world.laptop.session.delete_conversation(BOB)
        phone = await sessions.again(world.phone)
        # Without a cache the phone begins with the state, in which the row is not.
        assert BOB not in phone.session.conversations
        await eventually(lambda: phone.session.undoable)
        assert phone.session.undoable[0].device == "laptop"

    async def test_clearing_follows_everywhere_and_can_be_undone(self, world: World) -> None:
        result = await world.laptop.session.clear_history([BOB])
        assert result.kept == [BOB]
        assert (await world.phone.sees(HistoryCleared)).cleared_through == 3
        assert world.phone.session.conversations[BOB].message_count == 0
        assert await world.history(world.phone) == []
        await world.phone.session.undo(result.batch_id)
        await world.laptop.sees(HistoryRestored)
        assert await world.history(world.laptop) == ["one", "two", "three"]

    async def test_undo_has_its_time(self, world: World, server: LiveServer) -> None:
        result = await world.laptop.session.delete_conversation(BOB)
        server.clock.advance(601)
        with pytest.raises(UndoExpired):
            await world.laptop.session.undo(result.batch_id)
        assert BOB not in world.laptop.session.conversations

    async def test_nothing_to_undo_is_said(self, world: World) -> None:
        with pytest.raises(OperationNotFound):
            await world.laptop.session.undo()

    async def test_erased_now_is_final(self, world: World) -> None:
        result = await world.laptop.session.delete_conversation(BOB)
        await world.laptop.session.erase_deletion(result.batch_id)
        assert world.laptop.session.undoable == []
        with pytest.raises(UndoExpired):
            await world.laptop.session.undo(result.batch_id)
        (entry,) = await world.phone.session.deletions()
        assert (entry.batch_id, entry.count, entry.undo_seconds) == (result.batch_id, 1, 0)


class TestSyncOff:
    async def test_the_other_keeps_its_row_and_its_copy(self, world: World) -> None:
        await world.phone.session.history(BOB)
        result = await world.laptop.session.delete_conversation(BOB)
        assert not result.synced
        await world.bob.session.create_group("later", members=["alice"])
        await eventually(lambda: "@TIM#SYSTEM" in world.phone.session.conversations)
        assert BOB in world.phone.session.conversations
        assert texts(world.phone.session.cached_tail(BOB)) == ["one", "two", "three"]
        assert world.phone.of(ConversationsRemoved) == []

    async def test_it_learns_that_it_holds_a_copy_from_the_next_page(self, world: World, sessions: Sessions) -> None:
        tablet = await sessions.log_in("alice", device="tablet")  # knows the row, none of its messages
        await in_step(tablet)
        await world.laptop.session.delete_conversation(BOB)
        page = await tablet.session.history(BOB)
        assert page.messages == []
        assert (await tablet.sees(ConversationStale)).conversation_id_list == [BOB]
        assert tablet.session.stale == {BOB}
        assert BOB in tablet.session.conversations

    async def test_the_next_message_brings_it_in_line(self, world: World) -> None:
        await world.phone.session.history(BOB)
        await world.laptop.session.delete_conversation(BOB)
        await world.bob_says("four")
        assert (await world.phone.sees(HistoryCleared)).cleared_through == 3
        assert await world.history(world.phone) == ["four"]
        assert texts(world.phone.session.cached_tail(BOB)) == ["four"]
        assert world.phone.session.stale == frozenset()

    async def test_an_undo_takes_the_mark_from_the_copy(self, world: World, sessions: Sessions) -> None:
        tablet = await sessions.log_in("alice", device="tablet")
        await in_step(tablet)
        await world.laptop.session.delete_conversation(BOB)
        await tablet.session.history(BOB)
        assert tablet.session.stale == {BOB}
        tablet.forget()
        await world.laptop.session.undo()
        await tablet.sees(ConversationsUpdated, lambda change: BOB in change.conversation_id_list)
        assert tablet.session.stale == frozenset()

    async def test_reload_brings_it_in_line(self, world: World) -> None:
        await world.laptop.session.delete_conversation(BOB)
        world.phone.forget()
        await world.phone.session.reload()
        await world.phone.sees(StateReset)
        assert BOB not in world.phone.session.conversations

    async def test_a_restore_changes_nothing_where_the_row_stayed(self, world: World) -> None:
        await world.laptop.session.delete_conversation(BOB)
        await world.laptop.session.undo()
        await world.bob_says("four")
        assert world.phone.of(ConversationsRestored) == []
        for device in (world.laptop, world.phone):
            assert await world.history(device) == ["one", "two", "three", "four"]

    async def test_switched_while_connected_everyone_knows(self, world: World, server: LiveServer) -> None:
        assert not world.phone.session.capabilities.syncs_deletions
        server.change_settings(sync_conversation_deletion=True)
        await world.phone.sees(ServerChanged, lambda change: change.server.sync_conversation_deletion)
        assert world.phone.session.capabilities.syncs_deletions


async def test_offline_with_a_cache_it_catches_up_and_says_while_away(
    sessions: Sessions, server: LiveServer, tmp_path: Path
) -> None:
    server.change_settings(sync_conversation_deletion=True)
    laptop = await sessions.register("alice")
    phone = await sessions.log_in("alice", cache=tmp_path / "phone")
    bob = await sessions.register("bob", device="desk")
    await bob.session.send_message("C2Calice", "one")
    await eventually(lambda: BOB in phone.session.conversations)
    await phone.session.close()
    await laptop.session.delete_conversation(BOB)
    again = await sessions.again(phone, cache=tmp_path / "phone", start=False)
    assert BOB in again.session.conversations, "the cache's state, at once"
    assert texts(again.session.cached_tail(BOB)) == ["one"]
    await again.session.start()
    removed = await again.sees(ConversationsRemoved)
    assert removed.while_away
    assert removed.device == "laptop"
    assert BOB not in again.session.conversations
    assert again.session.cached_tail(BOB) == []


async def test_other_things_follow_every_client(sessions: Sessions) -> None:
    laptop = await sessions.register("alice")
    phone = await sessions.log_in("alice")
    bob = await sessions.register("bob", device="desk")
    await bob.session.send_message("C2Calice", "one")
    await eventually(lambda: BOB in laptop.session.conversations and BOB in phone.session.conversations)
    await laptop.session.set_flags([BOB], pinned=True, muted=True)
    await laptop.session.mark_read(BOB)
    assert laptop.session.conversations[BOB].unread_count == 0
    await eventually(lambda: (row := phone.session.conversations[BOB]).pinned and row.muted and row.unread_count == 0)
    assert phone.of(ConversationsUpdated)
    message = await phone.session.send_message(BOB, "from the phone")
    assert message.message_seq == 2
    added = await laptop.sees(MessagesAdded, lambda change: "from the phone" in texts(change.messages))
    assert added.messages[-1].sender == "alice"


async def test_ones_own_nick_follows_every_device(sessions: Sessions) -> None:
    alice = await sessions.register("alice")
    phone = await sessions.log_in("alice")
    await sessions.register("bob")
    await in_step(alice, phone)
    calls = alice.session._core.calls
    await calls._call("PATCH", "/v1/me", Me, ChangeMe(nick="Ally"))
    for one in (alice, phone):
        assert (await one.sees(NickChanged)).nick == "Ally"
        assert one.session.nick == "Ally"
    message = await phone.session.send_message("C2Cbob", "hello")
    added = await phone.sees(MessagesAdded)
    assert (added.messages[0].nick, message.nick) == ("Ally", "Ally")


async def test_blocking_follows_every_device(sessions: Sessions) -> None:
    alice = await sessions.register("alice")
    phone = await sessions.log_in("alice")
    await sessions.register("bob")
    await in_step(alice, phone)
    await alice.session._core.calls._call("PUT", "/v1/blocks/bob", Done)
    for one in (alice, phone):
        told = await one.sees(BlockChanged)
        assert (told.user_id, told.blocked) == ("bob", True)
