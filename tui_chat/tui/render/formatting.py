"""Light formatting of one line: code, bold, italics, links, list signs. The text itself is never changed.

The signs stay visible, so nothing is lost where somebody wrote `rm *.o *.c` and meant just that, and what is copied
is what was written.
"""

import re
from typing import Final

from tui_chat.tui.safe import Safe

from .cells import Line, Piece

FENCE: Final = "```"

_SPAN = re.compile(
    r"(?P<code>`[^`\s](?:[^`]*[^`\s])?`)"
    r"|(?P<link>\b(?:https?|ftp)://[^\s<>\"'`]*[^\s<>\"'`.,;:!?)\]}，。；：！？）】》])"
    r"|(?<![\w*])(?P<bold>\*\*[^*\s](?:[^*]*[^*\s])?\*\*)(?![\w*])"
    r"|(?<![\w*/.])(?P<italic>\*[^*\s/.](?:[^*]*[^*\s])?\*)(?![\w*/.])"
    r"|(?<![\w_/.])(?P<italic2>_[^_\s](?:[^_]*[^_\s])?_)(?![\w_/.])"
)
_BULLET = re.compile(r"\s*(?:[-*+•]|\d{1,3}[.)])(?= \S)")


def formatted(line: Safe, mention: str = "") -> Line:
    """The line as pieces in the styles "", code, link, bold, italic, bullet and mention (of the userID given)."""
    pieces: Line = []
    at = 0
    if bullet := _BULLET.match(line):
        pieces.append(Piece(Safe(bullet.group()), "bullet"))
        at = bullet.end()
    for match in _SPAN.finditer(line, at):
        pieces += _plain(line[at : match.start()], mention)
        pieces.append(Piece(Safe(match.group()), (match.lastgroup or "").rstrip("2")))
        at = match.end()
    return pieces + _plain(line[at:], mention)


def cut(line: Line, start: int, end: int) -> Line:
    """The part of a line between two characters, in its styles."""
    result: Line = []
    at = 0
    for text, style in line:
        low, high = max(start - at, 0), min(end - at, len(text))
        if low < high:
            result.append(Piece(Safe(text[low:high]), style))
        at += len(text)
    return result


def _plain(text: str, mention: str) -> Line:
    if not text:
        return []
    if not mention or mention.casefold() not in text.casefold():
        return [Piece(Safe(text))]
    pieces: Line = []
    at = 0
    for match in re.finditer(rf"@{re.escape(mention)}(?![\w.-]*\w)", text, re.IGNORECASE):
        if match.start() > at:
            pieces.append(Piece(Safe(text[at : match.start()])))
        pieces.append(Piece(Safe(match.group()), "mention"))
        at = match.end()
    if at < len(text):
        pieces.append(Piece(Safe(text[at:])))
    return pieces
