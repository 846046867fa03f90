"""What screens and commands know of a session, whatever network it speaks to.

`ChatSession` is the first that has it; a second network is one more package with a class of this form, and no change in
`tui`. It is told by `subscribe` in the changes of `changes.py`, and says in `capabilities` what it can do: what is
false there is not asked for. Everything raises `protocol.errors.ChatError` where it is refused.

The parts are for whoever needs no more than one; docstrings that say more stand at `ChatSession`.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Literal, Protocol, runtime_checkable

from tui_chat.protocol.limits import PAGE_DEFAULT
from tui_chat.protocol.models import (
    Application,
    BlockedUser,
    Conversation,
    Deletion,
    Device,
    Group,
    Member,
    Message,
    ServerFacts,
    Settings,
    User,
)
from tui_chat.protocol.requests import GroupAnswer, GroupJoined, ItemFailure, MessagePage, MessageReaders

from .announcer import Listener
from .capabilities import Capabilities
from .changes import Connection
from .deleting import Progress
from .results import (
    DeletedConversations,
    FoundMessages,
    QueuedCommand,
    RestoredConversations,
    UndoableBatch,
)


@runtime_checkable
class Known(Protocol):
    """What is known without asking: read at any time, changed only together with a change that is told."""

    @property
    def user_id(self) -> str:
        """One's own userID."""

    @property
    def device_name(self) -> str:
        """What the account's other devices call this one."""

    @property
    def nick(self) -> str | None:
        """One's own display name."""

    @property
    def administrator(self) -> bool:
        """Whether one may change the server's settings."""

    @property
    def conversations(self) -> Mapping[str, Conversation]:
        """The rows as they are shown. Live, not a copy."""

    @property
    def conversation_count(self) -> int:
        """How many there are: more than `conversations` has while the session is being opened."""

    @property
    def numbering(self) -> int:
        """Another number after messageSeqs have come to stand for other messages: those from before are of no use."""

    @property
    def stale(self) -> AbstractSet[str]:
        """Rows that another device deleted without word: copies."""

    @property
    def online(self) -> AbstractSet[str]:
        """userIDs of those, among the people one talks with, who are connected now."""

    @property
    def connection(self) -> Connection:
        """The connection's state."""

    @property
    def queued(self) -> int:
        """Commands that the server has not confirmed."""

    @property
    def queue(self) -> list[QueuedCommand]:
        """What they are, in order, and why they wait."""

    @property
    def server(self) -> ServerFacts:
        """What the server last said of itself."""

    @property
    def capabilities(self) -> Capabilities:
        """What this network can do."""

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Have `listener` called with every batch of changes; returns what ends that."""


@runtime_checkable
class Deletes(Protocol):
    """Deleting conversations, and what belongs to it."""

    async def delete_conversation(
        self,
        *,
        conversation_id_list: Sequence[str],
        clear_history_message: bool = True,
        up_to: Mapping[str, int] | None = None,
        batch_id: str | None = None,
        progress: Progress | None = None,
        stop: asyncio.Event | None = None,
    ) -> DeletedConversations:
        """Delete any number from one's own account; raises only where all of it is refused."""

    async def clear_history(
        self, conversation_id_list: Sequence[str], *, up_to: Mapping[str, int] | None = None
    ) -> DeletedConversations:
        """Clear one's own history of these, and leave the rows."""

    @property
    def undoable(self) -> list[UndoableBatch]:
        """What can be undone now, newest first."""

    async def undo(self, batch_id: str | None = None) -> RestoredConversations:
        """Bring a batch back, the newest unless told which."""

    async def deletions(self) -> list[Deletion]:
        """The log, newest first."""

    async def erase_deletion(self, batch_id: str) -> None:
        """End the time for undo now."""

    def drop(self, number: int) -> None:
        """Give up a command of `queue`."""


@runtime_checkable
class Reads(Protocol):
    """History, marks and flags."""

    async def history(
        self, conversation_id: str, *, before: int | None = None, after: int | None = None, limit: int = PAGE_DEFAULT
    ) -> MessagePage:
        """A page of history, oldest first."""

    def cached_tail(self, conversation_id: str, count: int = PAGE_DEFAULT) -> list[Message]:
        """The newest messages that are on this machine, oldest first; at once."""

    async def search(
        self, words: str, *, conversation_id: str | None = None, cursor: str | None = None, limit: int = PAGE_DEFAULT
    ) -> FoundMessages:
        """Messages in which all these words stand, the newest first."""

    async def readers(self, conversation_id: str, message_seq: int) -> MessageReaders:
        """Who has read a message of one's own, and who has not."""

    async def mark_read(self, conversation_id: str, message_seq: int | None = None) -> None:
        """Move the read mark forward."""

    async def set_flags(
        self,
        conversation_id_list: Sequence[str],
        *,
        pinned: bool | None = None,
        muted: bool | None = None,
        marked_unread: bool | None = None,
    ) -> list[ItemFailure]:
        """Change flags of any number; answers those that were refused."""


