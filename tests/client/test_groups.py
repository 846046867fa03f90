"""Groups from sessions, against a real server."""

import pytest

from tests.client.sessions import Sessions, Watched, eventually
from tui_chat.client.changes import GroupUpdated, MemberUpdated
from tui_chat.protocol.errors import ApplicationNotFound, Forbidden, GroupMuted, OwnerCannotQuit
from tui_chat.protocol.ids import SYSTEM
from tui_chat.protocol.models import Membership, TipKind

GROUP = "GROUPg"


@pytest.fixture
async def ann(sessions: Sessions) -> Watched:
    """Owns a group that lets people in by approval."""
    ann = await sessions.register("ann")
    await ann.session.create_group("The group", group_id="g", join="approval")
    return ann


@pytest.fixture
async def bob(ann: Watched, sessions: Sessions) -> Watched:
    """Is not in it."""
    return await sessions.register("bob")


async def told(watched: Watched, what: TipKind) -> None:
    """Wait until the newest thing that the system said is this."""

    def newest() -> bool:
        row = watched.session.conversations.get(SYSTEM)
        last = None if row is None else row.last_message
        return last is not None and last.tip is not None and last.tip.what is what

    await eventually(newest, f"no notice of {what}")


async def let_in(ann: Watched, bob: Watched) -> None:
    await bob.session.join_group("g")
    await ann.session.decide_application("g", "bob", accept=True)
    await eventually(lambda: GROUP in bob.session.conversations)


async def test_applying_and_deciding(ann: Watched, bob: Watched) -> None:
    answer = await bob.session.join_group("g", "let me in")
    assert (answer.status, answer.group.name) == ("waiting", "The group")
    await told(ann, TipKind.APPLIED)
    assert [(one.user_id, one.text) for one in await ann.session.applications("g")] == [("bob", "let me in")]
    await ann.session.decide_application("g", "bob", accept=False)
    await told(bob, TipKind.DECLINED)
    with pytest.raises(ApplicationNotFound):
        await ann.session.decide_application("g", "bob", accept=True)
    assert (await bob.session.join_group("g")).status == "waiting"
    accepted = await ann.session.decide_application("g", "bob", accept=True)
    assert accepted.group.member_count == 2
    await told(bob, TipKind.ACCEPTED)
    assert bob.session.conversations[GROUP].membership is Membership.JOINED
    assert (await bob.session.join_group("g")).status == "member"


async def test_an_answer_comes_once_the_own_row_shows_it(ann: Watched, bob: Watched) -> None:
    await let_in(ann, bob)
    await ann.session.mute_all("g")
    assert ann.session.conversations[GROUP].muted_all
    await ann.session.rename_group("g", "Another")
    assert ann.session.conversations[GROUP].name == "Another"
    await ann.session.transfer_group("g", "bob")
    assert ann.session.conversations[GROUP].role == "member"
    await ann.session.quit_group("g")
    assert ann.session.conversations[GROUP].membership is Membership.LEFT


async def test_others_hear_of_roles_muting_and_the_rule(ann: Watched, bob: Watched) -> None:
    await let_in(ann, bob)
    await ann.session.mute_all("g")
    assert (await bob.sees(GroupUpdated)).group.muted
    await eventually(lambda: bob.session.conversations[GROUP].muted_all)
    with pytest.raises(GroupMuted):
        await bob.session.send_message(GROUP, "hello")
    await ann.session.set_role("g", "bob", "admin")
    changed = await bob.sees(MemberUpdated)
    assert (changed.group_id, changed.member.user_id, changed.member.role) == ("g", "bob", "admin")
    assert bob.session.conversations[GROUP].role == "admin"
    await bob.session.send_message(GROUP, "hello")
    await bob.session.set_join_rule("g", "free")
    await ann.sees(GroupUpdated, lambda one: one.group.join == "free")
    assert {one.user_id: one.role for one in await ann.session.members("g")} == {"ann": "owner", "bob": "admin"}


async def test_refusals_come_as_what_they_are(ann: Watched, bob: Watched) -> None:
    with pytest.raises(OwnerCannotQuit):
        await ann.session.quit_group("g")
    await let_in(ann, bob)
    with pytest.raises(Forbidden):
        await bob.session.mute_all("g")
    with pytest.raises(Forbidden):
        await bob.session.kick("g", "ann")
    await ann.session.kick("g", "bob")
    await told(bob, TipKind.KICKED)
    assert bob.session.conversations[GROUP].membership is Membership.KICKED
    await ann.session.dismiss("g")
    assert ann.session.conversations[GROUP].membership is Membership.DISMISSED
