"""Text measured in terminal cells: fitting, padding, wrapping. CJK and emoji take two, combining marks none."""

import re
from collections.abc import Iterator
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
_CLOSING = "、。，．！？：；）］｝」』】》〉’”…,.!?:;)\\]}"
_TOKEN = re.compile(rf" +|[{_WIDE}][{_CLOSING}]*|[^ {_WIDE}]+[{_CLOSING}]*")
"""Where a line may break: around spaces, and between wide characters but not before closing punctuation."""


def wrap(text: str, cells: int) -> list[tuple[int, int]]:
    """Cut one logical line into rows of at most so many cells.

    Returns:
        (start, end) by characters; spaces at a break belong to no row. An empty text is one empty row.
    """
    if width(text) <= cells:
        return [(0, len(text))]
    rows: list[tuple[int, int]] = []
    start = end = used = 0
    for begin, stop in _tokens(text, max(cells, 2)):
        token = text[begin:stop]
        size = width(token)
        if used and used + size > cells and not token.isspace():
            rows.append((start, end))
            start = begin
            used = 0
        if token.isspace():
            used += size
            continue
        end = stop
        used += size
    rows.append((start, end))
    return rows


def _tokens(text: str, cells: int) -> Iterator[tuple[int, int]]:
    for match in _TOKEN.finditer(text):
        begin, stop = match.span()
        while width(text[begin:stop]) > cells:
            if text[begin] == " ":
                break
            fitting = max(len(split_text(text[begin:stop], cells)[0].rstrip(" ")), 1)
            yield begin, begin + fitting
            begin += fitting
        yield begin, stop
