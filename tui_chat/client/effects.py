"""What follows from events, beside rows and watermarks: what is to be kept, purged, asked for and told."""

from typing import NamedTuple

from tui_chat.protocol import events
from tui_chat.protocol.models import Message, User


class Arrived(NamedTuple):
    """A message at the end of a conversation; `visible` is false where it lies under the watermark."""

    message: Message
    visible: bool


class Replaced(NamedTuple):
    """A message with a higher version."""

    message: Message
    visible: bool


class Removed(NamedTuple):
    """Conversations deleted by one operation; `gone` are those whose rows go, the others had something newer."""

    conversation_id_list: list[str]
    gone: list[str]
    clear_history_message: bool
    batch_id: str
    undo_seconds: int
    device: events.EventDevice


class Emptied(NamedTuple):
    """Conversations cleared by one operation, their rows stay."""

    conversation_id_list: list[str]
    batch_id: str
    undo_seconds: int
    device: events.EventDevice


class ClearedThrough(NamedTuple):
    """Nothing up to `message_seq` may be kept or shown any more."""

    conversation_id: str
    message_seq: int


class Back(NamedTuple):
    """Conversations of an undone batch; `reappeared` had no row, `reopened` have older messages again."""

    conversation_id_list: list[str]
    reappeared: list[str]
    reopened: list[str]
    batch_id: str
    device: events.EventDevice


class TurnedStale(NamedTuple):
    """Deleted on another device without word: the row is a copy."""

    conversation_id: str


class InLine(NamedTuple):
    """A stale conversation that is true again."""

    conversation_id: str


class Inexact(NamedTuple):
    """How this conversation stands cannot be told from the event alone: ask for it."""

    conversation_id: str


class Doubtful(NamedTuple):
    """Of messages of this conversation that are held the log may have left something out."""

    conversation_id: str


class PeerHasRead(NamedTuple):
    """The other side of a one-to-one has read so far."""

    conversation_id: str
    peer_read_seq: int


class Renamed(NamedTuple):
    """Somebody, perhaps oneself, has another nick."""

    user: User


class GroupTold(NamedTuple):
    """A group, or the role of one of its members, is other than before."""

    event: events.GroupChanged | events.MemberChanged


class Blocked(NamedTuple):
    """This user blocked another, or does not any more."""

    user_id: str
    blocked: bool


class DeviceGone(NamedTuple):
    """A device of this user was logged out."""

    device_id: str


Effect = (
    Arrived
    | Replaced
    | Removed
    | Emptied
    | ClearedThrough
    | Back
    | TurnedStale
    | InLine
    | Inexact
    | Doubtful
    | PeerHasRead
    | Renamed
    | Blocked
    | GroupTold
    | DeviceGone
)
