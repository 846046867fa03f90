"""A new conversation with somebody, a new group, or the way into one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Input, Static

from tui_chat.locale import N_, _
from tui_chat.protocol.errors import ChatError, GroupNotFound, InvalidName
from tui_chat.protocol.ids import c2c
from tui_chat.tui import safe
from tui_chat.tui.refusals import refusal

from .dialog import Dialog, Frame

if TYPE_CHECKING:
    from tui_chat.client.interface import Session
    from tui_chat.tui.app import ChatApp


WORD: Final = re.compile(r'([#+]?)"([^"]+)"|(\S+)')
"""One word, or several in quotes: a group's name may have spaces. Its sign stands within the quotes or before them."""


class NewConversation(Dialog[str | None]):
    """One line: `bob` writes to bob; `#name bob carol` makes a group; `+groupID` joins one, or asks to.

    Dismisses with the conversationID; None where one only asked to join.
    """

    app: ChatApp

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "close")]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._busy = False

    def compose(self) -> ComposeResult:
        with Frame():
            yield Static(Content(_("New conversation")).stylize("bold"), markup=False)
            yield Static(_hints().stylize("$text-muted"), classes="hint", markup=False)
            yield Input(id="who", compact=True)
            yield Static(id="problem", markup=False)

    def on_mount(self) -> None:
        self.query_one(Input).cursor_blink = False
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter"""
        event.stop()
        words = [sign + quoted or word for sign, quoted, word in WORD.findall(event.value)]
        if words and not self._busy:
            self._busy = True
            self.run_worker(self._create(words), group="create")

    async def _create(self, words: list[str]) -> None:
        """What was typed, done; a refusal is shown, and the text stays."""
        try:
            conversation_id = await self._open(words)
        except ChatError as error:
            self._busy = False
            if not self.was_closed:
                self.query_one("#problem", Static).update(safe.one_line(refusal(error)).stylize("$text-error"))
            return
        self.dismiss(conversation_id)

    async def _open(self, words: list[str]) -> str | None:
        first, *members = words
        if first.startswith("+"):
            return await self._join(first[1:], " ".join(members))
        if first.startswith("#"):
            if not first[1:].strip():
                raise InvalidName(N_("A group needs a name after the #."))
            answer = await self._session.create_group(first, members=members)
            return answer.conversation_id
        if (listed := c2c(first)) in self._session.conversations:
            return listed
        user = await self._session.user(first)
        return c2c(user.user_id)

    async def _join(self, group_id: str, text: str) -> str | None:
        if not group_id:
            raise GroupNotFound()
        joined = await self._session.join_group(group_id, text or None)
        if joined.status == "waiting":
            name = joined.group.name or group_id
            self.app.say(
                safe.template(_("You asked to join {group}: its owner or an administrator decides"), group=name)
            )
            return None
        return joined.conversation_id


def _hints() -> Content:
    named = Content(_("A user's name, or # and a group's name with its members: #planning bob, \"#book club\" bob"))
    joined = Content(_("+ and a group's ID joins it; what follows is for those who decide: +planning Bob sent me"))
    return Content("\n").join([named, joined])
