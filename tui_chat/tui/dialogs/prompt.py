"""One line to type, and what was wrong with it: it stays until it is taken or left."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Input, Static

from tui_chat.protocol.errors import ChatError
from tui_chat.tui import safe
from tui_chat.tui.refusals import refusal

from .dialog import Dialog, Frame


class Prompt(Dialog[bool]):
    """Enter carries out what was typed; a refusal is shown and the text stays. Dismisses with whether it was done."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "cancel")]

    def __init__(
        self,
        question: Content,
        hint: Content,
        carry_out: Callable[[str], Awaitable[object]],
        *,
        value: str = "",
        may_be_empty: bool = False,
    ) -> None:
        """`carry_out` raises ChatError where it is refused; `value` is what stands there at first."""
        super().__init__()
        self._question = question
        self._hint = hint
        self._carry_out = carry_out
        self._value = value
        self._may_be_empty = may_be_empty
        self._busy = False

    def compose(self) -> ComposeResult:
        with Frame():
            yield Static(self._question.stylize("bold"), markup=False)
            yield Static(self._hint.stylize("$text-muted"), classes="hint", markup=False)
            yield Input(self._value, compact=True)
            yield Static(id="problem", markup=False)

    def on_mount(self) -> None:
        self.query_one(Input).cursor_blink = False
        self.query_one(Input).focus()

    def action_cancel(self) -> None:
        """Esc"""
        self.dismiss(False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter"""
        event.stop()
        typed = event.value.strip()
        if (typed or self._may_be_empty) and not self._busy:
            self._busy = True
            self.run_worker(self._try(typed), group="prompt")

    async def _try(self, typed: str) -> None:
        try:
            await self._carry_out(typed)
        except ChatError as error:
            self._busy = False
            if not self.was_closed:
                self.query_one("#problem", Static).update(safe.one_line(refusal(error)).stylize("$text-error"))
            return
        self.dismiss(True)
