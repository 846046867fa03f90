"""Which commands share a screen of their own with keys that cannot be changed: what a keymap is checked against.

Kept here, and not read from the screens, because they are loaded when they are first opened; a test compares the two.
"""

from typing import Final

import msgspec

from tui_chat.locale import N_

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
    """As a sentence names it, and `N_` marks it."""
    commands: tuple[str, ...]
    """By name: those whose keys, as the settings have them, are bound there."""
    keys: frozenset[str]
    """Those that are what they are."""


SURFACES: Final = (
    Surface(N_("the log of deletions"), ("log", "undo", "help"), _CLOSES | _MOVES | _LISTED | {"E"}),
    Surface(N_("the sweep"), ("sweep", "mark", "delete", "help"), _CLOSES | _MOVES | _LISTED),
    Surface(
        N_("the group's screen"), ("filter", "help", *(one.id for one in in_scope(Scope.GROUP))), _CLOSES | _MEMBERS
    ),
    Surface(N_("the settings"), ("help",), _CLOSES | _MOVES | _LISTED | {"h", "l", "space"}),
    Surface(N_("the help"), ("help",), _CLOSES | _SCROLLED),
    Surface(N_("a message's details"), ("help",), _CLOSES | {"enter", "v"}),
    Surface(N_("the choice of a link"), ("copy", "help"), _CLOSES | _MOVES | _LISTED | {"n"}),
    # Digits are the count that is typed.
    Surface(
        N_("the question before a deletion"),
        ("confirm", "cancel", "toggle-clear", "choose", "help"),
        frozenset("0123456789") | {"backspace", "pageup", "pagedown", "enter"},
    ),
)
