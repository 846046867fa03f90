"""The frame in which messages are read, with a line that says why there are none: what a first frame needs of it."""

from collections.abc import Sequence

from textual import events
from textual.strip import Strip

from tui_chat.tui.render.cells import Piece, spaces, wrap
from tui_chat.tui.safe import Safe, cut, own
from tui_chat.tui.themes import UNICODE, Symbols

from .painting import Painted


class EmptyPane(Painted):
    """Frame, title and notice."""

    PREFIX = "message-pane"
    DEFAULT_CSS = """
    EmptyPane {
        height: 1fr;
        background: $background;
        border: round $foreground 35%;
        border-title-color: $foreground 35%;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        scrollbar-gutter: stable;
        scrollbar-background: $background;
        scrollbar-color: $foreground 20%;
        &:focus { border: round $border; border-title-color: $border; }
        &:focus:nocolor { border: heavy $border; }
        &.-ascii { border: ascii $foreground 35%; }
        &.-ascii:focus { border: ascii $border; }
        .message-pane--notice { color: $text-muted; }
    }
    """

    def __init__(
        self,
        notice: Sequence[Safe] = (),
        *,
        symbols: Symbols = UNICODE,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=f"{classes or ''} -ascii" if symbols.ascii else classes)
        self._symbols = symbols
        self._notice = list(notice)
        self._notice_lines: list[Safe] = []
        self._notice_strips: dict[int, Strip] = {}

    def say(self, notice: Sequence[Safe]) -> None:
        """Another notice, in paragraphs."""
        if self._notice != list(notice):
            self._notice = list(notice)
            self._lay_out()

    def line_strip(self, y: int, cells: int) -> Strip:
        """One line of what is visible."""
        return self._notice_strip(y, cells)

    def forget_strips(self) -> None:
        """Colours changed."""
        self._notice_strips.clear()

    def on_resize(self, event: events.Resize) -> None:
        """Another size."""
        self._lay_out()

    def _lay_out(self) -> None:
        self.frame(own(""), own(""), self._symbols)
        self._lay_out_notice(self._notice)
        self.refresh()

    def _lay_out_notice(self, notice: list[Safe]) -> None:
        cells = self.cells
        self._notice_lines = []
        self._notice_strips.clear()
        for text in notice if cells > 0 else []:
            self._notice_lines += [cut(text, start, end) for start, end in wrap(text, max(cells - 4, 4))]

    def _notice_strip(self, y: int, cells: int) -> Strip:
        at = y - 1
        if not 0 <= at < len(self._notice_lines):
            return self.blank_strip(cells)
        strip = self._notice_strips.get(at)
        if strip is None or strip.cell_length != cells:
            strip = self.paint([Piece(spaces(2)), Piece(self._notice_lines[at], "notice")], "", cells)
            self._notice_strips[at] = strip
        return strip
