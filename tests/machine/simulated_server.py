"""A server without sockets: the real endpoints and operations on a store of either engine, one call after the other."""

import itertools
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, TypeVar, cast
from unittest import mock
from urllib.parse import unquote

import msgspec

from tests.server.operations.stores import SqliteStore, Store
from tui_chat.protocol import events, limits
from tui_chat.protocol.errors import ChatError
from tui_chat.protocol.models import ServerFacts
from tui_chat.protocol.requests import ChangeSettings, Credentials
from tui_chat.protocol.wire import encode
from tui_chat.server import request
from tui_chat.server.engines import Committed, Emitted, Transaction
from tui_chat.server.hub import Hub
from tui_chat.server.line import text_frame
from tui_chat.server.operations import accounts, crowdlog, expiry, settings
from tui_chat.server.operations import events as log
from tui_chat.server.operations.caller import Caller
from tui_chat.server.ratelimit import Limiter
from tui_chat.server.routes import ENDPOINTS
from tui_chat.server.routes.endpoint import NOTHING, Call, Endpoint, Peer

if TYPE_CHECKING:
    from tui_chat.server.services import Services

T = TypeVar("T")

START: Final = 1_700_000_000_000
PAGE: Final = 5
"""The most that a page holds here, so that states and logs take several."""
LOOPBACK: Final = Peer("127.0.0.1", "127.0.0.1", {})
_ROUTES: Final = tuple(
    (one.method, re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", one.path)), one) for one in ENDPOINTS
)


def run_now(work: Awaitable[T]) -> T:
    """The result of something that has nothing to wait for here."""
    try:
        next(work.__await__())
    except StopIteration as done:
        result: T = done.value
        return result
    raise AssertionError("a request waits, although the engine answers at once")


class Witness(Protocol):
    """Whoever holds what the server does against the rules."""

    def answered(self, caller: Caller, endpoint: Endpoint[Any, Any, Any], call: Call[Any, Any], answer: Any) -> None:
        """A request was carried out, now or under the same identifier before."""

    def refused(
        self, caller: Caller, endpoint: Endpoint[Any, Any, Any], call: Call[Any, Any], error: ChatError
    ) -> None:
        """A request was refused."""


class Backup(NamedTuple):
    """That the store has marked how it was, and where users' logs stood then."""

    positions: dict[int, int]


class MemoryStore(SqliteStore):
    """SQLite in memory: nothing is durable, everything quick."""

    def __init__(self, now: int) -> None:
        super().__init__(":memory:", now)
        self.connection.execute("PRAGMA temp_store=MEMORY")

    def mark(self) -> None:
        """Keep the present state in mind; the last that was counts."""
        if self._marked is not None:
            self._marked.close()
        super().mark()


class SimulatedEngine:
    """Implements `engines.Engine` on one store, on the caller's thread."""

    def __init__(self, store: Store, clock: Callable[[], int]) -> None:
        self.store = store
        self._clock = clock
        self._listeners: list[Callable[[Committed], None]] = []

    def do(self, job: Callable[[Transaction], T]) -> T:
        """Run a transaction: all of it, or nothing."""
        tx = self.store.begin(self._clock())
        try:
            result = job(tx)
        except BaseException:
            self.store.rollback()
            raise
        self.store.commit()
        if tx.emitted or tx.revoked or tx.settings_changed is not None:
            committed = Committed(emitted=tx.emitted, revoked=tx.revoked, settings_changed=tx.settings_changed)
            for listener in self._listeners:
                listener(committed)
        return result

    def look(self, job: Callable[[Transaction], T]) -> T:
        """Run what only reads."""
        tx = self.store.begin(self._clock())
        try:
            return job(tx)
        finally:
            self.store.rollback()

    async def write(self, job: Callable[[Transaction], T], *, brief: bool = False) -> T:
        """See Engine.write."""
        return self.do(job)

    async def read(self, job: Callable[[Transaction], T]) -> T:
        """See Engine.read."""
        return self.look(job)

    def on_commit(self, listener: Callable[[Committed], None]) -> None:
        """See Engine.on_commit."""
        self._listeners.append(listener)


class Beginning(NamedTuple):
    """What a socket begins with."""

    server: ServerFacts
    position: int
    reset: events.Reset | None


class SimulatedServer:
    """One server, its restarts and its backups. `clock`: milliseconds since 1970; `store`: where its data are, with
    our schema and nothing in it.

    To the endpoints' handlers it is their `services.Services`, of which they use the engine, the hub and the limiter.
    """

    def __init__(self, clock: Callable[[], int], store: Store) -> None:
        self.clock = clock
        self.store = store
        self.engine = SimulatedEngine(store, clock)
        self.engine.on_commit(self._committed)
        self.epoch = ""
        self.logs: dict[str, dict[int, list[Emitted]]] = {}
        """By epoch and user: everything that ever happened, the event with eventSeq n at n - 1."""
        self.emitted: list[Emitted] = []
        """What the request that is answered just now has caused."""
        self.witness: Witness | None = None
        self._routed: dict[tuple[str, str], tuple[Endpoint[Any, Any, Any], dict[str, str]]] = {}
        self.numbers = itertools.count()
        """For what has to be told apart, the same way every time."""
        self.limiter = Limiter(lambda: clock() / 1000)
        self.hub = self._begin("epoch0")

    def _begin(self, epoch: str) -> Hub:
        self.epoch = epoch
        self.logs.setdefault(epoch, {})
        self.store.change("UPDATE meta SET value = ? WHERE name = 'epoch'", epoch)
        self.cursors = log.cursors_of(epoch)
        return Hub(log.cursor_form(epoch))

    def _committed(self, committed: Committed) -> None:
        """Keep what happened, and hand it out as `services.Services` does."""
        self.emitted += committed.emitted
        for one in committed.emitted:
            happened = self.logs[self.epoch].setdefault(one.user, [])
            assert one.event_seq == len(happened) + 1, "eventSeqs of a user are contiguous"
            happened.append(one)
        self.hub.deliver(committed.emitted)
        if committed.settings_changed is not None:
            frame = events.Ephemeral(kind="settings.changed", server=committed.settings_changed)
            self.hub.tell_everyone(text_frame(encode(frame)))

    # Sockets

    def begin(self, caller: Caller, cursor: str | None) -> Beginning:
        """What a socket begins with; see `services.Services.begin`."""

        def job(tx: Transaction) -> Beginning:
            found = log.resume(tx, caller, cursor)
            reset = None if found.reset is None else events.Reset(reason=found.reset)
            return Beginning(settings.facts(tx), found.position, reset)

        return self.engine.look(job)

    def since(self, caller: Caller, position: int) -> events.EventRange | events.Reset:
        """What follows a position, as much as one frame takes."""
        return self.engine.look(lambda tx: log.since(tx, caller, position))

    # People

    def register(self, user_id: str, device_name: str) -> Caller:
        """A new account, and its first device."""
        asked = Credentials(user_id=user_id, password="correct horse", device_name=device_name)
        session = self.engine.do(lambda tx: accounts.register(tx, asked, "hash", open_registration=True))
        return self.engine.do(lambda tx: accounts.authenticate(tx, session.access_token))

    def log_in(self, user_id: str, device_name: str) -> Caller:
        """One more device."""
        asked = Credentials(user_id=user_id, password="correct horse", device_name=device_name)
        session = self.engine.do(lambda tx: accounts.login(tx, asked))
        return self.engine.do(lambda tx: accounts.authenticate(tx, session.access_token))

    # Requests

    def exchange(
        self,
        caller: Caller,
        method: str,
        path: str,
        query: Mapping[str, str],
        content: bytes | None,
        seen_at: str = "",
    ) -> Any:
        """Answer a request. Raises ChatError as the server refuses it."""
        endpoint, parameters = self._route(method, path)
        body = endpoint.decoder.decode(content or b"{}") if endpoint.takes_body else NOTHING
        fields = dict(query)
        if "limit" in fields or path in ("/v1/sync", "/v1/conversations"):
            fields["limit"] = str(min(PAGE, int(fields.get("limit", PAGE))))
        asked = msgspec.convert(fields, endpoint.query, strict=False)
        call: Call[Any, Any] = Call(cast("Services", self), caller, body, asked, parameters, LOOPBACK, _stays)
        self.emitted = []
        try:
            if endpoint.numbered and seen_at:
                request.check_numbering(cast("Services", self), seen_at.encode())
            answer: Any = run_now(endpoint.handler(call))
        except ChatError as error:
            if self.witness is not None:
                self.witness.refused(caller, endpoint, call, error)
            raise
        if self.witness is not None:
            self.witness.answered(caller, endpoint, call, answer)
        return answer

    def ask(self, caller: Caller, method: str, path: str, body: msgspec.Struct | None = None) -> Any:
        """The same for whoever needs no network. Raises ChatError."""
        return self.exchange(caller, method, path, {}, None if body is None else encode(body))

    def _route(self, method: str, path: str) -> tuple[Endpoint[Any, Any, Any], dict[str, str]]:
        known = self._routed.get((method, path))
        if known is not None:
            return known
        for wanted, pattern, endpoint in _ROUTES:
            if wanted == method and (match := pattern.fullmatch(path)) is not None:
                found = endpoint, {name: unquote(value) for name, value in match.groupdict().items()}
                self._routed[method, path] = found
                return found
        raise AssertionError(f"there is no endpoint {method} {path}")

    # What befalls it

    def change_settings(self, **given: Any) -> None:
        """As an administrator does, live."""
        self.engine.do(lambda tx: settings.apply(tx, ChangeSettings(**given)))

    def tidy(self) -> None:
        """Everything that is due."""
        while self.engine.do(crowdlog.spread) or sum(map(self.engine.do, expiry.PIECES)):
            pass

    def trim(self, keep: int) -> None:
        """Cut every user's log down to its newest `keep` events."""
        with mock.patch.object(limits, "LOG_EVENTS", keep):
            while self.engine.do(expiry.trim_logs):
                pass

    def position(self, user: int) -> int:
        """A user's newest eventSeq."""
        return self.engine.look(lambda tx: log.position(tx, user))

    def back_up(self) -> Backup:
        """Everything as it is now; the backup before it can be restored no more."""
        self.store.mark()
        return Backup({user: len(one) for user, one in self.logs[self.epoch].items()})

    def restore(self, backup: Backup) -> None:
        """Be again as at the backup, under a new epoch; whoever is connected must be cut off by the caller."""
        before = self.logs[self.epoch]
        self.store.go_back()
        epoch = f"epoch{len(self.logs)}"
        self.logs[epoch] = {user: before[user][:length] for user, length in backup.positions.items()}
        self.hub = self._begin(epoch)

    def close(self) -> None:
        """Let go of the data."""
        self.store.close()


def is_for(one: Emitted, device_id: str) -> bool:
    """Whether a device hears of an event."""
    return one.only_device in (None, device_id)


async def _stays() -> None:
    raise AssertionError("nobody hangs up here")


def payload(frame: bytes) -> bytes:
    """What a WebSocket frame of the server carries; the reverse of `line.text_frame`."""
    return frame[{126: 4, 127: 10}.get(frame[1], 2) :]
