"""Groups: who can do what, what is told, and what a conversation shows over periods of membership."""

import pytest

from tui_chat.protocol.errors import (
    ChatError,
    Forbidden,
    GroupNotFound,
    InvalidName,
    InvalidRequest,
    NameTaken,
    NotAMember,
    OwnerCannotQuit,
    TooManyMembers,
    UserNotFound,
)
from tui_chat.protocol.events import GroupChanged, MessageNew
from tui_chat.protocol.ids import SYSTEM
from tui_chat.protocol.limits import GROUP_MEMBERS
from tui_chat.protocol.models import Conversation, Membership, TipKind
from tui_chat.protocol.requests import AddMembers, ChangeGroup, CreateGroup
from tui_chat.server.operations import groups, members

from .world import Device, World


def group(device: Device) -> Conversation:
    return device.get("GROUPg")


def notices(device: Device) -> list[tuple[TipKind, str | None]]:
    found = device.page(SYSTEM, limit=100).messages
    return [(one.tip.what, one.tip.group_id) for one in found if one.tip is not None]


def test_creating_writes_tips_and_lists_the_group_for_everyone_in_it(alice: Device, bob: Device) -> None:
    made = alice.create("Plans", "BOB", "bob", "alice", name="The plans")
    assert (made.group_id, made.name, made.owner, made.member_count) == ("Plans", "The plans", "Alice", 2)
    assert alice.history("GROUPplans") == ["<created>", "<invited>"]
    assert bob.history("GROUPPlans") == ["<invited>"]
    shown = bob.listed()["GROUPPlans"]
    assert (shown.name, shown.membership, shown.role, shown.member_count) == (
        "The plans",
        Membership.JOINED,
        "member",
        2,
    )
    assert alice.listed()["GROUPPlans"].role == "owner"
    assert notices(bob) == [(TipKind.INVITED, "Plans")]


def test_a_server_made_id(world: World, alice: Device) -> None:
    answer = world.do(groups.create, alice.caller, CreateGroup(name="no id"))
    assert answer.group.group_id.startswith("@TGS#")
    assert answer.conversation_id == f"GROUP{answer.group.group_id}"
    assert answer.conversation_id in alice.listed()
    assert alice.get(f"GROUP{answer.group.group_id.lower()}").conversation_id == answer.conversation_id


def test_a_name_is_never_given_out_again(alice: Device, bob: Device) -> None:
    alice.create("g")
    with pytest.raises(NameTaken):
        bob.create("G")
    alice.dismiss("g")
    with pytest.raises(NameTaken):
        bob.create("g")


@pytest.mark.parametrize(
    ("request_body", "error"),
    [
        (CreateGroup(name="g", group_id="@TGS#mine"), InvalidName),
        (CreateGroup(name="g", group_id="@tGs#mine"), InvalidName),
        (CreateGroup(name="g", group_id="a b"), InvalidName),
        (CreateGroup(name="\u200b", group_id="g"), InvalidName),
        (CreateGroup(name="g", group_id="g", members=["nobody"]), UserNotFound),
    ],
)
def test_what_cannot_be_created(world: World, alice: Device, request_body: CreateGroup, error: type[ChatError]) -> None:
    with pytest.raises(error):
        world.do(groups.create, alice.caller, request_body)
    assert alice.listed() == {}


def test_creating_again_under_the_same_operation_id(world: World, alice: Device) -> None:
    body = CreateGroup(name="g", operation_id="op")
    assert world.do(groups.create, alice.caller, body) == world.do(groups.create, alice.caller, body)
    assert len(alice.listed()) == 1


def test_sending_is_for_members(alice: Device, bob: Device, carol: Device) -> None:
    alice.create("g", "bob")
    bob.send("GROUPG", "hello")
    with pytest.raises(NotAMember):
        carol.send("GROUPg")
    with pytest.raises(GroupNotFound):
        carol.send("GROUPnone")


