"""Selecting text over wrapped lines: what is highlighted, and what is copied."""

from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style
from textual.selection import Selection
from textual.strip import Strip

from tui_chat.tui.render.messages import MessageLine


def highlight(strip: Strip, span: tuple[int, int], style: Style) -> Strip:
    """The strip with the characters from start to end (-1: all the rest) in the style."""
    start, end = span
    result: list[Segment] = []
    at = 0
    for text, own_style, _control in strip:
        low = min(max(start - at, 0), len(text))
        high = len(text) if end < 0 else min(max(end - at, 0), len(text))
        for part, selected in ((text[:low], False), (text[low:high], True), (text[max(low, high) :], False)):
            if part:
                result.append(Segment(part, (own_style + style if own_style else style) if selected else own_style))
        at += len(text)
    return Strip(result, strip.cell_length)


def selected_text(lines: Sequence[MessageLine], selection: Selection, *, offset: int) -> str:
    """The text selected; a wrapped line is put together again without the columns beside it.

    `offset` is the number of characters drawn before each line's own.
    """
    parts: list[str] = []
    for number, line in enumerate(lines):
        span = selection.get_span(number)
        if span is None:
            continue
        text = " " * offset + "".join(piece.text for piece in line.pieces)
        start, end = span
        stop = len(text) if end < 0 else end
        if line.joined is not None and parts:
            parts.append(line.joined + text[max(start, line.prefix + offset) : stop])
        else:
            shown = text[start:stop].rstrip() if end < 0 else text[start:stop]
            parts.append(("\n" if parts else "") + " ".join(shown[: line.prefix].split(" ")) + shown[line.prefix :])
    return "".join(parts)
