"""How an endpoint is declared, and what a handler gets: a request that is authenticated, counted, decoded."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from enum import Enum
from operator import attrgetter
from typing import Any, Final, Generic, Literal, TypeVar

import msgspec

from tui_chat.protocol.errors import ChatError
from tui_chat.protocol.wire import Request
from tui_chat.server.engines import Alike, Transaction
from tui_chat.server.operations.caller import Caller
from tui_chat.server.ratelimit import EachDevice, Limiter
from tui_chat.server.services import Services

Body = TypeVar("Body")
Query = TypeVar("Query")
Answer = TypeVar("Answer")
Result = TypeVar("Result")


class Counted(Enum):
    """Which of the limits a call counts for."""

    NOT = "not"
    OTHERS = "others"
    MESSAGES = "messages"
    DELETIONS = "deletions"
    SEARCHES = "searches"
    LOGINS = "logins"


_OF_DEVICES: Final[Mapping[Counted, Callable[[Limiter], EachDevice]]] = {
    Counted.OTHERS: attrgetter("others"),
    Counted.MESSAGES: attrgetter("messages"),
    Counted.DELETIONS: attrgetter("deletions"),
    Counted.SEARCHES: attrgetter("searches"),
    Counted.LOGINS: attrgetter("others"),
}


class Nothing(Request, frozen=True, kw_only=True):
    """A query or a body without fields."""


NOTHING: Final = Nothing()


LINES: Final = "application/x-ndjson"
"""The type of an answer of many lines, each a JSON object."""


class Pieces(msgspec.Struct, frozen=True):
    """An answer of many lines, which is sent while it is made."""

    data: AsyncGenerator[bytes, None]
    """Whole lines, at least one piece of them; what it raises before the first is a refusal like any other."""
    failed: Callable[[ChatError], bytes]
    """The line that ends an answer that could not be finished."""


class Peer(msgspec.Struct, frozen=True, gc=False):
    """Where a request comes from."""

    connection: str | None
    """Address of the other end of the connection: the client's or a proxy's."""
    address: str | None
    """Of the client itself, also behind a trusted proxy."""
    headers: Mapping[bytes, bytes]


class Call(Generic[Body, Query]):
    """One request on its way through a handler."""

    __slots__ = ("_caller", "body", "gone", "path", "peer", "query", "services")

    def __init__(
        self,
        services: Services,
        caller: Caller | None,
        body: Body,
        query: Query,
        path: Mapping[str, str],
        peer: Peer,
        gone: Callable[[], Awaitable[None]],
    ) -> None:
        self.services = services
        self._caller = caller
        self.body = body
        self.query = query
        self.path = path
        """Parameters of the path, percent-decoded."""
        self.peer = peer
        self.gone = gone
        """Returns when the client has hung up."""

    @property
    def caller(self) -> Caller:
        """Who asks; only where the endpoint authenticates."""
        assert self._caller is not None
        return self._caller

    def write(self, operation: Callable[..., Result], *arguments: Any, **named: Any) -> Awaitable[Result]:
        """Run `operation(tx, caller, …)`, which changes something; what it returns is committed."""
        caller = self.caller

        def job(tx: Transaction) -> Result:
            return operation(tx, caller, *arguments, **named)

        return self.services.engine.write(job)

    def write_briefly(self, operation: Callable[..., Result], *arguments: Any) -> Awaitable[Result]:
        """The same for an operation that is brief with these arguments; see Engine.write."""
        caller = self.caller

        def job(tx: Transaction) -> Result:
            return operation(tx, caller, *arguments)

        return self.services.engine.write(job, brief=True)

    def write_alike(self, job: Callable[..., Alike[Result]], *arguments: Any) -> Awaitable[Result]:
        """The same for what many do at once: `job(caller, …)` carries it out."""
        return self.services.engine.write(job(self.caller, *arguments), brief=True)

    def read(self, operation: Callable[..., Result], *arguments: Any, **named: Any) -> Awaitable[Result]:
        """Run `operation(tx, caller, …)`, which only reads."""
        caller = self.caller

        def job(tx: Transaction) -> Result:
            return operation(tx, caller, *arguments, **named)

        return self.services.engine.read(job)


class Endpoint(Generic[Body, Query, Answer]):
    """One line of the table from which requests are routed and openapi.json is made; the handler's docstring is its
    description there."""

    def __init__(
        self,
        method: Literal["GET", "POST", "PATCH", "PUT", "DELETE"],
        path: str,
        handler: Callable[[Call[Body, Query]], Awaitable[Answer | Pieces]],
        answer: type[Answer],
        *,
        body: type[Body] = Nothing,  # type: ignore[assignment]
        query: type[Query] = Nothing,  # type: ignore[assignment]
        counted: Counted = Counted.OTHERS,
        anyone: bool = False,
        lines: bool = False,
        waits: bool = False,
        numbered: bool = False,
        errors: tuple[type[ChatError], ...] = (),
    ) -> None:
        self.method = method
        self.path = path
        self.handler = handler
        self.answer = answer
        self.body = body
        self.query = query
        self.counted = counted
        self.limit = _OF_DEVICES.get(counted)
        """The limit that a device's call counts for, among a server's; None: none."""
        self.anyone = anyone
        """Needs no token."""
        self.lines = lines
        """The handler answers Pieces, whose lines are each an `answer`."""
        self.waits = waits or lines
        """The handler runs in a task of its own: it uses asyncio.timeout, or whatever else asks for the current task,
        or looks after a client that may hang up. Others wait for the database and for threads alone."""
        self.numbered = numbered
        """The call names messages by numbers that somebody has seen: where its header SEEN_AT says that this was before
        the server was restored from a backup, it is refused."""
        self.errors = errors
        """What it refuses with, beyond what every endpoint does."""
        self.takes_body = body is not Nothing
        self.decoder: msgspec.json.Decoder[Body] = msgspec.json.Decoder(body)
