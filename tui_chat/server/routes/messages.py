"""The messages of a conversation: reading and sending."""

from typing import Annotated, Any

from msgspec import Meta

from tui_chat.protocol import limits
from tui_chat.protocol.errors import (
    ClientIDReused,
    ConversationNotFound,
    GroupMuted,
    GroupNotFound,
    InvalidConversation,
    InvalidRequest,
    MessageNotFound,
    NotAMember,
    ReadOnly,
    TextEmpty,
    TextTooLong,
    UserNotFound,
)
from tui_chat.protocol.requests import MessagePage, MessageSent, SendMessage
from tui_chat.protocol.wire import Request
from tui_chat.server.operations import messages

from .endpoint import Call, Counted, Endpoint, Nothing

Position = Annotated[int, Meta(ge=0, le=2**53)]


class HistoryQuery(Request, frozen=True, kw_only=True):
    """At most one of before, after and around (messageSeqs); none of them asks for the newest."""

    before: Position | None = None
    after: Position | None = None
    around: Position | None = None
    limit: Annotated[int, Meta(ge=1, le=limits.PAGE)] = limits.PAGE_DEFAULT


async def page(call: Call[Nothing, HistoryQuery]) -> MessagePage:
    """Visible messages, oldest first, with the watermarks of the conversation."""
    query = call.query
    if sum(position is not None for position in (query.before, query.after, query.around)) > 1:
        raise InvalidRequest("only one of before, after and around can be given")
    return await call.read(
        messages.page,
        call.path["conversation_id"],
        before=query.before,
        after=query.after,
        around=query.around,
        limit=query.limit,
    )


async def send(call: Call[SendMessage, Nothing]) -> MessageSent:
    """Send a text. A retry with the same clientID gets the message that was stored first."""
    return await call.write(messages.send, call.path["conversation_id"], call.body)


ENDPOINTS: tuple[Endpoint[Any, Any, Any], ...] = (
    Endpoint(
        "POST",
        "/v1/conversations/{conversation_id}/messages",
        send,
        MessageSent,
        body=SendMessage,
        counted=Counted.MESSAGES,
        errors=(
            ClientIDReused,
            GroupMuted,
            GroupNotFound,
            InvalidConversation,
            MessageNotFound,
            NotAMember,
            ReadOnly,
            TextEmpty,
            TextTooLong,
            UserNotFound,
        ),
    ),
    Endpoint(
        "GET",
        "/v1/conversations/{conversation_id}/messages",
        page,
        MessagePage,
        query=HistoryQuery,
        errors=(ConversationNotFound, InvalidConversation),
    ),
)
