"""Groups: who is in one, what one's role lets one do there, joining, and deciding about who asks to."""

from typing import Any

import msgspec
import pytest
from textual.widgets import Input, OptionList

from tests.tui.apps import running, said, text_of, until
from tests.tui.fake import NOW, FakeSession, row
from tui_chat.protocol.errors import ApplicationNotFound, Forbidden, UserNotFound
from tui_chat.protocol.models import Application, Group, Member, Membership, Message, MessageType, Tip, TipKind
from tui_chat.protocol.requests import GroupAnswer
from tui_chat.tui.app import ChatApp
from tui_chat.tui.screens.group import GroupScreen
from tui_chat.tui.screens.group_rights import Rights, rights_of
from tui_chat.tui.widgets.member_list import MemberList, people


def session_as(role: str, *, join: str = "closed", **more: Any) -> FakeSession:
    """alice has this role in #ubuntu, whose row is the first."""
    session = FakeSession({"GROUPubuntu": row("GROUPubuntu", name="#ubuntu", role=role, member_count=4, **more)})
    session.groups["ubuntu"] = msgspec.convert(
        {"groupID": "ubuntu", "name": "#ubuntu", "owner": "alice", "join": join}, Group
    )
    session.people["ubuntu"] = [
        Member(user_id="bob", nick="Bob Smith"),
        Member(user_id="alice", role=role),
        Member(user_id="carol", role="admin"),
        Member(user_id="xiaolin", nick="小林"),
    ]
    return session


def shown(app: ChatApp) -> list[str]:
    """The rows of the group's screen."""
    rows = app.screen.query_one(MemberList).rows
    return [rows.key_at(index) for index in range(len(rows))]


async def opened(app: ChatApp, rows: int = 4) -> None:
    await until(lambda: isinstance(app.screen, GroupScreen) and len(shown(app)) == rows)


def test_what_each_role_may() -> None:
    group = Group(group_id="g", name="g", owner="o", join="approval")
    of = {role: rights_of(row("GROUPg", role=role), group) for role in ("owner", "admin", "member")}
    assert (of["owner"].leave, of["owner"].dismiss, of["owner"].transfer, of["owner"].roles) == (
        False,
        True,
        True,
        True,
    )
    assert (of["admin"].leave, of["admin"].dismiss, of["admin"].transfer, of["admin"].roles) == (
        True,
        False,
        False,
        False,
    )
    assert [of[role].decide for role in of] == [True, True, False]
    assert [of[role].rename and of[role].mute and of[role].join_rule for role in of] == [True, True, False]
    assert [of[role].invite for role in of] == [True, True, False]
    assert rights_of(row("GROUPg", role="member"), msgspec.structs.replace(group, join="closed")).invite
    removes = {role: [other for other in ("owner", "admin", "member") if of[role].remove(other)] for role in of}
    assert removes == {"owner": ["admin", "member"], "admin": ["member"], "member": []}
    left = row("GROUPg", membership=Membership.LEFT)
    assert rights_of(left, group) == Rights(join=True)
    assert rights_of(left, msgspec.structs.replace(group, join="closed")) == Rights()
    assert rights_of(row("GROUPg", membership=Membership.DISMISSED), group) == Rights()


async def test_members_with_their_roles_and_only_what_the_role_allows() -> None:
    async with running(session_as("member")) as (app, pilot):
        await pilot.press("M")
        await opened(app)
        assert shown(app) == ["carol", "alice", "bob", "xiaolin"]
        await until(lambda: "Bob Smith (bob)" in text_of(app) and "Loading" not in text_of(app))
        page = text_of(app)
        assert "administrator" in page
        assert "alice (you)" in page
        keys = page.splitlines()[-9:]
        assert any("a Add members" in line and "l Leave" in line for line in keys), keys
        assert not any("Dismiss" in line or "Remove" in line or "Rename" in line for line in keys)
        await pilot.press("j", "j", "x", "X", "n", "m")
        await pilot.pause()
        assert isinstance(app.screen, GroupScreen)


