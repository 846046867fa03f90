"""Pages in the order of keys: what a request for one may say, and where the next one begins."""

from collections.abc import Sequence
from typing import Final

from tui_chat.protocol import limits
from tui_chat.protocol.errors import InvalidRequest
from tui_chat.server.engines import Row

_DIGITS: Final = 18
"""Of a key in a cursor; a longer one was never given out."""


def after_key(cursor: str | None, limit: int) -> int:
    """The key after which the page begins. Raises InvalidRequest where the cursor or the limit is none."""
    if not 1 <= limit <= limits.PAGE:
        raise InvalidRequest(f"limit is from 1 to {limits.PAGE}")
    if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) <= _DIGITS):
        raise InvalidRequest("cursor is not one that this server gave")
    return int(cursor or 0)


def cut(rows: Sequence[Row], limit: int) -> tuple[Sequence[Row], str | None]:
    """Of rows that begin with their keys, one more than a page has where there are so many, those of the page, and the
    cursor behind them; None where that was all."""
    return rows[:limit], str(rows[limit - 1][0]) if len(rows) > limit else None
