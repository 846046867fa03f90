"""What stands at the right of the open title: where one is in what was found, who writes, who is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.timer import Timer

from tui_chat.locale import _
from tui_chat.protocol.ids import c2c
from tui_chat.protocol.models import Message
from tui_chat.tui import safe

from .writing import TYPING_EVERY

if TYPE_CHECKING:
    from .conversation_pane import ConversationPane


class Note:
    """One of the three, the first that is so."""

    def __init__(self, pane: ConversationPane) -> None:
        self._pane = pane
        self._typing: str | None = None
        """Who writes just now."""
        self._timer: Timer | None = None

    def forget_typing(self) -> None:
        """Another conversation is opened."""
        self._typing = None
        if self._timer is not None:
            self._timer.stop()
        self._timer = None

    def seen_typing(self, user_id: str) -> None:
        """Somebody writes; that is over when nothing more is heard of it."""
        self.forget_typing()
        self._typing = user_id
        self._timer = self._pane.set_timer(TYPING_EVERY + 1, self._typing_over)
        self.show()

    def arrived(self, messages: Sequence[Message]) -> None:
        """What was being written is there."""
        if self._typing is not None and any(message.sender == self._typing for message in messages):
            self._typing_over()

    def show(self) -> None:
        """Say it, or nothing."""
        pane = self._pane
        note = pane.finding.position
        if not note and self._typing is not None:
            note = safe.fill(_("{name} is writing…"), name=self._typing)
        if not note and self._peer_is_there():
            note = safe.own(_("online"))
        pane.messages.set_note(note)

    def _typing_over(self) -> None:
        self.forget_typing()
        self.show()

    def _peer_is_there(self) -> bool:
        open_id = self._pane.conversation_id
        return open_id is not None and any(c2c(one) == open_id for one in self._pane.session.online)
