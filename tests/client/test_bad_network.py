"""Cut, slow, refused, restarted: what was asked for takes effect once, and every session finds its way back."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from tests.client.sessions import Sessions, Watched, eventually, in_step, texts
from tests.proxy import Proxy, proxy_to
from tests.servers import LiveServer, ServerProcess
from tui_chat.client import inbox
from tui_chat.client.changes import (
    CommandRefused,
    Connection,
    ConnectionChanged,
    ConversationsHidden,
    ConversationsRemoved,
    ConversationsRestored,
    MessagesAdded,
    MessageUpdated,
    SendFailed,
)
from tui_chat.client.session import ChatSession
from tui_chat.protocol import events
from tui_chat.protocol.errors import NotConnected, UserNotFound

BOB = "C2Cbob"
CAROL = "C2Ccarol"


@pytest_asyncio.fixture
async def proxy(server: LiveServer) -> AsyncIterator[Proxy]:
    """Between alice and the server."""
    async with proxy_to(server.url) as made:
        yield made


async def alice_and_bob(sessions: Sessions, url: str, *, cache: Path | None = None) -> tuple[Watched, Watched]:
    """alice, behind the proxy, with three messages of bob's."""
    alice = await sessions.register("alice", url=url, cache=cache)
    bob = await sessions.register("bob", device="desk")
    await in_step(alice, bob)
    for text in ("one", "two", "three"):
        await bob.session.send_message("C2Calice", text)
    await eventually(lambda: newest(alice) == "three")
    return alice, bob


def newest(watched: Watched, conversation_id: str = BOB) -> str | None:
    row = watched.session.conversations.get(conversation_id)
    return row.last_message.text if row is not None and row.last_message is not None else None


async def offline(watched: Watched, proxy: Proxy) -> None:
    """Take the network away, and wait until the session knows."""
    await proxy.stop()
    await eventually(lambda: watched.session.connection is not Connection.CONNECTED)


async def online(watched: Watched, proxy: Proxy) -> None:
    """Give it back; a person presses a key."""
    await proxy.start()
    watched.session.reconnect_now()
    await in_step(watched)


async def test_after_a_cut_nothing_is_missed(sessions: Sessions, proxy: Proxy) -> None:
    alice, bob = await alice_and_bob(sessions, proxy.url)
    await offline(alice, proxy)
    for text in ("four", "five"):
        await bob.session.send_message("C2Calice", text)
    await online(alice, proxy)
    await eventually(lambda: newest(alice) == "five")
    page = await alice.session.history(BOB)
    assert texts(page.messages) == ["one", "two", "three", "four", "five"]
    added = [text for change in alice.of(MessagesAdded) for text in texts(change.messages)]
    assert added == ["one", "two", "three", "four", "five"]


async def test_a_server_that_accepts_and_closes_is_not_called_without_pause(sessions: Sessions, proxy: Proxy) -> None:
    alice, _ = await alice_and_bob(sessions, proxy.url)
    proxy.refusing = True
    before = proxy.accepted
    proxy.cut()
    await eventually(lambda: alice.session.connection is not Connection.CONNECTED)
    await asyncio.sleep(1.0)
    assert proxy.accepted - before < 30
    proxy.refusing = False
    alice.session.reconnect_now()
    await in_step(alice)


async def test_a_message_written_offline_is_shown_at_once_and_sent_once(sessions: Sessions, proxy: Proxy) -> None:
    alice, bob = await alice_and_bob(sessions, proxy.url)
    await offline(alice, proxy)
    alice.forget()
    echo = await alice.session.send_message(BOB, "from the train")
    assert echo.message_seq == 0
    assert texts((await alice.sees(MessagesAdded)).messages) == ["from the train"]
    assert texts(alice.session.pending_messages(BOB)) == ["from the train"]
    await eventually(lambda: any(change.queued == 1 for change in alice.of(ConnectionChanged)))
    await online(alice, proxy)
    updated = await alice.sees(MessageUpdated)
    assert (updated.message.client_id, updated.message.message_seq) == (echo.client_id, 4)
    await eventually(lambda: newest(bob, "C2Calice") == "from the train")
    await eventually(lambda: alice.session.queued == 0)
    assert alice.session.pending_messages(BOB) == []
    assert texts((await bob.session.history("C2Calice")).messages).count("from the train") == 1
    assert len([change for change in alice.of(MessagesAdded) if "from the train" in texts(change.messages)]) == 1


