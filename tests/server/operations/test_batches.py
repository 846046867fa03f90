"""Batches of several calls: which of them are carried out, and that the log of them is true."""

import pytest

from tui_chat.protocol.errors import BatchUndone, UndoExpired
from tui_chat.protocol.models import Deletion

from .world import Device, World

Told = tuple[int, list[str], int, bool]


@pytest.fixture(autouse=True)
def _letters(alice: Device, carol: Device, bob: Device) -> None:
    for one in (alice, carol):
        one.send("C2Cbob", "letter")


def entry(device: Device) -> Told:
    """The only one in the log: count, IDs, seconds left, whether it was restored."""
    [found] = device.deletions()
    assert isinstance(found, Deletion)
    return found.count, sorted(found.conversation_id_list), found.undo_seconds, found.restored


def test_a_batch_that_a_person_ended_takes_no_more_calls(bob: Device) -> None:
    first = bob.delete("C2CAlice", batch_id="b", operation_id="one")
    bob.erase_now("b")
    for delete in (bob.delete, bob.clear):
        with pytest.raises(UndoExpired):
            delete("C2Ccarol", batch_id="b")
    assert set(bob.listed()) == {"C2Ccarol"}
    assert bob.history("C2Ccarol") == ["letter"]
    assert entry(bob) == (1, [], 0, False)
    with pytest.raises(UndoExpired):
        bob.undo("b")
    assert bob.delete("C2CAlice", batch_id="b", operation_id="one") == first, "a retry still gets its answer"


@pytest.mark.parametrize("tidied", [False, True])
@pytest.mark.parametrize("erased", [False, True])
def test_a_batch_that_ran_out_goes_on_and_the_log_of_it_is_true(
    world: World, bob: Device, tidied: bool, erased: bool
) -> None:
    bob.delete("C2CAlice", batch_id="b")
    world.pass_seconds(601)
    if tidied:
        world.tidy()
    if erased:
        bob.erase_now("b")  # there was nothing left to end
    assert entry(bob) == (1, [], 0, False)
    bob.delete("C2Ccarol", batch_id="b")
    assert entry(bob) == (2, ["C2Ccarol"], 600, False)
    assert bob.undo("b").conversation_id_list == ["C2Ccarol"]
    assert entry(bob) == (1, [], 0, False), "what ran out was not restored"
    with pytest.raises(BatchUndone):
        bob.delete("C2Ccarol", batch_id="b")


def test_with_a_call_undone_and_one_run_out_there_is_nothing_left_to_undo(world: World, bob: Device) -> None:
    bob.delete("C2CAlice", batch_id="b", operation_id="one")
    world.pass_seconds(601)
    bob.delete("C2Ccarol", batch_id="b", operation_id="two")
    bob.undo_operation("two")
    assert entry(bob) == (1, [], 0, False)
    with pytest.raises(UndoExpired):
        bob.undo("b")
    with pytest.raises(UndoExpired):
        bob.undo_operation("one")


def test_what_one_call_brought_back_is_not_counted(world: World, bob: Device) -> None:
    bob.delete("C2CAlice", batch_id="b", operation_id="one")
    bob.delete("C2Ccarol", batch_id="b", operation_id="two")
    assert entry(bob) == (2, ["C2CAlice", "C2Ccarol"], 600, False)
    bob.undo_operation("one")
    assert entry(bob) == (1, ["C2Ccarol"], 600, False)
    world.pass_seconds(601)
    assert entry(bob) == (1, [], 0, False)
    world.tidy()
    assert entry(bob) == (1, [], 0, False)


@pytest.mark.parametrize("end", ["undone", "run out", "erased"])
def test_what_two_calls_name_counts_once(world: World, bob: Device, end: str) -> None:
    bob.delete("C2CAlice", batch_id="b")
    bob.delete("C2Ccarol", "C2CAlice", batch_id="b")
    assert entry(bob) == (2, ["C2CAlice", "C2Ccarol"], 600, False)
    match end:
        case "undone":
            bob.undo("b")
        case "erased":
            bob.erase_now("b")
        case _:
            world.pass_seconds(601)
            world.tidy()
    assert entry(bob) == (2, [], 0, end == "undone")


def test_without_time_to_undo_a_batch_still_takes_several_calls(world: World, bob: Device) -> None:
    world.set(undo_seconds=0)
    bob.delete("C2CAlice", batch_id="b")
    bob.delete("C2Ccarol", batch_id="b")
    assert bob.listed() == {}
    assert entry(bob) == (2, [], 0, False)
    with pytest.raises(UndoExpired):
        bob.undo("b")
