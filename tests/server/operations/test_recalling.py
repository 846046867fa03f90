"""Recalling messages: the body goes everywhere, the number stays."""

import pytest

from tui_chat.protocol.errors import (
    ChatError,
    MessageRecalled,
    NotAMember,
    NotChangeable,
    NotYourMessage,
    RecallExpired,
)
from tui_chat.protocol.events import MessageChanged, MessageNew
from tui_chat.protocol.limits import RECALL_SECONDS

from .world import Device, World


def traces(world: World) -> str:
    """Everything that stands in the database, as one text."""
    tables = world.store.tables()
    return str([world.rows(f"SELECT * FROM {table}") for table in tables])


def test_its_body_goes_everywhere(world: World, alice: Device, bob: Device, carol: Device) -> None:
    alice.create("g", "bob", "carol")
    sent = alice.send("GROUPg", "secret one", mentions=["bob"], client_id="x")
    alice.react("GROUPg", sent.message_seq, "👍")
    alice.edit("GROUPg", sent.message_seq, "secret two", operation_id="op")
    carol.quit("g")
    alice.edit("GROUPg", sent.message_seq, "secret three")
    world.pass_seconds(90)
    world.tidy()
    assert "secret" in traces(world)
    cursor = bob.cursor()
    answer = alice.recall("GROUPg", sent.message_seq)
    world.tidy()
    assert "secret" not in traces(world)
    for device in (alice, bob, carol):
        seen = device.message("GROUPg", sent.message_seq)
        assert (seen.text, seen.recalled, seen.recalled_by) == ("", True, None)
        assert (seen.mentions, seen.reactions, seen.reply_to, seen.edited_at) == ([], {}, None, None)
    assert answer.message == alice.message("GROUPg", sent.message_seq)
    [event] = bob.replayed(cursor)
    assert isinstance(event, MessageChanged)
    assert event.message.recalled
    assert bob.found("secret") == []


def test_everybody_is_told_also_who_has_gone(alice: Device, bob: Device, carol: Device) -> None:
    alice.create("g", "bob", "carol")
    sent = alice.send("GROUPg", "one")
    carol.quit("g")
    for device in (alice, bob, carol):
        device.told()
    alice.recall("GROUPg", sent.message_seq)
    for device in (alice, bob, carol):
        [event] = device.told()
        assert isinstance(event, MessageChanged)
        assert (event.message.recalled, event.message.version) == (True, 2)
        assert event.conversation == device.get("GROUPg")


def test_previews_say_so(alice: Device, bob: Device) -> None:
    sent = alice.send("C2Cbob", "one")
    alice.recall("C2Cbob", sent.message_seq)
    for device, name in ((alice, "C2Cbob"), (bob, "C2CAlice")):
        last = device.listed()[name].last_message
        assert last is not None
        assert (last.text, last.recalled, last.sender) == ("", True, "Alice")


def test_it_still_counts_as_unread_and_the_next_number_follows(alice: Device, bob: Device) -> None:
    sent = alice.send("C2Cbob", "one")
    alice.recall("C2Cbob", sent.message_seq)
    assert bob.listed()["C2CAlice"].unread_count == 1
    assert alice.send("C2Cbob", "two").message_seq == 2


def test_mention_counts_drop(alice: Device, bob: Device) -> None:
    alice.create("g", "bob")
    first = alice.send("GROUPg", "one", mentions=["bob"])
    alice.send("GROUPg", "two", mentions=["bob"])
    assert bob.get("GROUPg").mention_count == 2
    alice.recall("GROUPg", first.message_seq)
    assert bob.get("GROUPg").mention_count == 1
    batch = bob.delete("GROUPg").batch_id
    alice.recall("GROUPg", first.message_seq + 1)
    bob.undo(batch)
    assert bob.get("GROUPg").mention_count == 0


def test_a_deleted_conversation_stays_away(alice: Device, bob: Device) -> None:
    sent = alice.send("C2Cbob", "one")
    bob.delete("C2CAlice")
    bob.told()
    alice.recall("C2Cbob", sent.message_seq)
    assert bob.listed() == {}
    assert bob.told() == []


def test_twice_is_once(world: World, alice: Device, bob: Device) -> None:
    sent = alice.send("C2Cbob", "one")
    first = alice.recall("C2Cbob", sent.message_seq, "op")
    bob.told()
    world.pass_seconds(2 * RECALL_SECONDS)
    for operation_id in ("op", None, "another"):
        again = alice.recall("C2Cbob", sent.message_seq, operation_id)
        assert again.message == first.message
    assert bob.told() == []