async def test_a_long_nick_leaves_the_user_id_in_sight() -> None:
    session = session_as("owner")
    session.people["ubuntu"].append(Member(user_id="mallory", nick="a nick of so many words that one is cut"))
    async with running(session) as (app, pilot):
        await pilot.press("M")
        await opened(app, rows=5)
        await until(lambda: "that one is cut (mallory)" in text_of(app))


async def test_the_owner_removes_gives_roles_and_hands_on() -> None:
    session = session_as("owner")
    async with running(session) as (app, pilot):
        await pilot.press("M")
        await opened(app)
        assert shown(app) == ["alice", "carol", "bob", "xiaolin"]
        await pilot.press("j", "j", "r")
        await until(lambda: ("role", ("ubuntu", "bob", "admin")) in session.calls)
        await until(lambda: shown(app) == ["alice", "bob", "carol", "xiaolin"])
        assert app.screen.query_one(MemberList).cursor_key == "bob"
        await pilot.press("x")
        await until(lambda: "Remove Bob Smith (bob) from #ubuntu?" in text_of(app))
        await pilot.press("n")
        await pilot.press("x")
        await until(lambda: "Remove Bob Smith (bob) from #ubuntu?" in text_of(app))
        await pilot.press("y")
        await until(lambda: isinstance(app.screen, GroupScreen) and shown(app) == ["alice", "carol", "xiaolin"])
        assert session.calls.count(("kick", ("ubuntu", "bob"))) == 1
        await pilot.press("end", "t")
        await until(lambda: "Make 小林 (xiaolin) the owner" in text_of(app))
        await pilot.press("y")
        await until(lambda: ("transfer", ("ubuntu", "xiaolin")) in session.calls)
        await until(lambda: isinstance(app.screen, GroupScreen) and app.screen.rights.role == "member")


async def test_adding_stays_open_with_the_reason_until_it_is_taken() -> None:
    session = session_as("owner")
    async with running(session) as (app, pilot):
        await pilot.press("M")
        await opened(app)
        session.error = UserNotFound()
        await pilot.press("a", *"nobody", "enter")
        await until(lambda: "user" in text_of(app).lower() and ("add", ("ubuntu", ["nobody"])) in session.calls)
        assert app.screen.query_one(Input).value == "nobody"
        session.error = None
        await pilot.press("ctrl+u", *"dave erin", "enter")
        await until(lambda: ("add", ("ubuntu", ["dave", "erin"])) in session.calls)
        await opened(app, 6)
        assert "Added to #ubuntu" in said(app)[-1]


async def test_rename_mute_and_who_may_join() -> None:
    session = session_as("admin")
    async with running(session) as (app, pilot):
        await pilot.press("M")
        await opened(app)
        await pilot.press("n", "end", *"-help", "enter")
        await until(lambda: ("rename", ("ubuntu", "#ubuntu-help")) in session.calls)
        await until(lambda: "#ubuntu-help · 4 members" in text_of(app))
        await pilot.press("m")
        await until(lambda: ("mute", ("ubuntu", True)) in session.calls)
        await until(lambda: "only its owner and administrators write" in text_of(app))
        await pilot.press("w")
        await until(lambda: isinstance(app.focused, OptionList))
        await pilot.press("down", "enter")
        await until(lambda: ("join rule", ("ubuntu", "approval")) in session.calls)
        await until(lambda: "joins: whom the owner or an administrator lets in" in text_of(app))


async def test_leaving_asks_and_the_row_stays() -> None:
    session = session_as("member")
    async with running(session) as (app, pilot):
        await pilot.press("M")
        await opened(app)
        await pilot.press("l")
        await until(lambda: "Leave #ubuntu?" in text_of(app))
        await pilot.press("y")
        await until(lambda: ("quit", ("ubuntu",)) in session.calls)
        await until(lambda: "only its members see" in text_of(app))
        await pilot.press("escape")
        await until(lambda: "(left)" in text_of(app))


