"""The ASGI application: addresses, errors, the socket. Made of the table in routes/ and of what a request needs."""

import logging
import random
from collections.abc import Coroutine, Mapping
from typing import Any, Final, Protocol

from tui_chat.protocol import limits
from tui_chat.protocol.errors import (
    ChatError,
    Forbidden,
    Internal,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    TooFrequent,
    Unauthorized,
    Unavailable,
)
from tui_chat.protocol.wire import encode

from .addresses import Addresses, Application, Receive, Scope, Send
from .asked import Asked, AskedByASGI
from .observing import METRICS, Exposition, Watch
from .openapi import describe
from .request import authenticate, handle, is_gone, peer_of, refuse
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
    """Everything that one server answers; see also transport.Whole."""
    by_path: dict[str, dict[str, Endpoint[Any, Any, Any]]] = {}
    for endpoint in ENDPOINTS:
        by_path.setdefault(endpoint.path, {})[endpoint.method] = endpoint
    addresses = Addresses[_Answering]()
    for path, methods in by_path.items():
        addresses.add(path, _Resource(services, path, methods))
    addresses.add(METRICS, Exposition(services))
    addresses.add(OPENAPI, _Description())
    sockets = Addresses[_Stream]()
    sockets.add(STREAM, _Stream(services))
    return _Entrance(services, addresses, sockets)


class _Answering(Protocol):
    """What answers at an address."""

    def __call__(self, asked: Asked) -> Coroutine[Any, Any, None]: ...


class _Entrance:
    """Before any route: browsers stay out, and requests for two hosts at once."""

    def __init__(self, services: Services, addresses: Addresses[_Answering], sockets: Addresses["_Stream"]) -> None:
        self._services = services
        self._addresses = addresses
        self._sockets = sockets
        self._nowhere = _Nowhere(services)
        self._origins = frozenset(origin.encode() for origin in services.options.origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = AskedByASGI(scope, receive, send)
        fault = self._fault(asked)
        if fault is not None:
            await refuse(fault, asked)
        elif scope["type"] == "websocket":
            socket = self._sockets.find(asked.path)
            await (self._nowhere(asked) if socket is None else socket[0](asked))
        else:
            await self._find(asked)(asked)

    def at_once(self, asked: Asked) -> Coroutine[Any, Any, None] | None:
        """What answers a request that has come whole, and needs no task; None where one is needed."""
        fault = self._fault(asked)
        if fault is not None:
            return refuse(fault, asked)
        answering = self._find(asked)
        if isinstance(answering, _Resource) and asked.method in answering.waiting:
            return None
        return answering(asked)

    def _find(self, asked: Asked) -> _Answering:
        found = self._addresses.find(asked.path)
        if found is None:
            return self._nowhere
        answering, asked.parameters = found
        return answering

    def _fault(self, asked: Asked) -> ChatError | None:
        """Why a request is refused, whatever its address."""
        # Mostly each header comes once: then there is nothing to be looked for among them.
        hosts = 1
        if b"origin" in asked.headers or len(asked.headers) < len(asked.pairs):
            hosts = 0
            for name, value in asked.pairs:
                if name == b"origin" and value not in self._origins:
                    return Forbidden("requests from web pages are not answered here")
                hosts += name == b"host"
        if self._services.draining:
            # Spread, so that whoever comes back does not come with everybody else.
            again = random.uniform(1, RETRY_SECONDS)  # noqa: S311 - no secret
            return Unavailable("the server is stopping", retry_after=again)
        if hosts > 1:
            # RFC 9112, section 3.2: or whoever stands in front and we could each believe another one.
            return InvalidRequest("the request names its host more than once")
        return None


class _Resource:
    """One address with its methods."""

    def __init__(self, services: Services, path: str, methods: Mapping[str, Endpoint[Any, Any, Any]]) -> None:
        self._services = services
        self._path = path
        self._watch = Watch(services, path)
        self._methods = dict(methods)
        if "GET" in self._methods:
            self._methods["HEAD"] = self._methods["GET"]
        self.waiting = frozenset(method for method, endpoint in self._methods.items() if endpoint.waits)
        """Methods that take a task."""

    async def __call__(self, asked: Asked) -> None:
        endpoint = self._methods.get(asked.method)
        try:
            if endpoint is None:
                allowed = sorted(self._methods)
                raise MethodNotAllowed(f"this address takes {', '.join(allowed)}", details={"allow": allowed})
            self._watch.did(asked, await handle(self._services, endpoint, asked))
        except ChatError as error:
            self._watch.refused(asked, error)
            await refuse(error, asked)
        except Exception as failure:
            # Whom another process has erased, this one may not have heard of yet. Nothing has happened.
            refusal = Unauthorized() if await is_gone(self._services, asked) else Internal()
            if isinstance(refusal, Internal):
                _log.error("%s %s failed", asked.method, self._path, exc_info=failure)
            self._watch.refused(asked, refusal)
            await refuse(refusal, asked)


class _Stream:
    """The event socket's address: who has no valid token does not get as far as a socket."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._watch = Watch(services, STREAM)

    async def __call__(self, asked: AskedByASGI) -> None:
        services = self._services
        try:
            caller = asked.caller = await authenticate(services, asked, peer_of(services, asked))
            services.limiter.others.take(caller.user, caller.device)
            if services.hub.count(caller.user) >= limits.SOCKETS_A_USER:
                raise TooFrequent("too many sockets are open for this user", retry_after=limits.PING_SECONDS)
        except ChatError as error:
            self._watch.refused(asked, error)
            await refuse(error, asked)
            return
        await asked.receive()
        await asked.send({"type": "websocket.accept"})
        self._watch.done(asked, 101)
        scope = dict(asked.scope)
        socket = EventSocket(scope, asked.receive, asked.send, caller=caller, hub=services.hub, log=services)
        await socket.run()


class _Description:
    """openapi.json, made when first asked for."""

    def __init__(self) -> None:
        self._json: bytes | None = None

    async def __call__(self, asked: Asked) -> None:
        if asked.method not in ("GET", "HEAD"):
            await refuse(MethodNotAllowed("this address takes GET"), asked)
            return
        self._json = self._json or encode(describe())
        await asked.answer(200, self._json)


class _Nowhere:
    """Every other address."""

    def __init__(self, services: Services) -> None:
        self._watch = Watch(services, "")

    async def __call__(self, asked: Asked) -> None:
        error = NotFound("there is nothing at this address")
        self._watch.refused(asked, error)
        await refuse(error, asked)
