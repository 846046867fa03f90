"""The newest of many logs in one reading is what each would have been told alone."""

from collections.abc import Callable

import msgspec
import pytest

from tui_chat.protocol import events
from tui_chat.server.operations import events as log
from tui_chat.server.operations import replay
from tui_chat.server.operations.latest import EVENTS_MOST, latest

from .world import Device, World

GROUP = "GROUPteam"


@pytest.fixture
def people(world: World, alice: Device, bob: Device, carol: Device) -> list[Device]:
    there = [alice, bob, carol, world.join("dave")]
    alice.create("team", "bob", "carol", "dave")
    for number in range(3):
        bob.send(GROUP, f"number {number}")
    return there


def compare(world: World, people: list[Device], act: Callable[[], object]) -> None:
    """Whatever `act` causes is told alike."""
    reached = {one.caller.user: world.do(log.position, one.caller.user) for one in people}
    act()
    found = world.do(latest, reached)
    for one in people:
        user = one.caller.user
        alone = world.do(log.since, one.caller, reached[user])
        assert isinstance(alone, events.EventRange)
        if user not in found:
            assert alone.last == reached[user]
            continue
        told = found[user]
        assert told.events is not None
        mine = [raw for _, only, raw in told.events if only in (None, one.caller.device_id)]
        assert (told.last, decoded(mine)) == (alone.last, decoded(alone.events))


def decoded(raws: list[msgspec.Raw]) -> list[object]:
    return [msgspec.json.decode(raw) for raw in raws]


def test_everybody_is_told_what_they_would_read_alone(world: World, people: list[Device]) -> None:
    alice, bob, carol, dave = people
    first, second, third = [one.message_seq for one in bob.page(GROUP).messages if one.text.startswith("number")]

    def nothing() -> None:
        pass

    def cleared_at_once() -> None:
        bob.send(GROUP, "seen by all but one")
        carol.clear(GROUP)

    def erased_at_once() -> None:
        bob.recall(GROUP, bob.send(GROUP, "taken back").message_seq)

    dave.react(GROUP, first, "👍")
    acts: list[Callable[[], object]] = [
        nothing,
        lambda: bob.send(GROUP, "to everybody"),
        lambda: alice.send(GROUP, "@bob", mentions=["bob"]),
        lambda: alice.react(GROUP, first, "👍"),
        lambda: bob.edit(GROUP, third, "with another text"),
        lambda: bob.edit(GROUP, first, "that has reactions"),
        lambda: carol.read(GROUP, third),
        lambda: carol.flags(GROUP, pinned=True),
        cleared_at_once,
        erased_at_once,
        lambda: alice.change_group("team", name="crew"),
        lambda: alice.send("C2Cdave", "between us"),
        lambda: dave.delete(GROUP),
        lambda: carol.quit("team"),
        lambda: bob.edit(GROUP, second, "that a former member does not see"),
        lambda: alice.kick("team", "dave"),
        lambda: [bob.send(GROUP, f"one of several {number}") for number in range(5)],
        lambda: alice.dismiss("team"),
    ]
    for act in acts:
        compare(world, people, act)


def test_who_is_far_behind_reads_on_alone(world: World, people: list[Device]) -> None:
    reached = {one.caller.user: world.do(log.position, one.caller.user) for one in people}
    for number in range(EVENTS_MOST):
        people[0].send(GROUP, f"{number}")
    assert all(one.events is not None for one in world.do(latest, reached).values())
    people[0].send(GROUP, "one too many")
    found = world.do(latest, reached)
    assert all(one.events is None and one.last == reached[user] + EVENTS_MOST + 1 for user, one in found.items())
    assert set(found) == set(reached)


def test_a_message_for_many_is_looked_up_once(
    world: World, people: list[Device], monkeypatch: pytest.MonkeyPatch
) -> None:
    reached = {one.caller.user: world.do(log.position, one.caller.user) for one in people}
    people[0].send(GROUP, "to everybody")
    monkeypatch.setattr(replay, "replay", lambda *_: pytest.fail("it was replayed for one alone"))
    assert len(world.do(latest, reached)) == len(people)
