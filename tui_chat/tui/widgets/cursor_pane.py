"""Moving about in the messages: the cursor, keys and clicks; which pages are asked for, and what was read."""

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message as Event
from textual.widget import Widget

from tui_chat.protocol.models import Message
from tui_chat.tui.render.cells import line_width

from .message_window import Entry
from .reading_pane import ReadingPane

NEAR_SCREENS = 2
"""How near to an end of the window the next page is asked for."""


class CursorPane(ReadingPane):
    """What keys do in a window of messages, and what its owner is asked for and told by Textual's messages."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False, id="messages.up"),
        Binding("down,j", "move(1)", "Down", show=False, id="messages.down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="messages.page_up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="messages.page_down"),
        Binding("home,g", "oldest", "Oldest", show=False, id="messages.oldest"),
        Binding("end,G", "newest", "Newest", show=False, id="messages.newest"),
    ]

    @dataclass
    class NeedOlder(Event):
        """The reader comes near the oldest message held: give the page before it by `prepend`."""

        conversation_id: str
        before: int

    @dataclass
    class NeedNewer(Event):
        """The reader comes near the newest message held, and newer ones were let go: give the page by `extend`."""

        conversation_id: str
        after: int

    @dataclass
    class NeedLatest(Event):
        """The reader wants the end, which is not held: `show` the conversation's end."""

        conversation_id: str

    @dataclass
    class ReadUpTo(Event):
        """Everything up to there has been on the screen while somebody was looking."""

        conversation_id: str
        message_seq: int

    @dataclass
    class CursorMoved(Event):
        """Another message, or none, is under the cursor."""

    # What it can be asked.

    @property
    def current_message(self) -> Message | None:
        """The message under the cursor, which commands such as reply and copy are about."""
        return self._cursor.message if self._cursor and self.has_focus else None

    # What keys do.

    def action_move(self, step: int) -> None:
        """To the message before or after; within a message taller than the pane by lines."""
        window = self._window
        if window is None or not window.entries:
            return
        page, top = self._page, round(self.scroll_y)
        index = next((n for n, entry in enumerate(window.entries) if entry is self._cursor), None)
        if self._cursor is None or index is None:
            self._put_cursor(self._visible(step < 0))
            return
        start, end = window.tops[index], window.tops[index + 1]
        if end <= top or start >= top + page:
            self._put_cursor(self._visible(step < 0))
            return
        hidden = end - (top + page) if step > 0 else top - start
        if hidden > 0 and end - start > page:
            self._scroll(top + step * min(hidden, 3))
        elif 0 <= index + step < len(window.entries):
            self._put_cursor(window.entries[index + step])
        else:
            self._scroll(top + step * page)

    def action_page(self, pages: int) -> None:
        """By what is visible, less one line."""
        self._scroll(round(self.scroll_y) + pages * max(self._page - 1, 1))
        if self._cursor is not None:
            self._put_cursor(self._visible(pages > 0))

    def action_oldest(self) -> None:
        """To the very first message, page by page as they come; another key, or the wheel, stops that."""
        if self._window is not None and self._window.entries:
            self._seeking = self._window.more_older
            self._scroll(0)
            self._put_cursor(self._window.entries[0])

    def go_to(self, message_seq: int) -> bool:
        """Put the cursor on a message and bring it into view; False where it is not held."""
        window = self._window
        entry = window.numbered(message_seq) if window is not None else None
        if window is None or entry is None:
            return False
        self._seeking = False
        self._set_cursor(entry)
        top = window.top_of(entry)
        if top is not None and self._begin is None:
            shown = round(self.scroll_y)
            if not shown + 2 <= top <= shown + self._page - len(entry.lines):  # with something of what is around it
                self._scroll(top - self._page // 3)
        self.refresh()
        return True

    def action_newest(self) -> None:
        """To the end."""
        window = self._window
        if window is None:
            return
        self._seeking = False
        if window.more_newer:
            self.post_message(self.NeedLatest(window.conversation.conversation_id))
            return
        self._following = True
        self._set_cursor(window.entries[-1] if window.entries and self._cursor else None)
        self._scroll(self._end)
        self.refresh()  # it may be in sight already

    def on_mount(self) -> None:
        """Reading goes on when the terminal gets the focus back."""
        self.watch(self.app, "app_focus", self.tell_read, init=False)

    def on_key(self) -> None:
        """Whoever does something else is not taken on to the first message."""
        self._seeking = False

    def on_mouse_scroll_down(self) -> None:
        """The wheel, likewise."""
        self._seeking = False

    def on_click(self, event: events.Click) -> None:
        """The pill leads to the end; a message gets the cursor."""
        offset, window = event.get_content_offset(self), self._window
        if offset is None or window is None or not window.entries:
            return
        if window.new_count and offset.y == self._page - 1 and offset.x >= self.cells - line_width([self._pill()]):
            self.action_newest()
        elif offset.y + round(self.scroll_y) < window.height:
            index, _line = window.at(offset.y + round(self.scroll_y))
            self._set_cursor(window.entries[index])
            self.refresh()

    def moved(self) -> None:
        """Other lines are visible: ask for the pages beside them, and say what was read."""
        window = self._window
        if window is None or not window.entries or self.size.height <= 0:
            return
        top, near = round(self.scroll_y), int(self._page * NEAR_SCREENS)
        conversation_id = window.conversation.conversation_id
        oldest, newest = window.oldest, window.newest
        if window.more_older and oldest and top < near and window.asked_older != oldest:
            window.asked_older = oldest
            self.post_message(self.NeedOlder(conversation_id, oldest))
        if window.more_newer and top + self._page + near > window.height and window.asked_newer != newest:
            window.asked_newer = newest
            self.post_message(self.NeedNewer(conversation_id, newest))
        self.tell_read()

    def tell_read(self) -> None:
        """Post ReadUpTo where more than before is on the screen; to be called as well when a dialog above has gone."""
        window = self._window
        if window is None or not window.entries or not self.app.app_focus or not self._on_screen():
            return
        last = round(self.scroll_y) + self._page - 1
        index, line = window.at(min(last, window.height - 1))
        if line < len(window.entries[index].lines) - 1:
            index -= 1
        while index >= 0 and not window.entries[index].message.message_seq:
            index -= 1
        seq = window.entries[index].message.message_seq if index >= 0 else 0
        if seq > window.read_told:
            window.read_told = seq
            self.post_message(self.ReadUpTo(window.conversation.conversation_id, seq))

    def _on_screen(self) -> bool:
        if self.size.height <= 0 or not self.is_attached or not self.screen.is_active:
            return False
        return all(node.display for node in self.ancestors_with_self if isinstance(node, Widget))

    def _set_cursor(self, entry: Entry | None) -> None:
        if entry is not self._cursor:
            self._cursor = entry
            self.post_message(self.CursorMoved())

    def _put_cursor(self, entry: Entry | None) -> None:
        self._set_cursor(entry)
        self.refresh()
        window = self._window
        if window is None or entry is None or (start := window.top_of(entry)) is None:
            return
        first, end = start - entry.above, start - entry.above + len(entry.lines)
        top = round(self.scroll_y)
        if end > top + self._page:
            self._scroll(min(end - self._page, first))
        elif first < top:
            self._scroll(max(first, end - self._page))
