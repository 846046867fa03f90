"""What there is: messages, conversations, users, groups, devices, settings.

The wire form and the form in memory are one. Times are milliseconds since 1970 in UTC, as the server's clock has them.

Of those with `gc=False` there are ten thousands: they hold nothing that could hold them again, so that the garbage
collector need not look at them (measured: 50 instead of 80 ms until an account of 10,000 rows is open).
"""

from enum import StrEnum
from typing import Any, Literal

import msgspec

from .ids import ConversationType
from .limits import UNDO_SECONDS_DEFAULT, Limits
from .wire import Wire


class MessageType(StrEnum):
    """`tip`: what happened in a group, in the group; `notice`: the system's, in @TIM#SYSTEM; `custom`: for programs."""

    TEXT = "text"
    TIP = "tip"
    NOTICE = "notice"
    CUSTOM = "custom"


class Membership(StrEnum):
    """How the reader stands to a group; all but JOINED can read what they saw and cannot send."""

    JOINED = "joined"
    LEFT = "left"
    KICKED = "kicked"
    DISMISSED = "dismissed"


class TipKind(StrEnum):
    """What a tip or a notice tells. A kind of a newer server is read as OTHER: its text says it."""

    CREATED = "created"
    JOINED = "joined"
    INVITED = "invited"
    QUIT = "quit"
    KICKED = "kicked"
    DISMISSED = "dismissed"
    TRANSFERRED = "transferred"
    RENAMED = "renamed"
    ROLE = "role"
    MUTED = "muted"
    UNMUTED = "unmuted"
    APPLIED = "applied"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    JOIN_RULE = "joinRule"
    OTHER = "other"

    @classmethod
    def _missing_(cls, value: object) -> "TipKind":
        return cls.OTHER


class Tip(Wire, frozen=True, kw_only=True):
    """The facts of a tip or notice, so that a client can say them in its reader's language; `text` has the English."""

    what: TipKind
    operator: str
    """userID of who did it."""
    user_id_list: list[str] = []
    """Whom it befell; where they are very many, the first of them."""
    user_count: int = 0
    """How many they are, where not all of them are listed."""
    group_id: str | None = None
    name: str | None = None
    """The group's name at that time, or the new one."""
    role: str | None = None
    """Of ROLE: the one given, admin or member."""
    join: Literal["free", "approval", "closed"] | None = None
    """Of JOIN_RULE: the new rule."""
    text: str | None = None
    """Of APPLIED: what the applicant wrote."""


class Reaction(Wire, frozen=True, kw_only=True):
    """Who reacted to a message with one emoji."""

    count: int
    user_id_list: list[str] = []
    """Those who did so first, at most limits.REACTION_USERS."""
    mine: bool = False
    """Whether the reader is among them, listed or not."""


class Message(Wire, frozen=True, kw_only=True, gc=False):
    """One message as one reader sees it: the conversationID is named from that reader's side."""

    conversation_id: str
    message_seq: int
    """Contiguous within the conversation, from 1."""
    client_id: str
    version: int = 1
    """Counted up by every change; the higher one wins, however it arrives."""
    sender: str = msgspec.field(name="from")
    time: int
    type: MessageType = MessageType.TEXT
    text: str = ""
    nick: str | None = None
    """The sender's display name where it is not the userID."""
    tip: Tip | None = None
    reply_to: int | None = None
    """messageSeq of the message that this one answers."""
    mentions: list[str] = []
    edited_at: int | None = None
    recalled: bool = False
    """Its text, mentions and reactions are gone, for everybody; its number stays, and it counts as what it was."""
    recalled_by: str | None = None
    """userID of who recalled it, where that was not its sender."""
    reactions: dict[str, Reaction] = {}
    """By emoji, in the order in which they were first used."""


class LastMessage(Wire, frozen=True, kw_only=True, gc=False):
    """What a conversation list shows of the newest visible message."""

    message_seq: int
    sender: str = msgspec.field(name="from")
    time: int
    type: MessageType = MessageType.TEXT
    text: str = ""
    """At most limits.PREVIEW_CHARACTERS, on one line."""
    nick: str | None = None
    tip: Tip | None = None
    recalled: bool = False


