"""From pieces in named styles to strips, for widgets that are drawn line by line."""

from rich.segment import Segment
from rich.style import Style
from textual.css.styles import RenderStyles
from textual.dom import DOMNode
from textual.geometry import Region
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui_chat.tui.render.cells import Line
from tui_chat.tui.render.frame import frame_title
from tui_chat.tui.safe import Safe
from tui_chat.tui.themes import Symbols

FRAMED_KEPT = 2_000
"""Lines with their border that are kept."""


class Painted(ScrollView, inherit_bindings=False):
    """A scroll view whose lines are pieces; the style `x` is the class `{PREFIX}--x` in its CSS.

    These are component classes as Textual has them, except that there is no list of them and each is worked out when it
    is first drawn with. Textual works all of them out anew whenever anything about the widget changes, the focus for
    example: of the two dozen of a list, or the three dozen of the messages, a screen shows a few.
    """

    PREFIX = ""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._painted_styles: dict[tuple[str, str], Style] = {}
        self._titled: tuple[Safe, Safe, int] | None = None
        self._framed: dict[int, tuple[Strip, Strip]] = {}
        """Of strips by identity (which each entry keeps alive): the line of the whole widget, with its border."""
        self._framed_width = 0
        self._blank: Strip | None = None

    def notify_style_update(self) -> None:
        """Textual: theme, focus or classes changed."""
        super().notify_style_update()
        self._component_styles.clear()
        self._painted_styles.clear()
        self._framed.clear()
        self._blank = None
        self.forget_strips()

    def get_component_styles(self, *names: str) -> RenderStyles:
        """Textual: the styles of these classes together."""
        for name in names:
            if name not in self._component_styles:
                node = DOMNode(classes=name)
                node._attach(self)
                self.app.stylesheet.apply(node)
                self._component_styles[name] = node.styles
        return super().get_component_styles(*names)

    def forget_strips(self) -> None:
        """Whatever was painted is out of date."""

    @property
    def cells(self) -> int:
        """Width of what can be seen of a line: without the border, and without the scroll bar even while it is away."""
        return max(self.scrollable_content_region.width, 0)

    def frame(self, left: Safe, right: Safe, symbols: Symbols) -> None:
        """Write the title into the upper border, once for each change: it draws the whole widget anew."""
        titled = (left, right, self.outer_size.width)
        if titled != self._titled:
            self._titled = titled
            self.border_title = frame_title(left, right, titled[2], symbols.rule, symbols.ellipsis)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Textual: scrolled. The scroll bar is drawn anew only where its thumb moves by an eighth of a cell."""
        if self.show_vertical_scrollbar:
            bar = self.vertical_scrollbar
            eighth = self.virtual_size.height / max(self.size.height * 8, 1)
            if abs(bar.position - new_value) >= eighth or new_value in (0, self.max_scroll_y):
                bar.position = new_value
        if round(old_value) != round(new_value):
            self.refresh(self.size.region)

    def line_strip(self, y: int, cells: int) -> Strip:
        """Line y of what is visible, so wide; the same object as long as it looks the same. To be overridden."""
        raise NotImplementedError

    def render_line(self, y: int) -> Strip:
        """Textual: one line of what is visible."""
        return self.line_strip(y, self.cells)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Textual: lines with their border.

        A line that had its border before is taken as it was: measured, that halves the cost of scrolling by one row.
        """
        cells, top, height = self.outer_size.width, self.gutter.top, self.size.height
        if cells != self._framed_width or len(self._framed) > FRAMED_KEPT:
            self._framed.clear()
            self._framed_width = cells
        strips: list[Strip] = []
        inner = self.cells
        for y in crop.line_range:
            if not 0 <= y - top < height:
                strips += super().render_lines(Region(0, y, cells, 1))
                continue
            strip = self.line_strip(y - top, inner)
            known = self._framed.get(id(strip))
            if known is None:
                known = (strip, super().render_lines(Region(0, y, cells, 1))[0])
                self._framed[id(strip)] = known
            strips.append(known[1])
        first, last = crop.column_span
        return strips if (first, last) == (0, cells) else [strip.crop(first, last) for strip in strips]

    def blank_strip(self, cells: int) -> Strip:
        """A line with nothing on it, the same object each time."""
        if self._blank is None or self._blank.cell_length != cells:
            self._blank = self.paint([], "", cells)
        return self._blank

    def paint(self, line: Line, base: str, cells: int) -> Strip:
        """One strip of exactly so many cells, on the background of the style `base` ("" is the widget's own)."""
        ground = self._style(base, "")
        segments = [Segment(text, self._style(base, style)) for text, style in line if text]
        return Strip(segments).adjust_cell_length(cells, ground)

    def _style(self, base: str, name: str) -> Style:
        found = self._painted_styles.get((base, name))
        if found is None:
            ground = self.get_component_rich_style(f"{self.PREFIX}--{base}") if base else self.rich_style
            found = ground
            if name:
                component = f"{self.PREFIX}--{name}"
                style = self.get_component_rich_style(component)
                own_ground = self.get_component_styles(component).has_rule("background")
                found = ground + (style if own_ground else style.without_color + Style(color=style.color))
            self._painted_styles[base, name] = found
        return found
