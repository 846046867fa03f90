"""Reactions: one for each user and emoji, told in a form that stays small."""

import pytest

from tui_chat.protocol.errors import (
    ChatError,
    InvalidEmoji,
    MessageNotFound,
    MessageRecalled,
    NotAMember,
    NotChangeable,
    TooManyReactions,
)
from tui_chat.protocol.events import MessageChanged
from tui_chat.protocol.limits import REACTION_KINDS, REACTION_USERS
from tui_chat.protocol.models import Reaction

from .world import Device, World

EMOJI = "👍👎😀😁😂🤣😃😄😅😆😉😊"


def test_each_reader_sees_its_own(world: World, alice: Device, bob: Device) -> None:
    sent = alice.send("C2Cbob", "one")
    alice.told(), bob.told()
    answer = bob.react("C2CAlice", sent.message_seq, "👍")
    assert answer.message.reactions == {"👍": Reaction(count=1, user_id_list=["bob"], mine=True)}
    assert answer.message.version == 2
    assert answer.message.edited_at is None
    [mine], [theirs] = bob.told(), alice.told()
    assert isinstance(mine, MessageChanged)
    assert isinstance(theirs, MessageChanged)
    assert mine.message == answer.message == bob.message("C2CAlice", sent.message_seq)
    assert mine.event_seq == answer.event_seq
    assert theirs.message.reactions == {"👍": Reaction(count=1, user_id_list=["bob"], mine=False)}
    assert theirs.message == alice.message("C2Cbob", sent.message_seq)
    assert theirs.conversation == alice.listed()["C2Cbob"]


def test_a_replay_tells_the_same(alice: Device, bob: Device) -> None:
    sent = alice.send("C2Cbob", "one")
    cursor = bob.cursor()
    bob.react("C2CAlice", sent.message_seq, "👍")
    alice.react("C2Cbob", sent.message_seq, "👍")
    [_, event] = bob.replayed(cursor)
    assert isinstance(event, MessageChanged)
    assert event.message.reactions == {"👍": Reaction(count=2, user_id_list=["bob", "Alice"], mine=True)}


def test_twice_is_once(alice: Device, bob: Device) -> None:
    sent = alice.send("C2Cbob", "one")
    bob.react("C2CAlice", sent.message_seq, "❤️")
    alice.told()
    for emoji in ("❤️", "❤"):
        assert bob.react("C2CAlice", sent.message_seq, emoji).message.version == 2
    assert alice.told() == []
    bob.take_back("C2CAlice", sent.message_seq, "❤")
    assert bob.take_back("C2CAlice", sent.message_seq, "❤️").message.version == 3
    assert alice.message("C2Cbob", sent.message_seq).reactions == {}
    assert len(alice.told()) == 1


def test_the_order_is_that_of_their_first_use(alice: Device, bob: Device) -> None:
    sent = alice.send("C2Cbob", "one")
    for device, name, emoji in ((bob, "C2CAlice", "👍"), (alice, "C2Cbob", "😀"), (alice, "C2Cbob", "👍")):
        device.react(name, sent.message_seq, emoji)
    bob.take_back("C2CAlice", sent.message_seq, "👍")
    seen = bob.message("C2CAlice", sent.message_seq).reactions
    assert seen == {"👍": Reaction(count=1, user_id_list=["Alice"]), "😀": Reaction(count=1, user_id_list=["Alice"])}
    assert list(seen) == ["👍", "😀"]


def test_many_are_counted_and_the_first_are_named(world: World, alice: Device) -> None:
    people = [world.join(f"user{number:02}") for number in range(REACTION_USERS + 5)]
    alice.create("g", *[one.id for one in people])
    sent = alice.send("GROUPg", "one")
    for one in people:
        one.react("GROUPg", sent.message_seq, "👍")
    seen = people[-1].message("GROUPg", sent.message_seq).reactions["👍"]
    assert (seen.count, seen.user_id_list, seen.mine) == (25, [one.id for one in people[:20]], True)
    people[0].take_back("GROUPg", sent.message_seq, "👍")
    people[-1].take_back("GROUPg", sent.message_seq, "👍")
    seen = alice.message("GROUPg", sent.message_seq).reactions["👍"]
    assert (seen.count, seen.user_id_list, seen.mine) == (23, [one.id for one in people[1:21]], False)


