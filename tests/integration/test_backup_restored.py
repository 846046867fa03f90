"""A server's data is put back to an earlier state while people's clients live on: every one finds the new truth."""

import asyncio
from pathlib import Path

from tests.client.sessions import Sessions, eventually, texts
from tests.servers import LiveServer
from tui_chat.client.changes import StateReset
from tui_chat.server.engines.sqlite_restore import restore

BOB = "C2Cbob"


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
