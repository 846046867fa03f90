"""Bodies of requests about conversations: listing, deleting and bringing back, reading, flags."""

from tui_chat.protocol.errors import ErrorBody
from tui_chat.protocol.models import Conversation, Deletion
from tui_chat.protocol.wire import Request, Wire


class ConversationPage(Wire, frozen=True, kw_only=True):
    """GET /v1/conversations: in an order that does not move."""

    conversations: list[Conversation]
    next: str | None = None


class DeleteConversations(Request, frozen=True, kw_only=True):
    """POST /v1/conversations/delete.

    `up_to`: conversationID -> newest messageSeq that was on the screen when the person confirmed.
    """

    conversation_id_list: list[str]
    clear_history_message: bool = True
    up_to: dict[str, int] | None = None
    operation_id: str | None = None
    batch_id: str | None = None


class ClearConversations(Request, frozen=True, kw_only=True):
    """POST /v1/conversations/clear."""

    conversation_id_list: list[str]
    up_to: dict[str, int] | None = None
    operation_id: str | None = None
    batch_id: str | None = None


class ItemFailure(Wire, frozen=True, kw_only=True):
    """One item that was refused while its neighbours went through."""

    conversation_id: str
    code: str
    message: str

    @classmethod
    def of(cls, conversation_id: str, body: ErrorBody) -> "ItemFailure":
        """The failure of one conversation."""
        return cls(conversation_id=conversation_id, code=body.code, message=body.message)


class ConversationsDeleted(Wire, frozen=True, kw_only=True):
    """The answer to delete and clear. `synced`: whether the user's other devices are told."""

    conversation_id_list: list[str]
    failures: list[ItemFailure] = []
    operation_id: str
    batch_id: str
    undo_seconds: int = 0
    synced: bool = False
    event_seq: int = 0


class RestoreConversations(Request, frozen=True, kw_only=True):
    """POST /v1/conversations/restore: one of the two names what is undone."""

    batch_id: str | None = None
    operation_id: str | None = None


class ConversationsRestored(Wire, frozen=True, kw_only=True):
    """The answer to restore: what is back."""

    conversation_id_list: list[str]
    batch_id: str
    event_seq: int = 0


class DeletionList(Wire, frozen=True, kw_only=True):
    """GET /v1/conversations/deletions, newest first."""

    deletions: list[Deletion]


class ReadMark(Request, frozen=True, kw_only=True):
    """Everything of a conversation up to message_seq is read."""

    conversation_id: str
    message_seq: int


class ReadConversations(Request, frozen=True, kw_only=True):
    """POST /v1/conversations/read."""

    items: list[ReadMark]
    operation_id: str | None = None


class SetFlags(Request, frozen=True, kw_only=True):
    """POST /v1/conversations/flags; at least one flag."""

    conversation_id_list: list[str]
    pinned: bool | None = None
    muted: bool | None = None
    marked_unread: bool | None = None
    operation_id: str | None = None


class ConversationsChanged(Wire, frozen=True, kw_only=True):
    """The answer to read and flags."""

    conversation_id_list: list[str]
    failures: list[ItemFailure] = []
    event_seq: int = 0
