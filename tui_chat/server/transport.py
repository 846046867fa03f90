"""uvicorn's end of HTTP with what ASGI cannot say: how long and how large a request's head may be, and what is answered
without it."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, cast

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tui_chat.protocol import limits

from .asked import Asked
from .auth import Bearer
from .steps import Steps
from .whole import AskedWhole

ABORT: Final = "tui_chat.abort"
"""Among a request's extensions: what cuts its connection, whatever is still to be sent."""
HEAD_BYTES: Final = 32 * 1024
"""Of a request's line and headers."""
RAW_BYTES_MOST: Final = 16 * limits.BODY_BYTES
"""Of a body with everything around it. What stands about chunks is kept by the parser however long it is, and one that
nobody reads would come for as long as its sender likes."""
HEAD_TOO_LARGE: Final = "The head of the request is too large."
HEAD_SECONDS: Final = 20.0
"""From the connection, or from a request's first byte, to the end of its head."""
HELD_SECONDS: Final = 0.05
HELD_BYTES: Final = 64 * 1024
"""So long, and so much of it, a request is held whose end has not come with its beginning: many clients, httpx among
them, send a head and the body behind it in two pieces."""
UNREADABLE: Final = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class RequestProtocol(HttpToolsProtocol):
    """Ends connections that never come to the point, and answers most requests without ASGI.

    A request whose end comes with its beginning or soon after, as of nearly all, is handed to the application as it is,
    and what answers it takes its first step at once (see Steps): measured, ASGI's scope, calls and task take as long
    again as everything else that is done of HTTP. What comes slowly, behind another request, or wants an upgrade, goes
    uvicorn's way.
    """

    _head_least = _head_most = 0
    """Bytes of a head that has not ended: without the piece in which it began, and with all of that, of which much may
    be of requests before it."""
    _piece_bytes = 0
    """Of the piece that is being read."""
    _begun = False
    """A request has begun in it."""
    _in_head = True
    """A head has begun and not ended; a new connection owes one."""
    _head_timer: asyncio.TimerHandle | None = None
    _idle_since: float | None = None
    """Since when there is nothing to be done; None while there is."""
    _at_once: Callable[[Asked], Coroutine[Any, Any, None] | None] | None = None
    """The application's way, if it has one, to answer a request that has come whole; None for one that goes by ASGI."""
    _held: list[bytes] | None = None
    """The body, so far, of a request that may still come whole; None where there is none. The next four are its."""
    _held_timer: asyncio.TimerHandle | None = None
    _path = ""
    _query = b""
    _fields: dict[bytes, bytes]
    """The headers by name: the last of each."""
    _goes_on = True
    """Whether the connection does, after it."""
    _in_body = False
    """A request's head has ended, and it has not."""
    _body_bytes = 0
    """Of the pieces that came since."""
    _declined = False
    """The head that was read offers an upgrade that is not taken, and comes again without it."""
    _refusal: str | None = None
    """What is to be said of bytes that could not be read, once the requests before them are answered."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A first request is due."""
        super().connection_made(transport)
        self._at_once = getattr(self.app, "at_once", None)
        self._bearer = Bearer()
        self.url, self.headers = b"", []
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is due any more."""
        super().connection_lost(exc)
        self._have_head()
        self._let_go()
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
            self.timeout_keep_alive_task = None

    def data_received(self, data: bytes) -> None:
        """Look after what did not end with this piece; most requests come in one."""
        if self._refusal is not None:
            return
        self._piece_bytes = len(data)
        self._begun = False
        self._read(data)
        if self._held is not None:
            if self.transport.is_closing():
                self._let_go()  # It cannot be read any further.
            elif sum(map(len, self._held)) > HELD_BYTES:
                self._go_by_asgi()
            elif self._held_timer is None:
                self._held_timer = self.loop.call_later(HELD_SECONDS, self._go_by_asgi)
        if self._in_body:
            self._body_bytes += len(data)
            if self._body_bytes > RAW_BYTES_MOST:
                self.transport.abort()
        if self._in_head:
            self._wait_for_head()
            self._head_most += len(data)
            if not self._begun:
                self._head_least += len(data)
            if self._head_least > HEAD_BYTES or (self._head_most > HEAD_BYTES and self._head_is_large()):
                self._refuse_once(HEAD_TOO_LARGE)

    def _read(self, data: bytes) -> None:
        """As uvicorn's, but that an upgrade to anything but a WebSocket is not heeded (RFC 9110, section 7.8): many
        clients offer HTTP/2 so.

        The parser takes what follows such a head for another protocol's, though it be the request's own body, which
        would be read as the next request: so it is given the head once more, without the offer.
        """
        while data and not self.transport.is_closing():
            try:
                self.parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as upgrade:
                if self._should_upgrade():
                    self.handle_websocket_upgrade()
                    return
                version = self.parser.get_http_version().encode()
                fields = b"".join(b"%b: %b\r\n" % field for field in self.headers if field[0] != b"upgrade")
                head = b"%b %b HTTP/%b\r\n%b\r\n" % (self.parser.get_method(), self.url, version, fields)
                data = head + data[upgrade.args[0] :]
                self._declined = False
            except httptools.HttpParserError:
                self.send_400_response("Invalid HTTP request received.")
                return

    def send_400_response(self, msg: str) -> None:
        """Refuse what cannot be read: behind the answers to the requests before it, for one of which it would be taken
        otherwise."""
        if self._head_is_large():
            msg = HEAD_TOO_LARGE
        cycle = self.cycle
        if cycle is None or cycle.response_complete or (cycle.more_body and not self.pipeline):
            super().send_400_response(msg)
            return
        if cycle.more_body:
            self.pipeline.popleft()  # It is the one that cannot be read, and was not begun.
        self._refusal = msg
        self._have_head()

    def _refuse_once(self, msg: str) -> None:
        if self._refusal is None and not self.transport.is_closing():
            self.send_400_response(msg)

    def _head_is_large(self) -> bool:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > HEAD_BYTES

    def handle_websocket_upgrade(self) -> None:
        """As uvicorn's, but never under a request that is still to be answered: its answer would stand among frames."""
        if self.cycle is None or self.cycle.response_complete:
            super().handle_websocket_upgrade()
        else:
            self.send_400_response("A socket is not opened before the requests ahead of it are answered.")

    def on_message_begin(self) -> None:
        """A request begins. uvicorn's scope is made when it is needed."""
        self.url = b""
        self.headers = []
        self._fields = {}
        self.expect_100_continue = False
        self._in_head = self._begun = True
        self._idle_since = None
        self._head_least = self._head_most = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; or a trailer, which is no part of the head (RFC 9110, section 6.5.1): whoever stands in front has
        set and checked headers alone."""
        if not self._in_head:
            return
        name = name.lower()
        self.headers.append((name, value))
        self._fields[name] = value

    def on_headers_complete(self) -> None:
        """The head is there."""
        self._have_head()
        self._idle_since = None  # which an answer to the request before may have set since this one began
        if self._head_most + self._piece_bytes > HEAD_BYTES and self._head_is_large():
            raise ValueError(HEAD_TOO_LARGE)
        self._in_body, self._body_bytes = True, 0
        cycle, parser, fields = self.cycle, self.parser, self._fields
        if b"expect" in fields:
            expected = [value.lower() for name, value in self.headers if name == b"expect"]
            self.expect_100_continue = b"100-continue" in expected
        if cycle is not None and self.transport.is_closing():
            return  # What comes behind a request after which the connection ends is not carried out.
        upgrades = parser.should_upgrade()
        if upgrades and parser.get_method() == b"CONNECT":
            raise ValueError("this is no proxy")
        if upgrades and not self._should_upgrade():
            self._declined = True
            return
        if (
            self._at_once is None
            or self.expect_100_continue
            or upgrades
            or (cycle is not None and not cycle.response_complete)
        ):
            self._go_by_asgi()
            return
        if self.url.startswith(b"/") and b"?" not in self.url and b"#" not in self.url:
            self._path, self._query = self.url.decode("ascii"), b""
        else:
            url = httptools.parse_url(self.url)
            self._path, self._query = url.path.decode("ascii"), url.query or b""
        # One who speaks HTTP/1.0 is kept only where they ask for it; here they are not even then.
        asks = b"connection" in fields
        self._goes_on = parser.should_keep_alive() and not (asks and parser.get_http_version() == "1.0")
        self._held = []

    def on_body(self, body: bytes) -> None:
        """A piece of a body."""
        if self._held is None:
            super().on_body(body)
        else:
            self._held.append(body)

    def on_message_complete(self) -> None:
        """A request has come whole, or come to its end by and by."""
        self._in_body = False
        held, at_once = self._held, self._at_once
        if held is None or at_once is None:
            if self._declined:
                return
            super().on_message_complete()
            return
        asked = AskedWhole(
            self,
            self.parser.get_method().decode("ascii"),
            self._path,
            self._query,
            self._fields,
            held[0] if len(held) == 1 else b"".join(held),
            self._goes_on,
            self._bearer,
        )
        work = at_once(asked)
        if work is None:
            self._go_by_asgi()
            super().on_message_complete()
            return
        self._let_go()
        self.cycle = asked  # type: ignore[assignment]
        steps = Steps(self.loop, work, self._ended)
        self.tasks.add(steps)  # type: ignore[arg-type]
        steps.begin()

    def _go_by_asgi(self) -> None:
        """Leave the request to uvicorn, with what has come of it."""
        held = self._let_go()
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.headers, self.expect_100_continue = url, headers, expects
        self.scope["headers"] = headers
        self.scope["extensions"] = cast(Any, {ABORT: self.transport.abort})
        super().on_headers_complete()
        for body in held or ():
            super().on_body(body)

    def _let_go(self) -> list[bytes] | None:
        """Hold no request any longer; what had come of its body."""
        held, self._held = self._held, None
        if self._held_timer is not None:
            self._held_timer.cancel()
            self._held_timer = None
        return held

    def _ended(self, steps: Steps, failure: BaseException | None) -> None:
        """What answers a request has come to its end."""
        self.tasks.discard(steps)
        if failure is not None:
            self.logger.error("a request was not answered", exc_info=failure)
            self.transport.close()

    def on_response_complete(self) -> None:
        """As uvicorn's, but that the timer of an idle connection goes on: to begin a new one after each answer, and to
        end it at the next request, costs as much as reading the request."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        if self.flow.read_paused:
            self.flow.resume_reading()
        if self.pipeline:
            cycle, application = self.pipeline.pop()
            self._start_asgi_task(cycle, application)
            return
        if self._refusal is not None:
            super().send_400_response(self._refusal)
            return
        self._idle_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def timeout_keep_alive_handler(self) -> None:
        """Close the connection if it has been idle for so long; look again when it will have been."""
        self.timeout_keep_alive_task = None
        if self._idle_since is None:
            return
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self.timeout_keep_alive_task = self.loop.call_later(left, self.timeout_keep_alive_handler)
        elif not self.transport.is_closing():
            self.transport.close()

    def _unset_keepalive_if_required(self) -> None:
        self._idle_since = None

    def _wait_for_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self._head_is_late)

    def _have_head(self) -> None:
        self._in_head = False
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_is_late(self) -> None:
        self._head_timer = None
        if not self.transport.is_closing():
            self.transport.abort()
