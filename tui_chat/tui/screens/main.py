"""The one screen: the list, the open conversation, the status line; a second device beside them when asked for."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, Final

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input, Static

from tui_chat.client.changes import Connection, ConnectionChanged
from tui_chat.locale import _
from tui_chat.protocol.errors import ChatError
from tui_chat.protocol.models import Conversation
from tui_chat.tui import safe
from tui_chat.tui.commands.command import Scope, bindings_of
from tui_chat.tui.commands.registry import COMMANDS
from tui_chat.tui.dialogs.question import Question
from tui_chat.tui.widgets.conversation_list import ConversationList
from tui_chat.tui.widgets.status_bar import StatusBar

from . import sentences, status
from .coach import Did
from .conversation_pane import ConversationPane
from .deleting import Run
from .device_pane import DevicePane
from .switcher import Switcher

if TYPE_CHECKING:
    from tui_chat.tui.app import ChatApp

NARROW_BELOW: Final = 100
"""Columns below which one pane shows at a time."""
NARROW_BELOW_WITH_TWO: Final = 120
"""The same where a second device stands beside them."""
LOW_BELOW: Final = 10
"""Rows below which every frame is left away."""


class MainScreen(Screen[None]):
    """Panes, focus, and what the status line says."""

    app: ChatApp

    AUTO_FOCUS = None
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of(COMMANDS, Scope.EVERYWHERE)]

    primary: DevicePane
    second: DevicePane | None = None
    conversation: ConversationPane
    _ticking: Timer | None = None
    _second_busy: bool = False

    def compose(self) -> ComposeResult:
        app = self.app
        self.primary = DevicePane(
            app.session, clock=app.clock, symbols=app.symbols, flash_seconds=app.flash_seconds, id="primary"
        )
        self.conversation = ConversationPane(app.session, clock=app.clock, symbols=app.symbols, id="conversation")
        self._body = Horizontal(self.primary, self.conversation, id="panes")
        self._progress = Static("", id="progress", markup=False)
        self._coach = Static("", id="coach", markup=False)
        self._note = Static("", id="note", markup=False)
        self._status = StatusBar(symbols=app.symbols, id="status")
        self._progress.display = self._note.display = False
        yield self._body
        yield self._progress
        yield self._coach
        yield self._note
        yield self._status

    def on_mount(self) -> None:
        self.primary.list.focus()
        self.show_coach()
        self.show_status()
        self._wait_for_midnight()

    def on_screen_resume(self) -> None:
        """A dialog has gone: what it covered is read now."""
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
            self.go(self.conversation.messages)
        elif self.focused is self.conversation.messages:
            self.go(device.list)
        elif isinstance(self.focused, Input):
            device.leave_query()
            self.go(device.list)
        elif device.deleter.stop():
            pass
        elif device.list.in_range:
            device.list.end_range()
        elif device.list.marks:
            self.app.say(sentences.marks_cleared(device.list.clear_marks()))
        elif device.list.reviewing:
            device.list.toggle_review()
        elif not device.end_filter() and self.app.coach.active:
            self.app.escape_coach()

    # Opening.

    @on(ConversationList.Opened)
    def _opened(self, event: ConversationList.Opened) -> None:
        event.stop()
        self.open(event.conversation_id)

    def open(self, conversation_id: str) -> None:
        """Show a conversation and go to its composer."""
        self.conversation.open(conversation_id)
        self.primary.list.set_open(conversation_id)
        blocked = self.conversation.composer.blocked
        self.go(self.conversation.messages if blocked else self.conversation.composer)
        self.app.saw(Did.OPENED)
        self.show_status()

    def pane_closed(self, *, stay: bool = False) -> None:
        """The open conversation was deleted; `stay`: the pane has something to say about that."""
        self.primary.list.set_open(None)
        if self.scope in (Scope.COMPOSER, Scope.MESSAGES, None) and not isinstance(self.focused, Input):
            self.go(self.conversation.messages if stay else self.primary.list)

    def switch_conversation(self) -> None:
        """Ctrl+G"""
        self.app.push_screen(Switcher(self.primary.session.conversations), self._switched)

    def _switched(self, conversation_id: str | None) -> None:
        if conversation_id is not None:
            self.primary.list.move_cursor_to(conversation_id)
            self.open(conversation_id)

    def next_unread(self) -> None:
        """Ctrl+N: in the list's order, from the open one on."""
        rows = sorted(
            (row for row in self.primary.session.conversations.values() if _wants_reading(row)),
            key=lambda row: (not row.pinned, -row.time, row.conversation_id),
        )
        if not rows:
            self.app.say(safe.own(_("Nothing unread")))
            return
        ids = [row.conversation_id for row in rows]
        open_id = self.conversation.conversation_id
        self._switched(ids[(ids.index(open_id) + 1) % len(ids)] if open_id in ids else ids[0])

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
        self.second = pane
        self.primary.show_title(True)
        self._lay_out()
        app.saw(Did.OPENED_SECOND)

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
            self.conversation.take(event.changes)
            for change in event.changes:
                if isinstance(change, ConnectionChanged) and change.connection is Connection.SIGNED_OUT:
                    self.app.say(safe.own(_("This device was signed out: log in again")), severity="error")
        self.show_status()

    @on(ConversationList.MarksChanged)
    @on(ConversationList.Highlighted)
    def _list_changed(self) -> None:
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
        if not self.is_mounted:
            return
        app, device = self.app, self.device
        session = device.session
        facts = [
            status.connection_fact(session.connection, session.queued, app.symbols),
            status.account_fact(session.user_id, session.device_name),
            status.sync_fact(session.server, demo=app.demo),
            status.undo_fact(session.undoable, app.clock()),
            status.marks_fact(len(device.list.marks)),
        ]
        self._status.set_facts([fact for fact in facts if fact is not None and fact.text])
        self._status.set_hints(status.hints(app.footer_commands(self.scope), self.scope))
        self._tick_while(bool(session.undoable))
        self._show_stale(device)

    def _show_stale(self, device: DevicePane) -> None:
        """What the sign on a row means, while the cursor is on such a row, or it is open."""
        looked_at = {device.list.cursor_key, self.conversation.conversation_id}
        stale = not looked_at.isdisjoint(device.session.stale)
        if stale and not self._note.display:
            text = _("{sign} Deleted on another device. This is the copy kept here. Ctrl+R reloads.")
            self._note.update(safe.template(text, sign=self.app.symbols.stale))
        self._note.display = stale

    def _tick_while(self, counting: bool) -> None:
        """The time for undo counts down; with nothing to undo there is no timer."""
        if counting and self._ticking is None:
            self._ticking = self.set_interval(1.0, self.show_status)
        elif not counting and self._ticking is not None:
            self._ticking.stop()
            self._ticking = None

    def show_progress(self, run: Run | None) -> None:
        """How far a long deletion is; None: it is over."""
        self._progress.display = run is not None and run.total > 0 and run.done < run.total
        if run is not None:
            seconds = self.app.stopwatch() - run.started
            said = status.progress(run.done, run.total, seconds, self.size.width, self.app.symbols)
            self._progress.update(Content(said), layout=False)

    def show_coach(self) -> None:
        """The coach's line, while there is one; toasts keep off it."""
        coach, width = self.app.coach, self.size.width
        shown = coach.active and self.size.height >= LOW_BELOW
        said = Content.assemble(" ", Content(self.app.symbols.word(coach.line().plain)).stylize("bold"))
        leave = Content.assemble(("   " + _("Esc ends the tour"), "$text-muted"))
        if not coach.finished and said.cell_length + leave.cell_length <= width:
            said = said + leave
        self._coach.display = shown
        if shown:
            self._coach.update(said)
        self.app.set_class(shown and said.cell_length <= width, "-coached")
        self.app.set_class(shown and said.cell_length > width, "-coached-tall")

    @work(group="sync")
    async def switch_sync(self) -> None:
        """Ask, then change the server's switch."""
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
        self.conversation.messages.refresh_times()
        self._wait_for_midnight()


def _wants_reading(row: Conversation) -> bool:
    return (row.unread_count > 0 and not row.muted) or row.mention_count > 0 or row.marked_unread
