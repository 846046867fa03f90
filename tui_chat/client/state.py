"""The conversations of one account: what the server confirmed, and what is shown with the queue laid over it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from tui_chat.protocol.models import Conversation

from .entries import AnyEntry
from .merging import NO_MARKS, Marks, marks_of
from .overlay import shown
from .sync import Applied


class Difference(NamedTuple):
    """What became of the rows that are shown."""

    updated: list[str]
    appeared: list[str]
    vanished: list[str]


class State:
    """Implements `sync.View`. Nothing here does I/O."""

    def __init__(self, *, device_id: str, queued_for: Callable[[str], Sequence[AnyEntry]]):
        self.device_id = device_id
        self.conversations: dict[str, Conversation] = {}
        """Confirmed, listed."""
        self.marks: dict[str, Marks] = {}
        """Watermarks that this session learned; they hold for conversations that are not listed any more."""
        self.position: int | None = None
        self.cursor: str | None = None
        self.numbering = 0
        """Another number after messageSeqs have come to stand for other messages."""
        self.shown: dict[str, Conversation] = {}
        """One and the same dictionary for as long as the session lasts."""
        self.stale: set[str] = set()
        self._queued_for = queued_for
        self._generations: dict[str, int] = {}
        self._generation = 0

    def fill(self, conversations: Mapping[str, Conversation], stale: Iterable[str]) -> None:
        """Start from these, all listed; also after a reset. What was learned of watermarks before is forgotten."""
        self.conversations = dict(conversations)
        self.marks = {}
        self.stale = {item for item in stale if item in self.conversations}
        self._generation += 1
        self._generations = {}
        self.shown.clear()
        self.refresh(self.conversations)

    def take(self, applied: Applied) -> None:
        """Make what the reducer worked out the confirmed state; `refresh` shows it."""
        for conversation_id, marks in applied.marks.items():
            if self.marks_of(conversation_id) != marks:
                self._generations[conversation_id] = self._generations.get(conversation_id, 0) + 1
            if applied.entries.get(conversation_id) is None:
                self.marks[conversation_id] = marks
        for conversation_id, entry in applied.entries.items():
            if entry is None:
                self.conversations.pop(conversation_id, None)
                self.stale.discard(conversation_id)
            else:
                self.conversations[conversation_id] = entry
        self.position = applied.position
        self.cursor = applied.cursor

    def marks_of(self, conversation_id: str) -> Marks:
        """Where the confirmed watermarks of a conversation stand, listed or not."""
        row = self.conversations.get(conversation_id)
        return marks_of(row) if row is not None else self.marks.get(conversation_id, NO_MARKS)

    def generation(self, conversation_id: str) -> tuple[int, int]:
        """Changes with every move of the conversation's watermarks: a page asked for under another one is no use."""
        return self._generation, self._generations.get(conversation_id, 0)

    def shown_cleared_through(self, conversation_id: str) -> int:
        """What may not be shown: the confirmed watermark, or a higher one that is queued."""
        row = self.shown.get(conversation_id)
        confirmed = self.marks_of(conversation_id).cleared_through
        return max(confirmed, row.cleared_through) if row is not None else confirmed

    def refresh(self, conversation_ids: Iterable[str]) -> Difference:
        """Lay the queue over these conversations again, and say what changed on the screen."""
        updated: list[str] = []
        appeared: list[str] = []
        vanished: list[str] = []
        for conversation_id in conversation_ids:
            confirmed = self.conversations.get(conversation_id)
            row = confirmed
            if confirmed is not None and (queued := self._queued_for(conversation_id)):
                row = shown(confirmed, queued)
            before = self.shown.get(conversation_id)
            if row is None:
                if before is not None:
                    del self.shown[conversation_id]
                    vanished.append(conversation_id)
            elif row != before:
                self.shown[conversation_id] = row
                (appeared if before is None else updated).append(conversation_id)
        return Difference(updated, appeared, vanished)
