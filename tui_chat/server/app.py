"""The ASGI application: addresses, errors, the socket. Made of the table in routes/ and of what a request needs."""

import logging
import random
from collections.abc import Mapping
from typing import Any, Final

from tui_chat.protocol import limits
from tui_chat.protocol.errors import (
    ChatError,
    Forbidden,
    Internal,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    TooFrequent,
    Unavailable,
)
from tui_chat.protocol.wire import encode

from .addresses import Addresses, Application, Receive, Scope, Send
from .observing import METRICS, Exposition, Watched
from .openapi import describe
from .request import CALLER, PARAMETERS, answer, authenticate, handle, peer_of, refuse
from .routes import ENDPOINTS
from .routes.endpoint import Endpoint
from .services import Services
from .stream import EventSocket

STREAM: Final = "/v1/stream"
OPENAPI: Final = "/openapi.json"
RETRY_SECONDS: Final = 5.0
"""Who is refused because the server stops is told to come back within so long."""

_log = logging.getLogger(__name__)


def create_app(services: Services) -> Application:
    """Everything that one server answers."""
    by_path: dict[str, dict[str, Endpoint[Any, Any, Any]]] = {}
    for endpoint in ENDPOINTS:
        by_path.setdefault(endpoint.path, {})[endpoint.method] = endpoint
    addresses, sockets = Addresses(), Addresses()
    for path, methods in by_path.items():
        addresses.add(path, _Resource(services, path, methods))
    addresses.add(METRICS, Exposition(services))
    addresses.add(OPENAPI, _Description())
    sockets.add(STREAM, _Stream(services))
    return _Entrance(services, {"http": addresses, "websocket": sockets})


class _Entrance:
    """Before any route: addresses stay percent-encoded, and browsers stay out, and requests for two hosts at once."""

    def __init__(self, services: Services, addresses: Mapping[str, Addresses]) -> None:
        self._services = services
        self._addresses = addresses
        """By the scope's type."""
        self._nowhere = _Nowhere(services)
        self._origins = frozenset(origin.encode() for origin in services.options.origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        hosts = 0
        for name, value in scope["headers"]:
            if name == b"origin" and value not in self._origins:
                await refuse(Forbidden("requests from web pages are not answered here"), scope, receive, send)
                return
            hosts += name == b"host"
        if self._services.draining:
            # Spread, so that whoever comes back does not come with everybody else.
            again = random.uniform(1, RETRY_SECONDS)  # noqa: S311 - no secret
            await refuse(Unavailable("the server is stopping", retry_after=again), scope, receive, send)
            return
        if hosts > 1:
            # RFC 9112, section 3.2: or whoever stands in front and we could each believe another one.
            await refuse(InvalidRequest("the request names its host more than once"), scope, receive, send)
            return
        # A conversationID may hold `#` and, misshapen, `/`: split first, decode afterwards.
        found = self._addresses[scope["type"]].find(scope["raw_path"].decode("ascii", "replace"))
        if found is None:
            await self._nowhere(scope, receive, send)
            return
        application, parameters = found
        scope[PARAMETERS] = parameters
        await application(scope, receive, send)


class _Resource:
    """One address with its methods."""

    def __init__(self, services: Services, path: str, methods: Mapping[str, Endpoint[Any, Any, Any]]) -> None:
        self._services = services
        self._path = path
        self._methods = dict(methods)
        if "GET" in self._methods:
            self._methods["HEAD"] = self._methods["GET"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        watched = Watched(self._services, scope, self._path)
        endpoint = self._methods.get(scope["method"])
        try:
            if endpoint is None:
                allowed = sorted(self._methods)
                raise MethodNotAllowed(f"this address takes {', '.join(allowed)}", details={"allow": allowed})
            watched.did(await handle(self._services, endpoint, scope, receive, send))
        except ChatError as error:
            watched.refused(error)
            await refuse(error, scope, receive, send)
        except Exception:
            _log.exception("%s %s failed", scope["method"], self._path)
            watched.refused(Internal())
            await refuse(Internal(), scope, receive, send)


class _Stream:
    """The event socket's address: who has no valid token does not get as far as a socket."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        services = self._services
        watched = Watched(services, scope, STREAM)
        try:
            caller = scope[CALLER] = await authenticate(services, peer_of(services, scope))
            services.limiter.others.take(caller.user, caller.device)
            if services.hub.count(caller.user) >= limits.SOCKETS_A_USER:
                raise TooFrequent("too many sockets are open for this user", retry_after=limits.PING_SECONDS)
        except ChatError as error:
            watched.refused(error)
            await refuse(error, scope, receive, send)
            return
        await receive()
        await send({"type": "websocket.accept"})
        watched.done(101)
        socket = EventSocket(dict(scope), receive, send, caller=caller, hub=services.hub, log=services)
        await socket.run()


class _Description:
    """openapi.json, made when first asked for."""

    def __init__(self) -> None:
        self._json: bytes | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            await refuse(MethodNotAllowed("this address takes GET"), scope, receive, send)
            return
        self._json = self._json or encode(describe())
        await answer(200, self._json, send)


class _Nowhere:
    """Every other address."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        error = NotFound("there is nothing at this address")
        Watched(self._services, scope, "").refused(error)
        await refuse(error, scope, receive, send)
