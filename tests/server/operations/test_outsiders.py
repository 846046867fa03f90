"""What those who are not in a group learn of it: former members as much as they saw, outsiders what is open."""

import sqlite3
from collections.abc import Callable

import pytest

from tui_chat.protocol.errors import ChatError, GroupNotFound, NotAMember
from tui_chat.protocol.events import MessageNew
from tui_chat.protocol.models import Group, Membership
from tui_chat.protocol.requests import AddMembers, ChangeGroup, JoinGroup
from tui_chat.server.engines.migrations import available, migrate, statements
from tui_chat.server.operations import groups, members

from .world import START, Device, World

ATTEMPTS: dict[str, Callable[[Device], object]] = {
    "look": lambda one: look(one),
    "members": lambda one: one.world.do(members.page, one.caller, "g"),
    "rename": lambda one: rename(one, "Mine"),
    "dismiss": lambda one: one.dismiss("g"),
    "invite": lambda one: one.world.do(members.invite, one.caller, "g", AddMembers(members=[one.id])),
    "kick": lambda one: one.kick("g", "alice"),
    "quit": lambda one: one.quit("g"),
    "join": lambda one: one.world.do(members.join, one.caller, "g", JoinGroup()),
    "send": lambda one: one.send("GROUPg"),
}


def look(device: Device) -> Group:
    return device.world.do(groups.get, device.caller, "g")


def rename(device: Device, name: str, **more: object) -> None:
    device.world.do(groups.change, device.caller, "g", ChangeGroup(name=name, **more))  # type: ignore[arg-type]


def refused(attempt: Callable[[Device], object], device: Device) -> ChatError:
    with pytest.raises(ChatError) as refusal:
        attempt(device)
    return refusal.value


class TestFormerMembers:
    """Nothing that came after the end of their period shows."""

    @pytest.mark.parametrize("how", ["quit", "kicked"])
    def test_see_the_group_as_it_was(self, alice: Device, bob: Device, carol: Device, how: str) -> None:
        alice.create("g", "bob", "carol", name="Then", join="closed")
        since = bob.cursor()
        if how == "quit":
            bob.quit("g")
        else:
            alice.kick("g", "bob")
        shown, group = bob.get("GROUPg"), look(bob)
        assert (shown.name, shown.member_count, group.name, group.member_count) == ("Then", 2, "Then", 2)
        rename(alice, "Now", join="free")
        carol.quit("g")
        alice.dismiss("g")
        assert bob.get("GROUPg") == bob.listed()["GROUPg"] == shown
        assert look(bob) == group
        assert not group.dismissed
        told = [one.conversation for one in bob.replayed(since) if isinstance(one, MessageNew)]
        assert {one.name for one in told if one.conversation_id == "GROUPg"} == {"Then"}
        batch = bob.delete("GROUPg").batch_id
        bob.undo(batch)
        assert bob.get("GROUPg") == shown

    def test_are_refused_alike_whether_or_not_it_has_ended(self, alice: Device, bob: Device) -> None:
        alice.create("g", "bob", join="closed")
        bob.quit("g")
        attempts = [attempt for name, attempt in ATTEMPTS.items() if name != "look"]
        before = [repr(refused(attempt, bob)) for attempt in attempts]
        alice.dismiss("g")
        assert [repr(refused(attempt, bob)) for attempt in attempts] == before

    def test_see_it_as_it_is_when_they_are_back(self, alice: Device, bob: Device) -> None:
        alice.create("g", "bob", name="Then")
        bob.quit("g")
        rename(alice, "Now")
        bob.join_group("g")
        assert (bob.get("GROUPg").name, bob.get("GROUPg").member_count) == ("Now", 2)
        assert (look(bob).name, look(bob).member_count) == ("Now", 2)
        rename(alice, "Later")
        assert bob.get("GROUPg").name == look(bob).name == "Later"

    def test_cannot_join_what_has_ended_meanwhile(self, alice: Device, bob: Device) -> None:
        alice.create("g", "bob", join="free")
        bob.quit("g")
        alice.dismiss("g")
        with pytest.raises(GroupNotFound):
            bob.join_group("g")

    def test_of_a_dismissed_group_see_its_end(self, alice: Device, bob: Device) -> None:
        alice.create("g", "bob", name="Then")
        alice.dismiss("g")
        for device in (alice, bob):
            shown, group = device.get("GROUPg"), look(device)
            assert (shown.name, shown.membership, shown.member_count) == ("Then", Membership.DISMISSED, 0)
            assert (group.name, group.dismissed, group.member_count) == ("Then", True, 0)

    def test_who_had_gone_before_the_columns_were_there_have_what_there_is(self) -> None:
        connection = sqlite3.connect(":memory:", isolation_level=None)
        number, first = available()[0]
        for statement in statements(first):
            connection.execute(statement.replace("/* clustered */", "WITHOUT ROWID"))
        connection.execute("CREATE TABLE migration (number BIGINT PRIMARY KEY, applied BIGINT NOT NULL)")
        connection.execute("INSERT INTO migration VALUES (?, ?)", (number, START))
        connection.execute("INSERT INTO chat_group VALUES (1, 'g', 'g', 'Now', 'closed', 1, 1, 0, 0)")
        side = "1, 'GROUPg', 'groupg', NULL, {}, 0, 1, 0, {}, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0"
        connection.execute(f"INSERT INTO state VALUES (1, {side.format(1, 'NULL')})")
        connection.execute(f"INSERT INTO state VALUES (2, {side.format(2, 5)})")
        migrate(connection, START)
        parted = connection.execute("SELECT left_name, left_rule, left_count FROM state ORDER BY account").fetchall()
        assert parted == [(None, None, None), ("Now", "closed", 1)]


class TestOutsiders:
    """Who never was in a closed group, or in one that is no more, cannot tell it from none."""

    @pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=ATTEMPTS)
    @pytest.mark.parametrize("rule", ["closed", "free"])
    def test_cannot_tell_a_hidden_group_from_none(
        self, world: World, alice: Device, bob: Device, attempt: Callable[[Device], object], rule: str
    ) -> None:
        none = refused(attempt, bob)
        assert type(none) is GroupNotFound
        alice.create("g", join=rule)
        if rule == "free":
            alice.dismiss("g")
        there = refused(attempt, bob)
        assert (type(there), str(there), there.details) == (GroupNotFound, str(none), none.details)

    @pytest.mark.parametrize("rule", ["approval", "free"])
    def test_of_an_open_group_are_told_that_they_are_no_members(self, alice: Device, bob: Device, rule: str) -> None:
        alice.create("g", join=rule)
        assert look(bob).join == rule
        for name, attempt in ATTEMPTS.items():
            if name not in ("look", "join"):
                assert type(refused(attempt, bob)) is NotAMember
