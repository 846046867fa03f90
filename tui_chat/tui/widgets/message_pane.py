"""The messages of one conversation: what the app tells it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet

from tui_chat.protocol.models import Conversation, Message
from tui_chat.tui.render.times import Times
from tui_chat.tui.safe import line, lines

from .cursor_pane import CursorPane
from .message_window import WINDOW, MessageWindow

SLACK = 50
"""Messages that may come at the end beyond the window before the oldest are let go, so that it is not for each one."""


class MessagePane(CursorPane):
    """Shows what it is given; asks for pages by messages; says how far somebody has read."""

    DEFAULT_CSS = """
    MessagePane {
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
        .message-pane--mention-other { color: $text-accent; text-style: bold; }
        .message-pane--found { background: $warning 40%; color: $foreground; text-style: bold underline; }
        .message-pane--reaction { color: $text-muted; }
        .message-pane--reaction-own { color: $text-primary; text-style: bold; }
        .message-pane--state-sending { color: $text-muted; }
        .message-pane--state-sent { color: $text-muted; }
        .message-pane--state-read { color: $text-success; }
    }
    """

    # What the app tells.

    def show(
        self,
        conversation: Conversation,
        messages: Iterable[Message],
        *,
        more_older: bool = True,
        more_newer: bool = False,
        new_line: bool = True,
        new_after: int | None = None,
        at: int | None = None,
    ) -> None:
        """Show another conversation, or the same from other pages.

        Args:
            conversation: Whose messages they are; its readSeq says where the line "new" stands.
            messages: Sent ones oldest first, then those that wait to be sent.
            more_older: There may be older ones to ask for.
            more_newer: There are newer ones to ask for.
            new_line: Draw the line "new" before the first unread message.
            new_after: It stands after this messageSeq, whatever has been read since.
            at: The messageSeq to begin with at the top; None: the end, or the line "new" where that is farther up.
        """
        if new_after is None and new_line and conversation.unread_count > 0:
            new_after = conversation.read_seq
        self._window = MessageWindow(
            conversation,
            self._own_id,
            ends_of=self._ends_of,
            new_after=new_after,
            more_older=more_older,
            more_newer=more_newer,
        )
        self._window.add(messages)
        self._set_cursor(None)
        self._following, self._anchor = not more_newer, None
        self._seeking = False
        self._begin = (at,)
        self._clear_selection()
        self._lay_out()

    def close(self, notice: str = "") -> None:
        """Show no conversation, and say why in the words given (they may hold foreign names)."""
        self._window = None
        self._set_cursor(None)
        self._notice = lines(notice)
        self._clear_selection()
        self._lay_out()

    def prepare(self, messages: Sequence[Message]) -> Iterator[None]:
        """Get a page ready, a little at each step, before it is given to `prepend` or `extend`."""
        if self._window is not None:
            yield from self._window.prepare(messages)

    def prepend(self, messages: Iterable[Message], *, more: bool) -> None:
        """Older messages, as asked for by NeedOlder; `more`: there are still older ones."""
        if (window := self._window) is None:
            return
        had_all_new = window.holds_all_new
        window.more_older = more
        window.asked_older = 0
        if not window.add(messages) and more:
            self._seeking = False
            return  # Nothing came: to ask again at once would go on for ever; the next scrolling does.
        if self._begun_at_new and not had_all_new and window.holds_all_new:
            self._begin = (None,)  # the line "new" has moved up to its place
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

    def set_refused(self, message_seq: int, reason: str | None) -> None:
        """A change of a message was refused, and why; None: that is over."""
        if self._window is not None and (entry := self._window.numbered(message_seq)) is not None:
            entry.refused = reason
            self._lay_out()

    def set_changing(self, message_seqs: AbstractSet[int]) -> None:
        """The messages of which a change waits for the server."""
        if self._window is not None and self._window.changing != message_seqs:
            self._window.changing = frozenset(message_seqs)
            self._lay_out()

    def look_again(self) -> None:
        """More is known of what became of what the notices tell."""
        self._lay_out()

    def set_words(self, words: Sequence[str]) -> None:
        """Words that are looked for, which are shown as found wherever they stand."""
        if self._words != tuple(words):
            self._words = tuple(words)
            self._lay_out()

    def set_cut_off(self, cut_off: bool) -> None:
        """Messages that should be here are not, for want of a connection; said where there is nothing else."""
        if self._cut_off != cut_off:
            self._cut_off = cut_off
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

    def clear_through(self, message_seq: int) -> bool:
        """Messages up to there are not shown any more; whether any was."""
        if self._window is None or not self._window.remove_through(message_seq):
            return False
        self._window.more_older = False
        self._clear_selection()
        self._lay_out()
        return True

    def newer_failed(self) -> None:
        """What NeedNewer asked for did not come: the next scrolling asks again."""
        if self._window is not None:
            self._window.asked_newer = 0

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
    def held(self) -> list[Message]:
        """The messages that are held, sent ones oldest first."""
        return [entry.message for entry in self._window.entries] if self._window is not None else []

    def message(self, message_seq: int) -> Message | None:
        """A message that is held."""
        entry = self._window.numbered(message_seq) if self._window is not None else None
        return entry.message if entry is not None else None

    def waiting(self, client_id: str) -> Message | None:
        """One's own message that is not sent yet."""
        entry = self._window.waiting(client_id) if self._window is not None else None
        return entry.message if entry is not None else None

    @property
    def first_new(self) -> int | None:
        """The messageSeq under the line "new", where that is held."""
        return self._window.first_new if self._window is not None else None

    def newest_of(self, user_id: str) -> Message | None:
        """The newest message of somebody that the server has numbered."""
        entries = self._window.entries if self._window is not None else []
        sent = (entry.message for entry in reversed(entries) if entry.message.message_seq)
        return next((message for message in sent if message.sender == user_id and not message.recalled), None)

    def newest_seen(self, fits: Callable[[Message], bool]) -> Message | None:
        """The newest message that fits, of those on the screen and above."""
        if self._window is None or (last := self._visible(True)) is None:
            return None
        entries = self._window.entries
        end = next((at for at in range(len(entries), 0, -1) if entries[at - 1] is last), 0)
        return next((entry.message for entry in reversed(entries[:end]) if fits(entry.message)), None)

    @property
    def oldest_seq(self) -> int:
        """The oldest messageSeq held; 0 where none is."""
        return self._window.oldest if self._window else 0

    @property
    def newest_seq(self) -> int:
        """The newest messageSeq held; 0 where none is."""
        return self._window.newest if self._window else 0
