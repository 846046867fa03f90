"""Editing messages: who may, what others are told, and what it does to mentions, retries and deletions."""

import pytest

from tui_chat.protocol.errors import (
    ChatError,
    ClientIDReused,
    GroupMuted,
    InvalidRequest,
    MessageNotFound,
    MessageRecalled,
    NotAMember,
    NotChangeable,
    NotYourMessage,
    OperationReused,
    TextEmpty,
    TextTooLong,
    UserNotFound,
)
from tui_chat.protocol.events import MessageChanged, MessageNew
from tui_chat.protocol.ids import SYSTEM
from tui_chat.protocol.limits import MENTIONS, TEXT_BYTES

from .world import Device, World


def test_everybody_is_told_of_the_new_text(world: World, alice: Device, bob: Device) -> None:
    phone = alice.another()
    sent = alice.send("C2Cbob", "helo")
    bob.send("C2CAlice", "newest")
    for device in (alice, phone, bob):
        device.told()
    world.pass_seconds(1000)
    answer = alice.edit("C2CBOB", sent.message_seq, "hello\x1b")
    assert (answer.message.text, answer.message.version, answer.message.edited_at) == ("hello", 2, world.now)
    [mine], [other], [theirs] = alice.told(), phone.told(), bob.told()
    for event, device in ((mine, alice), (other, phone), (theirs, bob)):
        assert isinstance(event, MessageChanged)
        assert event.conversation == device.listed()[event.conversation.conversation_id]
        assert event.message == device.message(event.message.conversation_id, sent.message_seq)
    assert isinstance(mine, MessageChanged)
    assert mine.message == answer.message
    assert mine.event_seq == answer.event_seq
    assert bob.history("C2CAlice") == ["hello", "newest"]


def test_the_preview_follows(alice: Device, bob: Device) -> None:
    sent = alice.send("C2Cbob", "helo")
    alice.edit("C2Cbob", sent.message_seq, "hello")
    last = bob.listed()["C2CAlice"].last_message
    assert last is not None
    assert last.text == "hello"


def test_does_not_count_as_unread_and_brings_nothing_back(alice: Device, bob: Device) -> None:
    sent = alice.send("C2Cbob", "helo")
    bob.read("C2CAlice")
    bob.delete("C2CAlice", clear=False)
    bob.told()
    alice.edit("C2Cbob", sent.message_seq, "hello")
    assert bob.listed() == {}
    assert bob.get("C2CAlice").unread_count == 0
    assert bob.history("C2CAlice") == ["hello"]


def test_who_has_cleared_the_message_is_not_told(alice: Device, bob: Device) -> None:
    sent = alice.send("C2Cbob", "helo")
    alice.send("C2Cbob", "second")
    batch = bob.delete("C2CAlice", up_to={"C2CAlice": 1}).batch_id
    bob.told()
    cursor = bob.cursor()
    alice.edit("C2Cbob", sent.message_seq, "hello")
    assert bob.told() == []
    assert bob.replayed(cursor) == []
    bob.undo(batch)
    assert bob.history("C2CAlice") == ["hello", "second"]


def test_a_replay_tells_the_message_as_it_stands(alice: Device, bob: Device) -> None:
    cursor = bob.cursor()
    sent = alice.send("C2Cbob", "one")
    alice.edit("C2Cbob", sent.message_seq, "two")
    alice.edit("C2Cbob", sent.message_seq, "three")
    alice.send("C2Cbob", "newest")
    live = bob.told()
    replayed = bob.replayed(cursor)
    assert [type(event) for event in replayed] == [MessageNew, MessageChanged, MessageChanged, MessageNew]
    for event, told in zip(replayed[:3], live[:3], strict=True):
        assert isinstance(event, MessageNew | MessageChanged)
        assert isinstance(told, MessageNew | MessageChanged)
        assert (event.message.text, event.message.version) == ("three", 3)
        assert event.event_seq == told.event_seq
        last = event.conversation.last_message
        assert last is not None
        assert (last.message_seq, last.text) == (1, "three")
        assert event.conversation.unread_count == told.conversation.unread_count == 1


def test_a_replay_shows_the_newest_message_as_the_preview_not_the_changed_one(alice: Device, bob: Device) -> None:
    sent = alice.send("C2Cbob", "one")
    alice.send("C2Cbob", "newest")
    cursor = bob.cursor()
    bob.told()
    alice.edit("C2Cbob", sent.message_seq, "two")
    [live], [replayed] = bob.told(), bob.replayed(cursor)
    assert replayed == live
    assert isinstance(replayed, MessageChanged)
    assert replayed.conversation == bob.listed()["C2CAlice"]
    assert replayed.conversation.last_message is not None
    assert replayed.conversation.last_message.text == "newest"


