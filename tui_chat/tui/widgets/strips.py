"""Strips that are made to be drawn once or twice, and a scroll bar of them.

Textual's strips keep seven caches each, for all that widgets do with them; made by the thousand, as scrolling makes
them, they cost more than drawing them, and the garbage collector's pauses over them were the longest frames.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from rich.console import RenderableType
from rich.segment import Segment
from rich.style import Style
from textual import scrollbar
from textual.cache import FIFOCache
from textual.color import Color
from textual.filter import LineFilter
from textual.geometry import Region, Size
from textual.strip import Strip


class _Nothing(FIFOCache[Any, Any]):
    """A cache that keeps nothing."""

    def __setitem__(self, key: Any, value: Any) -> None:
        """Forget it."""


_NOTHING: Final = _Nothing(0)
SIDES_KEPT: Final = 2
"""With the focus, and without it."""
BARS_KEPT: Final = 4


class Sides:
    """What stands left and right of every line of a widget: its border, and the place of the scroll bar."""

    __slots__ = ("background", "left", "right")

    def __init__(self, left: Drawn, right: Drawn, background: Color) -> None:
        self.left = left
        self.right = right
        self.background = background


class Drawn(Strip):
    """A strip that keeps what it was last cut into, what it was rendered to, and nothing else."""

    __slots__ = ("_cut", "_filtered", "_framed")

    _divide_cache = _NOTHING
    _crop_cache = _NOTHING
    _style_cache = _NOTHING
    _filter_cache = _NOTHING
    _line_length_cache = _NOTHING
    _crop_extend_cache = _NOTHING
    _offsets_cache = _NOTHING

    def __init__(self, segments: Iterable[Segment], cell_length: int) -> None:
        """`cell_length`: how many cells the segments take together."""
        self._segments = list(segments)
        self._cell_length = cell_length
        self._render_cache: str | None = None
        self._link_ids: set[str] | None = None
        self._cell_count: int | None = None
        self._cut: tuple[list[int], list[Strip]] | None = None
        self._filtered: tuple[Sequence[LineFilter], Color, Drawn] | None = None
        self._framed: dict[Sides, Joined] | None = None

    def divide(self, cuts: Iterable[int]) -> Sequence[Strip]:
        """Textual: the strips between these cells."""
        length = self.cell_length
        wanted = [cut for cut in cuts if cut <= length]
        if wanted == [length]:
            return [self]
        if self._cut is None or self._cut[0] != wanted:
            self._cut = (wanted, self._divided(wanted))
        return self._cut[1]

    def _divided(self, wanted: Sequence[int]) -> list[Strip]:
        """The strips that end at these cells."""
        parts: list[Strip] = []
        start = 0
        for segments, end in zip(Segment.divide(self._segments, wanted), wanted, strict=False):
            parts.append(Drawn(segments, end - start))
            start = end
        return parts

    def seen_through(self, filters: Sequence[LineFilter], background: Color) -> Drawn:
        """As the terminal can show it; kept for as long as that is the same."""
        if self._filtered is None or self._filtered[:2] != (filters, background):
            shown = Drawn(filtered(self._segments, filters, background), self.cell_length)
            self._filtered = (filters, background, shown)
        return self._filtered[2]

    def between(self, sides: Sides, filters: Sequence[LineFilter]) -> Joined:
        """The line of the whole widget that it is the middle of; kept for as many sides as a border changes between."""
        if self._framed is None or (sides not in self._framed and len(self._framed) >= SIDES_KEPT):
            self._framed = {}
        if sides not in self._framed:
            middle = self.seen_through(filters, sides.background)
            self._framed[sides] = Joined([part for part in (sides.left, middle, sides.right) if part.cell_length])
        return self._framed[sides]


class Joined(Drawn):
    """Strips side by side, such as a line and the two sides of a border: where one of them changes, the others are not
    rendered again, nor sent."""

    __slots__ = ("parts",)

    def __init__(self, parts: Sequence[Drawn]) -> None:
        super().__init__(
            [segment for part in parts for segment in part._segments], sum(part.cell_length for part in parts)
        )
        self.parts = tuple(parts)

    def _divided(self, wanted: Sequence[int]) -> list[Strip]:
        found: list[Strip] = []
        gathered: list[Drawn] = []
        start = 0
        for part in self.parts:
            end = start + part.cell_length
            for piece in part.divide([*(cut - start for cut in wanted if start < cut < end), part.cell_length]):
                assert isinstance(piece, Drawn)
                gathered.append(piece)
                start += piece.cell_length
                if len(found) < len(wanted) and start == wanted[len(found)]:
                    found.append(gathered[0] if len(gathered) == 1 else Joined(gathered))
                    gathered = []
        return found


class ScrollBar(scrollbar.ScrollBar):
    """A bar at the right that is drawn in four strips, whatever its length: above, head, thumb, below."""

    def __init__(self, *, thickness: int) -> None:
        """`thickness`: in cells."""
        super().__init__(vertical=True, name="vertical", thickness=thickness)
        self._bars: dict[object, list[Strip]] = {}

    def render_lines(self, crop: Region) -> list[Strip]:
        """Textual: some lines of it."""
        bar: RenderableType = self.render()
        if not isinstance(bar, scrollbar.ScrollBarRender):
            return super().render_lines(crop)
        first, last = crop.column_span
        size = self.size
        lines = self._lines(bar, size)
        wanted = [lines[y] for y in crop.line_range if y < len(lines)]
        return wanted if (first, last) == (0, size.width) else [line.crop(first, last) for line in wanted]

    def _lines(self, bar: scrollbar.ScrollBarRender, size: Size) -> list[Strip]:
        """All of it, kept for the few looks that it changes between, such as with a line above the list and without."""
        style, ground = self.app.console.get_style(bar.style), self.rich_style
        filters, background = self.get_line_filters(), self.background_colors[1]
        place = (bar.virtual_size, bar.window_size, bar.position)
        look = (size, place, style, ground, tuple(filters), background)
        if look not in self._bars:
            if len(self._bars) >= BARS_KEPT:
                self._bars.clear()
            self._bars[look] = self._drawn(bar, size, style, ground, filters, background)
        return self._bars[look]

    def _drawn(
        self,
        bar: scrollbar.ScrollBarRender,
        size: Size,
        style: Style,
        ground: Style,
        filters: Sequence[LineFilter],
        background: Color,
    ) -> list[Strip]:
        assert style.bgcolor is not None, "Textual gives both"
        assert style.color is not None
        segments = bar.render_bar(
            size=size.height,
            virtual_size=bar.virtual_size,
            window_size=bar.window_size,
            position=bar.position,
            thickness=size.width,
            vertical=True,
            back_color=style.bgcolor,
            bar_color=style.color,
        ).segments
        made: dict[int, Strip] = {}
        for segment in segments:
            if id(segment) not in made:
                shown = list(Segment.apply_style([segment], ground))
                made[id(segment)] = Drawn(filtered(shown, filters, background), size.width)
        return [made[id(segment)] for segment in segments]


def filtered(segments: list[Segment], filters: Sequence[LineFilter], background: Color) -> list[Segment]:
    """As the terminal can show them."""
    for each in filters:
        segments = each.apply(segments, background)
    return segments
