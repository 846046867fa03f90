"""What commands answer. Field names follow Tencent's, in Python's spelling."""

import msgspec

from tui_chat.protocol.errors import ErrorBody
from tui_chat.protocol.models import Message
from tui_chat.protocol.requests import ItemFailure

from .changes import CommandKind


class DeletedConversation(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to `delete_conversation("C2Cbob")`."""

    conversation_id: str
    batch_id: str
    undo_seconds: int = 0
    synced: bool = False
    """Whether the user's other devices are told."""
    kept: bool = False
    """The row stays, because something newer than what was on the screen came in."""
    queued: bool = False
    """The server cannot be reached: the row is hidden and the deletion waits in the queue."""


class DeletedConversations(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to `delete_conversation(conversation_id_list=[...])`."""

    conversation_id_list: list[str]
    """Deleted, as the server confirmed."""
    failures: list[ItemFailure] = []
    batch_id: str
    undo_seconds: int = 0
    synced: bool = False
    kept: list[str] = []
    """Deleted, but their rows stay for what came in meanwhile."""
    queued: list[str] = []
    """Wait in the queue, because the server cannot be reached; their rows are hidden."""
    stopped: list[str] = []
    """Not deleted, because the caller stopped or undid what was left."""


class RestoredConversations(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to `undo`."""

    conversation_id_list: list[str]
    batch_id: str
    queued: bool = False
    """The server cannot be reached: the undo waits in the queue."""


class UndoableBatch(msgspec.Struct, frozen=True, kw_only=True):
    """A deletion (or clearing) that can be undone now."""

    batch_id: str
    count: int
    clear_history_message: bool
    undo_until: int
    """Milliseconds since 1970 on this machine's clock."""
    device: str | None = None
    """The other device that did it; None for one's own."""
    queued: bool = False
    """Not sent yet: undoing just takes it out of the queue."""


class QueuedCommand(msgspec.Struct, frozen=True, kw_only=True):
    """A command that the server has not confirmed."""

    number: int
    """Names it for `session.drop`."""
    what: CommandKind
    conversation_id_list: list[str]
    message_seq: int | None = None
    """Of edit, recall and react: which message."""
    attempted: bool
    """It may have reached the server."""
    error: ErrorBody | None = None
    """Why the last attempt came to nothing."""
    held: bool = False
    """The server fails at it again and again; what else is queued for its conversations waits behind it."""


class FoundMessages(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to `search`, the newest first."""

    messages: list[Message]
    next: str | None = None
    """Where to go on; with it there may be fewer messages than were asked for, none even."""
    here_only: bool = False
    """The server cannot be reached: these are of what is on this machine."""