def test_a_replay_never_tells_what_was_cleared(alice: Device, bob: Device) -> None:
    cursor = bob.cursor()
    sent = alice.send("C2Cbob", "one")
    alice.edit("C2Cbob", sent.message_seq, "two")
    alice.send("C2Cbob", "newest")
    bob.delete("C2CAlice", up_to={"C2CAlice": 1})
    texts = [event.message.text for event in bob.replayed(cursor) if isinstance(event, MessageNew | MessageChanged)]
    assert texts == ["newest"]


def test_the_log_holds_no_text(world: World, alice: Device, bob: Device) -> None:
    sent = alice.send("C2Cbob", "first words")
    alice.edit("C2Cbob", sent.message_seq, "second words", operation_id="op")
    stored = str(world.rows("SELECT data FROM event")) + str(world.rows("SELECT * FROM answered"))
    assert "words" not in stored


class TestRetries:
    """An operationID, and the same edit without one, have one effect."""

    def test_the_same_operation_twice(self, alice: Device, bob: Device) -> None:
        sent = alice.send("C2Cbob", "one")
        first = alice.edit("C2Cbob", sent.message_seq, "two", operation_id="op")
        alice.edit("C2Cbob", sent.message_seq, "three")
        bob.told()
        again = alice.edit("C2Cbob", sent.message_seq, "two", operation_id="op")
        assert again.event_seq == first.event_seq
        assert again.message.text == "three", "the retry of an older edit changes nothing"
        assert bob.told() == []

    def test_for_something_else_it_is_refused(self, alice: Device, bob: Device) -> None:
        sent = alice.send("C2Cbob", "one")
        alice.edit("C2Cbob", sent.message_seq, "two", operation_id="op")
        with pytest.raises(OperationReused):
            alice.edit("C2Cbob", sent.message_seq, "three", operation_id="op")

    def test_the_same_text_is_no_change(self, alice: Device, bob: Device) -> None:
        sent = alice.send("C2Cbob", "one")
        alice.told()
        answer = alice.edit("C2Cbob", sent.message_seq, "one")
        assert (answer.message.version, answer.message.edited_at) == (1, None)
        assert alice.told() == bob.told()[1:] == []

    def test_a_retry_of_sending_is_still_recognised(self, alice: Device, bob: Device) -> None:
        sent = alice.send("C2Cbob", "one", client_id="x", mentions=["bob"])
        alice.edit("C2Cbob", sent.message_seq, "two", mentions=[])
        alice.edit("C2Cbob", sent.message_seq, "three")
        assert alice.send("C2Cbob", "one", client_id="x", mentions=["BOB"]).text == "three"
        for text in ("two", "three"):
            with pytest.raises(ClientIDReused):
                alice.send("C2Cbob", text, client_id="x")
        assert alice.history("C2Cbob") == ["three"]


