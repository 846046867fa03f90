"""The messages of one conversation, drawn line by line; the text that one reads never moves by itself.

The reading position is (message, line), not an offset: older pages, arrivals, removals and resizing keep it. At the
end the pane follows what comes; elsewhere it counts it ("12 new").
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import tzinfo
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message as Event
from textual.selection import Selection
from textual.strip import Strip
from textual.widget import Widget

from tui_chat.locale import _, ngettext
from tui_chat.protocol.models import Conversation, Message
from tui_chat.tui.render.cells import Piece, line_width, spaces, wrap
from tui_chat.tui.render.messages import NICK_STYLES, MessageStyle
from tui_chat.tui.render.rows import conversation_name
from tui_chat.tui.render.times import Times
from tui_chat.tui.safe import Safe, cut, fill, join, line, lines, own
from tui_chat.tui.themes import UNICODE, Symbols

from .message_window import Entry, MessageWindow
from .painting import Painted
from .selecting import highlight, selected_text

NEAR_SCREENS = 1.5
"""How near to an end of the window the next page is asked for."""


class MessagePane(Painted, can_focus=True):
    """Shows what it is given; asks for pages by messages; says how far somebody has read."""

    PREFIX = "message-pane"
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"message-pane--{name}"
        for name in (
            *("cursor", "cursor-sign", "time", "nick-own", "day", "new", "tip", "dim", "error", "quote", "pill"),
            *("code", "bold", "italic", "link", "bullet", "mention", "notice"),
            *("state-sending", "state-sent", "state-read"),
            *(f"nick{number}" for number in range(NICK_STYLES)),
        )
    }
    DEFAULT_CSS = """
    MessagePane {
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
        &.-ascii { border: ascii $foreground 35%; }
        &.-ascii:focus { border: ascii $border; }
        .message-pane--cursor { background: $panel; color: $foreground; }
        .message-pane--cursor-sign { color: $primary; text-style: bold; }
        .message-pane--time { color: $text-muted; }
        .message-pane--nick-own { color: $foreground; text-style: bold; }
        .message-pane--nick0 { color: $text-primary; }
        .message-pane--nick1 { color: $text-secondary; }
        .message-pane--nick2 { color: $text-accent; }
        .message-pane--nick3 { color: $text-success; }
        .message-pane--nick4 { color: $text-warning; }
        .message-pane--day { color: $text-muted; }
        .message-pane--new { color: $text-accent; text-style: bold; }
        .message-pane--tip { color: $text-muted; text-style: italic; }
        .message-pane--dim { color: $text-muted; }
        .message-pane--error { color: $text-error; }
        .message-pane--quote { color: $text-muted; }
        .message-pane--pill { background: $primary; color: $text; text-style: bold; }
        .message-pane--code { color: $text-warning; }
        .message-pane--bold { color: $foreground; text-style: bold; }
        .message-pane--italic { color: $foreground; text-style: italic; }
        .message-pane--link { color: $text-primary; text-style: underline; }
        .message-pane--bullet { color: $text-accent; }
        .message-pane--mention { color: $text-accent; text-style: bold reverse; }
        .message-pane--notice { color: $text-muted; }
        .message-pane--state-sending { color: $text-muted; }
        .message-pane--state-sent { color: $text-muted; }
        .message-pane--state-read { color: $text-success; }
    }
    """
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

    def __init__(
        self,
        *,
        clock: Callable[[], int],
        own_id: str = "",
        symbols: Symbols = UNICODE,
        zone: tzinfo | None = None,
        name_of: Callable[[str], str] = str,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        """`clock` gives milliseconds since 1970; `name_of` turns a userID into what is shown for it in tips."""
        super().__init__(id=id, classes=classes)
        self._clock = clock
        self._zone = zone
        self._own_id = own_id
        self._symbols = symbols
        self._name_of = name_of
        self._times = Times(clock(), zone)
        self._window: MessageWindow | None = None
        self._notice: list[Safe] = [own(_("Enter opens a conversation."))]
        self._notice_lines: list[Safe] = []
        self._following = True
        self._anchor: tuple[Entry, int] | None = None
        """While not following: the first visible message and which of its lines is the first."""
        self._adjusting = False
        self._laid = Size(0, 0)
        self._generation = 0
        self._more_older = False
        self._more_newer = False
        self._asked_older = 0
        self._asked_newer = 0
        self._new_count = 0
        self._read_said = 0
        self._cursor: Entry | None = None
        self._note = own("")
        self._begin: tuple[int | None] | None = None
        """Where `show` wants to begin, until there is a size to begin in."""
        self.set_class(symbols.ascii, "-ascii")

    # What the app tells.

    def show(
        self,
        conversation: Conversation,
        messages: Iterable[Message],
        *,
        own_id: str | None = None,
        more_older: bool = True,
        more_newer: bool = False,
        new_line: bool = True,
        at: int | None = None,
    ) -> None:
        """Show another conversation, or the same from other pages.

        Args:
            conversation: Whose messages they are; its readSeq says where the line "new" stands.
            messages: Sent ones oldest first, then those that wait to be sent.
            own_id: The reader's userID, where it was not given before.
            more_older: There may be older ones to ask for.
            more_newer: There are newer ones to ask for.
            new_line: Draw the line "new" before the first unread message.
            at: The messageSeq to begin with at the top; None: the end, or the line "new" where that is farther up.
        """
        if own_id is not None:
            self._own_id = own_id
        unread = conversation.unread_count > 0
        new_after = conversation.read_seq if new_line and unread else None
        self._window = MessageWindow(conversation, self._own_id, new_after=new_after)
        self._window.add(messages)
        self._more_older, self._more_newer = more_older, more_newer
        self._asked_older = self._asked_newer = 0
        self._new_count = 0
        self._read_said = conversation.read_seq
        self._cursor = None
        self._following, self._anchor = not more_newer, None
        self._begin = (at,)
        self._clear_selection()
        self._lay_out()

    def close(self, notice: str | None = None) -> None:
        """Show no conversation, and say why in the words given (they may hold foreign names)."""
        self._window = None
        self._cursor = None
        self._new_count = 0
        self._notice = lines(notice) if notice else [own(_("Enter opens a conversation."))]
        self._clear_selection()
        self._lay_out()

    def prepend(self, messages: Iterable[Message], *, more: bool) -> None:
        """Older messages, as asked for by NeedOlder; `more`: there are still older ones."""
        if (window := self._window) is None:
            return
        self._more_older = more
        self._asked_older = 0
        if not window.add(messages) and more:
            return  # Nothing came: to ask again at once would go on for ever; the next scrolling does.
        if not self._following and window.trim_bottom():
            self._more_newer = True
        self._clear_selection()
        self._lay_out()

    def extend(self, messages: Iterable[Message], *, more: bool) -> None:
        """Newer messages, as asked for by NeedNewer; `more`: there are still newer ones."""
        if (window := self._window) is None:
            return
        self._more_newer = more
        self._asked_newer = 0
        if not window.add(messages) and more:
            return
        if window.trim_top():
            self._more_older = True
        self._clear_selection()
        self._lay_out()

    def append(self, messages: Iterable[Message]) -> None:
        """Messages that just came, or one's own that wait to be sent."""
        if (window := self._window) is None:
            return
        came = list(messages)
        if self._more_newer:
            known = [message for message in came if window.find(message)]
            window.add(known)
            self._new_count += sum(1 for message in came if message.sender != self._own_id) - len(known)
        else:
            added = window.add(came)
            if not self._following:
                self._new_count += sum(1 for entry in added if entry.message.sender != self._own_id)
            elif window.trim_top():
                self._more_older = True
                self._clear_selection()
        self._lay_out()

    def update_message(self, message: Message) -> None:
        """A message is other than before, or one's own was sent."""
        if self._window is not None and self._window.update(message):
            self._lay_out()

    def set_failed(self, client_id: str, reason: str) -> None:
        """One's own message was not sent, and why."""
        if self._window is not None and (entry := self._window.waiting(client_id)) is not None:
            entry.failed = reason
            self._lay_out()

    def remove_waiting(self, client_id: str) -> None:
        """One's own message that was not sent is gone (sent anew, or given up)."""
        if self._window is not None and (entry := self._window.waiting(client_id)) is not None:
            self._window.entries.remove(entry)
            self._lay_out()

    def set_peer_read(self, peer_read_seq: int) -> None:
        """The other side has read up to there."""
        if self._window is not None and peer_read_seq > self._window.peer_read_seq:
            self._window.peer_read_seq = peer_read_seq
            self._lay_out()

    def clear_through(self, message_seq: int) -> None:
        """Messages up to there are not shown any more."""
        if self._window is not None and self._window.remove_through(message_seq):
            self._more_older = False
            self._clear_selection()
            self._lay_out()

    def page_failed(self) -> None:
        """What NeedOlder or NeedNewer asked for did not come: the next scrolling asks again."""
        self._asked_older = self._asked_newer = 0

    def set_note(self, note: str) -> None:
        """What stands at the right of the title, such as who is typing (it may hold foreign names)."""
        self._note = line(note)
        self._retitle()

    def set_conversation(self, conversation: Conversation) -> None:
        """The conversation is other than before (read marks, membership); the messages stay."""
        if self._window is not None and conversation.conversation_id == self._window.conversation.conversation_id:
            self._window.conversation = conversation
            self.set_peer_read(conversation.peer_read_seq)
            self._retitle()

    def refresh_times(self) -> None:
        """The day may have changed: write the separators anew."""
        self._times = Times(self._clock(), self._zone)
        self._generation += 1
        self._lay_out()

    # What it can be asked.

    @property
    def conversation_id(self) -> str | None:
        """What is shown."""
        return self._window.conversation.conversation_id if self._window else None

    @property
    def following(self) -> bool:
        """Whether it stands at the end and moves on with what comes."""
        return self._following and not self._more_newer

    @property
    def new_count(self) -> int:
        """Messages that came below while somebody read above."""
        return self._new_count

    @property
    def current_message(self) -> Message | None:
        """The message under the cursor, which commands such as reply and copy are about."""
        return self._cursor.message if self._cursor else None

    @property
    def newest_seq(self) -> int:
        """The newest messageSeq held; 0 where none is."""
        return self._window.newest if self._window else 0

    # What keys do.

    def action_move(self, step: int) -> None:
        """To the message before or after; within a message taller than the pane by lines."""
        window = self._window
        if window is None or not window.entries:
            return
        page, top = self._page, round(self.scroll_y)
        if self._cursor is None:
            self._put_cursor(self._visible(step < 0))
            return
        start = window.top_of(self._cursor)
        index = next((n for n, entry in enumerate(window.entries) if entry is self._cursor), None)
        if start is None or index is None:
            self._put_cursor(self._visible(step < 0))
            return
        end = window.tops[index + 1]
        hidden = end - (top + page) if step > 0 else top - (start - self._cursor.above)
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
        """To the oldest message held; older ones are asked for."""
        if self._window is not None and self._window.entries:
            self._scroll(0)
            self._put_cursor(self._window.entries[0])

    def action_newest(self) -> None:
        """To the end."""
        if self._window is None:
            return
        if self._more_newer:
            self.post_message(self.NeedLatest(self._window.conversation.conversation_id))
            return
        self._following = True
        self._cursor = self._window.entries[-1] if self._window.entries and self._cursor else None
        self._scroll(self._end)

    # How it is drawn.

    def line_strip(self, y: int) -> Strip:
        """One line of what is visible."""
        cells = self.size.width
        window = self._window
        if window is None or not window.entries:
            return self._notice_strip(y, cells)
        at = y + round(self.scroll_y)
        if at >= window.height:
            strip = self.paint([], "", cells)
        else:
            index, line = window.at(at)
            strip = self._entry_strip(window.entries[index], line, cells)
            if (selection := self.text_selection) is not None and (span := selection.get_span(at)) is not None:
                strip = highlight(strip, span, self.screen.get_component_rich_style("screen--selection"))
            strip = strip.apply_offsets(0, at)
        if self._new_count and y == self._page - 1:
            pill = self._pill()
            width = line_width([pill])
            if width < cells:
                strip = Strip.join([strip.crop(0, cells - width), self.paint([pill], "", width)])
        return strip

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
        if self._window is not None:
            for entry in self._window.entries:
                entry.strips.clear()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Somebody scrolls: remember where; ask for pages; say what was read."""
        super().watch_scroll_y(old_value, new_value)
        if not self._adjusting and self._laid == self.size:
            self._remember()

    def on_resize(self, event: events.Resize) -> None:
        """Another size: the first visible line stays the first."""
        self._lay_out()

    def on_mount(self) -> None:
        """Reading goes on when the terminal gets the focus back."""
        self.watch(self.app, "app_focus", self._say_read, init=False)

    def on_focus(self) -> None:
        """The cursor shows."""
        self.refresh()

    def on_blur(self) -> None:
        """The cursor does not show."""
        self._cursor = None
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """The pill leads to the end; a message gets the cursor."""
        offset = event.get_content_offset(self)
        if offset is None or self._window is None or not self._window.entries:
            return
        if self._new_count and offset.y == self._page - 1 and offset.x >= self.size.width - line_width([self._pill()]):
            self.action_newest()
        elif offset.y + round(self.scroll_y) < self._window.height:
            index, _line = self._window.at(offset.y + round(self.scroll_y))
            self._cursor = self._window.entries[index]
            self.refresh()

    # Within.

    @property
    def _page(self) -> int:
        return max(self.scrollable_content_region.height, 1)

    @property
    def _end(self) -> int:
        return max((self._window.height if self._window else 0) - self._page, 0)

    def _lay_out(self) -> None:
        """Make the lines, and put the reader where the reader was."""
        self._retitle()
        self._laid = self.size
        cells = self.size.width
        window = self._window
        self._notice_lines = []
        if cells <= 0:
            return
        if window is None or not window.entries:
            for text in self._notice if window is None else [self._empty_text()]:
                self._notice_lines += [cut(text, start, end) for start, end in wrap(text, max(cells - 4, 4))]
            self.virtual_size = Size(0, 0)
            self.refresh()
            return
        style = MessageStyle(cells - 1, self._symbols, self._times, self._own_id, self._name_of)
        window.lay_out(style, self._generation)
        self._adjusting = True
        if window.height != self.virtual_size.height:
            self.virtual_size = Size(0, window.height)
        if self._begin is not None:
            top = self._beginning(self._begin[0])
            self._begin = None
            self._following = not self._more_newer and top >= self._end
        else:
            top = self._end if self._following else self._anchor_line()
        self.scroll_to(y=top, animate=False, force=True)
        self._adjusting = False
        if not self._following:
            self._keep_anchor()
        self.refresh()
        self._after_move()

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
        self._following = not self._more_newer and round(self.scroll_y) >= self._end - 1
        if self._following:
            self._anchor = None
            if self._new_count:
                self._new_count = 0
                self.refresh()
        else:
            self._keep_anchor()
        self._after_move()

    def _after_move(self) -> None:
        window = self._window
        if window is None or not window.entries or self.size.height <= 0:
            return
        top, near = round(self.scroll_y), int(self._page * NEAR_SCREENS)
        conversation_id = window.conversation.conversation_id
        oldest, newest = window.oldest, window.newest
        if self._more_older and oldest and top < near and self._asked_older != oldest:
            self._asked_older = oldest
            self.post_message(self.NeedOlder(conversation_id, oldest))
        if self._more_newer and top + self._page + near > window.height and self._asked_newer != newest:
            self._asked_newer = newest
            self.post_message(self.NeedNewer(conversation_id, newest))
        self._say_read()

    def _say_read(self) -> None:
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
        if seq > self._read_said:
            self._read_said = seq
            self.post_message(self.ReadUpTo(window.conversation.conversation_id, seq))

    def _on_screen(self) -> bool:
        if self.size.height <= 0 or not self.is_attached or not self.screen.is_current:
            return False
        return all(node.display for node in self.ancestors_with_self if isinstance(node, Widget))

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

    def _put_cursor(self, entry: Entry | None) -> None:
        self._cursor = entry
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

    def _entry_strip(self, entry: Entry, line: int, cells: int) -> Strip:
        under = entry is self._cursor and self.has_focus and line >= entry.above
        kept = entry.strips.get((line, under))
        if kept is None:
            sign = Piece(self._symbols.cursor if under else own(" "), "cursor-sign")
            kept = self.paint([sign, *entry.lines[line].pieces], "cursor" if under else "", cells)
            entry.strips[line, under] = kept
        return kept

    def _notice_strip(self, y: int, cells: int) -> Strip:
        at = y - 1
        text = self._notice_lines[at] if 0 <= at < len(self._notice_lines) else own("")
        return self.paint([Piece(spaces(2)), Piece(text, "notice")], "", cells)

    def _empty_text(self) -> Safe:
        if self._more_older and self._window is not None and self._window.conversation.message_count:
            return self._symbols.word(_("Loading…"))
        return own(_("No messages here."))

    def _pill(self) -> Piece:
        text = fill(ngettext("{count} new", "{count} new", self._new_count), count=self._new_count)
        return Piece(join(own(" "), text, own(" "), self._symbols.down, own(" ")), "pill")

    def _clear_selection(self) -> None:
        if self.is_attached and self.text_selection is not None:
            self.screen.clear_selection()
