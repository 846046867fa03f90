"""What can be a reaction: one emoji, in the form in which it is compared."""

import re
import unicodedata
from typing import Final

from . import limits
from .errors import InvalidEmoji

_PRESENTATION: Final = "\ufe0f"
"""Asks for the coloured form of a sign that is also text. With and without, it is the same reaction."""
_FLAG: Final = re.compile("[\U0001f1e6-\U0001f1ff]{2}")
_KEYCAP: Final = re.compile("[0-9#*]\u20e3")
_SKIN: Final = re.compile("[\U0001f3fb-\U0001f3ff]")
_JOINER: Final = "\u200d"
_NOTHING: Final = re.compile("[\u2800\ufffc\ufffd]")
"""Look like nothing, or like something that went wrong."""
_LETTERS: Final = frozenset("‼⁉ℹ〰")
"""Emoji whose category is that of punctuation or of a letter."""


def accept_emoji(text: str) -> str:
    """The emoji as it is stored: without the sign that asks for its coloured form.

    Raises:
        InvalidEmoji: it is not one emoji, or over limits.EMOJI_BYTES.
    """
    # A length in characters first, so that nothing large is encoded.
    if len(text) <= limits.EMOJI_BYTES and len(text.encode("utf-8", "surrogatepass")) <= limits.EMOJI_BYTES:
        bare = text.replace(_PRESENTATION, "")
        if _FLAG.fullmatch(bare) or _KEYCAP.fullmatch(bare):
            return bare
        if bare and all(map(_is_picture, bare.split(_JOINER))):
            return bare
    raise InvalidEmoji()


def _is_picture(part: str) -> bool:
    """One picture, with a skin tone or without: what stands between two joiners."""
    return _is_sign(part[0]) and (len(part) == 1 or _SKIN.fullmatch(part, 1) is not None) if part else False


def _is_sign(sign: str) -> bool:
    category = unicodedata.category(sign)
    if category == "So":
        return not _NOTHING.fullmatch(sign)
    if category == "Sm":
        return sign >= "\u2190"  # arrows, heavy plus: signs of text below are none
    # Unicode is added to every year: in the emoji blocks, what this Python does not know yet is taken as well.
    return sign in _LETTERS or (category in ("Cn", "Sk") and "\U0001f300" <= sign <= "\U0001faff")