@pytest.mark.parametrize("kept", [True, False])
async def test_what_is_lost_with_a_session_that_has_no_cache_is_said(
    sessions: Sessions, proxy: Proxy, tmp_path: Path, caplog: pytest.LogCaptureFixture, kept: bool
) -> None:
    alice, _bob = await alice_and_bob(sessions, proxy.url, cache=tmp_path / "alice" if kept else None)
    await offline(alice, proxy)
    assert (await alice.session.send_message(BOB, "into the void")).message_seq == 0
    await alice.session.close()
    lost = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert lost == (
        [] if kept else ["commands that were not confirmed, and end with this session (it has no cache): 1"]
    )


async def test_a_message_whose_answer_is_lost_is_sent_once(sessions: Sessions, proxy: Proxy) -> None:
    alice, bob = await alice_and_bob(sessions, proxy.url)
    proxy.deaf_to_answers = True
    sending = asyncio.create_task(alice.session.send_message(BOB, "did it arrive?"))
    await eventually(lambda: newest(bob, "C2Calice") == "did it arrive?")
    proxy.cut()
    proxy.deaf_to_answers = False
    alice.session.reconnect_now()
    await sending
    await eventually(lambda: alice.session.queued == 0 and newest(alice) == "did it arrive?")
    assert texts((await bob.session.history("C2Calice")).messages) == ["one", "two", "three", "did it arrive?"]
    assert texts((await alice.session.history(BOB)).messages) == ["one", "two", "three", "did it arrive?"]


async def test_a_deletion_whose_answer_is_lost_takes_effect_once(sessions: Sessions, proxy: Proxy) -> None:
    alice, bob = await alice_and_bob(sessions, proxy.url)
    proxy.deaf_to_answers = True
    deleting = asyncio.create_task(alice.session.delete_conversation(BOB))
    async with await ChatSession.log_in(
        sessions.url, "alice", "correct horse battery", device_name="witness"
    ) as witness:
        for _ in range(200):
            await witness.load()
            await witness.reload()
            if BOB not in witness.conversations:
                break
        assert BOB not in witness.conversations
    proxy.cut()
    proxy.deaf_to_answers = False
    alice.session.reconnect_now()
    await deleting
    await alice.sees(ConversationsRemoved)
    assert BOB not in alice.session.conversations
    assert len(await alice.session.deletions()) == 1
    await bob.session.send_message("C2Calice", "four")
    await eventually(lambda: BOB in alice.session.conversations)
    assert alice.session.conversations[BOB].message_count == 1


