"""What happens: the kinds of event, and the range envelope in which they travel.

An envelope is a range of a user's eventSeq, not a list of events: a range with nothing for this device still closes
the gap. A kind that this version does not know becomes Unknown and is counted.
"""

from typing import Final, Literal

import msgspec

from .models import Conversation, Group, Member, Message, ServerFacts, User
from .wire import Wire

CLOSE_RESTART: Final = 1012
"""The server goes down or restarts: come back after a random while."""
CLOSE_TRY_AGAIN: Final = 1013
CLOSE_BAD_FRAME: Final = 4400
CLOSE_UNAUTHORIZED: Final = 4401
"""Log in again."""
CLOSE_REVOKED: Final = 4403
"""This device was logged out from elsewhere: stop."""
CLOSE_NO_HELLO: Final = 4408
CLOSE_SLOW: Final = 4429
"""Took nothing for too long: come back and resume."""


class EventDevice(Wire, frozen=True, kw_only=True):
    """The device that caused something."""

    device_id: str
    name: str


class WatermarkItem(Wire, frozen=True, kw_only=True):
    """One conversation of a deletion or a clearing: where its watermarks stand now."""

    conversation_id: str
    hidden_through: int = 0
    cleared_through: int = 0


class ReadItem(Wire, frozen=True, kw_only=True):
    """How far this user has read one conversation."""

    conversation_id: str
    read_seq: int
    unread_count: int = 0
    mention_count: int = 0


class Event(Wire, frozen=True, kw_only=True, tag_field="kind"):
    """Base of the kinds; `event_seq` is contiguous within a user."""

    event_seq: int = 0


class MessageNew(Event, frozen=True, kw_only=True, tag="message.new"):
    """A message arrived in a conversation, which is listed again if it was not."""

    message: Message
    conversation: Conversation


class MessageChanged(Event, frozen=True, kw_only=True, tag="message.changed"):
    """An edit, a recall, a reaction: the whole message with its new version."""

    message: Message
    conversation: Conversation


class ConversationDeleted(Event, frozen=True, kw_only=True, tag="conversation.deleted"):
    """Conversations left the list; with clear_history_message what is under the watermarks is gone as well."""

    items: list[WatermarkItem]
    clear_history_message: bool
    operation_id: str
    batch_id: str
    undo_seconds: int = 0
    device: EventDevice


class ConversationRestored(Event, frozen=True, kw_only=True, tag="conversation.restored"):
    """A deletion or clearing was undone: the conversations as they are now."""

    conversations: list[Conversation]
    batch_id: str
    device: EventDevice


class ConversationCleared(Event, frozen=True, kw_only=True, tag="conversation.cleared"):
    """History was cleared, the rows stay."""

    items: list[WatermarkItem]
    clear_history_message: bool = True
    operation_id: str
    batch_id: str
    undo_seconds: int = 0
    device: EventDevice


class ConversationChanged(Event, frozen=True, kw_only=True, tag="conversation.changed"):
    """Flags, a name, a membership: the conversations as they are now."""

    conversations: list[Conversation]


class ConversationRead(Event, frozen=True, kw_only=True, tag="conversation.read"):
    """This user read (items), or the other side of a one-to-one did (conversation_id, peer_read_seq)."""

    items: list[ReadItem] = []
    conversation_id: str | None = None
    peer_read_seq: int = 0


class GroupChanged(Event, frozen=True, kw_only=True, tag="group.changed"):
    """A group's name, join rule, owner, muting or end."""

    group: Group
    conversation: Conversation | None = None


class MemberChanged(Event, frozen=True, kw_only=True, tag="member.changed"):
    """Somebody got another role; `what` is a TipKind. Who joins or goes is told by the tip alone: a second event for
    each member would double what it costs, and say nothing more."""

    group_id: str
    member: Member
    what: str
    conversation: Conversation | None = None


class UserChanged(Event, frozen=True, kw_only=True, tag="user.changed"):
    """A user's nick changed."""

    user: User


