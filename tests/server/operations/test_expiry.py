"""After the time for undo: final watermarks, bodies that nobody can see, logs that are too long."""

from itertools import pairwise

import pytest

from tui_chat.protocol.errors import UndoExpired
from tui_chat.protocol.limits import LOG_EVENTS, UNDO_SECONDS_DEFAULT
from tui_chat.server.operations import expiry

from .world import Device, World


def bodies(world: World) -> list[str]:
    return [row[0] for row in world.rows("SELECT text FROM message WHERE text IS NOT NULL AND type = 0 ORDER BY seq")]


def test_a_body_goes_when_both_sides_have_finally_cleared_it(world: World, alice: Device, bob: Device) -> None:
    alice.send("C2Cbob", "one", mentions=["bob"])
    bob.delete("C2CAlice")
    world.pass_seconds(601)
    world.tidy()
    assert bodies(world) == ["one"]
    alice.delete("C2Cbob")
    world.tidy()
    assert bodies(world) == ["one"]
    world.pass_seconds(601)
    world.tidy()
    assert bodies(world) == []
    assert world.rows("SELECT extra FROM message WHERE type = 0") == [(None,)]


def test_what_can_be_undone_is_not_erased(world: World, alice: Device, bob: Device) -> None:
    alice.send("C2Cbob", "one")
    alice.delete("C2Cbob")
    world.pass_seconds(601)
    batch = bob.delete("C2CAlice").batch_id
    world.tidy()
    bob.undo(batch)
    assert bob.history("C2CAlice") == ["one"]
    world.pass_seconds(601)
    world.tidy()
    assert bob.history("C2CAlice") == ["one"]


def test_a_deletion_that_keeps_history_erases_nothing(world: World, alice: Device, bob: Device) -> None:
    alice.send("C2Cbob", "one")
    for device, name in ((alice, "C2Cbob"), (bob, "C2CAlice")):
        device.delete(name, clear=False)
    world.pass_seconds(601)
    world.tidy()
    assert bodies(world) == ["one"]


def test_erase_now_erases_at_the_next_tidying(world: World, alice: Device, bob: Device) -> None:
    alice.send("C2Cbob", "one")
    alice.erase_now(alice.delete("C2Cbob").batch_id)
    bob.erase_now(bob.delete("C2CAlice").batch_id)
    world.tidy()
    assert bodies(world) == []


def test_without_time_for_undo_it_is_erased_at_once(world: World, alice: Device, bob: Device) -> None:
    world.set(undo_seconds=0)
    alice.send("C2Cbob", "one")
    alice.delete("C2Cbob")
    bob.delete("C2CAlice")
    world.tidy()
    assert bodies(world) == []


def test_numbers_stay_and_nothing_old_comes_back(world: World, alice: Device, bob: Device) -> None:
    world.set(undo_seconds=0)
    sent = alice.sent("C2Cbob", "one", client_id="mine")
    alice.delete("C2Cbob")
    bob.delete("C2CAlice")
    world.tidy()
    assert alice.sent("C2Cbob", "one", client_id="mine").message.message_seq == sent.message.message_seq
    assert alice.listed() == {}
    alice.send("C2Cbob", "two")
    assert bob.history("C2CAlice") == ["two"]
    assert bob.listed()["C2CAlice"].message_count == 1


def test_only_what_nobody_in_a_group_sees(world: World, alice: Device, bob: Device, carol: Device) -> None:
    world.set(undo_seconds=0)
    alice.create("g", "bob")
    alice.send("GROUPg", "before carol")
    alice.invite("g", "carol")
    alice.send("GROUPg", "with carol")
    for device in (alice, bob):
        device.clear("GROUPg")
    world.tidy()
    assert bodies(world) == ["with carol"]
    carol.clear("GROUPg")
    world.tidy()
    assert bodies(world) == []


def test_a_former_member_still_sees_its_period(world: World, alice: Device, bob: Device) -> None:
    world.set(undo_seconds=0)
    alice.create("g", "bob")
    alice.send("GROUPg", "with bob")
    bob.quit("g")
    alice.send("GROUPg", "without bob")
    alice.clear("GROUPg")
    world.tidy()
    assert "with bob" in bodies(world)
    assert "with bob" in bob.history("GROUPg")
    bob.delete("GROUPg")
    world.tidy()
    assert bodies(world) == []


def test_erasing_is_done_in_pieces(world: World, alice: Device, bob: Device) -> None:
    world.set(undo_seconds=0)
    for number in range(5):
        alice.send("C2Cbob", f"{number}")
    alice.delete("C2Cbob")
    bob.delete("C2CAlice")
    world.change("UPDATE message SET text = text")
    most, expiry_messages = 2, expiry.MESSAGES
    try:
        expiry.MESSAGES = most  # type: ignore[misc]
        assert world.do(expiry.erase_unseen)
        assert len(bodies(world)) == 3
        assert world.do(expiry.erase_unseen)
        assert not world.do(expiry.erase_unseen)
    finally:
        expiry.MESSAGES = expiry_messages  # type: ignore[misc]
    assert bodies(world) == []


