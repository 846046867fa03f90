"""Which commands share a screen of their own with keys that cannot be changed: what a keymap is checked against.

Kept here, and not read from the screens, because they are loaded when they are first opened; a test compares the two.
"""

from typing import Final

import msgspec

from .command import Scope
from .registry import in_scope

_LISTED: Final = frozenset({"up", "down", "left", "right", "home", "end", "pageup", "pagedown", "enter"})
"""Those of a list of options."""
_MEMBERS: Final = frozenset({"up", "down", "j", "k", "g", "G", "home", "end", "pageup", "pagedown", "enter"})
"""Those of a list of members."""
_SCROLLED: Final = frozenset({"up", "down", "left", "right", "home", "end", "pageup", "pagedown"})
_CLOSES: Final = frozenset({"escape", "q"})
_MOVES: Final = frozenset({"j", "k"})


class Surface(msgspec.Struct, frozen=True):
    """One screen over the main one."""

    name: str
    """As a sentence names it."""
    commands: tuple[str, ...]
    """By name: those whose keys, as the settings have them, are bound there."""
    keys: frozenset[str]
    """Those that are what they are."""


SURFACES: Final = (
    Surface("the log of deletions", ("log", "undo", "help"), _CLOSES | _MOVES | _LISTED | {"E"}),
    Surface("the sweep", ("sweep", "mark", "delete", "help"), _CLOSES | _MOVES | _LISTED),
    Surface("the group's screen", ("filter", "help", *(one.id for one in in_scope(Scope.GROUP))), _CLOSES | _MEMBERS),
    Surface("the settings", ("help",), _CLOSES | _MOVES | _LISTED | {"h", "l", "space"}),
    Surface("the help", ("help",), _CLOSES | _SCROLLED),
    Surface("a message's details", ("help",), _CLOSES | {"enter", "v"}),
    Surface("the choice of a link", ("copy", "help"), _CLOSES | _MOVES | _LISTED | {"n"}),
    # Digits are the count that is typed.
    Surface(
        "the question before a deletion",
        ("confirm", "cancel", "toggle-clear", "choose", "help"),
        frozenset("0123456789") | {"backspace", "pageup", "pagedown", "enter"},
    ),
)
