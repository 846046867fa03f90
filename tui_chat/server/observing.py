"""What is counted and logged of each request, and who may read the numbers."""

import asyncio
import hmac
import logging
import time
from typing import Any, Final

from tui_chat.protocol.errors import ChatError, Forbidden, Internal, MethodNotAllowed, Unauthorized

from .asked import Asked
from .auth import from_this_machine
from .metrics import CONTENT_TYPE
from .request import count, peer_of, refuse
from .routes.endpoint import Counted, Peer
from .services import Services

METRICS: Final = "/metrics"
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
"""Others are counted as one: whoever invents methods must not make ever more series."""

_access = logging.getLogger("tui_chat.access")
_log = logging.getLogger(__name__)


class Watched:
    """One request, from its head to its answer."""

    __slots__ = ("_asked", "_began", "_code", "_path", "_services")

    def __init__(self, services: Services, asked: Asked, path: str) -> None:
        self._services = services
        self._asked = asked
        self._path = path
        """The address' pattern; empty for one that is none."""
        self._code = ""
        self._began = time.monotonic()

    def did(self, result: Any) -> None:
        """It was answered, with this."""
        self._services.metrics.did(self._path, result)
        self.done(200)

    def refused(self, error: ChatError) -> None:
        """It is refused."""
        self._code = error.code
        self._services.metrics.refused(error)
        self.done(error.status)

    def done(self, status: int) -> None:
        """It is over."""
        seconds = time.monotonic() - self._began
        method = self._asked.method
        method = method if method in _METHODS else "OTHER"
        self._services.metrics.answered(method, self._path, status, seconds)
        if self._services.options.access_log:
            caller = self._asked.caller
            facts = {
                "method": method,
                "endpoint": self._path,
                "status": status,
                "ms": round(seconds * 1000, 2),
                "address": peer_of(self._services, self._asked).address,
                "device": caller.device_id if caller is not None else None,
                "error": self._code or None,
            }
            known = {name: value for name, value in facts.items() if value is not None}
            _access.info("request", extra={"facts": known})


class Exposition:
    """GET /metrics.

    The numbers tell how a server is used and when. So they are for requests from this machine, by the rule by which one
    may register without an invitation; or, where its operator has chosen a token, for who shows that.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    async def __call__(self, asked: Asked) -> None:
        services = self._services
        try:
            if asked.method not in ("GET", "HEAD"):
                raise MethodNotAllowed("this address takes GET")
            self._admit(peer_of(services, asked))
            text = await asyncio.to_thread(services.metrics.text, await services.engine.size())
        except ChatError as error:
            await refuse(error, asked)
        except Exception:
            _log.exception("%s failed", METRICS)
            await refuse(Internal(), asked)
        else:
            await asked.answer(200, text, kind=CONTENT_TYPE.encode())

    def _admit(self, peer: Peer) -> None:
        """Raise Forbidden, Unauthorized or TooFrequent for those who may not read them."""
        count(self._services, Counted.OTHERS, None, peer)
        options = self._services.options
        if options.metrics_token is None:
            if not from_this_machine(options, peer.connection, peer.headers):
                raise Forbidden("metrics are for requests from the server's own machine, or with a token (see serve)")
            return
        scheme, _, token = peer.headers.get(b"authorization", b"").partition(b" ")
        if scheme.lower() != b"bearer" or not hmac.compare_digest(token.strip(), options.metrics_token.encode()):
            raise Unauthorized("this needs `Authorization: Bearer` with the metrics token")
