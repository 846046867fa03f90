"""What is a conversationID and what is not; how names are compared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_chat.protocol import ids
from tui_chat.protocol.errors import InvalidConversation, InvalidName, InvalidRequest


@pytest.mark.parametrize(
    ("text", "kind", "target"),
    [
        ("C2CExample", "C2C", "Example"),
        ("GROUPExample", "GROUP", "Example"),
        ("GROUP@TGS#F56YUFG4XVTS2UIL", "GROUP", "@TGS#F56YUFG4XVTS2UIL"),
        ("GROUP@tgs#f56yufg4xvts2uil", "GROUP", "@tgs#f56yufg4xvts2uil"),
        ("C2Ca.b-c_9", "C2C", "a.b-c_9"),
        ("@TIM#SYSTEM", "SYSTEM", ""),
    ],
)
def test_a_conversation_id_is_read_and_written_alike(text: str, kind: str, target: str) -> None:
    parsed = ids.parse_conversation_id(text)
    assert (parsed.type, parsed.target) == (kind, target)
    assert str(parsed) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "C2C",
        "GROUP",
        "c2cbob",
        "C2C-bob",
        "C2Cbob smith",
        "C2Cbob\n",
        "C2C" + "a" * 33,
        "GROUP" + "a" * 49,
        "GROUP@TGS#" + "A" * 48,
        "@TIM#SYSTEM ",
        "@tim#system",
        "TOPICx",
        "C2C小林",
        "C2C../../etc",
        "bob",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidConversation):
        ids.parse_conversation_id(text)


_LIKE_IDS = st.sampled_from(
    ["C2CBob", "GROUPg", "GROUP@TGS#ABC", "@TIM#SYSTEM", "GROUP" + "a" * 48]
    + ["", "C2C", "\n", "C2Cbob\n", "C2Ca\nC2Cb", "GROUP" + "a" * 49, "GROUP@TGS#" + "A" * 44, "@tim#system", "c2cbob"]
) | st.text("C2GROUPab@TIM#SYE.\n\u017f\u0130", max_size=12)


@given(st.lists(_LIKE_IDS, min_size=1, max_size=5))
def test_a_list_is_read_as_each_of_it(texts: list[str]) -> None:
    try:
        for text in texts:
            ids.parse_conversation_id(text)
    except InvalidConversation:
        assert ids.fold_conversation_ids(texts) is None
    else:
        assert ids.fold_conversation_ids(texts) == [ids.fold(text) for text in texts]


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,31}", fullmatch=True).filter(str.isascii))
def test_every_user_has_a_conversation(user_id: str) -> None:
    assert ids.check_user_id(user_id) == user_id
    assert ids.parse_conversation_id(ids.c2c(user_id)).target == user_id


def test_case_does_not_tell_names_apart() -> None:
    assert ids.same_conversation("C2CBob", "C2Cbob")
    assert not ids.same_conversation("C2Cbob", "GROUPbob")


def test_only_the_server_makes_ids_with_its_own_prefix() -> None:
    made = ids.new_group_id()
    assert ids.parse_conversation_id(ids.group(made)).target == made
    with pytest.raises(InvalidName):
        ids.check_new_group_id(made)
    assert ids.check_new_group_id("ubuntu-meeting") == "ubuntu-meeting"


@pytest.mark.parametrize("text", ["", "a b", "x" * 65, "ü", "a\n"])
def test_an_identifier_that_clients_make_has_a_form(text: str) -> None:
    with pytest.raises(InvalidRequest, match="operationID") as refused:
        ids.check_identifier(text, "operationID")
    assert refused.value.code == "invalid_request"
    assert ids.check_identifier(ids.new_identifier(), "operationID")
