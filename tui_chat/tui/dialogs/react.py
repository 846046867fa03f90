"""Which emoji to react with: the usual ones, any other by its name, or typed as it is."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import ClassVar, Final, NamedTuple

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tui_chat.locale import N_, _
from tui_chat.protocol.emoji import accept_emoji
from tui_chat.protocol.errors import InvalidEmoji
from tui_chat.protocol.models import Reaction
from tui_chat.tui import safe

from .dialog import Frame
from .list_dialog import ListDialog

USUAL: Final = (
    ("👍", N_("thumbs up, yes")),
    ("❤", N_("heart, love")),
    ("😂", N_("tears of joy, laugh")),
    ("🎉", N_("party, congratulations")),
    ("😮", N_("surprised")),
    ("😢", N_("sad")),
    ("🙏", N_("thanks, please")),
    ("👀", N_("eyes, I look at it")),
    ("✅", N_("done, check")),
    ("❌", N_("no, wrong")),
    ("🔥", N_("fire")),
    ("🤔", N_("thinking")),
    ("👏", N_("applause")),
    ("👎", N_("thumbs down, no")),
    ("🚀", N_("rocket, shipped")),
    ("☕", N_("coffee, break")),
)
HITS_MOST: Final = 40
_BLOCKS: Final = ((0x1F300, 0x1FAFF), (0x2600, 0x27BF))
"""Where Unicode keeps its pictures."""


class Choice(NamedTuple):
    """One line of the picker."""

    emoji: str
    words: str
    reaction: Reaction | None = None


def choices(typed: str, reactions: Mapping[str, Reaction], *, full: bool = False) -> list[Choice]:
    """What stands on the message first, then the usual ones, then all whose name has the words typed. `full`: no other
    emoji has room there."""
    usual = {emoji: _(words) for emoji, words in USUAL}
    wanted = typed.casefold().split()
    there = [Choice(emoji, usual.get(emoji) or _name(emoji), one) for emoji, one in reactions.items()]
    others = () if full else (Choice(emoji, words) for emoji, words in usual.items() if emoji not in reactions)
    known = [*there, *others]
    hits = [one for one in known if all(word in f"{one.words} {_name(one.emoji)}".casefold() for word in wanted)]
    try:
        emoji = accept_emoji(typed.strip())
    except InvalidEmoji:
        if wanted and not full:
            seen = {one.emoji for one in known}
            hits += [Choice(*one) for one in _named() if one[0] not in seen and all(word in one[1] for word in wanted)]
        return hits[:HITS_MOST]
    if full and emoji not in reactions:
        return []
    return [Choice(emoji, usual.get(emoji) or _name(emoji), reactions.get(emoji))]


@cache
def _named() -> Sequence[tuple[str, str]]:
    """Every picture that has a name of its own."""
    return tuple(_pictures())


def _pictures() -> Iterator[tuple[str, str]]:
    for first, last in _BLOCKS:
        for code in range(first, last + 1):
            emoji = chr(code)
            wide = unicodedata.east_asian_width(emoji) == "W"  # the others are signs of text, of doubtful width
            if wide and unicodedata.category(emoji) == "So" and (name := _name(emoji)):
                yield emoji, name


def _name(emoji: str) -> str:
    return unicodedata.name(emoji, "").lower() if len(emoji) == 1 else ""


class React(ListDialog[str | None]):
    """Enter takes the one that is highlighted. Dismisses with the emoji, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "close"), ("down", "move(1)"), ("up", "move(-1)")]

    def __init__(self, reactions: Mapping[str, Reaction], *, kinds_most: int) -> None:
        """`kinds_most`: reactions are of so many emoji at most; then one can only join in with those there are."""
        super().__init__()
        self._reactions = reactions
        self._full = len(reactions) >= kinds_most
        self._choices: list[Choice] = []

    def compose(self) -> ComposeResult:
        with Frame():
            yield Static(Content(_("React")).stylize("bold"), markup=False)
            if self._full:
                yield Static(Content(_("No other emoji has room on this message.")), markup=False)
            yield Input(compact=True, placeholder=_("An emoji, or words of its name: heart, rocket"))
            yield OptionList(id="entries", markup=False, compact=True)

    def on_mount(self) -> None:
        entries = self.query_one(OptionList)
        entries.can_focus = False
        entries.styles.height = 12
        self.query_one(Input).cursor_blink = False
        self.query_one(Input).focus()
        self._show("")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Narrow the choice with every letter."""
        event.stop()
        self._show(event.value)

    def _show(self, typed: str) -> None:
        self._choices = choices(typed, self._reactions, full=self._full)
        entries = self.query_one(OptionList)
        entries.clear_options()
        entries.add_options([Option(_line(one)) for one in self._choices])
        entries.highlighted = 0 if self._choices else None

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter"""
        event.stop()
        at = self.query_one(OptionList).highlighted
        if at is not None:
            self.dismiss(self._choices[at].emoji)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """A click"""
        event.stop()
        self.dismiss(self._choices[event.option_index].emoji)


def _line(choice: Choice) -> Content:
    said = safe.template("{emoji}  {words}", emoji=choice.emoji, words=choice.words)
    if choice.reaction is None:
        return said
    state = _("yours, Enter takes it back") if choice.reaction.mine else _("Enter joins in")
    count = safe.template("   {count} · {state}", count=str(choice.reaction.count), state=state)
    return Content.assemble(said, count.stylize("$text-accent"))
