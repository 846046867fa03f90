"""What was decided by messages' numbers before the server was restored from a backup: it is done to no others."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.client.making import NOWHERE, arrived, deleted, ranged, row
from tests.client.sessions import Sessions, Watched, eventually, texts
from tests.client.working import deletion, read, send
from tests.servers import LiveServer
from tui_chat.client.changes import Change, CommandRefused, StateReset
from tui_chat.client.entries import QueuedFlags, QueuedRead, QueuedRestore, entry_from, seen_at, stored_form
from tui_chat.client.merging import Marks
from tui_chat.client.overlay import standing
from tui_chat.client.queueing import Queue
from tui_chat.client.session import ChatSession
from tui_chat.protocol.errors import ServerRestored

BOB, CAROL = "C2Cbob", "C2Ccarol"


@asynccontextmanager
async def offline(directory: Path) -> AsyncIterator[ChatSession]:
    """alice's session without a server, in step with e:2: bob and carol each wrote to her."""
    session = ChatSession.resume(NOWHERE, cache_directory=directory)
    if session._core.state.cursor is None:
        session._core.state.cursor, session._core.state.position = "e:0", 0
        session._core.receiver.receive(ranged(1, arrived(1, BOB, 1), arrived(2, CAROL, 1)))
    try:
        yield session
    finally:
        await session.close()


def stamps(session: ChatSession) -> list[str]:
    """What the queue says of the state from which its numbers are, oldest first."""
    return [slot.entry.seen_at for slot in session._core.outbox.queue]


async def test_what_names_messages_keeps_the_cursor_that_it_was_decided_at_also_on_the_disk(tmp_path: Path) -> None:
    async with offline(tmp_path) as session:
        await session.send_message(BOB, "plain")
        await session.set_flags([BOB], pinned=True)
        assert stamps(session) == ["", ""]
        await session.send_message(BOB, "an answer", reply_to=1)
        await session.mark_read(BOB)
        await session.edit_message(BOB, 1, "changed")
        await session.react(BOB, 1, "👍")
        await session.recall_message(BOB, 1)
        session._core.receiver.receive(ranged(3, deleted(3, {"C2Cdave": Marks(1, 1)})))
        await session.clear_history([BOB])
        await session.delete_conversation(BOB, up_to={BOB: 1})
        await session.delete_conversation(CAROL)
        expected = ["", "", *["e:2"] * 5, *["e:3"] * 3]
        assert stamps(session) == expected
    async with offline(tmp_path) as again:
        assert stamps(again) == expected


def test_what_an_earlier_version_has_stored_is_read_and_says_nothing_of_it() -> None:
    before = stored_form(deletion(BOB))
    del before["seenAt"]
    assert entry_from(before).seen_at == ""


def test_only_what_names_messages_is_given_a_cursor() -> None:
    flags = QueuedFlags(conversation_id_list=[BOB], pinned=True, operation_id="o")
    for entry in (send(), flags, QueuedRestore(batch_id="b", conversation_id_list=[BOB])):
        assert seen_at(entry, "e:1") == entry
    assert seen_at(deletion(BOB), "e:1").seen_at == "e:1"
    assert seen_at(deletion(BOB), None).seen_at == ""


def test_nothing_is_laid_over_a_state_of_other_numbers() -> None:
    old, new, earlier = seen_at(deletion(BOB), "e:9"), seen_at(deletion(CAROL), "f:1"), deletion("C2Cdave")
    assert standing([old, new, earlier], "f:3") == [new, earlier]
    assert standing([old, new, earlier], "e:10") == [old, earlier]
    assert standing([old, earlier], None) == [old, earlier], "nothing is known of the server's numbers"


@pytest.mark.parametrize(
    ("before", "after", "merged"),
    [("e:1", "e:2", (9, "e:2")), ("e:1", "f:2", (3, "f:2")), ("", "f:2", (3, "f:2")), ("", "", (9, ""))],
)
def test_read_marks_of_other_numbers_are_not_measured_by_each_other(
    before: str, after: str, merged: tuple[int, str]
) -> None:
    queue = Queue([(1, seen_at(read(9), before))])
    new = seen_at(read(3), after)
    assert isinstance(new, QueuedRead)
    slot = queue.merge_read(new)
    assert slot is not None
    assert isinstance(slot.entry, QueuedRead)
    assert (slot.entry.message_seq, slot.entry.seen_at) == merged