def test_folding_moves_nothing_that_is_in_effect(world: World, alice: Device, bob: Device) -> None:
    alice.send("C2Cbob", "one")
    bob.flags("C2CAlice", pinned=True)
    bob.delete("C2CAlice")
    alice.send("C2Cbob", "two")
    before = bob.get("C2CAlice")
    bob.told()
    world.pass_seconds(601)
    world.tidy()
    assert bob.get("C2CAlice") == before
    assert bob.told() == []
    assert world.rows("SELECT COUNT(*) FROM share") == [(0,)]


def test_events_older_than_thirty_days_are_forgotten(world: World, alice: Device, bob: Device) -> None:
    alice.send("C2Cbob", "old")
    cursor = bob.cursor()
    before = f"{cursor.split(':')[0]}:0"
    world.pass_seconds(29 * 86_400)
    alice.send("C2Cbob", "newer")
    world.pass_seconds(2 * 86_400)
    world.tidy()
    assert bob.sync(before).reset == "log_too_old"
    assert len(bob.replayed(cursor)) == 1


def test_a_log_that_is_too_long_is_cut(world: World, alice: Device, bob: Device) -> None:
    alice.send("C2Cbob")
    beginning = f"{bob.cursor().split(':')[0]}:0"
    account = bob.caller.user
    world.change("UPDATE stream SET seq = ? WHERE account = ?", LOG_EVENTS + 1, account)
    world.tidy()
    assert world.rows("SELECT floor FROM stream WHERE account = ?", account) == [(1,)]
    assert world.rows("SELECT COUNT(*) FROM event WHERE account = ?", account) == [(0,)]
    assert bob.sync(beginning).reset == "log_too_old"


def test_answers_to_retries_are_forgotten_after_thirty_days(world: World, alice: Device, bob: Device) -> None:
    alice.send("C2Cbob")
    bob.delete("C2CAlice", operation_id="op")
    world.pass_seconds(29 * 86_400)
    world.tidy()
    assert world.rows("SELECT COUNT(*) FROM answered") == [(1,)]
    world.pass_seconds(86_400)
    world.tidy()
    assert world.rows("SELECT COUNT(*) FROM answered") == [(0,)]


def test_folding_is_done_in_pieces_and_the_log_of_it_stays_true(
    world: World, alice: Device, bob: Device, carol: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    for sender in (alice, carol):
        sender.send("C2Cbob", "one")
    for number in range(5):
        bob.delete("C2CAlice", "C2Ccarol" if number % 2 else "C2CAlice", batch_id="b", operation_id=f"op{number}")
    world.pass_seconds(601)
    monkeypatch.setattr(expiry, "OPERATIONS", 2)
    told = []
    while world.do(expiry.fold_expired):
        [entry] = bob.deletions()
        told.append((entry.count, entry.undo_seconds))
        with pytest.raises(UndoExpired):
            bob.undo("b")
    [entry] = bob.deletions()
    told.append((entry.count, entry.undo_seconds))
    assert told == [(2, 0)] * 3
    assert world.rows("SELECT COUNT(*) FROM share") == [(0,)]
    assert world.rows("SELECT DISTINCT status FROM batch") == [(2,)]
    assert bob.listed() == {}


def test_logs_are_trimmed_in_pieces_that_add_up(
    world: World, alice: Device, bob: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expiry, "EVENTS", 3)
    monkeypatch.setattr(expiry, "USERS", 1)
    for number in range(7):
        alice.send("C2Cbob", f"{number}")
    world.pass_seconds(31 * 86_400)
    alice.send("C2Cbob", "new")
    calls, sizes = 0, [world.rows("SELECT COUNT(*) FROM event")[0][0]]
    while world.do(expiry.trim_logs):
        calls += 1
        assert calls < 50
        sizes.append(world.rows("SELECT COUNT(*) FROM event")[0][0])
    assert all(0 <= before - after <= 3 for before, after in pairwise(sizes))
    assert world.rows("SELECT COUNT(*) FROM event") == [(2,)], "what is new stays, for both"
    assert bob.sync(f"{bob.cursor().split(':')[0]}:0").reset == "log_too_old"


def test_nothing_that_was_said_about_a_message_outlives_it(world: World, alice: Device, bob: Device) -> None:
    world.set(undo_seconds=0)
    alice.send("C2Cbob", "one", mentions=["bob"])
    for table, columns in (
        ("reaction", "conversation, seq, 1, 'x', 1"),
        ("former_message", "conversation, seq, 9, 1, NULL, 'x', NULL"),
    ):
        world.change(f"INSERT INTO {table} SELECT {columns} FROM message WHERE type = 0")
    alice.delete("C2Cbob")
    bob.delete("C2CAlice")
    world.tidy()
    assert bodies(world) == []
    for table in ("reaction", "former_message", "mention"):
        assert world.rows(f"SELECT * FROM {table}") == []


@pytest.mark.parametrize("ahead", [3 * 3_600, 365 * 86_400])
def test_what_was_deleted_while_the_clock_was_ahead_can_be_undone_no_longer_for_it(
    world: World, alice: Device, bob: Device, ahead: int
) -> None:
    bob.send("C2CAlice", "old")
    world.pass_seconds(ahead)
    batch = alice.delete("C2Cbob").batch_id
    world.pass_seconds(-ahead)
    world.tidy()
    assert 0 < alice.deletions()[0].undo_seconds <= UNDO_SECONDS_DEFAULT
    world.pass_seconds(UNDO_SECONDS_DEFAULT)
    world.tidy()
    with pytest.raises(UndoExpired):
        alice.undo(batch)