async def test_dismissing_says_for_how_many_and_starts_on_cancel() -> None:
    session = session_as("owner")
    async with running(session) as (app, pilot):
        await pilot.press("M")
        await opened(app)
        await pilot.press("X")
        await until(lambda: "ends for all 4 members" in text_of(app))
        await pilot.press("enter")
        await opened(app)
        assert ("dismiss", ("ubuntu",)) not in session.calls
        await pilot.press("X")
        await until(lambda: "ends for all 4 members" in text_of(app))
        await pilot.press("y")
        await until(lambda: ("dismiss", ("ubuntu",)) in session.calls)


async def test_who_asks_to_join_stands_first_and_is_let_in_or_declined() -> None:
    session = session_as("owner", join="approval")
    session.waiting["ubuntu"] = [
        Application(user_id="dave", text="carol sent me", time=NOW),
        Application(user_id="erin", time=NOW),
    ]
    async with running(session) as (app, pilot):
        await pilot.press("M")
        await opened(app, 6)
        assert shown(app)[:2] == ["dave", "erin"]
        assert "carol sent me" in text_of(app)
        assert "2 ask to join" in text_of(app)
        await pilot.press("A")
        await until(lambda: ("decide", ("ubuntu", "dave", True)) in session.calls)
        await until(lambda: "dave is a member now" in said(app))
        await until(lambda: shown(app)[0] == "erin" and "dave" in shown(app)[1:])
        await pilot.press("home", "D")
        await until(lambda: ("decide", ("ubuntu", "erin", False)) in session.calls)


def notice(seq: int, what: TipKind = TipKind.APPLIED) -> Message:
    return Message(
        conversation_id="@TIM#SYSTEM",
        message_seq=seq,
        client_id=f"notice-{seq}",
        sender="@TIM#SYSTEM",
        time=NOW,
        type=MessageType.NOTICE,
        text="dave asks to join #ubuntu",
        tip=Tip(what=what, operator="dave", group_id="ubuntu", name="#ubuntu", text="carol sent me"),
    )


@pytest.mark.parametrize(("key", "accept"), [("A", True), ("D", False)])
async def test_a_notice_is_answered_where_it_is_read(key: str, accept: bool) -> None:
    session = session_as("owner", join="approval")
    session.conversations["@TIM#SYSTEM"] = row("@TIM#SYSTEM", name="", age=-1, message_count=1)
    session.messages["@TIM#SYSTEM"] = [notice(1)]
    session.waiting["ubuntu"] = [Application(user_id="dave", time=NOW)]
    async with running(session) as (app, pilot):
        await pilot.press("home", "enter")
        await until(lambda: "dave asks to join #ubuntu" in text_of(app))
        await pilot.press("k")
        await until(lambda: app.main.conversation.messages.current_message is not None)
        await until(lambda: "A Accept" in text_of(app))
        await pilot.press(key)
        await until(lambda: ("decide", ("ubuntu", "dave", accept)) in session.calls)
        await until(lambda: ("→ let in by you" if accept else "→ declined by you") in text_of(app))
        await until(lambda: "A Accept" not in text_of(app))
        await pilot.press("A", "D")
        await pilot.pause()
        assert len([one for one in session.calls if one[0] == "decide"]) == 1, "it is decided"


async def test_of_what_was_decided_elsewhere_it_is_said_how_and_by_whom() -> None:
    session = session_as("owner", join="approval")
    notices = [notice(1), notice(2, TipKind.DECLINED), notice(3), notice(4, TipKind.ACCEPTED), notice(5)]
    for at, who in ((1, "bob"), (3, "carol")):
        tip = notices[at].tip
        assert tip is not None
        decided = msgspec.structs.replace(tip, operator=who, user_id_list=["dave"], text=None)
        notices[at] = msgspec.structs.replace(notices[at], tip=decided)
    session.conversations["@TIM#SYSTEM"] = row("@TIM#SYSTEM", name="", age=-1, message_count=5)
    session.messages["@TIM#SYSTEM"] = notices
    session.waiting["ubuntu"] = [Application(user_id="dave", time=NOW)]
    async with running(session) as (app, pilot):
        await pilot.press("home", "enter")
        await until(lambda: "→ let in by carol" in text_of(app))
        assert "→ declined by bob" in text_of(app)
        assert text_of(app).count("→") == 2, "the last one waits"
        await pilot.press("k")
        await until(lambda: "A Accept" in text_of(app))
        await pilot.press("k", "k")
        await until(lambda: "A Accept" not in text_of(app))
        session.waiting["ubuntu"] = []
        session.arrive(msgspec.structs.replace(notices[1], message_seq=6, client_id="notice-6"))
        await until(lambda: text_of(app).count("→ declined by bob") == 2)


