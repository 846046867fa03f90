"""The open conversation: its messages, the composer, and what happens to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widgets import TextArea

from tui_chat.client.changes import (
    Change,
    CommandRefused,
    Connection,
    ConnectionChanged,
    ConversationsHidden,
    ConversationsRemoved,
    ConversationsRestored,
    ConversationsUpdated,
    DraftKept,
    HistoryCleared,
    HistoryRestored,
    MessagesAdded,
    MessageUpdated,
    PeerRead,
    PresenceChanged,
    SendFailed,
    StateReset,
    TypingSeen,
)
from tui_chat.locale import _
from tui_chat.protocol.ids import parse_conversation_id
from tui_chat.protocol.models import Conversation
from tui_chat.protocol.text import clean_text
from tui_chat.tui import safe
from tui_chat.tui.commands.command import Scope, bindings_of
from tui_chat.tui.commands.registry import COMMANDS
from tui_chat.tui.render.messages import can_edit
from tui_chat.tui.themes import Symbols
from tui_chat.tui.widgets.composer import Composer
from tui_chat.tui.widgets.find_bar import FindBar
from tui_chat.tui.widgets.message_pane import MessagePane

from . import sentences
from .applications import Applications
from .farewell import Farewell
from .finding import Finding
from .message_actions import MessageActions
from .note import Note
from .paging import Paging
from .unsent import Unsent
from .writing import Writing

if TYPE_CHECKING:
    from tui_chat.client.interface import Session
    from tui_chat.tui.app import ChatApp

CHANGES: Final = ("edit", "recall")
"""Queued commands that the message itself shows as waiting."""


class Messages(MessagePane):
    """The messages with their commands' keys."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of(COMMANDS, Scope.MESSAGES)]


