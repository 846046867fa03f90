"""Text measured in terminal cells: fitting, padding, wrapping. CJK and emoji take two, combining marks none."""

import re
from functools import cache
from typing import NamedTuple

from rich.cells import cell_len, split_text

from tui_chat.tui.safe import Safe, join, own, repeat


class Piece(NamedTuple):
    """A run of text in one style; the style's name is looked up by the widget that draws it."""

    text: Safe
    style: str = ""


Line = list[Piece]
"""One line of the screen, left to right."""


def width(text: str) -> int:
    """Cells that the text takes."""
    return len(text) if text.isascii() else cell_len(text)


def line_width(line: Line) -> int:
    """Cells that the line takes."""
    return sum(width(piece.text) for piece in line)


def spaces(count: int) -> Safe:
    """That many spaces; none when negative."""
    return repeat(own(" "), count)


def head(text: Safe, cells: int) -> Safe:
    """The longest beginning that fits."""
    if width(text) <= cells:
        return text
    return Safe(text[:cells]) if text.isascii() else Safe(split_text(text, cells)[0].rstrip(" "))


def elide(text: Safe, cells: int, ellipsis: Safe) -> Safe:
    """The text itself where it fits, otherwise its beginning with an ellipsis."""
    if width(text) <= cells:
        return text
    if cells <= width(ellipsis):
        return head(text, cells)
    return join(Safe(head(text, cells - width(ellipsis)).rstrip()), ellipsis)


def fit(text: Safe, cells: int, ellipsis: Safe) -> Safe:
    """Exactly so many cells: elided or padded at the right."""
    shown = elide(text, cells, ellipsis)
    return join(shown, spaces(cells - width(shown)))


def fit_right(text: Safe, cells: int, ellipsis: Safe) -> Safe:
    """Exactly so many cells: elided or padded at the left."""
    shown = elide(text, cells, ellipsis)
    return join(spaces(cells - width(shown)), shown)


_WIDE = "\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6"
_CLOSING = frozenset("、。，．！？：；）］｝」』】》〉’”…,.!?:;)]}")


@cache
def _beside_wide() -> re.Pattern[str]:
    """One of two characters is wide. Compiled when it is needed first: that takes as long as a dozen modules."""
    return re.compile(rf"[{_WIDE}].|.[{_WIDE}]", re.DOTALL)


def wrap(text: str, cells: int) -> list[tuple[int, int]]:
    """Cut one logical line into rows of at most so many cells (2 at least).

    It breaks at spaces, and beside wide characters but not before closing punctuation; what has no such place is cut.

    Returns:
        (start, end) by characters; spaces at a break belong to no row. An empty text is one empty row.
    """
    if width(text) <= cells:
        return [(0, len(text))]
    cells = max(cells, 2)
    rows: list[tuple[int, int]] = []
    start, size, plain = 0, len(text), text.isascii()
    while start < size:
        limit = min(start + cells, size) if plain else _reach(text, start, cells)
        end = after = limit if limit == size else _break(text, start, limit)
        while end > start and text[end - 1] == " ":
            end -= 1
        rows.append((start, end))
        start = after
        while start < size and text[start] == " ":
            start += 1
    return rows


def _reach(text: str, start: int, cells: int) -> int:
    """The first character that does not fit on a row which begins at `start`."""
    at, room = start, cells
    while room > 0 and at < len(text):
        part = text[at : at + room]
        used = width(part)
        if used > room:
            left = split_text(part, room)[0]
            fitting = len(left) if part.startswith(left) else len(left) - 1
            return max(at + fitting, start + 1)
        at, room = at + len(part), room - used
    while at < len(text) and width(text[at]) == 0:
        at += 1
    return at


def _break(text: str, start: int, limit: int) -> int:
    """Where the next row begins, when what is at `limit` does not fit on this one any more."""
    if text[limit] == " ":
        return limit
    first = start
    while first < limit and text[first] == " ":
        first += 1
    space = text.rfind(" ", first, limit)
    if text.isascii():
        return space + 1 if space >= 0 else limit
    for at in range(limit, max(space + 1, first), -1):
        if text[at] not in _CLOSING and _beside_wide().match(text, at - 1):
            return at
    return space + 1 if space >= 0 else limit
