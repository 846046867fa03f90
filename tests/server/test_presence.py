"""Presence: told to acquaintances who are there, once each, and not for every short break."""

import asyncio
from collections.abc import Sequence
from typing import Any

from tests.accounts import People
from tui_chat.protocol.errors import Unavailable
from tui_chat.server.hub import Frame, Hub
from tui_chat.server.operations.acquaintance import Acquaintance, Acquaintances, acquaintances
from tui_chat.server.presence import OFFLINE_SECONDS, USERS_AT_ONCE, Presence

from .operations.world import World
from .test_hub import Recorder, content

ALICE, BOB, CAROL = 1, 2, 3
NAMES = {ALICE: "alice", BOB: "bob", CAROL: "carol"}


class Room:
    """A hub with a clock, in which alice and bob know each other; carol sees alice and is not seen by her."""

    def __init__(self) -> None:
        self.hub = Hub(b'"%d"')
        self.presence = Presence(self.hub, self._look_up)
        self.asked: list[Sequence[int]] = []
        self.failing = False
        self.now = 100.0

    async def _look_up(self, users: Sequence[int]) -> dict[int, Acquaintances]:
        self.asked.append(users)
        await asyncio.sleep(0)
        if self.failing:
            raise Unavailable()
        known = {
            ALICE: [Acquaintance(BOB, "bob", True, True), Acquaintance(CAROL, "carol", True, False)],
            BOB: [Acquaintance(ALICE, "alice", True, True)],
            CAROL: [Acquaintance(ALICE, "alice", False, True)],
        }
        return {user: Acquaintances(NAMES.get(user, str(user)), known.get(user, [])) for user in users}

    def come(self, user: int, device: str = "d") -> Recorder:
        connection = Recorder(user, device)
        self.hub.join(connection)
        return connection

    async def tick(self, seconds: float = 0) -> None:
        self.now += seconds
        self.presence.check(self.now)
        for _ in range(5):
            await asyncio.sleep(0)


def told(connection: Recorder) -> list[Any]:
    """What a connection was told since it was asked last: (userID, online), or who is there."""
    found = []
    for frame in connection.others:
        assert isinstance(frame, bytes)
        said = content(Frame(0, 0, frame))
        assert said["kind"] == "presence"
        found.append(said["userIDList"] or (said["userID"], said["online"]))
    connection.others.clear()
    return found


async def test_who_comes_is_told_who_is_there_and_the_others_of_it() -> None:
    room = Room()
    alice = room.come(ALICE)
    await room.tick()
    assert told(alice) == [], "nobody is there"
    bob, carol = room.come(BOB), room.come(CAROL)
    await room.tick()
    assert told(alice) == [("bob", True)]
    assert (told(bob), told(carol)) == ([["alice"]], [["alice"]])
    phone = room.come(ALICE, "phone")
    await room.tick()
    assert told(phone) == [["bob"]]
    assert told(alice) == told(bob) == told(carol) == []


async def test_only_the_last_socket_counts_and_a_short_break_does_not() -> None:
    room = Room()
    alice, phone, bob = room.come(ALICE), room.come(ALICE, "phone"), room.come(BOB)
    await room.tick()
    told(bob)
    room.hub.leave(alice)
    await room.tick(2 * OFFLINE_SECONDS)
    room.hub.leave(phone)
    await room.tick()
    await room.tick(OFFLINE_SECONDS - 1)
    assert told(bob) == []
    back = room.come(ALICE)
    await room.tick(OFFLINE_SECONDS)
    assert told(bob) == []
    room.hub.leave(back)
    await room.tick()
    await room.tick(OFFLINE_SECONDS)
    assert told(bob) == [("alice", False)]
    await room.tick(OFFLINE_SECONDS)
    room.come(ALICE)
    await room.tick()
    assert told(bob) == [("alice", True)]


async def test_who_has_gone_before_it_was_told_was_never_there() -> None:
    room = Room()
    bob = room.come(BOB)
    await room.tick()
    room.hub.leave(room.come(ALICE))
    await room.tick()
    await room.tick(OFFLINE_SECONDS)
    assert told(bob) == []


