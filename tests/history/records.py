"""What is written down of a run: what people asked for and when they were answered, what their devices heard, and how
everything stood in the end.

Times are seconds on one monotonic clock. A one-to-one conversation is named from each side, as on the wire; `room_of`
gives the name that both sides share.
"""

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Act:
    """One thing that somebody asked for, under one identifier, with however many requests that took."""

    user: str
    device: str
    name: str
    """clientID or operationID; unique."""
    began: float
    """When it was asked for first."""
    ended: float | None = None
    """When it was answered for good; None: nobody knows whether it happened."""
    refused: str | None = None
    """The code of the final refusal; None where it was carried out."""

    @property
    def acknowledged(self) -> bool:
        """Whether its success was answered."""
        return self.ended is not None and self.refused is None


@dataclass(frozen=True, kw_only=True)
class Send(Act):
    """A message."""

    conversation_id: str
    message_seq: int = 0
    """As it was answered."""


@dataclass(frozen=True, kw_only=True)
class Delete(Act):
    """A deletion (it hides) or a clearing, of one batch."""

    up_to: dict[str, int]
    """By conversationID, the newest message that is meant."""
    hides: bool
    clears: bool
    batch: str
    event_seq: int = 0
    """As it was answered."""


@dataclass(frozen=True, kw_only=True)
class Restore(Act):
    """The undo of a batch."""

    batch: str


@dataclass(frozen=True, kw_only=True)
class Mark(Act):
    """A conversation is read so far."""

    conversation_id: str
    message_seq: int


@dataclass(frozen=True, kw_only=True)
class Page(Act):
    """A look at the newest messages of a conversation."""

    conversation_id: str
    seqs: tuple[int, ...] = ()
    more: bool = False
    """There are older ones that this page does not have."""


@dataclass(frozen=True, kw_only=True)
class Listing(Act):
    """A look at the whole list of conversations."""

    newest: dict[str, int]
    """newestSeq of each that is listed."""


@dataclass(frozen=True)
class Heard:
    """A range of a user's log as it came to a device."""

    at: float
    line: int
    """The connection, or the request, over which it came; unique."""
    since: int
    """The position with which that line began."""
    first: int
    last: int
    events: list[Json]


@dataclass(frozen=True)
class Stored:
    """A message as it stands in the database."""

    room: str
    seq: int
    sender: str
    client_id: str | None
    """None: the server's own, as what happened in a group."""


@dataclass
class DeviceLog:
    """Everything that a device heard, in that order."""

    user: str
    device: str
    heard: list[Heard] = field(default_factory=list)


@dataclass(frozen=True)
class Snapshot:
    """How everything stood for one user once all was quiet, asked of one server."""

    user: str
    server: str
    position: int
    rows: dict[str, Json]
    """By conversationID, as listed."""
    marks: dict[str, tuple[int, int]]
    """hiddenThrough and clearedThrough of every conversation, listed or not."""
    histories: dict[str, list[int]]
    """By conversationID, the messageSeqs of everything that can be seen."""


@dataclass(frozen=True)
class StoredLog:
    """A user's log as it stands in the database."""

    floor: int
    """Up to where it was cut off."""
    newest: int
    """How far it is counted."""
    numbers: list[int]
    """The eventSeqs that it has."""


@dataclass(frozen=True)
class History:
    """One run."""

    acts: list[Act]
    devices: list[DeviceLog]
    stored: list[Stored]
    snapshots: list[Snapshot]
    """Of each user, at least one; a device's end is held against the first."""
    members: dict[str, dict[str, int]]
    """By room, who was in it to the end, and since which message."""
    logs: dict[str, StoredLog]
    """By user."""


def room_of(user: str, conversation_id: str) -> str:
    """The name that everybody in a conversation can give it."""
    if conversation_id.startswith("C2C"):
        return "|".join(sorted((user, conversation_id.removeprefix("C2C"))))
    return conversation_id
