"""Ctrl+P: every command by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from textual import events
from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider, SearchIcon
from textual.content import Content

from tui_chat.locale import _
from tui_chat.tui.safe import Safe

from .command import Command
from .registry import COMMANDS, help_of

if TYPE_CHECKING:
    from tui_chat.tui.app import ChatApp
    from tui_chat.tui.themes import Symbols

HITS_MOST: Final = 50
"""The palette lays out every hit that it is given."""
LOW_BELOW: Final = 14
"""On lower screens it begins at the top, without a frame."""


class Palette(CommandPalette):
    """Textual's, in the reader's language, with signs that the terminal has, and in sight on small screens."""

    def __init__(self, symbols: Symbols) -> None:
        super().__init__(id="--command-palette", placeholder=symbols.word(_("Search for commands…")))
        self._symbols = symbols

    def on_mount(self) -> None:
        if self._symbols.ascii:
            self.add_class("-ascii")
            self.query_one(SearchIcon).icon = ""

    def on_resize(self, event: events.Resize) -> None:
        """Another size."""
        self.set_class(event.size.height < LOW_BELOW, "-low")


class CommandProvider(Provider):
    """Those that would do something now."""

    @property
    def _chat(self) -> ChatApp:
        return self.app  # type: ignore[return-value]

    def _offered(self) -> list[Command]:
        return [command for command in COMMANDS if command.in_palette and command.available(self._chat)]

    async def discover(self) -> Hits:
        """All, while nothing is typed."""
        for command in self._offered()[:HITS_MOST]:
            yield DiscoveryHit(
                self._shown(command), self._runner(command), text=_(command.label), help=self._help(command)
            )

    async def search(self, query: str) -> Hits:
        """Those whose label fits, best first."""
        matcher = self.matcher(query)
        scored = [(matcher.match(_(command.label)), command) for command in self._offered()]
        best = sorted((one for one in scored if one[0] > 0), key=lambda one: -one[0])
        for score, command in best[:HITS_MOST]:
            yield Hit(
                score, self._shown(command), self._runner(command), text=_(command.label), help=self._help(command)
            )

    def _runner(self, command: Command) -> Callable[[], None]:
        app = self._chat

        def run() -> None:
            app.call_later(command.run, app)

        return run

    def _help(self, command: Command) -> Safe:
        return help_of(command, self._chat.keys_of)

    def _shown(self, command: Command) -> Content:
        label, keys = Content(_(command.label)), self._chat.keys_of(command)
        return Content.assemble(label, ("   " + command.key_text(keys), "$text-muted")) if keys else label
