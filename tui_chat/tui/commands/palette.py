"""Ctrl+P: every command by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from tui_chat.locale import _
from tui_chat.tui.safe import Safe

from .command import Command
from .registry import COMMANDS, help_of

if TYPE_CHECKING:
    from tui_chat.tui.app import ChatApp

HITS_MOST: Final = 50
"""The palette lays out every hit that it is given."""


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