async def test_a_socket_that_came_and_went_at_once_does_not_shorten_the_break() -> None:
    room = Room()
    alice, bob = room.come(ALICE), room.come(BOB)
    await room.tick()
    told(bob)
    room.hub.leave(room.come(ALICE, "phone"))
    room.hub.leave(alice)
    await room.tick()
    await room.tick(OFFLINE_SECONDS - 1)
    assert told(bob) == []
    await room.tick(1)
    assert told(bob) == [("alice", False)]


async def test_who_is_elsewhere_is_there() -> None:
    room = Room()
    elsewhere: set[int] = set()
    room.presence.elsewhere = lambda: elsewhere
    bob = room.come(BOB)
    await room.tick()
    elsewhere.add(ALICE)
    room.presence.came([ALICE])
    await room.tick()
    assert told(bob) == [("alice", True)]
    phone = room.come(BOB, "phone")
    await room.tick()
    assert told(phone) == [["alice"]]
    here = room.come(ALICE)
    elsewhere.clear()
    await room.tick(2 * OFFLINE_SECONDS)
    assert told(bob) == [], "she only changed from one to the other"
    room.hub.leave(here)
    await room.tick()
    await room.tick(OFFLINE_SECONDS)
    assert told(bob) == [("alice", False)]


async def test_nothing_happens_while_nobody_comes_or_goes() -> None:
    room = Room()
    room.come(ALICE)
    await room.tick()
    room.asked.clear()
    for _ in range(10):
        await room.tick(OFFLINE_SECONDS)
    assert room.asked == []


async def test_many_at_once_are_looked_up_a_piece_at_a_time() -> None:
    room = Room()
    for user in range(10, 10 + 2 * USERS_AT_ONCE):
        room.come(user)
    bob = room.come(BOB)
    room.come(ALICE)
    for _ in range(3):
        await room.tick()
    assert [len(users) for users in room.asked] == [USERS_AT_ONCE, USERS_AT_ONCE, 2]
    assert ("alice", True) in told(bob) or ["alice"] in told(bob)


async def test_a_database_that_fails_delays_it() -> None:
    room = Room()
    alice, bob = room.come(ALICE), room.come(BOB)
    room.failing = True
    await room.tick()
    assert told(alice) == told(bob) == []
    room.failing = False
    await room.tick()
    assert (told(alice), told(bob)) == ([("bob", True), ["bob"]], [("alice", True), ["alice"]])
    await room.presence.close()


def test_a_stranger_learns_nothing_until_one_has_read_what_they_wrote(tmp_path: Any) -> None:
    world = World(tmp_path / "chat.db")
    alice, bob = world.join("alice"), world.join("bob")
    bob.send("C2Calice")

    def known() -> tuple[tuple[bool, bool], tuple[bool, bool]]:
        found = world.do(acquaintances, [alice.caller.user, bob.caller.user])
        [bob_to_alice], [alice_to_bob] = found[alice.caller.user].peers, found[bob.caller.user].peers
        assert (bob_to_alice.user_id, alice_to_bob.user_id) == ("bob", "alice")
        return (bob_to_alice.told, bob_to_alice.shown), (alice_to_bob.told, alice_to_bob.shown)

    assert known() == ((False, True), (True, False))
    alice.read("C2Cbob")
    assert known() == ((True, True), (True, True))
    world.rows("INSERT INTO block (account, blocked, time) VALUES (?, ?, 0)", alice.caller.user, bob.caller.user)
    assert known() == ((False, True), (True, False))
    world.close()


def test_over_sockets(people: People) -> None:
    alice, bob = people.register("alice"), people.register("bob")
    alice.send("C2Cbob", "hello")
    bob.send("C2Calice", "hello")
    with bob.stream() as there, alice.stream() as stream:
        assert shown_there(stream) == "bob"
        assert shown_there(there) == "alice"
    assert bob.events(bob.cursor()) == [], "nothing of it is logged"


def shown_there(stream: Any) -> str:
    """Who is there, according to the next presence frame, which tells of one or of all."""
    while True:
        frame = stream.frame()
        if frame["t"] == "ephemeral" and frame["kind"] == "presence":
            assert frame["online"]
            [user_id] = frame["userIDList"] or [frame["userID"]]
            return str(user_id)
