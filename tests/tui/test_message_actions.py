"""What is done with one message: react, take back, open its links, tell all about it."""

import webbrowser
from typing import Any

import msgspec
import pytest
from textual.pilot import Pilot

from tests.hostile.payloads import FORBIDDEN, PAYLOADS
from tests.tui.apps import running, said, text_of, until
from tests.tui.fake import NOW, FakeSession
from tui_chat.client.changes import CommandRefused, Connection
from tui_chat.protocol.errors import ErrorBody, NotConnected, TooManyReactions
from tui_chat.protocol.models import MessageType, Reaction, User
from tui_chat.protocol.requests import MessageReaders
from tui_chat.tui.app import ChatApp
from tui_chat.tui.browser import host_of
from tui_chat.tui.dialogs.details import MessageDetails
from tui_chat.tui.dialogs.dialog import Dialog
from tui_chat.tui.dialogs.open_link import OpenLink
from tui_chat.tui.dialogs.react import React, choices
from tui_chat.tui.render.formatting import links
from tui_chat.tui.safe import lines


def talk(session: FakeSession, **changes: object) -> FakeSession:
    """The last message of bob is another."""
    held = session.messages["C2Cbob"]
    held[-1] = msgspec.structs.replace(held[-1], **changes)
    return session


async def on_message(app: ChatApp, pilot: Pilot[None], seq: int, conversation_id: str = "C2Cbob") -> None:
    """The cursor on one message."""
    app.main.open(conversation_id)
    await until(lambda: app.main.conversation.messages.message(seq) is not None)
    await pilot.press("escape")
    app.main.conversation.messages.go_to(seq)
    await until(lambda: app.main.conversation.messages.current_message is not None)


def reactions(session: FakeSession) -> dict[str, Reaction]:
    return session.messages["C2Cbob"][-1].reactions


# Reactions


async def test_a_reaction_and_the_same_again() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await on_message(app, pilot, 4)
        await pilot.press("plus")
        await until(lambda: isinstance(app.screen, React))
        await pilot.press(*"heart", "enter")
        await until(lambda: "[❤ 1]" in text_of(app))
        assert reactions(session)["❤"].mine
        await pilot.press("plus")
        await until(lambda: "yours, Enter takes it back" in text_of(app))
        await pilot.press("enter")
        await until(lambda: not reactions(session))
        await until(lambda: "❤" not in text_of(app))


async def test_others_reactions_have_no_brackets_and_one_joins_in() -> None:
    session = talk(FakeSession(), reactions={"🎉": Reaction(count=2, user_id_list=["bob", "carol"])})
    async with running(session) as (app, pilot):
        await on_message(app, pilot, 4)
        await until(lambda: "🎉 2" in text_of(app) and "[🎉" not in text_of(app))
        await pilot.press("plus", "enter")
        await until(lambda: "[🎉 3]" in text_of(app))


@pytest.mark.parametrize(("typed", "first"), [("", "👍"), ("🦊", "🦊"), ("fox face", "🦊"), ("THUMBS down", "👎")])
def test_what_is_offered(typed: str, first: str) -> None:
    assert choices(typed, {})[0].emoji == first


@pytest.mark.parametrize(
    ("typed", "offered"), [("", ["🎉", "🔥"]), ("🔥", ["🔥"]), ("fire", ["🔥"]), ("fox", []), ("🦊", [])]
)
def test_where_no_other_has_room_those_there_are_offered(typed: str, offered: list[str]) -> None:
    there = {emoji: Reaction(count=1, user_id_list=["bob"]) for emoji in ("🎉", "🔥")}
    assert [one.emoji for one in choices(typed, there, full=True)] == offered


async def test_a_message_with_as_many_reactions_as_there_can_be() -> None:
    kinds = "🎉🔥👍😂😮😢🙏👀✅❌"
    session = talk(FakeSession(), reactions={one: Reaction(count=1, user_id_list=["bob"]) for one in kinds})
    assert len(kinds) == session.server.limits.reaction_kinds
    async with running(session) as (app, pilot):
        await on_message(app, pilot, 4)
        await pilot.press("plus")
        await until(lambda: "No other emoji has room on this message." in text_of(app))
        await pilot.press(*"rocket", "enter")
        await pilot.pause()
        assert isinstance(app.screen, React)
        await pilot.press(*["backspace"] * 6, *"fire", "enter")
        await until(lambda: "[🔥 2]" in text_of(app))


async def test_what_is_no_emoji_is_not_taken() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await on_message(app, pilot, 4)
        await pilot.press("plus", *"qqqq", "enter")
        await pilot.pause()
        assert isinstance(app.screen, React)
        await pilot.press("escape")
        await until(lambda: app.screen is app.main)
        assert not [call for call in session.calls if call[0] == "react"]


async def test_a_reaction_that_is_refused() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await on_message(app, pilot, 4)
        session.error = TooManyReactions()
        await pilot.press("plus", "enter")
        await until(lambda: said(app))
        assert reactions(session) == {}


