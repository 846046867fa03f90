"""The messages that a pane holds, laid out in lines: pure. A window of the history, not all of it."""

import sys
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Final

from tui_chat.protocol.ids import ConversationType
from tui_chat.protocol.models import Conversation, Message, MessageType
from tui_chat.tui.render.messages import (
    NO_END,
    MessageLine,
    MessageStyle,
    OwnState,
    Shown,
    message_lines,
    separator_count,
)
from tui_chat.tui.safe import Safe

WINDOW: Final = 500
"""Messages held at most; what is farther from the reader is let go and asked for again.

Measured: laying out, as a resize does, takes 0.1 ms a message."""

PREPARED_AT_ONCE: Final = 5
"""Messages whose lines are made at one go while somebody scrolls."""


EndsOf = Callable[[Sequence[Message]], Mapping[int, Safe]]
"""What became of the applications that notices tell of, by messageSeq."""


class Entry:
    """One message in the pane."""

    __slots__ = ("day", "failed", "laid", "lines", "message", "refused", "shown")

    def __init__(self, message: Message) -> None:
        self.message = message
        self.failed: str | None = None
        """Why it was not sent."""
        self.refused: str | None = None
        """Why a change of it was refused."""
        self.day = 0
        """The day's number; 0 while it is not known."""
        self.laid: object = None
        """The layout for which its lines were made."""
        self.shown: Shown | None = None
        self.lines: list[MessageLine] = []

    @property
    def above(self) -> int:
        """Lines of separators over the message's first one."""
        return separator_count(self.shown) if self.shown else 0


