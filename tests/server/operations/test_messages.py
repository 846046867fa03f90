"""Sending and reading messages."""

import pytest

from tui_chat.protocol.errors import (
    ChatError,
    ClientIDReused,
    ConversationNotFound,
    InvalidConversation,
    InvalidRequest,
    MessageNotFound,
    NotAMember,
    ReadOnly,
    TextEmpty,
    TextTooLong,
    UserNotFound,
)
from tui_chat.protocol.events import MessageNew
from tui_chat.protocol.ids import SYSTEM
from tui_chat.protocol.limits import MENTIONS, TEXT_BYTES
from tui_chat.server.operations import accounts, conversations

from .world import Device, World


def test_both_sides_name_it_from_their_own(alice: Device, bob: Device) -> None:
    answer = alice.sent("C2CBOB", "hello")
    assert (answer.message.conversation_id, answer.message.message_seq) == ("C2Cbob", 1)
    [mine] = alice.told()
    [theirs] = bob.told()
    assert isinstance(mine, MessageNew)
    assert isinstance(theirs, MessageNew)
    assert mine.event_seq == answer.event_seq
    assert mine.message == answer.message
    assert (theirs.message.conversation_id, theirs.message.sender) == ("C2CAlice", "Alice")
    assert (mine.conversation.name, theirs.conversation.name) == ("bob", "Alice")
    assert (mine.conversation.unread_count, theirs.conversation.unread_count) == (0, 1)


def test_what_is_told_is_what_stands_in_the_list(alice: Device, bob: Device, carol: Device) -> None:
    alice.create("g", "bob", "carol")
    for sender, to in ((alice, "C2Cbob"), (bob, "C2CAlice"), (alice, "GROUPg"), (carol, "GROUPg")):
        for device in (alice, bob, carol):
            device.told()
        sender.send(to, "multi\nline   text " * 20, mentions=["carol"])
        for device in (alice, bob, carol):
            for event in device.told():
                assert isinstance(event, MessageNew)
                assert event.conversation == device.listed()[event.conversation.conversation_id]


def test_a_nick_stands_beside_the_name(world: World, alice: Device, bob: Device) -> None:
    world.do(accounts.set_nick, alice.caller, "Ally")
    sent = alice.send("C2Cbob")
    assert sent.nick == "Ally"
    assert bob.listed()["C2CAlice"].name == "Ally"
    assert bob.page("C2CAlice").messages[0].nick == "Ally"


class TestClientID:
    """A sender's retry is recognised for ever."""

    def test_a_retry_gets_the_same_message(self, world: World, alice: Device, bob: Device) -> None:
        first = alice.sent("C2Cbob", "one", client_id="x", mentions=["bob"])
        bob.told()
        world.pass_seconds(365 * 86_400)
        world.tidy()
        again = alice.sent("C2CBOB", "one", client_id="x", mentions=["BOB"])
        assert again.message == first.message
        assert bob.told() == []
        assert len(bob.page("C2CAlice").messages) == 1

    def test_the_order_of_mentions_does_not_count(self, alice: Device, bob: Device, carol: Device) -> None:
        alice.create("g", "bob", "carol")
        first = alice.send("GROUPg", "one", client_id="x", mentions=["bob", "carol"])
        assert alice.send("GROUPg", "one", client_id="x", mentions=["Carol", "bob", "carol"]) == first

    @pytest.mark.parametrize(
        ("to", "text", "mentions"), [("C2Cbob", "two", []), ("C2Ccarol", "one", []), ("C2Cbob", "one", ["bob"])]
    )
    def test_for_something_else_it_is_refused(
        self, alice: Device, carol: Device, to: str, text: str, mentions: list[str]
    ) -> None:
        alice.send("C2Cbob", "one", client_id="x")
        with pytest.raises(ClientIDReused):
            alice.send(to, text, client_id="x", mentions=mentions)
        assert [one.text for one in alice.page("C2Cbob").messages] == ["one"]
        with pytest.raises(ConversationNotFound):
            alice.get("C2Ccarol")

    def test_is_each_senders_own(self, alice: Device, bob: Device) -> None:
        alice.send("C2Cbob", "one", client_id="x")
        assert bob.send("C2CAlice", "two", client_id="x").message_seq == 2

    def test_a_retry_after_leaving_gets_its_answer(self, alice: Device, bob: Device) -> None:
        alice.create("g", "bob")
        first = bob.send("GROUPg", "one", client_id="x")
        bob.quit("g")
        assert bob.send("GROUPg", "one", client_id="x") == first
        with pytest.raises(NotAMember):
            bob.send("GROUPg", "one", client_id="y")

    def test_a_retry_after_clearing_brings_nothing_back(self, alice: Device, bob: Device) -> None:
        alice.send("C2Cbob", "one", client_id="x")
        alice.delete("C2Cbob")
        alice.send("C2Cbob", "one", client_id="x")
        assert alice.listed() == {}
        assert alice.history("C2Cbob") == []


