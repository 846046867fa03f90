"""The four samples of the React Native page (https://www.tencentcloud.com/document/product/1047/49497).

There each is `chat.deleteConversation(options)`; here `session.delete_conversation(...)`. The page says what the method
is for (a friend deleted, a group left, and no wish to keep the history) and gives four notes: history is cleared unless
told otherwise; deletions reach other clients only where the console says so; at most a hundred at a time; a group that
was left stays in the list.
"""

import pytest

from tests.seeds.account import ALL, C2C, GROUP, SYSTEM, Account
from tui_chat.protocol.errors import ConversationNotFound, InvalidConversation, InvalidRequest
from tui_chat.protocol.ids import parse_conversation_id


@pytest.mark.parametrize("conversation_id", ALL)
async def test_sample_1_delete_one_and_clear_its_history(account: Account, conversation_id: str) -> None:
    result = await account.session.delete_conversation(conversation_id)
    assert result.conversation_id == conversation_id
    assert conversation_id not in account.listed()
    assert await account.history(conversation_id) == []
    await account.come_back(conversation_id)
    assert account.session.conversations[conversation_id].message_count == 1


async def test_sample_1_refused(account: Account) -> None:
    with pytest.raises(ConversationNotFound):
        await account.session.delete_conversation("C2Cstranger")
    with pytest.raises(InvalidConversation):
        await account.session.delete_conversation("Example")
    assert account.listed() == ALL


@pytest.mark.parametrize("conversation_id", ALL)
async def test_sample_2_delete_one_and_keep_its_history(account: Account, conversation_id: str) -> None:
    before = account.session.conversations[conversation_id].message_count
    result = await account.session.delete_conversation(
        conversation_id_list=[conversation_id], clear_history_message=False
    )
    assert result.conversation_id_list == [conversation_id]
    assert result.failures == []
    assert conversation_id not in account.listed()
    await account.come_back(conversation_id)
    assert account.session.conversations[conversation_id].message_count == before + 1


async def test_sample_2_refused(account: Account) -> None:
    result = await account.session.delete_conversation(
        conversation_id_list=["GROUPunknown"], clear_history_message=False
    )
    assert result.conversation_id_list == []
    assert [(item.conversation_id, item.code) for item in result.failures] == [
        ("GROUPunknown", "conversation_not_found")
    ]
    with pytest.raises(InvalidRequest, match="clearHistoryMessage"):
        await account.session.delete_conversation(
            conversation_id_list=[C2C],
            clear_history_message="no",  # type: ignore[call-overload]
        )
    assert account.listed() == ALL


async def test_sample_3_delete_several_and_clear_their_history(account: Account) -> None:
    result = await account.session.delete_conversation(conversation_id_list=ALL)
    assert sorted(result.conversation_id_list) == sorted(ALL)
    assert account.listed() == []
    for conversation_id in ALL:
        assert await account.history(conversation_id) == []


async def test_sample_3_refused(account: Account) -> None:
    result = await account.session.delete_conversation(conversation_id_list=[C2C, "C2Cstranger", GROUP])
    assert result.conversation_id_list == [C2C, GROUP]
    assert [item.conversation_id for item in result.failures] == ["C2Cstranger"]
    assert account.listed() == [SYSTEM]
    with pytest.raises(InvalidRequest, match="empty"):
        await account.session.delete_conversation(conversation_id_list=[])


async def test_sample_4_delete_several_and_keep_their_history(account: Account) -> None:
    before = {one: await account.history(one) for one in ALL}
    result = await account.session.delete_conversation(conversation_id_list=ALL, clear_history_message=False)
    assert sorted(result.conversation_id_list) == sorted(ALL)
    assert account.listed() == []
    for conversation_id in ALL:
        await account.come_back(conversation_id)
        assert (await account.history(conversation_id))[: len(before[conversation_id])] == before[conversation_id]


async def test_sample_4_refused(account: Account) -> None:
    with pytest.raises(InvalidConversation):
        await account.session.delete_conversation(
            conversation_id_list=[C2C, "c2c_Example"], clear_history_message=False
        )
    assert account.listed() == ALL, "one malformed ID refuses the whole call"


@pytest.mark.parametrize("conversation_id", ALL)
def test_the_three_forms_of_an_id(conversation_id: str) -> None:
    assert str(parse_conversation_id(conversation_id)) == conversation_id


async def test_note_4_a_group_that_was_left_stays_until_it_is_deleted(account: Account) -> None:
    await account.session.quit_group("Example")
    assert GROUP in account.listed()
    assert (await account.history(GROUP))[-1:] != []
    result = await account.session.delete_conversation(GROUP)
    assert result.conversation_id == GROUP
    await account.example.send_message(GROUP, "without her")
    await account.come_back(C2C)
    assert GROUP not in account.listed()
