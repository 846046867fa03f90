"""Search among what is on this machine: the newest first, and each page goes on where the one before it ended.

No message of a conversation is newer than its row says. So conversations are looked at in the order of their rows, and
only until none of the rest can have anything newer than what was found: of ten thousand, a word that is common needs
fifty for a page. What was looked at is kept between two pages as places, a few for each conversation, and of the last
search alone; every message is read again when it is answered, as it is then.
"""

import asyncio
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Final, NamedTuple, Self

from tui_chat.protocol.models import Message, MessageType

from .pages import Pages
from .state import State

_TEXTS: Final = (MessageType.TEXT, MessageType.CUSTOM)
_PIECE: Final = 100
"""Messages that are read of a conversation at a time."""
_AHEAD: Final = 4
"""Places of a conversation that are kept before they are needed, so that its file is not opened for each of them."""


class Place(NamedTuple):
    """Where a message was found; the newer ones sort first."""

    age: int
    """Its time, negative: of it and of those after it in its conversation the earliest, for times need not ascend."""
    conversation_id: str
    below: int
    """Its messageSeq, negative."""

    @classmethod
    def read(cls, text: str) -> Self:
        """From `str()`. Raises ValueError."""
        age, below, conversation_id = text.split(":", 2)
        return cls(int(age), conversation_id, int(below))

    def __str__(self) -> str:
        return f"{self.age}:{self.below}:{self.conversation_id}"


class SearchHere:
    """The messages that are on this machine, searched page by page."""

    def __init__(self, *, state: State, pages: Pages, shown_message: Callable[[str, int], Message | None]) -> None:
        self._state = state
        self._pages = pages
        self._shown_message = shown_message
        self._last: tuple[str, str | None, Place, _Search] | None = None
        """What was looked for, where, up to which place it was answered, and how it goes on."""

    async def page(
        self, words: str, conversation_id: str | None, after: Place | None, limit: int
    ) -> tuple[list[Message], Place | None]:
        """The next so many, and the place after which to go on: None where there is nothing more.

        `after`: where the page before ended. Of another search than the last one that costs as much as all of its pages
        so far. Others have their turn between two files.
        """
        last, self._last = self._last, None
        if last is not None and last[:3] == (words, conversation_id, after):
            search = last[3]
        else:
            search = _Search(self._pages, words, self._where(conversation_id), after)
        found: list[Message] = []
        place = after
        while len(found) < limit and (following := await search.following()) is not None:
            place = following
            if conversation_id is None and place.conversation_id not in self._state.shown:
                continue  # deleted since it was looked at
            message = self._shown_message(place.conversation_id, -place.below)
            if message is not None and search.matches(message):
                found.append(message)
        if search.ended or place is None:
            return found, None
        self._last = words, conversation_id, place, search
        return found, place

    def _where(self, conversation_id: str | None) -> list[tuple[int, str]]:
        """The conversations to look at, each with the time after which it has nothing."""
        rows = self._state.shown
        if conversation_id is None:
            return [(row.time, one) for one, row in rows.items()]
        return [(rows[conversation_id].time if conversation_id in rows else 0, conversation_id)]


class _Search:
    """One search, as far as it has come."""

    def __init__(self, pages: Pages, words: str, where: list[tuple[int, str]], after: Place | None) -> None:
        self._pages = pages
        self._words = words.casefold().split()
        self._after = after
        self._unopened = sorted(where) if self._words else []
        """The next one last."""
        self._opened: dict[str, _Conversation] = {}
        """Those of which there may be more."""
        self._next: list[Place] = []
        """The first of each of these, as a heap."""

    @property
    def ended(self) -> bool:
        """Whether there is nothing more."""
        return not (self._next or self._unopened)

    def matches(self, message: Message) -> bool:
        """Whether every word stands somewhere in it, in whatever case."""
        if message.type not in _TEXTS:
            return False
        text = message.text.casefold()
        return all(word in text for word in self._words)

    async def following(self) -> Place | None:
        """The place of the newest match that was not answered yet."""
        while self._unopened and (not self._next or -self._next[0].age <= self._unopened[-1][0]):
            time, conversation_id = self._unopened.pop()
            self._opened[conversation_id] = _Conversation(conversation_id, time)
            await self._look(conversation_id)
        if not self._next:
            return None
        place = heappop(self._next)
        await self._look(place.conversation_id)
        return place

    async def _look(self, conversation_id: str) -> None:
        """Have its next match among the others, if it has one."""
        one = self._opened[conversation_id]
        while not one.found and not one.ended:
            one.read(self._pages.tail(conversation_id, _PIECE, before=one.before), self.matches, self._after)
            await asyncio.sleep(0)
        if one.found:
            heappush(self._next, one.found.pop(0))
        else:
            del self._opened[conversation_id]


class _Conversation:
    """One conversation, as far as it was looked at."""

    __slots__ = ("_age", "_id", "before", "ended", "found")

    def __init__(self, conversation_id: str, time: int) -> None:
        self._id = conversation_id
        self._age = -time
        self.before: int | None = None
        """The messageSeq before which to go on."""
        self.ended = False
        """Whether all that is held of it was looked at."""
        self.found: list[Place] = []

    def read(self, piece: list[Message], matches: Callable[[Message], bool], after: Place | None) -> None:
        """Look through the next messages, oldest first, until a few are found."""
        for message in reversed(piece):
            self.before = message.message_seq
            self._age = max(self._age, -message.time)
            place = Place(self._age, self._id, -message.message_seq)
            if (after is None or place > after) and matches(message):
                self.found.append(place)
                if len(self.found) == _AHEAD:
                    return
        self.ended = len(piece) < _PIECE
