"""From a session's changes to the screen: gathered into at most about 25 posts a second.

Textual queues keys behind posted messages, so a server that talks fast would make the keyboard slow. The first change
after a quiet while goes out at once; what follows within the interval travels together. What comes in crowds is shown
eight times a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from textual.message import Message
from textual.message_pump import MessagePump

from tui_chat.client.changes import Change

if TYPE_CHECKING:
    from tui_chat.client.interface import Session

INTERVAL: Final = 0.04
"""Seconds between two posts."""
CROWD: Final = 50
"""Changes in one post from which on more of the kind are to be expected, such as of ten thousand deletions."""
CROWDED_INTERVAL: Final = 0.12
"""Seconds to the next post after such a one: drawing the list after each hundred takes longer than deleting them."""


class SessionChanged(Message, bubble=False):
    """The session said something; `bridge.take()` has it."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self.bridge = bridge


class Bridge:
    """One session's listener, on the loop that Textual runs on."""

    def __init__(self, session: Session, target: MessagePump, *, interval: float = INTERVAL) -> None:
        self.session = session
        self._target = target
        self._interval = interval
        self._pending: list[Change] = []
        self._posted = False
        """A post is under way that has not taken its changes yet: it will take these as well."""
        self._last = -CROWDED_INTERVAL - interval
        self._crowded = False
        self._timer: asyncio.TimerHandle | None = None
        self._unsubscribe: Callable[[], None] = session.subscribe(self._listen)

    def take(self) -> list[Change]:
        """What has gathered, oldest first."""
        taken, self._pending = self._pending, []
        self._posted = False
        self._crowded = len(taken) >= CROWD
        return taken

    def close(self) -> None:
        """Hear no more."""
        self._unsubscribe()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _listen(self, changes: list[Change]) -> None:
        self._pending.extend(changes)
        if self._posted or self._timer is not None:
            return
        loop = asyncio.get_running_loop()
        interval = max(self._interval, CROWDED_INTERVAL) if self._crowded else self._interval
        wait = self._last + interval - loop.time()
        if wait <= 0:
            self._post()
        else:
            self._timer = loop.call_later(wait, self._post)

    def _post(self) -> None:
        self._timer = None
        if not self._pending:
            return
        self._last = asyncio.get_running_loop().time()
        self._posted = self._target.post_message(SessionChanged(self))
