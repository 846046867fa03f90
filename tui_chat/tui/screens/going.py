"""Ways to a conversation from wherever one is: by its name, by what was said in it, by what is unread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_chat.locale import _
from tui_chat.protocol.models import Conversation
from tui_chat.tui import safe

if TYPE_CHECKING:
    from .main import MainScreen
    from .search_everywhere import Place


class Going:
    """For the commands; what one asks for is kept for the next time."""

    def __init__(self, main: MainScreen) -> None:
        self._main = main
        self._searched = ""

    def switch(self) -> None:
        """Ctrl+G"""
        from .switcher import Switcher

        self._main.app.push_screen(Switcher(self._main.primary.session.conversations), self._switched)

    def _switched(self, conversation_id: str | None) -> None:
        if conversation_id is not None:
            self._main.visit(conversation_id)

    def find_everywhere(self) -> None:
        """Ctrl+F"""
        self._main.run_worker(self._find_everywhere(), group="search")

    async def _find_everywhere(self) -> None:
        from .search_everywhere import SearchEverywhere

        main = self._main
        dialog = SearchEverywhere(main.primary.session, clock=main.app.clock, words=self._searched)
        place = await main.app.push_screen_wait(dialog)
        self._searched = dialog.words
        if place is not None:
            self._open_at(place)

    def _open_at(self, place: Place) -> None:
        """Show a conversation, the cursor on one message."""
        main = self._main
        main.primary.list.move_cursor_to(place.conversation_id)
        main.open(place.conversation_id)
        main.go(main.conversation.messages)
        main.conversation.jump(place.message_seq)

    def next_unread(self) -> None:
        """Ctrl+N: in the list's order, from the open one on."""
        main = self._main
        rows = sorted(
            (row for row in main.primary.session.conversations.values() if _wants_reading(row)),
            key=lambda row: (not row.pinned, -row.time, row.conversation_id),
        )
        if not rows:
            main.app.say(safe.own(_("Nothing unread")))
            return
        ids = [row.conversation_id for row in rows]
        open_id = main.conversation.conversation_id
        main.visit(ids[(ids.index(open_id) + 1) % len(ids)] if open_id in ids else ids[0])


def _wants_reading(row: Conversation) -> bool:
    return (row.unread_count > 0 and not row.muted) or row.mention_count > 0 or row.marked_unread
