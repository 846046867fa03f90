"""Alice's list as it will be, from the package alone: what a screen shows while the server is still being filled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from tui_chat.client.changes import Connection
from tui_chat.client.credentials import StoredCredentials
from tui_chat.client.early import HeadView
from tui_chat.clock import system_clock
from tui_chat.protocol import ids
from tui_chat.protocol.models import Conversation, Membership, ServerFacts

from .excerpt import ALICE, DEPARTED_AFTER, Excerpt, Talk, load, mentions_alice
from .files import DEVICE_NAMES

_AHEAD: Final = "0"
"""In place of a version: that there is a server at all, so that its switch is shown."""


def first_device() -> StoredCredentials:
    """Alice's, before a server has given it anything to sign in with."""
    return StoredCredentials(
        server_url="",
        user_id=ALICE,
        device_id="",
        device_name=DEVICE_NAMES[0],
        access_token="",
        refresh_token="",
        expires_at=0,
    )


class Preview(HeadView):
    """What is known before there is a server: every row, and that the switch is on."""

    def __init__(self, excerpt: Excerpt, *, now: int) -> None:
        """As of `now` (ms since 1970). The rows have what a list shows, and no number of messages."""
        rows = [_row(excerpt, talk, now) for talk in excerpt.talks]
        self.conversations: Mapping[str, Conversation] = {row.conversation_id: row for row in rows}
        self.stale = frozenset[str]()
        self.online = frozenset[str]()
        self.drafts: Mapping[str, str] = {}
        self.connection = Connection.CONNECTING
        self.queued = 0
        self.queue = []
        self.undoable = []
        self.server = ServerFacts(version=_AHEAD, sync_conversation_deletion=True)
        self._credentials = first_device()

    @property
    def conversation_count(self) -> int:
        """All of them."""
        return len(self.conversations)

    @property
    def device_name(self) -> str:
        """The first one's."""
        return self._credentials.device_name

    @property
    def nick(self) -> str | None:
        """Alice has none."""
        return None

    @property
    def administrator(self) -> bool:
        """Alice is."""
        return True


def preview(clock: Callable[[], int] = system_clock) -> Preview:
    """Of the packaged conversations as of now; takes some hundredths of a second."""
    return Preview(load(), now=clock())


def _row(excerpt: Excerpt, talk: Talk, now: int) -> Conversation:
    """What the list shows of it."""
    times = talk.times(now)
    if talk.group is not None:
        unread = range(len(talk.text) - talk.unread, len(talk.text))
        return Conversation(
            conversation_id=ids.group(talk.group),
            type=ids.ConversationType.GROUP,
            name=talk.name or talk.group,
            unread_count=talk.unread,
            mention_count=sum(1 for at in unread if talk.senders[at] and mentions_alice(talk.text[at])),
            pinned=talk.pinned,
            muted=talk.muted,
            membership=Membership(talk.ended or Membership.JOINED),
            time=min(now, times[-1] + DEPARTED_AFTER) if talk.ended else times[-1],
        )
    assert talk.partner is not None
    peer = excerpt.people[talk.partner]
    return Conversation(
        conversation_id=ids.c2c(peer.user_id),
        type=ids.ConversationType.C2C,
        name=peer.nick or peer.user_id,
        message_count=len(talk.text),
        unread_count=talk.unread,
        pinned=talk.pinned,
        muted=talk.muted,
        time=times[-1],
    )
