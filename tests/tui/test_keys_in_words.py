"""Sentences name the keys that are bound; the status line names what does something where the cursor is."""

import msgspec
import pytest

from tests.tui.apps import running, said, text_of, until
from tests.tui.fake import NOW, FakeSession
from tui_chat.config import Settings
from tui_chat.tui.app import ChatApp
from tui_chat.tui.commands.command import Scope

OTHERS = {
    "undo": "z",
    "mark": "x",
    "delete": "ctrl+d",
    "last-marks": "W",
    "log": "O",
    "toggle-clear": "h",
    "confirm": "k",
    "retry": "Z",
    "help": "f1",
}


def footer(app: ChatApp) -> str:
    """The status line."""
    return text_of(app).splitlines()[-1]


async def test_toasts_dialog_coach_and_status_line_name_the_keys_of_the_settings() -> None:
    session = FakeSession()
    async with running(session, settings=Settings(keys=dict(OTHERS)), coach=True) as (app, pilot):
        assert "1/6 x marks. Mark three." in text_of(app)
        await pilot.press("j", "x", "escape")
        await until(lambda: said(app)[-1:] == ["1 mark cleared · W brings it back"])
        await pilot.press("x", "x", "x")
        await until(lambda: "2/6 Ctrl+D deletes them. Read the switch, then k." in text_of(app))
        assert "Ctrl+D Delete" in footer(app)
        session.refuse = {"C2Ccarol": "busy"}
        await pilot.press("ctrl+d")
        await until(lambda: "[x] Clear history (h)" in text_of(app))
        await pilot.press("h", "k")
        await until(lambda: any("z brings them back" in one for one in said(app)))
        assert any("Z tries again" in one for one in said(app))
        assert "3/6 z brings them back." in text_of(app)
        assert "z undo 10:00" in footer(app)
        session.deleted_elsewhere(["GROUPold"])
        await until(lambda: any(one == "Deleted on phone: 1 conversation · z brings it back" for one in said(app)))
        session.deleted_elsewhere(["GROUPplanning"], while_away=True, batch_id="away")
        await until(lambda: any(one.endswith("deleted on phone · O") for one in said(app)))


async def test_writing_is_not_offered_where_nobody_can_write() -> None:
    async with running(FakeSession()) as (app, pilot):
        await pilot.press("2")
        await until(lambda: "message 4" in text_of(app))
        await pilot.press("escape")
        await until(lambda: "i Write" in footer(app))
        await pilot.press("escape", "7")
        await until(lambda: "Nobody can write to the system." in text_of(app))
        await until(lambda: "i Write" not in footer(app))
        assert app.main.scope is Scope.MESSAGES


async def test_the_status_line_follows_the_cursor_in_the_messages() -> None:
    session = FakeSession()
    bob = session.messages["C2Cbob"]
    bob[0] = msgspec.structs.replace(bob[0], time=NOW - 3_600_000)
    bob[3] = msgspec.structs.replace(bob[3], text="see https://example.org/x")
    async with running(session) as (app, pilot):
        await pilot.press("2")
        await until(lambda: "message 3" in text_of(app))
        await pilot.press("escape")
        await until(lambda: "i Write" in footer(app))
        assert "↑ Choose a message" in footer(app), "nothing is under the cursor yet"
        assert "X Take back" in footer(app), "one's own newest"
        await pilot.press("k")
        await until(lambda: "o Open link" in footer(app))
        assert "X Take back" not in footer(app), "that is bob's"
        assert "e Edit" not in footer(app)
        await pilot.press("k")
        await until(lambda: "X Take back" in footer(app) and "e Edit" in footer(app))
        assert "o Open link" not in footer(app)
        await pilot.press("g")
        await until(lambda: "X Take back" not in footer(app), "too old to be taken back")
        assert "r Reply" in footer(app)
        await pilot.press("escape")
        await until(lambda: "r Reply" not in footer(app))


ON_SCREENS = {
    "undo": "z",
    "log": "O",
    "sweep": "W",
    "mark": "x",
    "delete": "ctrl+d",
    "copy": "Y",
    "filter": "ctrl+l",
    "open": "o",
    "back": "f4",
    "help": "f3",
    "extend-up": "ctrl+up",
    "extend-down": "ctrl+down",
}


async def test_screens_name_the_keys_of_the_settings_and_obey_them() -> None:
    session = FakeSession()
    async with running(session, settings=Settings(keys=dict(ON_SCREENS))) as (app, pilot):
        before = len(session.conversations)
        assert "o opens a conversation." in text_of(app)
        await pilot.press("W")
        await until(lambda: "x mark · Ctrl+D delete · Esc close" in text_of(app))
        await pilot.press("x")
        await until(lambda: "in what is marked" in text_of(app))
        await pilot.press("ctrl+d")
        await until(lambda: "[x] Clear history" in text_of(app))
        await pilot.press("y")
        await until(lambda: any("brings" in one for one in said(app)))
        await pilot.press("O")
        await until(lambda: "z undo · E erase now" in text_of(app) and "undo 1" in text_of(app))
        await pilot.press("z")
        await until(lambda: len(session.conversations) == before)
        await pilot.press("O")
        await until(lambda: app.screen is app.main)


async def test_help_names_the_keys_of_the_settings_in_its_sentences() -> None:
    async with running(FakeSession(), size=(120, 200), settings=Settings(keys=dict(ON_SCREENS))) as (app, pilot):
        await pilot.press("f3")
        await until(lambda: "In the list" in text_of(app))
        words = " ".join(text_of(app).replace("│", " ").split())
        assert "Ctrl+↑ and Ctrl+↓ do it at once." in words
        assert "Enter keeps it, F4 ends it." in words
        assert "Enter saves it, F4 leaves it as it was." in words
        assert "{" not in words
        await pilot.press("f3")
        await until(lambda: app.screen is app.main)


async def test_the_members_of_a_group_are_filtered_by_the_key_of_the_settings() -> None:
    async with running(FakeSession(), settings=Settings(keys=dict(ON_SCREENS))) as (app, pilot):
        await pilot.press("j", "j", "M")
        await until(lambda: "Ctrl+L filter" in text_of(app))
        await pilot.press("ctrl+l", "x", "i", "a", "o")
        await until(lambda: "小林" in text_of(app) and "Bob Smith" not in text_of(app))


@pytest.mark.parametrize(
    ("opener", "title", "heading"),
    [
        ("S", "Sweep", "In the sweep"),
        ("L", "Deletions", "In the log of deletions"),
        ("d", "Delete 1 conversation?", "In a dialog"),
        ("c", "New conversation", "In a dialog"),
    ],
)
async def test_dialogs_have_a_help_of_their_own_over_them(opener: str, title: str, heading: str) -> None:
    async with running(FakeSession(), size=(120, 60)) as (app, pilot):
        await pilot.press(opener)
        await until(lambda: title in text_of(app))
        dialog = app.screen
        await pilot.press("f1")
        await until(lambda: heading in text_of(app).splitlines()[7], "its own keys come first")
        await pilot.press("f1")
        await until(lambda: app.screen is dialog and title in text_of(app))
        await pilot.press("escape")
        await until(lambda: app.screen is app.main)
