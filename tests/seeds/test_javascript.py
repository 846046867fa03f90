"""The four samples of the JavaScript page (https://www.tencentcloud.com/document/product/1047/48313).

The same method for the browser, `options: String | Object`. What the page leaves to the reader, or what the SDK does
against expectation, is stated here: the list is never cut, a partial failure is reported, an ID twice is one.
"""

import pytest

from tests.seeds.account import ALL, C2C, GROUP, SYSTEM, Account
from tui_chat.protocol.errors import ConversationNotFound, InvalidConversation, InvalidRequest


@pytest.mark.parametrize("conversation_id", ALL)
async def test_sample_1_delete_one(account: Account, conversation_id: str) -> None:
    """`chat.deleteConversation('C2CExample')` -> `data.conversationID`."""
    result = await account.session.delete_conversation(conversation_id)
    assert result.conversation_id == conversation_id
    assert account.listed() == [one for one in ALL if one != conversation_id]
    assert await account.history(conversation_id) == []


async def test_sample_1_refused(account: Account) -> None:
    with pytest.raises(ConversationNotFound) as refused:
        await account.session.delete_conversation("GROUPnone")
    assert refused.value.tencent == 2500
    with pytest.raises(InvalidRequest):
        await account.session.delete_conversation(C2C, conversation_id_list=[C2C])  # type: ignore[call-overload]
    assert account.listed() == ALL


@pytest.mark.parametrize("conversation_id", ALL)
async def test_sample_2_a_list_of_one_that_keeps_history(account: Account, conversation_id: str) -> None:
    """`{conversationIDList: ['C2CExample'], clearHistoryMessage: false}` -> `data.conversationIDList`."""
    before = await account.history(conversation_id)
    result = await account.session.delete_conversation(
        conversation_id_list=[conversation_id], clear_history_message=False
    )
    assert result.conversation_id_list == [conversation_id]
    assert account.listed() == [one for one in ALL if one != conversation_id]
    assert await account.history(conversation_id) == before


async def test_sample_2_refused(account: Account) -> None:
    with pytest.raises(InvalidRequest):
        await account.session.delete_conversation(conversation_id_list=C2C, clear_history_message=False)
    with pytest.raises(InvalidConversation):
        await account.session.delete_conversation(conversation_id_list=["@TIM#OTHER"], clear_history_message=False)
    assert account.listed() == ALL


async def test_sample_3_several_with_their_history(account: Account) -> None:
    """`{conversationIDList: ['C2CExample', 'GROUPExample']}`: without the flag, history goes."""
    result = await account.session.delete_conversation(conversation_id_list=[C2C, GROUP])
    assert result.conversation_id_list == [C2C, GROUP]
    assert account.listed() == [SYSTEM]
    assert await account.history(C2C) == []
    assert await account.history(GROUP) == []


async def test_sample_3_refused(account: Account) -> None:
    result = await account.session.delete_conversation(conversation_id_list=["C2Cnobody", "GROUPnone"])
    assert result.conversation_id_list == []
    assert [item.code for item in result.failures] == ["conversation_not_found"] * 2
    assert account.listed() == ALL


async def test_sample_4_several_without_their_history(account: Account) -> None:
    """`{conversationIDList: [...], clearHistoryMessage: false}`; the page's comment above it says "clear", wrongly."""
    before = {one: await account.history(one) for one in (C2C, GROUP)}
    result = await account.session.delete_conversation(conversation_id_list=[C2C, GROUP], clear_history_message=False)
    assert result.conversation_id_list == [C2C, GROUP]
    assert account.listed() == [SYSTEM]
    assert {one: await account.history(one) for one in (C2C, GROUP)} == before


async def test_sample_4_refused(account: Account) -> None:
    result = await account.session.delete_conversation(
        conversation_id_list=[SYSTEM, "C2Cnobody", SYSTEM, C2C], clear_history_message=False
    )
    assert sorted(result.conversation_id_list) == sorted([SYSTEM, C2C])
    assert [item.conversation_id for item in result.failures] == ["C2Cnobody"]
    assert account.listed() == [GROUP]


async def test_more_than_a_hundred_are_neither_cut_nor_refused_but_go_in_several_calls(account: Account) -> None:
    many = [f"C2Cnobody{number}" for number in range(120)]
    through: list[tuple[int, int]] = []
    result = await account.session.delete_conversation(
        conversation_id_list=[C2C, *many, GROUP], progress=lambda done, total: through.append((done, total))
    )
    assert result.conversation_id_list == [C2C, GROUP]
    assert len(result.failures) == 120
    assert through[-1] == (122, 122)
    assert (await account.session.undo(result.batch_id)).conversation_id_list == [C2C, GROUP]
    assert account.listed() == ALL
