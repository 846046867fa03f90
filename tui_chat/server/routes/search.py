"""Finding messages."""

from typing import Annotated, Any

from msgspec import Meta

from tui_chat.protocol import limits
from tui_chat.protocol.errors import ConversationNotFound, InvalidConversation
from tui_chat.protocol.requests import SearchAnswer
from tui_chat.protocol.wire import Request
from tui_chat.server.operations import search as searching

from .endpoint import Call, Counted, Endpoint, Nothing


class SearchQuery(Request, frozen=True, kw_only=True):
    """`q`: words that must all stand in a message, each anywhere in it. Without `conversationID`, in any conversation.
    `cursor`: where to go on, as the answer before said in `next`."""

    q: str
    conversation_id: str | None = None
    cursor: str | None = None
    limit: Annotated[int, Meta(ge=1, le=limits.PAGE)] = limits.PAGE_DEFAULT


async def search(call: Call[Nothing, SearchQuery]) -> SearchAnswer:
    """Messages that one can see in which some words stand, the newest first."""
    query = call.query
    return await call.read(
        searching.search,
        query.q,
        conversation_id=query.conversation_id,
        cursor=query.cursor,
        limit=query.limit,
    )


ENDPOINTS: tuple[Endpoint[Any, Any, Any], ...] = (
    Endpoint(
        "GET",
        "/v1/search",
        search,
        SearchAnswer,
        query=SearchQuery,
        counted=Counted.SEARCHES,
        errors=(ConversationNotFound, InvalidConversation),
    ),
)
