"""Deleting what is not on the list: nothing that nobody has seen goes with it."""

from collections.abc import Awaitable, Callable

import pytest

from tests.client.sessions import Sessions, Watched, in_step, texts
from tui_chat.client.session import ChatSession

BOB = "C2Cbob"


async def delete(session: ChatSession) -> object:
    return await session.delete_conversation(conversation_id_list=[BOB])


async def delete_one(session: ChatSession) -> object:
    return await session.delete_conversation(BOB)


async def clear(session: ChatSession) -> object:
    return await session.clear_history([BOB])


@pytest.fixture
async def bob(sessions: Sessions) -> Watched:
    return await sessions.register("bob")


@pytest.fixture
async def script(sessions: Sessions, bob: Watched) -> ChatSession:
    """A session that came into step once and hears no more."""
    await (await sessions.register("alice")).session.send_message(BOB, "hello bob")
    return (await sessions.log_in("alice", device="script", start=False)).session


async def fresh(sessions: Sessions) -> ChatSession:
    watched = await sessions.log_in("alice", device="fresh")
    await in_step(watched)
    return watched.session


@pytest.mark.parametrize("act", [delete, delete_one, clear])
async def test_a_message_that_arrives_unseen_survives(
    sessions: Sessions, bob: Watched, script: ChatSession, act: Callable[[ChatSession], Awaitable[object]]
) -> None:
    await script.load()
    await script.delete_conversation(BOB)
    assert BOB not in script.conversations
    await bob.session.send_message("C2Calice", "are you there?")
    await act(script)
    session = await fresh(sessions)
    assert BOB in session.conversations
    assert texts((await session.history(BOB)).messages) == ["are you there?"]


async def test_a_first_message_survives(sessions: Sessions, script: ChatSession) -> None:
    await script.load()
    carol = await sessions.register("carol")
    await carol.session.send_message("C2Calice", "we have not met")
    assert (await script.delete_conversation(conversation_id_list=["C2Ccarol"])).conversation_id_list == ["C2Ccarol"]
    assert "C2Ccarol" in (await fresh(sessions)).conversations


async def test_a_history_that_was_kept_can_still_be_cleared(sessions: Sessions, script: ChatSession) -> None:
    await script.load()
    await script.delete_conversation(conversation_id_list=[BOB], clear_history_message=False)
    other = (await sessions.log_in("alice", device="other", start=False)).session
    await other.load()
    await other.delete_conversation(conversation_id_list=[BOB])
    assert (await (await fresh(sessions)).history(BOB)).messages == []
