"""Joining by approval: applying, deciding, and what becomes of applications otherwise."""

import pytest

from tui_chat.protocol.errors import (
    ApplicationNotFound,
    Forbidden,
    GroupNotFound,
    InvalidRequest,
    OperationReused,
    TooManyMembers,
    UserNotFound,
)
from tui_chat.protocol.ids import SYSTEM
from tui_chat.protocol.limits import APPLICATION_CHARACTERS, GROUP_MEMBERS
from tui_chat.protocol.models import Membership, MessageType, TipKind
from tui_chat.protocol.requests import DecideApplication, JoinGroup
from tui_chat.server.operations import applications, erasing, members

from .world import Device, World


def notices(device: Device) -> list[str]:
    """What the system told somebody of the group, in English."""
    return [one.text for one in device.page(SYSTEM, limit=100).messages if one.type is MessageType.NOTICE]


@pytest.fixture
def group(alice: Device, carol: Device) -> Device:
    """A group into which Alice (owner) and carol (administrator) let people; Alice."""
    alice.create("g", "carol", join="approval", name="The group")
    alice.set_role("g", "carol", "admin")
    for device in (alice, carol):
        device.clear(SYSTEM)
        device.told()
    return alice


class TestApplying:
    """It waits, and those who decide are told."""

    def test_waits_for_a_decision(self, group: Device, bob: Device, carol: Device) -> None:
        assert bob.join_group("G", "  let me\nin ") == "waiting"
        assert "GROUPg" not in bob.listed()
        assert group.waiting("g") == carol.waiting("g") == [("bob", "let me in")]
        assert notices(group) == notices(carol) == ["bob asks to join The group: let me in"]
        tip = group.page(SYSTEM).messages[-1].tip
        assert tip is not None
        assert (tip.what, tip.operator, tip.user_id_list, tip.group_id, tip.name, tip.text) == (
            TipKind.APPLIED,
            "bob",
            [],
            "g",
            "The group",
            "let me in",
        )
        assert group.listed()[SYSTEM].unread_count == 1

    def test_twice_is_once_and_may_bring_other_words(self, group: Device, bob: Device) -> None:
        for text, kept in (("first", "first"), (None, "first"), ("second", "second")):
            assert bob.join_group("g", text) == "waiting"
            assert group.waiting("g") == [("bob", kept)]
        assert len(notices(group)) == 1

    def test_ordinary_members_are_not_told(self, world: World, group: Device, bob: Device) -> None:
        dave = world.join("dave")
        group.invite("g", "dave")
        dave.told()
        bob.join_group("g")
        assert dave.told() == []

    def test_words_have_a_length(self, group: Device, bob: Device) -> None:
        with pytest.raises(InvalidRequest):
            bob.join_group("g", "x" * (APPLICATION_CHARACTERS + 1))
        assert bob.join_group("g", "x" * APPLICATION_CHARACTERS) == "waiting"
        assert group.waiting("g") == [("bob", "x" * APPLICATION_CHARACTERS)]

    def test_a_member_stays_one(self, group: Device, carol: Device) -> None:
        assert carol.join_group("g") == "member"
        assert group.waiting("g") == []

    def test_a_full_group_takes_no_applications(self, world: World, group: Device, bob: Device) -> None:
        world.change("UPDATE chat_group SET member_count = ?", GROUP_MEMBERS)
        with pytest.raises(TooManyMembers):
            bob.join_group("g")
        assert group.waiting("g") == []

    def test_a_retry_gets_the_first_answer(self, world: World, group: Device, bob: Device) -> None:
        request = JoinGroup(text="hello", operation_id="op")
        first = world.do(members.join, bob.caller, "g", request)
        group.decide("g", "bob", accept=True)
        assert world.do(members.join, bob.caller, "g", request) == first
        with pytest.raises(OperationReused):
            world.do(members.join, bob.caller, "g", JoinGroup(text="other", operation_id="op"))

    def test_pages(self, world: World, group: Device) -> None:
        for number in range(5):
            world.join(f"user{number}").join_group("g")
        first = world.do(applications.page, group.caller, "g", limit=3)
        rest = world.do(applications.page, group.caller, "g", cursor=first.next, limit=3)
        assert [one.user_id for one in first.applications + rest.applications] == [
            f"user{number}" for number in range(5)
        ]
        assert (first.next is None, rest.next) == (False, None)
        for cursor, limit in (("x", 3), ("1" * 19, 3), (None, 0), (None, 101)):
            with pytest.raises(InvalidRequest):
                world.do(applications.page, group.caller, "g", cursor=cursor, limit=limit)


