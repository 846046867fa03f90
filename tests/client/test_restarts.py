"""The session is closed, killed, started again: what the cache on disk must still have, and must not have any more."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.accounts import DEADLINE
from tests.cache.samples import abandon
from tests.cache.test_disk_full import room_for
from tests.client.sessions import Sessions, eventually, in_step, texts
from tests.proxy import proxy_to
from tests.servers import LiveServer
from tui_chat.cache.account import AccountCache
from tui_chat.client.calls import Calls
from tui_chat.client.changes import (
    ConnectionChanged,
    ConversationsRemoved,
    HistoryCleared,
    HistoryRestored,
    Notice,
    StateReset,
)
from tui_chat.client.problems import AccountInUse
from tui_chat.client.session import ChatSession
from tui_chat.protocol.errors import NotConnected
from tui_chat.protocol.models import Conversation
from tui_chat.protocol.wire import encode

BOB = "C2Cbob"
SECRET = "the code is 4711-xyzzy"


def traces(directory: Path, words: str) -> list[str]:
    """Files that hold these words."""
    return [path.name for path in directory.rglob("*") if path.is_file() and words.encode() in path.read_bytes()]


async def test_the_cache_survives_a_restart_and_is_shown_before_the_server_is_asked(
    sessions: Sessions, tmp_path: Path
) -> None:
    cache = tmp_path / "alice"
    alice = await sessions.register("alice", cache=cache)
    bob = await sessions.register("bob", device="desk")
    await bob.session.send_message("C2Calice", "one")
    await eventually(lambda: BOB in alice.session.conversations)
    alice.session.set_draft(BOB, "to be continued")
    again = await sessions.again(alice, cache=cache, start=False)
    assert again.session.conversations[BOB].unread_count == 1
    assert texts(again.session.cached_tail(BOB)) == ["one"]
    assert again.session.draft(BOB) == "to be continued"
    assert dict(again.session.drafts) == {BOB: "to be continued"}
    assert again.session.nick is None
    assert again.session.administrator
    assert again.session.server.version, "known from the last time"
    await bob.session.send_message("C2Calice", "two")
    await again.session.start()
    await again.session.wait_until_current()
    assert again.of(StateReset) == [], "it goes on where it was"
    await eventually(lambda: texts(again.session.cached_tail(BOB)) == ["one", "two"])


async def test_why_there_is_no_connection_is_told_once_where_waiting_does_not_help(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = Path(__file__).parents[1] / "server" / "localhost.pem"
    live = LiveServer(tmp_path / "tls", tls_cert=certificate, tls_key=certificate)
    try:
        async with Sessions(live.url) as sessions:
            monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
            alice = await sessions.register("alice", cache=tmp_path / "alice")
            monkeypatch.delenv("SSL_CERT_FILE")
            again = await sessions.again(alice, cache=tmp_path / "alice", start=False)
            await again.session.start()
            assert "its certificate is not trusted here" in (await again.sees(Notice)).detail
            for _ in range(3):
                states = len(again.of(ConnectionChanged))
                again.session.reconnect_now()
                await eventually(lambda seen=states: len(again.of(ConnectionChanged)) >= seen + 2)  # type: ignore[misc]
            assert len(again.of(Notice)) == 1
    finally:
        live.stop()


async def test_a_second_session_on_the_same_cache_is_refused(sessions: Sessions, tmp_path: Path) -> None:
    alice = await sessions.register("alice", cache=tmp_path / "alice")
    with pytest.raises(AccountInUse):
        ChatSession.resume(alice.session.credentials, cache_directory=tmp_path / "alice")


async def test_after_a_clear_no_byte_is_left_and_a_restore_brings_it_back(sessions: Sessions, tmp_path: Path) -> None:
    cache = tmp_path / "alice"
    alice = await sessions.register("alice", cache=cache)
    bob = await sessions.register("bob", device="desk")
    await bob.session.send_message("C2Calice", SECRET)
    await eventually(lambda: BOB in alice.session.conversations)
    await in_step(alice)
    await eventually(lambda: traces(cache, SECRET))
    await alice.session.delete_conversation(BOB)
    await eventually(lambda: not traces(cache, SECRET), "something is left on the disk")
    again = await sessions.again(alice, cache=cache)
    assert BOB not in again.session.conversations
    assert not traces(cache, SECRET)
    await eventually(lambda: again.session.undoable)
    await again.session.undo()
    await again.sees(HistoryRestored)
    assert texts((await again.session.history(BOB)).messages) == [SECRET]
    assert texts(again.session.cached_tail(BOB)) == [SECRET]


async def test_a_kept_history_stays_in_the_cache(sessions: Sessions, tmp_path: Path) -> None:
    cache = tmp_path / "alice"
    alice = await sessions.register("alice", cache=cache)
    bob = await sessions.register("bob", device="desk")
    await bob.session.send_message("C2Calice", "one")
    await eventually(lambda: BOB in alice.session.conversations)
    await alice.session.delete_conversation(conversation_id_list=[BOB], clear_history_message=False)
    await bob.session.send_message("C2Calice", "two")
    await eventually(lambda: BOB in alice.session.conversations)
    assert texts(alice.session.cached_tail(BOB)) == ["one", "two"]


async def test_what_was_queued_offline_goes_out_after_a_restart(
    sessions: Sessions, server: LiveServer, tmp_path: Path
) -> None:
    cache = tmp_path / "alice"
    async with proxy_to(server.url) as proxy:
        alice = await sessions.register("alice", cache=cache, url=proxy.url)
        bob = await sessions.register("bob", device="desk")
        for text in ("one", "two"):
            await bob.session.send_message("C2Calice", text)
        await eventually(lambda: texts(alice.session.cached_tail(BOB)) == ["one", "two"])
        await proxy.stop()
        await alice.session.delete_conversation(conversation_id_list=[BOB])
        await alice.session.send_message("GROUPnone", "lost?")
        again = await sessions.again(alice, cache=cache, start=False)
        assert BOB not in again.session.conversations, "still hidden"
        assert again.session.queued == 2
        assert texts(again.session.pending_messages("GROUPnone")) == ["lost?"]
        await proxy.start()
        await again.session.start()
        await again.sees(ConversationsRemoved)
        await eventually(lambda: again.session.queued == 0)
        assert len(await again.session.deletions()) == 1


async def test_a_cache_that_another_device_left_is_brought_in_line(sessions: Sessions, tmp_path: Path) -> None:
    """Sync is off: what the earlier log-in deleted was told to it alone."""
    cache = tmp_path / "alice"
    first = await sessions.register("alice", cache=cache)
    witness = await sessions.log_in("alice", device="witness")
    bob = await sessions.register("bob", device="desk")
    await bob.session.send_message("C2Calice", "one")
    await eventually(lambda: texts(first.session.cached_tail(BOB)) == ["one"])
    await first.session.close()
    await witness.session.delete_conversation(BOB)
    await bob.session.create_group("plan", members=["alice"])
    second = await sessions.log_in("alice", device="laptop again", cache=cache)
    assert BOB not in second.session.conversations
    assert second.session.cached_tail(BOB) == []


async def test_a_cache_in_use_costs_no_device(sessions: Sessions, tmp_path: Path) -> None:
    alice = await sessions.register("alice", cache=tmp_path / "alice")
    with pytest.raises(AccountInUse):
        await sessions.log_in("alice", cache=tmp_path / "alice")
    assert len(await alice.session.devices()) == 1


CLIENT = """
import asyncio, sys
from pathlib import Path
import msgspec
from tui_chat.client.credentials import StoredCredentials
from tui_chat.client.session import ChatSession

