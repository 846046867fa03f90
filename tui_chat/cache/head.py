"""The top of the list, in a small file of its own: what can be painted before the rest is read, or TinyDB even loaded.

`AccountCache.close` writes it, opening removes it. So it is there only after an orderly end, it says what the journal
says, and nothing that is purged later can be in it. Where it is missing or belongs to another journal, one opens the
cache: that is all it saves.
"""

import os
from pathlib import Path
from typing import Final

import msgspec

from tui_chat.files import create_private
from tui_chat.protocol.models import Conversation
from tui_chat.protocol.requests import Me

from .records import read_line, write_line

HEAD_ROWS: Final = 100
"""More than the tallest terminals show."""
_NAME: Final = "account.head"
_FORMAT: Final = 1


class Head(msgspec.Struct, frozen=True):
    """What a client shows first."""

    rows: list[Conversation]
    """The first ones, in the list's order."""
    total: int
    """How many there are altogether."""
    stale: list[str]
    """Which of `rows` are copies."""
    drafts: dict[str, str]
    """conversationID -> unsent text, for `rows`."""
    facts: Me | None
    """One's own identity and the server's facts."""


class _Stored(msgspec.Struct, frozen=True):
    format: int
    journal: tuple[int, int, int]
    head: Head


_STORED: Final = msgspec.json.Decoder(_Stored)


def read_head(directory: Path) -> Head | None:
    """The top of an account's list as it was when its cache was closed; None where that is not known.

    Takes no lock and repairs nothing: opening the cache is still to be done, and may be refused.
    """
    try:
        data = (directory / _NAME).read_bytes()
        line = read_line(data, 0, 0)
        stored = _STORED.decode(line.payload) if line is not None else None
        if stored is None or stored.format != _FORMAT or stored.journal != _mark(directory):
            return None
    except (OSError, msgspec.DecodeError):
        return None
    return stored.head


def write_head(directory: Path, head: Head) -> None:
    """Put it beside the journal, which nobody writes any more. Raises OSError."""
    stored = _Stored(_FORMAT, _mark(directory), head)
    line, _ = write_line(msgspec.json.encode(stored), 0)
    # In its own place: a copy beside it, left there by a kill, nobody would remove. Half a line is none.
    create_private(directory / _NAME, line, durable=False)


def remove_head(directory: Path) -> None:
    """From now on the journal may say something else. Raises OSError."""
    (directory / _NAME).unlink(missing_ok=True)


def _mark(directory: Path) -> tuple[int, int, int]:
    """Tells this state of the journal from every other: it only grows, or is another file."""
    status = os.stat(directory / "account.journal")
    return status.st_ino, status.st_size, status.st_mtime_ns
