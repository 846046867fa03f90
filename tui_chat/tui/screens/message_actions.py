"""What commands do with a message: react, take back, open a link, tell all about it."""

from __future__ import annotations

from collections.abc import Callable
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
from tui_chat.tui.render.messages import can_edit

from .sentences import remaining

if TYPE_CHECKING:
    from .conversation_pane import ConversationPane

WRITTEN: Final = (MessageType.TEXT, MessageType.CUSTOM)
"""What somebody wrote; tips and notices are the server's."""

_TAKES_PART: Final = (None, Membership.JOINED)
"""One-to-one conversations have no members."""


def _is_written(message: Message) -> bool:
    return message.type in WRITTEN and not message.recalled


def _is_sent(message: Message) -> bool:
    return _is_written(message) and message.message_seq > 0


class MessageActions:
    """For the commands; each asks what it has to know first."""

    def __init__(self, pane: ConversationPane) -> None:
        self._pane = pane

    @property
    def answerable(self) -> Message | None:
        """What can be answered: the message under the cursor, or else the newest, which somebody wrote, which was not
        taken back, and which the server knows."""
        return self._about(_is_sent)

    @property
    def changeable(self) -> Message | None:
        """The same, where one takes part: a server has nobody react or take back in a group that was left."""
        return self.answerable if self._takes_part else None

    @property
    def editable(self) -> Message | None:
        """What can be edited: the message under the cursor, or else the newest, of one's own."""
        return self._about(lambda message: can_edit(message, self._pane.session.user_id))

    @property
    def recallable(self) -> Message | None:
        """What can be taken back: one's own; in a group, for its owner and administrators, others' as well, where one
        of these is chosen."""
        if not self._pane.session.capabilities.recalls or not self._takes_part:
            return None
        leads = self.chosen and self._pane.row(self._pane.conversation_id or "").role in ("owner", "admin")
        own_id = self._pane.session.user_id
        return self._about(lambda message: _is_sent(message) and (leads or message.sender == own_id))

    @property
    def chosen(self) -> bool:
        """Whether a message is under the cursor."""
        return self._pane.messages.current_message is not None

    @property
    def lacks_own(self) -> bool:
        """Whether no message is chosen, and none of one's own is there: a key that is about these has to say so."""
        messages = self._pane.messages
        own = messages.newest_seen(lambda message: _is_sent(message) and message.sender == self._pane.session.user_id)
        there = messages.has_focus and messages.newest_seq > 0 and self._takes_part
        return there and not self.chosen and own is None

    @property
    def _takes_part(self) -> bool:
        open_id = self._pane.conversation_id
        return open_id is not None and self._pane.row(open_id).membership in _TAKES_PART

    def _about(self, fits: Callable[[Message], bool]) -> Message | None:
        """What a key is about: the message under the cursor, where it fits; while none is, as after Esc in the
        composer, the newest that does."""
        messages = self._pane.messages
        if (message := messages.current_message) is not None:
            return message if fits(message) else None
        return messages.newest_seen(fits) if messages.has_focus else None

    def show(self, message: Message) -> None:
        """Put the cursor on what is acted on, so that one sees which it is."""
        if not self.chosen:
            self._pane.messages.go_to(message.message_seq)

    def say_none_own(self) -> None:
        """There is none of one's own, as far as one has gone back."""
        said = _("No message of yours here · {key} goes to older ones")
        self._pane.app.say(safe.fill(said, key=self._pane.app.key("messages-move")))

    @property
    def links(self) -> list[safe.Safe]:
        """The addresses in the message under the cursor."""
        message = self._pane.messages.current_message
        return links(safe.lines(message.text)) if message is not None and _is_written(message) else []

    def details(self) -> None:
        """`v`"""
        message = self._pane.messages.current_message
        if message is not None:
            row = self._pane.row(message.conversation_id)
            self._pane.app.push_screen(MessageDetails(self._pane.session, row, message))

    def react(self) -> None:
        """`+`"""
        if (message := self.changeable) is not None:
            self.show(message)
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
            self.show(message)
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
