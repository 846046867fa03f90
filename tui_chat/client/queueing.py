"""The queue in memory, and what may go next: in order for each conversation, side by side otherwise. Pure."""

from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Final

import msgspec

from tui_chat.protocol.errors import ChatError

from .cursors import same_numbering
from .entries import AnyEntry, MessageEntry, QueuedDeletion, QueuedRead, QueuedRestore, QueuedSend

PATIENCE: Final = 3
"""Failures of the server after which whoever waits for a command is told that it stays in the queue."""


class Phase(Enum):
    """How far an entry is."""

    WAITING = "waiting"
    ATTEMPTING = "attempting"
    ANSWERED = "answered"
    """The server confirmed; the entry stays until the event that it caused is here, so that nothing flickers."""


class Slot:
    """One entry of the queue."""

    __slots__ = ("entry", "entry_id", "failures", "phase", "problem", "rests_until")

    def __init__(self, entry_id: int, entry: AnyEntry):
        self.entry_id = entry_id
        self.entry = entry
        self.phase = Phase.WAITING
        self.failures = 0
        """Attempts in a row at which the server failed."""
        self.rests_until = 0.0
        """Not to be attempted before, in the queue's own seconds."""
        self.problem: ChatError | None = None
        """Why the last attempt came to nothing."""

    @property
    def held(self) -> bool:
        """Whether the server fails at it again and again: it waits, and what shares a conversation waits behind it."""
        return self.failures >= PATIENCE

    @property
    def untried(self) -> bool:
        """Whether nothing of it can have reached the server."""
        return self.phase is Phase.WAITING and not self.entry.attempted


