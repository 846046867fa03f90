"""One line for the words that are looked for in the open conversation."""

from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input

from tui_chat.locale import _


class FindBar(Vertical):
    """Reads the words; to look for them is its owner's business."""

    DEFAULT_CSS = """
    FindBar {
        display: none;
        height: 1;
        Input { height: 1; padding: 0 1; background: $surface; }
    }
    """

    @dataclass
    class Asked(Message):
        """Enter."""

        words: str

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._input = Input(compact=True, placeholder=_("Words in this conversation; Enter looks for them"))
        self._input.cursor_blink = False  # A blinking cursor is a timer that never rests.

    def compose(self) -> ComposeResult:
        yield self._input

    def open(self, words: str = "") -> None:
        """Show it with these words, which the next key replaces, and give it the focus."""
        self._input.value = words
        self._input.select_all()
        self.display = True
        self._input.focus()

    def close(self) -> None:
        """Away with it."""
        self.display = False

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Asked(event.value.strip()))

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
