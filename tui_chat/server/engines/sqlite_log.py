"""SQLite's write-ahead log: how much is in it, and folding it into the database. Whoever does that has the writer's
connection for himself, and no transaction open on it."""

import logging
import sqlite3
from pathlib import Path
from typing import Final

from .sqlite_files import with_patience

CHECKPOINT_PAGES: Final = 4_096
"""Pages in the log after which it is folded into the database even while there is more to write, which takes some 10
ms. How many there are is estimated by the changed rows, and by what was found the last time."""
CHECKPOINT_BYTES: Final = CHECKPOINT_PAGES * 4_096
PAGES_A_ROW: Final = 3.0
"""Pages that one changed row may put into the log: its table's, and an index or two."""
PAGES_A_ROW_LEAST: Final = 0.2
"""Where many jobs share commits, rows share pages: a message to a group of 200 changes 400 rows, on 250 pages, which
those of the same commit mostly share. Taken for less than this, a log would grow long before it is noticed that jobs
come one by one again."""

_log = logging.getLogger(__name__)


class WriteAheadLog:
    """The log of one database, into which this connection alone writes."""

    def __init__(self, writer: sqlite3.Connection, database: Path) -> None:
        self._writer = writer
        self._path = database.with_name(database.name + "-wal")
        self._folded = writer.total_changes
        self._folded_bytes = 0
        """Its file when it was folded in last; it is written again from its beginning."""
        self.pages_a_row = PAGES_A_ROW
        """As it was found the last time."""

    @property
    def rows(self) -> int:
        """Rows that were changed since it was folded in."""
        return self._writer.total_changes - self._folded

    @property
    def bytes(self) -> int:
        """The size of its file."""
        return self._path.stat().st_size if self._path.exists() else 0

    def is_long(self) -> bool:
        """Whether it is to be folded in."""
        rows = self.rows
        if rows * PAGES_A_ROW < CHECKPOINT_PAGES:
            return False
        # Should rows put more into it than they did, its file has grown.
        return rows * self.pages_a_row >= CHECKPOINT_PAGES or self.bytes > self._folded_bytes + CHECKPOINT_BYTES

    def fold(self) -> None:
        """Fold it in, as far as readers allow."""
        rows = self.rows
        try:
            _, pages, _ = self._writer.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            # Where readers kept it from beginning anew, there is more in it: then it is only folded in earlier.
            self.pages_a_row = min(PAGES_A_ROW, max(PAGES_A_ROW_LEAST, pages / rows))
            self._folded_bytes = self.bytes
        except sqlite3.Error as failure:
            _say_not_folded(failure)
        self._folded = self._writer.total_changes

    def empty(self) -> None:
        """Fold it in and cut it to nothing, without waiting for readers; where one of them still needs it, `rows`
        stays."""
        try:
            if self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] != 0:
                return
            self._folded_bytes = 0
        except sqlite3.Error as failure:
            _say_not_folded(failure)
        self._folded = self._writer.total_changes

    def end(self) -> None:
        """Fold it in for good. What cannot be folded in stays in its file, and is found there at the next start."""
        try:
            with_patience(self._writer, "PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as failure:
            _say_not_folded(failure)


def _say_not_folded(failure: sqlite3.Error) -> None:
    # Nothing is lost: what was committed is in the log, and is read from there.
    _log.warning("the database's log could not be folded in, which is tried again after the next writes: %s", failure)
