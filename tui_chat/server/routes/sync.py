"""Catching up over HTTP, for clients without a socket and for those whose socket missed something."""

import asyncio
from contextlib import suppress
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from tui_chat.protocol import limits
from tui_chat.protocol.requests import SyncAnswer
from tui_chat.protocol.wire import Request
from tui_chat.server.operations import events

from .endpoint import Call, Endpoint, Nothing


class SyncQuery(Request, frozen=True, kw_only=True):
    """`wait`: seconds that the answer is held while there is nothing new; longer than the server's most is that."""

    since: str | None = None
    limit: Annotated[int, Meta(ge=1, le=limits.PAGE)] = limits.PAGE_DEFAULT
    wait: Annotated[float, Meta(ge=0, le=3600)] = 0


async def sync(call: Call[Nothing, SyncQuery]) -> SyncAnswer:
    """Events after a cursor; or, where there is none or it is of no use, the state from which to go on."""
    query, hub, user = call.query, call.services.hub, call.caller.user
    loop = asyncio.get_running_loop()
    deadline = loop.time() + min(query.wait, limits.WAIT_SECONDS_MOST)
    while True:
        news = hub.news(user)
        try:
            if query.wait:
                await call.services.exchange.subscribe(user)
            answer: SyncAnswer = await call.read(events.sync, query.since, query.limit)
            left = deadline - loop.time()
            if answer.reset is not msgspec.UNSET or answer.cursor != query.since or left <= 0 or hub.stopping:
                return answer
            gone = asyncio.ensure_future(call.gone())
            try:
                await asyncio.wait({news, gone}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
                if gone.done():
                    return answer
            finally:
                gone.cancel()
                with suppress(asyncio.CancelledError):
                    await gone
        finally:
            hub.no_news(user, news)


ENDPOINTS: tuple[Endpoint[Any, Any, Any], ...] = (
    Endpoint("GET", "/v1/sync", sync, SyncAnswer, query=SyncQuery, waits=True),
)
