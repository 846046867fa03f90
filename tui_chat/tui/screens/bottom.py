"""The lines at the bottom: progress of a deletion, the coach, what a sign means, the status line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.content import Content
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Static

from tui_chat.client.changes import Connection
from tui_chat.locale import _
from tui_chat.tui import safe
from tui_chat.tui.widgets.status_bar import Fact, StatusBar

from . import status
from .deleting import Run
from .device_pane import DevicePane

if TYPE_CHECKING:
    from tui_chat.client.interface import Session

    from .main import MainScreen

LOW_BELOW: Final = 10
"""Rows below which every frame is left away."""
TOASTS_RAISED_MOST: Final = 3
"""Lines above the status line: two of the coach's, one of progress."""
QUEUED_AFTER: Final = 1.0
"""Seconds after which it is said, while there is a connection, that something waits: most is confirmed by then."""


class Bottom:
    """Four widgets of the main screen, and what they say."""

    def __init__(self, screen: MainScreen) -> None:
        self._screen = screen
        self._progress = Static("", id="progress", markup=False)
        self._coach = Static("", id="coach", markup=False)
        self._note = Static("", id="note", markup=False)
        self._status = StatusBar(symbols=screen.app.symbols, id="status")
        self._progress.display = self._note.display = False
        self._ticking: Timer | None = None
        self._coach_lines = 0
        self._waiting_since: float | None = None
        """When something began to wait although there is a connection."""

    @property
    def widgets(self) -> list[Widget]:
        """From the top."""
        return [self._progress, self._coach, self._note, self._status]

    def show_status(self) -> None:
        """Facts and keys as they are now."""
        app, screen = self._screen.app, self._screen
        device = screen.device
        session = device.session
        undoable = session.undoable
        facts = [
            self._connection(session),
            status.account_fact(session.user_id, session.device_name),
            status.sync_fact(session.server, demo=app.demo),
            status.undo_fact(undoable, app.clock(), app.key("undo")),
            status.marks_fact(len(device.list.marks)),
        ]
        self._status.set_facts([fact for fact in facts if fact is not None and fact.text])
        self._status.set_hints(status.hints(app.footer_commands(screen.scope), screen.scope, app.keys_of))
        self._tick_while(bool(undoable))
        self._show_stale(device)

    def _connection(self, session: Session) -> Fact:
        app = self._screen.app
        if app.waits_for is not None and not app.started:
            return status.waiting_fact(app.waits_for, app.symbols)
        return status.connection_fact(session.connection, self._queued(session), app.symbols)

    def _queued(self, session: Session) -> int:
        """What waits, as far as it is worth a word."""
        if not session.queued or session.connection is not Connection.CONNECTED:
            self._waiting_since = None
            return status.actions(session.queue) if session.queued else 0
        now = self._screen.app.stopwatch()
        if self._waiting_since is None:
            self._waiting_since = now
            self._screen.set_timer(QUEUED_AFTER, self._screen.show_status)
        return status.actions(session.queue) if now - self._waiting_since >= QUEUED_AFTER * 0.9 else 0

    def _show_stale(self, device: DevicePane) -> None:
        """What the sign on a row means, while the cursor is on such a row, or it is open."""
        open_id = self._screen.conversation.conversation_id if self._screen.whole else None
        looked_at = {device.list.cursor_key, open_id}
        stale = not looked_at.isdisjoint(device.session.stale)
        if stale and not self._note.display:
            text = _("{sign} Deleted on another device. This is the copy kept here. {key} reloads.")
            app = self._screen.app
            self._note.update(safe.template(text, sign=app.symbols.stale, key=app.key("reload")))
        self._note.display = stale

    def _tick_while(self, counting: bool) -> None:
        """The time for undo counts down; with nothing to undo there is no timer."""
        if counting and self._ticking is None:
            self._ticking = self._screen.set_interval(1.0, self._screen.show_status)
        elif not counting and self._ticking is not None:
            self._ticking.stop()
            self._ticking = None

    def show_progress(self, run: Run | None) -> None:
        """How far a long deletion is; None: it is over."""
        self._progress.display = run is not None and run.total > 0 and run.done < run.total
        self._raise_toasts()
        if run is not None:
            seconds = self._screen.app.stopwatch() - run.started
            app, cells = self._screen.app, self._screen.size.width
            said = status.progress(run.done, run.total, seconds, cells, app.symbols, app.key("back"))
            self._progress.update(Content(said), layout=False)

    def show_coach(self) -> None:
        """The coach's line, while there is one; toasts keep off it."""
        coach, width = self._screen.app.tour.coach, self._screen.size.width
        shown = coach.active and self._screen.size.height >= LOW_BELOW
        said = Content.assemble(
            " ", Content(self._screen.app.symbols.word(coach.line(self._screen.app.key).plain)).stylize("bold")
        )
        key = self._screen.app.key("back")
        leave = Content("   ") + safe.template(_("{key} ends the tour"), key=key).stylize("$text-muted")
        if not coach.finished and said.cell_length + leave.cell_length <= width:
            said = said + leave
        self._coach.display = shown
        if shown:
            self._coach.update(said)
        self._coach_lines = (1 if said.cell_length <= width else 2) if shown else 0
        self._raise_toasts()

    def _raise_toasts(self) -> None:
        """They lie on nothing that is said down here."""
        lines = self._coach_lines + (1 if self._progress.display else 0)
        for number in range(1, TOASTS_RAISED_MOST + 1):
            self._screen.app.set_class(number == lines, f"-raised-{number}")
