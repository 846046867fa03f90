"""What people write for a conversation."""

import pytest

from tui_chat.cli.names import Ambiguous, resolve
from tui_chat.protocol.errors import InvalidConversation
from tui_chat.protocol.ids import ConversationType
from tui_chat.protocol.models import Conversation

KNOWN = [
    Conversation(conversation_id="C2Cbob", type=ConversationType.C2C, name="Bob the Builder"),
    Conversation(conversation_id="C2Cxiaolin", type=ConversationType.C2C, name="小林"),
    Conversation(conversation_id="GROUPubuntu", type=ConversationType.GROUP, name="Ubuntu"),
    Conversation(conversation_id="GROUP@TGS#AAAA", type=ConversationType.GROUP, name="#planning"),
    Conversation(conversation_id="GROUP@TGS#BBBB", type=ConversationType.GROUP, name="twice"),
    Conversation(conversation_id="GROUP@TGS#CCCC", type=ConversationType.GROUP, name="twice"),
    Conversation(conversation_id="@TIM#SYSTEM", type=ConversationType.SYSTEM, name=""),
]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("bob", "C2Cbob"),
        ("BOB", "C2Cbob"),
        ("bob the builder", "C2Cbob"),
        ("小林", "C2Cxiaolin"),
        ("C2Cbob", "C2Cbob"),
        ("C2CBOB", "C2Cbob"),
        ("#ubuntu", "GROUPubuntu"),
        ("ubuntu", "GROUPubuntu"),
        ("#planning", "GROUP@TGS#AAAA"),
        ("GROUP@TGS#AAAA", "GROUP@TGS#AAAA"),
        ("system", "@TIM#SYSTEM"),
        ("@TIM#SYSTEM", "@TIM#SYSTEM"),
        ("stranger", "C2Cstranger"),
        ("GROUPunlisted", "GROUPunlisted"),
    ],
)
def test_a_name_finds_its_conversation(written: str, meant: str) -> None:
    assert resolve(written, KNOWN) == meant


def test_a_group_is_not_taken_for_a_person_of_that_name() -> None:
    with pytest.raises(InvalidConversation, match="no conversation is called '#bob'"):
        resolve("#bob", KNOWN)


def test_a_name_that_two_have_is_not_guessed() -> None:
    with pytest.raises(Ambiguous, match="GROUP@TGS#BBBB, GROUP@TGS#CCCC"):
        resolve("twice", KNOWN)


@pytest.mark.parametrize("written", ["no such one", "", "GROUP bad", "C2C"])
def test_what_is_neither_a_name_nor_an_id_is_refused(written: str) -> None:
    with pytest.raises(InvalidConversation):
        resolve(written, KNOWN)
