"""The queue of commands on disk."""

from collections.abc import Iterable, Mapping
from typing import Any

from .store import CacheError
from .table import JournalDB


class OutboxTable:
    """See `store.OutboxStore`. Numbers go up for ever, also over restarts, so that one never means two commands."""

    def __init__(self, database: JournalDB):
        self._storage = database.storage
        self._entries = database.table("outbox")
        self._counters = database.keyed("counters")

    def add(self, entry: Mapping[str, Any]) -> int:
        """Append a command, fsynced; returns its number."""
        return self.add_many([entry])[0]

    def add_many(self, entries: Iterable[Mapping[str, Any]]) -> list[int]:
        """Append several commands, all or none, with one fsync; returns their numbers."""
        counter = self._counters.get(doc_id="outbox")
        last = int(counter["last"]) if counter else 0
        numbers: list[int] = []
        with self._storage.group():
            for entry in entries:
                last += 1
                self._entries.put(last, entry)
                numbers.append(last)
            if numbers:
                self._counters.put("outbox", {"last": last})
        try:
            self._storage.sync_now()
        except CacheError:
            self.remove(*numbers)  # whoever asked is told that they are not queued
            raise
        return numbers

    def update(self, entry_id: int, entry: Mapping[str, Any]) -> None:
        """Replace a command, fsynced. Raises KeyError where there is none of that number."""
        if not self._entries.has(entry_id):
            raise KeyError(entry_id)
        self._entries.put(entry_id, entry)
        self._storage.sync_now()

    def remove(self, *entry_ids: int) -> None:
        """Take commands out; unknown numbers are ignored."""
        with self._storage.group(keep=True):
            self._entries.discard(entry_ids)

    def all(self) -> list[tuple[int, dict[str, Any]]]:
        """The queue in order."""
        return sorted(((entry.doc_id, dict(entry)) for entry in self._entries), key=lambda pair: pair[0])
