"""Looking for words here and everywhere, and going to the first unread message."""

import asyncio
import re
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList

from tests.hostile.payloads import FORBIDDEN, PAYLOADS
from tests.tui.apps import running, said, text_of, until
from tests.tui.fake import FakeSession
from tui_chat.client.changes import Connection
from tui_chat.client.results import FoundMessages
from tui_chat.protocol.errors import NotConnected, TooFrequent
from tui_chat.tui.app import ChatApp
from tui_chat.tui.commands.command import Scope
from tui_chat.tui.screens import search_everywhere
from tui_chat.tui.screens.search_everywhere import SearchEverywhere


async def ubuntu(app: ChatApp, pilot: Pilot[None]) -> None:
    app.main.open("GROUPubuntu")
    await until(lambda: "message 1200" in text_of(app))
    await pilot.press("escape")


def at(app: ChatApp) -> int:
    message = app.main.conversation.messages.current_message
    return message.message_seq if message is not None else 0


def with_texts(session: FakeSession, texts: dict[int, str]) -> FakeSession:
    held = session.messages["GROUPubuntu"]
    for seq, text in texts.items():
        held[seq - 1] = msgspec.structs.replace(held[seq - 1], text=text)
    return session


async def test_words_are_found_from_the_newest_on_wherever_they_stand() -> None:
    session = with_texts(FakeSession(), {1190: "a Needle", 600: "needle two", 20: "needle three"})
    async with running(session) as (app, pilot):
        await ubuntu(app, pilot)
        await pilot.press("slash", *"needle", "enter")
        await until(lambda: at(app) == 1190)
        assert "1 of 3" in text_of(app)
        await pilot.press("n")
        await until(lambda: at(app) == 600)
        await until(lambda: "needle two" in text_of(app) and "message 601" in text_of(app))
        await pilot.press("n")
        await until(lambda: at(app) == 20)
        await pilot.press("n")
        await until(lambda: said(app) == ["That is the oldest one"])
        await pilot.press("N")
        await until(lambda: at(app) == 600)
        await pilot.press("N", "N")
        await until(lambda: said(app)[-1] == "That is the newest one")
        assert at(app) == 1190


async def test_esc_ends_it_then_goes_to_the_list() -> None:
    session = with_texts(FakeSession(), {1190: "a needle"})
    async with running(session) as (app, pilot):
        await ubuntu(app, pilot)
        await pilot.press("slash", "escape")
        scopes = [app.main.scope]
        await pilot.press("slash", *"needle", "enter")
        await until(lambda: "1 of 1" in text_of(app))
        await pilot.press("escape")
        await until(lambda: "1 of 1" not in text_of(app))
        scopes.append(app.main.scope)
        await pilot.press("escape")
        assert [*scopes, app.main.scope] == [Scope.MESSAGES, Scope.MESSAGES, Scope.LIST]


async def test_nothing_found_and_nothing_asked() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await ubuntu(app, pilot)
        await pilot.press("slash", "enter")
        assert not [call for call in session.calls if call[0] == "search"]
        await pilot.press("slash", *"[/]{x}", "enter")
        await until(lambda: said(app) == ["Not found: [/]{x}"])
        await pilot.press("n")
        await until(lambda: app.main.conversation.finding.bar.display)


async def test_more_is_asked_for_page_by_page() -> None:
    session = with_texts(FakeSession(), dict.fromkeys((1190, 1180, 1170), "needle"))
    session.page = 2
    async with running(session) as (app, pilot):
        await ubuntu(app, pilot)
        await pilot.press("slash", *"needle", "enter")
        await until(lambda: "1 of 2+" in text_of(app))
        await pilot.press("n")
        await until(lambda: at(app) == 1180)
        await pilot.press("n")
        await until(lambda: at(app) == 1170)
        await until(lambda: "3 of 3" in text_of(app))


async def test_without_a_connection_it_says_that_only_this_machine_was_searched() -> None:
    session = with_texts(FakeSession(), {1190: "a needle"})
    async with running(session) as (app, pilot):
        await ubuntu(app, pilot)
        session.connect(Connection.OFFLINE)
        await pilot.press("slash", *"needle", "enter")
        await until(lambda: "1 of 1, on this machine" in text_of(app))


async def test_a_refused_search_is_said_and_can_be_tried_again() -> None:
    session = with_texts(FakeSession(), {1190: "a needle"})
    async with running(session) as (app, pilot):
        await ubuntu(app, pilot)
        session.error = TooFrequent()
        await pilot.press("slash", *"needle", "enter")
        await until(lambda: said(app))
        session.error = None
        await pilot.press("slash", "enter")
        await until(lambda: at(app) == 1190)


async def test_the_first_unread_message_is_fetched_from_far_up() -> None:
    async with running(FakeSession()) as (app, pilot):
        app.main.open("GROUPplanning")  # 120 unread of 400
        await until(lambda: app.main.conversation.messages.newest_seq == 400)
        await pilot.press("escape", "G")
        await until(lambda: "message 400" in text_of(app))
        await pilot.press("U")
        # Own ones are never new: under the line stands 282. Where that page is not here yet, 281 after the read mark.
        await until(lambda: at(app) in (281, 282))
        await until(lambda: "── new ──" in text_of(app) and "message 282" in text_of(app))
        await pilot.press("G")
        await until(lambda: "message 400" in text_of(app))


async def test_where_nothing_was_unread_it_is_said() -> None:
    async with running(FakeSession()) as (app, pilot):
        app.main.open("C2Ccarol")
        await until(lambda: "message 4" in text_of(app))
        await pilot.press("escape", "U")
        await until(lambda: said(app) == ["Nothing was unread here"])


