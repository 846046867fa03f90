"""Deletions of more than one call: progress, stopping, undo of the whole, and a loop that stays responsive."""

import asyncio
import time

import pytest

from tests.client.sessions import Sessions, Watched, eventually
from tests.servers import START_MS, LiveServer
from tui_chat.client.changes import ConversationsHidden, ConversationsRemoved, ConversationsRestored
from tui_chat.server.operations.importing import Archive, ArchivedMessage, ArchivedUser, import_archive


async def alice_with(sessions: Sessions, server: LiveServer, count: int) -> tuple[Watched, list[str]]:
    """alice, to whom `count` users have written once each."""
    alice = await sessions.register("alice", start=False)
    users = [f"u{number}" for number in range(count)]
    archive = Archive(
        users=[ArchivedUser(user_id=user) for user in users],
        messages=[
            ArchivedMessage(sender=user, to="alice", time=START_MS - count + number, text=f"from {user}")
            for number, user in enumerate(users)
        ],
    )
    await asyncio.to_thread(server.write, lambda tx: import_archive(tx, archive))
    await alice.session.start()
    await alice.session.wait_until_current()
    ids = [f"C2C{user}" for user in users]
    assert set(ids) <= set(alice.session.conversations)
    return alice, ids


async def test_any_number_in_one_batch_with_progress_and_one_undo(sessions: Sessions, server: LiveServer) -> None:
    server.change_settings(sync_conversation_deletion=True)
    alice, ids = await alice_with(sessions, server, 250)
    phone = await sessions.log_in("alice")
    through: list[tuple[int, int]] = []
    result = await alice.session.delete_conversation(
        conversation_id_list=ids, progress=lambda done, total: through.append((done, total))
    )
    assert sorted(result.conversation_id_list) == sorted(ids)
    assert len(through) == 3
    assert through[-1] == (250, 250)
    assert not set(ids) & set(alice.session.conversations)
    (hidden,) = alice.of(ConversationsHidden)
    assert len(hidden.conversation_id_list) == 250
    assert {change.batch_id for change in alice.of(ConversationsRemoved)} == {result.batch_id}
    await eventually(lambda: not set(ids) & set(phone.session.conversations))
    assert (phone.session.undoable[0].count, phone.session.undoable[0].batch_id) == (250, result.batch_id)
    restored = await phone.session.undo()
    assert sorted(restored.conversation_id_list) == sorted(ids)
    await eventually(lambda: set(ids) <= set(alice.session.conversations))


async def test_stopping_leaves_out_what_was_not_attempted(sessions: Sessions, server: LiveServer) -> None:
    alice, ids = await alice_with(sessions, server, 1_000)
    stop = asyncio.Event()
    result = await alice.session.delete_conversation(
        conversation_id_list=ids, stop=stop, progress=lambda _done, _total: stop.set()
    )
    assert result.stopped
    assert result.conversation_id_list
    assert sorted(result.conversation_id_list + result.stopped) == sorted(ids)
    assert set(result.stopped) <= set(alice.session.conversations)
    assert not set(result.conversation_id_list) & set(alice.session.conversations)
    assert {one for change in alice.of(ConversationsRestored) for one in change.conversation_id_list} == set(
        result.stopped
    )
    restored = await alice.session.undo(result.batch_id)
    assert sorted(restored.conversation_id_list) == sorted(result.conversation_id_list)


async def test_the_loop_stays_responsive_while_thousands_go(sessions: Sessions, server: LiveServer) -> None:
    alice, ids = await alice_with(sessions, server, 5_000)
    longest = 0.0

    async def pulse() -> None:
        nonlocal longest
        while True:
            before = time.thread_time()  # of this thread alone, so that it does not matter what else runs here
            await asyncio.sleep(0.005)
            longest = max(longest, time.thread_time() - before)

    pulsing = asyncio.create_task(pulse())
    result = await alice.session.delete_conversation(conversation_id_list=ids)
    pulsing.cancel()
    assert len(result.conversation_id_list) == 5_000
    assert longest < 0.5  # measured on an idle machine: 0.06; all of it in one go would be 1.1


@pytest.mark.parametrize("twice", ["the same ID twice", "deleted already"])
async def test_deleting_again_is_no_fault(sessions: Sessions, server: LiveServer, twice: str) -> None:
    alice, ids = await alice_with(sessions, server, 2)
    if twice == "deleted already":
        await alice.session.delete_conversation(ids[0])
        result = await alice.session.delete_conversation(conversation_id_list=[ids[0]])
    else:
        result = await alice.session.delete_conversation(
            conversation_id_list=[ids[0], ids[0], ids[0].replace("u", "U")]
        )
    assert result.conversation_id_list == [ids[0]]
    assert result.failures == []
    assert ids[0] not in alice.session.conversations
    assert ids[1] in alice.session.conversations
