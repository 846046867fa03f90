"""The open conversation: its messages, the composer, what is typed and what is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Final

import msgspec
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.timer import Timer
from textual.widgets import TextArea

from tui_chat.client.changes import (
    Change,
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
    SendFailed,
    StateReset,
    TypingSeen,
)
from tui_chat.locale import _
from tui_chat.protocol.errors import ChatError, InvalidRequest, TextEmpty, TextTooLong
from tui_chat.protocol.ids import ConversationType, parse_conversation_id
from tui_chat.protocol.models import Conversation, Membership
from tui_chat.protocol.text import clean_text
from tui_chat.tui import clipboard, safe
from tui_chat.tui.commands.command import Scope, bindings_of
from tui_chat.tui.commands.registry import COMMANDS
from tui_chat.tui.refusals import refusal
from tui_chat.tui.render.rows import conversation_name
from tui_chat.tui.themes import Symbols
from tui_chat.tui.widgets.composer import Composer
from tui_chat.tui.widgets.message_pane import MessagePane

from . import sentences
from .paging import Paging

if TYPE_CHECKING:
    from tui_chat.client.interface import Session
    from tui_chat.tui.app import ChatApp

DRAFT_QUIET: Final = 0.5
"""Seconds without a key after which a draft is kept."""
TYPING_EVERY: Final = 3.0
"""Seconds between two notes to the others that one types; theirs is shown a little longer."""


class Messages(MessagePane):
    """The messages with their commands' keys."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of(COMMANDS, Scope.MESSAGES)]