# Everywhere


async def test_results_come_while_one_types_and_enter_opens_there(monkeypatch: pytest.MonkeyPatch) -> None:
    session = with_texts(FakeSession(), {300: "the needle is here"})
    async with running(session) as (app, pilot):
        await pilot.press("ctrl+f")
        await until(lambda: isinstance(app.screen, SearchEverywhere))
        monkeypatch.setattr(search_everywhere, "QUIET", 3600.0)  # However slow the machine is, these come in time.
        await pilot.press(*"needl")
        monkeypatch.undo()
        await pilot.press("e")
        await until(lambda: "#ubuntu" in text_of(app) and "1 message · Enter opens" in text_of(app))
        assert [call for call in session.calls if call[0] == "search"] == [("search", ("needle", None, None))]
        await pilot.press("enter")
        await until(lambda: at(app) == 300)
        await until(lambda: "the needle is here" in text_of(app) and "message 299" in text_of(app))
        assert app.main.primary.list.cursor_key == "GROUPubuntu"
        await pilot.press("ctrl+f")
        await until(lambda: "1 message · Enter opens" in text_of(app))


async def test_it_opens_from_the_composer_too() -> None:
    async with running(FakeSession()) as (app, pilot):
        app.main.open("C2Cbob")
        await pilot.press(*"draft", "ctrl+f")
        await until(lambda: isinstance(app.screen, SearchEverywhere))
        await pilot.press("escape")
        await until(lambda: app.screen is app.main)
        assert app.main.conversation.composer.text == "draft"


async def test_older_results_on_the_last_row() -> None:
    session = FakeSession()
    session.page = 3
    async with running(session) as (app, pilot):
        await pilot.press("ctrl+f", *"message 4")
        await until(lambda: "3+ messages" in text_of(app))
        await pilot.press("pagedown", "enter")
        await until(lambda: "6+ messages" in text_of(app))


@pytest.mark.parametrize("size", [(120, 40), (44, 20)])
async def test_everywhere_each_find_has_one_line_with_the_word_in_it(size: tuple[int, int]) -> None:
    session = FakeSession()
    long = "前面的话 " * 20 + "needle " + "and more 词 " * 30
    messages = session.messages["C2Cbob"]
    messages[-1] = msgspec.structs.replace(messages[-1], sender="bob", text=long)
    messages[-2] = msgspec.structs.replace(messages[-2], sender="alice", text=long)
    async with running(session, size=size) as (app, pilot):
        await pilot.press("ctrl+f", *"needle")
        await until(lambda: "2 messages · Enter opens" in text_of(app))
        finds = [
            line
            for line in text_of(app).splitlines()
            if re.search(r"\d\d:\d\d", line) and "bob" in line and "needle" in line
        ]
        assert len(finds) == 2
        assert "bob: …" in finds[0]
        assert "bob  you: …" in finds[1]
        entries = app.screen.query_one(OptionList)
        assert entries.virtual_size.height == 2


async def test_everywhere_without_a_connection_finds_what_is_here_and_says_so() -> None:
    session = with_texts(FakeSession(), {1200: "a needle"})
    async with running(session) as (app, pilot):
        session.connect(Connection.OFFLINE)
        await pilot.press("ctrl+f", *"needle")
        await until(lambda: "1 message on this machine alone (no connection) · Enter opens" in text_of(app))
        await pilot.press("s")
        await until(lambda: "Nothing found on this machine; the server cannot be asked now" in text_of(app))
        session.connect(Connection.CONNECTED)
        await pilot.press("backspace")
        await until(lambda: "Nothing found" in text_of(app))


async def test_an_answer_that_comes_after_it_was_closed_is_nobodys(monkeypatch: pytest.MonkeyPatch) -> None:
    session = FakeSession()
    asked, answer = asyncio.Event(), asyncio.Event()
    search = session.search

    async def late(*words: Any, **more: Any) -> FoundMessages:
        asked.set()
        with suppress(asyncio.CancelledError):  # it was on its way already
            await answer.wait()
        return await search(*words, **more)

    monkeypatch.setattr(session, "search", late)
    async with running(session) as (app, pilot):
        await pilot.press("ctrl+f", *"message")
        await asked.wait()
        await pilot.press("escape")
        answer.set()
        await until(lambda: app.screen is app.main)
        await pilot.pause()
        assert app.crash is None


@pytest.mark.parametrize("payload", [" ".join(one for one in PAYLOADS if 0 < len(one) < 100), "宽" * 3_000])
async def test_hostile_results(payload: str) -> None:
    session = with_texts(FakeSession(), {1200: f"needle {payload}", 900: f"{payload} needle"})
    row = session.conversations["GROUPubuntu"]
    session.conversations["GROUPubuntu"] = msgspec.structs.replace(row, name=payload)
    async with running(session) as (app, pilot):
        await pilot.press("ctrl+f", *"needle")
        await until(lambda: "2 messages" in text_of(app))
        for line in text_of(app).split("\n"):
            assert FORBIDDEN.isdisjoint(line), line
        await pilot.press("enter")
        await until(lambda: at(app) == 1200)


async def test_a_pane_that_is_empty_for_want_of_a_connection_says_so() -> None:
    session = FakeSession()
    async with running(session) as (app, _pilot):
        session.error = NotConnected()
        app.main.open("C2Cbob")
        await until(lambda: "They come with the connection." in text_of(app))
        session.error = None
        session.connect(Connection.CONNECTED)
        await until(lambda: "message 4" in text_of(app))
