"""What a word that begins with @ may become: offered above the composer while one types it."""

import re
from collections.abc import Sequence
from typing import ClassVar, Final, NamedTuple

from textual.binding import BindingType
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui_chat.tui.safe import Safe

OFFERED_MOST: Final = 50

_BEGUN: Final = re.compile(r"(?:^|(?<=[\s(（,，、:：;；]))@([\w.-]*)$")
"""A name that is being typed; not the middle of a mail address."""


class Candidate(NamedTuple):
    """One way to complete the word."""

    text: str
    """What is written after the @."""
    shown: Safe


def begun(before: str) -> str | None:
    """The part of a name that stands before the cursor, without its @; None where none does."""
    match = _BEGUN.search(before)
    return match.group(1) if match is not None else None


class Completion(OptionList, can_focus=False):
    """A list that the composer moves in; it never takes the focus."""

    DEFAULT_CSS = """
    Completion {
        display: none;
        height: auto;
        max-height: 6;
        border: none;
        padding: 0 1;
        background: $panel;
        scrollbar-size-vertical: 1;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, markup=False, compact=True)
        self._candidates: list[Candidate] = []

    @property
    def open(self) -> bool:
        """Whether something is offered."""
        return bool(self._candidates)

    @property
    def current(self) -> str | None:
        """What is written where the offer is taken."""
        at = self.highlighted
        return self._candidates[at].text if at is not None and at < len(self._candidates) else None

    def offer(self, candidates: Sequence[Candidate]) -> None:
        """Show these, the first highlighted; nothing: go away."""
        if self._candidates == list(candidates):
            return
        self._candidates = list(candidates)
        self.clear_options()
        self.add_options([Option(Content(one.shown)) for one in self._candidates])
        self.highlighted = 0 if self._candidates else None
        self.display = bool(self._candidates)

    def move(self, step: int) -> None:
        """Highlight another, round and round."""
        if self._candidates:
            self.highlighted = ((self.highlighted or 0) + step) % len(self._candidates)
