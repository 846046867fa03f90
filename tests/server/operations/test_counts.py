"""Unread, mention and message counts, and reading."""

import pytest

from tui_chat.protocol.errors import InvalidRequest, TooManyConversations
from tui_chat.protocol.events import ConversationChanged, ConversationRead
from tui_chat.protocol.limits import PINS
from tui_chat.protocol.requests import ReadConversations, ReadMark, SetFlags
from tui_chat.server.operations import conversations

from .world import Device, World


def unread(device: Device, name: str) -> tuple[int, int]:
    shown = device.get(name)
    return shown.unread_count, shown.mention_count


def test_others_messages_are_unread_and_ones_own_are_not(alice: Device, bob: Device) -> None:
    alice.send("C2Cbob")
    alice.send("C2Cbob")
    assert unread(bob, "C2CAlice") == (2, 0)
    assert unread(alice, "C2Cbob") == (0, 0)
    bob.send("C2CAlice")
    assert unread(bob, "C2CAlice") == (0, 0)
    assert unread(alice, "C2Cbob") == (1, 0)
    assert alice.get("C2Cbob").peer_read_seq == 3


def test_tips_are_visible_and_not_unread(alice: Device, bob: Device, carol: Device) -> None:
    alice.create("g", "bob")
    alice.invite("g", "carol")
    assert unread(bob, "GROUPg") == (0, 0)
    assert bob.get("GROUPg").message_count == 2
    alice.send("GROUPg")
    assert unread(bob, "GROUPg") == (1, 0)
    assert unread(carol, "GROUPg") == (1, 0)


def test_reading_up_to_a_message(alice: Device, bob: Device) -> None:
    for _ in range(3):
        alice.send("C2Cbob")
    bob.told()
    alice.told()
    bob.read("C2CAlice", 2)
    assert unread(bob, "C2CAlice") == (1, 0)
    [event] = bob.told()
    assert isinstance(event, ConversationRead)
    assert [(one.conversation_id, one.read_seq, one.unread_count) for one in event.items] == [("C2CAlice", 2, 1)]
    [event] = alice.told()
    assert isinstance(event, ConversationRead)
    assert (event.conversation_id, event.peer_read_seq, event.items) == ("C2Cbob", 2, [])


def test_marks_only_move_forward_and_not_beyond_the_newest(alice: Device, bob: Device) -> None:
    for _ in range(3):
        alice.send("C2Cbob")
    bob.read("C2CAlice", 3)
    bob.told()
    bob.read("C2CAlice", 1)
    assert bob.told() == []
    bob.read("C2CAlice", 99)
    assert bob.get("C2CAlice").read_seq == 3
    alice.send("C2Cbob")
    assert unread(bob, "C2CAlice") == (1, 0)


def test_reading_many_at_once_with_one_that_is_not_there(
    world: World, alice: Device, bob: Device, carol: Device
) -> None:
    for one in (alice, carol):
        one.send("C2Cbob")
    names = ("C2CAlice", "C2CCAROL", "C2Cnobody", "C2Calice")
    items = [ReadMark(conversation_id=name, message_seq=1) for name in names]
    answer = world.do(conversations.read, bob.caller, ReadConversations(items=items))
    assert answer.conversation_id_list == ["C2CAlice", "C2Ccarol"]
    assert [one.conversation_id for one in answer.failures] == ["C2Cnobody"]


def test_reading_takes_the_unread_mark_away_and_says_so(alice: Device, bob: Device) -> None:
    alice.send("C2Cbob")
    bob.read("C2CAlice")
    bob.flags("C2CAlice", marked_unread=True)
    bob.told()
    bob.read("C2CAlice")
    [event] = bob.told()
    assert isinstance(event, ConversationChanged)
    assert not event.conversations[0].marked_unread


@pytest.mark.parametrize(
    ("items", "error"),
    [
        ([], InvalidRequest),
        ([ReadMark(conversation_id="C2Cx", message_seq=-1)], InvalidRequest),
        ([ReadMark(conversation_id="C2Cx", message_seq=1)] * 101, TooManyConversations),
    ],
)
def test_faulty_reading_is_refused(world: World, bob: Device, items: list[ReadMark], error: type[Exception]) -> None:
    with pytest.raises(error):
        world.do(conversations.read, bob.caller, ReadConversations(items=items))


def test_after_a_deletion_that_kept_history_what_was_unread_counts_no_more(alice: Device, bob: Device) -> None:
    alice.send("C2Cbob")
    alice.send("C2Cbob")
    bob.delete("C2CAlice", clear=False)
    alice.send("C2Cbob")
    shown = bob.listed()["C2CAlice"]
    assert (shown.message_count, shown.unread_count) == (3, 1)


