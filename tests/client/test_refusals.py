"""What a program asks for wrongly is refused before anything is queued, and what it meant to protect is protected."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.client.sessions import Sessions, Watched, eventually
from tui_chat.protocol.errors import InvalidConversation, InvalidRequest


async def alice_and_four_messages(sessions: Sessions) -> Watched:
    """alice, to whom bob has written four messages."""
    alice = await sessions.register("alice")
    bob = await sessions.register("bob")
    for number in range(1, 5):
        await bob.session.send_message("C2Calice", f"message {number}")
    rows = alice.session.conversations
    await eventually(lambda: "C2Cbob" in rows and rows["C2Cbob"].newest_seq == 4)
    return alice


@pytest.mark.parametrize(("named", "bounded"), [("C2CBOB", "C2CBOB"), ("C2Cbob", "C2CBOB"), ("C2CBOB", "C2Cbob")])
async def test_a_bound_holds_in_whatever_case_it_is_written(sessions: Sessions, named: str, bounded: str) -> None:
    alice = await alice_and_four_messages(sessions)
    result = await alice.session.delete_conversation(named, up_to={bounded: 2})
    assert result.kept
    page = await alice.session.history("C2Cbob")
    assert [message.text for message in page.messages] == ["message 3", "message 4"]


@pytest.mark.parametrize(
    "up_to", [{"C2Cbob": "2"}, {"C2Cbob": 2.0}, {"C2Cbob": True}, {"C2Cbob": -1}, {"C2Ccarol": 2}, {"junk": 2}]
)
async def test_a_bound_that_cannot_be_meant_so_is_refused_and_blocks_nothing(
    sessions: Sessions, up_to: Mapping[str, Any]
) -> None:
    alice = await alice_and_four_messages(sessions)
    with pytest.raises(InvalidRequest, match="upTo"):
        await alice.session.delete_conversation("C2Cbob", up_to=up_to)
    assert alice.session.queued == 0
    assert (await alice.session.send_message("C2Cbob", "goes on")).message_seq == 5


async def test_values_of_the_wrong_kind_never_reach_the_queue(sessions: Sessions) -> None:
    alice = await alice_and_four_messages(sessions)
    wrong: Any = "3"
    with pytest.raises(InvalidRequest):
        await alice.session.set_flags(["C2Cbob"], pinned=wrong)
    assert alice.session.queued == 0
    await alice.session.mark_read("C2Cbob", 3)


async def test_naming_oneself_in_a_long_list_refuses_all_of_it(sessions: Sessions) -> None:
    alice = await alice_and_four_messages(sessions)
    strangers = [f"C2Cnobody{number}" for number in range(120)]
    with pytest.raises(InvalidConversation):
        await alice.session.delete_conversation(conversation_id_list=["C2CALICE", *strangers, "C2Cbob"])
    assert "C2Cbob" in alice.session.conversations


async def test_one_id_cannot_keep_history_silently_or_otherwise(sessions: Sessions) -> None:
    alice = await alice_and_four_messages(sessions)
    one_id: Any = alice.session.delete_conversation
    with pytest.raises(InvalidRequest, match="list of one"):
        await one_id("C2Cbob", clear_history_message=False)
    assert len((await alice.session.history("C2Cbob")).messages) == 4
