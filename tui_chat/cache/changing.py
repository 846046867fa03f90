"""Tables in memory and the changes of one group: what it did, for the disk, and what stood there before, to undo it.

Pure: nothing here knows a file. `journal.py` writes what a group did.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from .records import Record, Tables


class ChangingTables:
    """Documents as JSON or as structs. They change only between `begin` and `end`."""

    def __init__(self) -> None:
        self.tables: Tables = {}
        self.record: Record | None = None
        """What the present group has changed; None outside of one."""
        self._former: list[tuple[str, str | None, Any]] = []
        """What stood in each place before, the last change at the end; without an identifier a whole table."""

    def begin(self) -> Record:
        """A group begins."""
        self.record, self._former = Record(), []
        return self.record

    def end(self) -> None:
        """It ends, and what it changed stays."""
        self.record, self._former = None, []

    def roll_back(self) -> None:
        """Be as before the group."""
        for table, identifier, former in reversed(self._former):
            if identifier is None:
                self.tables[table] = former
            elif former is None:
                del self.tables[table][identifier]
            else:
                self.tables[table][identifier] = former
        self._former = []

    def put(self, table: str, documents: Mapping[str, msgspec.Raw], kept: Mapping[str, Any]) -> None:
        """Insert or replace documents; `kept`: the same ones as the tables have them."""
        assert self.record is not None
        rows = self.tables.setdefault(table, {})
        self._former.extend([(table, identifier, rows.get(identifier)) for identifier in documents])
        rows.update(kept)
        self.record.add_put(table, documents)

    def remove(self, table: str, identifier: str) -> None:
        """Remove a document that is there."""
        assert self.record is not None
        self._former.append((table, identifier, self.tables[table].pop(identifier)))
        self.record.add_remove(table, identifier)

    def clear(self, table: str) -> None:
        """Remove a table that is there."""
        assert self.record is not None
        self._former.append((table, None, self.tables.pop(table)))
        self.record.add_clear(table)
