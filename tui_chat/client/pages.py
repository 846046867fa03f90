"""Pages of history: from the cache as far as it holds them without a hole, from the server beyond."""

from collections.abc import Callable

import msgspec

from tui_chat.protocol.errors import ChatError, NotConnected
from tui_chat.protocol.limits import PAGE
from tui_chat.protocol.models import Membership, Message
from tui_chat.protocol.requests import MessagePage

from .announcer import Announcer
from .calls import Calls
from .changes import HistoryRestored
from .doubt import Doubt
from .on_hand import OnHand
from .receiver import Receiver
from .state import State

_ATTEMPTS = 3
"""A page is asked for anew when the watermarks moved while it was on its way; after so many it is taken filtered."""


class Pages:
    """History of one account's conversations, never beneath a watermark."""

    def __init__(
        self,
        *,
        state: State,
        on_hand: OnHand,
        doubt: Doubt,
        announcer: Announcer,
        calls: Calls,
        receiver: Receiver,
        overlaid: Callable[[Message], Message],
    ):
        self._state = state
        self._on_hand = on_hand
        self._doubt = doubt
        self._announcer = announcer
        self._calls = calls
        self._receiver = receiver
        self._overlaid = overlaid
        self._owed: set[str] = set()
        """Conversations of which pages were answered that the server was to be asked for."""

    def tail(self, conversation_id: str, count: int, *, before: int | None = None) -> list[Message]:
        """The newest messages that the cache holds, or those just before one, oldest first."""
        return [self._overlaid(item) for item in self._cached(conversation_id, before, None, count)]

    async def page(self, conversation_id: str, *, before: int | None, after: int | None, limit: int) -> MessagePage:
        """One page. Raises ChatError where the server is needed and cannot answer, and nothing is cached."""
        page = await self._page(conversation_id, before=before, after=after, limit=limit)
        return msgspec.structs.replace(page, messages=[self._overlaid(message) for message in page.messages])

    def back_in_step(self) -> None:
        """The server can be asked again: pages that may not be true have to be loaded anew."""
        owed, self._owed = self._owed, set()
        self._announcer.put(*(HistoryRestored(conversation_id=conversation_id) for conversation_id in sorted(owed)))

    async def _page(self, conversation_id: str, *, before: int | None, after: int | None, limit: int) -> MessagePage:
        limit = max(1, min(limit, PAGE))
        cached = self._cached(conversation_id, before, after, limit)
        if self._is_whole(conversation_id, cached, before, after, limit):
            return self._answer(conversation_id, cached, before, after, limit)
        try:
            return await self._asked(conversation_id, before, after, limit)
        except NotConnected:
            cached = self._cached(conversation_id, before, after, limit)  # it may have been cleared meanwhile
            if not cached:
                raise
            if self._doubt.of(conversation_id):
                self._owed.add(conversation_id)
            marks = self._state.marks_of(conversation_id)
            return MessagePage(
                messages=cached, more=True, cleared_through=marks.cleared_through, hidden_through=marks.hidden_through
            )

    def _cached(self, conversation_id: str, before: int | None, after: int | None, limit: int) -> list[Message]:
        if after is not None:
            found = self._on_hand.after(conversation_id, after, limit)
        elif before is not None:
            found = self._on_hand.before(conversation_id, before, limit)
        else:
            found = self._on_hand.tail(conversation_id, limit)
        floor = self._state.shown_cleared_through(conversation_id)
        return [item for item in found if item.message_seq > floor]

    def _is_whole(
        self, conversation_id: str, cached: list[Message], before: int | None, after: int | None, limit: int
    ) -> bool:
        """Whether the server could add nothing."""
        row = self._state.conversations.get(conversation_id)
        if row is None:
            return False
        if conversation_id in self._state.stale:
            return True  # a copy: the server has nothing of it any more
        if self._doubt.of(conversation_id) or row.membership not in (None, Membership.JOINED):
            return False  # who is no member any more is not told of what becomes of messages
        newest = row.last_message.message_seq if row.last_message is not None else 0
        if after is not None:
            return len(cached) >= limit or after >= newest or bool(cached and cached[-1].message_seq >= newest)
        if before is None and newest > (cached[-1].message_seq if cached else 0):
            return False
        if len(cached) >= limit:
            return True
        oldest = cached[0].message_seq if cached else (before if before is not None else newest + 1)
        return oldest <= max(row.first_seq, row.cleared_through + 1)

    def _answer(
        self, conversation_id: str, cached: list[Message], before: int | None, after: int | None, limit: int
    ) -> MessagePage:
        row = self._state.conversations[conversation_id]
        if after is not None:
            newest = row.last_message.message_seq if row.last_message is not None else 0
            more = bool(cached) and cached[-1].message_seq < newest
        else:
            more = bool(cached) and cached[0].message_seq > max(row.first_seq, row.cleared_through + 1)
        if conversation_id in self._state.stale:
            more = len(cached) >= limit
        return MessagePage(
            messages=cached, more=more, cleared_through=row.cleared_through, hidden_through=row.hidden_through
        )

    async def _asked(self, conversation_id: str, before: int | None, after: int | None, limit: int) -> MessagePage:
        for attempt in range(_ATTEMPTS):
            generation = self._state.generation(conversation_id)
            try:
                page = await self._calls.messages(conversation_id, before=before, after=after, limit=limit)
            except ChatError:
                if generation == self._state.generation(conversation_id) or attempt + 1 == _ATTEMPTS:
                    raise
                continue
            if generation == self._state.generation(conversation_id):
                break
        return self._taken_in(conversation_id, page, before, after, limit)

    def _taken_in(
        self, conversation_id: str, page: MessagePage, before: int | None, after: int | None, limit: int
    ) -> MessagePage:
        """Keep what may be kept, and answer what may be shown."""
        row = self._state.conversations.get(conversation_id)
        marks = self._state.marks_of(conversation_id)
        told = row is not None and conversation_id in self._state.shown  # not while one's own deletion is on its way
        if told and row is not None and page.hidden_through >= row.newest_seq > marks.hidden_through:
            self._receiver.found_stale(conversation_id)
            cached = self._cached(conversation_id, before, after, limit)
            return self._answer(conversation_id, cached, before, after, limit)
        if told and page.cleared_through > marks.cleared_through:
            self._receiver.inexact(conversation_id)
        # Also of what is in doubt: an event that came while the page was on its way is newer than the page.
        kept = [self._on_hand.newest(item) for item in page.messages if item.message_seq > marks.cleared_through]
        if row is not None and self._doubt.of(conversation_id):
            self._on_hand.forget(conversation_id)
            self._doubt.settle(conversation_id)
        if kept and row is not None:
            self._on_hand.add(conversation_id, kept, covers=self._covered(kept, page, before, after))
        floor = self._state.shown_cleared_through(conversation_id)
        return MessagePage(
            messages=[item for item in kept if item.message_seq > floor],
            more=page.more and (after is not None or len(kept) == len(page.messages)),
            cleared_through=max(page.cleared_through, marks.cleared_through),
            hidden_through=max(page.hidden_through, marks.hidden_through),
        )

    def _covered(
        self, kept: list[Message], page: MessagePage, before: int | None, after: int | None
    ) -> tuple[int, int]:
        """Between which numbers the reader has no other messages."""
        first, last = kept[0].message_seq, kept[-1].message_seq
        if before is not None and after is None:
            last = max(last, before - 1)
        if after is not None and len(kept) == len(page.messages):
            # What is cleared just now may be brought back: of that a page says nothing.
            first = min(first, max(after, page.cleared_through) + 1)
        return first, last
