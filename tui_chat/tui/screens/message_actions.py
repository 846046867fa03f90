"""What commands do with the message under the cursor: react, take back, open a link, tell all about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.app import SuspendNotSupported
from textual.content import Content

from tui_chat.locale import _
from tui_chat.locale.durations import duration
from tui_chat.protocol.errors import ServerRestored
from tui_chat.protocol.models import Membership, Message, MessageType
from tui_chat.tui import browser, safe
from tui_chat.tui.dialogs.details import MessageDetails
from tui_chat.tui.dialogs.open_link import OpenLink
from tui_chat.tui.dialogs.question import Question
from tui_chat.tui.dialogs.react import React
from tui_chat.tui.editor import terminal_given_away
from tui_chat.tui.render.formatting import links

from .sentences import remaining

if TYPE_CHECKING:
    from .conversation_pane import ConversationPane

WRITTEN: Final = (MessageType.TEXT, MessageType.CUSTOM)
"""What somebody wrote; tips and notices are the server's."""

_TAKES_PART: Final = (None, Membership.JOINED)
"""One-to-one conversations have no members."""


class MessageActions:
    """For the commands; each asks what it has to know first."""

    def __init__(self, pane: ConversationPane) -> None:
        self._pane = pane

    @property
    def message(self) -> Message | None:
        """The message under the cursor, where somebody wrote it and it was not taken back."""
        message = self._pane.messages.current_message
        return message if message is not None and message.type in WRITTEN and not message.recalled else None

    @property
    def sent_message(self) -> Message | None:
        """The same, where the server knows it."""
        message = self.message
        return message if message is not None and message.message_seq else None

    @property
    def changeable(self) -> Message | None:
        """The same, where one takes part: a server has nobody react or take back in a group that was left."""
        message = self.sent_message
        takes_part = message is not None and self._pane.row(message.conversation_id).membership in _TAKES_PART
        return message if takes_part else None

    @property
    def recallable(self) -> Message | None:
        """What can be taken back: one's own; in a group, for its owner and administrators, others' as well."""
        session, message = self._pane.session, self.changeable
        if message is None or not session.capabilities.recalls or message.sender == session.user_id:
            return message if session.capabilities.recalls else None
        return message if self._pane.row(message.conversation_id).role in ("owner", "admin") else None

    @property
    def links(self) -> list[safe.Safe]:
        """The addresses in the message under the cursor."""
        message = self.message
        return links(safe.lines(message.text)) if message is not None else []

    def details(self) -> None:
        """`v`"""
        message = self._pane.messages.current_message
        if message is not None:
            row = self._pane.row(message.conversation_id)
            self._pane.app.push_screen(MessageDetails(self._pane.session, row, message))

    def react(self) -> None:
        """`+`"""
        if (message := self.changeable) is not None:
            self._pane.app.start(self._react(message))

    async def _react(self, message: Message) -> None:
        session = self._pane.session
        most, numbering = session.server.limits.reaction_kinds, session.numbering
        emoji = await self._pane.app.push_screen_wait(React(message.reactions, kinds_most=most))
        if emoji is None:
            return
        if session.numbering != numbering:
            raise ServerRestored()
        one, seq = message.conversation_id, message.message_seq
        now = self._pane.messages.message(seq) if one == self._pane.conversation_id else None
        reaction = (now or message).reactions.get(emoji)
        change = session.unreact if reaction is not None and reaction.mine else session.react
        await change(one, seq, emoji)

    def recall(self) -> None:
        """`X`"""
        if (message := self.recallable) is not None:
            self._pane.app.start(self._recall(message))

    def time_to_recall(self, message: Message) -> int:
        """Milliseconds for which it can still be taken back; 0 or less: too late."""
        return message.time + self._pane.session.server.limits.recall_seconds * 1000 - self._pane.app.clock()

    async def _recall(self, message: Message) -> None:
        app, session = self._pane.app, self._pane.session
        left = self.time_to_recall(message)
        if left <= 0:
            time = duration(session.server.limits.recall_seconds)
            late = safe.template(_("Too late: a message can be taken back for {time}"), time=time)
            app.say(late, severity="warning")
            return
        title = safe.template(_("Take this message back from everybody? {time} left"), time=remaining(left))
        text = safe.one_line(message.text).truncate(160, ellipsis=True)
        note = Content(_("Its place stays, and says that it was taken back."))
        numbering = session.numbering
        if await app.push_screen_wait(
            Question(title, Content("\n").join([text, note]), confirm=Content(_("Take back")))
        ):
            if session.numbering != numbering:
                raise ServerRestored()
            await session.recall_message(message.conversation_id, message.message_seq)

    def open_link(self) -> None:
        """`o`"""
        if found := self.links:
            self._pane.app.start(self._open_link(found))

    async def _open_link(self, found: list[safe.Safe]) -> None:
        app = self._pane.app
        url = await app.push_screen_wait(OpenLink(found))
        if url is None:
            return
        try:
            opened = await browser.open_link(app, url, terminal_given_away(app))
        except SuspendNotSupported:
            opened = False
        if not opened:
            said = _("No browser could be started here · {key} in the question copies the link")
            app.say(safe.fill(said, key=app.key("copy")), severity="warning")
