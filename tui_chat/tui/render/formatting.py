"""Light formatting of one line: code, bold, italics, links, list signs. The text itself is never changed.

The signs stay visible, so nothing is lost where somebody wrote `rm *.o *.c` and meant just that, and what is copied
is what was written.
"""

import re
from collections.abc import Sequence
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
_LINKS_MOST: Final = 50
_BULLET = re.compile(r"\s*(?:[-*+•]|\d{1,3}[.)])(?= \S)")


def formatted(line: Safe, mention: str = "", others: Sequence[str] = ()) -> Line:
    """The line as pieces in the styles "", code, link, bold, italic, bullet, mention (of the userID given) and
    mention-other.
    """
    pieces: Line = []
    at = 0
    if bullet := _BULLET.match(line):
        pieces.append(Piece(Safe(bullet.group()), "bullet"))
        at = bullet.end()
    for match in _SPAN.finditer(line, at):
        pieces += _plain(line[at : match.start()], mention, others)
        pieces.append(Piece(Safe(match.group()), (match.lastgroup or "").rstrip("2")))
        at = match.end()
    return pieces + _plain(line[at:], mention, others)


def links(body: Sequence[Safe]) -> list[Safe]:
    """The addresses of http and https in a text, each once, as they are drawn: what is opened is what was seen."""
    found = (Safe(match.group("link")) for row in body for match in _SPAN.finditer(row) if match.group("link"))
    return list(dict.fromkeys(one for one in found if one.lower().startswith(("http://", "https://"))))[:_LINKS_MOST]


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


def highlighted(line: Line, words: Sequence[str]) -> Line:
    """The line with every one of these words in the style found, in whatever case."""
    if not words:
        return line
    wanted = re.compile("|".join(re.escape(word) for word in sorted(words, key=len, reverse=True)), re.IGNORECASE)
    return [part for text, style in line for part in _parts(text, style, wanted, "found")]


def _plain(text: str, mention: str, others: Sequence[str]) -> Line:
    names = [name for name in (mention, *others) if name]
    if not text or "@" not in text or not names:
        return [Piece(Safe(text))] if text else []
    wanted = re.compile(rf"@(?:{'|'.join(map(re.escape, names))})(?![\w.-]*\w)", re.IGNORECASE)
    return [
        Piece(part, "mention" if style and part[1:].casefold() == mention.casefold() else style)
        for part, style in _parts(Safe(text), "", wanted, "mention-other")
    ]


def _parts(text: Safe, style: str, wanted: re.Pattern[str], found: str) -> Line:
    pieces: Line = []
    at = 0
    for match in wanted.finditer(text):
        if match.start() > at:
            pieces.append(Piece(Safe(text[at : match.start()]), style))
        pieces.append(Piece(Safe(match.group()), found))
        at = match.end()
    if at < len(text):
        pieces.append(Piece(Safe(text[at:]), style))
    return pieces
