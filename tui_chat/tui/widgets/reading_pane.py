"""A window of messages drawn line by line; the text that one reads never moves by itself.

The reading position is (message, line), not an offset: older pages, arrivals, removals and resizing keep it. At the
end it follows what comes; elsewhere it counts it ("12 new").
"""

from collections.abc import Callable
from datetime import tzinfo

from textual.geometry import Size
from textual.selection import Selection
from textual.strip import Strip

from tui_chat.locale import _, ngettext
from tui_chat.tui.render.cells import Piece, line_width
from tui_chat.tui.render.messages import MessageLine, MessageStyle
from tui_chat.tui.render.rows import conversation_name
from tui_chat.tui.render.times import Times
from tui_chat.tui.safe import Safe, fill, join, own
from tui_chat.tui.themes import UNICODE, Symbols

from .empty_pane import EmptyPane
from .message_window import EndsOf, Entry, MessageWindow
from .selecting import highlight, selected_text

STRIPS_KEPT = 500
"""Painted lines that are kept; a screen has a hundred at most."""


class ReadingPane(EmptyPane, can_focus=True):
    """Layout, reading position, drawing and selection; what to show and what to ask for is the subclass's affair."""

    _window: MessageWindow | None = None

    def __init__(
        self,
        *,
        clock: Callable[[], int],
        own_id: str = "",
        symbols: Symbols = UNICODE,
        zone: tzinfo | None = None,
        name_of: Callable[[str], str] = str,
        ends_of: EndsOf | None = None,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        """A pane without a conversation.

        Arguments:
            clock: gives milliseconds since 1970.
            name_of: turns a userID into what is shown for it in tips.
            ends_of: tells what became of the applications that notices tell of.
        """
        super().__init__(symbols=symbols, id=id, classes=classes)
        self._clock = clock
        self._zone = zone
        self._own_id = own_id
        self._name_of = name_of
        self._ends_of = ends_of
        self._times = Times(clock(), zone)
        self._following = True
        self._anchor: tuple[Entry, int] | None = None
        """While not following: the first visible message and which of its lines is the first."""
        self._strips: dict[tuple[int, bool], tuple[MessageLine, Strip]] = {}
        """By line, as an object that each entry keeps alive, and whether the cursor is there."""
        self._seeking = False
        """On the way to the first message: each older page that comes is gone through at once."""
        self._adjusting = False
        self._laid = Size(0, 0)
        self._generation = 0
        self._cursor: Entry | None = None
        self._note = own("")
        self._words: tuple[str, ...] = ()
        """What is looked for."""
        self._cut_off = False
        """What should be here cannot be had without a connection."""
        self._begin: tuple[int | None] | None = None
        """Where `show` wants to begin, until there is a size to begin in."""
        self._begun_at_new = False
        """It began at the line "new", or at the end, and nobody has scrolled since."""

    def moved(self) -> None:
        """Other lines are visible than before. To be overridden."""

    # How it is drawn.

    def line_strip(self, y: int, cells: int) -> Strip:
        """One line of what is visible."""
        window = self._window
        if window is None or not window.entries:
            return self._notice_strip(y, cells)
        at = y + round(self.scroll_y)
        if at >= window.height:
            strip = self.blank_strip(cells)
        else:
            index, line = window.at(at)
            strip = self._entry_strip(window.entries[index], line, cells)
            if (selection := self.text_selection) is not None and (span := selection.get_span(at)) is not None:
                strip = highlight(strip, span, self.screen.get_component_rich_style("screen--selection"))
        if window.new_count and y == self._page - 1:
            pill = self._pill()
            width = line_width([pill])
            if width < cells:
                strip = Strip.join([strip.crop(0, cells - width), self.paint([pill], "", width)])
        return strip

    def render_line(self, y: int) -> Strip:
        """Textual: the line with the offsets by which it finds what text the mouse is on; drawing needs none."""
        strip = super().render_line(y)
        at = y + round(self.scroll_y)
        window = self._window
        return strip.apply_offsets(0, at) if window is not None and window.entries and at < window.height else strip

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Textual: what was selected, with the lines as they were written."""
        if self._window is None:
            return None
        shown = [line for entry in self._window.entries for line in entry.lines]
        return selected_text(shown, selection, offset=1), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Textual: another part is selected."""
        self.refresh()

    def forget_strips(self) -> None:
        """Colours changed."""
        super().forget_strips()
        self._strips.clear()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Somebody scrolls: remember where; ask for pages; say what was read."""
        super().watch_scroll_y(old_value, new_value)
        if not self._adjusting and self._laid == self.size:
            self._remember()

    def on_focus(self) -> None:
        """The cursor shows."""
        self.refresh()

    def on_blur(self) -> None:
        """The cursor does not show; it is there again when the focus comes back, as it does with the terminal's."""
        self.refresh()

    # Where somebody reads.

    @property
    def _page(self) -> int:
        return max(self.scrollable_content_region.height, 1)

    @property
    def _end(self) -> int:
        return max((self._window.height if self._window else 0) - self._page, 0)

    @property
    def reading_index(self) -> int:
        """Where the first visible message stands in the window as it is now; the last one's place at the end."""
        window = self._window
        if window is None:
            return 0
        kept = self._anchor[0] if self._anchor is not None and not self._following else None
        return next((n for n, entry in enumerate(window.entries) if entry is kept), len(window.entries) - 1)

    def _lay_out(self) -> None:
        """Make the lines, and put the reader where the reader was."""
        self._retitle()
        self._laid = self.size
        cells = self.cells
        window = self._window
        self._notice_lines = []
        if cells <= 0:
            return
        if window is None or not window.entries:
            self._lay_out_notice(self._notice if window is None else [self._empty_text()])
            self.virtual_size = Size(0, 0)
            self.refresh()
            return
        style = MessageStyle(cells - 1, self._symbols, self._times, self._own_id, self._name_of, self._words)
        window.lay_out(style, self._generation)
        self._adjusting = True
        if window.height != self.virtual_size.height:
            self.virtual_size = Size(0, window.height)
        if self._begin is not None:
            top = self._beginning(self._begin[0])
            self._begun_at_new = self._begin[0] is None
            self._begin = None
            self._following = not window.more_newer and top >= self._end
        else:
            top = self._end if self._following else self._anchor_line()
        self.scroll_to(y=top, animate=False, force=True)
        self._adjusting = False
        if not self._following:
            self._keep_anchor()
        self.refresh()
        self.moved()

    def _retitle(self) -> None:
        title = own("")
        if self._window is not None:
            conversation = self._window.conversation
            title = conversation_name(conversation)
            if conversation.member_count:
                members = ngettext("{name} · {count} member", "{name} · {count} members", conversation.member_count)
                title = fill(self._symbols.word(members), name=title, count=conversation.member_count)
        self.frame(title, self._note, self._symbols)

    def _anchor_line(self) -> int:
        window = self._window
        if window is None or self._anchor is None:
            return round(self.scroll_y)
        entry, line = self._anchor
        top = window.top_of(entry)
        if top is None:
            seq = entry.message.message_seq
            index = next((n for n, e in enumerate(window.entries) if e.message.message_seq >= seq), 0)
            return window.tops[index]
        return top + min(line, max(len(entry.lines) - entry.above - 1, 0))

    def _keep_anchor(self) -> None:
        window = self._window
        if window is not None and window.entries:
            index, line = window.at(round(self.scroll_y))
            entry = window.entries[index]
            self._anchor = (entry, line - entry.above)

    def _remember(self) -> None:
        if (window := self._window) is None:
            return
        self._begun_at_new = False
        self._following = not window.more_newer and round(self.scroll_y) >= self._end - 1
        if not self._following:
            self._keep_anchor()
        elif window.new_count:
            window.new_count = 0
            self.refresh()
        self.moved()

    def _beginning(self, seq: int | None) -> int:
        """The first line to show of what is shown anew."""
        window = self._window
        entries = window.entries if window is not None else []
        for index, entry in enumerate(entries):
            top = window.tops[index] if window is not None else 0
            if seq is None and entry.shown is not None and entry.shown.first_new:
                return min(top, self._end)
            if seq is not None and entry.message.message_seq >= seq:
                return min(top + entry.above, self._end)
        return self._end

    def _scroll(self, top: int) -> None:
        self.scroll_to(y=min(max(top, 0), self._end), animate=False, force=True)
        self._remember()

    def _visible(self, last: bool) -> Entry | None:
        """The first or last message of which something is visible."""
        window = self._window
        if window is None or not window.entries:
            return None
        top = round(self.scroll_y)
        index, _line = window.at(min(top + self._page, window.height) - 1 if last else top)
        return window.entries[index]

    def _entry_strip(self, entry: Entry, line: int, cells: int) -> Strip:
        """The painted line; the same object for as long as the same is on it."""
        under = entry is self._cursor and self.has_focus and line >= entry.above
        shown = entry.lines[line]
        kept = self._strips.get((id(shown), under))
        if kept is not None and kept[1].cell_length == cells:
            return kept[1]
        sign = Piece(self._symbols.cursor if under else own(" "), "cursor-sign")
        strip = self.paint([sign, *shown.pieces], "cursor" if under else "", cells)
        if len(self._strips) > STRIPS_KEPT:
            self._strips.clear()
        self._strips[id(shown), under] = (shown, strip)
        return strip

    def _empty_text(self) -> Safe:
        window = self._window
        if self._cut_off:
            return own(_("These messages are not on this machine. They come with the connection."))
        if window is not None and window.more_older and window.conversation.message_count:
            return self._symbols.word(_("Loading…"))
        return own(_("No messages here."))

    def _pill(self) -> Piece:
        count = self._window.new_count if self._window is not None else 0
        text = fill(ngettext("{count} new", "{count} new", count), count=count)
        return Piece(join(own(" "), text, own(" "), self._symbols.down, own(" ")), "pill")

    def _clear_selection(self) -> None:
        if self.is_attached and self.text_selection is not None:
            self.screen.clear_selection()
