"""Make text from others harmless, for a server that accepts it and for whoever draws, logs or exports it.

A terminal obeys control characters, so a message could write the reader's clipboard or retitle the window; bidi
controls make text read as what it is not. They are removed, never interpreted. Both sides call these functions.
"""

import re
import unicodedata
from collections.abc import Callable
from functools import cache
from typing import Final

from . import limits
from .errors import InvalidName, TextEmpty, TextTooLong

_COMBINING_MOST: Final = 8
"""Marks on one base character; more pile up over the lines around (and cost a terminal seconds)."""

_LINE_BREAKS: Final = r"\r\n?|[\u2028\u2029\x85]"
_FORBIDDEN: Final = (
    "[\x00-\x09\x0b-\x1f\x7f-\x9f"  # C0 but newline, DEL, C1 (8-bit CSI and OSC among them)
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidi marks, embeddings, overrides, isolates
    "\ud800-\udfff"  # unpaired surrogates: cannot be encoded
    "\ufff9-\ufffb\U000e0000-\U000e007f"  # interlinear annotation, invisible tags
    "\ufeff\u00ad]"  # zero-width no-break space, soft hyphen: terminals disagree on their width
)
_FILLER: Final = (
    "\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b\u2060-\u206f\u2800\u3164\uffa0"
    "\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
)
"""Look like nothing at all, so that two names could look the same."""
_FILLERS: Final = f"[{_FILLER}]"
_NO_MARKS: Final = (
    "[\x00-\u02ff\u0370-\u0482\u048a-\u0590\u2000-\u20cf\u2100-\u2cee\u3000-\u3029\u3030-\u3098\u309b-\ua66e"
    "\uac00-\ud7a3\uf900-\ufaff\uff00-\uffef\U0001f000-\U0001faff]*"
)
"""Latin, Greek, Cyrillic, CJK, symbols, emoji: blocks without combining marks; most text is of nothing else."""
_INVISIBLE: Final = rf"[\s{_FILLER}" "\u180b-\u180f\u200c-\u200f\ufe00-\ufe0f\U000e0000-\U000e0fff]*"
"""Nothing to be seen: white space, Unicode's Default_Ignorable_Code_Point, and the Braille pattern without dots."""


def clean_text(text: str) -> str:
    """A message's text without anything that a terminal would obey; newlines stay, tabs become spaces."""
    if text.isascii() and text.isprintable():
        return text
    text = _pattern(_LINE_BREAKS).sub("\n", text).replace("\t", "    ")
    return _clamp_marks(_pattern(_FORBIDDEN).sub("", text))


def clean_name(text: str) -> str:
    """A name (nick, group, device) on one line: as clean_text, NFC, no newlines, no invisible fillers."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    # Without the fillers first: what stood apart because of them is composed, and counted as piled up.
    text = _pattern(_FILLERS).sub("", clean_text(text).replace("\n", " "))
    return " ".join(_clamp_marks(unicodedata.normalize("NFC", text)).split())


def escape_in_json(line: str) -> str:
    r"""A line of JSON with `\uXXXX` in the place of what `clean_text` would remove: the same value, and as harmless."""
    if line.isascii() and line.isprintable():
        return line
    line = _pattern(f"{_FORBIDDEN}|[\u2028\u2029]").sub(lambda found: json_escape(found[0]), line)
    return _clamp_marks(line, json_escape)


def json_escape(character: str) -> str:
    """It as JSON's escape, of two halves beyond U+FFFF."""
    code = ord(character)
    halves = [code] if code <= 0xFFFF else [0xD7C0 + (code >> 10), 0xDC00 + (code & 0x3FF)]
    return "".join(f"\\u{half:04x}" for half in halves)


def accept_text(text: str) -> str:
    """The text as it is stored.

    Raises:
        TextTooLong: over limits.TEXT_BYTES of UTF-8, as it came or with its tabs as spaces; it is refused, never cut.
        TextEmpty: nothing that can be seen is left of it.
    """
    _check_size(text)
    cleaned = clean_text(text)
    if len(cleaned) > len(text):
        _check_size(cleaned)
    if _pattern(_INVISIBLE).fullmatch(cleaned):
        raise TextEmpty()
    return cleaned


def accept_name(text: str, what: str = "a name") -> str:
    """The name as it is stored.

    Raises:
        InvalidName: empty afterwards, or over limits.NAME_CHARACTERS.
    """
    cleaned = clean_name(text) if len(text) <= 8 * limits.NAME_CHARACTERS else text
    if len(cleaned) > limits.NAME_CHARACTERS:
        raise InvalidName(f"{what} has at most {limits.NAME_CHARACTERS} characters")
    if _pattern(_INVISIBLE).fullmatch(cleaned):
        raise InvalidName(f"{what} needs at least one character that can be seen")
    return cleaned


PREVIEWED_CHARACTERS: Final = 2 * limits.PREVIEW_CHARACTERS
"""Of a text, at which `preview` looks."""


def preview(text: str) -> str:
    """The first limits.PREVIEW_CHARACTERS of a text on one line, as a conversation list shows it."""
    return " ".join(text[:PREVIEWED_CHARACTERS].split())[: limits.PREVIEW_CHARACTERS]


@cache
def _pattern(text: str) -> re.Pattern[str]:
    """Compiled when it is first needed: together they take as long as a fiftieth of a client's start, and plain ASCII
    needs none of them."""
    return re.compile(text)


def _check_size(text: str) -> None:
    if len(text) > limits.TEXT_BYTES or len(text.encode("utf-8", "surrogatepass")) > limits.TEXT_BYTES:
        raise TextTooLong(f"a message holds at most {limits.TEXT_BYTES} bytes; it was not sent")


def _clamp_marks(text: str, instead: Callable[[str], str] = lambda mark: "") -> str:
    """Marks by their category: the combining class, 0 for a thousand of them, is about their order. What has no width
    itself, as a joiner, begins no new cell. `instead`: what stands in the place of each that is too many."""
    if _pattern(_NO_MARKS).fullmatch(text):
        return text
    kept: list[str] = []
    marks = 0
    for character in text:
        match unicodedata.category(character):
            case "Mn" | "Me":
                marks += 1
                if marks > _COMBINING_MOST:
                    kept.append(instead(character))
                    continue
            case "Cf":
                pass
            case _:
                marks = 0
        kept.append(character)
    return "".join(kept)
