"""The messages of a conversation: reading, sending, and what can be done to one of them."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final

from msgspec import Meta

from tui_chat.protocol import ids, limits
from tui_chat.protocol.errors import (
    Blocked,
    ClientIDReused,
    ConversationNotFound,
    GroupMuted,
    GroupNotFound,
    InvalidConversation,
    InvalidEmoji,
    InvalidRequest,
    MessageNotFound,
    MessageRecalled,
    NotAMember,
    NotChangeable,
    NotYourMessage,
    OperationReused,
    ReadOnly,
    RecallExpired,
    TextEmpty,
    TextTooLong,
    TooManyReactions,
    TooManyReaders,
    UserErased,
    UserNotFound,
)
from tui_chat.protocol.requests import EditMessage, MessagePage, MessageReaders, MessageSent, SendMessage
from tui_chat.protocol.wire import Request
from tui_chat.server.operations import changing, editing, messages, reactions
from tui_chat.server.operations import readers as reading
from tui_chat.server.operations.sending import Sending

from .endpoint import Call, Counted, Endpoint, Nothing
from .queries import OperationQuery

MESSAGE: Final = "/v1/conversations/{conversation_id}/messages/{message_seq}"
_NOT_THERE: Final = (ConversationNotFound, InvalidConversation, MessageNotFound, NotAMember)
_NOT_TO_BE_CHANGED: Final = (*_NOT_THERE, MessageRecalled, NotChangeable)

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
    conversation_id = call.path["conversation_id"]
    if _is_one_to_one(conversation_id):
        return await call.write_alike(Sending, conversation_id, call.body)
    return await call.write(messages.send, conversation_id, call.body)


def _writer(call: Call[Any, Any]) -> Callable[..., Awaitable[MessageSent]]:
    """What changes a message: briefly, but for groups, where it takes a row or two for each member."""
    return call.write_briefly if _is_one_to_one(call.path["conversation_id"]) else call.write


def _is_one_to_one(conversation_id: str) -> bool:
    return conversation_id.startswith(ids.ConversationType.C2C)


def _message(call: Call[Any, Any]) -> tuple[str, int]:
    """Which message the address names. Raises InvalidRequest."""
    return call.path["conversation_id"], changing.seq_of(call.path["message_seq"])


async def edit(call: Call[EditMessage, Nothing]) -> MessageSent:
    """Give a message of one's own another text."""
    return await _writer(call)(editing.edit, *_message(call), call.body)


async def recall(call: Call[Nothing, OperationQuery]) -> MessageSent:
    """Take a message back from everybody, soon after it was sent."""
    return await _writer(call)(editing.recall, *_message(call), call.query.operation_id)


async def readers(call: Call[Nothing, Nothing]) -> MessageReaders:
    """Who has read a message of one's own, and who has not."""
    return await call.read(reading.readers, *_message(call))


async def react(call: Call[Nothing, Nothing]) -> MessageSent:
    """Add one's reaction to a message."""
    return await _writer(call)(reactions.react, *_message(call), call.path["emoji"])


async def take_back(call: Call[Nothing, Nothing]) -> MessageSent:
    """Take one's reaction back."""
    return await _writer(call)(reactions.take_back, *_message(call), call.path["emoji"])


ENDPOINTS: tuple[Endpoint[Any, Any, Any], ...] = (
    Endpoint(
        "POST",
        "/v1/conversations/{conversation_id}/messages",
        send,
        MessageSent,
        body=SendMessage,
        counted=Counted.MESSAGES,
        numbered=True,
        errors=(
            Blocked,
            ClientIDReused,
            GroupMuted,
            GroupNotFound,
            InvalidConversation,
            MessageNotFound,
            NotAMember,
            ReadOnly,
            TextEmpty,
            TextTooLong,
            UserErased,
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
    Endpoint(
        "PATCH",
        MESSAGE,
        edit,
        MessageSent,
        body=EditMessage,
        counted=Counted.MESSAGES,
        numbered=True,
        errors=(
            *_NOT_TO_BE_CHANGED,
            Blocked,
            GroupMuted,
            NotYourMessage,
            OperationReused,
            TextEmpty,
            TextTooLong,
            UserErased,
            UserNotFound,
        ),
    ),
    Endpoint(
        "DELETE",
        MESSAGE,
        recall,
        MessageSent,
        query=OperationQuery,
        counted=Counted.MESSAGES,
        numbered=True,
        errors=(*_NOT_THERE, NotChangeable, NotYourMessage, OperationReused, RecallExpired),
    ),
    Endpoint(
        "GET",
        f"{MESSAGE}/readers",
        readers,
        MessageReaders,
        errors=(*_NOT_THERE, MessageRecalled, NotYourMessage, TooManyReaders),
    ),
    Endpoint(
        "PUT",
        f"{MESSAGE}/reactions/{{emoji}}",
        react,
        MessageSent,
        counted=Counted.MESSAGES,
        numbered=True,
        errors=(*_NOT_TO_BE_CHANGED, Blocked, InvalidEmoji, TooManyReactions, UserErased),
    ),
    Endpoint(
        "DELETE",
        f"{MESSAGE}/reactions/{{emoji}}",
        take_back,
        MessageSent,
        counted=Counted.MESSAGES,
        numbered=True,
        errors=(*_NOT_TO_BE_CHANGED, InvalidEmoji),
    ),
)
