"""What somebody sees who has no account yet: try the demo, connect to a server, or start one here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar, Final

from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui_chat.config import Settings
from tui_chat.locale import _
from tui_chat.tui import safe
from tui_chat.tui.safe import Safe
from tui_chat.tui.screens.beginning import Account, ConnectForm, NewServer, ServeForm, Step, Then, hint, title
from tui_chat.tui.themes import OUR_THEMES, THEMES, InAscii, colourless, symbols_for
from tui_chat.tui.typing_ahead import OneAtATime

QUIT: Final = "ctrl+q"


Connect = Callable[[Account], Awaitable[str | None]]
Serve = Callable[[NewServer], Awaitable[str | None]]


class Welcome(App[Then]):
    """Asks, and has it done; ends with what comes after it, or with nothing where one leaves."""

    TITLE = "tui-chat"
    CSS_PATH = "styles/welcome.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [Binding(f"{QUIT},ctrl+c", "quit", show=False, priority=True)]

    def __init__(
        self,
        *,
        connect: Connect,
        serve: Serve,
        fault: Callable[[str], str | None],
        doubt: Callable[[str], str | None],
        settings: Settings | None = None,
        encoding: str = "utf-8",
    ) -> None:
        """Everything that touches the network is injected.

        Arguments:
            connect: signs in and stores the account; answers with one line where that did not work.
            serve: starts a server, makes its first account and stores it; answers likewise.
            fault: why a text is no server's address, None where it is one.
            doubt: of a server's address: what is to be said before anything is sent there, None for nothing.
            settings: its theme and symbols are used.
            encoding: of the terminal.
        """
        super().__init__()
        self._settings = settings or Settings()
        self._in_turn = OneAtATime(self, super().on_event, stays=lambda _key: False)
        self.connect, self.serve, self.fault, self.doubt = connect, serve, fault, doubt
        for theme in OUR_THEMES:
            self.register_theme(theme)
        wanted = THEMES.get(self._settings.screen.theme, self._settings.screen.theme)
        if wanted in self.available_themes:
            self.theme = wanted
        self._filters = colourless(self._filters)
        if symbols_for(self._settings.screen.symbols, encoding).ascii:
            self._filters.append(InAscii())

    def get_default_screen(self) -> Screen[None]:
        """Textual: the first screen."""
        return Begin()

    async def on_event(self, event: events.Event) -> None:
        """Textual: one key after the other, as each may lead to another field."""
        is_input = isinstance(event, events.InputEvent | events.Paste) and not event.is_forwarded
        if is_input and not (isinstance(event, events.Key) and event.key == QUIT):
            await self._in_turn.take(event)
        else:
            await super().on_event(event)

    @property
    def crash(self) -> Exception | None:
        """What should not have happened and ended it."""
        return self._exception

    def _fatal_error(self) -> None:
        """Textual: draw the traceback. Whoever runs this reports `crash` instead."""
        self._close_messages_no_wait()


class Begin(Step):
    """The three ways to begin."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("1", "choose(0)"),
        ("2", "choose(1)"),
        ("3", "choose(2)"),
        ("j", "move(1)"),
        ("k", "move(-1)"),
        ("escape,q", "app.quit"),
    ]
    AUTO_FOCUS = "OptionList"

    def compose(self) -> ComposeResult:
        tried = Content(_("a demo with real conversations; nothing leaves this machine"))
        connected = Content(_("sign in, or make an account there"))
        started = Content(_("with you as its first user"))
        ways = (
            (safe.own("1"), Content(_("Try it here")), tried),
            (safe.own("2"), Content(_("Connect to a server")), connected),
            (safe.own("3"), Content(_("Start a server on this machine")), started),
        )
        with VerticalScroll(id="frame", can_focus=False):
            yield title(Content(_("Welcome to tui-chat")))
            yield Static(Content(_("There is no account on this machine yet.")), markup=False)
            yield Static(classes="space")
            yield OptionList(*(Option(_way(*way)) for way in ways), compact=True)
            yield Static(classes="space")
            yield hint(Content(_("1, 2, 3 or Enter chooses · Esc leaves")))

    def action_choose(self, way: int) -> None:
        """1, 2, 3"""
        match way:
            case 0:
                self.app.exit(Then.DEMO)
            case 1:
                self.app.push_screen(ConnectForm())
            case _:
                self.app.push_screen(ServeForm())

    def action_move(self, rows: int) -> None:
        """j, k"""
        ways = self.query_one(OptionList)
        if rows > 0:
            ways.action_cursor_down()
        else:
            ways.action_cursor_up()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter, or a click."""
        event.stop()
        self.action_choose(event.option_index)


def _way(key: Safe, label: Content, says: Content) -> Content:
    return Content.assemble(Content(f" {key}  ").stylize("bold"), label, "\n    ", says.stylize("$text-muted"))
