"""The one screen: the list, the open conversation, the status line; a second device beside them when asked for."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, Final

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input

from tui_chat.client.changes import Connection, ConnectionChanged
from tui_chat.locale import _
from tui_chat.protocol.errors import ChatError
from tui_chat.tui import safe
from tui_chat.tui.commands.command import Scope, bindings_of
from tui_chat.tui.commands.registry import COMMANDS
from tui_chat.tui.drawing import PromptScreen
from tui_chat.tui.widgets.conversation_list import ConversationList
from tui_chat.tui.widgets.empty_pane import EmptyPane

from . import emptiness, sentences
from .bottom import LOW_BELOW, Bottom
from .coach import Did
from .deleting import Run
from .device_pane import DevicePane
from .going import Going

if TYPE_CHECKING:
    from tui_chat.tui.app import ChatApp

    from .conversation_pane import ConversationPane

NARROW_BELOW: Final = 100
"""Columns below which one pane shows at a time."""
NARROW_BELOW_WITH_TWO: Final = 120
"""The same where a second device stands beside them."""


class MainScreen(PromptScreen[None]):
    """Panes, focus, and what the status line says."""

    app: ChatApp

    AUTO_FOCUS = None
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of(COMMANDS, Scope.EVERYWHERE)]

    primary: DevicePane
    second: DevicePane | None = None
    conversation: ConversationPane
    """From `complete` on."""
    whole = False
    """Whether `complete` has been called."""
    bottom: Bottom
    going: Going
    _second_busy: bool = False
    _coming: str | None = None
    """What was opened before it stood in the list."""
    _told: tuple[str | None, frozenset[str]] | None = None
    """Where the cursor was, and what was marked, when the status line was last written for them."""

    def compose(self) -> ComposeResult:
        app = self.app
        self.primary = DevicePane(
            app.session, clock=app.clock, symbols=app.symbols, flash_seconds=app.flash_seconds, id="primary"
        )
        self._empty = EmptyPane(symbols=app.symbols, classes="beside")
        self._body = Horizontal(self.primary, self._empty, id="panes")
        self.bottom = Bottom(self)
        self.going = Going(self)
        yield self._body
        yield from self.bottom.widgets

    def on_mount(self) -> None:
        self.primary.list.focus()
        self.show_coach()
        self.show_status()
        self._wait_for_midnight()

    async def complete(self) -> None:
        """Put up what the first frame does not show: loading it takes a third as long again as all that it shows."""
        from .conversation_pane import ConversationPane

        app = self.app
        self.conversation = ConversationPane(app.session, clock=app.clock, symbols=app.symbols, id="conversation")
        with app.batch_update():
            await self._body.mount(self.conversation, after=self._empty)
            await self._empty.remove()
            await self.primary.complete()
            self.whole = True
            self.show_idle()

    def on_screen_resume(self) -> None:
        """A dialog has gone: what it covered is read now, what it put off is said, and its own keys do nothing more."""
        self.app.say_what_waited()
        if self.whole:
            self.show_status()
            self.call_after_refresh(self.conversation.messages.tell_read)

    # Where one is.

    @property
    def device(self) -> DevicePane:
        """The device whose list has the focus; the first one otherwise."""
        second = self.second
        return second if second is not None and self._within(second) else self.primary

    @property
    def scope(self) -> Scope | None:
        """Which pane has the focus."""
        if not self.whole:
            return Scope.LIST
        if self.focused is self.conversation.composer:
            return Scope.COMPOSER
        if self.focused is self.conversation.messages:
            return Scope.MESSAGES
        return Scope.LIST if any(self.focused is pane.list for pane in self._devices()) else None

    def _within(self, pane: Widget) -> bool:
        """Whether the focus is in there. (`has_focus` lags behind: it waits for an event.)"""
        return self.focused is not None and pane in self.focused.ancestors_with_self

    def _devices(self) -> list[DevicePane]:
        return [self.primary] if self.second is None else [self.primary, self.second]

    def _panes(self) -> list[Widget]:
        panes: list[Widget] = [self.primary.list, self.conversation.messages]
        if self.conversation.composer.display:
            panes.append(self.conversation.composer)
        if self.second is not None:
            panes.append(self.second.list)
        return panes

    def go(self, pane: Widget) -> None:
        """Give a pane the focus; where one shows at a time, show it."""
        self._body.set_class(pane in (self.conversation.messages, self.conversation.composer), "-reading")
        self.set_focus(pane)

    def cycle(self, direction: int) -> None:
        """Tab and Shift+Tab."""
        panes = self._panes()
        at = next((index for index, pane in enumerate(panes) if pane is self.focused), 0)
        self.go(panes[(at + direction) % len(panes)])

    def back(self) -> None:
        """Esc: one step towards the list; there, one thing less at a time."""
        device = self.device
        if self.focused is self.conversation.composer:
            if not self.conversation.writing.cancel():
                self.go(self.conversation.messages)
        elif self._within(self.conversation):
            if self.conversation.finding.end():
                self.go(self.conversation.messages)
            else:
                self.go(device.list)
        elif isinstance(self.focused, Input):
            device.leave_query()
            self.go(device.list)
        elif device.deleter.stop():
            pass
        elif device.list.in_range:
            device.list.end_range()
        elif device.list.marks:
            cleared = sentences.marks_cleared(device.list.clear_marks(), again=self.app.key("last-marks"))
            self.app.say(cleared, about="marks")
        elif device.list.reviewing:
            device.list.toggle_review()
        elif not device.end_filter() and self.app.tour.active:
            self.app.tour.escape()

    # Opening.

    @on(ConversationList.Opened)
    def _opened(self, event: ConversationList.Opened) -> None:
        event.stop()
        self.visit(event.conversation_id)

    def open(self, conversation_id: str) -> None:
        """Show a conversation and go to its composer."""
        self.conversation.open(conversation_id)
        self.primary.list.set_open(conversation_id)
        blocked = self.conversation.composer.blocked
        self.go(self.conversation.messages if blocked else self.conversation.composer)
        self.app.tour.sees(Did.OPENED)
        self.show_status()

    def visit(self, conversation_id: str) -> None:
        """Open one, and put the list's cursor there; the row of a new one is still to come."""
        self._coming = None if self.primary.list.move_cursor_to(conversation_id) else conversation_id
        self.open(conversation_id)

    def _meet(self, coming: str) -> None:
        """The list changed: what one writes to may have come into it."""
        left = coming != self.conversation.conversation_id or self._within(self.primary)
        if left or self.primary.list.move_cursor_to(coming):
            self._coming = None

    def pane_closed(self, *, stay: bool = False) -> None:
        """The open conversation was deleted; `stay`: the pane has something to say about that."""
        self.primary.list.set_open(None)
        if self.scope in (Scope.COMPOSER, Scope.MESSAGES, None) and not isinstance(self.focused, Input):
            self.go(self.conversation.messages if stay else self.primary.list)

    # The second device.

    def toggle_second(self) -> None:
        """F2"""
        if not self._second_busy:
            self._second_busy = True
            self._toggle_second()

    @work(group="second")
    async def _toggle_second(self) -> None:
        try:
            if self.second is None:
                await self._open_second()
            else:
                await self._close_second(self.second)
        except ChatError as error:
            self.app.say_error(error)
        finally:
            self._second_busy = False

    async def _open_second(self) -> None:
        app = self.app
        session = await app.open_second()
        pane = DevicePane(
            session,
            clock=app.clock,
            symbols=app.symbols,
            flash_seconds=app.flash_seconds,
            second=True,
            id="second",
        )
        self._body.add_class("-two")
        await self._body.mount(pane)
        await pane.complete()
        self.second = pane
        self.primary.show_title(True)
        self._lay_out()
        app.tour.sees_second(session.device_name)

    async def _close_second(self, pane: DevicePane) -> None:
        self.go(self.primary.list)
        self.second = None
        self.primary.show_title(False)
        await pane.remove()
        self._body.remove_class("-two")
        self._lay_out()
        await pane.session.close()

    # What happens.

    @on(DevicePane.Changed)
    def _changed(self, event: DevicePane.Changed) -> None:
        event.stop()
        if event.pane is self.primary:
            if self.whole:  # until then nothing is open that they could be about
                self.conversation.take(event.changes)
            if self._coming is not None:
                self._meet(self._coming)
            self.app.notifier.take(event.changes)
            for change in event.changes:
                if isinstance(change, ConnectionChanged) and change.connection is Connection.SIGNED_OUT:
                    self.app.say(
                        safe.fill(
                            _("This device was signed out: {key} leaves, {command} signs in again"),
                            key=self.app.key("quit"),
                            command=f"tui-chat login --server URL --user {self.primary.session.user_id}",
                        ),
                        severity="error",
                    )
        self.show_status()

    @on(ConversationList.MarksChanged)
    @on(ConversationList.Highlighted)
    def _list_changed(self, event: ConversationList.MarksChanged | ConversationList.Highlighted) -> None:
        event.stop()
        listed = self.device.list
        if self._told != (listed.cursor_key, listed.marks):  # what a key did is told by then
            self.show_status()

    def on_descendant_focus(self) -> None:
        """Other keys do something now."""
        self.show_status()

    def on_resize(self, event: events.Resize) -> None:
        """One pane at a time where there is no room for two; no frames where there is no room for them."""
        self._lay_out()
        self._body.set_class(event.size.height < LOW_BELOW, "-low")
        self.show_coach()

    def _lay_out(self) -> None:
        enough = NARROW_BELOW if self.second is None else NARROW_BELOW_WITH_TWO
        self._body.set_class(self.size.width < enough, "-narrow")

    # What is said at the bottom.

    def show_status(self) -> None:
        """Facts and keys as they are now."""
        if self.is_mounted:
            listed = self.device.list
            self._told = (listed.cursor_key, listed.marks)
            self.bottom.show_status()
            for empty in (pane for pane in self._devices() if not pane.list.height):
                empty.list.say_nothing(emptiness.in_list(self.app, empty.session))
            self.show_idle()

    def show_idle(self) -> None:
        """While nothing is open: what one can do."""
        if not self.whole or self.conversation.idle:
            pane = self.conversation.messages if self.whole else self._empty
            pane.say(emptiness.beside(self.app, self.primary.session, self.primary.list))

    def answer(self) -> None:
        """A key has done in the list all that it does: draw it, with what the status line says of it."""
        self.show_status()
        self.draw_at_once()

    def show_progress(self, run: Run | None) -> None:
        """How far a long deletion is; None: it is over."""
        self.bottom.show_progress(run)

    def show_coach(self) -> None:
        """The coach's line, while there is one."""
        self.bottom.show_coach()

    @work(group="sync")
    async def switch_sync(self) -> None:
        """Ask, then change the server's switch."""
        from tui_chat.tui.dialogs.question import Question

        session = self.primary.session
        on = session.server.sync_conversation_deletion
        title = Content(_("Switch the sync of deletions off?") if on else _("Switch the sync of deletions on?"))
        text = Content(
            _("For everybody on this server: other devices will keep the rows that one deletes.")
            if on
            else _("For everybody on this server: what one deletes will go from one's other devices, too.")
        )
        agreed = await self.app.push_screen_wait(
            Question(title, text, confirm=Content(_("Switch off") if on else _("Switch on")))
        )
        if not agreed:
            return
        try:
            await session.change_settings(sync_conversation_deletion=not on)
        except ChatError as error:
            self.app.say_error(error)

    def _wait_for_midnight(self) -> None:
        """Times are written by the day, so each midnight they are written anew."""
        now = datetime.fromtimestamp(self.app.clock() / 1000)
        midnight = datetime.combine(now.date() + timedelta(days=1), datetime.min.time())
        self.set_timer((midnight - now).total_seconds() + 1, self._new_day)

    def _new_day(self) -> None:
        for device in self._devices():
            device.list.refresh_times()
        if self.whole:
            self.conversation.messages.refresh_times()
        self._wait_for_midnight()
