"""What a device has on its disk: it outlives the device's processes, and a power cut takes what was not flushed."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from tui_chat.cache.memory import MemoryAccount, MemoryOutbox
from tui_chat.client.entries import AnyEntry, QueuedSend, entry_from
from tui_chat.client.merging import Marks
from tui_chat.protocol.models import Conversation

HELD: Final = 1_000
"""More messages than any conversation here has."""


class StoredOutbox(MemoryOutbox):
    """A queue that remembers everything that ever was in it, and what a power cut would bring back."""

    def __init__(self) -> None:
        super().__init__()
        self.ever: dict[int, AnyEntry] = {}
        """By number, as it was last stored."""
        self.identifiers: set[str] = set()
        self.numbers: dict[str, int] = {}
        """By what the server knows it: an entry's number."""
        self.unflushed: dict[int, dict[str, Any]] = {}

    def add(self, entry: Mapping[str, Any]) -> int:
        """Append a command."""
        entry_id = super().add(entry)
        self._note(entry_id, entry)
        return entry_id

    def update(self, entry_id: int, entry: Mapping[str, Any]) -> None:
        """Replace a command."""
        super().update(entry_id, entry)
        self._note(entry_id, entry)

    def _note(self, entry_id: int, entry: Mapping[str, Any]) -> None:
        self.ever[entry_id] = entry_from(entry)
        key = identifier_of(self.ever[entry_id])
        self.identifiers.add(key)
        self.numbers[key] = entry_id

    def remove(self, *entry_ids: int) -> None:
        """Take commands out."""
        for entry_id in entry_ids:
            if entry_id in self._entries:
                self.unflushed[entry_id] = self._entries[entry_id]
        super().remove(*entry_ids)

    def lose_power(self) -> None:
        """What was taken out, but not for good, stands there again."""
        self._entries |= self.unflushed
        self.unflushed = {}


class Disk(MemoryAccount):
    """A device's: outlives its processes; what was not flushed goes with the power."""

    def __init__(self) -> None:
        super().__init__()
        self.outbox: StoredOutbox = StoredOutbox()
        self.snapshot: tuple[str, dict[str, Marks]] | None = None
        """The last snapshot's cursor and watermarks, until somebody has taken note of them."""
        self._durable: tuple[dict[str, Conversation], str | None, frozenset[str], dict[str, Any]] = (
            {},
            None,
            frozenset(),
            {},
        )

    def replace(self, conversations: Iterable[Conversation], cursor: str | None, **how: Any) -> None:
        """Put a snapshot in the place of all rows; `Device` hears what it says."""
        rows = list(conversations)
        super().replace(rows, cursor, **how)
        self.snapshot = (
            cursor or "",
            {row.conversation_id: Marks(row.hidden_through, row.cleared_through) for row in rows},
        )

    async def flush(self) -> None:
        """Everything so far is there for good."""
        self.outbox.unflushed = {}
        self._durable = (dict(self._conversations), self.cursor, self.stale, dict(self._preferences))

    def lose_power(self, forgotten: Iterable[str]) -> None:
        """Be as after the last flush; of the `forgotten` conversations no messages are left."""
        conversations, self.cursor, self.stale, preferences = self._durable
        self._conversations, self._preferences = dict(conversations), dict(preferences)
        self.outbox.lose_power()
        self.history.purge(forgotten)


def identifier_of(entry: AnyEntry) -> str:
    """By what the server knows a queued command again."""
    if isinstance(entry, QueuedSend):
        return entry.client_id
    return getattr(entry, "operation_id", "")
