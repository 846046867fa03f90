"""SQLite's write-ahead log: how much is in it, and folding it into the database. Whoever does that has the writer's
connection for himself, and no transaction open on it."""

import logging
import os
import sqlite3
from pathlib import Path
from typing import Final

from .sqlite_files import with_patience
from .sqlite_wal import lengthen, wash

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

STRIDE_BYTES: Final = 1024 * 1024
STRIDE_BYTES_LEAST: Final = 128 * 1024
"""A log that has grown is made longer by as much again, within these bounds, so that the next commits need not."""
KEPT_BYTES: Final = 20 * 1024 * 1024
"""An emptied log is kept so long at most: somewhat more than it usually has when it is folded in."""

_log = logging.getLogger(__name__)


class WriteAheadLog:
    """The log of one database, into which this connection alone writes."""

    def __init__(self, writer: sqlite3.Connection, database: Path) -> None:
        self._writer = writer
        self._path = database.with_name(database.name + "-wal")
        self._folded = writer.total_changes
        self._folded_bytes = 0
        """Its file when it was folded in last; it is written again from its beginning."""
        self._room = 0
        """How long its file was made for what is to come."""
        self.pages_a_row = PAGES_A_ROW
        """As it was found the last time."""

    @property
    def rows(self) -> int:
        """Rows that were changed since it was folded in."""
        return self._writer.total_changes - self._folded

    @property
    def bytes(self) -> int:
        """The size of its file."""
        try:
            return os.stat(self._path).st_size
        except FileNotFoundError:
            return 0

    def is_long(self) -> bool:
        """Whether it is to be folded in."""
        rows = self.rows
        if rows * PAGES_A_ROW < CHECKPOINT_PAGES:
            return False
        # Should rows put more into it than they did, its file has grown.
        return rows * self.pages_a_row >= CHECKPOINT_PAGES or self.bytes > self._folded_bytes + CHECKPOINT_BYTES

    def is_due(self) -> bool:
        """Whether it wants tending, which takes too long to be done in passing."""
        return self.is_long() or self.has_grown()

    def has_grown(self) -> bool:
        """Whether what was committed last did not fit into its file as it was."""
        return self.bytes > self._room

    def tend(self) -> None:
        """Fold it in where it is long, and make room in its file where it has grown."""
        if self.is_long():
            self.fold()
        if self.has_grown():
            self._make_room()

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
        """Fold it in and overwrite what was in it, without waiting for readers; where one of them still needs it,
        `rows` stays.

        It is not cut to nothing, because each commit that makes it longer takes longer itself. So the next round begins
        at once, with a frame that says nothing, and by its salts everything behind that frame is known to be of no use
        to anybody (walRestartLog in wal.c: a round begins anew only where everything is folded in and nobody reads
        from the log). Should a kill come in between, the next start cuts it to nothing.
        """
        try:
            if self._writer.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()[0] != 0:
                return
            (version,) = self._writer.execute("PRAGMA user_version").fetchone()
            self._writer.execute(f"PRAGMA user_version={1 - version % 2}")  # Nobody reads it: one page is written.
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                if not wash(self._path, 1, KEPT_BYTES):
                    return
            finally:
                self._writer.execute("ROLLBACK")
        except (sqlite3.Error, OSError) as failure:
            _say_not_folded(failure)
        self._folded_bytes = self._room = self.bytes
        self._folded = self._writer.total_changes

    def cut(self) -> None:
        """Fold it in and cut it to nothing: what cannot be folded in stays in its file, and is read from there."""
        try:
            with_patience(self._writer, "PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as failure:
            _say_not_folded(failure)

    def _make_room(self) -> None:
        size = self.bytes
        try:
            lengthen(self._path, max(STRIDE_BYTES_LEAST, min(size, STRIDE_BYTES)))
        except OSError as failure:
            _log.warning("the database's log could not be made longer, so commits take longer: %s", failure)
        self._room = max(size, self.bytes)


def _say_not_folded(failure: Exception) -> None:
    # Nothing is lost: what was committed is in the log, and is read from there.
    _log.warning("the database's log could not be folded in, which is tried again after the next writes: %s", failure)
