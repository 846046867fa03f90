"""Parcels, pauses, and what processes know of each other."""

import random
from collections.abc import Mapping, Sequence

import msgspec
import pytest

from tui_chat.server.bus import Announcement, Ask, Changed, Connected, Gone, Here, Revoked, SettingsChanged
from tui_chat.server.bus.local import LocalBus
from tui_chat.server.bus.parcels import Outgoing, Tell, hand_out, unpack
from tui_chat.server.bus.pauses import HEALTHY_SECONDS, Pauses
from tui_chat.server.bus.processes import BEAT_SECONDS, EXPIRY_SECONDS, USERS_A_PIECE, Processes


class Ears:
    """Remembers."""

    def __init__(self) -> None:
        self.positions: dict[int, int] = {}
        self.frames: list[tuple[list[int], bytes]] = []
        self.heard: list[Announcement] = []

    def woken(self, positions: Mapping[int, int]) -> None:
        self.positions |= dict(positions)

    def told(self, users: Sequence[int], frame: bytes) -> None:
        self.frames.append((list(users), frame))

    def announced(self, process: str, what: Announcement) -> None:
        assert process == "me"
        self.heard.append(what)

    def returned(self) -> None:
        raise AssertionError("nothing was away")

    def doubtful(self) -> None:
        raise AssertionError("nothing is in doubt")


@pytest.mark.parametrize("most", [80, 200, 7_900])
def test_parcels_carry_everything_and_stay_small(most: int) -> None:
    outgoing, ears = Outgoing(), Ears()
    wakes = {random.Random(number).randrange(10**9): number * 1000 for number in range(1, 1500)}
    outgoing.wake(wakes)
    outgoing.wake({next(iter(wakes)): 1})  # older than what is there
    announcements: list[Announcement] = [
        Revoked(["a1"]),
        SettingsChanged(),
        Here(3, 2),
        Changed(4, [1], [2]),
        Ask("p"),
        Gone(),
    ]
    outgoing.announcements += announcements
    outgoing.tells.append(Tell([1, 2], msgspec.Raw(b'{"t":"ephemeral"}')))
    parcels = list(outgoing.take().parcels("me", most))
    assert not outgoing
    assert max(map(len, parcels)) <= most
    for parcel in parcels:
        hand_out(unpack(parcel), ears)
    assert (ears.positions, ears.heard) == (wakes, announcements)
    assert ears.frames == [([1, 2], b'{"t":"ephemeral"}')]


def test_pauses_grow_and_begin_anew_after_a_healthy_spell() -> None:
    now = 0.0

    class Longest(random.Random):
        def uniform(self, a: float, b: float) -> float:
            return b

    pauses = Pauses(lambda: now, Longest(), first=1, longest=8)
    assert [pauses.next() for _ in range(5)] == [1, 2, 4, 8, 8]
    pauses.succeeded()
    now += HEALTHY_SECONDS / 2
    assert pauses.next() == 8, "it did not last"
    pauses.succeeded()
    now += HEALTHY_SECONDS
    assert [pauses.next(), pauses.next()] == [1, 2]


class Wire(LocalBus):
    """Takes announcements to the other processes of a test, or loses them."""

    def __init__(self, name: str, world: "World") -> None:
        super().__init__()
        self.name, self.world = name, world

    def announce(self, what: Announcement) -> None:
        if self.up and not self.world.losing:
            self.world.sent.append(what)
            for name, process in list(self.world.processes.items()):
                if name != self.name:
                    process.heard(self.name, what, self.world.now)


class World:
    """Processes with a clock."""

    def __init__(self, *names: str) -> None:
        self.now = 100.0
        self.losing = False
        self.sent: list[Announcement] = []
        self.users: dict[str, set[int]] = {name: set() for name in names}
        self.met: dict[str, int] = dict.fromkeys(names, 0)
        self.wires = {name: Wire(name, self) for name in names}
        self.processes: dict[str, Processes] = {}
        for name in names:
            self.start(name)

    def start(self, name: str) -> None:
        def met() -> None:
            self.met[name] += 1

        self.processes[name] = Processes(
            self.wires[name], name, lambda: self.users[name], met=met, came=lambda users: None
        )

    def tick(self, seconds: float = 1.0, times: int = 1) -> None:
        for _ in range(times):
            self.now += seconds
            for process in self.processes.values():
                process.check(self.now)


