"""The only way from text that others wrote to anything that is drawn.

Textual parses markup in plain strings and hands ESC, C1 and bidi controls to the terminal, so no widget, title, toast
or placeholder ever gets a foreign `str`. Drawing code takes `Safe` (a type that only this module makes) or `Content`.
"""

import re
from functools import cache
from string import Formatter
from typing import Final, NewType

from textual.content import Content

from tui_chat.protocol.text import clean_name, clean_text

Safe = NewType("Safe", str)
"""Text that a terminal can be given: no controls, every character as wide as terminals agree on."""

LINE_CHARACTERS: Final = 400
"""Of a name or a preview; what is longer is never shown on one line anyway."""
BODY_LINES: Final = 200
"""Of one message; measured: 100,000 newlines cost a second to lay out."""

_UNSTEADY: Final = (
    "[\u200b\u200d\u2060-\u2064\ufe00-\ufe0f\U000e0100-\U000e01ef]"  # joiners and variation selectors
    "|(?<=[\u231a-\u2bff\U0001f000-\U0001faff])[\U0001f3fb-\U0001f3ff]"  # skin tones
)
"""What makes one cluster of several characters: terminals disagree on its width, and the columns would break."""


def line(text: str) -> Safe:
    """A name, or any foreign text that has to stay on one line."""
    return Safe(_steady(clean_name(text[:LINE_CHARACTERS])))


def lines(text: str) -> list[Safe]:
    """A message's text, line by line; past BODY_LINES the rest is left away, and the caller says so."""
    return [Safe(part) for part in _steady(clean_text(text)).split("\n", BODY_LINES)[:BODY_LINES]]


def own(text: str) -> Safe:
    """Our own words: a constant, a symbol or a catalogue's. A test keeps foreign text out of here."""
    return Safe(text)


def join(*parts: Safe) -> Safe:
    """The parts, one after the other."""
    return Safe("".join(parts))


def cut(text: Safe, start: int | None = None, end: int | None = None) -> Safe:
    """A slice by characters."""
    return Safe(text[start:end])


def repeat(text: Safe, times: int) -> Safe:
    """The text so many times; nothing for none or less."""
    return Safe(text * times)


def number(count: int) -> Safe:
    """1,204"""
    return Safe(f"{count:,}")


def fill(pattern: str, /, **values: str | int) -> Safe:
    """A translated pattern such as `_("{name} joined")` with foreign values put in, on one line.

    Raises:
        KeyError: the pattern names a value that is not given.
    """
    cleaned = {name: line(value) if isinstance(value, str) else Safe(str(value)) for name, value in values.items()}
    return Safe("".join(text + cleaned.get(name, "") for text, name in _parts(pattern, cleaned)))


def content(text: str, style: str = "") -> Content:
    """Foreign text of several lines."""
    return Content.styled("\n".join(lines(text)), style) if style else Content("\n".join(lines(text)))


def one_line(text: str, style: str = "") -> Content:
    """A foreign name or preview on one line."""
    return Content.styled(line(text), style) if style else Content(line(text))


def template(pattern: str, /, **values: str | int | Content) -> Content:
    """As `fill`, as Content; a value that is Content keeps its styles.

    Raises:
        KeyError: the pattern names a value that is not given.
    """
    shown = {name: value if isinstance(value, Content) else one_line(str(value)) for name, value in values.items()}
    pieces: list[Content] = []
    for text, name in _parts(pattern, shown):
        pieces.append(Content(text))
        if name:
            pieces.append(shown[name])
    return Content.assemble(*pieces)


def _parts(pattern: str, values: "dict[str, str] | dict[str, Safe] | dict[str, Content]") -> list[tuple[str, str]]:
    parts = [(text, name or "") for text, name, _, _ in Formatter().parse(pattern)]
    for _, name in parts:
        if name and name not in values:
            raise KeyError(name)
    return parts


def _steady(text: str) -> str:
    return text if text.isascii() else _unsteady().sub("", text)


@cache
def _unsteady() -> re.Pattern[str]:
    """Compiled when it is first needed: a list of plain names is painted without it."""
    return re.compile(_UNSTEADY)
