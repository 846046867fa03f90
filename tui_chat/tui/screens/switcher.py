"""Ctrl+G: go to a conversation by some letters of its name."""

from __future__ import annotations

from collections.abc import Mapping
from heapq import nsmallest
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from tui_chat.locale import _
from tui_chat.protocol.ids import ConversationType
from tui_chat.protocol.models import Conversation
from tui_chat.tui import safe
from tui_chat.tui.dialogs.dialog import Frame
from tui_chat.tui.dialogs.list_dialog import ListDialog
from tui_chat.tui.render.rows import conversation_name

HITS_MOST: Final = 50


def matches(conversations: Mapping[str, Conversation], typed: str) -> list[Conversation]:
    """The best hits: names that begin with the words first, then those that hold them, newest first."""
    words = typed.casefold().split()

    def rank(row: Conversation) -> tuple[int, int, str]:
        name = conversation_name(row).casefold()
        begins = not words or name.startswith(words[0]) or name.lstrip("#").startswith(words[0].lstrip("#") or words[0])
        return (0 if begins else 1, -row.time, row.conversation_id)

    found = (row for row in conversations.values() if all(word in _names(row) for word in words))
    return nsmallest(HITS_MOST, found, key=rank)


def _names(row: Conversation) -> str:
    """What it is found by: how it is shown, and its userID or groupID; the system's conversation in English, too."""
    system = row.type is ConversationType.SYSTEM
    return f"{conversation_name(row)} {'system' if system else row.conversation_id.removeprefix(row.type)}".casefold()


class Switcher(ListDialog[str | None]):
    """Dismisses with the conversationID, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape,ctrl+g", "close"),
        ("down,ctrl+n", "move(1)"),
        ("up", "move(-1)"),
    ]

    def __init__(self, conversations: Mapping[str, Conversation]) -> None:
        super().__init__()
        self._conversations = conversations

    def compose(self) -> ComposeResult:
        with Frame(classes="tall"):
            yield Input(compact=True, placeholder=_("Go to: some letters of a name"))
            yield OptionList(id="entries", markup=False, compact=True)

    def on_mount(self) -> None:
        self.query_one(OptionList).can_focus = False
        self.query_one(Input).cursor_blink = False
        self.query_one(Input).focus()
        self._show("")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Narrow the hits with every letter."""
        self._show(event.value)

    def _show(self, typed: str) -> None:
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options([Option(_line(row), id=row.conversation_id) for row in matches(self._conversations, typed)])
        options.highlighted = 0 if options.option_count else None

    def on_input_submitted(self) -> None:
        """Enter"""
        options = self.query_one(OptionList)
        if options.highlighted is not None:
            self.dismiss(options.get_option_at_index(options.highlighted).id)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """A click"""
        self.dismiss(event.option_id)


def _line(row: Conversation) -> Content:
    name = Content(conversation_name(row))
    if not row.unread_count:
        return name
    return Content.assemble(name, safe.template("  {count}", count=str(row.unread_count)).stylize("bold $text-accent"))