class UserBlocked(Event, frozen=True, kw_only=True, tag="user.blocked"):
    """This user blocked another, or does not any more."""

    user_id: str
    blocked: bool


class DeviceRevoked(Event, frozen=True, kw_only=True, tag="device.revoked"):
    """A device of this user was logged out."""

    device_id: str


class Unknown(msgspec.Struct, frozen=True, kw_only=True):
    """An event of a kind that this version does not know: counted, otherwise ignored."""

    event_seq: int
    kind: str


KnownEvent = (
    MessageNew
    | MessageChanged
    | ConversationDeleted
    | ConversationRestored
    | ConversationCleared
    | ConversationChanged
    | ConversationRead
    | GroupChanged
    | MemberChanged
    | UserChanged
    | UserBlocked
    | DeviceRevoked
)
AnyEvent = KnownEvent | Unknown

_KINDS: Final = frozenset(str(kind.__struct_config__.tag) for kind in Event.__subclasses__())


class EventRange(Wire, frozen=True, kw_only=True, tag_field="t", tag="events"):
    """Everything that happened to a user from `first` to `last` that is for this device, and the cursor after it."""

    first: int = msgspec.field(name="from")
    last: int = msgspec.field(name="to")
    cursor: str
    events: list[msgspec.Raw] = []

    def read(self) -> list[AnyEvent]:
        """The events, decoded. Raises msgspec.DecodeError where a known kind has not its shape."""
        return [decode_event(raw) for raw in self.events]


class Ephemeral(Wire, frozen=True, kw_only=True, tag_field="t", tag="ephemeral"):
    """Neither logged nor numbered: typing, presence, settings.changed (with `server`)."""

    kind: str
    conversation_id: str | None = None
    user_id: str | None = None
    online: bool | None = None
    user_id_list: list[str] | None = None
    """Of presence: those who are there when a socket is opened; who is not listed is not. Left out where nobody is."""
    server: ServerFacts | None = None


class Welcome(Wire, frozen=True, kw_only=True, tag_field="t", tag="welcome"):
    """The answer to a hello; what was missed follows."""

    server: ServerFacts


class Ping(Wire, frozen=True, kw_only=True, tag_field="t", tag="ping"):
    """Where the user's log stands now: a client that is behind asks /v1/sync."""

    event_seq: int


class Reset(Wire, frozen=True, kw_only=True, tag_field="t", tag="reset"):
    """The cursor is of no use: ask /v1/sync, which answers with the state."""

    reason: Literal["epoch", "log_too_old"]


ServerFrame = EventRange | Ephemeral | Welcome | Ping | Reset


class Hello(Wire, frozen=True, kw_only=True, tag_field="t", tag="hello", forbid_unknown_fields=True):
    """A client's first frame."""

    since: str | None = None


class Typing(Wire, frozen=True, kw_only=True, tag_field="t", tag="typing", forbid_unknown_fields=True):
    """The user types in a conversation."""

    conversation_id: str


class Pong(Wire, frozen=True, kw_only=True, tag_field="t", tag="pong", forbid_unknown_fields=True):
    """The answer to a ping."""


ClientFrame = Hello | Typing | Pong


class _Kind(msgspec.Struct, rename={"event_seq": "eventSeq"}):
    kind: str
    event_seq: int = 0


_KIND = msgspec.json.Decoder(_Kind)
_EVENT: "msgspec.json.Decoder[KnownEvent]" = msgspec.json.Decoder(KnownEvent)


def decode_event(raw: bytes | msgspec.Raw) -> AnyEvent:
    """One event; one of an unknown kind becomes Unknown. Raises msgspec.DecodeError on a known kind misshapen."""
    try:
        return _EVENT.decode(raw)
    except msgspec.ValidationError:
        head = _KIND.decode(raw)
        if head.kind in _KINDS:
            raise
        return Unknown(event_seq=head.event_seq, kind=head.kind)


def raw_event(event: Event) -> msgspec.Raw:
    """The event as it stands in a range."""
    return msgspec.Raw(msgspec.json.encode(event))
