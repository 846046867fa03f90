"""The list of conversations: what is in it, filter, review, held order. Told by the app, tells by messages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import TYPE_CHECKING, Final

from textual.message import Message

from tui_chat.locale import _, ngettext
from tui_chat.protocol.models import Conversation
from tui_chat.tui.render.cells import Line, Piece, wrap
from tui_chat.tui.render.rows import RowState, conversation_name
from tui_chat.tui.safe import Safe, cut, fill, join, number, own
from tui_chat.tui.themes import UNICODE, Symbols

from .conversation_rows import ConversationRows
from .listing import Filter

if TYPE_CHECKING:
    from tui_chat.client.query import Query

MINUTE_MS: Final = 60_000
"""For so long what a query has found is good, where no row changes: it may ask how long ago something was."""


class ConversationList(ConversationRows):
    """Conversations, pinned first, then newest. It changes nothing by itself: what is deleted is what it is told."""

    _unknown = 0
    """Rows under those that are here, which are not read yet."""

    PREFIX = "conversation-list"
    FOCUS_SHOWS = False
    DEFAULT_CSS = """
    ConversationList {
        background: $background;
        border: round $foreground 35%;
        border-title-color: $foreground 35%;
        &:focus { border: round $border; border-title-color: $border; }
        &:focus:nocolor { border: heavy $border; }
        &.-ascii { border: ascii $foreground 35%; }
        &.-ascii:focus { border: ascii $border; }
        scrollbar-background: $background;
        scrollbar-color: $foreground 20%;
        .conversation-list--cursor { background: $panel; color: $foreground; }
        .conversation-list--marked { background: $primary 15%; color: $foreground; }
        .conversation-list--marked-cursor { background: $primary 30%; color: $foreground; }
        .conversation-list--open { background: $surface; color: $foreground; }
        .conversation-list--flash { color: $text-error; text-style: reverse strike; }
        .conversation-list--cursor-sign { color: $primary; text-style: bold; }
        .conversation-list--mark { color: $text-primary; text-style: bold; }
        .conversation-list--unread { color: $text-accent; }
        .conversation-list--sign { color: $text-secondary; }
        .conversation-list--name { color: $foreground; }
        .conversation-list--name-unread { color: $foreground; text-style: bold; }
        .conversation-list--dim { color: $text-muted; }
        .conversation-list--warning { color: $text-warning; }
        .conversation-list--error { color: $text-error; }
        .conversation-list--time { color: $text-muted; }
        .conversation-list--badge { color: $text-accent; text-style: bold; }
        .conversation-list--mention { color: $text-error; text-style: bold; }
        .conversation-list--preview { color: $text-muted; }
    }
    """

    @dataclass
    class Highlighted(Message):
        """The cursor stands on another conversation; None in an empty list."""

        conversation_id: str | None

    @dataclass
    class Opened(Message):
        """Enter, a click, or a digit."""

        conversation_id: str

    @dataclass
    class ShownChanged(Message):
        """How many are shown of how many (filter, review, arrivals), and how many changes the held order keeps back."""

        shown: int
        total: int
        newer: int

    def __init__(
        self,
        *,
        clock: Callable[[], int],
        own_id: str = "",
        symbols: Symbols = UNICODE,
        zone: tzinfo | None = None,
        flash_seconds: float = 0.4,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        """`clock` gives milliseconds since 1970; `flash_seconds` is how long a deleted row still shows."""
        super().__init__(clock=clock, own_id=own_id, symbols=symbols, zone=zone, id=id, classes=classes)
        self._flash_seconds = flash_seconds
        self._query: Query | None = None
        """What it is narrowed to; None at first, when nothing has been asked yet."""
        self._held_by_app = False
        self._came_upon: str | None = None
        """The row that the cursor is on because it came back into an empty list, and nobody went there."""
        self._nothing = own(_("No conversations yet."))
        self._said: tuple[int, int, int] = (0, 0, 0)
        self._matched: tuple[object, list[str]] | None = None
        """A query, of when it was asked, and the rows found by it: whoever marks by a query was told before Enter how
        many they are."""

    # What the app tells.

    def set_conversations(self, conversations: Mapping[str, Conversation], *, count: int | None = None) -> None:
        """The whole list anew; the mapping is kept, and `update_rows` reads it. Marks stay on what is still there.

        `count`: how many there are, where these are only the first of them.
        """
        self._unknown = max(count - len(conversations), 0) if count is not None else 0
        self._listing.set_all(conversations)
        self._states = {key: state for key, state in self._states.items() if key in conversations}
        if self._marks.forget([key for key in self._marks.marked if key not in conversations]):
            self.announce_marks()
        self._strips.clear()
        self._show_rows()

    def update_rows(self, conversation_ids: Iterable[str]) -> None:
        """These are new or other than before; those that are no longer in the mapping go."""
        self._came_upon = None
        changed, gone = self._listing.update(conversation_ids)
        for key in changed:
            if self._states.get(key, (RowState.NORMAL, ""))[0] is RowState.FLASH:
                del self._states[key]
        if gone:
            self._drop(gone)
        self._show_rows()

    def remove_rows(self, conversation_ids: Iterable[str], *, flash: bool = False) -> None:
        """These go; with `flash` they show for a moment that they do."""
        leaving = [key for key in conversation_ids if key in self._listing]
        if not leaving:
            return
        if self._marks.forget(leaving):
            self.announce_marks()
        if flash and self._flash_seconds > 0 and self.is_mounted:
            for key in leaving:
                self._states[key] = (RowState.FLASH, "")
            self.refresh()
            self.set_timer(self._flash_seconds, lambda: self._end_flash(leaving))
        else:
            self._drop(leaving)
            self._show_rows()

    def restore_rows(self, conversation_ids: Iterable[str]) -> None:
        """These are back: in their place at once, even while the order is held.

        Where the list was empty the cursor is on the first of them, in however many pieces they come.
        """
        nobody_chose = self.cursor_key in (None, self._came_upon)
        restored = self._listing.restore(conversation_ids)
        for key in restored:
            self._states.pop(key, None)
        self._show_rows()
        if nobody_chose:
            self.go_to(0)
            self._came_upon = self.cursor_key

    def hold_order(self, held: bool) -> None:
        """A dialog is open, or no longer: meanwhile no row changes its place."""
        self._held_by_app = held
        self._show_rows()

    def say_nothing(self, why: Safe) -> None:
        """Why there is no row, where there is none."""
        if why != self._nothing:
            self._nothing = why
            self.refresh()

    # What it can be asked.

    @property
    def targets(self) -> list[str]:
        """What a command is about, in the list's order: what is marked, or the row under the cursor."""
        if self._marks.marked:
            return self._listing.in_order(self._marks.marked)
        return [self.cursor_key] if self.cursor_key is not None else []

    @property
    def filter_text(self) -> str:
        """The query that the list is narrowed to."""
        return self._query.text if self._query is not None else ""

    def matching(self, query: Query) -> list[str]:
        """Those of the rows shown that a query is true of, in order; worked out once for as long as no row changes."""
        asked = (query.text, self._clock() // MINUTE_MS, self._drafts, self._stale, self._own_id)
        if self._matched is None or self._matched[0] != asked:
            self._matched = (asked, self._listing.matching(self._test(query)))
        return self._matched[1].copy()

    def found(self, query: Query) -> list[str]:
        """Those of all conversations, shown or not, that a query is true of."""
        return self._listing.found(self._test(query))

    @property
    def reviewing(self) -> bool:
        """Whether only what was marked is shown."""
        return self._listing.only is not None

    @property
    def shown_count(self) -> int:
        """Rows shown."""
        return len(self.rows)

    @property
    def height(self) -> int:
        """Rows, with those under them that are not read yet."""
        return len(self.rows) + self._unknown

    # What keys do; the app binds them.

    def clear_marks(self) -> int:
        """Unmark all, take reasons away and leave the review; how many marks there were."""
        self.clear_failed()
        self._listing.only = None
        return super().clear_marks()

    def toggle_review(self) -> None:
        """=: show only what is marked, or all again. A row unmarked meanwhile stays until then."""
        if self._listing.only is not None:
            self._listing.only = None
        elif self._marks.marked:
            self._listing.only = self._marks.marked
        self._show_rows(narrowing=True)

    def set_filter(self, query: Query) -> None:
        """Show only what a query is true of. A cursor whose row goes is on the first."""
        before = self.cursor_key
        self._query = query
        self._listing.set_filter(None if query.empty else self._test(query))
        self._show_rows(narrowing=True)
        if self._listing.filtered and self.cursor_key != before:
            self.go_to(0)

    def clear_filter(self) -> bool:
        """Show all again; whether there was a filter."""
        from tui_chat.client.query import EVERYTHING  # whoever filters has loaded it; a first frame has not

        had = self._listing.filtered
        self.set_filter(EVERYTHING)
        return had

    def open_nth(self, number: int) -> None:
        """1 to 9: open the n-th row."""
        if 1 <= number <= len(self.rows):
            self.go_to(number - 1)
            self.action_choose()

    # What is said of it.

    def empty_line(self, y: int, cells: int) -> Line:
        """What stands there instead of rows."""
        text = self._symbols.word(own(_("Nothing matches.")) if self._listing.filtered else self._nothing)
        lines = wrap(text, max(cells - 4, 4))
        if not 1 <= y <= len(lines):
            return []
        return [Piece(join(own("   "), cut(text, *lines[y - 1])), "dim")]

    def forget_strips(self) -> None:
        """Colours changed."""
        super().forget_strips()
        self._retitle()

    def announce_highlight(self, key: str | None) -> None:
        """The cursor is elsewhere."""
        self.post_message(self.Highlighted(key))

    def announce_choice(self, key: str) -> None:
        """A conversation is to be opened."""
        self.post_message(self.Opened(key))

    def listed(self, keys: Iterable[str]) -> list[str]:
        """Those that are conversations of the list, shown or not."""
        return self._listing.known(keys)

    def marks_changed(self, key: str | None = None) -> None:
        """The order is held while anything is marked."""
        super().marks_changed(key)
        self._show_rows(narrowing=True)

    # Within.

    def _test(self, query: Query) -> Filter:
        """The question whether a query is true of a row. Drafts and copies are asked for when it is put."""
        matches = query.matches
        asked = _Asked(self, self._clock())

        def test(conversation: Conversation) -> bool:
            asked.conversation = conversation
            return matches(asked)

        return test

    def _end_flash(self, keys: Iterable[str]) -> None:
        self._drop([key for key in keys if self._states.get(key, (RowState.NORMAL, ""))[0] is RowState.FLASH])
        self._show_rows()

    def _drop(self, keys: Iterable[str]) -> None:
        gone = list(keys)
        self._listing.discard(gone)
        for key in gone:
            self._states.pop(key, None)
            self._strips.pop(key, None)
        if self._marks.forget(gone):
            self.announce_marks()

    def _show_rows(self, *, narrowing: bool = False) -> None:
        self._matched = None
        self._listing.hold(self._held_by_app or bool(self._marks.marked))
        rows = self._listing.rows()
        if rows is not self.rows:
            if self._marks.in_range:
                self.end_range()
            self.set_rows(rows)
        elif not narrowing:
            self.refresh()
        said = (len(rows), len(self._listing), self._listing.newer)
        if said != self._said:
            self._said = said
            self.post_message(self.ShownChanged(*said))
        self._retitle()

    def _retitle(self) -> None:
        shown, total = len(self.rows), len(self._listing) + self._unknown
        count = (
            fill(_("{shown} of {total}"), shown=number(shown), total=number(total)) if self.narrowed else number(total)
        )
        if self._listing.newer:
            held = ngettext("order held · {count} newer", "order held · {count} newer", self._listing.newer)
            count = fill(self._symbols.word(held), count=self._listing.newer)
        self.frame(own(_("Marked") if self.reviewing else _("Conversations")), count, self._symbols)

    @property
    def narrowed(self) -> bool:
        """Whether a filter or the review hides some."""
        return self._listing.filtered or self._listing.only is not None


class _Asked:
    """The row that a query is asked about; a `query.Subject`. One object for all of them, one after the other."""

    __slots__ = ("_list", "conversation", "now")

    conversation: Conversation

    def __init__(self, asking: ConversationList, now: int) -> None:
        self._list = asking
        self.now = now

    @property
    def own_id(self) -> str:
        """Whose list it is."""
        return self._list._own_id

    @property
    def name(self) -> str:
        """What words are looked for in."""
        return self.conversation.name or conversation_name(self.conversation)

    @property
    def draft(self) -> bool:
        """Whether an unsent text waits there."""
        return self.conversation.conversation_id in self._list._drafts

    @property
    def stale(self) -> bool:
        """Whether it is a copy of what another device deleted."""
        return self.conversation.conversation_id in self._list._stale
