"""Messages of one's own that were refused: they stand where they would be, with the reason, and can be sent again."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from tui_chat.client.changes import SendFailed
from tui_chat.locale import _
from tui_chat.protocol.errors import ServerRestored
from tui_chat.protocol.models import Message
from tui_chat.tui import safe
from tui_chat.tui.refusals import refusal

if TYPE_CHECKING:
    from .conversation_pane import ConversationPane


class _Refused(NamedTuple):
    message: Message
    reason: str


class Unsent:
    """Those of the open conversation."""

    def __init__(self, pane: ConversationPane) -> None:
        self._pane = pane
        self._refused: dict[str, _Refused] = {}
        """By clientID."""

    def leave(self) -> None:
        """Another conversation is opened, or the program ends: what they said is in the draft of this one."""
        if (open_id := self._pane.conversation_id) is not None and self._refused:
            texts = "\n".join(refused.message.text for refused in self._refused.values())
            self._pane.writing.put_before_draft(open_id, texts)
        self._refused = {}

    def renumbered(self) -> None:
        """What they answered has another number since the server was restored from a backup."""
        for client_id, (message, reason) in self._refused.items():
            self._refused[client_id] = _Refused(msgspec.structs.replace(message, reply_to=None), reason)

    def show(self) -> None:
        """The conversation was shown anew: they stand at its end."""
        for client_id, (message, reason) in self._refused.items():
            self._pane.messages.append([message])
            self._pane.messages.set_failed(client_id, reason)

    @property
    def under_cursor(self) -> bool:
        """Whether the message under the cursor is one of them."""
        message = self._pane.messages.current_message
        return message is not None and message.client_id in self._refused

    def send_again(self) -> None:
        """`R`"""
        message = self._pane.messages.current_message
        if message is not None and message.client_id in self._refused:
            refused = self._refused.pop(message.client_id).message
            self._pane.messages.remove_waiting(message.client_id)
            self._pane.writing.send(refused.text, reply_to=refused.reply_to)

    def failed(self, change: SendFailed) -> None:
        """One more. Where it is not in sight, nothing but the draft keeps its text."""
        pane, client_id, reason = self._pane, change.client_id, refusal(change.error)
        echo = pane.messages.waiting(client_id) if change.conversation_id == pane.conversation_id else None
        if echo is not None:
            answered = None if change.error.code == ServerRestored.code else echo.reply_to
            self._refused[client_id] = _Refused(msgspec.structs.replace(echo, reply_to=answered), reason)
            pane.messages.set_failed(client_id, reason)
            said = safe.template(_("Not sent: {reason}"), reason=reason)
        else:
            pane.writing.add_to_draft(change.conversation_id, change.text)
            said = safe.template(_("Not sent: {reason} · your text is kept as a draft"), reason=reason)
        pane.app.say(said, severity="error")
