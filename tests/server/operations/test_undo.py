"""Undo: what a restore withdraws, until when, and that it composes in any order."""

import pytest

from tui_chat.protocol.errors import BatchUndone, InvalidRequest, OperationNotFound, UndoExpired
from tui_chat.protocol.events import ConversationRestored
from tui_chat.protocol.limits import PINS
from tui_chat.protocol.requests import RestoreConversations
from tui_chat.server.operations import undo

from .world import Device, World


def test_brings_back_row_history_and_pin(alice: Device, bob: Device) -> None:
    alice.send("C2Cbob", "one")
    bob.flags("C2CAlice", pinned=True)
    before = bob.listed()["C2CAlice"]
    batch = bob.delete("C2CAlice").batch_id
    answer = bob.undo(batch)
    assert answer.conversation_id_list == ["C2CAlice"]
    assert bob.listed()["C2CAlice"] == before
    assert bob.history("C2CAlice") == ["one"]


def test_works_from_another_device_and_reaches_every_device(alice: Device, bob: Device) -> None:
    phone = bob.another()
    alice.send("C2Cbob")
    batch = bob.delete("C2CAlice").batch_id
    for device in (bob, phone):
        device.told()
    answer = phone.undo(batch)
    for device in (bob, phone):
        [event] = device.told()
        assert isinstance(event, ConversationRestored)
        assert event.event_seq == answer.event_seq
        assert event.batch_id == batch
        assert event.device.name == "phone"
        assert [one.conversation_id for one in event.conversations] == ["C2CAlice"]
        assert event.conversations[0].message_count == 1


def test_twice_gives_the_same_answer_and_does_nothing_more(world: World, alice: Device, bob: Device) -> None:
    alice.send("C2Cbob")
    batch = bob.delete("C2CAlice").batch_id
    first = bob.undo(batch)
    bob.delete("C2CAlice")
    bob.told()
    assert bob.undo(batch) == first
    assert bob.told() == []
    assert bob.listed() == {}
    world.pass_seconds(10_000)
    world.tidy()
    assert bob.undo(batch) == first


def test_is_over_when_the_time_is(world: World, alice: Device, bob: Device) -> None:
    alice.send("C2Cbob")
    batch = bob.delete("C2CAlice").batch_id
    world.pass_seconds(599.999)
    bob.undo(batch)
    batch = bob.delete("C2CAlice").batch_id
    world.pass_seconds(600)
    with pytest.raises(UndoExpired):
        bob.undo(batch)
    world.tidy()
    with pytest.raises(UndoExpired):
        bob.undo(batch)
    assert bob.history("C2CAlice") == []


def test_time_runs_from_the_batchs_last_call(world: World, alice: Device, bob: Device, carol: Device) -> None:
    alice.send("C2Cbob")
    carol.send("C2Cbob")
    bob.delete("C2CAlice", batch_id="b")
    world.pass_seconds(500)
    bob.delete("C2Ccarol", batch_id="b")
    world.pass_seconds(500)
    assert sorted(bob.undo("b").conversation_id_list) == ["C2CAlice", "C2Ccarol"]


def test_a_call_to_a_batch_that_ran_out_leaves_what_was_final_final(
    world: World, alice: Device, bob: Device, carol: Device
) -> None:
    alice.send("C2Cbob")
    carol.send("C2Cbob")
    bob.delete("C2CAlice", batch_id="b")
    world.pass_seconds(700)
    bob.delete("C2Ccarol", batch_id="b")
    assert bob.undo("b").conversation_id_list == ["C2Ccarol"]
    assert bob.history("C2CAlice") == []


def test_of_nothing_known(alice: Device, bob: Device) -> None:
    alice.send("C2Cbob")
    batch = bob.delete("C2CAlice").batch_id
    with pytest.raises(OperationNotFound):
        bob.undo("unknown")
    with pytest.raises(OperationNotFound):
        alice.undo(batch)
    with pytest.raises(OperationNotFound):
        alice.undo_operation(batch)


@pytest.mark.parametrize("request_body", [RestoreConversations(), RestoreConversations(batch_id="a", operation_id="a")])
def test_needs_exactly_one_name(world: World, bob: Device, request_body: RestoreConversations) -> None:
    with pytest.raises(InvalidRequest):
        world.do(undo.restore, bob.caller, request_body)


