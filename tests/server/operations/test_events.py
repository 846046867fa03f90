"""Cursors, ranges, resets and snapshots."""

import msgspec
import pytest

from tui_chat.protocol.errors import InvalidRequest
from tui_chat.protocol.events import EventRange, MessageNew, Reset, decode_event
from tui_chat.protocol.limits import FRAME_BYTES, TEXT_BYTES
from tui_chat.protocol.models import Conversation
from tui_chat.server.operations import accounts, conversations
from tui_chat.server.operations import events as log

from .world import Device, World


def test_replay_tells_what_was_told_live(world: World, alice: Device, bob: Device, carol: Device) -> None:
    world.set(sync_conversation_deletion=True)
    cursors = {device.id: device.cursor() for device in (alice, bob, carol)}
    alice.create("g", "bob")
    alice.invite("g", "carol")
    bob.send("GROUPg", "hello", mentions=["carol"])
    carol.send("C2CAlice", "secret", reply_to=None)
    carol.read("GROUPg")
    carol.flags("GROUPg", "C2CAlice", pinned=True)
    world.do(accounts.set_nick, bob.caller, "Bobby")
    carol.undo(carol.delete("GROUPg", "C2CAlice", clear=False).batch_id)
    bob.quit("g")
    alice.dismiss("g")
    for device in (alice, bob, carol):
        live = device.told()
        replayed = device.replayed(cursors[device.id])
        assert [one.event_seq for one in replayed] == [one.event_seq for one in live]
        for was, now in zip(live, replayed, strict=True):
            if b"Bobby" not in msgspec.json.encode(now):  # nicks are looked up when an event is replayed
                assert now == was
        numbers = [one.event_seq for one in live]
        assert numbers == list(range(1, len(numbers) + 1))


def test_pages_of_events(alice: Device, bob: Device) -> None:
    cursor = bob.cursor()
    for number in range(5):
        alice.send("C2Cbob", str(number))
    first = bob.sync(cursor, limit=2)
    assert (first.first, first.last, first.more, len(first.events)) == (1, 2, True, 2)
    last = bob.sync(bob.sync(first.cursor, limit=2).cursor, limit=2)
    assert (last.first, last.last, last.more) == (5, 5, False)
    nothing = bob.sync(last.cursor)
    assert (nothing.first, nothing.last, nothing.events, nothing.cursor) == (6, 5, [], last.cursor)
    assert not isinstance(nothing.reset, str)


def test_the_first_sync_is_a_snapshot(world: World, alice: Device, bob: Device) -> None:
    for number in range(3):
        world.join(f"user{number}").send("C2Cbob")
    answer = bob.sync(None, limit=2)
    assert answer.reset == "epoch"
    assert answer.cursor == bob.cursor()
    assert isinstance(answer.conversations, list)
    assert isinstance(answer.next, str)
    rest = world.do(conversations.page, bob.caller, cursor=answer.next, limit=2)
    found: list[Conversation] = [*answer.conversations, *rest.conversations]
    assert {one.conversation_id: one for one in found} == bob.listed()
    assert rest.next is None
    assert answer.server.undo_seconds == 600


_LONG = "{epoch}:" + "1" * 4_400
"""More digits than Python reads as a number."""


@pytest.mark.parametrize(
    "cursor", ["other:0", "", "nonsense", "{epoch}:x", "{epoch}:-1", "{epoch}:999", "{epoch}:²", _LONG]
)
def test_a_cursor_of_no_use_resets(world: World, alice: Device, bob: Device, cursor: str) -> None:
    alice.send("C2Cbob")
    cursor = cursor.format(epoch=world.do(log.epoch))
    answer = bob.sync(cursor)
    assert answer.reset == "epoch"
    assert answer.cursor == bob.cursor()
    resume = world.do(log.resume, bob.caller, cursor)
    assert resume.reset == "epoch"


def test_deleted_conversations_are_not_in_a_snapshot(alice: Device, bob: Device) -> None:
    alice.send("C2Cbob")
    bob.delete("C2CAlice", clear=False)
    assert bob.sync(None).conversations == []


def test_a_stream_reads_on_from_its_position(world: World, alice: Device, bob: Device) -> None:
    assert world.do(log.resume, bob.caller, None) == log.Resume(0, 0)
    alice.send("C2Cbob", "one")
    alice.send("C2Cbob", "two")
    missed = world.do(log.since, bob.caller, 1)
    assert isinstance(missed, EventRange)
    assert (missed.first, missed.last, missed.cursor) == (2, 2, bob.cursor())
    [event] = missed.read()
    assert isinstance(event, MessageNew)
    assert event.message.text == "two"
    nothing = world.do(log.since, bob.caller, 2)
    assert isinstance(nothing, EventRange)
    assert (nothing.first, nothing.last, nothing.events) == (3, 2, [])


def test_a_stream_whose_log_was_trimmed_is_reset(world: World, alice: Device, bob: Device) -> None:
    alice.send("C2Cbob")
    alice.send("C2Cbob")
    world.change("UPDATE stream SET floor = 1")
    assert world.do(log.since, bob.caller, 0) == Reset(reason="log_too_old")
    assert isinstance(world.do(log.since, bob.caller, 1), EventRange)


def test_ranges_fit_into_a_frame(world: World, alice: Device, bob: Device) -> None:
    for _ in range(12):
        alice.send("C2Cbob", '"' * TEXT_BYTES)
    position, found = 0, 0
    while True:
        missed = world.do(log.since, bob.caller, position)
        assert isinstance(missed, EventRange)
        if not missed.events:
            break
        assert missed.first == position + 1
        assert len(msgspec.json.encode(missed)) < FRAME_BYTES
        found += len(missed.events)
        position = missed.last
    assert (position, found) == (12, 12)


def test_every_event_fits_into_a_frame(world: World, alice: Device) -> None:
    people = [world.join(f"user{number}" + "x" * 24) for number in range(100)]
    for one in people:
        world.do(accounts.set_nick, one.caller, "💬" * 60)
        one.send("C2CAlice", "💬" * 200)
    names = [f"C2C{one.id}" for one in people]
    alice.told()
    alice.flags(*names, muted=True)
    alice.undo(alice.delete(*names).batch_id)
    alice.clear(*names)
    told = alice.told()
    assert len(told) == 4 + 1 + 4 + 1
    assert max(len(msgspec.json.encode(event)) for event in told) < FRAME_BYTES - 1024


def test_positions(world: World, alice: Device, bob: Device) -> None:
    alice.send("C2Cbob")
    assert world.do(log.position, bob.caller.user) == 1
    assert world.do(log.positions, [alice.caller.user, bob.caller.user, 99]) == {
        alice.caller.user: 1,
        bob.caller.user: 1,
    }


@pytest.mark.parametrize("limit", [0, 101])
def test_limits_are_kept(world: World, bob: Device, limit: int) -> None:
    with pytest.raises(InvalidRequest):
        bob.sync(None, limit)
    with pytest.raises(InvalidRequest):
        world.do(conversations.page, bob.caller, limit=limit)


@pytest.mark.parametrize("cursor", ["x", "-1", "9" * 30])
def test_a_faulty_page_cursor(world: World, bob: Device, cursor: str) -> None:
    with pytest.raises(InvalidRequest):
        world.do(conversations.page, bob.caller, cursor=cursor)


def test_events_decode(alice: Device, bob: Device) -> None:
    alice.send("C2Cbob")
    answer = bob.sync(f"{bob.cursor().split(':')[0]}:0")
    assert all(decode_event(raw).event_seq == 1 for raw in answer.events)
