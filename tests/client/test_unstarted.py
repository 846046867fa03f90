"""Commands of a session that nobody has started or loaded, as a script's author may write them: they do their work."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from tests.accounts import DEADLINE
from tests.client.making import NOWHERE
from tests.client.sessions import Sessions, Watched, eventually, in_step, texts
from tui_chat.client.session import ChatSession
from tui_chat.protocol.errors import NotConnected

BOB, CAROL = "C2Cbob", "C2Ccarol"


@pytest.fixture
async def alice(sessions: Sessions) -> Watched:
    """With two who have written to her."""
    alice = await sessions.register("alice")
    for name in ("bob", "carol"):
        other = await sessions.register(name, device="desk")
        await other.session.send_message("C2Calice", "hello")
    await eventually(lambda: {BOB, CAROL} <= alice.session.conversations.keys())
    await in_step(alice)
    return alice


@pytest.fixture(params=["on disk", "in memory"])
async def script(
    sessions: Sessions, alice: Watched, request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[ChatSession]:
    """A log-in, and nothing else."""
    cache = tmp_path / "script" if request.param == "on disk" else None
    session = (await sessions.log_in("alice", device="script", cache=cache, start=False)).session
    async with asyncio.timeout(DEADLINE):
        yield session


async def _send(session: ChatSession) -> None:
    assert (await session.send_message(BOB, "hi")).message_seq == 2


async def _delete_one(session: ChatSession) -> None:
    assert not (await session.delete_conversation(BOB)).queued


async def _delete(session: ChatSession) -> None:
    answer = await session.delete_conversation(conversation_id_list=[BOB])
    assert answer.conversation_id_list == [BOB]


async def _clear(session: ChatSession) -> None:
    assert (await session.clear_history([BOB])).conversation_id_list == [BOB]


async def _mark_read(session: ChatSession) -> None:
    await session.mark_read(BOB)


async def _pin(session: ChatSession) -> None:
    assert await session.set_flags([BOB], pinned=True) == []


async def _react(session: ChatSession) -> None:
    message = await session.react(BOB, 1, "👍")
    assert message is not None
    assert "👍" in message.reactions


@pytest.mark.parametrize(
    ("command", "done"),
    [
        (_send, lambda row: row.newest_seq == 2),
        (_delete_one, lambda row: row is None),
        (_delete, lambda row: row is None),
        (_clear, lambda row: row.message_count == 0),
        (_mark_read, lambda row: row.unread_count == 0),
        (_pin, lambda row: row.pinned),
        (_react, lambda row: row.newest_seq == 1),
    ],
)
async def test_a_command_after_the_log_in_does_its_work(
    sessions: Sessions,
    script: ChatSession,
    command: Callable[[ChatSession], Awaitable[None]],
    done: Callable[[object], bool],
) -> None:
    await command(script)
    assert done(script.conversations.get(BOB)), "and the script sees it"
    assert CAROL in script.conversations
    fresh = await sessions.log_in("alice", device="fresh")
    await in_step(fresh)
    assert done(fresh.session.conversations.get(BOB))


async def test_several_at_once_load_once_and_do_their_work(script: ChatSession) -> None:
    await asyncio.gather(script.delete_conversation(BOB), script.delete_conversation(CAROL), script.mark_read(CAROL))
    assert not {BOB, CAROL} & script.conversations.keys()


async def test_an_undo_knows_what_another_device_deleted(alice: Watched, script: ChatSession) -> None:
    deleted = await alice.session.delete_conversation(BOB)
    undone = await script.undo()
    assert (undone.batch_id, undone.conversation_id_list) == (deleted.batch_id, [BOB])
    assert BOB in script.conversations


async def test_started_afterwards_it_hears_what_happens(sessions: Sessions, script: ChatSession) -> None:
    await script.send_message(BOB, "hi")
    assert script.connection == "offline", "for a command nobody needs a socket"
    await script.start()
    await script.wait_until_current()
    await eventually(lambda: script.connection == "connected")
    other = await sessions.log_in("bob", device="phone")
    await other.session.send_message("C2Calice", "are you there?")
    await eventually(lambda: texts(script.cached_tail(BOB))[-1:] == ["are you there?"])


async def test_whoever_waits_for_it_to_be_current_gets_it_started(script: ChatSession) -> None:
    await script.wait_until_current()
    assert {BOB, CAROL} <= script.conversations.keys()


async def test_without_a_server_the_cache_will_do_and_the_command_waits(
    sessions: Sessions, alice: Watched, tmp_path: Path
) -> None:
    cache = tmp_path / "phone"
    phone = await sessions.log_in("alice", cache=cache)
    await eventually(lambda: {BOB, CAROL} <= phone.session.conversations.keys())
    credentials = phone.session.credentials
    await phone.session.close()
    away = msgspec.structs.replace(credentials, server_url=NOWHERE.server_url)
    async with asyncio.timeout(DEADLINE), ChatSession.resume(away, cache_directory=cache) as offline:
        assert (await offline.delete_conversation(BOB)).queued
        assert BOB not in offline.conversations
    async with asyncio.timeout(DEADLINE), ChatSession.resume(credentials, cache_directory=cache) as again:
        await again.mark_read(CAROL)
        await eventually(lambda: not again.queue)
    await eventually(lambda: alice.session.conversations[CAROL].unread_count == 0)
    fresh = await sessions.log_in("alice", device="fresh")
    assert BOB not in fresh.session.conversations


@pytest.mark.parametrize("command", [_send, _delete_one, _delete, _clear, _mark_read, _pin, _react])
async def test_with_neither_a_server_nor_a_cache_it_says_so_at_once(
    alice: Watched, command: Callable[[ChatSession], Awaitable[None]]
) -> None:
    away = msgspec.structs.replace(alice.session.credentials, server_url=NOWHERE.server_url)
    async with asyncio.timeout(DEADLINE), ChatSession.resume(away) as offline:
        with pytest.raises(NotConnected, match="the server cannot be reached"):
            await command(offline)
        assert not offline.queue


@pytest.mark.parametrize("command", [_send, _delete_one, _mark_read, _pin, _react])
async def test_after_its_end_it_says_so(script: ChatSession, command: Callable[[ChatSession], Awaitable[None]]) -> None:
    await script.close()
    with pytest.raises(NotConnected, match="the session is closed"):
        await command(script)
