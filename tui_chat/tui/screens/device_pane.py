"""One device: a session's list of conversations, and what its changes do to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum, auto
from typing import TYPE_CHECKING, ClassVar, Final, Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Static

from tui_chat.client.changes import (
    Change,
    CommandHeld,
    CommandRefused,
    ConnectionChanged,
    ConversationsHidden,
    ConversationsRemoved,
    ConversationsRestored,
    ConversationStale,
    ConversationsUpdated,
    Notice,
    PresenceChanged,
    ServerChanged,
    StateReset,
)
from tui_chat.locale import _
from tui_chat.protocol.ids import c2c
from tui_chat.tui import safe
from tui_chat.tui.bridge import Bridge, SessionChanged
from tui_chat.tui.commands.command import Scope, bindings_of
from tui_chat.tui.commands.registry import COMMANDS
from tui_chat.tui.refusals import refusal
from tui_chat.tui.themes import Symbols
from tui_chat.tui.widgets.conversation_list import ConversationList

from . import sentences
from .coach import MARKS_ASKED, Did
from .deleting import Deleter

if TYPE_CHECKING:
    from tui_chat.client.interface import Session
    from tui_chat.client.query import Query
    from tui_chat.tui.app import ChatApp
    from tui_chat.tui.widgets.query_bar import QueryBar

    from .sweep import SweepWish

GATHER: Final = 0.3
"""Seconds of quiet after which what another device did is told in one toast: 10,000 conversations are 100 events."""


class DeviceList(ConversationList):
    """The list with its commands' keys."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of(COMMANDS, Scope.LIST)]


class _What(Enum):
    """What another device did."""

    DELETED = auto()
    DELETED_WHILE_AWAY = auto()
    RESTORED = auto()


