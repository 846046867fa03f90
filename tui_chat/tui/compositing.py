"""Which widgets are drawn for a frame: those of which something changed that can be seen, and of them those lines.

Textual's own compositor asks every visible widget for all of its lines whenever anything changes, and throws most of
them away. Measured, that was half the cost of moving a cursor.
"""

from collections.abc import Iterable

from textual._compositor import ChopsUpdate, Compositor
from textual.geometry import Region
from textual.strip import Strip


class NarrowCompositor(Compositor):
    """Draws what changed."""

    def __init__(self) -> None:
        super().__init__()
        self._changed: set[Region] = set()
        """What a partial update is about, while it is made."""

    def render_partial_update(self) -> ChopsUpdate | None:
        """Textual: the lines that changed."""
        self._changed = self._dirty_regions.copy()
        try:
            return super().render_partial_update()
        finally:
            self._changed = set()

    def _get_renders(self, crop: Region | None = None) -> Iterable[tuple[Region, Region, list[Strip]]]:
        if not self._changed:
            yield from super()._get_renders(crop)
            return
        left = list(self._changed)
        for widget, (region, clip) in self.visible_widgets.items():  # from the front: what comes first hides the rest
            shown = region.intersection(clip)
            touched = [each for each in left if each.overlaps(shown)]
            if not touched:
                continue
            top = max(shown.y, min(each.y for each in touched))
            bottom = min(shown.bottom, max(each.bottom for each in touched))
            lines = Region(shown.x, top, shown.width, bottom - top)
            yield region, lines, widget.render_lines(lines.translate((-region.x, -region.y)))
            left = [each for each in left if not shown.contains_region(each)]
            if not left:
                return
