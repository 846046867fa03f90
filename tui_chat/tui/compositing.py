"""Which widgets are drawn for a frame: those of which something changed that can be seen, and of them those lines.

Textual's own compositor asks every visible widget for all of its lines whenever anything changes, and throws most of
them away. Measured, that was half the cost of moving a cursor. And what it asks for it sends, though the terminal may
show it already: a list that gets the focus has another border, and is painted from its first line to its last.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from rich.console import Console
from textual._compositor import ChopsUpdate, Compositor, LayoutUpdate
from textual.geometry import Region, Size
from textual.strip import Strip

from .encoding import encoded
from .widgets.strips import Joined


class Shown:
    """What a terminal shows: of each line which runs of cells were sent to it."""

    def __init__(self) -> None:
        self._lines: dict[int, dict[int, tuple[int, str]]] = {}
        """By line, by the column where it begins: the column where it ends, and what was sent."""
        self._size = Size(0, 0)

    def resized(self, size: Size) -> None:
        """A terminal of another size shows nobody knows what."""
        if size != self._size:
            self._size = size
            self._lines.clear()

    def forget(self) -> None:
        """Something else was drawn."""
        self._lines.clear()

    def changes(self, y: int, start: int, end: int, text: str) -> bool:
        """Whether the terminal does not show this already in these columns; from now on it does."""
        line = self._lines.setdefault(y, {})
        before = line.get(start)
        if before is not None and before[0] == end:  # the same columns as before: nothing else lies in them
            line[start] = (end, text)
            return before[1] != text
        for at in [at for at, (until, _text) in line.items() if at < end and until > start]:
            del line[at]
        line[start] = (end, text)
        return True


class Whole(LayoutUpdate):
    """All of the screen: sent whatever is there, so that what others wrote into it is gone."""

    def __init__(self, lines: Sequence[Mapping[int, Strip]], region: Region, shown: Shown) -> None:
        super().__init__([line.values() for line in lines], region)
        self._lines = lines
        self._shown = shown

    def render_segments(self, console: Console) -> str:
        """Textual: what is sent."""
        self._shown.forget()
        out: list[str] = []
        for y, line in enumerate(self._lines):
            out.append(f"\x1b[{y + 1};1H")
            for x, strip in line.items():
                for at, part in _runs(x, strip):
                    text = encoded(part, console)
                    self._shown.changes(y, at, at + part.cell_length, text)
                    out.append(text)
        return "".join(out)


class Part(ChopsUpdate):
    """Some runs of cells, of which those are sent that are other than before."""

    def __init__(self, update: ChopsUpdate, shown: Shown) -> None:
        super().__init__(update.chops, update.spans, update.chop_ends)
        self._shown = shown

    def render_segments(self, console: Console) -> str:
        """Textual: what is sent."""
        out: list[str] = []
        for y, first, last in self.spans:
            at = -1
            for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                if strip is None or x >= last or end <= first:
                    continue
                for start, part in _runs(x, strip):
                    text, stop = encoded(part, console), start + part.cell_length
                    if self._shown.changes(y, start, stop, text):
                        if start != at:
                            out.append(f"\x1b[{y + 1};{start + 1}H")
                        out.append(text)
                        at = stop
        return "".join(out)


def _runs(x: int, strip: Strip) -> Iterator[tuple[int, Strip]]:
    """What a strip is sent in, with the columns where that begins."""
    for part in strip.parts if isinstance(strip, Joined) else (strip,):
        yield x, part
        x += part.cell_length


class NarrowCompositor(Compositor):
    """Draws what changed."""

    def __init__(self) -> None:
        super().__init__()
        self.shown = Shown()
        self._changed: set[Region] = set()
        """What a partial update is about, while it is made."""

    def render_partial_update(self) -> ChopsUpdate | None:
        """Textual: the lines that changed."""
        self.shown.resized(self.size)
        self._changed = self._dirty_regions.copy()
        try:
            update = super().render_partial_update()
        finally:
            self._changed = set()
        return Part(update, self.shown) if update is not None else None

    def render_full_update(self, simplify: bool = False) -> LayoutUpdate:
        """Textual: all of it."""
        if simplify:  # for a picture of it
            return super().render_full_update(simplify)
        self.shown.resized(self.size)
        self._dirty_regions.clear()
        region = self.size.region
        return Whole(self._render_chops(region, lambda _y: True), region, self.shown)

    def _get_renders(self, crop: Region | None = None) -> Iterable[tuple[Region, Region, list[Strip]]]:
        """Textual: the lines of the widgets; none of what others hide, such as all that only holds others."""
        left = list(self._changed) or [self.size.region]
        for widget, (region, clip) in self.visible_widgets.items():  # from the front: what comes first hides the rest
            shown = region.intersection(clip)
            touched = [each for each in left if each.overlaps(shown)]
            if not touched:
                continue
            top = max(shown.y, min(each.y for each in touched))
            bottom = min(shown.bottom, max(each.bottom for each in touched))
            lines = Region(shown.x, top, shown.width, bottom - top)
            yield region, lines, widget.render_lines(lines.translate((-region.x, -region.y)))
            left = [part for each in left for part in _beside(each, shown)]
            if not left:
                return


def _beside(region: Region, hidden: Region) -> list[Region]:
    """What is left of a region where a part of it is hidden: above it, left of it, right of it, below it."""
    part = region.intersection(hidden)
    if not part:
        return [region]
    parts = (
        Region(region.x, region.y, region.width, part.y - region.y),
        Region(region.x, part.y, part.x - region.x, part.height),
        Region(part.right, part.y, region.right - part.right, part.height),
        Region(region.x, part.bottom, region.width, region.bottom - part.bottom),
    )
    return [each for each in parts if each]