class MessageComposer(Composer):
    """The composer with its commands' keys, and with those of everywhere before the text area's own."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings_of(COMMANDS, Scope.COMPOSER),
        *bindings_of(COMMANDS, Scope.EVERYWHERE),
    ]


class ConversationPane(Vertical):
    """Shows one conversation of a session, or says why none is shown."""

    app: ChatApp

    def __init__(
        self,
        session: Session,
        *,
        clock: Callable[[], int],
        symbols: Symbols,
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(id=id, classes="beside")
        self.session = session
        self.symbols = symbols
        self.applications = Applications(self)
        self.messages = Messages(
            clock=clock,
            own_id=session.user_id,
            symbols=symbols,
            ends_of=self.applications.ends_of,
            id="messages",
        )
        self.writing = Writing(self)
        self.composer = MessageComposer(
            symbols=symbols,
            most_bytes=session.server.limits.text_bytes,
            complete=self.writing.mentions.candidates,
            id="composer",
        )
        self.finding = Finding(self)
        self.unsent = Unsent(self)
        self.note = Note(self)
        self.actions = MessageActions(self)
        self._farewell = Farewell(self)
        self._paging = Paging(session, self.messages, self.unsent, lambda work: self.app.start(work))
        self._listed: Conversation | None = None
        """What is open, where it stands in the list; somebody to whom nothing was written yet does not."""
        self._unread_after: int | None = None
        """The read mark when it was opened, where something was unread."""
        self._parted = False
        """It is said of what was open last why it is no more."""

    def compose(self) -> ComposeResult:
        yield self.finding.bar
        yield self.messages
        yield self.composer.completion
        yield self.writing.bar
        yield self.composer

    def on_mount(self) -> None:
        self._show_composer()
        self.note.show()

    def on_unmount(self) -> None:
        """The program ends: what was typed last is kept."""
        self.writing.ended()
        self.unsent.leave()

    def on_resize(self) -> None:
        """What is said above the composer fits on its line."""
        self.writing.resized()

    @property
    def conversation_id(self) -> str | None:
        """What is open."""
        return self.messages.conversation_id

    @property
    def idle(self) -> bool:
        """Nothing is open, and there is nothing to say of what was."""
        return self.conversation_id is None and not self._parted

    # What commands do.

    def open(self, conversation_id: str) -> None:
        """Show a conversation: what is kept here at once, what is missing when the server has sent it."""
        if self.row(conversation_id).marked_unread:  # the messages alone tell nothing new to have been read
            self.app.start(self.session.mark_read(conversation_id))
        if conversation_id == self.conversation_id:
            self._show_what_came_unseen(self.row(conversation_id))
            return
        self.writing.leave()
        self.finding.end()
        self._farewell.forget()
        self.applications.forget()
        self.unsent.leave()
        self.note.forget_typing()
        row = self.row(conversation_id)
        self._unread_after = row.read_seq if row.unread_count else None
        self._show(conversation_id)
        self.writing.open(conversation_id)
        self._show_composer()

    def _show_what_came_unseen(self, row: Conversation) -> None:
        """What came to its end while another pane had the place begins at the line "new", as in one opened anew."""
        if row.unread_count and self.messages.following and not self.messages.size:
            self._unread_after = row.read_seq
            self._show(row.conversation_id)

    def jump(self, message_seq: int) -> None:
        """Go to a message of what is open, and fetch what is around it where it is not here."""
        if (open_id := self.conversation_id) is not None and not self.messages.go_to(message_seq):
            self.app.start(self._jump(open_id, message_seq))

    async def _jump(self, conversation_id: str, message_seq: int) -> None:
        if not await self._paging.jump(self.row(conversation_id), message_seq, new_after=self._unread_after):
            self.app.say(safe.own(_("That message is not here any more")), severity="warning")

    def first_unread(self) -> None:
        """`U`"""
        after = self._unread_after
        if after is None:
            self.app.say(safe.own(_("Nothing was unread here")))
            return
        after = max(after, self.row(self.conversation_id or "").cleared_through)
        first = self.messages.first_new
        if first is not None and 0 < self.messages.oldest_seq <= after + 1 and self.messages.go_to(first):
            return
        self.jump(after + 1)

    def close(self, notice: str = "") -> None:
        """Show no conversation, and say why, where there is something to say."""
        self.finding.end()
        self._parted = bool(notice)
        self.messages.close(notice)
        self.composer.set_draft("")
        self.writing.resized()
        self._show_composer()
        self.note.show()

    def compose_message(self) -> None:
        """Go to the composer, or say why nothing can be written."""
        if self.conversation_id is None:
            return
        self.composer.focus()

    def text_to_copy(self) -> str:
        """What `y` copies now: the message under the cursor, or a kept draft; empty for nothing."""
        message = self.messages.current_message
        if message is not None:
            return message.text
        return self._farewell.text

    def copy(self) -> None:
        """`y`"""
        self.app.start(self.app.copy(clean_text(self.text_to_copy())))

    @on(Composer.EditLast)
    def edit_last(self, event: Composer.EditLast | None = None) -> None:
        """Up in an empty composer: change what one wrote last, as far as it is here."""
        if event is not None:
            event.stop()
        message = self.messages.newest_of(self.session.user_id)
        if self.session.capabilities.edits and message is not None and can_edit(message, self.session.user_id):
            self.writing.edit(message)

    # What the person does.

    @on(Composer.Submitted)
    def _submitted(self, event: Composer.Submitted) -> None:
        event.stop()
        self.writing.submit(event.text)

    @on(Composer.Cut)
    def _cut(self, event: Composer.Cut) -> None:
        event.stop()
        self.app.say(sentences.cut(event.left_out), severity="warning")

    @on(Composer.Scrolled)
    def _scrolled(self, event: Composer.Scrolled) -> None:
        event.stop()
        self.messages.action_page(event.pages)

    @on(TextArea.Changed)
    def _typed(self, event: TextArea.Changed) -> None:
        event.stop()
        self.writing.typed()

    @on(FindBar.Asked)
    def _asked(self, event: FindBar.Asked) -> None:
        event.stop()
        self.finding.ask(event.words)

    @on(MessagePane.CursorMoved)
    def _cursor_moved(self, event: MessagePane.CursorMoved) -> None:
        event.stop()
        self.app.main.show_status()

    @on(MessagePane.NeedOlder)
    def _need_older(self, event: MessagePane.NeedOlder) -> None:
        event.stop()
        self._paging.older(event)

    @on(MessagePane.NeedNewer)
    def _need_newer(self, event: MessagePane.NeedNewer) -> None:
        event.stop()
        self._paging.newer(event)

    @on(MessagePane.NeedLatest)
    def _need_latest(self, event: MessagePane.NeedLatest) -> None:
        event.stop()
        if event.conversation_id == self.conversation_id:
            self._show(event.conversation_id, new_line=False)

    @on(MessagePane.ReadUpTo)
    def _read(self, event: MessagePane.ReadUpTo) -> None:
        event.stop()
        self._paging.read(event)

    # What happens.

    def take(self, changes: list[Change]) -> None:
        """This session's changes, as far as they are about what is open."""
        self._paging.told()
        for change in changes:
            self._take(change)
        self._show_changing()

    def _show_changing(self) -> None:
        """Messages of which a change waits carry the sign of what is sent."""
        open_id = self.conversation_id
        waiting = (one for one in self.session.queue if one.what in CHANGES and open_id in one.conversation_id_list)
        self.messages.set_changing({one.message_seq for one in waiting if one.message_seq is not None})

    def _take(self, change: Change) -> None:
        open_id = self.conversation_id
        match change:
            case ConversationsUpdated(conversation_id_list=ids) if open_id in ids:
                self._updated(open_id)
            case ConversationsRemoved(conversation_id_list=ids, device=device) if open_id in ids:
                self._farewell.deleted(self._listed or self.row(open_id), device)
            case ConversationsHidden(conversation_id_list=ids) if open_id in ids:
                self._farewell.deleted(self._listed or self.row(open_id), None)
            case ConversationsRestored(conversation_id_list=ids) if self._farewell.left_open in ids:
                self._farewell.restored()
            case DraftKept(conversation_id=one, text=text) if one in (open_id, self._farewell.left_open):
                self._farewell.keep(one, text)
            case HistoryCleared(conversation_id=one, cleared_through=through) if one == open_id:
                if self.messages.clear_through(through) and not self.app.main.primary.deleter.did(one, through):
                    self.app.say(sentences.cleared_elsewhere(self.app.key("log")), severity="warning")
            case HistoryRestored(conversation_id=one) if one == open_id:
                self._show(one, new_line=False)
            case MessagesAdded(conversation_id=one, messages=messages) if one == open_id:
                self.messages.append(messages)
                self.note.arrived(messages)
            case MessageUpdated(conversation_id=one, message=message) if one == open_id:
                self.messages.update_message(message)
                self.writing.message_changed(message)
            case CommandRefused(what="edit"):
                self.writing.refused(change)
            case SendFailed():
                self.unsent.failed(change)
            case PeerRead(conversation_id=one, peer_read_seq=seq) if one == open_id:
                self.messages.set_peer_read(seq)
            case PresenceChanged():
                self.note.show()
            case TypingSeen(conversation_id=one, user_id=user_id) if one == open_id:
                self.note.seen_typing(user_id)
            case ConnectionChanged(connection=Connection.CONNECTED):
                self._paging.connected()
            case StateReset(renumbered=renumbered):
                if renumbered:
                    self._renumbered()
                if open_id is None:
                    return
                if self._listed is not None and open_id not in self.session.conversations:
                    self._farewell.missing(self._listed)
                else:
                    self._show(open_id, new_line=False)
            case _:
                pass

    def _updated(self, conversation_id: str) -> None:
        row = self.session.conversations.get(conversation_id)
        if row is not None:
            self._listed = row
            self.messages.set_conversation(row)
            self._show_composer()
            self.note.show()

    def _renumbered(self) -> None:
        """The server was restored from a backup: what is kept here by the number of a message is of no use."""
        self.writing.renumbered()
        self.applications.renumbered()
        self._paging.renumbered()
        self._unread_after = None
        self.unsent.renumbered()

    # How it is shown.

    def _show(self, conversation_id: str, *, new_line: bool = True) -> None:
        self._listed = self.session.conversations.get(conversation_id)
        self._paging.show(self.row(conversation_id), new_line=new_line)
        self._show_changing()
        self.note.show()

    def row(self, conversation_id: str) -> Conversation:
        """The conversation; one with nobody's message yet exists only here."""
        row = self.session.conversations.get(conversation_id)
        if row is not None:
            return row
        parsed = parse_conversation_id(conversation_id)
        return Conversation(conversation_id=conversation_id, type=parsed.type, name=parsed.target)

    def _show_composer(self) -> None:
        open_id = self.conversation_id
        self.composer.display = open_id is not None
        if open_id is not None:
            self.composer.set_blocked(sentences.blocked(self.row(open_id)))
