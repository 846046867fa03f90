"""Roles, handing a group on, muting it, its rule: what is told of them, and to whom."""

import pytest

from tui_chat.protocol import events, limits
from tui_chat.protocol.errors import Forbidden, GroupMuted, TooManyAdministrators, UserNotFound
from tui_chat.protocol.events import GroupChanged, MemberChanged, MessageNew
from tui_chat.protocol.ids import SYSTEM
from tui_chat.protocol.models import Membership, Tip, TipKind
from tui_chat.protocol.requests import ChangeMember, MuteGroup, TransferGroup
from tui_chat.server.operations import groups, members

from .world import Device, World


def tip_of(event: events.Event) -> Tip:
    assert isinstance(event, MessageNew)
    assert event.message.tip is not None
    return event.message.tip


def last_notice(device: Device) -> Tip:
    tip = device.page(SYSTEM, limit=1).messages[0].tip
    assert tip is not None
    return tip


class TestRoles:
    """Owner, administrators, members."""

    def test_an_administrator_is_made_and_unmade(self, alice: Device, bob: Device, carol: Device) -> None:
        alice.create("g", "bob", "carol", name="The group")
        for role, text in (
            ("admin", "Alice made bob an administrator"),
            ("member", "Alice made bob an ordinary member again"),
        ):
            carol.told()
            bob.told()
            alice.set_role("g", "BOB", role)
            assert alice.members("g") == {"Alice": "owner", "bob": role, "carol": "member"}
            assert bob.get("GROUPg").role == bob.listed()["GROUPg"].role == role
            tip, changed = carol.told()
            assert (tip_of(tip).what, tip_of(tip).role, tip_of(tip).user_id_list) == (TipKind.ROLE, role, ["bob"])
            assert alice.page("GROUPg", limit=1).messages[0].text == text
            assert isinstance(changed, MemberChanged)
            assert (changed.group_id, changed.member.user_id, changed.member.role) == ("g", "bob", role)
            told = [one for one in bob.told() if isinstance(one, MessageNew | MemberChanged)]
            shown = [one.conversation.role for one in told if one.conversation and one.conversation.name]
            assert shown == [role, role], "the devices of who it befell know what they may"
            notice = last_notice(bob)
            assert (notice.what, notice.role, notice.group_id, notice.name) == (TipKind.ROLE, role, "g", "The group")
        assert carol.get(SYSTEM).newest_seq == 1, "the others have the tip alone"

    def test_a_second_time_tells_nobody(self, alice: Device, bob: Device) -> None:
        alice.create("g", "bob")
        alice.set_role("g", "bob", "member")
        alice.set_role("g", "bob", "admin")
        bob.told()
        alice.set_role("g", "bob", "admin")
        assert bob.told() == []

    def test_the_owner_has_no_other(self, alice: Device) -> None:
        alice.create("g")
        with pytest.raises(Forbidden):
            alice.set_role("g", "alice", "member")

    def test_is_for_members(self, alice: Device, bob: Device, carol: Device) -> None:
        alice.create("g", "bob")
        bob.quit("g")
        for name in ("bob", "carol", "nobody"):
            with pytest.raises(UserNotFound):
                alice.set_role("g", name, "admin")

    def test_there_are_so_many_administrators(
        self, world: World, alice: Device, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(limits, "GROUP_ADMINISTRATORS", 2)
        names = [world.join(f"user{number}").id for number in range(3)]
        alice.create("g", *names)
        for name in names[:2]:
            alice.set_role("g", name, "admin")
        with pytest.raises(TooManyAdministrators):
            alice.set_role("g", names[2], "admin")
        alice.kick("g", names[0])
        alice.set_role("g", names[2], "admin")

    def test_who_comes_back_is_an_ordinary_member(self, alice: Device, bob: Device) -> None:
        alice.create("g", "bob", join="free")
        alice.set_role("g", "bob", "admin")
        bob.quit("g")
        bob.join_group("g")
        assert alice.members("g")["bob"] == "member"
        assert bob.get("GROUPg").role == "member"

    def test_a_retry_gets_the_first_answer(self, world: World, alice: Device, bob: Device) -> None:
        alice.create("g", "bob")
        request = ChangeMember(role="admin", operation_id="op")
        first = world.do(members.set_role, alice.caller, "g", "bob", request)
        alice.set_role("g", "bob", "member")
        assert world.do(members.set_role, alice.caller, "g", "bob", request) == first
        assert alice.members("g")["bob"] == "member"

    def test_administrators_remove_ordinary_members(self, alice: Device, bob: Device, carol: Device) -> None:
        alice.create("g", "bob", "carol")
        alice.set_role("g", "bob", "admin")
        bob.kick("g", "carol")
        assert carol.get("GROUPg").membership is Membership.KICKED
        assert last_notice(carol).operator == "bob"


class TestHandingOn:
    """Another owner."""

    def test_changes_what_both_may(self, alice: Device, bob: Device, carol: Device) -> None:
        alice.create("g", "bob", "carol")
        carol.told()
        group = alice.transfer("g", "BOB")
        assert group.owner == "bob"
        assert alice.members("g") == {"Alice": "member", "bob": "owner", "carol": "member"}
        assert (alice.get("GROUPg").role, bob.get("GROUPg").role) == ("member", "owner")
        tip, changed = carol.told()
        assert (tip_of(tip).what, tip_of(tip).user_id_list) == (TipKind.TRANSFERRED, ["bob"])
        assert isinstance(changed, GroupChanged)
        assert changed.group.owner == "bob"
        assert last_notice(bob).what is TipKind.TRANSFERRED
        with pytest.raises(Forbidden):
            alice.dismiss("g")
        alice.quit("g")
        bob.dismiss("g")

    def test_to_oneself_is_nothing(self, alice: Device, bob: Device) -> None:
        alice.create("g", "bob")
        bob.told()
        assert alice.transfer("g", "alice").owner == "Alice"
        assert bob.told() == []
        assert alice.members("g")["Alice"] == "owner"

    def test_is_to_a_member(self, alice: Device, bob: Device, carol: Device) -> None:
        alice.create("g", "bob")
        bob.quit("g")
        for name in ("bob", "carol", "nobody"):
            with pytest.raises(UserNotFound):
                alice.transfer("g", name)
        assert alice.members("g") == {"Alice": "owner"}

    def test_a_retry_gets_the_first_answer_though_one_owns_it_no_more(
        self, world: World, alice: Device, bob: Device
    ) -> None:
        alice.create("g", "bob")
        request = TransferGroup(user_id="bob", operation_id="op")
        first = world.do(groups.transfer, alice.caller, "g", request)
        assert world.do(groups.transfer, alice.caller, "g", request) == first

    def test_who_has_gone_sees_the_owner_of_then(self, world: World, alice: Device, bob: Device, carol: Device) -> None:
        alice.create("g", "bob", "carol")
        carol.quit("g")
        alice.transfer("g", "bob")
        bob.mute_all("g")
        seen = world.do(groups.get, carol.caller, "g")
        assert (seen.owner, seen.muted) == ("Alice", False)
        assert not carol.get("GROUPg").muted_all
        carol.join_group("g")
        seen = world.do(groups.get, carol.caller, "g")
        assert (seen.owner, seen.muted, carol.get("GROUPg").muted_all) == ("bob", True, True)


class TestMuting:
    """Only the owner and the administrators write."""

    def test_is_told_to_every_device(self, world: World, alice: Device, bob: Device) -> None:
        alice.create("g", "bob")
        cursor = bob.cursor()
        bob.told()
        assert alice.mute_all("g").muted
        tip, changed = bob.told()
        assert tip_of(tip).what is TipKind.MUTED
        assert isinstance(tip, MessageNew)
        assert isinstance(changed, GroupChanged)
        assert changed.group.muted
        assert tip.conversation.muted_all
        assert bob.get("GROUPg").muted_all
        assert bob.listed()["GROUPg"].muted_all
        assert not bob.get("GROUPg").muted, "one's own wish not to be disturbed is another thing"
        with pytest.raises(GroupMuted):
            bob.send("GROUPg")
        assert not alice.mute_all("g", False).muted
        bob.send("GROUPg")
        replayed = [one.conversation.muted_all for one in bob.replayed(cursor) if isinstance(one, MessageNew)]
        assert replayed == [True, False, False]

    def test_a_message_that_was_sent_before_is_found_again(self, world: World, alice: Device, bob: Device) -> None:
        alice.create("g", "bob")
        first = bob.sent("GROUPg", client_id="mine").message
        alice.mute_all("g")
        assert bob.sent("GROUPg", client_id="mine").message == first

    def test_twice_tells_nobody(self, alice: Device, bob: Device) -> None:
        alice.create("g", "bob")
        alice.mute_all("g", False)
        alice.mute_all("g")
        bob.told()
        alice.mute_all("g")
        assert bob.told() == []

    def test_a_retry_gets_the_first_answer(self, world: World, alice: Device) -> None:
        alice.create("g")
        request = MuteGroup(muted=True, operation_id="op")
        first = world.do(groups.set_muted, alice.caller, "g", request)
        alice.mute_all("g", False)
        assert world.do(groups.set_muted, alice.caller, "g", request) == first
        assert not world.do(groups.get, alice.caller, "g").muted


class TestTheRule:
    """Who may join."""

    def test_name_and_rule_at_once_are_two_tips_and_one_event(self, alice: Device, bob: Device) -> None:
        alice.create("g", "bob", join="closed")
        bob.told()
        alice.change_group("g", name="New", join="approval")
        name, rule, changed = bob.told()
        assert (tip_of(name).what, tip_of(name).name) == (TipKind.RENAMED, "New")
        assert (tip_of(rule).what, tip_of(rule).join) == (TipKind.JOIN_RULE, "approval")
        assert isinstance(changed, GroupChanged)
        assert (changed.group.name, changed.group.join) == ("New", "approval")
        assert alice.page("GROUPg", limit=1).messages[0].text == (
            "Alice changed who may join: whom the owner or an administrator lets in"
        )

    def test_the_same_again_tells_nobody(self, alice: Device, bob: Device) -> None:
        alice.create("g", "bob", join="closed", name="Name")
        bob.told()
        alice.change_group("g", name="Name", join="closed")
        assert bob.told() == []


def test_what_is_told_is_told_again_to_who_was_away(alice: Device, bob: Device, carol: Device) -> None:
    alice.create("g", "bob", "carol")
    cursor = bob.cursor()
    bob.told()
    alice.set_role("g", "bob", "admin")
    alice.mute_all("g")
    alice.change_group("g", join="approval")
    alice.transfer("g", "bob")
    assert bob.replayed(cursor) == bob.told()