@pytest.mark.parametrize(
    ("to", "more", "error"),
    [
        ("C2Cnobody", {}, UserNotFound),
        ("C2Calice", {}, InvalidConversation),
        ("bob", {}, InvalidConversation),
        (SYSTEM, {}, ReadOnly),
        ("C2Cbob", {"text": "\u202e\x1b\n "}, TextEmpty),
        ("C2Cbob", {"text": "x" * (TEXT_BYTES + 1)}, TextTooLong),
        ("C2Cbob", {"client_id": "not an id"}, InvalidRequest),
        ("C2Cbob", {"mentions": ["bob"] * (MENTIONS + 1)}, InvalidRequest),
        ("C2Cbob", {"mentions": ["nobody"]}, UserNotFound),
        ("C2Cbob", {"reply_to": 1}, MessageNotFound),
    ],
)
def test_what_cannot_be_sent(
    world: World, alice: Device, bob: Device, to: str, more: dict[str, object], error: type[ChatError]
) -> None:
    with pytest.raises(error):
        alice.send(to, **more)  # type: ignore[arg-type]
    assert world.rows("SELECT COUNT(*) FROM message") == [(0,)]
    assert alice.listed() == {}


def test_text_is_made_harmless(alice: Device, bob: Device) -> None:
    assert alice.send("C2Cbob", "a\x1b]52;c;QQ==\x07b\u202ec").text == "a]52;c;QQ==bc"


def test_replies_answer_what_the_sender_can_see(alice: Device, bob: Device) -> None:
    first = alice.send("C2Cbob", "one")
    assert bob.send("C2CAlice", "two", reply_to=first.message_seq).reply_to == 1
    bob.clear("C2CAlice")
    with pytest.raises(MessageNotFound):
        bob.send("C2CAlice", "three", reply_to=1)
    assert alice.page("C2Cbob").messages[1].reply_to == 1


class TestPages:
    """History in pages, oldest first."""

    @pytest.fixture
    def ten(self, alice: Device, bob: Device) -> Device:
        for number in range(1, 11):
            alice.send("C2Cbob", str(number))
        return bob

    @pytest.mark.parametrize(
        ("bounds", "seqs", "more"),
        [
            ({"limit": 3}, [8, 9, 10], True),
            ({"limit": 10}, list(range(1, 11)), False),
            ({"before": 4, "limit": 2}, [2, 3], True),
            ({"before": 3, "limit": 2}, [1, 2], False),
            ({"before": 1}, [], False),
            ({"before": 99, "limit": 1}, [10], True),
            ({"after": 7, "limit": 2}, [8, 9], True),
            ({"after": 8, "limit": 2}, [9, 10], False),
            ({"after": 10}, [], False),
            ({"after": 0, "limit": 2}, [1, 2], True),
            ({"around": 5, "limit": 4}, [3, 4, 5, 6], True),
            ({"around": 1, "limit": 4}, [1, 2], False),
            ({"around": 5, "limit": 1}, [5], True),
        ],
    )
    def test_bounds(self, ten: Device, bounds: dict[str, int], seqs: list[int], more: bool) -> None:
        page = ten.page("C2CAlice", **bounds)
        assert [one.message_seq for one in page.messages] == seqs
        assert page.more is more

    def test_know_nothing_of_what_was_cleared(self, ten: Device) -> None:
        ten.clear("C2CAlice", up_to={"C2CAlice": 6})
        for bounds in ({"before": 9}, {"around": 3, "limit": 100}, {"after": 2}, {}):
            page = ten.page("C2CAlice", **bounds)
            assert min(one.message_seq for one in page.messages) == 7
            assert not page.more
            assert page.cleared_through == 6

    @pytest.mark.parametrize("bounds", [{"limit": 0}, {"limit": 101}, {"before": 1, "after": 2}])
    def test_faulty_bounds(self, ten: Device, bounds: dict[str, int]) -> None:
        with pytest.raises(InvalidRequest):
            ten.page("C2CAlice", **bounds)

    def test_of_a_conversation_that_is_not_there(self, alice: Device, bob: Device) -> None:
        with pytest.raises(ConversationNotFound):
            alice.page("C2Cbob")


class TestTyping:
    """Who is told that somebody types."""

    def test_everyone_else_who_is_there(self, world: World, alice: Device, bob: Device, carol: Device) -> None:
        alice.create("g", "bob", "carol")
        carol.quit("g")
        alice.send("C2Cbob")
        told = world.do(conversations.may_type, alice.caller, "GROUPg")
        assert told == [(bob.caller.user, "bob", "GROUPg")]
        assert world.do(conversations.may_type, alice.caller, "C2Cbob") == [(bob.caller.user, "bob", "C2CAlice")]

    @pytest.mark.parametrize(("name", "error"), [("C2Cbob", ConversationNotFound), (SYSTEM, ReadOnly)])
    def test_not_where_one_cannot_write(
        self, world: World, alice: Device, bob: Device, name: str, error: type[ChatError]
    ) -> None:
        with pytest.raises(error):
            world.do(conversations.may_type, alice.caller, name)