def test_a_call_that_comes_after_its_batch_was_restored_is_refused(alice: Device, bob: Device, carol: Device) -> None:
    alice.send("C2Cbob")
    carol.send("C2Cbob")
    first = bob.delete("C2CAlice", batch_id="b", operation_id="one")
    bob.undo("b")
    with pytest.raises(BatchUndone):
        bob.delete("C2Ccarol", batch_id="b", operation_id="two")
    assert set(bob.listed()) == {"C2CAlice", "C2Ccarol"}
    assert bob.delete("C2CAlice", batch_id="b", operation_id="one") == first


def test_by_operation_of_a_single_call_is_its_batch(alice: Device, bob: Device, carol: Device) -> None:
    alice.send("C2Cbob")
    carol.send("C2Cbob")
    bob.delete("C2CAlice", batch_id="b", operation_id="one")
    assert bob.undo_operation("one").conversation_id_list == ["C2CAlice"]
    with pytest.raises(BatchUndone):
        bob.delete("C2Ccarol", batch_id="b")


def test_by_operation_of_several_calls_is_that_call(alice: Device, bob: Device, carol: Device) -> None:
    alice.send("C2Cbob")
    carol.send("C2Cbob")
    bob.delete("C2CAlice", batch_id="b", operation_id="one")
    bob.delete("C2Ccarol", batch_id="b", operation_id="two")
    first = bob.undo_operation("one")
    assert first.conversation_id_list == ["C2CAlice"]
    assert set(bob.listed()) == {"C2CAlice"}
    assert bob.undo_operation("one") == first
    assert bob.undo("b").conversation_id_list == ["C2Ccarol"]
    assert bob.undo_operation("one") == first


def test_of_a_clearing(alice: Device, bob: Device) -> None:
    alice.send("C2Cbob", "one")
    batch = bob.clear("C2CAlice").batch_id
    bob.undo(batch)
    assert bob.history("C2CAlice") == ["one"]


def test_leaves_what_came_meanwhile_and_what_was_read_meanwhile(alice: Device, bob: Device) -> None:
    alice.send("C2Cbob", "one")
    batch = bob.delete("C2CAlice").batch_id
    alice.send("C2Cbob", "two")
    bob.read("C2CAlice")
    bob.undo(batch)
    assert bob.history("C2CAlice") == ["one", "two"]
    assert bob.listed()["C2CAlice"].read_seq == 2
    assert bob.listed()["C2CAlice"].unread_count == 0


def test_of_the_first_of_two_leaves_the_second(alice: Device, bob: Device) -> None:
    alice.send("C2Cbob", "one")
    first = bob.delete("C2CAlice").batch_id
    second = bob.delete("C2CAlice").batch_id
    bob.undo(first)
    assert bob.listed() == {}
    assert bob.history("C2CAlice") == []
    bob.undo(second)
    assert bob.history("C2CAlice") == ["one"]


def test_of_the_second_of_two_leaves_the_first(alice: Device, bob: Device) -> None:
    alice.send("C2Cbob", "one")
    bob.delete("C2CAlice")
    alice.send("C2Cbob", "two")
    second = bob.delete("C2CAlice").batch_id
    bob.undo(second)
    assert bob.history("C2CAlice") == ["two"]
    assert bob.listed()["C2CAlice"].message_count == 1


def test_of_a_deletion_that_kept_leaves_a_clearing(alice: Device, bob: Device) -> None:
    alice.send("C2Cbob", "one")
    kept = bob.delete("C2CAlice", clear=False).batch_id
    bob.clear("C2CAlice")
    bob.undo(kept)
    assert "C2CAlice" in bob.listed()
    assert bob.history("C2CAlice") == []


def test_what_expired_stays_when_a_later_one_is_undone(world: World, alice: Device, bob: Device) -> None:
    alice.send("C2Cbob", "one")
    bob.delete("C2CAlice")
    world.pass_seconds(400)
    alice.send("C2Cbob", "two")
    second = bob.delete("C2CAlice").batch_id
    world.pass_seconds(400)
    bob.undo(second)
    assert bob.history("C2CAlice") == ["two"]
    world.tidy()
    assert bob.history("C2CAlice") == ["two"]


@pytest.mark.parametrize("tidied", [False, True])
def test_what_is_final_stays_hidden_and_cleared(world: World, alice: Device, bob: Device, tidied: bool) -> None:
    alice.send("C2Cbob", "one")
    bob.delete("C2CAlice")
    world.pass_seconds(601)
    if tidied:
        world.tidy()
    bob.undo(bob.delete("C2CAlice").batch_id)
    assert bob.listed() == {}
    assert (bob.get("C2CAlice").hidden_through, bob.get("C2CAlice").cleared_through) == (1, 1)
    alice.send("C2Cbob", "two")
    bob.undo(bob.delete("C2CAlice").batch_id)
    assert bob.history("C2CAlice") == ["two"]
    assert bob.listed()["C2CAlice"].hidden_through == 1