class MessageWindow:
    """Entries in order (sent ones by messageSeq, then those that wait to be sent) and where their lines are."""

    def __init__(
        self,
        conversation: Conversation,
        own_id: str,
        *,
        ends_of: EndsOf | None = None,
        new_after: int | None = None,
        more_older: bool = False,
        more_newer: bool = False,
    ) -> None:
        """What a window shows.

        Arguments:
            ends_of: asked for the system's notices alone.
            new_after: the line "new" stands before the first message of others above this messageSeq.
        """
        self.conversation = conversation
        self.own_id = own_id
        self.entries: list[Entry] = []
        self.tops: list[int] = [0]
        """The line on which each entry begins, and after the last one the number of lines."""
        self.peer_read_seq = conversation.peer_read_seq
        self.more_older = more_older
        """There are older ones, which are not held."""
        self.more_newer = more_newer
        self.asked_older = 0
        """The oldest messageSeq held when older ones were asked for; 0 when nothing is under way."""
        self.asked_newer = 0
        self.new_count = 0
        """Messages that came below while somebody read above."""
        self.changing: frozenset[int] = frozenset()
        """messageSeqs of those of which a change waits for the server."""
        self._ends_of = ends_of
        self._ends: Mapping[int, Safe] = {}
        self.read_told = conversation.read_seq
        """How far the app was told that somebody has read."""
        self._new_after = new_after
        self.first_new: int | None = None
        """The messageSeq above which the line "new" stands."""
        self._layout: tuple[MessageStyle, int] | None = None
        self._ahead: dict[int, Entry] = {}
        """By messageSeq: entries whose lines are made before they are added."""

    @property
    def height(self) -> int:
        """Lines in all."""
        return self.tops[-1]

    @property
    def oldest(self) -> int:
        """The first messageSeq; 0 where none is sent."""
        return self.entries[0].message.message_seq if self.entries else 0

    @property
    def newest(self) -> int:
        """The last messageSeq; 0 where none is sent."""
        return next((e.message.message_seq for e in reversed(self.entries) if e.message.message_seq), 0)

    @property
    def holds_all_new(self) -> bool:
        """Whether what stands under the line "new" is all here, so that the line moves up no more."""
        return self._new_after is None or not self.more_older or 0 < self.oldest <= self._new_after + 1

    def add(self, messages: Iterable[Message]) -> list[Entry]:
        """Take messages in, wherever they belong; one that is there already is replaced by a higher version.

        Returns:
            The entries that are new.
        """
        added: list[Entry] = []
        for message in messages:
            if self.update(message):
                continue
            entry = self._ahead.pop(message.message_seq, None)
            if entry is None or entry.message != message:
                entry = Entry(message)
            entry.message = message
            if not message.message_seq:
                self.entries.append(entry)
            else:
                at = bisect_left(self.entries, message.message_seq, key=_place)
                self.entries.insert(at, entry)
            added.append(entry)
        return added

    def update(self, message: Message) -> bool:
        """Put another version in a message's place, or the sent one in that of its echo; False where it is not here."""
        entry = self.find(message)
        if entry is None:
            return False
        before = entry.message
        if before.message_seq and message.version < before.version:
            return True
        entry.message = message
        entry.failed = None
        if message.version > before.version:
            entry.refused = None
        if not before.message_seq and message.message_seq:
            self.entries.remove(entry)
            self.entries.insert(bisect_left(self.entries, message.message_seq, key=_place), entry)
        return True

    def find(self, message: Message) -> Entry | None:
        """The entry that is this message: by messageSeq, or one's own waiting one by clientID."""
        if message.message_seq and (entry := self.numbered(message.message_seq)) is not None:
            return entry
        return self.waiting(message.client_id) if message.sender == self.own_id else None

    def numbered(self, message_seq: int) -> Entry | None:
        """The entry of a messageSeq."""
        at = bisect_left(self.entries, message_seq, key=_place)
        held = at < len(self.entries) and self.entries[at].message.message_seq == message_seq
        return self.entries[at] if held else None

    def waiting(self, client_id: str) -> Entry | None:
        """One's own message that is not sent yet."""
        for entry in reversed(self.entries):
            if entry.message.message_seq:
                return None
            if entry.message.client_id == client_id:
                return entry
        return None

    def remove_through(self, message_seq: int) -> int:
        """Let go of everything sent up to there; how many there were."""
        kept = [entry for entry in self.entries if not 0 < entry.message.message_seq <= message_seq]
        gone = len(self.entries) - len(kept)
        self.entries = kept
        return gone

    def trim(self, near: int) -> None:
        """Keep WINDOW entries around the one at that index, and note on which side others were let go.

        Own ones that wait to be sent go as well; whoever shows the end anew gives them again.
        """
        if len(self.entries) <= WINDOW:
            return
        start = min(max(near - WINDOW // 2, 0), len(self.entries) - WINDOW)
        self.more_older = self.more_older or start > 0
        self.more_newer = self.more_newer or start + WINDOW < len(self.entries)
        self.entries = self.entries[start : start + WINDOW]

    def prepare(self, messages: Sequence[Message]) -> Iterator[None]:
        """Make the lines of a page that is to be added, some messages at each step: whoever scrolls is drawn between.

        What it cannot know, such as which day the message before the page is of, `lay_out` puts right.
        """
        self._ahead.clear()
        if self._layout is None:
            return
        style, _generation = self._layout
        by_seq = {message.message_seq: message for message in messages}
        day = 0
        for number, message in enumerate(messages):
            entry = Entry(message)
            entry.day = style.times.ordinal(message.time)
            self._make_lines(entry, style, new_day=entry.day != day, quoted=by_seq.get(message.reply_to or 0))
            entry.laid = self._layout
            day = entry.day
            self._ahead[message.message_seq] = entry
            if number % PREPARED_AT_ONCE == PREPARED_AT_ONCE - 1:
                yield

    def lay_out(self, style: MessageStyle, generation: int = 0) -> None:
        """Make the lines of what changed; of everything when the style or the generation is another."""
        if self._layout != (style, generation):
            self._layout = (style, generation)
        layout = self._layout
        day = 0
        self._find_first_new()
        if self._ends_of is not None and self.conversation.type is ConversationType.SYSTEM:
            self._ends = self._ends_of([entry.message for entry in self.entries])
        by_seq = {entry.message.message_seq: entry.message for entry in self.entries}
        for entry in self.entries:
            message = entry.message
            fresh = entry.laid is not layout
            if fresh:
                entry.laid = layout
                entry.day = style.times.ordinal(message.time)
            new_day, day = entry.day != day, entry.day
            quoted = by_seq.get(message.reply_to) if message.reply_to else None
            if fresh or not self._is_laid_out(entry, new_day=new_day, quoted=quoted):
                self._make_lines(entry, style, new_day=new_day, quoted=quoted)
        self.tops = list(accumulate((len(entry.lines) for entry in self.entries), initial=0))

    def _make_lines(self, entry: Entry, style: MessageStyle, *, new_day: bool, quoted: Message | None) -> None:
        entry.shown = Shown(
            message=entry.message,
            state=self._state(entry),
            reason=entry.failed or "",
            quoted=quoted,
            new_day=new_day,
            first_new=entry.message.message_seq == self.first_new,
            refused=entry.refused or "",
            end=self._ends.get(entry.message.message_seq, NO_END),
        )
        entry.lines = message_lines(entry.shown, style)

    def _is_laid_out(self, entry: Entry, *, new_day: bool, quoted: Message | None) -> bool:
        """Whether its lines say what is so."""
        shown = entry.shown
        return (
            shown is not None
            and shown.message is entry.message
            and shown.quoted is quoted
            and shown.new_day is new_day
            and shown.first_new is (entry.message.message_seq == self.first_new)
            and shown.state is self._state(entry)
            and shown.reason == (entry.failed or "")
            and shown.refused == (entry.refused or "")
            and shown.end == self._ends.get(shown.message.message_seq, NO_END)
        )

    def at(self, line: int) -> tuple[int, int]:
        """The entry's index and the line within it, of a line of the whole; the last one's past the end."""
        index = min(max(bisect_right(self.tops, line) - 1, 0), len(self.entries) - 1)
        return index, line - self.tops[index]

    def top_of(self, entry: Entry) -> int | None:
        """The line on which the entry's message begins, under its separators; None where it is gone."""
        for index, other in enumerate(self.entries):
            if other is entry:
                return self.tops[index] + entry.above
        return None

    def _state(self, entry: Entry) -> OwnState:
        message = entry.message
        if message.sender != self.own_id or message.type is not MessageType.TEXT:
            return OwnState.NONE
        if entry.failed is not None:
            return OwnState.FAILED
        if not message.message_seq or message.message_seq in self.changing:
            return OwnState.SENDING
        one_to_one = self.conversation.type is ConversationType.C2C
        return OwnState.READ if one_to_one and message.message_seq <= self.peer_read_seq else OwnState.SENT

    def _find_first_new(self) -> None:
        """The line "new" stands above the first message of others that is held; higher up once older pages are here."""
        if self._new_after is None or not self.entries:
            return
        if self.first_new is not None and self.oldest >= self.first_new:
            return  # it is the first one held, or was let go
        after = self._new_after
        found = (one.message for one in self.entries if one.message.message_seq > after)
        self.first_new = next((one.message_seq for one in found if one.sender != self.own_id), None)


def _place(entry: Entry) -> int:
    return entry.message.message_seq or sys.maxsize
