"""Looking for words in the open conversation: `/`, then `n` to older ones and `N` to newer ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tui_chat.locale import _
from tui_chat.protocol.models import Message
from tui_chat.tui import safe
from tui_chat.tui.widgets.find_bar import FindBar

if TYPE_CHECKING:
    from .conversation_pane import ConversationPane

CALLS_MOST: Final = 20
"""A server looks at a stretch of history in one call, and may find nothing in it; so many are asked for one key."""


class Finding:
    """What was found, newest first, and where one is in it."""

    def __init__(self, pane: ConversationPane) -> None:
        self._pane = pane
        self.bar = FindBar(id="find")
        self._words = ""
        self._found: list[Message] = []
        self._next: str | None = None
        """Where the server goes on."""
        self._at = 0
        self._here_only = False
        self._busy = False

    @property
    def active(self) -> bool:
        """Whether there is something that n and N step through."""
        return bool(self._found)

    @property
    def position(self) -> safe.Safe:
        """3 of 12"""
        if not self._found:
            return safe.own("")
        more = "+" if self._next is not None else ""
        pattern = _("{at} of {count}, on this machine") if self._here_only else _("{at} of {count}")
        return safe.fill(pattern, at=self._at + 1, count=f"{len(self._found):,}{more}")

    def start(self) -> None:
        """`/`"""
        self.bar.open(self._words)

    def end(self) -> bool:
        """Esc: nothing is looked for any more. False where nothing was."""
        had = self.active or bool(self.bar.display)
        self._found, self._next, self._here_only = [], None, False
        self.bar.close()
        self._pane.messages.set_words(())
        self._pane.note.show()
        return had

    def ask(self, words: str) -> None:
        """Enter."""
        self.end()
        self._words = words
        self._pane.messages.focus()
        if words and not self._busy:
            self._busy = True
            self._pane.app.start(self._ask(words))

    async def _ask(self, words: str) -> None:
        conversation_id = self._pane.conversation_id
        try:
            found = await self._more(words, None)
        finally:
            self._busy = False
        if conversation_id is None or conversation_id != self._pane.conversation_id:
            return
        if not found:
            nothing = _("Not found on this machine: {words}") if self._here_only else _("Not found: {words}")
            self._pane.app.say(safe.template(nothing, words=words))
            self._here_only = False
            return
        self._found, self._at = found, 0
        self._pane.messages.set_words(words.split())
        self._show()

    async def _more(self, words: str, cursor: str | None) -> list[Message]:
        """The next ones; none where there are no more."""
        for _call in range(CALLS_MOST):
            answer = await self._pane.session.search(words, conversation_id=self._pane.conversation_id, cursor=cursor)
            self._next, self._here_only = answer.next, answer.here_only
            if answer.messages or answer.next is None:
                return answer.messages
            cursor = answer.next
        return []

    def step(self, direction: int) -> None:
        """`n` (1, to older ones) and `N` (-1)."""
        if not self._found:
            self.start()
        elif 0 <= self._at + direction < len(self._found):
            self._at += direction
            self._show()
        elif direction < 0:
            self._pane.app.say(safe.own(_("That is the newest one")))
        elif self._next is None:
            self._pane.app.say(safe.own(_("That is the oldest one")))
        elif not self._busy:
            self._busy = True
            self._pane.app.start(self._go_on(self._next))

    async def _go_on(self, cursor: str) -> None:
        conversation_id = self._pane.conversation_id
        try:
            older = await self._more(self._words, cursor)
        finally:
            self._busy = False
        if conversation_id != self._pane.conversation_id or not self._found:
            return
        if older:
            self._found += older
            self._at += 1
            self._show()
        else:
            self._pane.app.say(safe.own(_("That is the oldest one")))
            self._pane.note.show()

    def _show(self) -> None:
        self._pane.note.show()
        self._pane.jump(self._found[self._at].message_seq)
