"""The dialog before a deletion: what goes, what stays, for whom, and how long it can be undone."""

from collections.abc import Callable, Collection
from typing import ClassVar, Final

import msgspec
from rich.cells import cell_len
from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Static

from tui_chat.locale import _
from tui_chat.tui import safe
from tui_chat.tui.commands.command import Scope, dialog_bindings
from tui_chat.tui.commands.registry import in_scope
from tui_chat.tui.render.cells import wrap

from .delete_facts import DeleteFacts, DeleteLines, gone_elsewhere, lines
from .dialog import LOW_BELOW, Answer, Dialog, Frame

BESIDE_LEAST: Final = 60
"""Cells that what the switch does needs to stand beside it."""

BUTTON_ROWS: Final = 2
"""Two buttons one below the other, or side by side below an empty line."""
FRAME_ROWS: Final = 2
FRAME_CELLS: Final = 2
BESIDE_WORDS: Final = 5
"""Cells that stand beside a button's words: brackets, the spaces within, and one before them."""


class Confirmed(msgspec.Struct, frozen=True, kw_only=True):
    """What the person agreed to."""

    conversation_id_list: list[str]
    clear_history: bool


class ConfirmDelete(Dialog[Confirmed | None]):
    """Asks. Dismisses with Confirmed, or None for Cancel, or when nothing is left to delete."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *dialog_bindings(in_scope(Scope.DIALOG), ("confirm", "cancel", "toggle-clear", "choose"))
    ]
    AUTO_FOCUS = "#cancel"

    def __init__(
        self,
        conversation_id_list: list[str],
        facts_of: Callable[[list[str]], DeleteFacts],
        *,
        clear_history: bool = True,
    ) -> None:
        super().__init__()
        self._ids = conversation_id_list
        self._facts_of = facts_of
        self._facts = facts_of(conversation_id_list)
        self._clear = clear_history and self._facts.can_clear
        self._typed = ""
        self._hurried = False
        """Confirmed before the count was typed."""
        self._gone: Content | None = None

    @property
    def conversation_ids(self) -> list[str]:
        """What would be deleted now."""
        return list(self._ids)

    def compose(self) -> ComposeResult:
        said = lines(self._facts, clear_history=self._clear, key=self.app.key)
        with Frame(classes="delete"):
            with VerticalScroll(id="body", can_focus=False) as body:
                body.styles.max_height = self._body_most
                yield Static(self._text(said), id="text", markup=False)
            with Container(id="buttons"):
                yield Answer(said.cancel, id="cancel")
                yield Answer(self._agreeing(said), id="confirm", classes="" if self._ready else "-waits")

    def resized(self) -> None:
        """Lay out anew for the new size."""
        self.query_one("#body").styles.max_height = self._body_most
        self._show()

    def gone(self, conversation_ids: Collection[str], device: str | None) -> bool:
        """Some of these were deleted elsewhere meanwhile. Returns whether any was among those asked about."""
        left = [one for one in self._ids if one not in conversation_ids]
        count = len(self._ids) - len(left)
        if not count:
            return False
        self._ids = left
        if not left:
            self.dismiss(None)
            return True
        if device is not None:
            self._gone = gone_elsewhere(count, device, len(left))
        self.refresh_facts()
        return True

    def refresh_facts(self) -> None:
        """Counts, the sync switch or the time for undo are other than before."""
        if self._ids:
            self._facts = self._facts_of(self._ids)
            self._show()

    def action_confirm(self) -> None:
        """`y`, or the button: once the typed count matches, where one is asked for."""
        if self._ready:
            self.dismiss(Confirmed(conversation_id_list=list(self._ids), clear_history=self._clear))
        else:
            self._hurried = True
            self._show()

    def action_cancel(self) -> None:
        """`n`, Esc, or the button."""
        self.dismiss(None)

    def action_toggle_clear(self) -> None:
        """`c`"""
        self._clear = not self._clear and self._facts.can_clear
        self._show()

    def action_choose(self) -> None:
        """There are two buttons, so every arrow goes to the other one."""
        on_cancel = self.focused is self.query_one("#cancel")
        self.set_focus(self.query_one("#confirm" if on_cancel else "#cancel"))

    @on(Button.Pressed, "#cancel")
    def _cancel_pressed(self) -> None:
        self.action_cancel()

    @on(Button.Pressed, "#confirm")
    def _confirm_pressed(self) -> None:
        self.action_confirm()

    def on_key(self, event: events.Key) -> None:
        """Digits of the count that is asked for; pages where the text is longer than the screen."""
        if event.key in ("pageup", "pagedown"):
            body = self.query_one("#body", VerticalScroll)
            (body.scroll_page_up if event.key == "pageup" else body.scroll_page_down)(animate=False)
        elif self._facts.must_type and event.character is not None and event.character in "0123456789":
            self._typed = (self._typed + event.character)[:8]
            self._hurried = False
            # Who types the count wants to go on: Enter must not press Cancel behind it.
            self.set_focus(self.query_one("#confirm"))
            self._show()
        elif self._facts.must_type and event.key == "backspace":
            self._typed = self._typed[:-1]
            self._show()
        else:
            return
        event.stop()

    @property
    def _ready(self) -> bool:
        return not self._facts.must_type or self._typed == str(self._facts.count)

    def _text(self, said: DeleteLines) -> Content:
        return dialog_text(said, self.room, gone=self._gone, typed=self._typed, hurried=self._hurried)

    @property
    def _body_most(self) -> int:
        """Rows of the text that leave the buttons in sight. (The stylesheet's 1fr counts the buttons' rows as well.)"""
        height = self.app.size.height
        return max(height - BUTTON_ROWS - (FRAME_ROWS if height >= LOW_BELOW else 0), 1)

    def _agreeing(self, said: DeleteLines) -> Content:
        """What the button says: what becomes of the history as well, which a low screen shows nowhere else."""
        width, height = self.app.size
        room = width - BESIDE_WORDS - (FRAME_CELLS if height >= LOW_BELOW else 0)
        wordings = (said.confirm, said.confirm_briefly)
        return next((one for one in wordings if one.cell_length <= room), Content(_("Delete")))

    def _show(self) -> None:
        if self.was_closed or not self.is_mounted:
            return  # Something has changed just as it opens, which it will show, or closes.
        said = lines(self._facts, clear_history=self._clear, key=self.app.key)
        self.query_one("#text", Static).update(self._text(said))
        self.query_one("#cancel", Answer).say(said.cancel)
        confirm = self.query_one("#confirm", Answer)
        confirm.say(self._agreeing(said))
        confirm.set_class(not self._ready, "-waits")


def dialog_text(said: DeleteLines, room: int, *, gone: Content | None, typed: str, hurried: bool) -> Content:
    """The dialog's text for so many cells: side by side what fits, one below the other what does not."""
    rows = _beside(said.title.stylize("bold"), said.names.stylize("$text-muted"), room, right=True)
    rows.append(Content(""))
    gap = 3
    switch = said.switch.stylize("bold $text-accent") if said.switch is not None else None
    indent = switch.cell_length + gap if switch is not None else 0
    if switch is None:
        rows.extend(said.consequences)
    elif room - indent >= BESIDE_LEAST:
        # Wrapped here, so that what the switch does stands beside it whatever it does, and nothing jumps at a toggle.
        first, *others = [part for line in said.consequences for part in _wrapped(line, room - indent)]
        rows.append(switch + Content(" " * gap) + first)
        rows.extend(Content(" " * indent) + line for line in others)
    else:
        rows.extend([switch, *said.consequences])
    rows.append(Content(""))
    if said.among is not None and said.member is not None:
        rows.extend(_beside(said.among, said.member, room))
    else:
        rows.extend(line for line in (said.among, said.member) if line is not None)
    if said.waits is not None:
        rows.append(said.waits.stylize("bold $text-warning"))
    rows.append(said.devices)
    rows.append(said.undo)
    rows.extend(line.stylize("bold $text-warning") for line in (said.arrived, gone) if line is not None)
    if said.type_count is not None:
        rows.append(said.type_count.stylize("bold $text-warning") + Content(" ") + safe.one_line(f"{typed}▏"))
        if hurried:
            rows.append(said.not_typed.stylize("bold $text-error"))
    return Content("\n").join(rows)


def _wrapped(text: Content, cells: int) -> list[Content]:
    return [text[start:end] for start, end in wrap(text.plain, cells)]


def _beside(left: Content, right_part: Content, room: int, *, right: bool = False) -> list[Content]:
    gap = 5
    used = cell_len(left.plain) + cell_len(right_part.plain)
    if used + gap > room:
        return [left, right_part]
    return [left + Content(" " * (room - used if right else gap)) + right_part]
