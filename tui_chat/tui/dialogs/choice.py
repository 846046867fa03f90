"""One of a few."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Generic, NamedTuple, TypeVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui_chat.locale import _

from .dialog import Frame
from .list_dialog import ListDialog

Value = TypeVar("Value")


class Possible(NamedTuple, Generic[Value]):
    """One of them, and how it is called."""

    value: Value
    label: Content


class Choice(ListDialog[Value | None]):
    """Enter takes the one under the cursor, Esc none."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape,n,q", "close"), ("j", "move(1)"), ("k", "move(-1)")]
    AUTO_FOCUS = "#entries"

    def __init__(self, question: Content, possible: Sequence[Possible[Value]], *, at: Value | None = None) -> None:
        """`at` is where the cursor starts."""
        super().__init__()
        self._question = question
        self._possible = list(possible)
        self._at = at

    def compose(self) -> ComposeResult:
        with Frame():
            yield Static(self._question.stylize("bold"), markup=False)
            yield OptionList(*(Option(label) for _value, label in self._possible), id="entries", compact=True)
            yield Static(Content(_("Enter takes it · Esc leaves it")).stylize("$text-muted"), markup=False)

    def on_mount(self) -> None:
        entries = self.query_one("#entries", OptionList)
        entries.styles.height = "auto"
        entries.styles.max_height = "1fr"
        values = [one.value for one in self._possible]
        entries.highlighted = values.index(self._at) if self._at in values else 0

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter, or a click."""
        event.stop()
        self.dismiss(self._possible[event.option_index].value)
