"""What a terminal without newer protocols sends for a key."""

from typing import Final

LEGACY: Final = {
    "escape": "\x1b",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
    "shift+up": "\x1b[1;2A",
    "shift+down": "\x1b[1;2B",
    "pageup": "\x1b[5~",
    "pagedown": "\x1b[6~",
    "home": "\x1b[H",
    "end": "\x1b[F",
    "delete": "\x1b[3~",
    "backspace": "\x7f",
    "shift+tab": "\x1b[Z",
    "tab": "\t",
    "enter": "\r",
    "space": " ",
    "f1": "\x1bOP",
    "f2": "\x1bOQ",
    "question_mark": "?",
    "asterisk": "*",
    "slash": "/",
    "equals_sign": "=",
    "plus": "+",
    "at": "@",
    "ctrl+underscore": "\x1f",
    **{f"ctrl+{letter}": chr(ord(letter) - 96) for letter in "afgjnopqrz"},
}
"""By the key's name; letters and digits are sent as they are."""


def sent(key: str) -> str:
    """The bytes of a key, as text."""
    assert len(key) == 1 or key in LEGACY, key
    return LEGACY.get(key, key)
