"""What a user command is: declared once, used for keys, palette, help and footer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import Binding

from tui_chat.locale import N_
from tui_chat.tui.safe import Safe, line

if TYPE_CHECKING:
    from tui_chat.tui.app import ChatApp


class Scope(StrEnum):
    """Where a command's keys work, in a word."""

    LIST = N_("list")
    MESSAGES = N_("messages")
    COMPOSER = N_("composer")
    EVERYWHERE = N_("everywhere")
    GROUP = N_("group")
    DIALOG = N_("dialog")


class Command(ABC):
    """One thing that a person can ask for. Texts are English; whoever shows them translates them.

    A subclass declares what it is; its `help` is its documentation as well.
    """

    id: ClassVar[str]
    """Its name in a keymap; never changes."""
    keys: ClassVar[tuple[str, ...]] = ()
    """Default keys as Textual names them; none: in the palette only."""
    scopes: ClassVar[tuple[Scope, ...]]
    label: ClassVar[str]
    """One or two words, for the footer and the palette."""
    help: ClassVar[str]
    """One sentence that says what it does; `{undo}` in it stands for the first key of the command of that name."""
    in_footer: ClassVar[bool] = False
    """Offered in the status line while it does something; in the order of the registry."""
    in_palette: ClassVar[bool] = True
    in_help: ClassVar[bool] = True
    by_widget: ClassVar[bool] = False
    """The widget that has the focus acts on these keys itself (moving, typing): they stand in the help alone."""

    def available(self, app: ChatApp) -> bool:
        """Whether it would do something just now."""
        return True

    def offered(self, app: ChatApp) -> bool:
        """Whether the status line names it now; where it is `available` for more than it is worth naming for, less."""
        return self.available(app)

    @abstractmethod
    def run(self, app: ChatApp) -> None:
        """Do it, or start what does it. Called in the event loop; never blocks."""

    def key_text(self, keys: tuple[str, ...] | None = None) -> Safe:
        """These keys, or its own, as a person reads them: `a, Ctrl+A`."""
        return join_keys(self.keys if keys is None else keys)


class WidgetKeys(Command):
    """Keys that a widget handles by itself, declared so that the help is complete."""

    in_palette = False
    by_widget = True

    def run(self, app: ChatApp) -> None:
        """Nothing: the widget has acted already."""


KeysOf = Callable[[Command], tuple[str, ...]]
"""The keys of a command as they are now."""


def own_keys(command: Command) -> tuple[str, ...]:
    """Those that it declares."""
    return command.keys


_NAMES: Final = {
    "escape": "Esc",
    "enter": "Enter",
    "space": "Space",
    "tab": "Tab",
    "delete": "Delete",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "home": "Home",
    "end": "End",
    "question_mark": "?",
    "asterisk": "*",
    "slash": "/",
    "equals_sign": "=",
    "plus": "+",
    "at": "@",
    "underscore": "_",
}
_MODIFIERS: Final = {"ctrl": "Ctrl", "shift": "Shift", "alt": "Alt"}


def key_name(key: str) -> Safe:
    """How a key is written for people: `ctrl+p` is `Ctrl+P`, `V` stays `V`."""
    *modifiers, last = key.split("+") if len(key) > 1 else [key]
    name = _NAMES.get(last) or (last.upper() if modifiers or (len(last) > 1 and last.startswith("f")) else last)
    return line("+".join([*(_MODIFIERS.get(modifier, modifier) for modifier in modifiers), name]))


def join_keys(keys: tuple[str, ...]) -> Safe:
    """Several, as a person reads them: `a, Ctrl+A`."""
    return line(", ".join(key_name(key) for key in keys))


def bindings_of(commands: tuple[Command, ...], scope: Scope) -> list[Binding]:
    """Textual's bindings of one scope: each runs its command through the app."""
    return [
        Binding(",".join(command.keys), f"app.command('{command.id}')", show=False, id=command.id)
        for command in commands
        if scope in command.scopes and command.keys and not command.by_widget
    ]


def same_key(command: Command, action: str) -> Binding:
    """A command's keys, as they are bound, for what is its like on a screen of its own."""
    return Binding(",".join(command.keys), action, show=False, id=command.id)


def dialog_bindings(commands: list[Command], ids: tuple[str, ...]) -> list[Binding]:
    """Bindings of a dialog, whose actions are named like the commands: `toggle-clear` is `action_toggle_clear`."""
    return [
        Binding(",".join(command.keys), command.id.replace("-", "_"), show=False, id=command.id)
        for command in commands
        if command.id in ids
    ]
