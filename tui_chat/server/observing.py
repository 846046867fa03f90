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
from .request import count_address, peer_of, refuse
from .routes.endpoint import Peer
from .services import Services

METRICS: Final = "/metrics"
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
"""Others are counted as one: whoever invents methods must not make ever more series."""

_access = logging.getLogger("tui_chat.access")
_log = logging.getLogger(__name__)


class Watch:
    """Counts and logs the requests for one address, each at its end."""

    def __init__(self, services: Services, path: str) -> None:
        self._services = services
        self._path = path
        """The address' pattern; empty for one that is none."""

    def did(self, asked: Asked, result: Any) -> None:
        """It was answered, with this."""
        self._services.metrics.did(self._path, result)
        self.done(asked, 200)

    def refused(self, asked: Asked, error: ChatError) -> None:
        """It is refused."""
        self._services.metrics.refused(error)
        self.done(asked, error.status, error.code)

    def done(self, asked: Asked, status: int, code: str | None = None) -> None:
        """It is over; `code`: of the error, where it was refused."""
        services = self._services
        seconds = time.monotonic() - asked.began
        method = asked.method if asked.method in _METHODS else "OTHER"
        services.metrics.answered(method, self._path, status, seconds)
        if services.options.access_log:
            caller = asked.caller
            facts = {
                "method": method,
                "endpoint": self._path,
                "status": status,
                "ms": round(seconds * 1000, 2),
                "address": peer_of(services, asked).address,
                "device": caller.device_id if caller is not None else None,
                "error": code,
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
        count_address(self._services, peer)
        options = self._services.options
        if options.metrics_token is None:
            if not from_this_machine(options, peer.connection, peer.headers):
                raise Forbidden("metrics are for requests from the server's own machine, or with a token (see serve)")
            return
        scheme, _, token = peer.headers.get(b"authorization", b"").partition(b" ")
        if scheme.lower() != b"bearer" or not hmac.compare_digest(token.strip(), options.metrics_token.encode()):
            raise Unauthorized("this needs `Authorization: Bearer` with the metrics token")