@runtime_checkable
class Writes(Protocol):
    """Messages of one's own, and the drafts of them."""

    async def send_message(
        self, conversation_id: str, text: str, *, reply_to: int | None = None, mentions: Sequence[str] = ()
    ) -> Message:
        """Send a message; shown at once."""

    def pending_messages(self, conversation_id: str) -> list[Message]:
        """One's own messages that wait, oldest first; their messageSeq is 0."""

    async def edit_message(
        self, conversation_id: str, message_seq: int, text: str, *, mentions: Sequence[str] | None = None
    ) -> Message | None:
        """Give a message of one's own another text."""

    async def recall_message(self, conversation_id: str, message_seq: int) -> Message | None:
        """Take a message back from everybody."""

    async def react(self, conversation_id: str, message_seq: int, emoji: str) -> Message | None:
        """Add one's reaction to a message."""

    async def unreact(self, conversation_id: str, message_seq: int, emoji: str) -> Message | None:
        """Take one's reaction back."""

    def draft(self, conversation_id: str) -> str:
        """The unsent text of a conversation, or nothing."""

    def set_draft(self, conversation_id: str, text: str) -> None:
        """Keep an unsent text; an empty one is forgotten."""

    @property
    def drafts(self) -> Mapping[str, str]:
        """conversationID -> unsent text."""

    async def typing(self, conversation_id: str) -> None:
        """Tell the others that one types."""


@runtime_checkable
class Gathers(Protocol):
    """Groups, users, and one's own devices."""

    async def create_group(
        self,
        name: str,
        *,
        group_id: str | None = None,
        join: Literal["free", "approval", "closed"] = "closed",
        members: Sequence[str] = (),
    ) -> GroupAnswer:
        """Make a group; one is its owner."""

    async def group(self, group_id: str) -> Group:
        """A group, as one may see it."""

    async def rename_group(self, group_id: str, name: str) -> GroupAnswer:
        """Change a group's name."""

    async def set_join_rule(self, group_id: str, join: Literal["free", "approval", "closed"]) -> GroupAnswer:
        """Change who may join."""

    async def mute_all(self, group_id: str, muted: bool = True) -> GroupAnswer:
        """Let only the owner and the administrators write, or everybody again."""

    async def transfer_group(self, group_id: str, user_id: str) -> GroupAnswer:
        """Hand a group on to another member."""

    async def set_role(self, group_id: str, user_id: str, role: Literal["admin", "member"]) -> GroupAnswer:
        """Make a member an administrator, or an ordinary member again."""

    async def applications(self, group_id: str) -> list[Application]:
        """Who wants to join and waits, oldest first."""

    async def decide_application(self, group_id: str, user_id: str, *, accept: bool) -> GroupAnswer:
        """Let an applicant in, or decline."""

    async def members(self, group_id: str) -> list[Member]:
        """All members of a group."""

    async def add_members(self, group_id: str, user_ids: Sequence[str]) -> GroupAnswer:
        """Add users to a group, at once."""

    async def join_group(self, group_id: str, text: str | None = None) -> GroupJoined:
        """Become a member of a group that is open, or apply."""

    async def quit_group(self, group_id: str) -> None:
        """Leave a group; its conversation stays in the list."""

    async def kick(self, group_id: str, user_id: str) -> None:
        """Remove somebody from a group."""

    async def dismiss(self, group_id: str) -> None:
        """End a group for everyone."""

    async def find_users(self, words: str) -> list[User]:
        """Users whose name or nick begins so."""

    async def user(self, user_id: str) -> User:
        """One user."""

    async def blocks(self) -> list[BlockedUser]:
        """Whom one has blocked."""

    async def block(self, user_id: str) -> None:
        """Take nothing from a user any more."""

    async def unblock(self, user_id: str) -> None:
        """Take messages from a user again."""

    async def devices(self) -> list[Device]:
        """The account's devices."""

    async def revoke_device(self, device_id: str) -> None:
        """Log a device out."""

    async def change_settings(
        self, *, sync_conversation_deletion: bool | None = None, undo_seconds: int | None = None
    ) -> Settings:
        """Change what is given, while the server runs; for administrators."""


@runtime_checkable
class Session(Known, Deletes, Reads, Writes, Gathers, Protocol):
    """All of it, and the connection itself."""

    async def start(self) -> None:
        """Connect and stay connected, in the background; what happens arrives by `subscribe`."""

    async def reload(self) -> None:
        """Ask for the whole state anew; stale rows come in line."""

    def reconnect_now(self) -> None:
        """Do not wait any longer: a person asks."""

    async def close(self) -> None:
        """End the connection; what is queued stays."""