class _Kept(msgspec.Struct, frozen=True):
    """A draft whose conversation was deleted elsewhere; it is offered until the pane is left."""

    conversation_id: str
    text: str


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
        super().__init__(id=id)
        self._session = session
        self.messages = Messages(clock=clock, own_id=session.user_id, symbols=symbols, id="messages")
        self.composer = Composer(symbols=symbols, most_bytes=session.server.limits.text_bytes, id="composer")
        self._paging = Paging(session, self.messages, lambda work: self.app.start(work))
        self._draft_timer: Timer | None = None
        self._typing_timer: Timer | None = None
        self._typing_told = 0.0
        self._typing: str | None = None
        self._kept: _Kept | None = None
        self._left_open: str | None = None
        """The conversation that was deleted while it was open; it opens again when it is restored."""
        self._farewell = ""
        self._failed: dict[str, str] = {}
        """clientID -> text of own messages that were refused."""

    def compose(self) -> ComposeResult:
        yield self.messages
        yield self.composer

    def on_mount(self) -> None:
        self._show_composer()
        self._note()

    def on_unmount(self) -> None:
        """The program ends: what was typed last is kept."""
        open_id = self.conversation_id
        if open_id is not None and self._draft_timer is not None:
            self._session.set_draft(open_id, self.composer.text)

    @property
    def conversation_id(self) -> str | None:
        """What is open."""
        return self.messages.conversation_id

    # What commands do.

    def open(self, conversation_id: str) -> None:
        """Show a conversation: what is kept here at once, what is missing when the server has sent it."""
        if conversation_id == self.conversation_id:
            return
        self.leave()
        self._kept = None
        self._left_open = None
        self._failed = {}
        self._typing = None
        self._show(conversation_id)
        self.composer.set_draft(self._session.draft(conversation_id))
        self._show_composer()

    def leave(self) -> None:
        """Keep the draft of what is open."""
        if self._draft_timer is not None:
            self._draft_timer.stop()
            self._draft_timer = None
            self._keep_draft()

    def close(self, notice: str | None = None) -> None:
        """Show no conversation, and say why."""
        self.messages.close(notice)
        self.composer.set_draft("")
        self._show_composer()
        self._note()

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
        return self._kept.text if self._kept is not None else ""

    def copy(self) -> None:
        """`y`"""
        self.app.start(self._copy(clean_text(self.text_to_copy())))

    async def _copy(self, text: str) -> None:
        if await clipboard.copy(self.app, text):
            self.app.say(safe.own(_("Copied")))
        else:
            self.app.say(safe.own(_("Too long for the terminal's clipboard")), severity="warning")

    def failed_text(self) -> str | None:
        """The text of the message under the cursor where it was refused."""
        message = self.messages.current_message
        return self._failed.get(message.client_id) if message is not None else None

    def resend(self) -> None:
        """`R`"""
        message, text = self.messages.current_message, self.failed_text()
        if message is not None and text is not None:
            del self._failed[message.client_id]
            self.messages.remove_waiting(message.client_id)
            self._send(text)

    # What the person does.

    @on(Composer.Submitted)
    def _submitted(self, event: Composer.Submitted) -> None:
        event.stop()
        self._send(event.text)

    @on(Composer.Cut)
    def _cut(self, event: Composer.Cut) -> None:
        event.stop()
        self.app.say(sentences.cut(event.left_out), severity="warning")

    @on(Composer.Scrolled)
    def _scrolled(self, event: Composer.Scrolled) -> None:
        event.stop()
        self.messages.action_page(event.pages)

    def _send(self, text: str) -> None:
        if (open_id := self.conversation_id) is not None:
            self.app.start(self._send_it(open_id, text))

    async def _send_it(self, conversation_id: str, text: str) -> None:
        try:
            await self._session.send_message(conversation_id, text)
        except (InvalidRequest, TextEmpty, TextTooLong):
            raise
        except ChatError:
            return  # the message stands there with its reason, and SendFailed has said so

    @on(TextArea.Changed)
    def _typed(self, event: TextArea.Changed) -> None:
        event.stop()
        open_id = self.conversation_id
        if open_id is None or self._session.draft(open_id) == self.composer.text:
            return
        if self._draft_timer is None:
            self._draft_timer = self.set_timer(DRAFT_QUIET, self._draft_quiet)
        else:
            self._draft_timer.reset()
        now = self.app.stopwatch()
        if self.composer.text and self._session.capabilities.typing and now - self._typing_told > TYPING_EVERY:
            self._typing_told = now
            self.app.start(self._session.typing(open_id))

    def _draft_quiet(self) -> None:
        self._draft_timer = None
        self._keep_draft()

    def _keep_draft(self) -> None:
        open_id = self.conversation_id
        if open_id is not None and self._session.draft(open_id) != self.composer.text:
            self._session.set_draft(open_id, self.composer.text)
            self.app.main.primary.show_drafts()

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
        for change in changes:
            self._take(change)

    def _take(self, change: Change) -> None:
        open_id = self.conversation_id
        match change:
            case ConversationsUpdated(conversation_id_list=ids) if open_id in ids:
                self._updated(open_id)
            case ConversationsRemoved(conversation_id_list=ids, device=device) if open_id in ids:
                self._deleted(open_id, device)
            case ConversationsHidden(conversation_id_list=ids) if open_id in ids:
                self._deleted(open_id, None)
            case ConversationsRestored(conversation_id_list=ids) if self._left_open in ids:
                self._restored()
            case DraftKept(conversation_id=one, text=text) if one in (open_id, self._left_open):
                self._keep(one, text)
            case HistoryCleared(conversation_id=one, cleared_through=through) if one == open_id:
                self.messages.clear_through(through)
            case HistoryRestored(conversation_id=one) if one == open_id:
                self._show(one, new_line=False)
            case MessagesAdded(conversation_id=one, messages=messages) if one == open_id:
                self.messages.append(messages)
            case MessageUpdated(conversation_id=one, message=message) if one == open_id:
                self.messages.update_message(message)
            case SendFailed(conversation_id=one, client_id=client_id, text=text, error=error):
                self._send_failed(one, client_id, text, refusal(error))
            case PeerRead(conversation_id=one, peer_read_seq=seq) if one == open_id:
                self.messages.set_peer_read(seq)
            case TypingSeen(conversation_id=one, user_id=user_id) if one == open_id:
                self._show_typing(user_id)
            case ConnectionChanged(connection=Connection.CONNECTED):
                self._paging.connected()
            case StateReset() if open_id is not None:
                self._show(open_id, new_line=False)
            case _:
                pass

    def _updated(self, conversation_id: str) -> None:
        row = self._session.conversations.get(conversation_id)
        if row is not None:
            self.messages.set_conversation(row)
            self._show_composer()
            self._note()

    def _deleted(self, conversation_id: str, device: str | None) -> None:
        if self._draft_timer is not None:
            self._draft_timer.stop()
            self._draft_timer = None
        text = self.composer.text
        self._left_open = conversation_id
        if device is None:
            self.close()
            self.app.main.pane_closed()
            return
        if self._kept is None and text.strip():
            self._kept = _Kept(conversation_id, text)
        name = self._called(conversation_id)
        self._farewell = _("{name} was deleted on {device}. u brings it back.").format(name=name, device=device)
        self.close(self._farewell)
        self._offer_draft()
        self.app.main.pane_closed(stay=True)

    def _keep(self, conversation_id: str, text: str) -> None:
        """The session's word about the draft comes before or after the deletion itself."""
        self._kept = _Kept(conversation_id, text)
        if self._left_open == conversation_id:
            self._offer_draft()

    def _offer_draft(self) -> None:
        if self._kept is not None:
            offered = _("Your draft is kept here until you leave; y copies it:")
            self.messages.close(f"{self._farewell}\n\n{offered}\n\n{self._kept.text}")

    def _restored(self) -> None:
        conversation_id, kept = self._left_open, self._kept
        if conversation_id is None or self.conversation_id is not None:
            return
        self.open(conversation_id)
        if kept is not None and kept.conversation_id == conversation_id and not self.composer.text:
            self.composer.set_draft(kept.text)

    def _send_failed(self, conversation_id: str, client_id: str, text: str, reason: str) -> None:
        if conversation_id == self.conversation_id:
            self._failed[client_id] = text
            self.messages.set_failed(client_id, reason)
        self.app.say(safe.template(_("Not sent: {reason}"), reason=reason), severity="error")

    def _show_typing(self, user_id: str) -> None:
        self._typing = user_id
        self._note()
        if self._typing_timer is not None:
            self._typing_timer.stop()
        self._typing_timer = self.set_timer(TYPING_EVERY + 1, self._typing_over)

    def _typing_over(self) -> None:
        self._typing = None
        self._typing_timer = None
        self._note()

    # How it is shown.

    def _show(self, conversation_id: str, *, new_line: bool = True) -> None:
        self._paging.show(self._row(conversation_id), new_line=new_line)
        self._note()

    def _row(self, conversation_id: str) -> Conversation:
        """The conversation; one with nobody's message yet exists only here."""
        row = self._session.conversations.get(conversation_id)
        if row is not None:
            return row
        parsed = parse_conversation_id(conversation_id)
        return Conversation(conversation_id=conversation_id, type=parsed.type, name=parsed.target)

    def _called(self, conversation_id: str) -> str:
        return conversation_name(self._row(conversation_id))

    def _show_composer(self) -> None:
        open_id = self.conversation_id
        self.composer.display = open_id is not None
        if open_id is not None:
            self.composer.set_blocked(_blocked(self._row(open_id)))

    def _note(self) -> None:
        """What stands at the right of the title."""
        note = safe.own("")
        if self._typing is not None:
            note = safe.fill(_("{name} is writing…"), name=self._typing)
        self.messages.set_note(note)


def _blocked(row: Conversation) -> str | None:
    """Why nothing can be written there."""
    if row.type is ConversationType.SYSTEM:
        return _("Nobody can write to the system.")
    match row.membership:
        case Membership.LEFT:
            return _("You left this group: you can read what you saw, and write nothing.")
        case Membership.KICKED:
            return _("You were removed from this group: you can read what you saw, and write nothing.")
        case Membership.DISMISSED:
            return _("This group was dismissed: you can read it, and write nothing.")
    if row.muted_all and row.role == "member":
        return _("This group is muted: only its owner and administrators can write.")
    return None
