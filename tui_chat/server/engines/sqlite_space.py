"""What is empty in an SQLite database, and giving it back to the disk: a piece at a time while it is served, or all of
it at a start."""

import logging
import sqlite3
from typing import Final

from . import ERASED, Transaction

COMPACTED_BYTES: Final = 256 * 1024 * 1024
"""Databases up to this size are written anew at a start after something was erased (measured: some 20 ms a MB); larger
ones when they are backed up and restored."""
RECLAIMED_AT_ONCE: Final = 256
"""Empty pages that one step gives back; it holds the writer up for some 10 ms."""
SPARE_PAGES: Final = 1_024
"""Empty pages that are kept, because they will soon be written again."""

_INCREMENTAL: Final = 2
"""PRAGMA auto_vacuum of a database that can give back one page."""

_log = logging.getLogger(__name__)


def empty_bytes(tx: Transaction) -> int:
    """How much of the database is empty, in bytes."""
    return _pragma(tx, "freelist_count") * _pragma(tx, "page_size")


def pages_to_spare(tx: Transaction) -> int:
    """The empty pages beyond SPARE_PAGES; below 1 where none can be given back."""
    return _pragma(tx, "freelist_count") - SPARE_PAGES if _pragma(tx, "auto_vacuum") == _INCREMENTAL else 0


def give_back(tx: Transaction) -> int:
    """Give RECLAIMED_AT_ONCE of the pages to spare back, at most; what is left of them."""
    for _ in range(min(RECLAIMED_AT_ONCE, pages_to_spare(tx))):
        tx.one("PRAGMA incremental_vacuum(1)")
    return pages_to_spare(tx)


def compact(writer: sqlite3.Connection) -> None:
    """Write the database anew if something was erased: split pages keep copies, and rows without a body leave room.

    Without the space for it, it is left for the next start.
    """
    due = writer.execute("SELECT 1 FROM meta WHERE name = ?", (ERASED,)).fetchone()
    (pages,), (size,) = (writer.execute(f"PRAGMA {what}").fetchone() for what in ("page_count", "page_size"))
    if due is None or pages * size > COMPACTED_BYTES:
        return
    try:
        writer.execute("VACUUM")
        writer.execute("DELETE FROM meta WHERE name = ?", (ERASED,))
        writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.OperationalError as failure:
        _log.warning("the database could not be written anew, which is tried again at the next start: %s", failure)


def _pragma(tx: Transaction, name: str) -> int:
    row = tx.one(f"PRAGMA {name}")
    assert row is not None  # of these there is always one
    return int(row[0])