class TestMentions:
    """Counts are exact through reading, clearing, undoing, editing."""

    def test_an_edit_adds_and_takes_away(self, alice: Device, bob: Device, carol: Device) -> None:
        alice.create("g", "bob", "carol")
        sent = alice.send("GROUPg", "hello bob", mentions=["bob", "alice"])
        answer = alice.edit("GROUPg", sent.message_seq, "hello carol", mentions=["CAROL", "Alice"])
        assert answer.message.mentions == ["carol", "Alice"]
        assert [device.get("GROUPg").mention_count for device in (alice, bob, carol)] == [0, 0, 1]
        told = carol.told()[-1]
        assert isinstance(told, MessageChanged)
        assert told.conversation.mention_count == 1

    def test_without_mentions_those_of_before_stay(self, alice: Device, bob: Device) -> None:
        alice.create("g", "bob")
        sent = alice.send("GROUPg", "hello bob", mentions=["bob"])
        assert alice.edit("GROUPg", sent.message_seq, "hello bob!").message.mentions == ["bob"]
        assert bob.get("GROUPg").mention_count == 1

    def test_what_was_read_is_not_counted(self, alice: Device, bob: Device) -> None:
        alice.create("g", "bob")
        sent = alice.send("GROUPg", "hello")
        bob.read("GROUPg")
        alice.send("GROUPg", "unread", mentions=["bob"])
        alice.edit("GROUPg", sent.message_seq, "hello bob", mentions=["bob"])
        assert bob.get("GROUPg").mention_count == 1
        alice.edit("GROUPg", sent.message_seq, "hello", mentions=[])
        assert bob.get("GROUPg").mention_count == 1

    def test_clearing_and_undoing(self, alice: Device, bob: Device) -> None:
        alice.create("g", "bob")
        sent = alice.send("GROUPg", "hello", mentions=["bob"])
        batch = bob.delete("GROUPg").batch_id
        alice.edit("GROUPg", sent.message_seq, "hello again")
        assert bob.get("GROUPg").mention_count == 0
        bob.undo(batch)
        assert bob.get("GROUPg").mention_count == 1
        again = bob.clear("GROUPg").batch_id
        alice.edit("GROUPg", sent.message_seq, "nobody", mentions=[])
        bob.undo(again)
        assert bob.get("GROUPg").mention_count == 0

    def test_only_who_sees_the_message_is_called(self, alice: Device, bob: Device, carol: Device) -> None:
        alice.create("g", "bob")
        sent = alice.send("GROUPg", "hello")
        alice.invite("g", "carol")
        bob.quit("g")
        alice.edit("GROUPg", sent.message_seq, "hello", mentions=["bob", "carol"])
        assert [device.get("GROUPg").mention_count for device in (bob, carol)] == [0, 0]

    def test_who_has_come_back_is_called_where_they_were_there_before(self, alice: Device, bob: Device) -> None:
        alice.create("g", "bob")
        before = alice.send("GROUPg", "hello")
        bob.quit("g")
        between = alice.send("GROUPg", "while bob is away")
        alice.invite("g", "bob")
        assert bob.history("GROUPg").count("hello") == 1
        for sent, count in ((between, 0), (before, 1)):
            alice.edit("GROUPg", sent.message_seq, "hello bob", mentions=["bob"])
            assert bob.get("GROUPg").mention_count == count
        bob.read("GROUPg")
        assert bob.get("GROUPg").mention_count == 0


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"text": "\u202e\x1b\n "}, TextEmpty),
        ({"text": "x" * (TEXT_BYTES + 1)}, TextTooLong),
        ({"mentions": ["bob"] * (MENTIONS + 1)}, InvalidRequest),
        ({"mentions": ["nobody"]}, UserNotFound),
        ({"operation_id": "not an id"}, InvalidRequest),
    ],
)
def test_what_no_text_can_be(alice: Device, bob: Device, more: dict[str, object], error: type[ChatError]) -> None:
    alice.send("C2Cbob", "one")
    with pytest.raises(error):
        alice.edit("C2Cbob", 1, **{"text": "two", **more})  # type: ignore[arg-type]
    assert bob.history("C2CAlice") == ["one"]


class TestWhoMayNot:
    """Everybody but the sender, and the sender where it does not see the message or has gone."""

    def test_others(self, alice: Device, bob: Device, carol: Device) -> None:
        alice.create("g", "bob")
        sent = bob.send("GROUPg", "one")
        with pytest.raises(NotYourMessage):
            alice.edit("GROUPg", sent.message_seq, "two")
        with pytest.raises(ChatError):
            carol.edit("GROUPg", sent.message_seq, "two")
        assert alice.history("GROUPg")[-1] == "one"

    def test_who_has_left(self, alice: Device, bob: Device) -> None:
        alice.create("g", "bob")
        sent = bob.send("GROUPg", "one")
        bob.quit("g")
        with pytest.raises(NotAMember):
            bob.edit("GROUPg", sent.message_seq, "two")

    def test_who_has_cleared_it(self, alice: Device, bob: Device) -> None:
        sent = alice.send("C2Cbob", "one")
        alice.clear("C2Cbob")
        with pytest.raises(MessageNotFound):
            alice.edit("C2Cbob", sent.message_seq, "two")
        assert bob.history("C2CAlice") == ["one"]

    def test_where_only_administrators_write(self, alice: Device, bob: Device) -> None:
        alice.create("g", "bob")
        sent = bob.send("GROUPg", "one")
        alice.mute_all("g")
        with pytest.raises(GroupMuted):
            bob.edit("GROUPg", sent.message_seq, "two")

    def test_tips_and_notices(self, alice: Device, bob: Device) -> None:
        alice.create("g", "bob")
        with pytest.raises(NotChangeable):
            alice.edit("GROUPg", 1, "two")
        with pytest.raises(NotChangeable):
            bob.edit(SYSTEM, 1, "two")

    def test_what_was_recalled(self, alice: Device, bob: Device) -> None:
        sent = alice.send("C2Cbob", "one")
        alice.recall("C2Cbob", sent.message_seq)
        with pytest.raises(MessageRecalled):
            alice.edit("C2Cbob", sent.message_seq, "two")
        assert bob.history("C2CAlice") == [""]

    @pytest.mark.parametrize("seq", [0, 2, 2**53])
    def test_what_is_not_there(self, alice: Device, bob: Device, seq: int) -> None:
        alice.send("C2Cbob", "one")
        with pytest.raises(MessageNotFound):
            alice.edit("C2Cbob", seq, "two")