async def main(credentials, cache):
    session = ChatSession.resume(
        msgspec.json.decode(credentials, type=StoredCredentials), cache_directory=Path(cache)
    )
    await session.load(stream=True)
    print("ready", flush=True)
    for number in range(10_000):
        message = await session.send_message("C2Cbob", f"number {number}")
        print(number, message.message_seq, flush=True)

asyncio.run(main(sys.argv[1], sys.argv[2]))
"""


async def test_a_client_killed_while_it_sends_loses_nothing_and_sends_nothing_twice(
    sessions: Sessions, tmp_path: Path
) -> None:
    cache = tmp_path / "alice"
    alice = await sessions.register("alice", cache=cache)
    await sessions.register("bob", device="desk")
    await alice.session.close()
    credentials = encode(msgspec.to_builtins(alice.session.credentials)).decode()
    acknowledged: list[str] = []

    def run_and_kill(after: int) -> None:
        with subprocess.Popen(
            [sys.executable, "-c", CLIENT, credentials, str(cache)], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if line.startswith("ready"):
                    continue
                acknowledged.append(line.split()[0])
                if len(acknowledged) >= after:
                    break
            process.send_signal(signal.SIGKILL)

    await asyncio.wait_for(asyncio.to_thread(run_and_kill, 25), 3 * DEADLINE)
    again = await sessions.again(alice, cache=cache)
    await eventually(lambda: again.session.queued == 0)
    truth = await sessions.log_in("bob", device="tablet")  # His desk may not have heard of the last one yet.
    sent = texts((await truth.session.history("C2Calice", limit=100)).messages)
    assert sent[: len(acknowledged)] == [f"number {number}" for number in acknowledged]
    assert len(sent) == len(set(sent))
    assert len(sent) <= len(acknowledged) + 1


class TestResets:
    async def test_log_too_old_keeps_history_except_what_is_cleared(
        self, sessions: Sessions, server: LiveServer, tmp_path: Path
    ) -> None:
        phone = await sessions.register("alice", cache=tmp_path / "phone", device="phone")
        laptop = await sessions.log_in("alice", device="laptop")
        bob = await sessions.register("bob", device="desk")
        carol = await sessions.register("carol", device="desk")
        await bob.session.send_message("C2Calice", "kept")
        await carol.session.send_message("C2Calice", SECRET)
        await eventually(lambda: texts(phone.session.cached_tail("C2Ccarol")) == [SECRET])
        await eventually(lambda: len(laptop.session.conversations) == 2)
        await phone.session.close()
        await laptop.session.delete_conversation("C2Ccarol")
        await carol.session.send_message("C2Calice", "new")
        server.write(lambda tx: tx.execute("UPDATE stream SET floor = seq"))
        again = await sessions.again(phone, cache=tmp_path / "phone")
        await again.sees(StateReset)
        assert texts(again.session.cached_tail(BOB)) == ["kept"]
        assert again.session.conversations["C2Ccarol"].message_count == 1
        assert texts((await again.session.history("C2Ccarol")).messages) == ["new"]
        await eventually(lambda: not traces(tmp_path / "phone", SECRET))

    async def test_log_too_old_ends_the_history_of_what_is_not_listed(
        self, sessions: Sessions, server: LiveServer, tmp_path: Path
    ) -> None:
        """A deletion kept it, a process ended, and in a log that is gone another device cleared it."""
        phone = await sessions.register("alice", cache=tmp_path / "phone", device="phone")
        laptop = await sessions.log_in("alice", device="laptop")
        bob = await sessions.register("bob", device="desk")
        await bob.session.send_message("C2Calice", SECRET)
        await eventually(lambda: texts(phone.session.cached_tail(BOB)) == [SECRET])
        await phone.session.delete_conversation(conversation_id_list=[BOB], clear_history_message=False)
        await eventually(lambda: BOB not in phone.session.conversations)
        phone = await sessions.again(phone, cache=tmp_path / "phone")
        await phone.session.close()
        assert traces(tmp_path / "phone", SECRET), "the deletion kept it"
        await laptop.session.delete_conversation(BOB)
        server.write(lambda tx: tx.execute("UPDATE stream SET floor = seq"))
        again = await sessions.again(phone, cache=tmp_path / "phone")
        await again.sees(StateReset)
        assert texts(again.session.cached_tail(BOB)) == []
        await eventually(lambda: not traces(tmp_path / "phone", SECRET), "something is left on the disk")

    async def test_another_epoch_replaces_everything_but_drafts_and_queue(self, tmp_path: Path) -> None:
        data = tmp_path / "server"
        first = LiveServer(data)
        port = int(first.url.rpartition(":")[2])
        try:
            async with Sessions(first.url) as sessions:
                alice = await sessions.register("alice", cache=tmp_path / "alice")
                bob = await sessions.register("bob", device="desk")
                await bob.session.send_message("C2Calice", "one")
                await eventually(lambda: texts(alice.session.cached_tail(BOB)) == ["one"])
                alice.session.set_draft(BOB, "a draft")
                first.write(lambda tx: tx.execute("UPDATE meta SET value = 'another' WHERE name = 'epoch'"))
                alice.forget()
                await asyncio.to_thread(first.stop)
                await eventually(lambda: alice.session.connection != "connected")
                await alice.session.send_message(BOB, "queued before")
                first = LiveServer(data, port=port)
                alice.session.reconnect_now()
                await alice.sees(StateReset)
                await eventually(lambda: alice.session.queued == 0)
                assert alice.session.draft(BOB) == "a draft"
                assert texts((await alice.session.history(BOB)).messages) == ["one", "queued before"]
        finally:
            first.stop()


async def test_what_a_deletion_kept_goes_from_the_disk_when_a_word_tells_that_it_was_cleared_elsewhere(
    sessions: Sessions, tmp_path: Path
) -> None:
    """Deletions are not told to other devices, and there is no row here that could stand as a copy."""
    cache = tmp_path / "alice"
    phone = await sessions.register("alice", cache=cache, device="phone")
    laptop = await sessions.log_in("alice", device="laptop")
    bob = await sessions.register("bob", device="desk")
    await bob.session.send_message("C2Calice", SECRET)
    await eventually(lambda: BOB in phone.session.conversations and BOB in laptop.session.conversations)
    await in_step(phone, laptop)
    await phone.session.delete_conversation(conversation_id_list=[BOB], clear_history_message=False)
    await eventually(lambda: texts(phone.session.cached_tail(BOB)) == [SECRET])
    await laptop.session.delete_conversation(BOB)
    assert traces(cache, SECRET), "nobody told of that"
    await laptop.session.set_flags([BOB], muted=True)
    await phone.sees(HistoryCleared, lambda change: change.conversation_id == BOB)
    assert texts(phone.session.cached_tail(BOB)) == []
    await eventually(lambda: not traces(cache, SECRET), "something is left on the disk")


async def test_what_was_still_to_be_asked_for_is_asked_after_a_restart(
    sessions: Sessions, server: LiveServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cursor lies beyond the clearing by then; the log does not tell of it a second time."""
    cache = tmp_path / "alice"
    async with proxy_to(server.url) as way:
        phone = await sessions.register("alice", url=way.url, cache=cache)
        laptop = await sessions.log_in("alice")
        bob = await sessions.register("bob", device="desk")
        await bob.session.send_message("C2Calice", "one")
        await eventually(lambda: BOB in laptop.session.conversations and BOB in phone.session.conversations)
        await way.stop()
        await bob.session.send_message("C2Calice", "two")
        await eventually(lambda: laptop.session.conversations[BOB].newest_seq == 2)
        await laptop.session.clear_history([BOB])

        async def unanswered(self: Calls, conversation_id: str) -> Conversation:
            raise NotConnected

        monkeypatch.setattr(Calls, "conversation", unanswered)
        await way.start()
        phone.session.reconnect_now()
        await in_step(phone)
        await phone.sees(HistoryCleared)
        assert phone.session.conversations[BOB].newest_seq == 1
        monkeypatch.undo()
        again = await sessions.again(phone, cache=cache)
        await eventually(lambda: again.session.conversations[BOB] == laptop.session.conversations[BOB])
        last = await sessions.again(again, cache=cache, start=False)
        assert last.session.conversations[BOB] == laptop.session.conversations[BOB]
        await last.session.start()
        await last.session.wait_until_current()
        assert last.of(StateReset) == [], "asked once"


async def test_on_a_full_disk_what_was_cleared_is_not_shown_and_vanishes_when_there_is_room(
    sessions: Sessions, tmp_path: Path
) -> None:
    cache = tmp_path / "alice"
    alice = await sessions.register("alice", cache=cache)
    bob = await sessions.register("bob", device="desk")
    for text in (SECRET, "kept"):
        await bob.session.send_message("C2Calice", text)
    await eventually(lambda: texts(alice.session.cached_tail(BOB)) == [SECRET, "kept"])
    await alice.session.close()
    killed = AccountCache.open(cache)
    killed.save(clear={BOB: 1})
    await killed.flush()
    abandon(killed)  # between the clearing and its purge
    assert traces(cache, SECRET)
    with room_for(0):
        again = await sessions.again(alice, cache=cache, start=False)
        assert SECRET not in texts(again.session.cached_tail(BOB))
        assert BOB in again.session.conversations
    await again.session.start()
    await again.session.wait_until_current()
    await eventually(lambda: not traces(cache, SECRET), "something is left on the disk")
    assert texts((await again.session.history(BOB, limit=1)).messages) == ["kept"]