async def test_a_reaction_without_a_connection_shows_at_once() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await on_message(app, pilot, 4)
        session.connect(Connection.OFFLINE)
        await pilot.press("plus", "enter")
        await until(lambda: "[👍 1]" in text_of(app))
        error = ErrorBody(code="tooManyReactions", message="no")
        session.tell(CommandRefused(what="react", conversation_id_list=["C2Cbob"], error=error))
        await until(lambda: any(one.startswith("Not changed:") for one in said(app)))
        assert app.main.primary.list.targets, "the row itself has not failed"
        assert not app.device.deleter.can_retry


# Taking back


async def test_taking_back_asks_and_says_how_long_it_can_be_done() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await on_message(app, pilot, 3)  # a minute old
        await pilot.press("X")
        await until(lambda: "Take this message back from everybody? 1:00 left" in text_of(app))
        await pilot.press("n")
        await until(lambda: app.screen is app.main)
        assert not session.messages["C2Cbob"][2].recalled
        await pilot.press("X")
        await until(lambda: app.screen is not app.main)
        await pilot.press("y")
        await until(lambda: "message taken back" in text_of(app))
        assert ("recall", ("C2Cbob", 3)) in session.calls


async def test_too_late_is_said() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await on_message(app, pilot, 1)
        await pilot.press("X")
        await until(lambda: "Too late: a message can be taken back for 2 minutes" in said(app))
        assert app.screen is app.main


async def test_others_messages_cannot_be_taken_back() -> None:
    async with running(FakeSession()) as (app, pilot):
        await on_message(app, pilot, 4)
        await pilot.press("X")
        await pilot.pause()
        assert app.screen is app.main


async def test_who_leads_a_group_can_take_back_what_others_wrote() -> None:
    session = FakeSession()
    session.conversations["GROUPubuntu"] = msgspec.structs.replace(session.conversations["GROUPubuntu"], role="admin")
    async with running(session) as (app, pilot):
        await on_message(app, pilot, 1200, "GROUPubuntu")
        await pilot.press("X")
        await until(lambda: "Take this message back" in text_of(app))


async def test_what_was_taken_back_waits_with_its_sign() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await on_message(app, pilot, 3)
        session.connect(Connection.OFFLINE)
        await pilot.press("X", "y")
        await until(lambda: "◌" in next((line for line in text_of(app).split("\n") if "taken back" in line), ""))


# Links


class Browser:
    """Opens nothing."""

    def __init__(self) -> None:
        self.opened: list[str] = []

    def open(self, url: str) -> bool:
        self.opened.append(url)
        return True


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Browser:
    one = Browser()
    monkeypatch.setattr(webbrowser, "get", lambda: one)
    return one


async def test_a_link_is_shown_in_full_before_it_is_opened(browser: Browser) -> None:
    url = "https://bank.example@evil.example/" + "x" * 150 + "?end"
    session = talk(FakeSession(), text=f"see {url}, now")
    async with running(session) as (app, pilot):
        await on_message(app, pilot, 4)
        await pilot.press("o")
        await until(lambda: isinstance(app.screen, OpenLink))
        await until(lambda: "leads to evil.example" in text_of(app))
        assert "?end" in text_of(app)
        await pilot.press("escape")
        await until(lambda: app.screen is app.main)
        assert browser.opened == []
        await pilot.press("o", "enter")
        await until(lambda: browser.opened == [url])


async def test_of_several_links_one_is_chosen_and_can_be_copied(browser: Browser) -> None:
    session = talk(
        FakeSession(), text="http://one.example and https://two.example\nhttp://one.example ftp://three.example"
    )
    async with running(session) as (app, pilot):
        await on_message(app, pilot, 4)
        await pilot.press("o")
        await until(lambda: "Open which link?" in text_of(app))
        assert "three.example" not in text_of(app).split("Open which")[1].split("Enter opens")[0]
        await pilot.press("j", "enter")
        await until(lambda: browser.opened == ["https://two.example"])
        await pilot.press("o", "y")
        await until(lambda: app.clipboard == "http://one.example")


async def test_without_a_browser_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> None:
        raise webbrowser.Error("no browser")

    monkeypatch.setattr(webbrowser, "get", none)
    session = talk(FakeSession(), text="http://one.example")
    async with running(session) as (app, pilot):
        await on_message(app, pilot, 4)
        await pilot.press("o", "enter")
        await until(lambda: "No browser could be started here" in "".join(said(app)))


async def test_a_message_without_links_opens_nothing() -> None:
    async with running(FakeSession()) as (app, pilot):
        await on_message(app, pilot, 4)
        await pilot.press("o")
        await pilot.pause()
        assert app.screen is app.main


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://a.example/x", "a.example"),
        ("http://user:secret@b.example:80", "b.example"),
        ("javascript:alert(1)", None),
        ("file:///etc/passwd", None),
        ("http://[broken", None),
    ],
)
def test_where_a_link_leads(url: str, host: str | None) -> None:
    assert host_of(url) == host


