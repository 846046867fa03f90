"""Finding other people."""

from typing import Annotated, Any

from msgspec import Meta

from tui_chat.protocol import limits
from tui_chat.protocol.errors import UserNotFound
from tui_chat.protocol.models import User
from tui_chat.protocol.requests import UserList
from tui_chat.protocol.wire import Request
from tui_chat.server.operations import users

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


ENDPOINTS: tuple[Endpoint[Any, Any, Any], ...] = (
    Endpoint("GET", "/v1/users", find, UserList, query=FindQuery),
    Endpoint("GET", "/v1/users/{user_id}", get, User, errors=(UserNotFound,)),
)
