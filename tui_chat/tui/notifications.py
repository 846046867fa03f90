"""New messages while one looks elsewhere: a desktop notification by the terminal, and its bell. Both only if wanted.

OSC 9 (iTerm2, kitty, WezTerm, Ghostty, Windows Terminal) or OSC 777 (rxvt, foot, VTE). They travel through ssh.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from tui_chat.client.changes import Change, MessagesAdded
from tui_chat.config import NotifySettings
from tui_chat.locale import _, ngettext
from tui_chat.protocol.ids import ConversationType
from tui_chat.protocol.models import Message, MessageType

from . import safe
from .render.rows import conversation_name

if TYPE_CHECKING:
    from tui_chat.client.interface import Session

EVERY: Final = 5_000
"""Milliseconds between two notifications; what comes in between is counted in the next."""
NEWS_MOST: Final = 60_000
"""Milliseconds after which a message is none any more: what is caught up with after an absence rings no bell."""
TEXT_MOST: Final = 120


class Notifier:
    """Decides what is worth a notification; `write` gives the terminal a control sequence."""

    def __init__(
        self,
        session: Session,
        *,
        settings: Callable[[], NotifySettings],
        focused: Callable[[], bool],
        clock: Callable[[], int],
        write: Callable[[safe.Safe], None],
        environment: Mapping[str, str],
    ) -> None:
        """`focused`: whether the terminal has the focus; `clock`: milliseconds since 1970."""
        self._session = session
        self._settings = settings
        self._focused = focused
        self._clock = clock
        self._write = write
        self._rich = speaks_777(environment)
        self._last = -EVERY
        self._uncounted = 0

    def take(self, changes: Sequence[Change]) -> None:
        """What the session told."""
        settings = self._settings()
        if self._focused() or not (settings.desktop or settings.bell):
            self._uncounted = 0
            return
        found = [
            message
            for change in changes
            if isinstance(change, MessagesAdded)
            for message in change.messages
            if self._is_news(message)
        ]
        if not found:
            return
        self._uncounted += len(found)
        now = self._clock()
        if now - self._last < EVERY:
            return
        self._last = now
        if settings.desktop:
            self._write(sequence(self._words(found[-1], self._uncounted, body=settings.body), rich=self._rich))
        if settings.bell:
            self._write(safe.own("\a"))
        self._uncounted = 0

    def _is_news(self, message: Message) -> bool:
        row = self._session.conversations.get(message.conversation_id)
        return (
            row is not None
            and not row.muted
            and message.sender != self._session.user_id
            and message.type in (MessageType.TEXT, MessageType.NOTICE)
            and not message.recalled
            and self._clock() - message.time < NEWS_MOST
        )

    def _words(self, message: Message, count: int, *, body: bool) -> safe.Safe:
        """Its first words are always ours: Windows Terminal takes a text that begins with `4;` for a progress bar."""
        if count > 1:
            return safe.fill(ngettext("{count} new message", "{count} new messages", count), count=count)
        row = self._session.conversations[message.conversation_id]
        group = row.type is ConversationType.GROUP
        name = message.nick or message.sender
        if row.type is ConversationType.SYSTEM:
            return safe.own(_("New notice"))
        if body:
            text = safe.cut(safe.line(message.text), 0, TEXT_MOST)
            if group:
                return safe.fill(
                    _("New from {name} in {group}: {text}"), name=name, group=conversation_name(row), text=text
                )
            return safe.fill(_("New from {name}: {text}"), name=name, text=text)
        if group:
            return safe.fill(_("New message from {name} in {group}"), name=name, group=conversation_name(row))
        return safe.fill(_("New message from {name}"), name=name)


def speaks_777(environment: Mapping[str, str]) -> bool:
    """Whether the terminal takes OSC 777, as far as it says what it is; the others take OSC 9 or nothing."""
    return "VTE_VERSION" in environment or environment.get("TERM", "").startswith(("rxvt", "foot"))


def sequence(text: safe.Safe, *, rich: bool) -> safe.Safe:
    """What the terminal is given. The text has no controls, so it cannot end the sequence."""
    return safe.join(safe.own("\x1b]777;notify;tui-chat;" if rich else "\x1b]9;"), text, safe.own("\x1b\\"))
