"""The registry: keys, names and texts of every command."""

from itertools import pairwise

import pytest
from textual import events
from textual._xterm_parser import XTermParser
from textual.keys import Keys

from tests.tui.stories.keys import sent
from tui_chat.tui.commands.command import Scope, key_name
from tui_chat.tui.commands.registry import BY_ID, COMMANDS, in_scope

PANES = (Scope.LIST, Scope.MESSAGES, Scope.COMPOSER)


def test_ids_are_unique() -> None:
    assert len(BY_ID) == len(COMMANDS)


@pytest.mark.parametrize("scope", list(Scope))
def test_keys_do_not_clash_within_a_scope(scope: Scope) -> None:
    commands = in_scope(scope) + (in_scope(Scope.EVERYWHERE) if scope in PANES else [])
    keys = sorted((key, command.id) for command in commands for key in command.keys)
    clashes = [(one, other) for one, other in pairwise(keys) if one[0] == other[0]]
    assert clashes == []


def test_keys_in_the_composer_are_no_letters() -> None:
    printable = {"question_mark"}
    for command in in_scope(Scope.EVERYWHERE):
        letters = [key for key in command.keys if len(key) == 1 or key in printable]
        assert len(letters) < max(len(command.keys), 1), f"{command.id} cannot be reached while one writes"


def test_every_key_is_one_that_textual_knows() -> None:
    known = {key.value for key in Keys} | {"question_mark", "asterisk", "slash", "equals_sign", "space", "shift+enter"}
    known |= {"plus", "at"}
    for command in COMMANDS:
        for key in command.keys:
            assert key in known or (len(key) == 1 and key.isalnum()), key


def test_everything_has_words() -> None:
    for command in COMMANDS:
        assert command.label
        assert command.help.endswith(".")
        assert command.keys or command.in_palette, f"{command.id} cannot be reached"


def test_keys_as_people_read_them() -> None:
    assert key_name("ctrl+p") == "Ctrl+P"
    assert key_name("shift+up") == "Shift+↑"
    assert key_name("f2") == "F2"
    assert key_name("V") == "V"
    assert key_name("question_mark") == "?"
    assert key_name("ctrl+j") == "Ctrl+J"


ONLY_SOME_TERMINALS = {"shift+enter"}


@pytest.mark.parametrize("key", sorted({key for command in COMMANDS for key in command.keys} - ONLY_SOME_TERMINALS))
def test_every_key_arrives_from_a_plain_terminal(key: str) -> None:
    if key == "escape":
        return  # a lone ESC is known by the pause after it; the tests of the screen press it
    assert [event.key for event in XTermParser().feed(sent(key)) if isinstance(event, events.Key)] == [key]
