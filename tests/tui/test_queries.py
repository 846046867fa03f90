"""Queries on the screen: the filter, marking by query, the sweep."""

from typing import Any

from tests.tui.apps import listed, running, said, text_of, until
from tests.tui.fake import FakeSession, row
from tui_chat.client.changes import ConversationsUpdated
from tui_chat.tui.dialogs.confirm_delete import ConfirmDelete
from tui_chat.tui.screens.sweep import Sweep


async def test_a_filter_takes_the_query_language_and_says_what_it_does_not_understand() -> None:
    async with running(FakeSession()) as (app, pilot):
        await pilot.press("slash")
        await until(lambda: "older:30d" in text_of(app), "some of the language is shown to whoever has typed nothing")
        await pilot.press(*"type:group|system -left:")
        await until(lambda: "3 of 7" in text_of(app))
        assert listed(app) == ["GROUPplanning", "GROUPubuntu", "@TIM#SYSTEM"]
        await pilot.press(*" older:x")
        await until(lambda: "At 26: x is not a time" in text_of(app))
        assert len(listed(app)) == 3, "as it was"
        await pilot.press("enter")
        assert app.main.focused is not app.main.primary.list
        await pilot.press(*["backspace"] * 8, "enter")
        assert app.main.focused is app.main.primary.list
        assert len(listed(app)) == 3


async def test_what_was_read_stays_in_the_filter_until_it_is_another() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await pilot.press("slash", *"unread: type:c2c", "enter")
        await until(lambda: listed(app) == ["C2Cbob"])
        session.conversations["C2Cbob"] = row("C2Cbob", age=0)
        session.conversations["C2Ccarol"] = row("C2Ccarol", age=1, unread_count=1)
        session.tell(ConversationsUpdated(conversation_id_list=["C2Cbob", "C2Ccarol"]))
        await until(lambda: listed(app) == ["C2Cbob", "C2Ccarol"])
        await pilot.press("slash", "enter")
        assert listed(app) == ["C2Ccarol"]


async def test_marking_by_query() -> None:
    async with running(FakeSession()) as (app, pilot):
        await pilot.press("T", *"unread:")
        await until(lambda: "4 of 7 match · Enter marks them" in text_of(app))
        assert len(listed(app)) == 7, "nothing is hidden"
        await pilot.press("enter")
        assert app.main.primary.list.marks == {"GROUPplanning", "C2Cbob", "GROUPubuntu", "@TIM#SYSTEM"}
        await until(lambda: "4 rows marked" in said(app))
        await pilot.press("escape")
        await until(lambda: said(app) == ["4 marks cleared · V brings them back"])
        await pilot.press("V")
        await pilot.press("T", *"carol", "escape")
        assert len(app.main.primary.list.marks) == 4, "taken back"
        assert app.main.focused is app.main.primary.list
        await pilot.press("T", "enter")
        assert len(app.main.primary.list.marks) == 4


async def test_marking_by_query_marks_what_is_there_when_enter_is_pressed() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await pilot.press("T", *"unread:")
        await until(lambda: "4 of 7 match" in text_of(app))
        session.conversations["C2Ccarol"] = row("C2Ccarol", age=1, unread_count=1)
        session.conversations["C2Cbob"] = row("C2Cbob", age=0)
        session.conversations["C2Czoe"] = row("C2Czoe", age=0, unread_count=3)
        session.tell(ConversationsUpdated(conversation_id_list=["C2Cbob", "C2Ccarol", "C2Czoe"]))
        await until(lambda: "C2Czoe" in listed(app))
        await pilot.press("enter")
        assert app.main.primary.list.marks == {"GROUPplanning", "C2Ccarol", "C2Czoe", "GROUPubuntu", "@TIM#SYSTEM"}
        await pilot.press("escape", "T", *"draft:")
        await until(lambda: "0 of 8 match" in text_of(app))
        app.main.primary.list.set_drafts(["C2Cbob"])
        await pilot.press("enter")
        assert app.main.primary.list.marks == {"C2Cbob"}


async def test_the_sweep_looks_in_and_deletes() -> None:
    session = FakeSession()
    session.conversations["C2Cdan"] = row("C2Cdan", age=600_000, message_count=1)
    async with running(session) as (app, pilot):
        await pilot.press("S")
        await until(lambda: isinstance(app.screen, Sweep))
        await until(lambda: "      1  Silent for over a year" in text_of(app), "counts are right-aligned")
        await pilot.press("j", "enter")
        await until(lambda: listed(app) == ["C2Cdan"])
        await pilot.press("escape", "S", "space", "space", "space")
        await until(lambda: "2 conversations in what is marked" in text_of(app))
        await pilot.press("d")
        await until(lambda: isinstance(app.screen, ConfirmDelete))
        assert app.main.primary.list.marks == {"GROUPold", "C2Cdan"}
        await pilot.press("y")
        await until(lambda: any(name == "delete" for name, _call in session.calls))
        deleted: list[Any] = [call[0] for name, call in session.calls if name == "delete"]
        assert deleted == [["GROUPold", "C2Cdan"]]