@pytest.mark.parametrize("payload", PAYLOADS)
def test_links_hold_nothing_that_is_not_seen(payload: str) -> None:
    for link in links(lines(f"https://a.example/{payload} {payload}")):
        assert FORBIDDEN.isdisjoint(link)
        assert link.startswith("https://")
        assert " " not in link


# Details


async def test_details_of_ones_own_message_in_a_group() -> None:
    session = FakeSession()
    session.conversations["GROUPubuntu"] = msgspec.structs.replace(session.conversations["GROUPubuntu"], member_count=4)
    held = session.messages["GROUPubuntu"]
    held[-2] = msgspec.structs.replace(
        held[-2], edited_at=NOW, reactions={"👍": Reaction(count=3, user_id_list=["alice", "bob"], mine=True)}
    )
    session.read_by = MessageReaders(
        read=[User(user_id="bob", nick="Bob Smith")],
        unread=[User(user_id="bobby"), User(user_id="xiaolin", nick="小林")],
        read_count=1,
        unread_count=2,
    )
    async with running(session) as (app, pilot):
        await on_message(app, pilot, 1199, "GROUPubuntu")
        await pilot.press("v")
        await until(lambda: "Not read yet by 2:" in text_of(app))
        for words in ("From you", "Edited 2025-11-18", "you, bob and 1 more", "Bob Smith (bob)", "小林 (xiaolin)"):
            assert words in text_of(app), words
        await pilot.press("v")
        await until(lambda: app.screen is app.main)


async def test_details_say_why_readers_are_not_told() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await on_message(app, pilot, 1199, "GROUPubuntu")  # 214 members
        await pilot.press("v")
        await until(lambda: "told in groups of up to 200" in text_of(app))
        assert ("readers", ("GROUPubuntu", 1199)) not in session.calls
        await pilot.press("escape")
        row = session.conversations["GROUPubuntu"]
        session.conversations["GROUPubuntu"] = msgspec.structs.replace(row, member_count=4)
        session.error = NotConnected()
        await pilot.press("v")
        await until(lambda: "Who has read it: " in text_of(app))


async def test_details_of_somebody_elses_message_ask_nobody() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await on_message(app, pilot, 4)
        await pilot.press("v")
        await until(lambda: isinstance(app.screen, MessageDetails))
        assert "From bob" in text_of(app)
        assert not [call for call in session.calls if call[0] == "readers"]


@pytest.mark.parametrize("payload", [" ".join(one for one in PAYLOADS if 0 < len(one) < 100), "x" * 8_000])
async def test_hostile_text_in_every_dialog(payload: str) -> None:
    session = talk(
        FakeSession(),
        sender=payload,
        nick=payload,
        text=f"https://a.example/{payload}\n{payload}",
        reactions={payload[:40]: Reaction(count=1, user_id_list=[payload])},
        recalled_by=payload,
    )
    async with running(session) as (app, pilot):
        await on_message(app, pilot, 4)
        for key in ("v", "plus", "o", "r"):
            await pilot.press(key)
            await pilot.pause()
            for line in text_of(app).split("\n"):
                assert FORBIDDEN.isdisjoint(line), (key, line)
            await pilot.press("escape")
            await until(lambda: app.screen is app.main)


async def test_tips_are_neither_answered_nor_reacted_to() -> None:
    session = talk(FakeSession(), type=MessageType.TIP)
    async with running(session) as (app, pilot):
        await on_message(app, pilot, 4)
        await pilot.press("r", "plus", "o", "X")
        await pilot.pause()
        assert app.screen is app.main
        assert "Reply to" not in text_of(app)


def every_dialog() -> list[type[Dialog[Any]]]:
    found: list[type[Dialog[Any]]] = []
    left: list[type[Dialog[Any]]] = [Dialog]
    while left:
        found.append(left.pop())
        left += found[-1].__subclasses__()
    return found


@pytest.mark.parametrize("dialog", every_dialog(), ids=lambda dialog: dialog.__name__)
def test_every_key_of_a_dialog_has_something_to_do(dialog: type[Dialog[Any]]) -> None:
    for binding in dialog.BINDINGS:
        action = binding[1] if isinstance(binding, tuple) else binding.action
        owner = ChatApp if action.startswith("app.") else dialog
        assert hasattr(owner, f"action_{action.removeprefix('app.').split('(')[0]}"), action


async def test_who_left_a_group_is_offered_no_reaction_and_no_taking_back() -> None:
    session = FakeSession()
    held = session.messages["GROUPold"]
    held[-1] = msgspec.structs.replace(held[-1], sender="alice", time=NOW)
    async with running(session) as (app, pilot):
        app.main.open("GROUPold")
        await until(lambda: app.main.conversation.messages.message(4) is not None)
        app.main.conversation.messages.go_to(4)
        await until(lambda: "y Copy" in text_of(app))
        assert "React" not in text_of(app)
        assert "Take back" not in text_of(app)
        before = app.screen
        await pilot.press("plus", "X")
        await pilot.pause()
        assert app.screen is before