def test_a_batch_of_many_calls_comes_back_in_one(world: World, alice: Device) -> None:
    people = [world.join(f"user{number}") for number in range(60)]
    for one in people:
        one.send("C2CAlice")
    for start in range(0, 60, 20):
        alice.delete(*(f"C2C{one.id}" for one in people[start : start + 20]), batch_id="b")
    alice.told()
    answer = alice.undo("b")
    assert len(answer.conversation_id_list) == 60
    told = alice.told()
    assert sum(len(event.conversations) for event in told if isinstance(event, ConversationRestored)) == 60
    assert len(told) > 1
    assert told[-1].event_seq == answer.event_seq
    assert len(alice.listed()) == 60


class TestPins:
    """A pin comes back unless somebody changed it since."""

    def test_changed_since(self, alice: Device, bob: Device) -> None:
        alice.send("C2Cbob")
        bob.flags("C2CAlice", pinned=True)
        batch = bob.delete("C2CAlice").batch_id
        alice.send("C2Cbob")
        bob.flags("C2CAlice", pinned=False)
        bob.undo(batch)
        assert not bob.get("C2CAlice").pinned

    def test_was_not_pinned(self, alice: Device, bob: Device) -> None:
        alice.send("C2Cbob")
        bob.undo(bob.delete("C2CAlice").batch_id)
        assert not bob.get("C2CAlice").pinned

    @pytest.mark.parametrize("order", [(0, 1), (1, 0)])
    def test_two_deletions_undone_in_either_order(self, alice: Device, bob: Device, order: tuple[int, int]) -> None:
        alice.send("C2Cbob")
        bob.flags("C2CAlice", pinned=True)
        batches = [bob.delete("C2CAlice").batch_id, bob.delete("C2CAlice").batch_id]
        bob.undo(batches[order[0]])
        assert not bob.get("C2CAlice").pinned
        bob.undo(batches[order[1]])
        assert bob.get("C2CAlice").pinned

    def test_a_later_deletion_keeps_it_unpinned_until_it_is_undone_as_well(self, alice: Device, bob: Device) -> None:
        alice.send("C2Cbob")
        bob.flags("C2CAlice", pinned=True)
        first = bob.delete("C2CAlice").batch_id
        bob.delete("C2CAlice")
        bob.undo(first)
        assert not bob.get("C2CAlice").pinned

    @pytest.mark.parametrize("how", ["erased", "no time for undo"])
    def test_a_later_deletion_that_is_final_took_the_pin_for_good(
        self, world: World, alice: Device, bob: Device, how: str
    ) -> None:
        alice.send("C2Cbob")
        bob.flags("C2CAlice", pinned=True)
        first = bob.delete("C2CAlice").batch_id
        if how == "erased":
            bob.erase_now(bob.delete("C2CAlice").batch_id)
        else:
            world.set(undo_seconds=0)
            bob.delete("C2CAlice")
        bob.undo(first)
        assert not bob.get("C2CAlice").pinned

    def test_a_deletion_up_to_nothing_leaves_it(self, alice: Device, bob: Device) -> None:
        alice.send("C2Cbob")
        bob.flags("C2CAlice", pinned=True)
        first = bob.delete("C2CAlice").batch_id
        bob.delete("C2CAlice", up_to={"C2CAlice": 0})
        bob.undo(first)
        bob.delete("C2CAlice", up_to={"C2CAlice": 0})
        assert bob.get("C2CAlice").pinned

    def test_an_earlier_deletion_that_is_final_leaves_it(self, alice: Device, bob: Device) -> None:
        alice.send("C2Cbob")
        before = bob.delete("C2CAlice").batch_id
        bob.flags("C2CAlice", pinned=True)
        last = bob.delete("C2CAlice").batch_id
        bob.erase_now(before)
        bob.undo(last)
        assert bob.get("C2CAlice").pinned

    def test_pinned_again_and_deleted_again(self, alice: Device, bob: Device) -> None:
        alice.send("C2Cbob")
        bob.flags("C2CAlice", pinned=True)
        first = bob.delete("C2CAlice").batch_id
        alice.send("C2Cbob")
        bob.flags("C2CAlice", pinned=True)
        second = bob.delete("C2CAlice").batch_id
        bob.undo(second)
        assert bob.get("C2CAlice").pinned
        bob.undo(first)
        assert bob.get("C2CAlice").pinned

    def test_not_above_the_limit(self, world: World, alice: Device) -> None:
        people = [world.join(f"user{number}") for number in range(PINS + 1)]
        for one in people:
            one.send("C2CAlice")
        names = [f"C2C{one.id}" for one in people]
        alice.flags(*names[:PINS], pinned=True)
        batch = alice.delete(names[0]).batch_id
        alice.flags(names[PINS], pinned=True)
        alice.undo(batch)
        assert sum(one.pinned for one in alice.listed().values()) == PINS
        assert not alice.get(names[0]).pinned


