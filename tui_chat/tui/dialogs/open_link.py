"""Which link of a message to open: each in full, with the host that it leads to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui_chat.locale import _, ngettext
from tui_chat.tui import safe
from tui_chat.tui.browser import host_of
from tui_chat.tui.commands.command import same_key
from tui_chat.tui.commands.registry import BY_ID
from tui_chat.tui.safe import Safe

from .dialog import Frame
from .list_dialog import ListDialog

if TYPE_CHECKING:
    from tui_chat.tui.app import ChatApp


class OpenLink(ListDialog[str | None]):
    """Enter opens the one under the cursor, `y` copies it, Esc opens none. Dismisses with what is to be opened."""

    app: ChatApp

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape,n,q", "close"),
        ("j", "move(1)"),
        ("k", "move(-1)"),
        same_key(BY_ID["copy"], "copy"),
    ]
    AUTO_FOCUS = "#entries"

    def __init__(self, links: Sequence[Safe]) -> None:
        super().__init__()
        self._links = list(links)

    def compose(self) -> ComposeResult:
        title = ngettext("Open this link?", "Open which link?", len(self._links))
        with Frame():
            yield Static(Content(title).stylize("bold"), markup=False)
            yield OptionList(*(Option(_shown(one)) for one in self._links), id="entries", markup=False, compact=True)
            keys = safe.template(_("Enter opens · {copy} copies · Esc leaves it"), copy=self.app.key("copy"))
            yield Static(keys.stylize("$text-muted"), markup=False)

    def on_mount(self) -> None:
        entries = self.query_one("#entries", OptionList)
        entries.styles.height = "auto"
        entries.styles.max_height = "1fr"
        entries.highlighted = 0

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter, or a click."""
        event.stop()
        self.dismiss(self._links[event.option_index])

    def action_copy(self) -> None:
        """y"""
        at = self.query_one("#entries", OptionList).highlighted
        if at is not None:
            self.app.start(self.app.copy(self._links[at]))
        self.dismiss(None)


def _shown(link: Safe) -> Content:
    """The whole of it, and below it whose it is: https://bank.example@evil.example is evil.example's."""
    return Content("\n").join(
        [Content(link), safe.template(_("  leads to {host}"), host=host_of(link) or "?").stylize("$text-muted")]
    )
