"""Where a message is written: Enter sends, Ctrl+J makes a new line; what is pasted is made harmless and capped."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from textual import events, on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Offset
from textual.message import Message
from textual.widgets import TextArea
from textual.widgets.text_area import EditResult, Location

from tui_chat.locale import _
from tui_chat.protocol.limits import TEXT_BYTES
from tui_chat.protocol.text import clean_text
from tui_chat.tui.safe import number, one_line, template
from tui_chat.tui.themes import UNICODE, Symbols

from .completion import Candidate, Completion, begun

BESIDE_TITLE: Final = 6
"""Cells of the frame's line that stand beside its title."""


class Composer(TextArea):
    """One to six lines of text. `TextArea.Changed`: the draft is another; `Submitted`: it is to be sent."""

    DEFAULT_CSS = """
    Composer {
        height: auto;
        min-height: 3;
        max-height: 8;
        padding: 0 1;
        background: $background;
        border: round $foreground 35%;
        border-title-color: $text-warning;
        border-subtitle-color: $text-warning;
        scrollbar-size-vertical: 1;
        &:focus { border: round $border; }
        &:focus:nocolor { border: heavy $border; }
        &.-ascii { border: ascii $foreground 35%; }
        &.-ascii:focus { border: ascii $border; }
        & .text-area--placeholder { color: $text-muted; }
        & .text-area--cursor-line { background: $background; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Send", show=False, id="composer.send"),
        Binding("ctrl+j,shift+enter", "new_line", "New line", show=False, id="composer.new_line"),
        Binding("ctrl+underscore", "undo", "Undo", show=False, id="composer.undo"),
    ]

    @dataclass
    class Submitted(Message):
        """Enter was pressed on something that can be seen; the composer is empty by now."""

        text: str

    @dataclass
    class Cut(Message):
        """Of what was pasted so many bytes did not fit and were left out."""

        left_out: int

    @dataclass
    class Scrolled(Message):
        """The reader wants to see other messages without leaving here: so many pages further down."""

        pages: int

    class EditLast(Message):
        """Up, where nothing is written: the reader wants to change what was written last."""

    def __init__(
        self,
        *,
        symbols: Symbols = UNICODE,
        most_bytes: int = TEXT_BYTES,
        bell: Callable[[], None] | None = None,
        complete: Callable[[str], Sequence[Candidate]] | None = None,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        """Where one writes.

        Arguments:
            most_bytes: of UTF-8, the server's limit.
            bell: rung when something does not fit.
            complete: what a name begun with @ may become; shown in `completion`, which its owner puts on the screen.
        """
        super().__init__(
            soft_wrap=True,
            tab_behavior="focus",
            show_line_numbers=False,
            highlight_cursor_line=False,
            id=id,
            classes=classes,
        )
        self._symbols = symbols
        self._most_bytes = most_bytes
        self._bell = bell
        self._complete = complete
        self.completion = Completion()
        self._declined: Location | None = None
        """Where the word stands that nothing is to be offered for any more."""
        self._given = ""
        """The text as it was put in; nothing is offered for that before somebody has typed."""
        self._cut = False
        self._reason: Content | None = None
        self.cursor_blink = False  # A blinking cursor is a timer that never rests.
        self.set_class(symbols.ascii, "-ascii")
        self._say_hint()

    @property
    def blocked(self) -> bool:
        """Whether nothing can be written here."""
        return self._reason is not None

    def set_blocked(self, reason: str | None) -> None:
        """Say why nothing can be written (not a member, read only); None: it can. What was written stays, to be copied
        and erased."""
        self._reason = one_line(reason) if reason else None
        self.set_class(self.blocked, "-blocked")
        self._say_hint()

    def check_consume_key(self, key: str, character: str | None = None) -> bool:
        """Textual: whether a key that has a command is a letter here. Where nothing can be written none is."""
        return not self.blocked and super().check_consume_key(key, character)

    def set_draft(self, text: str) -> None:
        """Put a text in place of what is there, the cursor at its end; it posts Changed like typing does."""
        self._given = self._capped(clean_text(text), 0)
        self.load_text(self._given)
        self.move_cursor(self.document.end)

    def replace_all(self, text: str) -> int:
        """Put in a text that was written elsewhere; returns how many bytes of it did not fit."""
        cleaned = clean_text(text)
        self.set_draft(cleaned)
        return len(cleaned.encode()) - len(self.text.encode())

    def action_submit(self) -> None:
        """Enter."""
        text = clean_text(self.text).strip()
        if self.blocked or not text:
            return
        self.set_draft("")
        self.post_message(self.Submitted(text))

    def action_new_line(self) -> None:
        """Ctrl+J, and Shift+Enter where the terminal can tell."""
        self._replace_via_keyboard("\n", *self.selection)
        self.scroll_cursor_visible()

    def action_cursor_page_up(self) -> None:
        """PgUp: what is written here is short, what one answers to is not."""
        self.post_message(self.Scrolled(-1))

    def action_cursor_page_down(self) -> None:
        """PgDn"""
        self.post_message(self.Scrolled(1))

    def action_cursor_up(self, select: bool = False) -> None:
        """Up; with nothing written, to what was written last."""
        if self.text or select:
            super().action_cursor_up(select)
        else:
            self.post_message(self.EditLast())

    def scroll_cursor_visible(self, center: bool = False, animate: bool = False) -> Offset:
        """Textual: undoing takes lines away, and with them the scroll bar, before it puts the cursor where there are
        lines; to look for it until then raises."""
        if self.cursor_location[0] >= self.document.line_count:
            return Offset()
        return super().scroll_cursor_visible(center, animate)

    async def _on_key(self, event: events.Key) -> None:
        # Textual runs TextArea's own handler after this one, which would insert a line break.
        if event.key in ("enter", "ctrl+j", "shift+enter"):
            event.prevent_default()
        if event.key in ("tab", "enter", "up", "down", "escape") and self._choose(event.key):
            event.prevent_default()
            event.stop()

    def _choose(self, key: str) -> bool:
        """A key for what is offered; False where it has its usual meaning."""
        self.look()  # The message that the text is another may stand behind this key.
        chosen, typed = self.completion.current, self._begun()
        if chosen is None or typed is None:
            return False
        if key in ("up", "down"):
            self.completion.move(1 if key == "down" else -1)
        elif key == "escape":
            self._declined = self._begins(typed)
            self.completion.offer([])
        elif key == "enter" and chosen.casefold() == typed.casefold():
            return False  # It is written out: Enter sends.
        else:
            self.completion.offer([])
            self._replace_via_keyboard(f"@{chosen} ", self._begins(typed), self.cursor_location)
        return True

    def look(self) -> None:
        """Offer what the word before the cursor may become; to be called again where more is known."""
        typed = self._begun() if self.has_focus and not self.blocked else None
        if typed is None:
            self._declined = None
        elif self.text == self._given:
            typed = None
        wanted = typed is not None and self._complete is not None and self._declined != self._begins(typed)
        self.completion.offer(self._complete(typed) if wanted and typed is not None and self._complete else [])

    def _begun(self) -> str | None:
        line, column = self.cursor_location
        return begun(self.document.get_line(line)[:column]) if self.selection.is_empty else None

    def _begins(self, typed: str) -> Location:
        line, column = self.cursor_location
        return line, column - len(typed) - 1

    @on(TextArea.SelectionChanged)
    def _cursor_moved(self) -> None:
        self.look()

    def on_blur(self) -> None:
        """What is offered is offered to who writes."""
        self.look()

    def _replace_via_keyboard(self, insert: str, start: Location, end: Location) -> EditResult | None:
        """Every way in for typed and pasted text: harmless, and no more than fits."""
        cleaned = clean_text(insert)
        if self.blocked and cleaned:
            if self._bell is not None:
                self._bell()
            return None
        replaced = len(self.get_text_range(*sorted((start, end))).encode())
        fitting = self._capped(cleaned, len(self.text.encode()) - replaced)
        if fitting != cleaned and self._bell is not None:
            self._bell()
        self._cut = fitting != cleaned
        if self._cut and len(cleaned) > 1:  # A single character is a key: "full" in the frame says enough.
            self.post_message(self.Cut(len(cleaned.encode()) - len(fitting.encode())))
        self._say_size()
        return super()._replace_via_keyboard(fitting, start, end) if fitting or start != end else None

    def _capped(self, text: str, used: int) -> str:
        room = max(self._most_bytes - used, 0)
        data = text.encode()
        return text if len(data) <= room else data[:room].decode(errors="ignore")

    @on(TextArea.Changed)
    def _text_changed(self) -> None:
        self._say_size()
        if self.blocked:
            self._say_hint()  # the reason stands in the title while there is a text
        self.look()

    def _say_size(self) -> None:
        used = len(self.text.encode())
        cut = self._cut and used + 4 > self._most_bytes
        if cut or used * 10 > self._most_bytes * 9:
            said = _("{used} of {most} bytes: full") if cut else _("{used} of {most} bytes")
            self.border_subtitle = template(said, used=number(used), most=number(self._most_bytes))
        elif self.border_subtitle:
            self._cut = False
            self.border_subtitle = None

    def on_resize(self) -> None:
        """The hint fits on one line."""
        self._say_hint()

    def _say_hint(self) -> None:
        hint = Content(self._symbols.word(_("Write a message…  Enter sends · Ctrl+J new line")))
        if hint.cell_length > self.content_size.width:
            hint = Content(self._symbols.word(_("Write a message…")))
        self.placeholder = self._reason if self._reason is not None else hint
        self.border_title = self._title() if self._reason is not None and self.text else None
        if self._reason is not None and not self.text:
            self.styles.min_height = self.gutter.height + self._reason.get_height({}, max(self.content_size.width, 1))
        elif self.styles.inline.clear_rule("min_height"):
            self.refresh(layout=True)

    def _title(self) -> Content:
        """Why nothing can be written, above what was: whole, or as much of it as says so by itself."""
        reason = self._reason or Content("")
        whole = reason.cell_length <= self.size.width - BESIDE_TITLE
        return reason if whole else Content(self._symbols.word(_("Nothing can be written here.")))
