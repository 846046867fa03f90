"""Strips as the bytes that a terminal gets: a colour is said where it changes, not again with each run of cells."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final, NamedTuple

from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual.strip import SGR_STYLES, Strip

_ON_SPACES: Final = 0b1_1111_1111_1000
"""Of Rich's attributes those that show where there is no letter: from underline on; not bold, dim and italic."""
_STYLES_KEPT: Final = 4_096


class _Look(NamedTuple):
    """A style, taken apart."""

    attributes: int
    """Rich's bits of those that are on."""
    codes: str
    """What turns those on."""
    ink: str
    ground: str


_PLAIN: Final = _Look(0, "", "", "")


def encoded(strip: Strip, console: Console) -> str:
    """What draws the strip on a terminal that is in its plain state, and leaves it so; kept with the strip."""
    if strip._render_cache is None:
        strip._render_cache = _encoded(strip, console._color_system or ColorSystem.TRUECOLOR)
    return strip._render_cache


def _encoded(segments: Iterable[Segment], system: ColorSystem) -> str:
    out: list[str] = []
    now = _PLAIN
    for text, style, control in segments:
        if not text:
            continue
        if style is None or control or style._link:
            if now is not _PLAIN:
                out.append("\x1b[0m")
                now = _PLAIN
            out.append(text if style is None else Strip.render_style(style, text, system))
            continue
        look = _look(style, system)
        if look is not now:
            codes, now = _change(now, look, blank=not text.strip(" "))
            out.append(codes)
        out.append(text)
    if now is not _PLAIN:
        out.append("\x1b[0m")
    return "".join(out)


def _change(now: _Look, to: _Look, *, blank: bool) -> tuple[str, _Look]:
    """What is to be said between the two, and how it looks then: of a blank its ground alone is seen."""
    if blank and not (now.attributes | to.attributes) & _ON_SPACES:
        to = _Look(now.attributes, now.codes, now.ink, to.ground)
    if to == now:
        return "", now
    if to.attributes != now.attributes or (now.ink and not to.ink) or (now.ground and not to.ground):
        if to == _PLAIN:
            return "\x1b[0m", _PLAIN
        reset = "0" if now != _PLAIN else ""
        return f"\x1b[{';'.join(part for part in (reset, to.codes, to.ink, to.ground) if part)}m", to
    parts = [part for part, before in ((to.ink, now.ink), (to.ground, now.ground)) if part != before]
    return f"\x1b[{';'.join(parts)}m", to


@lru_cache(_STYLES_KEPT)
def _look(style: Style, system: ColorSystem) -> _Look:
    on = style._attributes & style._set_attributes
    codes = ";".join(code for bit, code in enumerate(SGR_STYLES) if on >> bit & 1)
    ink, ground = (
        ";".join(color.downgrade(system).get_ansi_codes(foreground)) if color is not None else ""
        for color, foreground in ((style.color, True), (style.bgcolor, False))
    )
    return _Look(on, codes, ink, ground)