class TestFormerMembers:
    """What is added after they have gone was never theirs to see."""

    def test_see_a_message_as_it_was_when_they_went(self, alice: Device, bob: Device, carol: Device) -> None:
        alice.create("g", "bob", "carol")
        sent = alice.send("GROUPg", "one", mentions=["bob"])
        alice.edit("GROUPg", sent.message_seq, "two")
        cursor = bob.cursor()
        bob.quit("g")
        bob.told()
        alice.edit("GROUPg", sent.message_seq, "three", mentions=["carol"])
        alice.react("GROUPg", sent.message_seq, "👍")
        carol.quit("g")
        alice.edit("GROUPg", sent.message_seq, "four")
        assert bob.told() == []
        seen = bob.message("GROUPg", sent.message_seq)
        assert (seen.text, seen.version, seen.mentions, seen.reactions) == ("two", 2, ["bob"], {})
        seen = carol.message("GROUPg", sent.message_seq)
        assert (seen.text, seen.version, seen.mentions) == ("three", 4, ["carol"])
        assert list(seen.reactions) == ["👍"]
        assert alice.message("GROUPg", sent.message_seq).text == "four"
        assert [event for event in bob.replayed(cursor) if isinstance(event, MessageChanged)] == []

    def test_a_replay_of_what_they_missed_shows_it_so_too(self, alice: Device, bob: Device) -> None:
        alice.create("g", "bob")
        cursor = bob.cursor()
        sent = alice.send("GROUPg", "one")
        bob.quit("g")
        alice.edit("GROUPg", sent.message_seq, "two")
        told = bob.replayed(cursor)[0]
        assert isinstance(told, MessageNew)
        assert told.message.text == "one"

    def test_who_is_back_sees_it_as_it_stands(self, alice: Device, bob: Device) -> None:
        alice.create("g", "bob")
        sent = alice.send("GROUPg", "one")
        bob.quit("g")
        alice.edit("GROUPg", sent.message_seq, "two")
        bob.join_group("g")
        assert bob.message("GROUPg", sent.message_seq).text == "two"

    def test_stay_mentioned_as_they_were_when_they_went(self, alice: Device, bob: Device, carol: Device) -> None:
        alice.create("team", "bob", "carol")
        seq = alice.send("GROUPteam", "look, bob", mentions=["bob", "carol"]).message_seq
        alice.kick("team", "bob")
        before, _ = bob.get("GROUPteam"), bob.told()
        assert before.mention_count == 1
        alice.edit("GROUPteam", seq, "look", mentions=[])
        assert carol.get("GROUPteam").mention_count == 0
        assert bob.message("GROUPteam", seq).mentions == ["bob", "carol"]
        assert (bob.get("GROUPteam"), bob.told()) == (before, []), "what they are not told does not change"
        alice.recall("GROUPteam", seq)
        assert bob.get("GROUPteam").mention_count == 0

    def test_of_messages_that_nobody_missed_nothing_is_kept(self, world: World, alice: Device, bob: Device) -> None:
        alice.create("g", "bob")
        bob.quit("g")
        sent = alice.send("GROUPg", "one")
        alice.edit("GROUPg", sent.message_seq, "two")
        assert world.rows("SELECT * FROM former_message") == []


def test_an_answer_to_a_message_does_not_show_it_to_who_has_cleared_it(alice: Device, bob: Device) -> None:
    sent = alice.send("C2Cbob", "secret")
    bob.clear("C2CAlice")
    answer = alice.send("C2Cbob", "see above", reply_to=sent.message_seq)
    assert bob.message("C2CAlice", answer.message_seq).reply_to == sent.message_seq
    assert bob.history("C2CAlice") == ["see above"]
    assert bob.page("C2CAlice", around=sent.message_seq).messages[0].message_seq == answer.message_seq
    with pytest.raises(MessageNotFound):
        bob.send("C2CAlice", "which?", reply_to=sent.message_seq)
