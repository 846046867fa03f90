"""Symbols (Unicode and ASCII) and which of them to use. Colours are Textual's theme variables in each widget's CSS.

Nothing rests on colour alone: every mark has a symbol here. `NO_COLOR` is honoured by Textual itself.
"""

from typing import Final

import msgspec

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
