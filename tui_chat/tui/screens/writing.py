"""What the composer is for just now: a message, an answer, or another text of a message; and what is kept of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.app import SuspendNotSupported
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from tui_chat.client.changes import CommandRefused
from tui_chat.locale import _
from tui_chat.protocol.errors import ChatError, ErrorBody, InvalidRequest, ServerRestored, TextEmpty, TextTooLong
from tui_chat.protocol.models import Message
from tui_chat.tui import editor, safe
from tui_chat.tui.refusals import refusal

from . import sentences
from .mentioning import Mentions

if TYPE_CHECKING:
    from .conversation_pane import ConversationPane

DRAFT_QUIET: Final = 0.5
"""Seconds without a key after which a draft is kept."""
TYPING_EVERY: Final = 3.0
"""Seconds between two notes to the others that one types; theirs is shown a little longer."""


class Writing:
    """Drafts, answers and edits of one conversation pane.

    A draft is what would be sent. While a message is edited, the draft waits in the session, and what is in the
    composer is none. What a draft answers is kept beside it for as long as the program runs.
    """

    def __init__(self, pane: ConversationPane) -> None:
        self._pane = pane
        self._session = pane.session
        self.bar = Static("", id="composing", markup=False)
        self.bar.display = False
        self.mentions = Mentions(
            pane.session, start=lambda work: pane.app.start(work), known_now=lambda: pane.composer.look()
        )
        self._answered: dict[str, Message] = {}
        """conversationID -> the message that its draft answers."""
        self._editing: Message | None = None
        self._unsaved: dict[tuple[str, int], str] = {}
        """(conversationID, messageSeq) -> a text that was refused, or left unsaved."""
        self._timer: Timer | None = None
        self._typing_told = 0.0

    # In an editor.

    def in_editor(self) -> None:
        """Ctrl+O"""
        command = editor.editor_command()
        if command is None:
            self._pane.app.say(
                safe.own(_("No editor is set: export EDITOR=nano, for example, and start again")), severity="warning"
            )
        else:
            self._pane.app.start(self._in_editor(command))

    async def _in_editor(self, command: list[str]) -> None:
        before = self._pane.composer.text
        try:
            text = await editor.written_in_editor(self._pane.app, command, before)
        except editor.EditorFailed as error:
            self._pane.app.say(
                safe.template(_("The editor did not work: {reason}"), reason=str(error)), severity="error"
            )
            return
        except SuspendNotSupported:
            self._pane.app.say(safe.own(_("This terminal cannot be given to an editor")), severity="error")
            return
        if text != before and (left_out := self._pane.composer.replace_all(text)):
            self._pane.app.say(sentences.cut(left_out), severity="warning")

    # Coming and going.

    def open(self, conversation_id: str) -> None:
        """Its draft, and what that answers."""
        self._editing = None
        self.mentions.open(self._pane.row(conversation_id))
        self._pane.composer.set_draft(self._session.draft(conversation_id))
        self._show_bar()

    def leave(self) -> None:
        """Keep what was written."""
        if (open_id := self._pane.conversation_id) is not None:
            self._set_aside(open_id)

    def close(self) -> str:
        """The conversation was deleted: what was written, which nobody keeps any more."""
        self._stop_timer()
        text = "" if self._editing is not None else self._pane.composer.text
        if self._editing is not None and (open_id := self._pane.conversation_id) is not None:
            text = self._session.draft(open_id)
        self._editing = None
        return text

    def ended(self) -> None:
        """The program ends: what was typed last is kept."""
        open_id = self._pane.conversation_id
        if open_id is not None and self._timer is not None and self._editing is None:
            self._session.set_draft(open_id, self._pane.composer.text)

    def _set_aside(self, conversation_id: str) -> None:
        if self._editing is not None:
            if self._pane.composer.text != self._editing.text:
                self._unsaved[conversation_id, self._editing.message_seq] = self._pane.composer.text
            self._editing = None
        elif self._timer is not None:
            self._stop_timer()
            self._keep_draft()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    # Answers and edits.

    def reply(self, message: Message) -> None:
        """The next message answers this one."""
        self._leave_edit()
        self._answered[message.conversation_id] = message
        self._show_bar()
        self._pane.compose_message()

    def edit(self, message: Message) -> None:
        """Give a message another text; the draft waits."""
        if self._editing is not None and self._editing.message_seq == message.message_seq:
            self._pane.compose_message()
            return
        self._set_aside(message.conversation_id)
        self._editing = message
        place = (message.conversation_id, message.message_seq)
        self._pane.composer.set_draft(self._unsaved.pop(place, message.text))
        self._show_bar()
        self._pane.compose_message()

    def cancel(self) -> bool:
        """Esc: first out of an edit or an answer; False where there is neither."""
        open_id = self._pane.conversation_id
        if self._leave_edit():
            return True
        if open_id is None or self._answered.pop(open_id, None) is None:
            return False
        self._show_bar()
        return True

    def _leave_edit(self) -> bool:
        if self._editing is None:
            return False
        self._editing = None
        open_id = self._pane.conversation_id
        self._pane.composer.set_draft(self._session.draft(open_id) if open_id is not None else "")
        self._show_bar()
        return True

    def message_changed(self, message: Message) -> None:
        """One that is edited or answered was taken back meanwhile: there is nothing left to do with it."""
        if not message.recalled:
            return
        editing = self._editing
        if editing is not None and editing.message_seq == message.message_seq:
            self._leave_edit()
        answered = self._answered.get(message.conversation_id)
        if answered is not None and answered.message_seq == message.message_seq:
            del self._answered[message.conversation_id]
            self._show_bar()

    def renumbered(self) -> None:
        """The server was restored from a backup: what was written stays, as a draft, and the message that it answers or
        changes is known no more: another one has its number."""
        bound = bool(self._answered or self._unsaved or self._editing is not None)
        self._answered.clear()
        if (open_id := self._pane.conversation_id) is not None and self._editing is not None:
            self._set_aside(open_id)
            self._pane.composer.set_draft(self._session.draft(open_id))
        self._show_bar()
        unsaved, self._unsaved = self._unsaved, {}
        for (conversation_id, _seq), text in unsaved.items():
            self.add_to_draft(conversation_id, text)
        if bound:
            said = _("The server was restored from a backup: your text stays, what it answered or changed does not")
            self._pane.app.say(safe.own(said), severity="warning")

    def add_to_draft(self, conversation_id: str, text: str) -> None:
        """What can no more be what it was to be stands in the composer, before what is being written there."""
        if conversation_id != self._pane.conversation_id or self._editing is not None:
            self.put_before_draft(conversation_id, text)
        elif left_out := self._pane.composer.replace_all(_together(text, self._pane.composer.text)):
            self._pane.app.say(sentences.cut(left_out), severity="warning")

    def put_before_draft(self, conversation_id: str, text: str) -> None:
        """The same for one that is not in the composer."""
        self._session.set_draft(conversation_id, _together(text, self._session.draft(conversation_id)))
        self._pane.app.main.primary.show_drafts()

    def _show_bar(self) -> None:
        open_id = self._pane.conversation_id
        answered = self._answered.get(open_id) if open_id is not None else None
        self.bar.display = open_id is not None and (self._editing is not None or answered is not None)
        if self._editing is not None:
            said = Content(_("Editing your message"))
            keys = safe.fill(_("Enter saves · {key} leaves it as it was"), key=self._pane.app.key("back"))
        elif answered is not None:
            mine = answered.sender == self._session.user_id
            name = _("you") if mine else answered.nick or answered.sender
            said = safe.template(_("Reply to {name}: {text}"), name=name, text=answered.text)
            keys = safe.fill(_("{key} takes this away"), key=self._pane.app.key("back"))
        else:
            return
        hint = Content(self._pane.symbols.word(keys))
        room = self._pane.size.width - hint.cell_length - 5
        if room >= 20:
            self.bar.update(Content.assemble(said.truncate(room, ellipsis=True), ("   " + hint.plain, "$text-muted")))
        else:
            self.bar.update(said.truncate(max(self._pane.size.width - 2, 4), ellipsis=True))

    def resized(self) -> None:
        """The bar fits on one line."""
        self._show_bar()

    # Sending.

    def submit(self, text: str) -> None:
        """Enter."""
        open_id, editing = self._pane.conversation_id, self._editing
        if open_id is None:
            return
        if editing is None:
            answered = self._answered.pop(open_id, None)
            self._show_bar()
            self.send(text, reply_to=answered.message_seq if answered is not None else None)
            return
        self._leave_edit()
        if text != editing.text:
            self._pane.app.start(self._save(editing, text))

    def send(self, text: str, *, reply_to: int | None = None) -> None:
        """A new message."""
        if (open_id := self._pane.conversation_id) is not None:
            self._pane.app.start(self._send(open_id, text, reply_to))

    async def _send(self, conversation_id: str, text: str, reply_to: int | None) -> None:
        mentioned = self.mentions.named_in(text)
        try:
            await self._session.send_message(conversation_id, text, reply_to=reply_to, mentions=mentioned)
        except (InvalidRequest, TextEmpty, TextTooLong):
            raise
        except ChatError:
            return  # the message stands there with its reason, and SendFailed has said so

    async def _save(self, message: Message, text: str) -> None:
        one, seq = message.conversation_id, message.message_seq
        named = self.mentions.named_in(text)
        kept = [user for user in message.mentions if f"@{user}".casefold() in text.casefold() and user not in named]
        if one == self._pane.conversation_id:
            self._pane.messages.set_refused(seq, None)
        try:
            await self._session.edit_message(one, seq, text, mentions=[*named, *kept])
        except ServerRestored as error:
            self.add_to_draft(one, text)
            self._pane.app.say(_kept_as_draft(error), severity="error")
        except ChatError as error:
            reason = refusal(error)
            self._unsaved[one, seq] = text
            if one == self._pane.conversation_id:
                self._pane.messages.set_refused(seq, reason)
            said = safe.template(
                _("Not changed: {reason} · {key} offers your text again"), reason=reason, key=self._pane.app.key("edit")
            )
            self._pane.app.say(said, severity="error")

    def refused(self, change: CommandRefused) -> None:
        """An edit that had waited was refused: its text is offered in the composer, where that is empty."""
        said = sentences.not_changed(change.error)
        open_id = self._pane.conversation_id
        free = self._editing is None and not self._pane.composer.text
        if change.text and change.error.code == ServerRestored.code:
            for conversation_id in change.conversation_id_list:
                self.add_to_draft(conversation_id, change.text)
            said = _kept_as_draft(change.error)
        elif change.text and free and open_id in change.conversation_id_list:
            self._pane.composer.set_draft(change.text)
            pattern = _("Not changed: {reason} · your text is in the composer")
            said = safe.template(pattern, reason=refusal(change.error))
        self._pane.app.say(said, severity="error")

    # Typing.

    def typed(self) -> None:
        """The text in the composer is another."""
        open_id, composer = self._pane.conversation_id, self._pane.composer
        if open_id is None or self._editing is not None or self._session.draft(open_id) == composer.text:
            return
        if self._timer is None:
            self._timer = self._pane.set_timer(DRAFT_QUIET, self._quiet)
        else:
            self._timer.reset()
        now = self._pane.app.stopwatch()
        told = composer.text and not composer.blocked and self._session.capabilities.typing
        if told and now - self._typing_told > TYPING_EVERY:
            self._typing_told = now
            self._pane.app.start(self._session.typing(open_id))

    def _quiet(self) -> None:
        self._timer = None
        self._keep_draft()

    def _keep_draft(self) -> None:
        open_id, text = self._pane.conversation_id, self._pane.composer.text
        if open_id is not None and self._editing is None and self._session.draft(open_id) != text:
            self._session.set_draft(open_id, text)
            self._pane.app.main.primary.show_drafts()


def _together(text: str, draft: str) -> str:
    return f"{text}\n{draft}" if draft else text


def _kept_as_draft(error: ChatError | ErrorBody) -> Content:
    return safe.template(_("Not changed: {reason} · your text is kept as a draft"), reason=refusal(error))