def test_processes_know_who_is_where() -> None:
    world = World("a", "b")
    world.tick(times=2)
    assert [len(process) for process in world.processes.values()] == [2, 2]
    assert world.met == {"a": 1, "b": 1}, "who meets another compares once"
    world.users["a"] |= {1, 2}
    world.users["b"] |= {2, 3}
    world.tick()
    a, b = world.processes["a"], world.processes["b"]
    assert (a.elsewhere(), b.elsewhere()) == ({2, 3}, {1, 2})
    world.users["a"] -= {1}
    world.tick()
    assert b.elsewhere() == {2}


def test_who_comes_later_is_told_everything() -> None:
    world = World("a")
    world.users["a"] |= set(range(3 * USERS_A_PIECE))
    world.tick(times=5)
    assert world.processes["a"].alone
    assert not any(isinstance(what, Changed) for what in world.sent), "nobody is there to hear it"
    world.users["b"], world.met["b"], world.wires["b"] = {5000}, 0, Wire("b", world)
    world.start("b")
    world.tick(times=4)
    assert world.processes["b"].elsewhere() == world.users["a"]
    assert world.processes["a"].elsewhere() == {5000}


def test_a_change_that_was_lost_is_asked_for() -> None:
    world = World("a", "b")
    world.tick(times=2)
    world.losing = True
    world.users["a"] |= {1}
    world.tick()
    world.losing = False
    world.users["a"] |= {2}
    world.tick()
    world.tick(times=int(BEAT_SECONDS) + 3)
    assert world.processes["b"].elsewhere() == {1, 2}
    world.sent.clear()
    world.tick(times=20)
    assert {type(what) for what in world.sent} == {Here}, "nothing is asked for twice"


def test_who_falls_silent_is_forgotten_and_who_leaves_at_once() -> None:
    world = World("a", "b", "c")
    world.users |= {"a": {1}, "b": {2}, "c": {3}}
    world.tick(times=5)
    assert world.processes["a"].elsewhere() == {2, 3}
    world.processes.pop("b").leave()
    assert world.processes["a"].elsewhere() == {3}
    del world.processes["c"]
    world.tick(times=int(EXPIRY_SECONDS - BEAT_SECONDS))
    assert world.processes["a"].elsewhere() == {3}, "it may only be slow"
    world.tick(times=int(BEAT_SECONDS) + 2)
    assert world.processes["a"].alone


def test_who_was_away_comes_as_a_new_one_whom_everybody_is_told_of_at_once() -> None:
    world = World("a", "b")
    world.users["a"] = set(range(2 * USERS_A_PIECE))
    world.tick(times=5)
    world.sent.clear()
    world.processes["a"].come()
    assert world.met == {"a": 1, "b": 2}
    assert world.processes["b"].elsewhere() == world.users["a"]
    world.tick(times=20)
    assert not any(isinstance(what, Ask) for what in world.sent)
    assert world.processes["b"].elsewhere() == world.users["a"]


def test_while_the_own_bus_is_away_nothing_is_concluded() -> None:
    world = World("a", "b")
    world.users["b"] = {2}
    world.tick(times=5)
    world.wires["a"].up = world.wires["b"].up = False
    world.tick(times=int(3 * EXPIRY_SECONDS))
    assert world.processes["a"].elsewhere() == {2}
    world.wires["a"].up = world.wires["b"].up = True
    world.tick(times=int(3 * EXPIRY_SECONDS))
    assert world.processes["a"].elsewhere() == {2}


def test_what_is_asked_of_another_is_not_answered_and_much_is_not_told_often() -> None:
    world = World("a", "b")
    world.users["a"] = {1}
    world.tick(times=5)
    world.sent.clear()
    a = world.processes["a"]
    for _ in range(5):
        a.heard("b", Ask("c"), world.now)
    world.tick()
    assert not any(isinstance(what, Connected) for what in world.sent)
    for _ in range(5):
        a.heard("b", Ask("a"), world.now)
        world.tick(0.1)
    assert sum(isinstance(what, Connected) for what in world.sent) == 1
