"""What is said, and kept, when the open conversation is deleted; it opens again when it is restored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tui_chat.locale import _
from tui_chat.protocol.models import Conversation
from tui_chat.tui import safe
from tui_chat.tui.render.rows import conversation_name

if TYPE_CHECKING:
    from .conversation_pane import ConversationPane


class _Kept(msgspec.Struct, frozen=True):
    """A draft whose conversation was deleted elsewhere; it is offered until the pane is left."""

    conversation_id: str
    text: str


class Farewell:
    """The conversation that was open last, while none is."""

    def __init__(self, pane: ConversationPane) -> None:
        self._pane = pane
        self._kept: _Kept | None = None
        self._said = ""
        self.left_open: str | None = None
        """The conversation that was deleted while it was open."""

    @property
    def text(self) -> str:
        """The draft that is kept; empty for none."""
        return self._kept.text if self._kept is not None else ""

    def forget(self) -> None:
        """Another conversation is opened."""
        self._kept = self.left_open = None

    def deleted(self, row: Conversation, device: str | None) -> None:
        """What is open was deleted; `device` names the other one that did it."""
        text = self._pane.writing.close()
        self.left_open = row.conversation_id
        if device is None:
            self._pane.close()
            self._pane.app.main.pane_closed()
            return
        said = safe.fill(
            _("{name} was deleted on {device}. {key} brings it back."),
            name=conversation_name(row),
            device=device,
            key=self._pane.app.key("undo"),
        )
        self._say(row.conversation_id, said, text)

    def missing(self, row: Conversation) -> None:
        """What is open is not in the list that was taken anew: it was deleted somewhere, nobody says where."""
        text = self._pane.writing.close()
        self.left_open = row.conversation_id
        said = safe.fill(_("{name} was deleted on another device."), name=conversation_name(row))
        self._say(row.conversation_id, said, text)

    def _say(self, conversation_id: str, said: safe.Safe, draft: str) -> None:
        if draft.strip():
            self._kept = _Kept(conversation_id, draft)
        self._said = said
        self._pane.close(said)
        self._offer()
        self._pane.app.main.pane_closed(stay=True)

    def keep(self, conversation_id: str, text: str) -> None:
        """The session's word about the draft comes before or after the deletion itself. It knows what was stored last:
        where something stood in the composer, that has the words that came after."""
        is_open = self.left_open == conversation_id
        if is_open and self._kept is not None:
            return
        self._kept = _Kept(conversation_id, text)
        if is_open:
            self._offer()

    def _offer(self) -> None:
        if self._kept is not None:
            pattern = _("Your draft is kept here until you leave; {key} copies it:")
            offered = safe.fill(pattern, key=self._pane.app.key("copy"))
            self._pane.messages.close(f"{self._said}\n\n{offered}\n\n{self._kept.text}")

    def restored(self) -> None:
        """The conversation is there again."""
        conversation_id, kept = self.left_open, self._kept
        if conversation_id is None or self._pane.conversation_id is not None:
            return
        self._pane.open(conversation_id)
        if kept is not None and kept.conversation_id == conversation_id:
            self._pane.composer.set_draft(kept.text)