def test_unread_comes_back_with_an_undo(alice: Device, bob: Device) -> None:
    for _ in range(3):
        alice.send("C2Cbob")
    bob.read("C2CAlice", 1)
    batch = bob.delete("C2CAlice").batch_id
    assert unread(bob, "C2CAlice") == (0, 0)
    bob.undo(batch)
    assert unread(bob, "C2CAlice") == (2, 0)


class TestMentions:
    """Unread mentions of the reader."""

    def test_are_counted_until_read(self, alice: Device, bob: Device, carol: Device) -> None:
        alice.create("g", "bob", "carol")
        first = alice.send("GROUPg", "@bob", mentions=["BOB", "Alice", "bob"])
        assert first.mentions == ["bob", "Alice"]
        alice.send("GROUPg", "@bob", mentions=["bob"])
        assert unread(bob, "GROUPg") == (2, 2)
        assert unread(carol, "GROUPg") == (2, 0)
        assert unread(alice, "GROUPg") == (0, 0)
        bob.read("GROUPg", first.message_seq)
        assert unread(bob, "GROUPg") == (1, 1)
        bob.send("GROUPg")
        assert unread(bob, "GROUPg") == (0, 0)

    def test_go_with_a_deletion_and_come_back_with_its_undo(self, alice: Device, bob: Device) -> None:
        alice.send("C2Cbob", mentions=["bob"])
        batch = bob.delete("C2CAlice").batch_id
        alice.send("C2Cbob", mentions=["bob"])
        assert unread(bob, "C2CAlice") == (1, 1)
        bob.undo(batch)
        assert unread(bob, "C2CAlice") == (2, 2)

    def test_come_back_where_none_was_left(self, alice: Device, bob: Device) -> None:
        alice.send("C2Cbob", mentions=["bob"])
        batch = bob.delete("C2CAlice").batch_id
        assert unread(bob, "C2CAlice") == (0, 0)
        bob.undo(batch)
        assert unread(bob, "C2CAlice") == (1, 1)

    def test_of_someone_who_is_not_there(self, alice: Device, bob: Device, carol: Device) -> None:
        alice.create("g", "bob")
        alice.send("GROUPg", "@carol", mentions=["carol"])
        alice.invite("g", "carol")
        assert unread(carol, "GROUPg") == (0, 0)


class TestFlags:
    """Pinning, muting, marking as unread."""

    def test_reach_every_device(self, alice: Device, bob: Device) -> None:
        phone = bob.another()
        alice.send("C2Cbob")
        phone.told()
        answer = bob.flags("C2CAlice", pinned=True, muted=True)
        [event] = phone.told()
        assert isinstance(event, ConversationChanged)
        assert event.event_seq == answer.event_seq
        assert (event.conversations[0].pinned, event.conversations[0].muted) == (True, True)

    def test_without_a_change_nobody_is_told(self, alice: Device, bob: Device) -> None:
        alice.send("C2Cbob")
        bob.told()
        assert bob.flags("C2CAlice", pinned=False).conversation_id_list == ["C2CAlice"]
        assert bob.told() == []

    def test_pins_have_a_limit(self, world: World, alice: Device) -> None:
        names = []
        for number in range(PINS + 2):
            world.join(f"user{number}").send("C2CAlice")
            names.append(f"C2Cuser{number}")
        answer = alice.flags(*names, pinned=True)
        assert len(answer.conversation_id_list) == PINS
        assert [one.code for one in answer.failures] == ["too_many_pins"] * 2
        alice.flags(names[0], pinned=False)
        assert alice.flags(names[-1], pinned=True).failures == []
        assert alice.flags(names[-1], pinned=True).failures == []

    def test_one_is_needed(self, world: World, bob: Device) -> None:
        with pytest.raises(InvalidRequest):
            world.do(conversations.flags, bob.caller, SetFlags(conversation_id_list=["C2CAlice"]))

    def test_an_unknown_one_fails_and_the_others_go(self, alice: Device, bob: Device) -> None:
        alice.send("C2Cbob")
        answer = bob.flags("C2Cnobody", "C2CAlice", muted=True)
        assert answer.conversation_id_list == ["C2CAlice"]
        assert [one.code for one in answer.failures] == ["conversation_not_found"]


def test_what_one_wrote_oneself_last(alice: Device, bob: Device) -> None:
    alice.send("C2Cbob")
    assert (alice.get("C2Cbob").sent_seq, bob.get("C2CAlice").sent_seq) == (1, 0)
    bob.send("C2CAlice")
    alice.delete("C2Cbob")
    alice.create("g", "bob")
    assert (alice.get("C2Cbob").sent_seq, bob.get("C2CAlice").sent_seq) == (1, 2)
    assert alice.get("GROUPg").sent_seq == 0, "tips are nobody's own"
