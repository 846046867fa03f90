"""From pieces in named styles to strips, for widgets that are drawn line by line."""

from rich.segment import Segment
from rich.style import Style
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui_chat.tui.render.cells import Line
from tui_chat.tui.render.frame import frame_title
from tui_chat.tui.safe import Safe
from tui_chat.tui.themes import Symbols


class Painted(ScrollView, inherit_bindings=False):
    """A scroll view whose lines are pieces; the style `x` is the component class `{PREFIX}--x`."""

    PREFIX = ""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._painted_styles: dict[tuple[str, str], Style] = {}
        self._framed: tuple[Safe, Safe, int] | None = None

    def notify_style_update(self) -> None:
        """Textual: theme, focus or classes changed."""
        super().notify_style_update()
        self._painted_styles.clear()
        self.forget_strips()

    def forget_strips(self) -> None:
        """Whatever was painted is out of date."""

    def frame(self, left: Safe, right: Safe, symbols: Symbols) -> None:
        """Write the title into the upper border, once for each change: it draws the whole widget anew."""
        framed = (left, right, self.outer_size.width)
        if framed != self._framed:
            self._framed = framed
            self.border_title = frame_title(left, right, framed[2], symbols.rule, symbols.ellipsis)

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