class TestLeaving:
    """Leaving leaves the conversation in the list."""

    def test_what_was_visible_stays_readable(self, alice: Device, bob: Device) -> None:
        alice.create("g", "bob")
        alice.send("GROUPg", "before")
        bob.quit("g")
        alice.send("GROUPg", "after")
        shown = bob.listed()["GROUPg"]
        assert shown.membership is Membership.LEFT
        assert (shown.message_count, shown.unread_count) == (3, 1)
        assert bob.history("GROUPg") == ["<invited>", "before", "<quit>"]
        assert alice.history("GROUPg")[-2:] == ["<quit>", "after"]
        assert alice.get("GROUPg").member_count == 1
        with pytest.raises(NotAMember):
            bob.send("GROUPg")

    def test_the_leaver_is_told_by_the_tip_and_of_nothing_later(self, alice: Device, bob: Device) -> None:
        alice.create("g", "bob")
        bob.told()
        bob.quit("g")
        alice.send("GROUPg")
        [event] = bob.told()
        assert isinstance(event, MessageNew)
        assert event.conversation.membership is Membership.LEFT

    def test_deleted_it_stays_away_although_the_others_go_on(self, alice: Device, bob: Device) -> None:
        alice.create("g", "bob")
        bob.quit("g")
        alice.send("GROUPg")
        bob.delete("GROUPg")
        alice.send("GROUPg")
        assert "GROUPg" not in bob.listed()
        assert group(bob).hidden_through == 3

    def test_joining_again_brings_it_back_from_its_tip_on(self, alice: Device, bob: Device) -> None:
        alice.create("g", "bob")
        alice.send("GROUPg", "first period")
        bob.quit("g")
        bob.delete("GROUPg")
        alice.send("GROUPg", "between")
        bob.join_group("g")
        alice.send("GROUPg", "second period")
        assert bob.history("GROUPg") == ["<joined>", "second period"]
        shown = bob.listed()["GROUPg"]
        assert (shown.membership, shown.message_count, shown.unread_count) == (Membership.JOINED, 2, 1)
        assert shown.join_seq == shown.first_seq == 6

    def test_both_periods_are_visible_and_what_was_between_is_not(self, alice: Device, bob: Device) -> None:
        alice.create("g", "bob")
        alice.send("GROUPg", "one")
        bob.quit("g")
        alice.send("GROUPg", "between")
        bob.join_group("g")
        alice.send("GROUPg", "two")
        assert bob.history("GROUPg") == ["<invited>", "one", "<quit>", "<joined>", "two"]
        shown = group(bob)
        assert (shown.message_count, shown.unread_count, shown.first_seq) == (5, 2, 2)
        assert [one.text for one in bob.page("GROUPg", before=7, limit=3).messages] == ["one", "bob left", "bob joined"]
        assert [one.message_seq for one in bob.page("GROUPg", after=2, limit=3).messages] == [3, 4, 6]
        assert [one.message_seq for one in bob.page("GROUPg", around=5, limit=4).messages] == [3, 4, 6, 7]

    def test_reading_in_an_earlier_period(self, alice: Device, bob: Device) -> None:
        alice.create("g", "bob")
        first = alice.send("GROUPg")
        alice.send("GROUPg")
        bob.quit("g")
        alice.send("GROUPg")
        bob.join_group("g")
        alice.send("GROUPg")
        bob.read("GROUPg", first.message_seq)
        assert group(bob).unread_count == 2
        bob.clear("GROUPg", up_to={"GROUPg": 5})
        assert (group(bob).unread_count, group(bob).message_count) == (1, 2)

    def test_three_periods_with_a_deletion_and_its_undo(self, alice: Device, bob: Device) -> None:
        alice.create("g")
        for _ in range(3):
            bob.join_group("g")
            alice.send("GROUPg")
            bob.quit("g")
            alice.send("GROUPg")
        assert (group(bob).message_count, group(bob).unread_count) == (9, 3)
        batch = bob.delete("GROUPg").batch_id
        assert (group(bob).message_count, group(bob).unread_count) == (0, 0)
        bob.undo(batch)
        assert (group(bob).message_count, group(bob).unread_count) == (9, 3)

    def test_the_owner_cannot(self, alice: Device, bob: Device) -> None:
        alice.create("g", "bob")
        with pytest.raises(OwnerCannotQuit):
            alice.quit("g")

    def test_twice(self, alice: Device, bob: Device) -> None:
        alice.create("g", "bob")
        bob.quit("g")
        with pytest.raises(NotAMember):
            bob.quit("g")


