"""Blocking: what the blocked can no longer do, and what stays."""

import pytest

from tui_chat.protocol import limits
from tui_chat.protocol.errors import Blocked, InvalidRequest, TooManyBlocks, UserNotFound
from tui_chat.protocol.events import UserBlocked
from tui_chat.protocol.ids import SYSTEM
from tui_chat.server.operations import blocking, conversations

from .world import Device, World


def block(one: Device, user_id: str) -> None:
    one.world.do(blocking.block, one.caller, user_id)


def unblock(one: Device, user_id: str) -> None:
    one.world.do(blocking.unblock, one.caller, user_id)


def blocked_by(one: Device) -> list[str]:
    return [each.user_id for each in one.world.do(blocking.blocks, one.caller).blocks]


def told_of_typing(one: Device, conversation_id: str) -> list[str]:
    return [each[1] for each in one.world.do(conversations.may_type, one.caller, conversation_id)]


class TestTheList:
    """Whom one has blocked."""

    def test_the_newest_first_and_each_once(self, world: World, alice: Device, bob: Device, carol: Device) -> None:
        block(alice, "BOB")
        world.pass_seconds(1)
        block(alice, "carol")
        block(alice, "bob")
        assert blocked_by(alice) == ["carol", "bob"]
        unblock(alice, "bob")
        unblock(alice, "bob")
        assert blocked_by(alice) == ["carol"]
        assert blocked_by(bob) == []

    def test_own_devices_are_told_once_and_the_other_is_not(self, alice: Device, bob: Device) -> None:
        phone = alice.another()
        for one in (alice, phone, bob):
            one.told()
        block(alice, "bob")
        block(alice, "bob")
        [event] = phone.told()
        assert isinstance(event, UserBlocked)
        assert (event.user_id, event.blocked) == ("bob", True)
        unblock(alice, "bob")
        [event] = phone.told()
        assert isinstance(event, UserBlocked)
        assert not event.blocked
        assert bob.told() == []

    def test_nobody_unknown_and_not_oneself(self, alice: Device) -> None:
        for operation in (block, unblock):
            with pytest.raises(UserNotFound):
                operation(alice, "nobody")
        with pytest.raises(InvalidRequest):
            block(alice, "aLICE")

    def test_has_an_end(self, world: World, alice: Device, bob: Device, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(limits, "BLOCKS", 1)
        world.join("carol")
        block(alice, "bob")
        with pytest.raises(TooManyBlocks):
            block(alice, "carol")
        block(alice, "bob")
        unblock(alice, "bob")
        block(alice, "carol")


class TestTheBlocked:
    """What they can do."""

    def test_send_nothing_not_even_a_first_message(self, alice: Device, bob: Device) -> None:
        block(alice, "bob")
        with pytest.raises(Blocked) as refused:
            bob.send("C2CAlice")
        assert refused.value.body().details["tencent"] == 20007
        assert bob.listed() == {}
        assert alice.listed() == {}
        unblock(alice, "bob")
        bob.send("C2CAlice", "again")
        assert alice.history("C2Cbob") == ["again"]

    def test_a_retry_of_what_was_sent_before_gets_its_answer(self, alice: Device, bob: Device) -> None:
        sent = bob.sent("C2CAlice", "hello", client_id="one")
        block(alice, "bob")
        assert bob.sent("C2CAlice", "hello", client_id="one").message == sent.message
        with pytest.raises(Blocked):
            bob.sent("C2CAlice", "hello", client_id="two")

    def test_what_is_there_stays_and_the_blocker_can_still_write(self, alice: Device, bob: Device) -> None:
        bob.send("C2CAlice", "before")
        block(alice, "bob")
        alice.send("C2Cbob", "this is why")
        assert bob.history("C2CAlice") == alice.history("C2Cbob") == ["before", "this is why"]

    def test_in_a_group_of_both_all_goes_on(self, alice: Device, bob: Device) -> None:
        alice.create("g", "bob")
        block(alice, "bob")
        bob.send("GROUPg", "hello all")
        assert alice.history("GROUPg")[-1] == "hello all"

    def test_nobody_is_told_that_the_other_types(self, alice: Device, bob: Device, carol: Device) -> None:
        bob.send("C2CAlice")
        alice.create("g", "bob", "carol")
        assert told_of_typing(alice, "C2Cbob") == ["bob"]
        block(alice, "bob")
        assert told_of_typing(alice, "C2Cbob") == []
        with pytest.raises(Blocked):
            told_of_typing(bob, "C2CAlice")
        assert told_of_typing(alice, "GROUPg") == ["carol"]
        assert told_of_typing(bob, "GROUPg") == ["carol"]
        assert told_of_typing(carol, "GROUPg") == ["Alice", "bob"]

    def test_bother_nobody_by_applying_to_their_group(self, alice: Device, bob: Device, carol: Device) -> None:
        alice.create("g", "carol", join="approval")
        alice.set_role("g", "carol", "admin")
        block(alice, "bob")
        for one in (alice, carol):
            one.clear(SYSTEM)
        assert bob.join_group("g", "read this") == "waiting"
        assert (alice.history(SYSTEM), carol.history(SYSTEM)) == ([], ["<applied>"])
        assert alice.waiting("g") == [("bob", "read this")]
        alice.decide("g", "bob", accept=True)
        assert "GROUPg" in bob.listed()

    def test_add_the_blocker_to_no_group(self, alice: Device, bob: Device, carol: Device) -> None:
        block(alice, "bob")
        with pytest.raises(Blocked, match="Alice"):
            bob.create("g", "carol", "alice")
        assert carol.listed() == {}
        bob.create("g", "carol")
        with pytest.raises(Blocked):
            bob.invite("g", "alice")
        carol.invite("g", "alice")
        assert "GROUPg" in alice.listed()
        block(bob, "carol")
        alice.quit("g")
        bob.invite("g", "carol")
