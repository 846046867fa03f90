"""Two screens of one account side by side, with the real server and real sessions between them."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from tests.accounts import PASSWORD, People
from tests.servers import LiveServer
from tests.tui.apps import listed, said, text_of, until
from tui_chat.client.session import ChatSession
from tui_chat.tui.app import ChatApp
from tui_chat.tui.screens.device_pane import DevicePane


@asynccontextmanager
async def device(server: LiveServer, name: str, cache: Path | None = None) -> AsyncIterator[ChatSession]:
    session = await ChatSession.log_in(server.url, "alice", PASSWORD, device_name=name, cache_directory=cache)
    async with session:
        await session.start()
        await session.wait_until_current()
        yield session


def prepare(people: People, count: int = 5) -> None:
    """alice has conversations with u0 (newest) to u4."""
    people.register("alice")
    for number in reversed(range(count)):
        people.register(f"u{number}").send("C2Calice", f"hello from {number}")


async def test_marked_and_deleted_here_gone_there_and_brought_back_from_there(
    server: LiveServer, people: People, tmp_path: Path
) -> None:
    prepare(people)
    server.change_settings(sync_conversation_deletion=True)
    async with AsyncExitStack() as stack:
        desk = await stack.enter_async_context(device(server, "desk", tmp_path / "desk"))
        phone = await stack.enter_async_context(device(server, "phone", tmp_path / "phone"))
        here, there = ChatApp(desk, flash_seconds=0.0), ChatApp(phone, flash_seconds=0.0)
        keys = await stack.enter_async_context(here.run_test(size=(120, 30), notifications=True))
        other_keys = await stack.enter_async_context(there.run_test(size=(120, 30), notifications=True))
        everything = ["C2Cu0", "C2Cu1", "C2Cu2", "C2Cu3", "C2Cu4"]
        await until(lambda: listed(here) == everything and listed(there) == everything)

        await keys.press("j", "space", "space", "space", "d", "y")
        left = ["C2Cu0", "C2Cu4"]
        await until(lambda: listed(here) == left, "gone here")
        await until(lambda: listed(there) == left, "gone there")
        await until(lambda: said(here) == ["3 conversations deleted · u brings them back"])
        await until(lambda: said(there) == ["Deleted on desk: 3 conversations · u brings them back"])
        assert "u undo 9:5" in text_of(there) or "u undo 10:00" in text_of(there)

        await other_keys.press("u")
        await until(lambda: listed(there) == everything, "back there")
        await until(lambda: listed(here) == everything, "back here")
        await until(lambda: "Restored on phone: 3 conversations" in said(here))
        assert "u undo" not in text_of(here)


async def test_without_sync_an_open_conversation_says_why_its_messages_went(server: LiveServer, people: People) -> None:
    prepare(people, 1)
    bob = people.register("bob")
    bob.send("C2Calice", "hello from bob")
    server.change_settings(sync_conversation_deletion=False)
    async with AsyncExitStack() as stack:
        laptop = await stack.enter_async_context(device(server, "laptop"))
        phone = await stack.enter_async_context(device(server, "phone"))
        here, there = ChatApp(laptop, flash_seconds=0.0), ChatApp(phone, flash_seconds=0.0)
        keys = await stack.enter_async_context(here.run_test(size=(120, 30), notifications=True))
        other_keys = await stack.enter_async_context(there.run_test(size=(120, 30), notifications=True))
        await until(lambda: listed(here) == listed(there) == ["C2Cbob", "C2Cu0"])
        for pressing in (keys, other_keys):
            await pressing.press("enter")
        await until(lambda: there.main.conversation.messages.newest_seq == 1)
        await keys.press("escape", "escape", "d", "y")
        await until(lambda: listed(here) == ["C2Cu0"])
        assert there.main.conversation.messages.oldest_seq == 1, "the copy stays"
        bob.send("C2Calice", "one more")
        await until(lambda: "one more" in text_of(there))
        assert there.main.conversation.messages.oldest_seq == 2
        await until(lambda: said(there))
        why = "The older messages here were deleted on another device of yours · L shows when"
        assert said(there) == [why]
        await until(lambda: listed(here) == ["C2Cbob", "C2Cu0"])
        assert why not in said(here)


async def test_a_new_message_brings_a_row_back_without_the_old_ones(server: LiveServer, people: People) -> None:
    prepare(people, 2)
    bob = people.register("bob")
    bob.send("C2Calice", "an old word")
    async with device(server, "laptop") as session:
        app = ChatApp(session, flash_seconds=0.0)
        async with app.run_test(size=(120, 30), notifications=True) as keys:
            await until(lambda: "C2Cbob" in listed(app))
            await keys.press("d", "y")
            await until(lambda: "C2Cbob" not in listed(app))
            bob.send("C2Calice", "a new word")
            await until(lambda: listed(app)[0] == "C2Cbob")
            await keys.press("g", "enter")
            await until(lambda: "a new word" in text_of(app))
            assert "an old word" not in text_of(app)


async def test_the_phone_in_the_same_window_says_how_fast_it_was(server: LiveServer, people: People) -> None:
    prepare(people)
    server.change_settings(sync_conversation_deletion=True)
    async with AsyncExitStack() as stack:
        laptop = await stack.enter_async_context(device(server, "laptop"))

        async def second() -> ChatSession:
            session = await ChatSession.log_in(server.url, "alice", PASSWORD, device_name="phone")
            await session.start()
            return session

        app = ChatApp(laptop, flash_seconds=0.0, second=second)
        keys = await stack.enter_async_context(app.run_test(size=(130, 30), notifications=True))
        await keys.press("f2")
        await until(lambda: app.main.second is not None)
        phone = app.main.second
        assert isinstance(phone, DevicePane)
        await until(lambda: phone.list.shown_count == 5)
        await keys.press("d", "y")
        await until(lambda: phone.list.shown_count == 4)
        await until(lambda: "phone · last deletion arrived in" in text_of(app))
        await keys.press("shift+tab", "u")
        await until(lambda: phone.list.shown_count == 5)
        await until(lambda: len(listed(app)) == 5)


async def test_writing_to_somebody_new(server: LiveServer, people: People) -> None:
    prepare(people, 1)
    carol = people.register("carol")
    async with device(server, "laptop") as session:
        app = ChatApp(session, flash_seconds=0.0)
        async with app.run_test(size=(120, 30), notifications=True) as keys:
            await keys.press("c", *"carol", "enter")
            await until(lambda: app.started and app.main.conversation.conversation_id == "C2Ccarol")
            await keys.press(*"hello carol", "enter")
            await until(lambda: listed(app)[0] == "C2Ccarol")
            await until(lambda: "hello carol" in text_of(app))
            assert carol.texts("C2Calice") == ["hello carol"]
