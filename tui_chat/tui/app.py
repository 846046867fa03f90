"""The App: what is injected, lifetime of the sessions, commands by name, one line for every error."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from textual import events
from textual.app import App
from textual.binding import Binding, BindingType
from textual.command import Provider
from textual.content import Content
from textual.screen import Screen

from tui_chat.clock import system_clock
from tui_chat.config import Settings
from tui_chat.locale import _
from tui_chat.protocol.errors import ChatError
from tui_chat.tui import clipboard, safe
from tui_chat.tui.commands.command import Command, Scope, key_name
from tui_chat.tui.commands.palette import CommandProvider, Palette
from tui_chat.tui.commands.registry import BY_ID
from tui_chat.tui.drawing import undisturbed
from tui_chat.tui.kept_styles import KeptStyles
from tui_chat.tui.keymap import keymap_of
from tui_chat.tui.notifications import Notifier
from tui_chat.tui.refusals import refusal
from tui_chat.tui.screens import sentences
from tui_chat.tui.screens.bottom import LOW_BELOW
from tui_chat.tui.screens.deleting import Confirmation
from tui_chat.tui.screens.device_pane import DevicePane
from tui_chat.tui.screens.main import MainScreen
from tui_chat.tui.screens.tour import Tour
from tui_chat.tui.themes import OUR_THEMES, THEMES, InAscii, colourless, symbols_for
from tui_chat.tui.toolkit import ToolkitApp
from tui_chat.tui.typing_ahead import OneAtATime

if TYPE_CHECKING:
    from tui_chat.client.interface import Session

_log = logging.getLogger(__name__)

MOVING = (
    *("list-move", "messages-move", "mark", "extend-up", "extend-down"),
    *("mark-range", "mark-all", "invert-marks", "last-marks", "review"),
)
"""Commands that do at once all that they do, and leave the focus where it is."""

SecondDevice = Callable[[], Awaitable["Session"]]


class ChatApp(ToolkitApp):
    """A terminal chat client for one session.

    It starts the session, which whoever made it closes; the second device's, which F2 opens, it closes itself. What a
    person does before the session has started waits, and is done then in its order.
    """

    TITLE = "tui-chat"
    CSS_PATH = ["styles/main.tcss", "styles/dialogs.tcss"]  # All at once: a screen's own is parsed when it opens.
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {CommandProvider}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "command('quit')", show=False, priority=True, id="quit"),
        Binding("ctrl+p", "command_palette", show=False, priority=True, id="palette"),
        Binding("ctrl+z", "command('suspend')", show=False, priority=True, id="suspend"),
    ]
    NOTIFICATION_TIMEOUT = 6

    def __init__(
        self,
        session: Session,
        *,
        settings: Settings | None = None,
        second: SecondDevice | None = None,
        coach: bool = False,
        coach_ended: Callable[[], None] | None = None,
        nudge: Callable[[str], Awaitable[object]] | None = None,
        demo: bool = False,
        joined: bool = False,
        waits_for: safe.Safe | None = None,
        encoding: str = "utf-8",
        settings_file: Path | None = None,
        styles_file: Path | None = None,
        faults: int = 0,
        clock: Callable[[], int] = system_clock,
        stopwatch: Callable[[], float] = time.perf_counter,
        flash_seconds: float = 0.4,
    ) -> None:
        """All but the session may be left out.

        Arguments:
            second: opens another device of the same account, started; without it there is no F2.
            coach: show the six steps of the tour.
            coach_ended: called once when they are done, or ended with Esc, so that they are not shown again.
            nudge: has the person of a userID write to this account, for the tour's last step.
            demo: the status line says that real servers start with the sync of deletions off.
            joined: somebody else had started the demo; said at the start.
            waits_for: what is being done until the session has started, where that may take seconds.
            encoding: of the terminal; where it has no other signs, ASCII is drawn.
            settings_file: where the settings screen writes; without it what is changed holds for this run.
            styles_file: where what was read of styles is kept for the next start; without it, nowhere.
            faults: how much of the settings file was wrong and is left out; said at the start.
            clock: milliseconds since 1970.
            stopwatch: seconds, for measuring.
            flash_seconds: how long a row that another device deleted still shows.
        """
        super().__init__()
        self.session = session
        self.settings = settings or Settings()
        for theme in OUR_THEMES:
            self.register_theme(theme)
        self.clock = clock
        self.stopwatch = stopwatch
        self.demo = demo
        self._joined = joined
        self.waits_for = waits_for
        checked = keymap_of(self.settings.keys)
        self.keymap = checked.keys
        """By command: keys other than its own."""
        self._faults = faults + len(checked.faults)
        self.flash_seconds = flash_seconds
        self.settings_file = settings_file
        self.symbols = symbols_for(self.settings.screen.symbols, encoding)
        self.tour = Tour(self, begun=coach, ended=coach_ended, nudge=nudge)
        self._second = second
        self._unsaid: list[safe.Safe] = []
        self._said_about: dict[str, safe.Safe] = {}
        """What a toast was about -> its words."""
        """Notices that a dialog on a low screen has put off."""
        self._confirmed: dict[str, Confirmation] = {}
        """By batch."""
        self.settled: Callable[[], None] = lambda: None
        """Called once, when the first frame is painted and the session has started."""
        self.failure: ChatError | None = None
        """Why the session could not be started: it ends the app."""
        self._in_turn = OneAtATime(self, self._forward, stays=self._leaves_focus)
        self._held: list[events.Event] | None = []
        """What the person did before the session had started."""
        self.notifier = Notifier(
            session,
            settings=lambda: self.settings.notify,
            focused=lambda: self.app_focus,
            clock=clock,
            write=self.write_control,
            environment=os.environ,
        )
        self.main = MainScreen()
        if self.symbols.ascii:
            self._filters.append(InAscii())
        self._begin_with_theme()
        self._kept_styles = None if styles_file is None else KeptStyles(styles_file, self.stylesheet)

    def get_default_screen(self) -> Screen[None]:
        """Textual: the first screen, and the only one that stays; an empty one under it would be painted first."""
        return self.main

    @property
    def started(self) -> bool:
        """Whether the session has, and what was done before it had."""
        return self._held is None

    @property
    def has_second(self) -> bool:
        """Whether F2 does something."""
        return self._second is not None

    @property
    def device(self) -> DevicePane:
        """The device that list commands are about: the one whose list has the focus."""
        return self.main.device

    def on_mount(self) -> None:
        self.set_keymap({name: ",".join(keys) for name, keys in self.keymap.items()})
        _log.debug("screen of %dx%d, theme %s, ascii %s", *self.size, self.theme, self.symbols.ascii)
        self.main.call_after_refresh(self._painted)
        if self._joined:
            self.say(Content(_("This is another device of the demo that runs already.")))
        if self._faults:
            self.say(sentences.settings_left_out(self._faults), severity="warning")

    def _wanted_theme(self) -> str:
        """The settings' theme; an unknown one is told, and the usual one taken."""
        wanted = THEMES.get(self.settings.screen.theme, self.settings.screen.theme)
        if wanted in self.available_themes:
            return wanted
        self._faults += 1
        return self.theme

    def _begin_with_theme(self) -> None:
        """Before the first style is read: a theme that comes later has every one of them read anew."""
        wanted = self._wanted_theme()
        if wanted != self.theme:  # for Textual's own all of it stands already
            self.set_reactive(App.theme, wanted)
            self.stylesheet.set_variables(self.get_css_variables())
            # What Textual made for its own theme: that of the terminal's colours has them reach it as they are.
            self._refresh_truecolor_filter(self.ansi_theme)
        self._filters = colourless(self._filters)

    def use_settings(self, settings: Settings) -> None:
        """Other ones from now on; what cannot change while it runs waits for the next start."""
        self.settings = settings
        self.theme = self._wanted_theme()

    def _painted(self) -> None:
        """What is on this machine is painted by now; the network, which takes time to load, comes after it."""
        if self._kept_styles is not None:
            self._kept_styles.painted(self.stylesheet)
        self.run_worker(self._begin(), group="session")

    async def _begin(self) -> None:
        await self.main.complete()
        try:
            await self.session.start()
        except ChatError as error:
            self.failure = error
            self.exit()
        else:
            self.settled()
            self._do_what_was_held()
            if self._kept_styles is not None:
                await asyncio.to_thread(self._kept_styles.keep)

    async def on_event(self, event: events.Event) -> None:
        """Textual: hold back what the person does until the session has started, but for the key that quits."""
        done = isinstance(event, events.InputEvent | events.Paste) and not event.is_forwarded
        quits = isinstance(event, events.Key) and event.key in self.keys_of(BY_ID["quit"])
        if self._held is not None and done and not quits:
            self._held.append(event)
        elif done and not quits:
            await self._in_turn.take(event)
        else:
            await super().on_event(event)

    async def _forward(self, event: events.Event) -> None:
        """Give it to Textual. A key that moves or marks in the list acts at once, and so does Enter on a query: nothing
        on the way from there up to here takes such a key, and that way is as long as all that it does."""
        if isinstance(event, events.Key) and self._acts_at_once(event.key):
            with undisturbed():
                if await self._check_bindings(event.key):
                    self.main.answer()
                    return
        await super().on_event(event)

    def _acts_at_once(self, key: str) -> bool:
        """Whether what it does is done, and can be drawn, when its binding has run."""
        device = self.main.device
        if not self.app_focus or self.screen is not self.main or not device.list._message_queue.empty():
            return False  # what was done with the mouse before comes before
        return self._leaves_focus(key) if self.focused is device.list else key == "enter" and device.is_query_typed

    def _leaves_focus(self, key: str) -> bool:
        """Whether it moves the cursor or marks, and the next key goes where this one went."""
        return self.screen is self.main and any(key in self.keys_of(BY_ID[one]) for one in MOVING)

    def _do_what_was_held(self) -> None:
        """One after the other, what is done meanwhile behind it."""
        self._in_turn.take_all(self._held or [])
        self._held = None

    async def on_unmount(self) -> None:
        """Close the session that F2 opened; the first one belongs to whoever made it."""
        if self.main.second is not None:
            await self.main.second.session.close()

    async def open_second(self) -> Session:
        """The session of the other device. Raises ChatError where it cannot be made."""
        assert self._second is not None
        return await self._second()

    def action_command(self, command_id: str) -> None:
        """Run a command by its name; what keys are bound to."""
        _log.debug("command %s", command_id)
        self.session.reconnect_now()
        BY_ID[command_id].run(self)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys of commands that would do nothing now are not taken."""
        if action == "command_palette" and self.screen is not self.main:
            return False
        if action != "command":
            return super().check_action(action, parameters)
        if not self.main.is_mounted:
            return False
        command = BY_ID.get(str(parameters[0]))
        return command is not None and command.available(self)

    def keys_of(self, command: Command) -> tuple[str, ...]:
        """The keys that run it: the settings', or its own."""
        return self.keymap.get(command.id, command.keys)

    def key(self, command_id: str) -> safe.Safe:
        """The first key of a command, as sentences name it."""
        return key_name(self.keys_of(BY_ID[command_id])[0])

    def footer_commands(self, scope: Scope | None) -> list[Command]:
        """What the status line offers: commands of where one is that do something now."""
        scopes = {scope, Scope.EVERYWHERE}
        return [
            command
            for command in BY_ID.values()
            if command.in_footer and scopes.intersection(command.scopes) and command.offered(self)
        ]

    def start(self, work: Coroutine[Any, Any, object]) -> None:
        """Run what may take a while; a refusal becomes one line."""

        async def guarded() -> None:
            try:
                await work
            except ChatError as error:
                self.say_error(error)

        self.run_worker(guarded(), group="commands")

    def say(
        self,
        text: Content | safe.Safe,
        *,
        severity: Literal["information", "warning", "error"] = "information",
        about: str | None = None,
    ) -> None:
        """A toast; it takes the place of the one before that is `about` the same, which holds no more.

        Over a dialog on a low screen it would lie on the title, so what is no warning waits there until the dialog has
        gone."""
        word = self.symbols.word(text.plain if isinstance(text, Content) else text)
        if about is not None:
            self.take_down(self._said_about.get(about))
            self._said_about[about] = word
        if severity == "information" and self.screen is not self.main and self.size.height < LOW_BELOW:
            self._unsaid.append(word)
        else:
            self.notify(word, severity=severity)

    async def copy(self, text: str) -> None:
        """Put a text, which is clean already, on the clipboard, and say so."""
        if await clipboard.copy(self, text):
            self.say(safe.own(_("Copied")))
        else:
            self.say(safe.own(_("Too long for the terminal's clipboard")), severity="warning")

    def say_error(self, error: ChatError) -> None:
        """One line: what happened and what to do."""
        self.say(safe.one_line(refusal(error)), severity="error")

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: Literal["information", "warning", "error"] = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """As Textual's, but never reads markup."""
        super().notify(message, title=title, severity=severity, timeout=timeout, markup=False)

    def say_what_waited(self) -> None:
        """The dialog has gone."""
        unsaid, self._unsaid = self._unsaid, []
        for word in unsaid:
            self.say(word)

    def action_command_palette(self) -> None:
        """Ctrl+P; as Textual's, in the reader's language."""
        if self.screen is self.main:
            self.push_screen(Palette(self.symbols))

    def action_help_quit(self) -> None:
        """Ctrl+C, where nothing is selected that it could copy: many expect it to quit."""
        self.say(safe.fill(_("{key} quits"), key=self.key("quit")))

    def show_help(self) -> None:
        """`?`"""
        from tui_chat.tui.screens.help import Help

        self.push_screen(Help(self.main.scope or Scope.LIST))

    def confirmed(self, batch_id: str, confirmation: Confirmation) -> None:
        """A deletion was confirmed on a list of this window."""
        self._confirmed = {batch_id: confirmation}

    def confirmed_elsewhere(self, batch_id: str, here: DevicePane) -> Confirmation | None:
        """What was confirmed on the other list of this window; once, and None for a batch of `here`."""
        confirmation = self._confirmed.get(batch_id)
        if confirmation is None or confirmation.origin is here:
            return None
        del self._confirmed[batch_id]
        return confirmation