class TestLostFrames:
    """The socket's frames come in order; should one be missing all the same, nothing is."""

    @staticmethod
    def losing(watched: Watched, lost: Callable[[events.ServerFrame], bool]) -> None:
        inside = watched.session._core
        take = inside.frame_came

        def frame_came(frame: events.ServerFrame) -> None:
            if not lost(frame):
                take(frame)

        inside.frame_came = frame_came  # type: ignore[method-assign]

    async def test_a_gap_is_filled(self, sessions: Sessions, proxy: Proxy) -> None:
        alice, bob = await alice_and_bob(sessions, proxy.url)
        first = iter([True])
        self.losing(alice, lambda frame: isinstance(frame, events.EventRange) and next(first, False))
        await bob.session.send_message("C2Calice", "lost on the way")
        await bob.session.send_message("C2Calice", "five")
        await eventually(lambda: newest(alice) == "five")
        assert texts(alice.session.cached_tail(BOB)) == ["one", "two", "three", "lost on the way", "five"]

    async def test_a_ping_tells_that_the_last_one_is_missing(self, sessions: Sessions, proxy: Proxy) -> None:
        alice, bob = await alice_and_bob(sessions, proxy.url)
        self.losing(alice, lambda frame: isinstance(frame, events.EventRange))
        await bob.session.send_message("C2Calice", "lost on the way")
        assert newest(alice) == "three"
        seq = alice.session._core.state.position
        assert seq is not None
        alice.session._core.frame_came(events.Ping(event_seq=seq + 1))
        await eventually(lambda: newest(alice) == "lost on the way")

    async def test_a_misshapen_event_is_asked_for_anew(self, sessions: Sessions, proxy: Proxy) -> None:
        alice, bob = await alice_and_bob(sessions, proxy.url)
        self.losing(alice, lambda frame: isinstance(frame, events.EventRange))
        await bob.session.send_message("C2Calice", "four")
        seq = alice.session._core.state.position
        assert seq is not None
        bad = msgspec.Raw(b'{"kind":"message.new","eventSeq":1,"message":[]}')
        alice.session._core.inbox.put(events.EventRange(first=seq + 1, last=seq + 1, cursor="e:1", events=[bad]))
        await eventually(lambda: newest(alice) == "four")

    async def test_more_frames_than_can_be_held_are_dropped_and_asked_for(
        self, sessions: Sessions, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        alice, bob = await alice_and_bob(sessions, proxy.url)
        monkeypatch.setattr(inbox, "FRAMES", 0)
        await bob.session.send_message("C2Calice", "four")
        await bob.session.send_message("C2Calice", "five")
        await eventually(lambda: newest(alice) == "five")
        assert texts(alice.session.cached_tail(BOB))[-2:] == ["four", "five"]


class TestDeletingOffline:
    async def test_rows_are_hidden_and_the_deletion_happens_later(
        self, sessions: Sessions, proxy: Proxy, tmp_path: Path
    ) -> None:
        alice, _ = await alice_and_bob(sessions, proxy.url, cache=tmp_path / "alice")
        await offline(alice, proxy)
        result = await alice.session.delete_conversation(conversation_id_list=[BOB])
        assert (result.conversation_id_list, result.queued) == ([], [BOB])
        assert (await alice.sees(ConversationsHidden)).batch_id == result.batch_id
        assert BOB not in alice.session.conversations
        assert alice.session.undoable[0].queued
        assert texts(alice.session.cached_tail(BOB)) == ["one", "two", "three"], "purged only once it is confirmed"
        await online(alice, proxy)
        assert (await alice.sees(ConversationsRemoved)).conversation_id_list == [BOB]
        assert alice.session.cached_tail(BOB) == []

    async def test_undo_just_takes_it_out(self, sessions: Sessions, proxy: Proxy) -> None:
        alice, _ = await alice_and_bob(sessions, proxy.url)
        await offline(alice, proxy)
        # Something else is what finds out that there is no connection, so that the deletion is never attempted.
        await alice.session.send_message(CAROL, "is anyone there?")
        await alice.session.delete_conversation(conversation_id_list=[BOB])
        restored = await alice.session.undo()
        assert restored.conversation_id_list == [BOB]
        assert not restored.queued
        assert (await alice.sees(ConversationsRestored)).conversation_id_list == [BOB]
        assert BOB in alice.session.conversations
        await online(alice, proxy)
        await eventually(lambda: alice.session.queued == 0)
        assert await alice.session.deletions() == []
        assert BOB in alice.session.conversations

    async def test_one_that_was_attempted_is_undone_behind_it(self, sessions: Sessions, proxy: Proxy) -> None:
        alice, _ = await alice_and_bob(sessions, proxy.url)
        await offline(alice, proxy)
        await alice.session.delete_conversation(conversation_id_list=[BOB])
        restored = await alice.session.undo()
        assert restored.queued
        assert BOB in alice.session.conversations, "the row is back at once"
        await online(alice, proxy)
        await eventually(lambda: alice.session.queued == 0)
        rows = (
            alice.session.conversations
        )  # the deletion's event, and the restore's behind it, may still be on their way
        await eventually(lambda: BOB in rows and rows[BOB].message_count == 3)
        assert texts((await alice.session.history(BOB)).messages) == ["one", "two", "three"]

    async def test_what_came_meanwhile_brings_the_row_back(self, sessions: Sessions, proxy: Proxy) -> None:
        alice, bob = await alice_and_bob(sessions, proxy.url)
        await offline(alice, proxy)
        await alice.session.delete_conversation(conversation_id_list=[BOB])
        await bob.session.send_message("C2Calice", "one moment")
        await online(alice, proxy)
        await eventually(lambda: alice.session.queued == 0)
        await eventually(
            lambda: BOB in alice.session.conversations and alice.session.conversations[BOB].message_count == 1
        )
        assert texts((await alice.session.history(BOB)).messages) == ["one moment"]

    async def test_an_unsent_message_goes_with_its_conversation(self, sessions: Sessions, proxy: Proxy) -> None:
        alice, bob = await alice_and_bob(sessions, proxy.url)
        await offline(alice, proxy)
        await alice.session.mark_read(BOB)  # finds out that there is no connection
        await alice.session.send_message(BOB, "never mind")
        await alice.session.delete_conversation(conversation_id_list=[BOB])
        assert alice.session.pending_messages(BOB) == []
        await online(alice, proxy)
        await eventually(lambda: alice.session.queued == 0)
        assert BOB not in alice.session.conversations
        assert texts((await bob.session.history("C2Calice")).messages) == ["one", "two", "three"]


async def test_a_queued_message_that_is_refused_is_told(sessions: Sessions, proxy: Proxy) -> None:
    alice, _ = await alice_and_bob(sessions, proxy.url)
    await offline(alice, proxy)
    await alice.session.send_message("C2Cnobody", "hello?")
    await alice.session.delete_conversation(conversation_id_list=["GROUPnone"])
    await online(alice, proxy)
    failed = await alice.sees(SendFailed)
    assert (failed.text, failed.error.code) == ("hello?", UserNotFound.code)
    refused = await alice.sees(CommandRefused)
    assert (refused.what, refused.conversation_id_list, refused.error.code) == (
        "delete",
        ["GROUPnone"],
        "conversation_not_found",
    )


async def test_offline_what_is_cached_can_be_read_and_the_rest_says_why_not(sessions: Sessions, proxy: Proxy) -> None:
    alice, _ = await alice_and_bob(sessions, proxy.url)
    await offline(alice, proxy)
    assert texts((await alice.session.history(BOB)).messages) == ["one", "two", "three"]
    with pytest.raises(NotConnected):
        await alice.session.history(CAROL)
    with pytest.raises(NotConnected):
        await alice.session.deletions()


async def test_a_slow_network_delays_and_breaks_nothing(sessions: Sessions, proxy: Proxy) -> None:
    alice, bob = await alice_and_bob(sessions, proxy.url)
    proxy.delay = 0.05
    numbers = [f"slow {number}" for number in range(20)]
    await asyncio.gather(*(bob.session.send_message("C2Calice", text) for text in numbers))
    result = await alice.session.delete_conversation(BOB)
    assert result.conversation_id == BOB
    proxy.delay = 0.0
    await eventually(lambda: alice.session.queued == 0)


async def test_the_server_is_killed_and_started_again(server_process: ServerProcess, tmp_path: Path) -> None:
    async with Sessions(server_process.url) as sessions:
        alice = await sessions.register("alice", cache=tmp_path / "alice")
        bob = await sessions.register("bob", device="desk")
        await bob.session.send_message("C2Calice", "one")
        await eventually(lambda: newest(alice) == "one")
        server_process.kill()
        await eventually(lambda: alice.session.connection is not Connection.CONNECTED)
        queued = await alice.session.delete_conversation(conversation_id_list=[BOB])
        assert queued.queued == [BOB]
        echo = await alice.session.send_message("C2Cbob", "while it was down")
        assert echo.message_seq == 0
        await asyncio.to_thread(server_process.start)
        for one in (alice, bob):
            one.session.reconnect_now()
        await in_step(alice, bob)
        await eventually(lambda: alice.session.queued == 0)
        await eventually(lambda: newest(bob, "C2Calice") == "while it was down")
        # The deletion came first, so what was written after it is all that there is.
        assert texts((await alice.session.history(BOB)).messages) == ["while it was down"]
        assert texts((await bob.session.history("C2Calice")).messages) == ["one", "while it was down"]
