"""From pieces in named styles to strips, for widgets that are drawn line by line."""

from typing import ClassVar, Final

from rich.segment import Segment
from rich.style import Style
from textual.css.model import RuleSet
from textual.css.styles import RenderStyles, RulesMap
from textual.dom import DOMNode
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBar as AnyScrollBar
from textual.strip import Strip

from tui_chat.tui.render.cells import Line, line_width
from tui_chat.tui.render.frame import frame_title
from tui_chat.tui.safe import Safe
from tui_chat.tui.themes import Symbols

from .strips import Drawn, ScrollBar, Sides

BORDERS_KEPT: Final = 2
"""With the focus, and without it."""
EDGES_KEPT: Final = 4
"""Of each: above and below, with one title and another."""


class Border:
    """What was drawn of a border that looks in one way: Textual's own lines, asked for once."""

    __slots__ = ("edges", "sides")

    def __init__(self) -> None:
        self.edges: dict[object, Strip] = {}
        self.sides: Sides | None = None


class Painted(ScrollView, inherit_bindings=False):
    """A scroll view whose lines are pieces; the style `x` is the class `{PREFIX}--x` in its CSS.

    These are component classes as Textual has them, except that there is no list of them and each is worked out when it
    is first drawn with. Textual works all of them out anew whenever anything about the widget changes, the focus for
    example: of the two dozen of a list, or the three dozen of the messages, a screen shows a few.
    """

    PREFIX = ""
    FOCUS_SHOWS: ClassVar[bool] = True
    """Whether its lines look different while it has the focus, not its border alone."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._painted_styles: dict[tuple[str, str], Style] = {}
        self._titled: tuple[Safe, Safe, int] | None = None
        self._border: tuple[tuple[int, int], Border] | None = None
        """The one that it has now, for these widths."""
        self._borders: dict[object, Border] = {}
        """By what they look like: with the focus, without it, and so on."""
        self._rules: dict[object, RulesMap] = {}
        """What the stylesheet says of this widget, with the focus and without it."""
        self._rules_of: list[RuleSet] | None = None
        self._blank: Strip | None = None
        self._looked: object = None
        """What its lines were painted for."""

    def notify_style_update(self) -> None:
        """Textual: theme, focus or classes changed."""
        super().notify_style_update()
        self._border = None
        look = None
        if self.is_mounted and not self.FOCUS_SHOWS:
            look = (self.app.theme, self.app.native_ansi_color, self.classes, self.rich_style)
        if look is None or look != self._looked:
            self._looked = look
            self._component_styles.clear()
            self._painted_styles.clear()
            self._blank = None
            self.forget_strips()

    def watch_has_focus(self, _has_focus: bool) -> None:
        """Textual: other styles may be meant. It looks through the whole stylesheet for them, and then sets each anew,
        most of them to what they are; here what was found for this very case is set again where it is another."""
        app = self.app
        path = [(node.classes, *node._pseudo_classes_cache_key) for node in self.css_path_nodes]
        case = (app.theme, app.native_ansi_color, *path)
        sheet = app.stylesheet.rules
        if self._rules_of is not sheet:
            self._rules_of = sheet
            self._rules.clear()
        base = self.styles.base
        rules = self._rules.get(case)
        if rules is None:
            super().watch_has_focus(_has_focus)
            if len(self._rules) >= BORDERS_KEPT:
                self._rules.clear()
            self._rules[case] = base._rules.copy()
            return
        for name in base._rules.keys() | rules.keys():
            if (rule := rules.get(name)) != base._rules.get(name):
                setattr(base, name, rule)
        self.notify_style_update()

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
            self.refresh(Region(0, 0, self.cells, self.size.height))

    def _scroll_update(self, virtual_size: Size) -> None:
        """Textual: what can be scrolled is of another size. The scroll bar sees for itself whether it looks different:
        Textual has it drawn anew whenever anything is laid out, such as a toast."""
        self._refresh_scrollbars()
        if self.show_vertical_scrollbar:
            self.vertical_scrollbar.window_virtual_size = virtual_size.height
            self.vertical_scrollbar.window_size = self.container_size.height
        self.scroll_y = self.validate_scroll_y(self.scroll_y)

    def refresh_lines(self, y_start: int, line_count: int = 1) -> None:
        """Textual: draw some lines anew; without the scroll bar, which is beside them."""
        self.refresh(Region(0, y_start - round(self.scroll_y), self.cells, line_count))

    def refresh_line(self, y: int) -> None:
        """Textual: draw one line anew."""
        self.refresh_lines(y)

    def line_strip(self, y: int, cells: int) -> Strip:
        """Line y of what is visible, so wide; the same object as long as it looks the same. To be overridden."""
        raise NotImplementedError

    def render_line(self, y: int) -> Strip:
        """Textual: one line of what is visible."""
        return self.line_strip(y, self.cells)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Textual: lines with their border.

        Textual's own way, which asks for every style of the widget for each line, is taken for the border's own lines,
        and once for what stands beside the others. It knows opacity, tint and hatching, which these widgets never have.
        """
        cells, top, height = self.outer_size.width, self.gutter.top, self.size.height
        strips: list[Strip] = []
        inner = self.cells
        for y in crop.line_range:
            if 0 <= y - top < height and inner:
                strips.append(self._framed(self.line_strip(y - top, inner), y, inner, cells))
            else:
                strips.append(self._edge(y, inner, cells))
        first, last = crop.column_span
        return strips if (first, last) == (0, cells) else [strip.crop(first, last) for strip in strips]

    def _framed(self, strip: Strip, y: int, inner: int, cells: int) -> Strip:
        """A line with what stands beside it."""
        border, left = self._border_now(inner, cells), self.gutter.left
        if border.sides is None:
            whole = super().render_lines(Region(0, y, cells, 1))[0]
            right = Drawn(whole.crop(left + inner, cells), cells - left - inner)
            border.sides = Sides(Drawn(whole.crop(0, left), left), right, self.background_colors[1])
        line = strip if isinstance(strip, Drawn) else Drawn(strip, inner)
        return line.between(border.sides, self.get_line_filters())

    def _edge(self, y: int, inner: int, cells: int) -> Strip:
        """A line above or below the others."""
        edges = self._border_now(inner, cells).edges
        place = (y if y < self.gutter.top else y - self.outer_size.height, self._titled)
        if place not in edges:
            if len(edges) >= EDGES_KEPT:
                edges.clear()
            edges[place] = super().render_lines(Region(0, y, cells, 1))[0]
        return edges[place]

    def _border_now(self, inner: int, cells: int) -> Border:
        """What was drawn of the border as it is now."""
        if self._border is None or self._border[0] != (inner, cells):
            styles = self.styles
            title = (styles.border_title_color, styles.border_title_background, styles.border_title_style)
            look = (inner, cells, self.gutter, styles.border, title, self.background_colors, *self.get_line_filters())
            if look not in self._borders:
                if len(self._borders) >= BORDERS_KEPT:
                    self._borders.clear()
                self._borders[look] = Border()
            self._border = ((inner, cells), self._borders[look])
        return self._border[1]

    @property
    def vertical_scrollbar(self) -> AnyScrollBar:
        """Textual: the scroll bar, made when it is first asked for."""
        if self._vertical_scrollbar is None:
            bar = ScrollBar(thickness=self.scrollbar_size_vertical)
            self._vertical_scrollbar = bar
            bar.display = False
            self.app._start_widget(self, bar)
        return self._vertical_scrollbar

    def blank_strip(self, cells: int) -> Strip:
        """A line with nothing on it, the same object each time."""
        if self._blank is None or self._blank.cell_length != cells:
            self._blank = self.paint([], "", cells)
        return self._blank

    def paint(self, line: Line, base: str, cells: int) -> Strip:
        """One strip of exactly so many cells, on the background of the style `base` ("" is the widget's own)."""
        ground = self._style(base, "")
        segments = [Segment(text, self._style(base, style)) for text, style in line if text]
        room = cells - line_width(line)
        if room < 0:
            segments = list(Strip(segments).adjust_cell_length(cells, ground))
        elif room > 0:
            segments.append(Segment(" " * room, ground))
        return Drawn(segments, cells)

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