class Conversation(Wire, frozen=True, kw_only=True, gc=False):
    """The state of one conversation for one user. All but the last seven fields are what `protocol.md` fixes."""

    conversation_id: str
    type: ConversationType
    name: str
    """The peer's nick or userID, the group's name; empty for the system's, which clients name in their language."""
    last_message: LastMessage | None = None
    """None where nothing is visible, which a cleared conversation may be."""
    message_count: int = 0
    """Visible messages, so that what a dialog says of a deletion is true."""
    unread_count: int = 0
    mention_count: int = 0
    read_seq: int = 0
    hidden_through: int = 0
    cleared_through: int = 0
    pinned: bool = False
    muted: bool = False
    marked_unread: bool = False
    membership: Membership | None = None
    """Groups only."""
    member_count: int | None = None
    newest_seq: int = 0
    """Newest message that this reader could ever see, cleared or not: what a deletion of all names as `upTo`."""
    time: int = 0
    """When that one was sent; the list's order, so that a cleared conversation keeps its place."""
    peer_read_seq: int = 0
    """One-to-one only: how far the other side has read."""
    join_seq: int = 0
    """Groups: the tip with which the present or last membership began."""
    first_seq: int = 0
    """Oldest visible messageSeq; 0 where none is."""
    role: str | None = None
    """Groups: owner, admin or member."""
    muted_all: bool = False
    """Groups: only the owner and the administrators can write. (`muted` is the reader's own wish for quiet.)"""
    sent_seq: int = 0
    """The newest message that the reader wrote there, cleared or not; 0 for none."""


class User(Wire, frozen=True, kw_only=True):
    """An account as others see it."""

    user_id: str
    nick: str | None = None


class BlockedUser(Wire, frozen=True, kw_only=True):
    """Somebody whom the reader has blocked."""

    user_id: str
    nick: str | None = None
    blocked_at: int = 0


class AccountRow(Wire, frozen=True, kw_only=True):
    """An account as administrators see it."""

    user_id: str
    nick: str | None = None
    administrator: bool = False
    created_at: int = 0
    last_seen_at: int | None = None
    """When one of its devices was last seen; None where it is logged in nowhere."""
    device_count: int = 0


class AuditEntry(Wire, frozen=True, kw_only=True):
    """Something that an administrator did."""

    time: int
    administrator: str
    """userID of who did it."""
    device_name: str
    what: str
    """settings.changed, invite.created, user.removed, user.promoted, user.demoted, message.removed, …"""
    whom: str | None = None
    """userID of whom it befell."""
    details: dict[str, Any] = {}
    """What else is to be known, never the body of a message."""


class Device(Wire, frozen=True, kw_only=True):
    """One log-in of a user."""

    device_id: str
    name: str
    created_at: int = 0
    last_seen_at: int = 0
    current: bool = False


class Member(Wire, frozen=True, kw_only=True):
    """A member of a group; role is owner, admin or member."""

    user_id: str
    nick: str | None = None
    role: str = "member"


class Group(Wire, frozen=True, kw_only=True):
    """A group as its members see it."""

    group_id: str
    name: str
    join: Literal["free", "approval", "closed"] = "closed"
    owner: str
    muted: bool = False
    """Only its owner and its administrators can write."""
    dismissed: bool = False
    member_count: int = 0


class Application(Wire, frozen=True, kw_only=True):
    """Somebody's wish to join a group, not decided yet."""

    user_id: str
    nick: str | None = None
    text: str = ""
    time: int
    """When it was made first; asking again changes the text alone."""


class ServerFacts(Wire, frozen=True, kw_only=True):
    """What every client knows of its server; stands in /v1/me, every sync answer and the stream's welcome."""

    version: str
    sync_conversation_deletion: bool = False
    undo_seconds: int = UNDO_SECONDS_DEFAULT
    limits: Limits = Limits()


class Settings(Wire, frozen=True, kw_only=True):
    """What an administrator can change while the server runs."""

    sync_conversation_deletion: bool = False
    """Tencent's console switch "Sync Conversation Deletion Across Clients"; off by default there as well."""
    undo_seconds: int = UNDO_SECONDS_DEFAULT
    registration: Literal["auto", "open", "invite"] = "auto"
    """auto: open on loopback, by invitation elsewhere."""


class Deletion(Wire, frozen=True, kw_only=True):
    """An entry of the log of deletions: one batch."""

    batch_id: str
    device: Device
    time: int
    count: int
    clear_history_message: bool
    what: Literal["deleted", "cleared"] = "deleted"
    conversation_id_list: list[str] = []
    """Only while it can be undone."""
    undo_seconds: int = 0
    """Seconds left; 0 means final."""
    restored: bool = False