def test_a_retry_of_sending_sends_nothing_again(alice: Device, bob: Device) -> None:
    sent = alice.send("C2Cbob", "one", client_id="x")
    alice.recall("C2Cbob", sent.message_seq)
    assert alice.send("C2Cbob", "one", client_id="x").recalled
    assert bob.history("C2CAlice") == [""]


def test_only_for_a_while(world: World, alice: Device, bob: Device) -> None:
    sent = alice.send("C2Cbob", "one")
    world.pass_seconds(RECALL_SECONDS)
    other = alice.send("C2Cbob", "two")
    alice.recall("C2Cbob", sent.message_seq)
    world.pass_seconds(RECALL_SECONDS + 0.001)
    with pytest.raises(RecallExpired):
        alice.recall("C2Cbob", other.message_seq)
    assert bob.history("C2CAlice") == ["", "two"]


def test_not_until_a_clock_that_was_ahead_has_been_caught_up_with(world: World, alice: Device, bob: Device) -> None:
    ahead = 86_400
    world.pass_seconds(ahead)
    sent = [alice.send("C2Cbob", text) for text in ("one", "two")]
    world.pass_seconds(-RECALL_SECONDS)
    alice.recall("C2Cbob", sent[0].message_seq)
    world.pass_seconds(RECALL_SECONDS - ahead)
    with pytest.raises(RecallExpired):
        alice.recall("C2Cbob", sent[1].message_seq)
    assert bob.history("C2CAlice") == ["", "two"]


class TestWho:
    """The sender; in groups those above the sender."""

    def test_not_the_other_side(self, alice: Device, bob: Device, carol: Device) -> None:
        sent = alice.send("C2Cbob", "one")
        with pytest.raises(NotYourMessage):
            bob.recall("C2CAlice", sent.message_seq)
        with pytest.raises(ChatError):
            carol.recall("C2CAlice", sent.message_seq)

    def test_owner_administrator_member(self, alice: Device, bob: Device, carol: Device) -> None:
        alice.create("g", "bob", "carol")
        alice.set_role("g", "bob", "admin")
        texts = {device.id: device.send("GROUPg", "one").message_seq for device in (alice, bob, carol)}
        for device, other in ((carol, alice), (carol, bob), (bob, alice)):
            with pytest.raises(NotYourMessage):
                device.recall("GROUPg", texts[other.id])
        assert bob.recall("GROUPg", texts["carol"]).message.recalled_by == "bob"
        assert alice.recall("GROUPg", texts["bob"]).message.recalled_by == "Alice"
        assert carol.message("GROUPg", texts["carol"]).recalled_by == "bob"
        assert alice.recall("GROUPg", texts["carol"]).message.recalled_by == "bob"

    def test_what_somebody_wrote_who_has_gone(self, alice: Device, bob: Device, carol: Device) -> None:
        alice.create("g", "bob", "carol")
        alice.set_role("g", "bob", "admin")
        sent = bob.send("GROUPg", "one")
        alice.kick("g", "bob")
        with pytest.raises(NotAMember):
            bob.recall("GROUPg", sent.message_seq)
        with pytest.raises(NotYourMessage):
            carol.recall("GROUPg", sent.message_seq)
        alice.recall("GROUPg", sent.message_seq)
        [event] = [one for one in bob.told() if isinstance(one, MessageChanged)]
        assert event.message.recalled

    def test_no_tips(self, alice: Device, bob: Device) -> None:
        alice.create("g", "bob")
        with pytest.raises(NotChangeable):
            alice.recall("GROUPg", 1)


@pytest.mark.parametrize("edit_first", [True, False])
def test_an_edit_and_a_recall_at_the_same_time(alice: Device, bob: Device, edit_first: bool) -> None:
    phone = alice.another()
    sent = alice.send("C2Cbob", "one")
    if edit_first:
        alice.edit("C2Cbob", sent.message_seq, "two")
        phone.recall("C2Cbob", sent.message_seq)
    else:
        phone.recall("C2Cbob", sent.message_seq)
        with pytest.raises(MessageRecalled):
            alice.edit("C2Cbob", sent.message_seq, "two")
    told = [event for event in bob.told() if isinstance(event, MessageNew | MessageChanged)]
    newest = max(told, key=lambda event: event.message.version)
    assert newest.message == bob.message("C2CAlice", sent.message_seq)
    assert newest.message.recalled
