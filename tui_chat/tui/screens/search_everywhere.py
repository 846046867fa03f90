"""Ctrl+F: words in all conversations, looked for while one types."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tui_chat.locale import _, ngettext
from tui_chat.protocol.errors import ChatError
from tui_chat.protocol.ids import ConversationType, parse_conversation_id
from tui_chat.protocol.models import Message
from tui_chat.tui import safe
from tui_chat.tui.dialogs.dialog import Dialog, Frame
from tui_chat.tui.refusals import refusal
from tui_chat.tui.render.cells import Piece
from tui_chat.tui.render.formatting import highlighted
from tui_chat.tui.render.rows import conversation_name
from tui_chat.tui.render.times import Times

if TYPE_CHECKING:
    from tui_chat.client.interface import Session

QUIET: Final = 0.25
"""Seconds without a key after which the server is asked."""
SCROLLBAR: Final = 2
FOUND_MOST: Final = 500
"""Rows that are listed; who wants more gives another word."""
CALLS_MOST: Final = 20
"""A server looks at a stretch of history in one call, and may find nothing in it."""


class Place(NamedTuple):
    """A message, to be opened."""

    conversation_id: str
    message_seq: int


class SearchEverywhere(Dialog[Place | None]):
    """Enter opens the conversation at the message that is highlighted; on the last row it asks for older ones."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape,ctrl+f", "close"),
        ("down,ctrl+n", "move(1)"),
        ("up", "move(-1)"),
        ("pagedown", "move(10)"),
        ("pageup", "move(-10)"),
    ]

    def __init__(self, session: Session, *, clock: Callable[[], int], words: str = "") -> None:
        super().__init__()
        self._session = session
        self._times = Times(clock())
        self.words = words
        """What was typed last."""
        self._found: list[Message] = []
        self._next: str | None = None
        self._here_only = False
        """The server cannot be asked: this is what is on this machine."""
        self._timer: Timer | None = None
        self._asked = 0
        """Counts the questions, so that an answer to an older one is left."""

    def compose(self) -> ComposeResult:
        with Frame(classes="tall"):
            yield Input(self.words, compact=True, placeholder=_("Words in all conversations"))
            yield OptionList(id="entries", markup=False, compact=True)
            yield Static(id="said", markup=False)

    def on_mount(self) -> None:
        self.query_one(OptionList).can_focus = False
        typed = self.query_one(Input)
        typed.cursor_blink = False
        typed.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Once nothing more is typed, look for it."""
        event.stop()
        self.words = event.value.strip()
        self._asked += 1
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(QUIET, self._ask) if self.words else None
        if not self.words:
            self._take([], None)

    def _ask(self) -> None:
        self._timer = None
        self._say(Content(_("Looking…")))
        self.run_worker(self._look(self._asked, None), group="search", exclusive=True)

    async def _look(self, asked: int, cursor: str | None) -> None:
        found = self._found if cursor is not None else []
        try:
            for _call in range(CALLS_MOST):
                answer = await self._session.search(self.words, cursor=cursor)
                self._here_only = answer.here_only
                if answer.messages or answer.next is None:
                    break
                cursor = answer.next
        except ChatError as error:
            if asked == self._asked and not self.was_closed:
                self._take(found, None)
                self._say(safe.one_line(refusal(error)).stylize("$text-error"))
            return
        if asked == self._asked and not self.was_closed:
            self._take([*found, *answer.messages], answer.next)

    def _take(self, found: list[Message], following: str | None) -> None:
        """Show what was found; the cursor stays on its row while older ones are added."""
        self._found, self._next = found[:FOUND_MOST], following if len(found) < FOUND_MOST else None
        entries = self.query_one(OptionList)
        at = entries.highlighted or 0
        words = self.words.split()
        entries.clear_options()
        entries.add_options([Option(self._line(message, words)) for message in self._found])
        if self._next is not None and self._found:
            entries.add_options([Option(Content(_("Older ones…")).stylize("$text-accent"))])
        entries.highlighted = min(at, entries.option_count - 1) if entries.option_count else None
        if not self.words:
            self._say(Content(""))
        elif self._found:
            count = f"{len(self._found):,}" + ("+" if self._next is not None else "")
            self._say(safe.template(self._found_said(len(self._found)), count=count).stylize("$text-muted"))
        elif self._here_only:
            nothing = Content(_("Nothing found on this machine; the server cannot be asked now"))
            self._say(nothing.stylize("$text-warning"))
        else:
            self._say(Content(_("Nothing found")).stylize("$text-muted"))

    def _found_said(self, number: int) -> str:
        if self._here_only:
            return ngettext(
                "{count} message on this machine alone (no connection) · Enter opens",
                "{count} messages on this machine alone (no connection) · Enter opens",
                number,
            )
        return ngettext("{count} message · Enter opens", "{count} messages · Enter opens", number)

    def _line(self, message: Message, words: list[str]) -> Content:
        """When, where, who, and what of it fits with the words in it."""
        row = self._session.conversations.get(message.conversation_id)
        name = conversation_name(row) if row is not None else parse_conversation_id(message.conversation_id).target
        mine = message.sender == self._session.user_id
        alone = row is not None and row.type is ConversationType.C2C and not mine
        head = safe.template(
            "{time}  {name}: " if alone else "{time}  {name}  {who}: ",
            time=self._times.short(message.time),
            name=safe.one_line(name, "bold"),
            who=_("you") if mine else message.nick or message.sender,
        )
        room = self.room - SCROLLBAR
        before = max(min(BEFORE, (room - head.cell_length) // 4), 0)
        pieces = highlighted([Piece(_around(message.text, words, before))], words)
        said = Content.assemble(head, *((text, "bold $text-warning" if style else "") for text, style in pieces))
        return said.truncate(room)

    def resized(self) -> None:
        """Each on one line of the new width."""
        if self._found:
            self._take(self._found, self._next)

    def _say(self, text: Content) -> None:
        self.query_one("#said", Static).update(text)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter"""
        event.stop()
        at = self.query_one(OptionList).highlighted
        if at is not None:
            self._choose(at)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """A click"""
        event.stop()
        self._choose(event.option_index)

    def _choose(self, at: int) -> None:
        if at < len(self._found):
            self.dismiss(Place(self._found[at].conversation_id, self._found[at].message_seq))
        elif self._next is not None:
            self._say(Content(_("Looking…")))
            self.run_worker(self._look(self._asked, self._next), group="search", exclusive=True)

    def action_move(self, step: int) -> None:
        """Up and down while typing."""
        entries = self.query_one(OptionList)
        if entries.option_count:
            entries.highlighted = min(max((entries.highlighted or 0) + step, 0), entries.option_count - 1)


BEFORE: Final = 30
"""Characters at most before the first word that are shown of a long text."""


def _around(text: str, words: list[str], before: int) -> safe.Safe:
    """One line of a text, from a little before the first of the words."""
    folded = text.casefold()
    places = [at for word in words if (at := folded.find(word.casefold())) >= 0]
    start = max(min(places, default=0) - before, 0) if len(folded) == len(text) else 0
    return safe.line(("…" if start else "") + text[start : start + 300])
