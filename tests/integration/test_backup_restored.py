"""A server's data is put back to an earlier state while people's clients live on: every one finds the new truth."""

import asyncio
from pathlib import Path

from tests.client.sessions import Sessions, eventually, in_step, texts
from tests.servers import LiveServer
from tui_chat.client.changes import CommandRefused, SendFailed, StateReset
from tui_chat.server.engines.sqlite_restore import restore

ALICE, BOB, CAROL, DAVE = "C2Calice", "C2Cbob", "C2Ccarol", "C2Cdave"


async def test_every_client_finds_what_was_restored_and_keeps_what_is_its_own(tmp_path: Path) -> None:
    data = tmp_path / "server"
    server = LiveServer(data)
    port = int(server.url.rpartition(":")[2])
    try:
        async with Sessions(server.url) as sessions:
            alice = await sessions.register("alice", cache=tmp_path / "alice")
            phone = await sessions.log_in("alice", device="phone", cache=tmp_path / "phone")
            bob = await sessions.register("bob", device="desk")
            await bob.session.send_message("C2Calice", "before")
            await eventually(lambda: texts(phone.session.cached_tail(BOB)) == ["before"])
            backup = data / "backups" / (await alice.session.backup()).file
            await bob.session.send_message("C2Calice", "lost with the disk")
            group = await bob.session.create_group("Made later", members=["alice"])
            for device in (alice, phone):
                await eventually(lambda device=device: group.conversation_id in device.session.conversations)  # type: ignore[misc]
                await eventually(lambda device=device: len(device.session.cached_tail(BOB)) == 2)  # type: ignore[misc]
            again = await sessions.again(phone, cache=tmp_path / "phone", start=False)
            alice.session.set_draft(BOB, "half a sentence")
            await asyncio.to_thread(server.stop)
            await eventually(lambda: alice.session.connection != "connected")
            await alice.session.send_message(BOB, "written while it was away")
            restore(backup, data, now=server.clock())
            server = LiveServer(data, port=port)
            for device in (alice, bob):
                device.session.reconnect_now()
            await alice.sees(StateReset)
            await eventually(lambda: alice.session.queued == 0, "the outbox is sent")
            await again.session.start()
            await again.session.wait_until_current()
            for device in (alice, again):
                assert texts((await device.session.history(BOB)).messages) == ["before", "written while it was away"]
                assert group.conversation_id not in device.session.conversations
            assert alice.session.draft(BOB) == "half a sentence"
            await eventually(lambda: len(bob.session.conversations) == 1)
            await bob.session.send_message("C2Calice", "and on")
            await eventually(lambda: texts(alice.session.cached_tail(BOB))[-1] == "and on")
    finally:
        server.stop()


async def test_what_waited_for_messages_of_before_hides_and_changes_none_of_others(tmp_path: Path) -> None:
    """After the restore other messages have the numbers that a queue on a machine that was away still names."""
    data = tmp_path / "server"
    server = LiveServer(data)
    port = int(server.url.rpartition(":")[2])
    try:
        async with Sessions(server.url) as sessions:
            alice = await sessions.register("alice", cache=tmp_path / "alice")
            phone = await sessions.log_in("alice", device="phone")
            bob = await sessions.register("bob", device="desk")
            carol = await sessions.register("carol", device="desk")
            dave = await sessions.register("dave", device="desk")
            for one in (bob, carol, dave):
                await one.session.send_message(ALICE, "before")
            backup = data / "backups" / (await alice.session.backup()).file
            for one in (bob, carol, dave):
                await one.session.send_message(ALICE, "lost with the disk")
            lost = await alice.session.send_message(BOB, "lost as well")
            for name in (BOB, CAROL, DAVE):
                await eventually(lambda name=name: alice.session.conversations[name].newest_seq >= 2)  # type: ignore[misc]
            await asyncio.to_thread(server.stop)
            await eventually(lambda: alice.session.connection != "connected")
            session = alice.session
            seq = lost.message_seq
            await session.send_message(BOB, "by itself")
            await session.send_message(BOB, "an answer", reply_to=seq - 1)
            await session.edit_message(BOB, seq, "changed")
            await session.react(BOB, seq - 1, "👍")
            await session.recall_message(BOB, seq)
            await session.mark_read(DAVE)
            await session.delete_conversation(CAROL)
            await session.clear_history([DAVE])
            assert session.queued == 8
            assert CAROL not in session.conversations
            await session.close()

            restore(backup, data, now=server.clock())
            server = LiveServer(data, port=port)
            for one in (bob, carol, dave, phone):
                one.session.reconnect_now()
                await one.sees(StateReset)
                await in_step(one)
            for one in (bob, carol, dave):
                await one.session.send_message(ALICE, "never seen by the laptop")
            again = (await phone.session.send_message(BOB, "mine, and another")).message_seq
            assert again == seq, "it is the number that waits to be changed and taken back"

            alice = await sessions.again(alice, cache=tmp_path / "alice")
            await eventually(lambda: alice.session.queued == 0)
            for device in (alice, phone):
                await eventually(lambda device=device: CAROL in device.session.conversations)  # type: ignore[misc]
                for name in (CAROL, DAVE):
                    found = (await device.session.history(name)).messages
                    assert texts(found) == ["before", "never seen by the laptop"]
                with_bob = (await device.session.history(BOB)).messages
                assert texts(with_bob) == ["before", "never seen by the laptop", "mine, and another", "by itself"]
                assert not [one for one in with_bob if one.reactions or one.reply_to or one.recalled or one.edited_at]
            assert phone.session.conversations[DAVE].unread_count == 2
            refused = [(one.what, one.conversation_id_list, one.text) for one in alice.of(CommandRefused)]
            assert sorted(refused) == [
                ("clear", [DAVE], ""),
                ("delete", [CAROL], ""),
                ("edit", [BOB], "changed"),
                ("react", [BOB], ""),
                ("recall", [BOB], ""),
            ], "and nothing is told of the read mark"
            (failed,) = alice.of(SendFailed)
            assert failed.text == "an answer"
            codes = {failed.error.code} | {one.error.code for one in alice.of(CommandRefused)}
            assert codes == {"server_restored"}
            for name in (BOB, CAROL, DAVE):
                fresh = phone.session.conversations[name]
                await eventually(lambda name=name, fresh=fresh: alice.session.conversations[name] == fresh)  # type: ignore[misc]
    finally:
        server.stop()