class TestLog:
    """What the log of deletions tells."""

    def test_of_live_restored_and_final_ones(self, world: World, alice: Device, bob: Device, carol: Device) -> None:
        for one in (alice, carol):
            one.send("C2Cbob")
        bob.delete("C2CAlice", batch_id="final", clear=False)
        world.pass_seconds(1000)
        bob.delete("C2CAlice", "C2Ccarol", batch_id="undone")
        bob.undo("undone")
        world.pass_seconds(1)
        bob.another("phone").clear("C2Ccarol", batch_id="live")
        world.pass_seconds(10)
        live, undone, final = bob.deletions()
        assert (live.batch_id, live.what, live.count, live.undo_seconds) == ("live", "cleared", 1, 590)
        assert live.conversation_id_list == ["C2Ccarol"]
        assert (live.device.name, live.device.current) == ("phone", False)
        assert (undone.batch_id, undone.restored, undone.count, undone.undo_seconds) == ("undone", True, 2, 0)
        assert undone.conversation_id_list == []
        assert undone.device.current
        assert (final.batch_id, final.clear_history_message, final.undo_seconds) == ("final", False, 0)
        assert (final.count, final.conversation_id_list, final.restored) == (1, [], False)
        world.tidy()
        assert bob.deletions() == [live, undone, final]

    def test_forgets_after_thirty_days(self, world: World, alice: Device, bob: Device) -> None:
        alice.send("C2Cbob")
        bob.delete("C2CAlice")
        world.pass_seconds(30 * 86_400)
        assert bob.deletions() == []
        world.tidy()
        assert world.rows("SELECT COUNT(*) FROM batch") == [(0,)]
        assert world.rows("SELECT COUNT(*) FROM operation") == [(0,)]

    def test_is_ones_own(self, alice: Device, bob: Device) -> None:
        alice.send("C2Cbob")
        bob.delete("C2CAlice")
        assert alice.deletions() == []


class TestEraseNow:
    """Ending the time for undo."""

    def test_makes_it_final(self, alice: Device, bob: Device) -> None:
        alice.send("C2Cbob")
        batch = bob.delete("C2CAlice").batch_id
        bob.erase_now(batch)
        with pytest.raises(UndoExpired):
            bob.undo(batch)
        assert bob.deletions()[0].undo_seconds == 0
        bob.erase_now(batch)

    def test_of_what_is_not_there(self, alice: Device, bob: Device) -> None:
        alice.send("C2Cbob")
        batch = bob.delete("C2CAlice").batch_id
        with pytest.raises(OperationNotFound):
            alice.erase_now(batch)
        bob.undo(batch)
        with pytest.raises(BatchUndone):
            bob.erase_now(batch)


class TestUndoSeconds:
    """The server's setting."""

    def test_none_at_all(self, world: World, alice: Device, bob: Device) -> None:
        world.set(undo_seconds=0)
        alice.send("C2Cbob")
        answer = bob.delete("C2CAlice")
        assert answer.undo_seconds == 0
        with pytest.raises(UndoExpired):
            bob.undo(answer.batch_id)
        [entry] = bob.deletions()
        assert (entry.undo_seconds, entry.count) == (0, 1)

    def test_none_makes_the_batchs_earlier_calls_final(
        self, world: World, alice: Device, bob: Device, carol: Device
    ) -> None:
        for one in (alice, carol):
            one.send("C2Cbob")
        bob.delete("C2CAlice", batch_id="b")
        world.set(undo_seconds=0)
        bob.delete("C2Ccarol", batch_id="b")
        with pytest.raises(UndoExpired):
            bob.undo("b")
        assert world.rows("SELECT COUNT(*) FROM share") == [(0,)]

    def test_what_was_promised_holds_when_it_changes(self, world: World, alice: Device, bob: Device) -> None:
        alice.send("C2Cbob")
        batch = bob.delete("C2CAlice").batch_id
        world.set(undo_seconds=1)
        world.pass_seconds(300)
        assert bob.undo(batch).conversation_id_list == ["C2CAlice"]