@pytest.mark.parametrize(
    ("waiting", "said_then"),
    [([], "→ decided since"), ([Application(user_id="dave", time=NOW + 1)], "→ decided since")],
)
async def test_what_no_notice_tells_is_asked_of_the_group(waiting: list[Application], said_then: str) -> None:
    session = session_as("owner", join="approval")
    session.conversations["@TIM#SYSTEM"] = row("@TIM#SYSTEM", name="", age=-1, message_count=1)
    session.messages["@TIM#SYSTEM"] = [notice(1)]
    session.waiting["ubuntu"] = waiting
    async with running(session) as (app, pilot):
        await pilot.press("home", "enter")
        await until(lambda: said_then in text_of(app))


async def test_who_was_let_in_is_found_in_the_group() -> None:
    session = session_as("owner", join="approval")
    session.conversations["@TIM#SYSTEM"] = row("@TIM#SYSTEM", name="", age=-1, message_count=1)
    session.messages["@TIM#SYSTEM"] = [notice(1)]
    tip = Tip(what=TipKind.ACCEPTED, operator="alice", user_id_list=["dave"])
    held = msgspec.structs.replace(notice(9, TipKind.ACCEPTED), conversation_id="GROUPubuntu", tip=tip)
    kept = {"GROUPubuntu": [msgspec.structs.replace(held, type=MessageType.TIP)]}
    session.cached_tail = lambda conversation_id, count=50: kept.get(conversation_id, [])  # type: ignore[method-assign]
    async with running(session) as (app, pilot):
        await pilot.press("home", "enter")
        await until(lambda: "→ let in by you" in text_of(app))


async def test_who_decides_no_more_is_told_so() -> None:
    session = session_as("member", join="approval")
    session.conversations["@TIM#SYSTEM"] = row("@TIM#SYSTEM", name="", age=-1, message_count=1)
    session.messages["@TIM#SYSTEM"] = [notice(1)]

    async def refused(group_id: str) -> list[Application]:
        raise Forbidden

    session.applications = refused  # type: ignore[method-assign]
    async with running(session) as (app, pilot):
        await pilot.press("home", "enter", "k")
        await until(lambda: "→ no longer yours to decide" in text_of(app))
        assert "A Accept" not in text_of(app)


async def test_where_somebody_else_was_quicker_the_notice_says_so_after_the_key() -> None:
    session = session_as("owner", join="approval")
    session.conversations["@TIM#SYSTEM"] = row("@TIM#SYSTEM", name="", age=-1, message_count=1)
    session.messages["@TIM#SYSTEM"] = [notice(1)]
    session.waiting["ubuntu"] = [Application(user_id="dave", time=NOW)]

    async def late(group_id: str, user_id: str, *, accept: bool) -> GroupAnswer:
        session.waiting["ubuntu"] = []
        raise ApplicationNotFound

    session.decide_application = late  # type: ignore[method-assign]
    async with running(session) as (app, pilot):
        await pilot.press("home", "enter", "k")
        await until(lambda: "A Accept" in text_of(app))
        await pilot.press("A")
        await until(lambda: "→ decided since" in text_of(app))
        assert said(app)


