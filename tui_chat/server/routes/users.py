"""Finding other people, and blocking them."""

from typing import Annotated, Any

from msgspec import Meta

from tui_chat.protocol import limits
from tui_chat.protocol.errors import TooManyBlocks, UserNotFound
from tui_chat.protocol.models import User
from tui_chat.protocol.requests import BlockList, Done, UserList
from tui_chat.protocol.wire import Request
from tui_chat.server.operations import blocking, users

from .endpoint import Call, Endpoint, Nothing


class FindQuery(Request, frozen=True, kw_only=True):
    """The beginning of a userID or nick."""

    q: Annotated[str, Meta(max_length=limits.SEARCH_CHARACTERS)]


async def find(call: Call[Nothing, FindQuery]) -> UserList:
    """Users whose userID or nick begins like that."""
    return await call.read(users.find, call.query.q)


async def get(call: Call[Nothing, Nothing]) -> User:
    """One user."""
    return await call.read(users.get, call.path["user_id"])


async def blocks(call: Call[Nothing, Nothing]) -> BlockList:
    """Whom one has blocked."""
    return await call.read(blocking.blocks)


async def block(call: Call[Nothing, Nothing]) -> Done:
    """Take nothing from that user any more."""
    return await call.write(blocking.block, call.path["user_id"])


async def unblock(call: Call[Nothing, Nothing]) -> Done:
    """Take messages from that user again."""
    return await call.write(blocking.unblock, call.path["user_id"])


ENDPOINTS: tuple[Endpoint[Any, Any, Any], ...] = (
    Endpoint("GET", "/v1/users", find, UserList, query=FindQuery),
    Endpoint("GET", "/v1/users/{user_id}", get, User, errors=(UserNotFound,)),
    Endpoint("GET", "/v1/blocks", blocks, BlockList),
    Endpoint("PUT", "/v1/blocks/{user_id}", block, Done, errors=(TooManyBlocks, UserNotFound)),
    Endpoint("DELETE", "/v1/blocks/{user_id}", unblock, Done, errors=(UserNotFound,)),
)
