"""Symbols (Unicode and ASCII) and themes, and which of them to use. Colours are theme variables in each widget's CSS.

Nothing rests on colour alone: every mark has a symbol here. Where `NO_COLOR` is set, none goes out at all.
"""

import codecs
from typing import Final, Literal

import msgspec
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter, Monochrome, NoColor
from textual.theme import BUILTIN_THEMES, Theme

from .safe import Safe, own


class Symbols(msgspec.Struct, frozen=True, kw_only=True):
    """Every sign that the screen uses; all are one cell wide unless they say otherwise."""

    cursor: Safe
    marked: Safe
    unread: Safe
    pinned: Safe
    """With the space after it; two or three cells."""
    muted: Safe
    """Up to two cells."""
    stale: Safe
    """Up to two cells."""
    online: Safe
    """After the name of somebody who is there."""
    draft: Safe
    """Up to two cells."""
    mention: Safe
    ellipsis: Safe
    """One to three cells."""
    sending: Safe
    sent: Safe
    read: Safe
    """Two cells."""
    failed: Safe
    rule: Safe
    """Drawn many times over to make a line."""
    down: Safe
    bullet: Safe
    quote: Safe
    dot: Safe
    """Stands between two facts on one line."""
    full: Safe
    """The status line's sign of a connection."""
    empty: Safe
    """The status line's sign of none."""
    ascii: bool = False
    """Borders have to be ASCII as well."""

    def word(self, text: str) -> Safe:
        """Our own words, in ASCII where that is the set; other languages keep their letters."""
        return Safe(text.translate(_PLAIN) if self.ascii else text)


_PLAIN: Final = {ord("…"): "...", ord("·"): "|", ord("–"): "-", ord("—"): "-", ord("→"): "->"}

UNICODE: Final = Symbols(
    cursor=own("▌"),
    marked=own("◉"),
    unread=own("●"),
    pinned=own("📌 "),
    muted=own("🔕"),
    stale=own("≠"),
    online=own("•"),
    draft=own("✎"),
    mention=own("@"),
    ellipsis=own("…"),
    sending=own("◌"),
    sent=own("✓"),
    read=own("✓✓"),
    failed=own("✗"),
    rule=own("─"),
    down=own("↓"),
    bullet=own("•"),
    quote=own("│"),
    dot=own("·"),
    full=own("●"),
    empty=own("○"),
)

ASCII: Final = Symbols(
    cursor=own(">"),
    marked=own("*"),
    unread=own("o"),
    pinned=own("^ "),
    muted=own("z"),
    stale=own("!="),
    online=own("+"),
    draft=own("%"),
    mention=own("@"),
    ellipsis=own("..."),
    sending=own("."),
    sent=own("v"),
    read=own("vv"),
    failed=own("x"),
    rule=own("-"),
    down=own("v"),
    bullet=own("*"),
    quote=own("|"),
    dot=own("|"),
    full=own("*"),
    empty=own("-"),
    ascii=True,
)


def symbols_for(setting: Literal["auto", "unicode", "ascii"], encoding: str) -> Symbols:
    """The set that the settings ask for; `auto`: ASCII where the terminal's encoding has no other signs."""
    if setting == "auto":
        try:
            return UNICODE if codecs.lookup(encoding).name.startswith("utf") else ASCII
        except LookupError:
            return ASCII
    return ASCII if setting == "ascii" else UNICODE


THEMES: Final = {
    "dark": "textual-dark",
    "light": "light",
    "high-contrast": "high-contrast",
    "ansi": "ansi-dark",
}
"""Names in the settings, and what Textual calls them. `ansi` takes the terminal's own sixteen colours."""

HIGH_CONTRAST: Final = Theme(
    name="high-contrast",
    primary="#ffff00",
    secondary="#00ffff",
    accent="#00ffff",
    warning="#ffff00",
    error="#ff8080",
    success="#80ff80",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#303030",
    dark=True,
    text_alpha=1.0,
    variables={"text-muted": "#e8e8e8", "border": "#ffffff", "block-cursor-blurred-background": "#505050"},
)
"""White on black; every pair of text and ground has at least 7:1 (WCAG 2.2, success criterion 1.4.6)."""


LIGHT: Final = Theme(
    name="light",
    primary="#004578",
    secondary="#0178d4",
    accent="#b35c00",
    warning="#b35c00",
    error="#ba3c5b",
    success="#2e8b57",
    foreground="#1f1f1f",
    background="#f2f2f2",
    surface="#e9e9e9",
    panel="#dedede",
    dark=False,
    variables={
        "footer-key-foreground": "#0178d4",
        "text-muted": "#464646",
        "text-primary": "#00376b",
        "text-secondary": "#00508a",
        "text-accent": "#733a00",
        "text-warning": "#733a00",
        "text-error": "#8c1d35",
        "text-success": "#0f5a2c",
    },
)
"""Dark on light; text has at least 4.5:1 on every ground that is ours (WCAG 2.2, success criterion 1.4.3). With
Textual's own light theme numbers of unread messages had 1.9:1 on a marked row."""

OUR_THEMES: Final = (HIGH_CONTRAST, LIGHT)
"""What Textual has not."""


def is_theme(name: str) -> bool:
    """Whether the settings may ask for it."""
    return name in THEMES or name in BUILTIN_THEMES


_ONE_CELL: Final = str.maketrans("…·–—→←↑↓│─╭╮╰╯┌┐└┘├┤┬┴┼▁▂▃▄▅▆▇█▌▐▏▎", ".|--><^v|-+++++++++++++_____###||||")
"""What Textual and our sentences draw that is not ASCII, each as one sign of the same width."""


class Colourless(LineFilter):
    """For `NO_COLOR`: no code of a colour goes out, not even of a grey, as Textual's own filter sends them. Bold,
    reverse and the like stay."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same cells in the terminal's own two colours."""
        return [
            Segment(text, None if style is None else style.without_color, control) for text, style, control in segments
        ]


def colourless(filters: list[LineFilter]) -> list[LineFilter]:
    """The filters of an app, in which Textual has put one of its own where `NO_COLOR` is set."""
    return [Colourless() if isinstance(one, Monochrome | NoColor) else one for one in filters]


class InAscii(LineFilter):
    """The last thing before the terminal, where its encoding has no more: everything of ours in ASCII."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same cells; letters of other languages stay."""
        return [
            segment if segment.text.isascii() else Segment(segment.text.translate(_ONE_CELL), segment.style)
            for segment in segments
        ]
