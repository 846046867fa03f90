"""The messages of one conversation: what the app tells it, what keys do in it, and what it asks for."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message as Event
from textual.widget import Widget

from tui_chat.locale import _
from tui_chat.protocol.models import Conversation, Message
from tui_chat.tui.render.cells import line_width
from tui_chat.tui.render.messages import NICK_STYLES
from tui_chat.tui.render.times import Times
from tui_chat.tui.safe import line, lines, own

from .message_window import WINDOW, Entry, MessageWindow
from .reading_pane import ReadingPane

SLACK = 50
"""Messages that may come at the end beyond the window before the oldest are let go, so that it is not for each one."""
NEAR_SCREENS = 1.5
"""How near to an end of the window the next page is asked for."""


class MessagePane(ReadingPane):
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
        &:focus:nocolor { border: heavy $border; }
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
        self._window = MessageWindow(
            conversation, self._own_id, new_after=new_after, more_older=more_older, more_newer=more_newer
        )
        self._window.add(messages)
        self._cursor = None
        self._following, self._anchor = not more_newer, None
        self._seeking = False
        self._begin = (at,)
        self._clear_selection()
        self._lay_out()

    def close(self, notice: str | None = None) -> None:
        """Show no conversation, and say why in the words given (they may hold foreign names)."""
        self._window = None
        self._cursor = None
        self._notice = lines(notice) if notice else [own(_("Enter opens a conversation."))]
        self._clear_selection()
        self._lay_out()

    def prepend(self, messages: Iterable[Message], *, more: bool) -> None:
        """Older messages, as asked for by NeedOlder; `more`: there are still older ones."""
        if (window := self._window) is None:
            return
        window.more_older = more
        window.asked_older = 0
        if not window.add(messages) and more:
            self._seeking = False
            return  # Nothing came: to ask again at once would go on for ever; the next scrolling does.
        window.trim(0 if self._seeking else self.reading_index)
        self._clear_selection()
        self._lay_out()
        if self._seeking:
            self.action_oldest()

    def extend(self, messages: Iterable[Message], *, more: bool) -> None:
        """Newer messages, as asked for by NeedNewer; `more`: there are still newer ones."""
        if (window := self._window) is None:
            return
        window.more_newer = more
        window.asked_newer = 0
        if not window.add(messages) and more:
            return
        window.trim(self.reading_index)
        self._clear_selection()
        self._lay_out()

    def append(self, messages: Iterable[Message]) -> None:
        """Messages that just came, or one's own that wait to be sent; the latter lead to the end."""
        if (window := self._window) is None:
            return
        new = [message for message in messages if not window.update(message)]
        if not self.following:
            window.new_count += sum(1 for message in new if message.sender != self._own_id)
        if not window.more_newer:
            window.add(new)
            if self._following and len(window.entries) > WINDOW + SLACK:
                window.trim(self.reading_index)
                self._clear_selection()
        self._lay_out()
        if any(not message.message_seq for message in new):
            self.action_newest()  # Who writes wants to see it.

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
            self._window.more_older = False
            self._clear_selection()
            self._lay_out()

    def page_failed(self) -> None:
        """What NeedOlder or NeedNewer asked for did not come: the next scrolling asks again."""
        if self._window is not None:
            self._window.asked_older = self._window.asked_newer = 0
            self._seeking = False

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
        return self._following and not (self._window is not None and self._window.more_newer)

    @property
    def new_count(self) -> int:
        """Messages that came below while somebody read above."""
        return self._window.new_count if self._window else 0

    @property
    def current_message(self) -> Message | None:
        """The message under the cursor, which commands such as reply and copy are about."""
        return self._cursor.message if self._cursor and self.has_focus else None

    @property
    def oldest_seq(self) -> int:
        """The oldest messageSeq held; 0 where none is."""
        return self._window.oldest if self._window else 0

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
        self._cursor = window.entries[-1] if window.entries and self._cursor else None
        self._scroll(self._end)

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
            self._cursor = window.entries[index]
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
