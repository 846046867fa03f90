"""A list of any number of one-line rows, drawn by Textual's Line API: its cost is that of what is visible."""

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip

from tui_chat.tui.render.cells import Line

from .painting import Painted
from .row_order import KeyRows, Rows, nearest_left


class VirtualList(Painted, can_focus=True):
    """Rows by key. The cursor stays with its key, not with a row number, and on its line of the screen where it can."""

    ALLOW_SELECT = False
    PREFIX = "virtual-list"
    DEFAULT_CSS = """
    VirtualList {
        height: 1fr;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        scrollbar-gutter: stable;
        .virtual-list--cursor { background: $block-cursor-blurred-background; color: $foreground; }
        .virtual-list--dim { color: $text-muted; }
        &:focus .virtual-list--cursor { background: $surface-lighten-2; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False, id="list.up"),
        Binding("down,j", "move(1)", "Down", show=False, id="list.down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="list.page_up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="list.page_down"),
        Binding("home,g", "first", "First", show=False, id="list.first"),
        Binding("end,G", "last", "Last", show=False, id="list.last"),
        Binding("enter", "choose", "Open", show=False, id="list.choose"),
    ]

    @dataclass
    class Highlighted(Message):
        """The cursor stands on another key; None in an empty list."""

        list: "VirtualList"
        key: str | None

    @dataclass
    class Chosen(Message):
        """Enter or a click on a row."""

        list: "VirtualList"
        key: str

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._rows: Rows = KeyRows()
        self._cursor = 0
        self._width = 0
        """For which lines were painted."""

    def row_line(self, key: str, index: int, cells: int) -> tuple[Line, str]:
        """The row's pieces and its base style. To be overridden."""
        raise NotImplementedError

    def empty_line(self, y: int, cells: int) -> Line:
        """Line y of what stands there instead of rows. To be overridden."""
        return []

    def announce_highlight(self, key: str | None) -> None:
        """Say where the cursor is; a subclass says it in its own words."""
        self.post_message(self.Highlighted(self, key))

    def announce_choice(self, key: str) -> None:
        """Say that a row was chosen; a subclass says it in its own words."""
        self.post_message(self.Chosen(self, key))

    def cursor_moved(self, old: int, new: int) -> None:
        """The cursor went from row to row within the same rows."""

    @property
    def rows(self) -> Rows:
        """What is shown."""
        return self._rows

    @property
    def height(self) -> int:
        """Lines of the whole."""
        return len(self._rows)

    @property
    def cursor_index(self) -> int:
        """The cursor's row; 0 in an empty list."""
        return self._cursor

    @property
    def cursor_key(self) -> str | None:
        """The key under the cursor; None in an empty list."""
        return self._rows.key_at(self._cursor) if len(self._rows) else None

    def set_rows(self, rows: Rows) -> None:
        """Show other rows. The cursor stays with its key, or goes to the nearest row that is left."""
        old, before = self._rows, self.cursor_key
        beside = self._cursor - round(self.scroll_y)
        at_top = round(self.scroll_y) == 0
        found = rows.index_of(before) if before is not None else 0
        self._cursor = found if found is not None else nearest_left(old, self._cursor, rows)
        self._rows = rows
        if self.height != self.virtual_size.height:
            self.virtual_size = Size(0, self.height)
        page = self._page
        if not (at_top and self._cursor < page):
            visible = min(max(beside, 0), page - 1) if 0 <= beside < page else None
            self._show_cursor(self._cursor - visible if visible is not None else None)
        self.refresh()
        if self.cursor_key != before:
            self.announce_highlight(self.cursor_key)

    def move_cursor_to(self, key: str) -> bool:
        """Put the cursor on a key; False where it is not among the rows."""
        index = self._rows.index_of(key)
        if index is None:
            return False
        self.go_to(index)
        return True

    def go_to(self, index: int) -> None:
        """Put the cursor on a row, as near as there is one, and bring it into view."""
        if not len(self._rows):
            return
        old, new = self._cursor, min(max(index, 0), len(self._rows) - 1)
        self._cursor = new
        self.refresh_row(old)
        self.refresh_row(new)
        self._show_cursor()
        if new != old:
            self.cursor_moved(old, new)
            self.announce_highlight(self.cursor_key)

    def refresh_row(self, index: int) -> None:
        """Draw one row anew where it is visible."""
        top = round(self.scroll_y)
        if top <= index < top + self.size.height:
            self.refresh_line(index)

    def refresh_key(self, key: str) -> None:
        """Draw a key's row anew where it is visible; looks at the visible rows only."""
        top = round(self.scroll_y)
        for index in range(top, min(top + self.size.height, len(self._rows))):
            if self._rows.key_at(index) == key:
                self.refresh_line(index)
                return

    def action_move(self, rows: int) -> None:
        """Up or down."""
        self.go_to(self._cursor + rows)

    def action_page(self, pages: int) -> None:
        """Up or down by what is visible, less one row."""
        self.go_to(self._cursor + pages * max(self._page - 1, 1))

    def action_first(self) -> None:
        """To the first row."""
        self.go_to(0)

    def action_last(self) -> None:
        """To the last row."""
        self.go_to(len(self._rows) - 1)

    def action_choose(self) -> None:
        """Open what is under the cursor."""
        if (key := self.cursor_key) is not None:
            self.announce_choice(key)

    def row_at(self, event: events.MouseEvent) -> int | None:
        """The row under the mouse."""
        offset = event.get_content_offset(self)
        if offset is None:
            return None
        index = offset.y + round(self.scroll_y)
        return index if index < len(self._rows) else None

    def on_click(self, event: events.Click) -> None:
        """A click goes there and opens."""
        if (index := self.row_at(event)) is not None:
            event.stop()
            self.go_to(index)
            self.action_choose()

    def line_strip(self, y: int, cells: int) -> Strip:
        """One line of what is visible."""
        index = y + round(self.scroll_y)
        if index >= len(self._rows):
            line = [] if len(self._rows) else self.empty_line(y, cells)
            return self.paint(line, "", cells) if line else self.blank_strip(cells)
        return self.row_strip(self._rows.key_at(index), index, cells)

    def row_strip(self, key: str, index: int, cells: int) -> Strip:
        """The painted row; a subclass may keep it."""
        line, base = self.row_line(key, index, cells)
        return self.paint(line, base, cells)

    def on_resize(self) -> None:
        """Another size: keep the cursor in view. Lines of the same width look the same."""
        if self.cells != self._width:
            self._width = self.cells
            self.forget_strips()
        if len(self._rows):
            self._show_cursor()

    @property
    def _page(self) -> int:
        """Rows that the screen has for it; where another pane hides it just now, as many as before."""
        return max(self.outer_size.height - self.gutter.height, 1)

    def _show_cursor(self, top: int | None = None) -> None:
        page = self._page
        at = round(self.scroll_y) if top is None else top
        at = min(max(at, self._cursor - page + 1), self._cursor)
        at = min(max(at, 0), max(len(self._rows) - page, 0))
        if at != self.scroll_y:
            self.scroll_to(y=at, animate=False, force=True)
