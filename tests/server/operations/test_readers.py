"""Who has read a message."""

import pytest

from tui_chat.protocol.errors import MessageNotFound, NotAMember, NotYourMessage, TooManyReaders
from tui_chat.protocol.limits import READERS_MEMBERS

from .world import Device, World


def test_one_to_one(alice: Device, bob: Device) -> None:
    alice.send("C2Cbob", "one")
    alice.send("C2Cbob", "two")
    assert alice.readers("C2Cbob", 1) == ([], ["bob"])
    bob.read("C2CAlice", 1)
    assert alice.readers("C2Cbob", 1) == (["bob"], [])
    assert alice.readers("C2Cbob", 2) == ([], ["bob"])
    bob.send("C2CAlice", "sending reads")
    assert alice.readers("C2Cbob", 2) == (["bob"], [])


def test_a_deletion_is_no_reading(alice: Device, bob: Device) -> None:
    alice.send("C2Cbob", "one")
    bob.delete("C2CAlice")
    assert alice.readers("C2Cbob", 1) == ([], ["bob"])


def test_a_group(world: World, alice: Device, bob: Device, carol: Device) -> None:
    dave, erin = world.join("dave"), world.join("erin")
    alice.create("g", "bob", "carol", "dave")
    sent = alice.send("GROUPg", "one")
    alice.invite("g", "erin")
    bob.read("GROUPg")
    dave.read("GROUPg")
    dave.quit("g")
    erin.read("GROUPg")
    assert alice.readers("GROUPg", sent.message_seq) == (["bob"], ["carol"])
    dave.join_group("g")
    assert alice.readers("GROUPg", sent.message_seq) == (["bob", "dave"], ["carol"])


def test_only_the_sender_is_told(alice: Device, bob: Device, carol: Device) -> None:
    alice.create("g", "bob")
    sent = bob.send("GROUPg", "one")
    with pytest.raises(NotYourMessage):
        alice.readers("GROUPg", sent.message_seq)
    bob.quit("g")
    with pytest.raises(NotAMember):
        bob.readers("GROUPg", sent.message_seq)
    mine = alice.send("GROUPg", "two")
    alice.clear("GROUPg")
    with pytest.raises(MessageNotFound):
        alice.readers("GROUPg", mine.message_seq)


def test_large_groups_are_refused(world: World, alice: Device) -> None:
    people = [world.join(f"user{number}") for number in range(READERS_MEMBERS)]
    alice.create("g", *[one.id for one in people[1:]])
    sent = alice.send("GROUPg", "one")
    assert len(alice.readers("GROUPg", sent.message_seq)[1]) == READERS_MEMBERS - 1
    alice.invite("g", people[0].id)
    with pytest.raises(TooManyReaders):
        alice.readers("GROUPg", sent.message_seq)