class TestKicking:
    """Being removed."""

    def test_leaves_the_conversation_and_tells_by_a_notice(self, alice: Device, bob: Device) -> None:
        alice.create("g", "bob")
        alice.kick("g", "BOB")
        assert group(bob).membership is Membership.KICKED
        assert bob.history("GROUPg") == ["<invited>", "<kicked>"]
        assert notices(bob) == [(TipKind.INVITED, "g"), (TipKind.KICKED, "g")]
        with pytest.raises(NotAMember):
            bob.send("GROUPg")

    def test_can_be_deleted_like_any_other(self, alice: Device, bob: Device) -> None:
        alice.create("g", "bob")
        alice.kick("g", "bob")
        alice.send("GROUPg")
        assert bob.delete("GROUPg").conversation_id_list == ["GROUPg"]
        assert "GROUPg" not in bob.listed()

    def test_is_the_owners(self, alice: Device, bob: Device, carol: Device) -> None:
        alice.create("g", "bob", "carol")
        with pytest.raises(Forbidden):
            bob.kick("g", "carol")
        with pytest.raises(Forbidden):
            alice.kick("g", "alice")
        alice.kick("g", "carol")
        with pytest.raises(UserNotFound):
            alice.kick("g", "carol")
        with pytest.raises(NotAMember):
            carol.kick("g", "bob")


class TestDismissing:
    """The end of a group."""

    def test_leaves_everyone_what_was_visible(self, alice: Device, bob: Device) -> None:
        alice.create("g", "bob")
        alice.send("GROUPg", "one")
        alice.told()
        bob.told()
        alice.dismiss("g")
        for device in (alice, bob):
            assert group(device).membership is Membership.DISMISSED
            assert device.history("GROUPg")[-2:] == ["one", "<dismissed>"]
            with pytest.raises(NotAMember):
                device.send("GROUPg")
        assert notices(bob)[-1] == (TipKind.DISMISSED, "g")
        kinds = [type(event) for event in bob.told()]
        assert kinds == [MessageNew, MessageNew, GroupChanged]
        with pytest.raises(GroupNotFound):
            bob.join_group("g")

    def test_can_be_deleted_like_any_other(self, alice: Device, bob: Device) -> None:
        alice.create("g", "bob")
        alice.dismiss("g")
        for device in (alice, bob):
            device.delete("GROUPg")
            assert "GROUPg" not in device.listed()

    def test_is_the_owners(self, alice: Device, bob: Device) -> None:
        alice.create("g", "bob")
        with pytest.raises(Forbidden):
            bob.dismiss("g")

    def test_those_who_left_before_stay_as_they_were(self, alice: Device, bob: Device) -> None:
        alice.create("g", "bob")
        bob.quit("g")
        bob.told()
        alice.dismiss("g")
        assert group(bob).membership is Membership.LEFT
        assert bob.told() == []


class TestJoining:
    """Free, by approval, closed."""

    def test_free(self, alice: Device, bob: Device) -> None:
        alice.create("g", join="free")
        bob.join_group("G")
        assert alice.history("GROUPg")[-1] == "<joined>"
        assert group(bob).member_count == 2
        bob.told()
        bob.join_group("g")
        assert bob.told() == []

    def test_closed_by_invitation(self, alice: Device, bob: Device) -> None:
        alice.create("g", join="closed")
        with pytest.raises(GroupNotFound):
            bob.join_group("g")
        alice.invite("g", "bob")
        assert group(bob).membership is Membership.JOINED

    def test_inviting_is_for_members_and_skips_who_is_one(self, alice: Device, bob: Device, carol: Device) -> None:
        alice.create("g", "bob")
        with pytest.raises(NotAMember):
            carol.invite("g", "carol")
        bob.invite("g", "alice", "carol", "bob")
        assert alice.history("GROUPg") == ["<created>", "<invited>", "<invited>"]
        alice.told()
        bob.invite("g", "alice")
        assert alice.told() == []
        with pytest.raises(UserNotFound):
            bob.invite("g", "nobody")

    def test_a_group_can_be_full(self, world: World, alice: Device, bob: Device) -> None:
        alice.create("g")
        world.change("UPDATE chat_group SET member_count = ?", GROUP_MEMBERS)
        with pytest.raises(TooManyMembers):
            alice.invite("g", "bob")
        with pytest.raises(TooManyMembers):
            bob.join_group("g")
        with pytest.raises(InvalidRequest):
            world.do(members.invite, alice.caller, "g", AddMembers(members=[]))

    def test_many_are_told_of_in_one_tip_that_counts_them(self, world: World, alice: Device) -> None:
        people = [world.join(f"user{number}") for number in range(150)]
        alice.create("g", *(one.id for one in people))
        assert alice.history("GROUPg") == ["<created>", "<invited>"]
        assert group(people[-1]).member_count == 151
        assert people[-1].history("GROUPg") == ["<invited>"]
        assert notices(people[-1]) == [(TipKind.INVITED, "g")]
        [tip] = [one.tip for one in people[0].page("GROUPg").messages if one.tip is not None]
        assert (len(tip.user_id_list), tip.user_count) == (100, 150)
        last = alice.get("GROUPg").last_message
        assert last is not None
        assert last.tip is not None
        assert (len(last.tip.user_id_list), last.tip.user_count) == (5, 150)
        assert last.text == "Alice added user0, user1, user2 and 147 more"