def test_different_ones_are_limited(alice: Device, bob: Device) -> None:
    sent = alice.send("C2Cbob", "one")
    for emoji in EMOJI[:REACTION_KINDS]:
        bob.react("C2CAlice", sent.message_seq, emoji)
    with pytest.raises(TooManyReactions):
        alice.react("C2Cbob", sent.message_seq, EMOJI[REACTION_KINDS])
    alice.react("C2Cbob", sent.message_seq, EMOJI[0])
    bob.take_back("C2CAlice", sent.message_seq, EMOJI[1])
    alice.react("C2Cbob", sent.message_seq, EMOJI[REACTION_KINDS])


def test_an_edit_keeps_them(alice: Device, bob: Device) -> None:
    sent = alice.send("C2Cbob", "one")
    bob.react("C2CAlice", sent.message_seq, "👍")
    alice.edit("C2Cbob", sent.message_seq, "two")
    told = bob.told()[-1]
    assert isinstance(told, MessageChanged)
    assert told.message.reactions["👍"].mine


def test_they_are_no_messages(alice: Device, bob: Device) -> None:
    sent = alice.send("C2Cbob", "one")
    bob.delete("C2CAlice", clear=False)
    alice.delete("C2Cbob", clear=False)
    alice.react("C2Cbob", sent.message_seq, "👍")
    assert alice.listed() == bob.listed() == {}
    assert (alice.get("C2Cbob").unread_count, bob.get("C2CAlice").unread_count) == (0, 0)


def test_who_cannot(alice: Device, bob: Device, carol: Device) -> None:
    alice.create("g", "bob")
    sent = alice.send("GROUPg", "one")
    alice.invite("g", "carol")
    with pytest.raises(MessageNotFound):
        carol.react("GROUPg", sent.message_seq, "👍")
    with pytest.raises(NotChangeable):
        carol.react("GROUPg", sent.message_seq + 1, "👍")
    bob.quit("g")
    with pytest.raises(NotAMember):
        bob.react("GROUPg", sent.message_seq, "👍")
    alice.recall("GROUPg", sent.message_seq)
    with pytest.raises(MessageRecalled):
        alice.react("GROUPg", sent.message_seq, "👍")
    with pytest.raises(MessageRecalled):
        alice.take_back("GROUPg", sent.message_seq, "👍")


def test_outsiders(alice: Device, bob: Device, carol: Device) -> None:
    alice.create("g", "bob")
    alice.send("GROUPg", "one")
    for call in (carol.react, carol.take_back):
        with pytest.raises(ChatError) as refused:
            call("GROUPg", 2, "👍")
        assert refused.value.code in ("conversation_not_found", "group_not_found")


@pytest.mark.parametrize(
    "emoji", ["", "a", "👍👍", "1", "<", "^", "\x1b", "\u202e👍", "é", "👍" * 30, "\u200d", "👍\u200d", "\u2800"]
)
def test_what_is_no_emoji(alice: Device, bob: Device, emoji: str) -> None:
    sent = alice.send("C2Cbob", "one")
    with pytest.raises(InvalidEmoji):
        bob.react("C2CAlice", sent.message_seq, emoji)
    with pytest.raises(InvalidEmoji):
        bob.take_back("C2CAlice", sent.message_seq, emoji)


@pytest.mark.parametrize(
    "emoji", ["👍", "👍🏽", "❤️", "✔", "→", "🇩🇪", "1️⃣", "👩🏻‍❤️‍💋‍👨🏼", "👨‍👩‍👧‍👦", "‼️", "ℹ️", "©️", "🫠"]
)
def test_what_is_one(alice: Device, bob: Device, emoji: str) -> None:
    sent = alice.send("C2Cbob", "one")
    seen = bob.react("C2CAlice", sent.message_seq, emoji).message.reactions
    assert list(seen) == [emoji.replace("\ufe0f", "")]
