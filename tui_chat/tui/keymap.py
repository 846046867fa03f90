"""Keys by the settings: `[keys]` names commands and the keys that run them. Checked before anything is bound: pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Final

import msgspec
from textual.keys import Keys, _character_to_key

from tui_chat.locale import _

from .commands.command import Command, Scope
from .commands.registry import BY_ID, COMMANDS
from .commands.surfaces import SURFACES, Surface

PANES: Final = (Scope.LIST, Scope.MESSAGES, Scope.COMPOSER)
"""Where the commands of EVERYWHERE work as well."""
BOUND_DIALOG_COMMANDS: Final = frozenset({"confirm", "cancel", "toggle-clear", "choose"})
"""Of the widgets' own, those whose keys are bound by name (dialog_bindings)."""
BEFORE_TYPING: Final = frozenset({"quit", "suspend", "palette"})
"""They work before a text field gets the key: a letter would make it impossible to type."""
_SPOKEN: Final = {
    "esc": "escape",
    "return": "enter",
    "del": "delete",
    "ins": "insert",
    "pgup": "pageup",
    "pgdn": "pagedown",
    "page_up": "pageup",
    "page_down": "pagedown",
}
_SAME: Final = {"ctrl+i": "tab", "ctrl+m": "enter", "ctrl+h": "backspace", "ctrl+left_square_bracket": "escape"}
"""What terminals send the same for."""
_MODIFIERS: Final = ("ctrl", "alt", "shift")
_NAMED: Final = {key.value for key in Keys if "+" not in key.value and not key.value.startswith("<")}


class KeyFault(msgspec.Struct, frozen=True):
    """What is wrong with one entry; `text` is a line of English."""

    command: str
    text: str


class Keymap(msgspec.Struct, frozen=True):
    """Keys of commands that are other than their own, and the entries that were left out."""

    keys: Mapping[str, tuple[str, ...]]
    faults: tuple[KeyFault, ...] = ()


class NotAKey(ValueError):
    """That is not how a key is written; `str()` says why."""


def parse_key(text: str) -> str:
    """A key as people write it (`Ctrl+X`, `?`, `Esc`, `G`), as Textual names it.

    Raises:
        NotAKey
    """
    if text == "+" or text.endswith("++"):
        *modifiers, last = [*text[:-1].rstrip("+").split("+"), "+"] if len(text) > 1 else ["+"]
    else:
        *modifiers, last = text.split("+")
    held = [one.strip().lower() for one in modifiers]
    if not last.strip() and last != " ":
        raise NotAKey(_("no key is named"))
    if unknown := [one for one in held if one not in _MODIFIERS]:
        raise NotAKey(_("{key!r} is none of ctrl, alt and shift").format(key=unknown[0]))
    if len(last) == 1:
        base = _character_to_key(last.lower() if held and last.isalpha() else last)
        if "shift" in held and last.isalpha():
            held.remove("shift")
            base = last.upper() if not held else base
    else:
        base = _SPOKEN.get(last.strip().lower(), last.strip().lower())
        if base not in _NAMED and not _is_name_of_character(base):
            raise NotAKey(_("{key!r} is no key").format(key=last))
    key = "+".join([*(one for one in _MODIFIERS if one in held), base])
    if key in _SAME:
        raise NotAKey(_("terminals send the same for {key} and {other}").format(key=key, other=_SAME[key]))
    return key


def _is_name_of_character(name: str) -> bool:
    """question_mark, slash, …: the names that Textual makes of what Unicode calls a character."""
    return any(_character_to_key(chr(code)) == name for code in range(33, 127) if not chr(code).isalnum())


def is_printable(key: str) -> bool:
    """Whether it types a character."""
    return "+" not in key and (len(key) == 1 or key == "space" or _is_name_of_character(key))


def keymap_of(wanted: Mapping[str, object]) -> Keymap:
    """What of the table can be had; the rest keeps its own keys and is told."""
    taken: dict[str, tuple[str, ...]] = {}
    faults: list[KeyFault] = []
    for name, said in wanted.items():
        try:
            taken[name] = _keys(name, said)
        except NotAKey as error:
            faults.append(KeyFault(name, str(error)))
    while clash := next(_clashes(taken), None):
        faults.append(clash)
        del taken[clash.command]
    return Keymap(taken, tuple(faults))


def _keys(name: str, said: object) -> tuple[str, ...]:
    command = BY_ID.get(name)
    if command is None:
        near = get_close_matches(name, BY_ID, 1)
        said = _("no command is called {name!r}; {near!r} is one") if near else _("no command is called {name!r}")
        raise NotAKey(said.format(name=name, near="".join(near)))
    if command.by_widget and name not in BOUND_DIALOG_COMMANDS:
        raise NotAKey(_("its keys cannot be changed"))
    words = [said] if isinstance(said, str) else said
    if not isinstance(words, list) or not words or not all(isinstance(one, str) for one in words):
        raise NotAKey(_('give it a key, or a list of keys like ["d", "delete"]'))
    keys = tuple(dict.fromkeys(parse_key(one) for one in words))
    for key in keys:
        if is_printable(key) and (name in BEFORE_TYPING or Scope.COMPOSER in command.scopes):
            raise NotAKey(_("{key!r} would be typed into the message").format(key=key))
    return keys


def _clashes(taken: Mapping[str, tuple[str, ...]]) -> Iterator[KeyFault]:
    """Entries that take a key of another command where both work."""
    for scope in Scope:
        holders: dict[str, Command] = {}
        here = [one for one in COMMANDS if scope in one.scopes or (scope in PANES and Scope.EVERYWHERE in one.scopes)]
        # Those with their own keys first, so that it is the settings' entry that is told and left out.
        for command in sorted(here, key=lambda one: one.id in taken):
            for key in taken.get(command.id, command.keys):
                holder = holders.setdefault(key, command)
                if holder is not command and command.id in taken:
                    yield KeyFault(command.id, _taken(key, holder.id, _(scope.value)))
    for surface in SURFACES:
        yield from _clashes_on(surface, taken)


def _taken(key: str, holder: str, where: str) -> str:
    return _("{key!r} is the key of {holder!r} already ({where})").format(key=key, holder=holder, where=where)


def _clashes_on(surface: Surface, taken: Mapping[str, tuple[str, ...]]) -> Iterator[KeyFault]:
    """The same on a screen where some keys are what they are."""
    held: dict[str, str] = {}
    for name in sorted(surface.commands, key=lambda one: one in taken):
        for key in taken.get(name, BY_ID[name].keys):
            holder = held.setdefault(key, name)
            if name in taken and key in surface.keys:
                said = _("{key!r} is a key that cannot be changed in {place}")
                yield KeyFault(name, said.format(key=key, place=_(surface.name)))
            elif name in taken and holder != name:
                yield KeyFault(name, _taken(key, holder, _("in {place}").format(place=_(surface.name))))
