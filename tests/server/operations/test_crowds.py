"""What each is told of a new message is made by the shortest way, and is what the long way would say."""

import msgspec
import pytest

from tui_chat.protocol.events import MessageNew, decode_event
from tui_chat.server.engines import Emitted
from tui_chat.server.operations.state import views

from .world import Device, World


def told_of(world: World, device: Device, conversation_id: str) -> MessageNew:
    """What `device` was told of the newest message: as it would be encoded, as it stands, and as it is read again."""
    newest: Emitted = [one for one in world.emitted if one.user == device.caller.user][-1]
    event = newest.event
    assert isinstance(event, MessageNew)
    assert newest.raw() == msgspec.json.encode(event), "by the byte as anything else is encoded"
    key = world.rows(
        "SELECT conversation FROM state WHERE account = ? AND conversation_id = ?", device.caller.user, conversation_id
    )[0][0]
    assert event.conversation == world.do(views, device.caller.user, [key])[key]
    epoch = device.cursor().rpartition(":")[0]
    assert device.replayed(f"{epoch}:{newest.event_seq - 1}")[-1] == event == decode_event(newest.raw())
    return event


@pytest.mark.parametrize("text", ["hello", '%d %s {} "eventSeq":0, "lastMessage":null 4611686018427387904', "你好 👋"])
def test_members_of_a_group_each_see_their_own_numbers(world: World, alice: Device, text: str) -> None:
    names = ["reader", "pinner", "quiet", "clearer", "hider", "leader", "back", "called", "late"]
    there = {name: world.join(name) for name in names}
    alice.create("crew", *[name for name in names if name not in ("late", "back")], name='100% "us"')
    for number in range(3):
        alice.send("GROUPcrew", f"before {number}")
    alice.invite("crew", "back")
    there["back"].quit("crew")
    alice.send("GROUPcrew", "while somebody was away")
    alice.invite("crew", "back", "late")
    there["reader"].read("GROUPcrew", 3)
    there["pinner"].flags("GROUPcrew", pinned=True)
    there["quiet"].flags("GROUPcrew", muted=True)
    there["quiet"].flags("GROUPcrew", marked_unread=True)
    alice.set_role("crew", "leader", "admin")
    there["clearer"].delete("GROUPcrew", batch_id="c")
    there["hider"].delete("GROUPcrew", clear=False, batch_id="h")
    there["leader"].send("GROUPcrew", "here I am")
    sent = alice.send("GROUPcrew", text, mentions=["called"])
    for name, device in {"Alice": alice, **there}.items():
        event = told_of(world, device, "GROUPcrew")
        assert (event.message.text, event.message.message_seq) == (text, sent.message_seq)
        assert event.conversation.name == '100% "us"'
        assert event.conversation.mention_count == (name == "called")
        assert event.conversation.unread_count == 0 if name == "Alice" else event.conversation.unread_count > 0
    assert told_of(world, there["pinner"], "GROUPcrew").conversation.pinned
    assert told_of(world, there["clearer"], "GROUPcrew").conversation.message_count == 2


def test_both_of_a_one_to_one_conversation_see_their_own_numbers(world: World, alice: Device, bob: Device) -> None:
    alice.send("C2Cbob", "one")
    bob.read("C2CAlice", 1)
    bob.delete("C2CAlice", batch_id="d")
    alice.send("C2Cbob", "two", mentions=["bob"])
    for device, other in ((alice, "C2Cbob"), (bob, "C2CAlice")):
        event = told_of(world, device, other)
        assert event.message.text == "two"
        assert event.message.conversation_id == event.conversation.conversation_id == other
    assert told_of(world, bob, "C2CAlice").conversation.mention_count == 1
    assert told_of(world, bob, "C2CAlice").conversation.message_count == 1
    assert told_of(world, alice, "C2Cbob").conversation.peer_read_seq == 1


@pytest.mark.parametrize("flag", ["pinned", "muted", "marked_unread"])
def test_both_of_a_one_to_one_conversation_see_their_own_flags(
    world: World, alice: Device, bob: Device, flag: str
) -> None:
    for sender, other, to, back in ((alice, bob, "C2Cbob", "C2CAlice"), (bob, alice, "C2CAlice", "C2Cbob")):
        sender.send(to, "one")
        other.flags(back, **{flag: True})
        sender.send(to, "two")
        assert getattr(told_of(world, other, back).conversation, flag)
        assert getattr(told_of(world, sender, to).conversation, flag) == (sender is bob and flag != "marked_unread")
