"""The list of conversations: reading it, deleting from it, undoing that, flags and read marks."""

from typing import Any, Final

from tui_chat.protocol.errors import (
    BatchUndone,
    ConversationNotFound,
    InvalidConversation,
    OperationNotFound,
    OperationReused,
    TooManyConversations,
    UndoExpired,
)
from tui_chat.protocol.models import Conversation
from tui_chat.protocol.requests import (
    ClearConversations,
    ConversationPage,
    ConversationsChanged,
    ConversationsDeleted,
    ConversationsRestored,
    DeleteConversations,
    DeletionList,
    Done,
    ReadConversations,
    RestoreConversations,
    SetFlags,
)
from tui_chat.server.operations import conversations, deletion, deletionlog, undo

from .endpoint import Call, Counted, Endpoint, Nothing
from .queries import PageQuery

FEW: Final = 4
"""Conversations up to which a change of marks or flags is brief; see Engine.write."""


async def page(call: Call[Nothing, PageQuery]) -> ConversationPage:
    """The listed conversations, in an order that does not move."""
    return await call.read(conversations.page, cursor=call.query.cursor, limit=call.query.limit)


async def get(call: Call[Nothing, Nothing]) -> Conversation:
    """One conversation, listed or not."""
    return await call.read(conversations.get, call.path["conversation_id"])


async def delete(call: Call[DeleteConversations, Nothing]) -> ConversationsDeleted:
    """Delete up to 100 conversations in one commit; by default with their history, as Tencent's deleteConversation."""
    return await call.write_briefly(deletion.delete, deletion.in_order(call.caller, call.body))


async def clear(call: Call[ClearConversations, Nothing]) -> ConversationsDeleted:
    """Clear the history of up to 100 conversations; their rows stay."""
    return await call.write_briefly(deletion.clear, deletion.in_order(call.caller, call.body))


async def restore(call: Call[RestoreConversations, Nothing]) -> ConversationsRestored:
    """Undo a batch or one call, from any device of the user, while it can be undone."""
    return await call.write(undo.restore, call.body)


async def deletions(call: Call[Nothing, Nothing]) -> DeletionList:
    """The log of deletions, newest first."""
    return await call.read(deletionlog.log)


async def erase_now(call: Call[Nothing, Nothing]) -> Done:
    """End the time in which a batch can be undone."""
    return await call.write(deletion.erase_now, call.path["batch_id"])


async def read(call: Call[ReadConversations, Nothing]) -> ConversationsChanged:
    """Say how far conversations are read."""
    write = call.write_briefly if len(call.body.items) <= FEW else call.write
    return await write(conversations.read, call.body)


async def flags(call: Call[SetFlags, Nothing]) -> ConversationsChanged:
    """Pin, mute, mark as unread, or the reverse."""
    write = call.write_briefly if len(call.body.conversation_id_list) <= FEW else call.write
    return await write(conversations.flags, call.body)


_LIST = (TooManyConversations, InvalidConversation, OperationReused)

ENDPOINTS: tuple[Endpoint[Any, Any, Any], ...] = (
    Endpoint("GET", "/v1/conversations", page, ConversationPage, query=PageQuery),
    Endpoint(
        "POST",
        "/v1/conversations/delete",
        delete,
        ConversationsDeleted,
        body=DeleteConversations,
        counted=Counted.DELETIONS,
        numbered=True,
        errors=(*_LIST, BatchUndone, UndoExpired),
    ),
    Endpoint(
        "POST",
        "/v1/conversations/clear",
        clear,
        ConversationsDeleted,
        body=ClearConversations,
        counted=Counted.DELETIONS,
        numbered=True,
        errors=(*_LIST, BatchUndone, UndoExpired),
    ),
    Endpoint(
        "POST",
        "/v1/conversations/restore",
        restore,
        ConversationsRestored,
        body=RestoreConversations,
        counted=Counted.DELETIONS,
        errors=(OperationNotFound, UndoExpired),
    ),
    Endpoint(
        "POST",
        "/v1/conversations/read",
        read,
        ConversationsChanged,
        body=ReadConversations,
        numbered=True,
        errors=_LIST,
    ),
    Endpoint("POST", "/v1/conversations/flags", flags, ConversationsChanged, body=SetFlags, errors=_LIST),
    Endpoint("GET", "/v1/conversations/deletions", deletions, DeletionList),
    Endpoint(
        "DELETE",
        "/v1/conversations/deletions/{batch_id}",
        erase_now,
        Done,
        counted=Counted.DELETIONS,
        errors=(BatchUndone, OperationNotFound),
    ),
    Endpoint(
        "GET",
        "/v1/conversations/{conversation_id}",
        get,
        Conversation,
        errors=(ConversationNotFound, InvalidConversation),
    ),
)
