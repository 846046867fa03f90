"""What a session tells those who show it: typed values, delivered in batches.

A change says what became of the shown state (confirmed state and what is queued over it), never what was asked for:
one's own deletion arrives here the same way as another device's.
"""

from enum import StrEnum
from typing import Literal

import msgspec

from tui_chat.protocol.errors import ErrorBody
from tui_chat.protocol.models import Group, Member, Message, ServerFacts
from tui_chat.protocol.wire import wire_name

CommandKind = Literal["send", "edit", "recall", "react", "delete", "restore", "read", "flags", "clear"]
"""What a queued command is about."""


class Change(msgspec.Struct, frozen=True, kw_only=True, rename=wire_name):
    """Base of all changes."""


class Connection(StrEnum):
    """What the status line says of the stream."""

    OFFLINE = "offline"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    SIGNED_OUT = "signed_out"
    """The server no longer knows this device: log in again."""


class ConversationsUpdated(Change, frozen=True, kw_only=True):
    """New, or other than before: read them from `session.conversations`."""

    conversation_id_list: list[str]


class ConversationsRemoved(Change, frozen=True, kw_only=True):
    """Rows that go. `device` names the other device that deleted them; None for one's own deletion."""

    conversation_id_list: list[str]
    batch_id: str
    clear_history_message: bool
    undo_until: int
    """Milliseconds since 1970 on this machine's clock; 0 where it cannot be undone."""
    device: str | None = None
    while_away: bool = False
    """It happened while this client was not connected."""


class ConversationsHidden(Change, frozen=True, kw_only=True):
    """Rows hidden by a deletion that waits in the queue; ConversationsRemoved follows when the server confirmed."""

    conversation_id_list: list[str]
    batch_id: str


class ConversationsRestored(Change, frozen=True, kw_only=True):
    """Rows that are back after an undo (or because a queued deletion was taken back or refused)."""

    conversation_id_list: list[str]
    batch_id: str
    device: str | None = None


class HistoryCleared(Change, frozen=True, kw_only=True):
    """Messages up to `cleared_through` must not be shown any more; follows every deletion that clears, too."""

    conversation_id: str
    cleared_through: int


class HistoryRestored(Change, frozen=True, kw_only=True):
    """Messages are there again, or otherwise than they were told: load the pages anew, and what waits to be sent."""

    conversation_id: str


class MessagesAdded(Change, frozen=True, kw_only=True):
    """Messages that came at the end of a conversation, oldest first; own queued ones have message_seq 0."""

    conversation_id: str
    messages: list[Message]


class MessageUpdated(Change, frozen=True, kw_only=True):
    """A message changed (replace it where `version` is not lower), or a queued one now has its number: match by
    client_id. Changes of one's own that wait in the queue show at once, and are taken back where they are refused.
    """

    conversation_id: str
    message: Message


class SendFailed(Change, frozen=True, kw_only=True):
    """A queued message was refused and left the queue; its text can be offered again."""

    conversation_id: str
    client_id: str
    text: str
    error: ErrorBody


class PeerRead(Change, frozen=True, kw_only=True):
    """The other side of a one-to-one conversation has read up to `peer_read_seq`."""

    conversation_id: str
    peer_read_seq: int


class DraftKept(Change, frozen=True, kw_only=True):
    """A conversation with an unsent draft was deleted elsewhere; the text is offered until the pane is left."""

    conversation_id: str
    text: str


class ConversationStale(Change, frozen=True, kw_only=True):
    """Another device deleted these without telling (sync is off); what is shown is a copy."""

    conversation_id_list: list[str]


class ConnectionChanged(Change, frozen=True, kw_only=True):
    """The stream's state, and how many queued commands wait for it."""

    connection: Connection
    queued: int = 0


class ServerChanged(Change, frozen=True, kw_only=True):
    """The sync switch, the time for undo or a limit is other than before."""

    server: ServerFacts


class GroupUpdated(Change, frozen=True, kw_only=True):
    """A group's name, owner, join rule, muting or end. Who joins and goes is told by tips (MessagesAdded)."""

    group: Group


class MemberUpdated(Change, frozen=True, kw_only=True):
    """A member of a group has another role."""

    group_id: str
    member: Member


class TypingSeen(Change, frozen=True, kw_only=True):
    """Somebody types in a conversation."""

    conversation_id: str
    user_id: str


class PresenceChanged(Change, frozen=True, kw_only=True):
    """Of these it is known by now whether they are there, or no longer known: `session.online` has those who are."""

    user_id_list: list[str]


class CommandRefused(Change, frozen=True, kw_only=True):
    """A queued command other than a message was refused and left the queue."""

    what: CommandKind
    conversation_id_list: list[str]
    error: ErrorBody
    text: str = ""
    """What an edit would have written, so that it can be offered again."""


class CommandHeld(Change, frozen=True, kw_only=True):
    """The server fails at a queued command again and again: it goes on waiting, and what else is queued for its
    conversations waits behind it. `session.queue` has it; `session.drop` gives it up.
    """

    what: CommandKind
    conversation_id_list: list[str]
    error: ErrorBody


class NickChanged(Change, frozen=True, kw_only=True):
    """One's own display name is another, here or on another device."""

    nick: str | None


class BlockChanged(Change, frozen=True, kw_only=True):
    """One blocked somebody, or does so no more, here or on another device."""

    user_id: str
    blocked: bool


class StateReset(Change, frozen=True, kw_only=True):
    """The whole list was replaced (first sync, the server's data was restored, or a long absence): repaint all."""

    renumbered: bool = False
    """The server was restored from a backup: messageSeqs stand for other messages than before."""


class Notice(Change, frozen=True, kw_only=True):
    """Something a person should know that is not about one conversation, such as a cache rebuilt after damage."""

    what: Literal["cache_rebuilt", "cache_from_backup", "disk_full", "disk_failed", "cannot_connect"]
    detail: str = ""