class TestDeciding:
    """One decides; the applicant and the others are told."""

    def test_accepting(self, group: Device, bob: Device, carol: Device) -> None:
        bob.join_group("g")
        carol.decide("g", "BOB", accept=True)
        assert bob.listed()["GROUPg"].membership is Membership.JOINED
        assert bob.history("GROUPg") == ["<accepted>"]
        assert bob.page("GROUPg").messages[0].text == "carol let bob join"
        assert group.members("g")["bob"] == "member"
        assert group.waiting("g") == []
        assert notices(bob) == ["carol let you join The group"]
        assert notices(group)[1:] == ["carol let bob join The group"]
        assert len(notices(carol)) == 1, "who decided knows"

    def test_declining(self, group: Device, bob: Device, carol: Device) -> None:
        bob.join_group("g")
        before = group.history("GROUPg")
        group.decide("g", "bob", accept=False)
        assert "GROUPg" not in bob.listed()
        assert group.history("GROUPg") == before, "the group is not told of it"
        assert notices(bob) == ["Alice declined to let you join The group"]
        assert notices(carol)[1:] == ["Alice declined to let bob join The group"]
        assert bob.join_group("g") == "waiting", "one may ask again"

    @pytest.mark.parametrize("second", [True, False])
    @pytest.mark.parametrize("first", [True, False])
    def test_two_decide_at_once(self, group: Device, bob: Device, carol: Device, first: bool, second: bool) -> None:
        bob.join_group("g")
        group.decide("g", "bob", accept=first)
        told = notices(bob)
        if first and second:
            carol.decide("g", "bob", accept=True)
        else:
            with pytest.raises(ApplicationNotFound):
                carol.decide("g", "bob", accept=second)
        assert notices(bob) == told
        assert ("bob" in group.members("g")) is first

    def test_a_retry_gets_the_first_answer(self, world: World, group: Device, bob: Device) -> None:
        bob.join_group("g")
        request = DecideApplication(accept=False, operation_id="op")
        first = world.do(applications.decide, group.caller, "g", "bob", request)
        bob.join_group("g")
        assert world.do(applications.decide, group.caller, "g", "bob", request) == first
        assert group.waiting("g") == [("bob", "")]

    def test_a_full_group_lets_it_wait(self, world: World, group: Device, bob: Device) -> None:
        bob.join_group("g")
        world.change("UPDATE chat_group SET member_count = ?", GROUP_MEMBERS)
        with pytest.raises(TooManyMembers):
            group.decide("g", "bob", accept=True)
        assert group.waiting("g") == [("bob", "")]

    def test_about_nobody(self, group: Device) -> None:
        with pytest.raises(UserNotFound):
            group.decide("g", "nobody", accept=True)


class TestOtherwise:
    """An application ends when its applicant is in, or the group is no more."""

    def test_who_is_added_meanwhile_waits_no_more(self, group: Device, bob: Device, carol: Device) -> None:
        bob.join_group("g")
        carol.invite("g", "bob")
        assert group.waiting("g") == []
        with pytest.raises(ApplicationNotFound):
            group.decide("g", "bob", accept=False)
        group.decide("g", "bob", accept=True)
        assert bob.history("GROUPg") == ["<invited>"]

    def test_who_joins_once_it_is_free_waits_no_more(self, group: Device, bob: Device) -> None:
        bob.join_group("g")
        group.change_group("g", join="free")
        assert group.waiting("g") == [("bob", "")]
        assert bob.join_group("g") == "joined"
        assert group.waiting("g") == []

    def test_it_outlives_the_rule(self, group: Device, bob: Device) -> None:
        bob.join_group("g")
        group.change_group("g", join="closed")
        with pytest.raises(GroupNotFound):
            bob.join_group("g")
        group.decide("g", "bob", accept=True)
        assert bob.listed()["GROUPg"].membership is Membership.JOINED

    def test_it_outlives_the_notice(self, world: World, group: Device, bob: Device) -> None:
        bob.join_group("g")
        group.delete(SYSTEM)
        world.pass_seconds(100_000)
        world.tidy()
        assert SYSTEM not in group.listed()
        assert group.waiting("g") == [("bob", "")]
        group.decide("g", "bob", accept=True)
        assert "GROUPg" in bob.listed()

    def test_it_ends_with_the_group_and_the_applicant_is_told(self, world: World, group: Device, bob: Device) -> None:
        bob.join_group("g")
        group.dismiss("g")
        assert notices(bob) == ["Alice dismissed The group"]
        assert world.rows("SELECT * FROM application") == []
        with pytest.raises(GroupNotFound):
            bob.join_group("g")

    def test_who_was_removed_may_ask_again(self, group: Device, bob: Device) -> None:
        group.invite("g", "bob")
        group.send("GROUPg", "seen")
        group.kick("g", "bob")
        group.send("GROUPg", "not seen")
        assert bob.join_group("g") == "waiting"
        assert bob.history("GROUPg") == ["<invited>", "seen", "<kicked>"]
        group.decide("g", "bob", accept=True)
        assert bob.history("GROUPg") == ["<invited>", "seen", "<kicked>", "<accepted>"]

    def test_a_former_administrator_decides_nothing(self, group: Device, bob: Device, carol: Device) -> None:
        bob.join_group("g")
        group.set_role("g", "carol", "member")
        with pytest.raises(Forbidden):
            carol.decide("g", "bob", accept=True)
        with pytest.raises(Forbidden):
            carol.waiting("g")

    def test_an_applicant_who_is_being_erased_holds_nothing_up(
        self, world: World, group: Device, bob: Device, carol: Device
    ) -> None:
        bob.join_group("g")
        world.do(erasing.remove_user, group.caller, "bob")
        with pytest.raises(UserNotFound):
            carol.decide("g", "bob", accept=True)
        world.do(erasing.go_on)
        assert group.waiting("g") == [("bob", "")]
        group.dismiss("g")
        assert notices(carol)[-1] == "Alice dismissed The group"