async def test_other_notices_and_messages_are_not_answered_so() -> None:
    session = session_as("owner")
    session.conversations["@TIM#SYSTEM"] = row("@TIM#SYSTEM", name="", age=-1, message_count=1)
    session.messages["@TIM#SYSTEM"] = [notice(1, TipKind.KICKED)]
    async with running(session) as (app, pilot):
        await pilot.press("home", "enter")
        await until(lambda: "dave" in text_of(app))
        await pilot.press("k")
        await until(lambda: app.main.conversation.messages.current_message is not None)
        await pilot.press("A", "D")
        await pilot.pause()
        assert "Accept" not in text_of(app)
        assert not [one for one in session.calls if one[0] == "decide"]


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (20, 5)])
async def test_two_thousand_members(size: tuple[int, int]) -> None:
    session = session_as("owner")
    session.people["ubuntu"] = [Member(user_id="alice", role="owner")] + [
        Member(user_id=f"user{number:04}") for number in range(1_999)
    ]
    async with running(session, size=size) as (app, pilot):
        await pilot.press("M")
        await opened(app, 2_000)
        await pilot.press("G")
        await until(lambda: app.screen.query_one(MemberList).cursor_key == "user1998")
        await pilot.press("slash", *"r0042", "enter")
        await until(lambda: shown(app) == ["user0042"])
        await pilot.press("escape")
        await opened(app, 2_000)


async def test_who_comes_meanwhile_is_shown() -> None:
    session = session_as("owner")
    async with running(session) as (app, pilot):
        await pilot.press("M")
        await opened(app)
        session.people["ubuntu"].append(Member(user_id="dave"))
        tip = Tip(what=TipKind.JOINED, operator="dave", user_id_list=["dave"], group_id="ubuntu", name="#ubuntu")
        session.arrive(msgspec.structs.replace(notice(5), conversation_id="GROUPubuntu", type=MessageType.TIP, tip=tip))
        await opened(app, 5)


async def test_enter_writes_to_a_member() -> None:
    async with running(session_as("member")) as (app, pilot):
        await pilot.press("M")
        await opened(app)
        await pilot.press("enter")
        await until(lambda: app.main.conversation.conversation_id == "C2Ccarol")


async def test_by_the_palette_too_and_only_for_groups() -> None:
    session = session_as("member")
    session.conversations["C2Cbob"] = row("C2Cbob", age=5)
    async with running(session) as (app, pilot):
        await pilot.press("ctrl+p", *"leave the gr")
        await until(lambda: "Leave the group" in text_of(app))
        await pilot.press("enter")
        await until(lambda: "Leave #ubuntu?" in text_of(app))
        await pilot.press("escape", "end", "M")
        await pilot.pause()
        assert app.screen is app.main


@pytest.mark.parametrize("typed", ['"#book club" bob', '#"book club" bob'])
async def test_a_name_of_two_words_stands_in_quotes_with_its_sign_or_after_it(typed: str) -> None:
    session = session_as("member")
    async with running(session) as (_app, pilot):
        await pilot.press("c", *typed, "enter")
        await until(lambda: ("group", ("#book club", ["bob"])) in session.calls)


@pytest.mark.parametrize(("join", "status"), [("free", "joined"), ("approval", "waiting")])
async def test_joining_by_id(join: str, status: str) -> None:
    session = session_as("member", join=join)
    async with running(session) as (app, pilot):
        await pilot.press("c", *"+ubuntu Bob sent me", "enter")
        await until(lambda: ("join", ("ubuntu", "Bob sent me")) in session.calls)
        await until(lambda: app.screen is app.main)
        if status == "joined":
            await until(lambda: app.main.conversation.conversation_id == "GROUPubuntu")
        else:
            await until(lambda: "You asked to join #ubuntu: its owner or an administrator decides" in said(app))
            assert app.main.conversation.conversation_id is None


async def test_coming_back_by_approval() -> None:
    session = session_as("member", join="approval", membership=Membership.LEFT)
    async with running(session) as (app, pilot):
        await pilot.press("M")
        await until(lambda: "only its members see" in text_of(app))
        await pilot.press("J")
        await until(lambda: "Ask to join" in text_of(app))
        await pilot.press(*"please", "enter")
        await until(lambda: ("join", ("ubuntu", "please")) in session.calls)


def test_who_is_in_already_does_not_wait_as_well() -> None:
    found = people([Member(user_id="dave")], [Application(user_id="dave", time=1), Application(user_id="erin", time=2)])
    assert [(one.user_id, one.waits) for one in found] == [("erin", True), ("dave", False)]
