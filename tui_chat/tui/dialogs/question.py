"""A question with two answers: yes and no."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.content import Content
from textual.widgets import Button, Static

from tui_chat.locale import _
from tui_chat.tui.commands.command import Scope, dialog_bindings
from tui_chat.tui.commands.registry import in_scope

from .dialog import Answer, Dialog, Frame


class Question(Dialog[bool]):
    """Starts on Cancel; `y` confirms, `n` and Esc cancel, arrows move, Enter presses."""

    BINDINGS: ClassVar[list[BindingType]] = [*dialog_bindings(in_scope(Scope.DIALOG), ("confirm", "cancel", "choose"))]
    AUTO_FOCUS = "#cancel"

    def __init__(self, title: Content, text: Content, *, confirm: Content) -> None:
        super().__init__()
        self._question = title
        self._text = text
        self._confirm = confirm

    def compose(self) -> ComposeResult:
        with Frame(classes="delete"):
            yield Static(self._question.stylize("bold"), markup=False)
            yield Static(self._text, markup=False)
            with Container(id="buttons"):
                yield Answer(Content(_("Cancel")), id="cancel")
                yield Answer(self._confirm, id="confirm")

    def action_confirm(self) -> None:
        """y"""
        self.dismiss(True)

    def action_cancel(self) -> None:
        """n, Esc"""
        self.dismiss(False)

    def action_choose(self) -> None:
        """Every arrow goes to the other button."""
        on_cancel = self.focused is self.query_one("#cancel")
        self.set_focus(self.query_one("#confirm" if on_cancel else "#cancel"))

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "confirm")