class Queue:
    """Slots in the order in which they were stored, with an index by conversation."""

    def __init__(self, stored: Iterable[tuple[int, AnyEntry]] = ()):
        self._slots: dict[int, Slot] = {}
        self._of: dict[str, list[Slot]] = {}
        for entry_id, entry in stored:
            self.append(entry_id, entry)

    def __len__(self) -> int:
        return len(self._slots)

    def __iter__(self) -> Iterator[Slot]:
        return iter(list(self._slots.values()))

    def __contains__(self, slot: Slot) -> bool:
        return self._slots.get(slot.entry_id) is slot

    def append(self, entry_id: int, entry: AnyEntry) -> Slot:
        """Put an entry at the end."""
        slot = Slot(entry_id, entry)
        self._slots[entry_id] = slot
        for conversation_id in entry.conversations():
            self._of.setdefault(conversation_id, []).append(slot)
        return slot

    def remove(self, slot: Slot) -> None:
        """Take a slot out; one that is not in it any more is ignored."""
        if self._slots.pop(slot.entry_id, None) is None:
            return
        for conversation_id in slot.entry.conversations():
            left = [other for other in self._of[conversation_id] if other is not slot]
            if left:
                self._of[conversation_id] = left
            else:
                del self._of[conversation_id]

    def of(self, conversation_id: str) -> list[AnyEntry]:
        """What is queued for a conversation, oldest first."""
        return [slot.entry for slot in self._of.get(conversation_id, ())]

    def slots_of(self, conversation_id: str) -> list[Slot]:
        """As `of`, the slots."""
        return list(self._of.get(conversation_id, ()))

    def changes_of(self, conversation_id: str) -> list[MessageEntry]:
        """What is to become of its messages, oldest first; what the server has answered stands in them already."""
        return [
            slot.entry
            for slot in self._of.get(conversation_id, ())
            if slot.phase is not Phase.ANSWERED and isinstance(slot.entry, MessageEntry)
        ]

    def waiting(self) -> int:
        """How many the server has not confirmed."""
        return sum(slot.phase is not Phase.ANSWERED for slot in self._slots.values())

    def batch(self, batch_id: str) -> list[Slot]:
        """The slots of one deletion (or clearing)."""
        return [slot for slot in self if getattr(slot.entry, "batch_id", None) == batch_id and not _restores(slot)]

    def suspended(self, slot: Slot) -> bool:
        """Whether this message is not sent because its conversation is deleted later in the queue.

        It would otherwise go out first, and being newer than what was on the screen, bring the row back. One that is
        still there when the server has answered was not deleted with it, and goes before what was written after it.
        """
        entry = slot.entry
        if not isinstance(entry, QueuedSend) or not slot.untried:
            return False
        return any(
            isinstance(other.entry, QueuedDeletion)
            and other.entry_id > slot.entry_id
            and other.phase is not Phase.ANSWERED
            for other in self._of[entry.conversation_id]
        )

    def runnable(self, most: int, now: float) -> list[Slot]:
        """At most `most` slots that may be attempted at `now`; one that rests holds up its own conversations only."""
        found: list[Slot] = []
        busy: set[str] = set()
        batches: set[str] = set()
        for slot in self._slots.values():
            if len(found) >= most:
                break
            if slot.phase is Phase.ANSWERED or self.suspended(slot):
                continue
            touched = slot.entry.conversations()
            batch_id = getattr(slot.entry, "batch_id", None)
            free = busy.isdisjoint(touched) and not (_restores(slot) and batch_id in batches)
            if free and slot.phase is Phase.WAITING and slot.rests_until <= now:
                found.append(slot)
            busy.update(touched)
            if batch_id is not None:
                batches.add(batch_id)
        return found

    def next_rest(self, now: float) -> float | None:
        """When the first of those that rest may be attempted again; None: none rests."""
        return min((slot.rests_until for slot in self._slots.values() if slot.rests_until > now), default=None)

    def tied_to(self, slot: Slot) -> list[Slot]:
        """The others that cannot go on while `slot` cannot: they share a conversation, or undo its batch."""
        tied = {
            other.entry_id: other
            for conversation_id in slot.entry.conversations()
            for other in self._of.get(conversation_id, ())
        }
        batch_id = getattr(slot.entry, "batch_id", None)
        if batch_id is not None:
            undoing = (other for other in self if _restores(other) and getattr(other.entry, "batch_id", "") == batch_id)
            tied.update((other.entry_id, other) for other in undoing)
        tied.pop(slot.entry_id, None)
        return list(tied.values())

    def sent(self, slot: Slot, message_seq: int) -> Slot | None:
        """A message became `message_seq`: it was on the screen as an echo when a deletion behind it was confirmed.

        Returns that deletion with a raised upTo, unless something that was not on the screen lies between.
        """
        assert isinstance(slot.entry, QueuedSend)
        conversation_id = slot.entry.conversation_id
        for other in self.slots_of(conversation_id):
            entry = other.entry
            if isinstance(entry, QueuedDeletion) and other.entry_id > slot.entry_id and other.untried:
                if entry.up_to.get(conversation_id, -1) != message_seq - 1:
                    return None
                up_to = entry.up_to | {conversation_id: message_seq}
                other.entry = msgspec.structs.replace(entry, up_to=up_to)
                return other
        return None

    def merge_read(self, entry: QueuedRead) -> Slot | None:
        """A read mark of the same conversation that was never attempted takes the new one in; None: there is none."""
        for slot in self.slots_of(entry.conversation_id)[-1:]:
            if isinstance(slot.entry, QueuedRead) and slot.untried:
                through = entry.message_seq
                if same_numbering(slot.entry.seen_at, entry.seen_at):
                    through = max(through, slot.entry.message_seq)
                slot.entry = msgspec.structs.replace(slot.entry, message_seq=through, seen_at=entry.seen_at)
                return slot
        return None

    def untried_of(self, batch_id: str) -> list[Slot]:
        """Slots of a batch of which nothing can have reached the server."""
        return [slot for slot in self.batch(batch_id) if slot.untried]


def _restores(slot: Slot) -> bool:
    return isinstance(slot.entry, QueuedRestore)