async def test_a_state_of_other_numbers_is_shown_as_the_server_has_it(tmp_path: Path) -> None:
    async with offline(tmp_path) as session:
        await session.delete_conversation(BOB)
        await session.clear_history([CAROL])
        await session.edit_message(CAROL, 1, "changed")
        await session.send_message(CAROL, "an answer", reply_to=1)
        assert BOB not in session.conversations
        assert [one.reply_to for one in session.pending_messages(CAROL)] == [1]
        heard: list[Change] = []
        session.subscribe(heard.extend)
        session._core.receiver.replace([row(BOB, 1), row(CAROL, 1)], "f:7", keep_history=False)
        assert dict(session.conversations) == {BOB: row(BOB, 1), CAROL: row(CAROL, 1)}
        assert [(one.text, one.reply_to) for one in session.pending_messages(CAROL)] == [("an answer", None)]
        assert [one.message_seq for one in session.queue if one.what == "edit"] == [None]
        assert session.numbering == 1
        await eventually(lambda: StateReset(renumbered=True) in heard)
    async with offline(tmp_path) as again:
        assert dict(again.conversations) == {BOB: row(BOB, 1), CAROL: row(CAROL, 1)}


async def test_a_state_of_the_same_numbers_is_none_of_that(tmp_path: Path) -> None:
    async with offline(tmp_path) as session:
        await session.delete_conversation(BOB)
        heard: list[Change] = []
        session.subscribe(heard.extend)
        session._core.receiver.replace([row(BOB, 1), row(CAROL, 1)], "e:7", keep_history=True)
        assert list(session.conversations) == [CAROL]
        assert session.numbering == 0
        await eventually(lambda: StateReset() in heard)


class Restored:
    """alice's device, closed since; bob wrote her two messages, and the server has another epoch by now."""

    def __init__(self, sessions: Sessions, alice: Watched, cache: Path) -> None:
        self._sessions = sessions
        self._alice = alice
        self._cache = cache

    async def opened(self) -> ChatSession:
        """Her session again, which has not asked the server for anything yet."""
        return (await self._sessions.again(self._alice, cache=self._cache, start=False)).session


@asynccontextmanager
async def restored(tmp_path: Path) -> AsyncIterator[Restored]:
    server = LiveServer(tmp_path / "server")
    port = int(server.url.rpartition(":")[2])
    try:
        async with Sessions(server.url) as sessions:
            alice = await sessions.register("alice", cache=tmp_path / "alice")
            bob = await sessions.register("bob", start=False)
            for text in ("one", "two"):
                await bob.session.send_message("C2Calice", text)
            await eventually(lambda: BOB in alice.session.conversations)
            await eventually(lambda: alice.session.conversations[BOB].newest_seq == 2)
            await alice.session.close()
            await bob.session.close()
            server.write(lambda tx: tx.execute("UPDATE meta SET value = 'another' WHERE name = 'epoch'"))
            await asyncio.to_thread(server.stop)
            server = LiveServer(tmp_path / "server", port=port)
            yield Restored(sessions, alice, tmp_path / "alice")
    finally:
        server.stop()


async def test_numbers_that_a_caller_had_before_are_refused_where_the_first_call_finds_out(tmp_path: Path) -> None:
    async with restored(tmp_path) as there:
        session = await there.opened()
        with pytest.raises(ServerRestored):
            await session.delete_conversation(BOB, up_to={BOB: 2})
        assert session.numbering == 1
        assert BOB in session.conversations
        await session.delete_conversation(BOB, up_to={BOB: 2})
        assert BOB not in session.conversations


async def test_an_answer_of_before_is_refused_and_a_message_by_itself_is_sent(tmp_path: Path) -> None:
    async with restored(tmp_path) as there:
        session = await there.opened()
        with pytest.raises(ServerRestored):
            await session.send_message(BOB, "so do I", reply_to=2)
        await session.send_message(BOB, "hello")
        assert texts((await session.history(BOB)).messages) == ["one", "two", "hello"]


async def test_a_deletion_without_a_word_of_the_caller_is_of_what_is_there_now(tmp_path: Path) -> None:
    async with restored(tmp_path) as there:
        session = await there.opened()
        assert (await session.delete_conversation(BOB)).conversation_id == BOB


async def test_a_read_mark_of_before_is_refused_without_a_word(tmp_path: Path) -> None:
    async with restored(tmp_path) as there:
        session = await there.opened()
        heard: list[Change] = []
        session.subscribe(heard.extend)
        await session.mark_read(BOB, 2)
        assert session.queued == 0
        assert session.conversations[BOB].unread_count == 2
        await session.mark_read(BOB)
        assert session.conversations[BOB].unread_count == 0
        assert not [change for change in heard if isinstance(change, CommandRefused)]