class TestChanging:
    """A group's name and who may join it."""

    def test_its_name(self, world: World, alice: Device, bob: Device) -> None:
        alice.create("g", "bob")
        bob.told()
        answer = world.do(groups.change, alice.caller, "g", ChangeGroup(name="  New \n name "))
        assert answer.group.name == "New name"
        assert group(bob).name == "New name"
        tip, changed = bob.told()
        assert isinstance(tip, MessageNew)
        assert tip.conversation.name == "New name"
        assert isinstance(changed, GroupChanged)
        assert changed.group.name == "New name"

    def test_who_may_join(self, world: World, alice: Device, bob: Device, carol: Device) -> None:
        alice.create("g", "bob", join="closed")
        bob.told()
        world.do(groups.change, alice.caller, "g", ChangeGroup(join="free"))
        tip, event = bob.told()
        assert isinstance(tip, MessageNew)
        assert tip.message.tip is not None
        assert (tip.message.tip.what, tip.message.tip.join) == (TipKind.JOIN_RULE, "free")
        assert isinstance(event, GroupChanged)
        assert event.group.join == "free"
        carol.join_group("g")
        carol.told()
        world.do(groups.change, alice.caller, "g", ChangeGroup(join="free"))
        assert carol.told() == []

    def test_is_the_owners(self, world: World, alice: Device, bob: Device) -> None:
        alice.create("g", "bob")
        with pytest.raises(Forbidden):
            world.do(groups.change, bob.caller, "g", ChangeGroup(name="x"))
        with pytest.raises(InvalidRequest):
            world.do(groups.change, alice.caller, "g", ChangeGroup())


class TestLooking:
    """Who can see a group and its members."""

    def test_the_group(self, world: World, alice: Device, bob: Device, carol: Device) -> None:
        alice.create("open", join="free")
        alice.create("closed", "bob", join="closed")
        assert world.do(groups.get, carol.caller, "OPEN").group_id == "open"
        with pytest.raises(GroupNotFound):
            world.do(groups.get, carol.caller, "closed")
        bob.quit("closed")
        assert world.do(groups.get, bob.caller, "closed").member_count == 1

    def test_its_members_page_by_page(self, world: World, alice: Device, bob: Device, carol: Device) -> None:
        alice.create("g", "bob", "carol")
        first = world.do(members.page, bob.caller, "g", limit=2)
        assert [(one.user_id, one.role) for one in first.members] == [("Alice", "owner"), ("bob", "member")]
        rest = world.do(members.page, bob.caller, "g", cursor=first.next, limit=2)
        assert [one.user_id for one in rest.members] == ["carol"]
        assert rest.next is None
        carol.quit("g")
        with pytest.raises(NotAMember):
            world.do(members.page, carol.caller, "g")


def test_notices_count_as_unread(alice: Device, bob: Device) -> None:
    alice.create("one", "bob")
    alice.create("two", "bob")
    assert bob.listed()[SYSTEM].unread_count == 2
    bob.read(SYSTEM)
    assert bob.listed()[SYSTEM].unread_count == 0
