"""What Textual's App does otherwise here: some of it leans on parts that are not public."""

from __future__ import annotations

from typing import Any

from textual import events
from textual.app import App
from textual.await_remove import AwaitRemove
from textual.dom import DOMNode
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.notifications import Notify
from textual.screen import Screen
from textual.widget import Widget

from tui_chat.tui import safe
from tui_chat.tui.pasting import PasteDriver


class ToolkitApp(App[None]):
    """An App that paints nothing twice, and keeps people's messages out of what it says when it fails."""

    def get_driver_class(self) -> type[Driver]:
        """Textual: what reads the keys, and draws. On a terminal it takes a paste for text alone."""
        found = super().get_driver_class()
        return PasteDriver if found is LinuxDriver else found

    def refresh_css(self, animate: bool = True) -> None:
        """Textual: another theme. At the start it asks for this although nothing is other than it was."""
        if self.get_css_variables() != self.stylesheet._variables:
            super().refresh_css(animate)

    async def _replace_screen(self, screen: Screen[Any]) -> Screen[Any]:
        """Textual: a dialog goes. What was below paints itself when it is told so; Textual has it painted once more."""
        screen.post_message(events.ScreenSuspend())
        self.capture_mouse(None)
        await screen.remove()
        return screen

    def _prune(self, *nodes: Widget, parent: DOMNode | None = None) -> AwaitRemove:
        """Textual: widgets go, and what they stood in is laid out anew. A screen stands in the app: nothing moves."""
        return super()._prune(*nodes, parent=None if parent is self else parent)

    def on_notify(self, event: Notify) -> None:
        """Textual: a toast, which Textual puts up after this. What stands there already is not said twice: it stands
        there anew."""
        said = event.notification
        for standing in [one for one in self._notifications if one.message == said.message]:
            if (standing.title, standing.severity) == (said.title, said.severity):
                self._unnotify(standing, refresh=False)

    def take_down(self, words: str | None) -> None:
        """The toast with these words goes; the next one brings the others up to date on the screen."""
        for standing in [one for one in self._notifications if one.message == words]:
            self._unnotify(standing, refresh=False)

    @property
    def crash(self) -> Exception | None:
        """What should not have happened and ended it."""
        return self._exception

    def _fatal_error(self) -> None:
        """Textual: draw the traceback, with everybody's messages in it. Whoever runs this reports `crash` instead."""
        self.bell()
        self._close_messages_no_wait()

    def write_control(self, text: safe.Safe) -> None:
        """Give the terminal a control sequence, between two frames."""
        if self._driver is not None:
            self._driver.write(text)
