"""Keys by the settings: how they are written, what is refused, and that they do what they should."""

import importlib
import pkgutil
from typing import Any

import pytest

from tests.tui.apps import running, said, text_of, until
from tests.tui.fake import FakeSession
from tui_chat.config import Settings
from tui_chat.tui import dialogs as dialogs_house
from tui_chat.tui import screens
from tui_chat.tui.commands.registry import BY_ID, COMMANDS
from tui_chat.tui.commands.surfaces import SURFACES
from tui_chat.tui.dialogs.dialog import Dialog
from tui_chat.tui.keymap import NotAKey, keymap_of, parse_key


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("d", "d"),
        ("G", "G"),
        ("shift+g", "G"),
        ("Ctrl+X", "ctrl+x"),
        ("?", "question_mark"),
        ("/", "slash"),
        ("+", "plus"),
        ("ctrl+_", "ctrl+underscore"),
        ("Esc", "escape"),
        ("Delete", "delete"),
        ("PgUp", "pageup"),
        ("F5", "f5"),
        ("shift+up", "shift+up"),
        ("alt+x", "alt+x"),
        ("space", "space"),
    ],
)
def test_keys_are_written_as_people_write_them(written: str, key: str) -> None:
    assert parse_key(written) == key


@pytest.mark.parametrize("written", ["", "banana", "hyper+x", "ctrl+", "ctrl+i", "ctrl+m", "ctrl+h"])
def test_what_is_no_key(written: str) -> None:
    with pytest.raises(NotAKey):
        parse_key(written)


def test_every_own_key_can_be_written_so() -> None:
    for command in COMMANDS:
        for key in command.keys:
            assert parse_key(key) == key


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"delet": "x"}, "no command is called 'delet'; 'delete' is one"),
        ({"delete": "banana"}, "'banana' is no key"),
        ({"delete": 7}, "a list of keys"),
        ({"delete": []}, "a list of keys"),
        ({"delete": "u"}, "'u' is the key of 'undo' already (list)"),
        ({"delete": "ctrl+g"}, "'ctrl+g' is the key of 'switch' already (list)"),
        ({"delete": "j"}, "'j' is the key of 'list-move' already (list)"),
        ({"list-move": "x"}, "cannot be changed"),
        ({"undo": "E"}, "'E' is a key that cannot be changed in the log of deletions"),
        ({"delete": ["x", "q"]}, "'q' is a key that cannot be changed in the sweep"),
        ({"help": ["f1", "h"]}, "'h' is a key that cannot be changed in the settings"),
        ({"toggle-clear": "5"}, "'5' is a key that cannot be changed in the question before a deletion"),
        ({"confirm": "?"}, "'question_mark' is the key of 'help' already (in the question before a deletion)"),
        ({"quit": "q"}, "typed into the message"),
        ({"editor": "e"}, "typed into the message"),
    ],
)
def test_what_is_wrong_is_told_and_left_out(table: dict[str, object], said: str) -> None:
    checked = keymap_of(table)
    assert checked.keys == {}
    assert [said in fault.text for fault in checked.faults] == [True]


def dialogs() -> list[type[Dialog[Any]]]:
    """Every class of them, loaded."""
    for house in (screens, dialogs_house):
        for module in pkgutil.iter_modules(house.__path__):
            importlib.import_module(f"{house.__name__}.{module.name}")

    def below(one: type[Dialog[Any]]) -> list[type[Dialog[Any]]]:
        return [each for sub in one.__subclasses__() for each in (sub, *below(sub))]

    return below(Dialog)


TYPED_INTO = {"Prompt", "React", "SearchEverywhere", "Switcher", "NewConversation"}
"""Letters are text there, and the keys that are bound are none."""
TEXTUALS = {"ctrl+c", "super+c", "tab", "shift+tab"}


@pytest.mark.parametrize("dialog", [one for one in dialogs() if one.__name__ not in TYPED_INTO], ids=str)
def test_the_keys_of_every_dialog_are_known_to_the_check(dialog: type[Dialog[Any]]) -> None:
    """Each is in one of the surfaces, with all the commands and the fixed keys that it binds."""
    bound = [one for bindings in dialog._merge_bindings().key_to_bindings.values() for one in bindings]
    commands = {one.id for one in bound if one.id}
    fixed = {one.key for one in bound if not one.id} - TEXTUALS
    assert [one.name for one in SURFACES if commands <= set(one.commands) and fixed <= one.keys]


def test_no_key_of_ones_own_is_in_the_way_of_a_fixed_one() -> None:
    for surface in SURFACES:
        keys = [key for name in surface.commands for key in BY_ID[name].keys]
        assert len(keys) == len(set(keys)), surface.name
        assert surface.keys.isdisjoint(keys), surface.name


def test_one_wrong_entry_costs_no_other() -> None:
    checked = keymap_of({"delete": "x", "undo": "d", "pin": "u", "mute": "x"})
    assert checked.keys == {"delete": ("x",), "undo": ("d",), "pin": ("u",)}
    assert [fault.command for fault in checked.faults] == ["mute"]


def test_an_entry_left_out_can_be_in_the_way_of_another() -> None:
    checked = keymap_of({"delete": "banana", "undo": "d"})
    assert checked.keys == {}
    assert [fault.command for fault in checked.faults] == ["delete", "undo"]


async def test_other_keys_do_it_and_the_old_ones_do_not() -> None:
    session = FakeSession()
    settings = Settings(keys={"pin": ["d", "ctrl+y"], "delete": ["x"], "palette": "f9"})
    async with running(session, settings=settings) as (app, pilot):
        await pilot.press("j", "d")
        await until(lambda: ("flags", (["C2Cbob"], {"pinned": True})) in session.calls)
        assert app.screen is app.main
        await pilot.press("p", "delete", "ctrl+p")
        await pilot.pause()
        assert app.screen is app.main
        await pilot.press("x")
        await until(lambda: "Delete 1 conversation?" in text_of(app))
        await pilot.press("escape", "question_mark")
        await until(lambda: "d, Ctrl+Y" in text_of(app))
        await pilot.press("escape", "f9", *"pin")
        await until(lambda: "d, Ctrl+Y" in text_of(app))
        await pilot.press("escape")
        await until(lambda: app.screen is app.main)
        assert "x Delete" in text_of(app)


async def test_the_screen_starts_with_its_own_keys_for_what_is_wrong_and_says_so() -> None:
    settings = Settings(keys={"delete": "u", "nothing": "x"})
    async with running(FakeSession(), settings=settings, faults=1) as (app, pilot):
        await until(
            lambda: any("3 settings are wrong and left out: `tui-chat config check`" in one for one in said(app))
        )
        await pilot.press("j", "d")
        await until(lambda: "Delete 1 conversation?" in text_of(app))
