"""Which messages the pane holds: what is kept here at once, pages as one scrolls, and how far one has read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from tui_chat.protocol.errors import ChatError, NotConnected, TooFrequent
from tui_chat.protocol.limits import PAGE_DEFAULT
from tui_chat.protocol.models import Conversation
from tui_chat.protocol.requests import MessagePage
from tui_chat.tui.widgets.message_pane import MessagePane

if TYPE_CHECKING:
    from tui_chat.client.interface import Session

    from .unsent import Unsent


class Paging:
    """Fills a message pane from a session. Answers that come after the pane went elsewhere are left."""

    def __init__(
        self,
        session: Session,
        messages: MessagePane,
        unsent: Unsent,
        start: Callable[[Coroutine[Any, Any, object]], None],
    ) -> None:
        """`start` runs what may take a while, and says in one line what was refused."""
        self._session = session
        self._messages = messages
        self._unsent = unsent
        self._start = start
        self._reading: tuple[str, int] | None = None
        self._missed: Conversation | None = None
        """What was opened without all its messages being here, and without a connection."""
        self._cut_off: str | None = None
        """The conversation whose older messages could not be had."""
        self._shown = 0
        """Counts what was shown anew, so that an answer for what was before it is left."""
        self._told = 0
        """Counts how often the pane was told of changes."""

    def show(self, row: Conversation, *, new_line: bool = True) -> None:
        """The end of a conversation: what is kept here now, the rest when it has come."""
        one = row.conversation_id
        tail = self._session.cached_tail(one)
        waiting = self._session.pending_messages(one)
        newest = row.last_message.message_seq if row.last_message is not None else 0
        complete = bool(tail) and tail[-1].message_seq >= newest
        older = not row.first_seq or not tail or tail[0].message_seq > row.first_seq
        known = one in self._session.conversations
        self._shown += 1
        self._messages.set_cut_off(False)
        self._messages.show(row, [*tail, *waiting], more_older=known and older and complete, new_line=new_line)
        self._unsent.show()
        if known and newest and not complete:
            self._start(self._fetch(row, new_line=new_line))

    def older(self, event: MessagePane.NeedOlder) -> None:
        """The reader comes near the oldest message held."""
        self._start(self._older(event.conversation_id, event.before))

    def newer(self, event: MessagePane.NeedNewer) -> None:
        """The reader comes near the newest message held, and there are newer ones."""
        self._start(self._newer(event.conversation_id, event.after))

    def read(self, event: MessagePane.ReadUpTo) -> None:
        """Move the read mark; one call at a time, because scrolling says it for every line."""
        idle = self._reading is None
        self._reading = (event.conversation_id, event.message_seq)
        if idle:
            self._start(self._mark_read())

    def told(self) -> None:
        """The pane was told of changes: a page that is being got ready may be out of date."""
        self._told += 1

    def connected(self) -> None:
        """The server can be reached again: ask for what could not be had."""
        missed, self._missed = self._missed, None
        cut_off, self._cut_off = self._cut_off, None
        if missed is not None and self._shows(missed.conversation_id):
            self.show(missed)
        elif cut_off is not None and self._shows(cut_off):
            self._messages.prepend([], more=True)

    async def _fetch(self, row: Conversation, *, new_line: bool) -> None:
        shown = self._shown
        try:
            page = await self._session.history(row.conversation_id)
        except ChatError as error:
            self._missed = row
            self._messages.set_cut_off(isinstance(error, NotConnected) and self._shows(row.conversation_id))
            raise
        if self._shows(row.conversation_id) and shown == self._shown:
            waiting = self._session.pending_messages(row.conversation_id)
            # The row as it was when it was opened: reading may have moved its mark meanwhile.
            self._messages.show(row, [*page.messages, *waiting], more_older=page.more, new_line=new_line)
            self._unsent.show()

    async def jump(self, row: Conversation, message_seq: int, *, new_after: int | None) -> bool:
        """Show the part of a conversation that is around a message, the cursor on it; False where it is gone."""
        one = row.conversation_id
        self._shown += 1
        shown = self._shown
        # Never beyond the end: what is asked for counts as known from then on.
        before = max(min(message_seq + PAGE_DEFAULT // 2, row.newest_seq + 1), message_seq + 1)
        page = await self._session.history(one, before=before)
        if not self._shows(one) or shown != self._shown:
            return True  # somebody has gone elsewhere
        now = self._session.conversations.get(one, row)
        newest = now.last_message.message_seq if now.last_message is not None else 0
        at_end = not page.messages or page.messages[-1].message_seq >= newest
        waiting = self._session.pending_messages(one) if at_end else []
        self._messages.show(
            now,
            [*page.messages, *waiting],
            more_older=page.more,
            more_newer=not at_end,
            new_line=False,
            new_after=new_after,
            at=message_seq,
        )
        return self._messages.go_to(message_seq)

    async def _older(self, conversation_id: str, before: int) -> None:
        try:
            page = await self._prepared(conversation_id, before=before)
        except TooFrequent as error:  # on the way to the first message of a long history
            await asyncio.sleep(error.retry_after if error.retry_after is not None else 1.0)
            if self._shows(conversation_id):
                self._start(self._older(conversation_id, before))
            return
        except ChatError:
            if self._shows(conversation_id):
                self._cut_off = conversation_id
                self._messages.prepend([], more=False)
            raise
        if self._shows(conversation_id):
            self._messages.prepend(page.messages, more=page.more)

    async def _newer(self, conversation_id: str, after: int) -> None:
        try:
            page = await self._prepared(conversation_id, after=after)
        except ChatError:
            if self._shows(conversation_id):
                self._messages.newer_failed()
            raise
        if self._shows(conversation_id):
            self._messages.extend(page.messages, more=page.more)

    async def _prepared(
        self, conversation_id: str, *, before: int | None = None, after: int | None = None
    ) -> MessagePage:
        """A page, got ready while the reader goes on scrolling: to make its lines takes longer than a frame should.

        It is as things stand when this returns: if the pane was told of anything meanwhile, such as that messages were
        cleared or taken back, it is asked for anew.
        """
        page = await self._session.history(conversation_id, before=before, after=after)
        told = self._told
        if self._shows(conversation_id):
            for _step in self._messages.prepare(page.messages):
                await asyncio.sleep(0)
        if told != self._told:
            page = await self._session.history(conversation_id, before=before, after=after)
        return page

    def renumbered(self) -> None:
        """What was read so far has other numbers."""
        self._reading = None

    async def _mark_read(self) -> None:
        told: tuple[str, int] | None = None
        try:
            while self._reading is not None and self._reading != told:
                told = self._reading
                await self._session.mark_read(*told)
        finally:
            self._reading = None

    def _shows(self, conversation_id: str) -> bool:
        return self._messages.conversation_id == conversation_id
