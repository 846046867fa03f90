"""`?`: the keys of where one is, from the registry."""

from typing import ClassVar, Final

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui_chat.locale import _
from tui_chat.tui.commands.command import N_, Scope
from tui_chat.tui.commands.registry import in_scope

TITLES: Final = {
    Scope.LIST: N_("In the list"),
    Scope.MESSAGES: N_("In the messages"),
    Scope.COMPOSER: N_("In the composer"),
    Scope.EVERYWHERE: N_("Everywhere"),
    Scope.DIALOG: N_("In a dialog"),
}


def help_text(here: Scope) -> Content:
    """The commands of where one is first, then those that work everywhere, then the rest."""
    others = [scope for scope in Scope if scope not in (here, Scope.EVERYWHERE)]
    order = list(dict.fromkeys([here, Scope.EVERYWHERE, *others]))
    column = max(cell_len(command.key_text()) for scope in Scope for command in in_scope(scope) if command.in_help) + 2
    column = min(column, 22)
    parts: list[Content] = []
    for scope in order:
        parts.append(Content(_(TITLES[scope])).stylize("bold $primary"))
        for command in in_scope(scope):
            if not command.in_help or not command.keys:
                continue
            keys = command.key_text()
            if cell_len(keys) >= column:
                parts.append(Content(keys).stylize("bold"))
                keys = ""
            parts.append(
                Content.assemble(
                    (keys + " " * (column - cell_len(keys)), "bold"),
                    _(command.help),
                )
            )
        parts.append(Content(""))
    return Content("\n").join(parts)


class Help(ModalScreen[None]):
    """Esc, `?`, F1 and `q` close it."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape,question_mark,f1,q", "close")]
    CSS_PATH = "../styles/dialogs.tcss"

    def __init__(self, here: Scope) -> None:
        super().__init__()
        self._here = here

    def compose(self) -> ComposeResult:
        with Container(id="dialog", classes="tall"), VerticalScroll(id="page"):
            yield Static(help_text(self._here), markup=False)

    def on_mount(self) -> None:
        self.query_one("#page").focus()

    def action_close(self) -> None:
        """Esc"""
        self.dismiss(None)