class DevicePane(Vertical):
    """The list of one session. A second one beside it shows another device of the same account."""

    app: ChatApp

    _filter: QueryBar
    _marking: QueryBar
    """Both from `complete` on."""

    class Changed(Message):
        """This session's changes, for whoever shows more of it than the list."""

        def __init__(self, pane: DevicePane, changes: list[Change]) -> None:
            super().__init__()
            self.pane = pane
            self.changes = changes

    def __init__(
        self,
        session: Session,
        *,
        clock: Callable[[], int],
        symbols: Symbols,
        flash_seconds: float,
        second: bool = False,
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(id=id)
        self.session = session
        self.second = second
        self.deleter = Deleter(self)
        self.list = DeviceList(
            clock=clock, own_id=session.user_id, symbols=symbols, flash_seconds=flash_seconds, id=f"{id}-list"
        )
        self._title = Static("", markup=False, classes="device-title")
        self._bridge: Bridge | None = None
        self._expected: set[str] = set()
        """Rows that show "deleting…" while one's own deletion of them runs."""
        self._elsewhere: dict[tuple[str, _What], tuple[int, bool]] = {}
        """(device, what it did) -> (count, undoable), until it is told."""
        self._telling: Timer | None = None

    def compose(self) -> ComposeResult:
        self._title.display = self.second
        yield self._title
        yield self.list

    async def complete(self) -> None:
        """Put up what the first frame does not show."""
        from tui_chat.tui.widgets.query_bar import QueryBar

        self._filter = QueryBar(self._keep_filter)
        self._marking = QueryBar(self._mark_by, marking=True)
        await self.mount(self._filter, self._marking, after=self._title)

    def on_mount(self) -> None:
        self._title.update(sentences.last_arrival(self.session.device_name, None))
        self.show_all()
        self._bridge = Bridge(self.session, self)

    def on_unmount(self) -> None:
        if self._bridge is not None:
            self._bridge.close()

    @property
    def drafts(self) -> frozenset[str]:
        """Conversations with an unsent draft."""
        return frozenset(self.session.drafts)

    @property
    def has_targets(self) -> bool:
        """Whether there is anything that a command would be about."""
        return bool(self.list.marks) or self.list.cursor_key is not None

    def show_title(self, shown: bool) -> None:
        """Say which device this is, while there are two."""
        self._title.display = shown

    def show_all(self) -> None:
        """The whole list from the session."""
        self.list.set_conversations(self.session.conversations, count=self.session.conversation_count)
        self.list.set_stale(self.session.stale)
        self.show_drafts()
        self.show_online()

    def show_online(self) -> None:
        """Which rows are with somebody who is there."""
        self.list.set_online({c2c(user_id) for user_id in self.session.online})

    def show_drafts(self) -> None:
        """Which rows carry the sign of a draft."""
        self.list.set_drafts(self.drafts)

    # What commands do.

    def start_filter(self) -> None:
        """`/`"""
        self._marking.close()
        self._filter.open(self.list.filter_text)

    def filter_by(self, query: Query) -> None:
        """Narrow the list to a query from elsewhere."""
        self._filter.open(query.text)
        self._filter.keep()
        self.list.set_filter(query)
        self.list.focus()

    def end_filter(self) -> bool:
        """Esc: show all again. Returns whether there was a filter."""
        had = self.list.clear_filter() or self._filter.display
        self._filter.close()
        return had

    def start_marking(self) -> None:
        """`T`"""
        self._marking.open()

    @property
    def is_query_typed(self) -> bool:
        """Whether one types a query here, and all that was typed so far stands there."""
        return any(bar.is_attached and bar.is_typed for bar in (self._marking, self._filter))

    def leave_query(self) -> None:
        """Esc while one types: out of marking by query, or out of the filter."""
        if self._marking.display:
            self._marking.close()
        else:
            self.end_filter()

    def sweep(self) -> None:
        """`S`"""
        from .sweep import Sweep

        self.app.push_screen(Sweep(self.list), self._swept)

    def _swept(self, wish: SweepWish | None) -> None:
        if wish is None:
            return
        if wish.look_in is not None:
            self.filter_by(wish.look_in)
        elif wish.delete:
            self.list.clear_marks()
            self.list.mark(wish.delete)
            self.deleter.ask()

    def mark_read(self) -> None:
        """`r`"""
        ids = self.list.targets
        self.app.start(self._mark_read(ids))

    async def _mark_read(self, ids: list[str]) -> None:
        for one in ids:
            row = self.session.conversations.get(one)
            if row is not None and (row.unread_count or row.marked_unread):
                await self.session.mark_read(one)

    def toggle_flag(self, flag: Literal["pinned", "muted", "marked_unread"]) -> None:
        """`p`, `m`, `U`: set it on all where one lacks it, otherwise take it away."""
        rows = [row for one in self.list.targets if (row := self.session.conversations.get(one))]
        if not rows:
            return
        value = not all(getattr(row, flag) for row in rows)
        ids = [row.conversation_id for row in rows if getattr(row, flag) is not value]
        self.app.start(self._set_flag(ids, flag, value))

    async def _set_flag(self, ids: list[str], flag: str, value: bool) -> None:
        refused = await self.session.set_flags(ids, **{flag: value})
        for failure in refused[:1]:
            self.app.say(safe.one_line(refusal(failure)), severity="error")

    def new_conversation(self) -> None:
        """`c`"""
        from tui_chat.tui.dialogs.new_conversation import NewConversation

        self.app.push_screen(NewConversation(self.session), self._go_to_new)

    def _go_to_new(self, conversation_id: str | None) -> None:
        if conversation_id is not None:
            self.post_message(ConversationList.Opened(conversation_id))

    def show_log(self) -> None:
        """`L`"""
        from .deletion_log import DeletionLog

        self.app.push_screen(DeletionLog(self.session, clock=self.app.clock, bring_back=self.deleter.bring_back))

    def reload(self) -> None:
        """Ctrl+R"""
        self.session.reconnect_now()
        self.app.start(self._reload())

    async def _reload(self) -> None:
        await self.session.reload()
        self.app.say(safe.own(_("Reloaded from the server")))

    def expect(self, conversation_ids: Iterable[str]) -> None:
        """One's own deletion of these runs here."""
        self._expected = set(conversation_ids)

    # What happens.

    def on_query_bar_typed(self, event: QueryBar.Typed) -> None:
        """Another query stands in one of the bars."""
        event.stop()
        if not self._marking.display:
            self.list.set_filter(event.query)
        elif not event.query.empty:
            self._marking.say(sentences.would_mark(len(self.list.matching(event.query)), self.list.shown_count))

    def _keep_filter(self, query: Query) -> None:
        self._filter.keep()
        self.list.set_filter(query)
        self.app.main.focus_at_once(self.list)

    def _mark_by(self, query: Query) -> None:
        self._marking.close()
        if not query.empty:
            found = self.list.matching(query)
            self.list.mark(found)
            self.call_after_refresh(self.app.say, sentences.marked(len(found)), about="marks")
        self.app.main.focus_at_once(self.list)

    @on(ConversationList.ShownChanged)
    def _shown_changed(self, event: ConversationList.ShownChanged) -> None:
        event.stop()
        self.app.main.show_idle()

    @on(ConversationList.MarksChanged)
    def _marks_changed(self, event: ConversationList.MarksChanged) -> None:
        if len(event.marks) >= MARKS_ASKED:
            self.app.tour.sees(Did.MARKED)

    def on_session_changed(self, event: SessionChanged) -> None:
        """Bring the list in line, then tell whoever shows more."""
        changes = event.bridge.take()
        for change in changes:
            self._take(change)
        self.post_message(self.Changed(self, changes))

    def _take(self, change: Change) -> None:
        match change:
            case ConversationsUpdated(conversation_id_list=ids):
                self.list.update_rows(ids)
                self._updated(ids)
            case ConversationsRemoved():
                self._removed(change)
            case ConversationsHidden(conversation_id_list=ids):
                self.list.remove_rows([one for one in ids if one not in self._expected or self.deleter.run is None])
            case ConversationsRestored(conversation_id_list=ids, device=device):
                self.list.restore_rows(ids)
                if device is not None and not self.second:
                    self._gather(device, _What.RESTORED, len(ids))
            case ConversationStale():
                self.list.set_stale(self.session.stale)
            case StateReset(renumbered=renumbered):
                self.show_all()
                if renumbered:
                    self.deleter.renumbered()
            case PresenceChanged():
                self.show_online()
            case ConnectionChanged() | ServerChanged():
                if self.deleter.dialog is not None:
                    self.deleter.dialog.refresh_facts()
            case CommandHeld(error=error):
                self.app.say(sentences.held(error), severity="warning")
            case CommandRefused(what="edit") if not self.second:
                pass  # whoever shows the conversation offers the text again
            case CommandRefused(what="edit" | "recall" | "react", error=error):
                self.app.say(sentences.not_changed(error), severity="error")
            case CommandRefused(conversation_id_list=ids, error=error):
                self.app.say(sentences.refused(error), severity="error")
                self.list.set_failed(dict.fromkeys(ids, refusal(error)))
            case Notice():
                self.app.say(sentences.notice(change), severity="warning")
            case _:
                pass

    def _updated(self, ids: list[str]) -> None:
        if not self.second:
            self.app.tour.sees_updated(ids)
        if (dialog := self.deleter.dialog) is not None and not set(dialog.conversation_ids).isdisjoint(ids):
            dialog.refresh_facts()

    def _removed(self, change: ConversationsRemoved) -> None:
        ids = change.conversation_id_list
        # One that has come back meanwhile stays, in whatever order that is told.
        gone = [one for one in ids if one not in self.session.conversations]
        self.list.remove_rows(gone, flash=change.device is not None)
        if (dialog := self.deleter.dialog) is not None:
            dialog.gone(ids, change.device)
        self._measure(change.batch_id)
        if change.device is None or self.second:
            return
        what = _What.DELETED_WHILE_AWAY if change.while_away else _What.DELETED
        self._gather(change.device, what, len(ids), undoable=change.undo_until > 0)

    def _gather(self, device: str, what: _What, number: int, *, undoable: bool = False) -> None:
        """Tell of it once all of it is there: what was done in one go arrives in many pieces."""
        count, before = self._elsewhere.get((device, what), (0, False))
        self._elsewhere[device, what] = (count + number, before or undoable)
        if self._telling is not None:
            self._telling.stop()
        self._telling = self.set_timer(GATHER, self._tell)

    def _tell(self) -> None:
        self._telling = None
        told, self._elsewhere = self._elsewhere, {}
        for (device, what), (count, undoable) in told.items():
            match what:
                case _What.DELETED:
                    undo = self.app.key("undo") if undoable else None
                    self.app.say(sentences.deleted_elsewhere(device, count, undo=undo))
                case _What.DELETED_WHILE_AWAY:
                    self.app.say(sentences.deleted_while_away(device, count, log=self.app.key("log")))
                case _What.RESTORED:
                    self.app.say(sentences.restored(count, device))

    def _measure(self, batch_id: str) -> None:
        """From the moment of confirming on the one device to the changed frame on this one."""
        confirmation = self.app.confirmed_elsewhere(batch_id, self)
        if confirmation is None:
            return

        def drawn() -> None:
            milliseconds = (self.app.stopwatch() - confirmation.started) * 1000
            self._title.update(sentences.last_arrival(self.session.device_name, milliseconds), layout=False)
            self.app.tour.sees_deleted_beside(confirmation.person)

        self.call_after_refresh(drawn)
