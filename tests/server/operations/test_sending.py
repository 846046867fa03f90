"""Messages that are sent together are as if each had been sent alone, after the one before. Only where there is one
writer, since nothing is locked."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tui_chat.protocol.errors import ChatError
from tui_chat.protocol.requests import MessageSent, SendMessage
from tui_chat.server.operations import accounts, blocking, erasing
from tui_chat.server.operations.sending import Sending

from .test_statements import counting
from .world import Device, World

Outcome = MessageSent | str


def sending(device: Device, to: str, client_id: str, text: str = "hello", **more: Any) -> Sending:
    return Sending(device.caller, to, SendMessage(client_id=client_id, text=text, **more))


def alone(world: World, job: Sending) -> Outcome:
    try:
        return world.do(job)
    except ChatError as refused:
        return refused.code


def all_together(world: World, jobs: Sequence[Sending]) -> tuple[list[Outcome], list[int]]:
    """What came of each, and how many went together each time; the one that could not goes alone."""
    outcomes: list[Outcome] = []
    stretches: list[int] = []
    while left := jobs[len(outcomes) :]:
        done = world.do(Sending.together, left)
        stretches.append(len(done))
        outcomes += done
        if len(done) < len(left):
            outcomes.append(alone(world, left[len(done)]))
    return outcomes, stretches


def everything(world: World) -> dict[str, list[tuple[Any, ...]]]:
    """All that stands in the database, and what was told."""
    found = {table: sorted(world.rows(f"SELECT * FROM {table}"), key=repr) for table in world.store.tables()}
    found["told"] = [(one.user, one.event_seq, one.only_device, one.raw()) for one in world.emitted]
    return found


def both_ways(world: World, jobs: Sequence[Sending]) -> tuple[list[Outcome], list[int]]:
    """What came of them, which is the same as where each is sent alone; and how many went together each time."""
    world.store.mark()
    before = list(world.emitted)
    one_by_one = [alone(world, job) for job in jobs]
    expected = everything(world)
    world.store.go_back()
    world.emitted = before
    outcomes, stretches = all_together(world, jobs)
    assert outcomes == one_by_one
    assert everything(world) == expected
    return outcomes, stretches


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "chat.db")
    yield made
    made.close()


@pytest.fixture
def people(world: World) -> list[Device]:
    """Of whom each has talked with each."""
    there = [world.join(f"User{number}") for number in range(6)]
    for one in there:
        for other in there:
            if one is not other:
                one.send(f"C2C{other.id}")
    return there


def test_ordinary_ones_go_together(world: World, people: list[Device]) -> None:
    world.do(accounts.set_nick, people[0].caller, "Zero")
    people[1].read("C2CUser0", 1)
    people[1].flags("C2CUser0", pinned=True, muted=True)
    people[3].flags("C2CUser2", marked_unread=True)
    people[4].delete("C2CUser5", batch_id="b")
    jobs = [
        sending(people[0], "C2Cuser1", "a"),  # in another spelling than the registered one
        sending(people[2], "C2CUser3", "a", "你好 👋\n\tline"),
        sending(people[5], "C2CUser4", "c"),
        sending(people[0], "C2CUser2", "d"),  # both have got a number before
        sending(people[3], "C2CUser1", "e"),
    ]
    outcomes, stretches = both_ways(world, jobs)
    assert stretches == [len(jobs)]
    assert all(isinstance(one, MessageSent) for one in outcomes)


@pytest.mark.parametrize(
    ("what", "outcome"),
    [
        ("the same conversation", MessageSent),
        ("the same conversation, from the other side", MessageSent),
        ("a mention", MessageSent),
        ("an answer", MessageSent),
        ("sent before", MessageSent),
        ("the clientID of another message", "client_id_reused"),
        ("the clientID of the one before", "client_id_reused"),
        ("nobody of that name", "user_not_found"),
        ("oneself", "invalid_conversation"),
        ("the system", "read_only"),
        ("no text", "text_empty"),
        ("no clientID", "invalid_request"),
        ("a group", MessageSent),
        ("blocked", "blocked"),
        ("erased", "user_erased"),
    ],
)
def test_another_one_goes_alone_and_stops_nobody(
    world: World, people: list[Device], what: str, outcome: type[MessageSent] | str
) -> None:
    zero, one, two, three, four, five = people
    world.join("New")
    one.create("g", "User5")
    two.send("C2CUser3", "sent before", client_id="before")
    world.do(blocking.block, four.caller, "User5")
    first = sending(zero, "C2CUser1", "a")
    odd = {
        "the same conversation": sending(zero, "C2CUser1", "b"),
        "the same conversation, from the other side": sending(one, "C2CUser0", "b"),
        "a mention": sending(two, "C2CUser3", "b", mentions=["User3"]),
        "an answer": sending(two, "C2CUser3", "b", reply_to=1),
        "sent before": sending(two, "C2CUser3", "before", "sent before"),
        "the clientID of another message": sending(two, "C2CUser4", "before", "another"),
        "the clientID of the one before": sending(zero, "C2CUser2", "a"),
        "nobody of that name": sending(two, "C2Cnobody", "b"),
        "oneself": sending(two, "C2CUser2", "b"),
        "the system": sending(two, "@TIM#SYSTEM", "b"),
        "no text": sending(two, "C2CUser3", "b", " "),
        "no clientID": sending(two, "C2CUser3", ""),
        "a group": sending(one, "GROUPg", "b"),
        "blocked": sending(five, "C2CUser4", "b"),
        "erased": sending(two, "C2CNew", "b"),
    }[what]
    if what == "erased":
        two.send("C2CNew")
        world.do(erasing.remove_user, zero.caller, "New")
    rest = [sending(three, "C2CUser4", "c"), sending(five, "C2CUser0", "d")]
    outcomes, _ = both_ways(world, [first, odd, *rest])
    assert outcomes[1] == outcome if isinstance(outcome, str) else isinstance(outcomes[1], outcome)
    assert [type(outcomes[place]) for place in (0, 2, 3)] == [MessageSent] * 3


def test_one_that_begins_a_conversation_goes_alone(world: World, people: list[Device]) -> None:
    new = world.join("New")
    jobs = [sending(people[0], "C2CUser1", "a"), sending(people[2], "C2CNew", "b"), sending(people[3], "C2CUser4", "c")]
    outcomes, stretches = all_together(world, jobs)
    assert [type(one) for one in outcomes] == [MessageSent] * 3
    assert stretches == [1, 1]
    assert [one.text for one in new.page("C2CUser2").messages] == ["hello"]


def test_where_a_client_id_was_used_nothing_is_left_behind(world: World, people: list[Device]) -> None:
    before = people[0].send("C2CUser1", "once", client_id="x")
    jobs = [sending(people[2], "C2CUser3", "a"), sending(people[0], "C2CUser1", "x", "once")]
    stood = everything(world)
    assert world.do(Sending.together, jobs) == []
    assert everything(world) == stood
    outcomes, _ = both_ways(world, jobs)
    assert isinstance(outcomes[1], MessageSent)
    assert outcomes[1].message == before


def test_any_mixture(world: World, people: list[Device]) -> None:
    random = Random(20)
    names = [one.id for one in people] + ["nobody"]
    jobs: list[Sending] = []
    for number in range(150):
        who = random.choice(people)
        more: dict[str, Any] = {}
        match random.randrange(12):
            case 0:
                more["mentions"] = [random.choice(names)]
            case 1:
                more["reply_to"] = random.randrange(1, 4)
        again = [job for job in jobs if job.caller is who.caller and random.random() < 0.02]
        client_id = again[0].request.client_id if again else f"n{number}"
        jobs.append(sending(who, f"C2C{random.choice(names)}", client_id, f"text {client_id}", **more))
    outcomes, stretches = both_ways(world, jobs)
    assert max(stretches) > 3
    assert {"client_id_reused", "user_not_found", "invalid_conversation"} <= {
        one for one in outcomes if isinstance(one, str)
    }


def test_several_take_the_statements_of_one(world: World) -> None:
    people = [world.join(f"user{number}") for number in range(32)]
    for one, other in zip(people[::2], people[1::2], strict=True):
        one.send(f"C2C{other.id}")
    jobs = [sending(one, f"C2C{other.id}", "x") for one, other in zip(people[::2], people[1::2], strict=True)]
    tx = counting(world)
    assert len(Sending.together(tx, jobs)) == 16
    assert tx.asked <= 6
