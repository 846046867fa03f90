"""What requests and sockets share: the engine, the hub, passwords, tokens, limits. Made once for a running server."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from random import Random, SystemRandom
from typing import Final

from tui_chat.protocol import events
from tui_chat.protocol.errors import ChatError, Unavailable
from tui_chat.protocol.wire import encode

from .auth import Passwords, Tokens
from .backup import Backups
from .bus.exchange import Exchange
from .bus.making import make_bus
from .engines import Clock, Committed, Engine, Transaction
from .health import Health
from .hub import Hub
from .line import text_frame
from .metrics import Metrics
from .operations import accounts, acquaintance, conversations, crowdlog, devices, expiry, settings
from .operations import events as log
from .operations.caller import Caller
from .options import ServerOptions, address_of
from .presence import Presence
from .ratelimit import Limiter
from .stream import Beginning, Stretch

TIDY_SECONDS: Final = 30.0
SPREAD_SECONDS: Final = 1.0
"""So long what groups are told is gathered before it is spread: the more there is, the fewer pages are written."""
DOUBT_SECONDS: Final = 0.25
"""Between two comparisons, however often there is a reason for one."""
CHECK_SECONDS: Final = 1.0
"""How often sockets' deadlines are looked at."""
TYPING_AUDIENCE_MOST: Final = 50
"""In larger groups nobody is told of typing."""

_log = logging.getLogger(__name__)


class Services:
    """The parts of one running server."""

    def __init__(
        self,
        engine: Engine,
        options: ServerOptions,
        *,
        epoch: str,
        clock: Clock,
        monotonic: Callable[[], float],
        random: Random,
    ) -> None:
        self.engine: Final = engine
        self.options: Final = options
        self.trusted_proxies: Final = frozenset(address_of(one) for one in options.trusted_proxy)
        """As addresses, of which some have several spellings: to who listens on `::`, IPv4 ones are IPv6 ones."""
        self.cursors: Final = log.cursors_of(epoch)
        """What this run of the server's data gives out matches; a cursor of before a backup was restored does not."""
        self.hub: Final = Hub(log.cursor_form(epoch))
        self.presence: Final = Presence(self.hub, self._acquaintances)
        self.passwords: Final = Passwords(options.passwords)
        self.limiter: Final = Limiter(monotonic)
        self.tokens: Final = Tokens(self._authenticate, clock)
        process = f"{random.getrandbits(64):016x}"
        self.exchange: Final = Exchange(
            make_bus(options, process, epoch, monotonic, random),
            process,
            engine=engine,
            hub=self.hub,
            tokens=self.tokens,
            presence=self.presence,
        )
        self.metrics: Final = Metrics(self.hub, self.exchange, self.limiter.exports)
        self.health: Final = Health(engine, self.exchange.bus, monotonic)
        self.backups: Final = Backups(engine, options.backups or options.data / "backups", clock)
        self.draining = False
        """The server is about to stop: nothing new is begun."""
        self._due = asyncio.Event()
        self._told = asyncio.Event()
        """Something was told since it was last looked for what is to be spread."""
        self._told.set()  # Whoever was here before may have left some.
        engine.on_commit(self._committed)
        engine.on_group(self.metrics.group)

    @classmethod
    async def open(
        cls,
        engine: Engine,
        options: ServerOptions,
        *,
        clock: Clock,
        monotonic: Callable[[], float],
        random: Random | None = None,
    ) -> "Services":
        """Read what has to be known of the database first, and find the other processes.

        Raises:
            CannotServe: what the bus needs is not installed.
        """
        epoch = await engine.read(log.epoch)
        services = cls(engine, options, epoch=epoch, clock=clock, monotonic=monotonic, random=random or SystemRandom())
        await services.exchange.begin()
        return services

    async def close(self) -> None:
        """End what was started here; the engine is its opener's."""
        await self.exchange.close()
        await self.presence.close()
        await asyncio.to_thread(self.passwords.close)

    # What a socket needs of the database (stream.Log).

    async def begin(self, caller: Caller, cursor: str | None) -> Beginning:
        """What a socket begins with, in one reading. Raises Unauthorized where the device was revoked."""

        def job(tx: Transaction) -> Beginning:
            log.check_device(tx, caller)
            found = log.resume(tx, caller, cursor)
            reset = None if found.reset is None else events.Reset(reason=found.reset)
            stretch = _stretch(tx, caller, found.position)
            if stretch is None:
                raise Unavailable("the log moved on: try again")
            return Beginning(settings.facts(tx), found.position, reset, stretch)

        # What is written from here on is heard of; what was written before is read.
        await self.exchange.subscribe(caller.user)
        return await self.engine.read(job)

    async def since(self, caller: Caller, position: int) -> Stretch | None:
        """What follows a position; None where the log no longer reaches back so far."""
        return await self.engine.read(lambda tx: _stretch(tx, caller, position))

    async def typing(self, caller: Caller, conversation_id: str) -> None:
        """Tell the others of a conversation that somebody types; who may not write there tells nobody."""
        try:
            others = await self.engine.read(lambda tx: conversations.may_type(tx, caller, conversation_id))
        except ChatError as error:
            _log.debug("typing of device %s is not passed on: %s", caller.device_id, error)
            return
        if len(others) > TYPING_AUDIENCE_MOST:
            return
        by_name: dict[str, list[int]] = {}
        for user, _user_id, their_name in others:
            by_name.setdefault(their_name, []).append(user)
        for their_name, users in by_name.items():
            frame = encode(events.Ephemeral(kind="typing", conversation_id=their_name, user_id=caller.user_id))
            framed = text_frame(frame)
            for user in users:
                self.hub.tell(user, framed)
            self.exchange.tell(users, frame)

    async def _acquaintances(self, users: Sequence[int]) -> dict[int, acquaintance.Acquaintances]:
        return await self.engine.read(lambda tx: acquaintance.acquaintances(tx, users))

    # What goes on by itself.

    async def watch(self) -> None:
        """Look after the sockets: deadlines every second, what others may have changed as often as the bus needs."""
        loop = asyncio.get_running_loop()
        compared = loop.time()
        while True:
            await self.exchange.pause(min(CHECK_SECONDS, max(0.0, compared + self.exchange.every - loop.time())))
            self.exchange.check(loop.time())
            self.hub.check(loop.time())
            self.presence.check(loop.time())
            if self.exchange.doubted:
                await asyncio.sleep(max(0.0, compared + DOUBT_SECONDS - loop.time()))
            if self.exchange.doubted or loop.time() >= compared + self.exchange.every:
                compared = loop.time()
                await self.exchange.compare()

    async def tidy(self) -> None:
        """Fold in what has expired, erase what nobody can see, trim logs; a little at a time."""
        while True:
            more = False
            for piece in expiry.PIECES:
                more |= await self._try(self.engine.write(piece))
            if not more and not await self._try(self.engine.reclaim()):
                with suppress(TimeoutError):
                    async with asyncio.timeout(TIDY_SECONDS):
                        await self._due.wait()
                self._due.clear()

    async def _try(self, work: Awaitable[bool]) -> bool:
        """Whether there is more of it; where it fails, that is for the next time."""
        try:
            return await work
        except ChatError as error:
            _log.warning("tidying up failed: %s", error)
        except Exception:
            _log.exception("tidying up failed")
        return False

    def tidy_soon(self) -> None:
        """Something is due that should not wait for the next time."""
        self._due.set()

    async def spread(self) -> None:
        """Give what groups were told to each member's log, soon after it was written."""
        while True:
            await self._told.wait()
            await asyncio.sleep(SPREAD_SECONDS)
            self._told.clear()
            try:
                while await self.engine.read(crowdlog.waits):
                    if not await self.engine.write(crowdlog.spread):
                        self._told.set()  # Another process is at it, or tidies.
                        break
            except ChatError as error:
                _log.warning("what groups were told could not be spread: %s", error)
                await asyncio.sleep(TIDY_SECONDS)
                self._told.set()

    async def _authenticate(self, token: str) -> Caller:
        caller = await self.engine.read(lambda tx: accounts.authenticate(tx, token))
        await self.engine.write(lambda tx: devices.touch(tx, caller, token), brief=True)
        return caller

    def _committed(self, committed: Committed) -> None:
        if committed.revoked:
            gone = [revoked.device_id for revoked in committed.revoked]
            self.tokens.forget(gone)
        self.metrics.committed(len(committed.emitted))
        self.hub.deliver(committed.emitted)
        if committed.emitted:
            self._told.set()
        self.exchange.committed(committed)
        if committed.revoked:
            self.hub.close_devices(gone, events.CLOSE_REVOKED)
        if committed.settings_changed is not None:
            frame = events.Ephemeral(kind="settings.changed", server=committed.settings_changed)
            self.hub.tell_everyone(text_frame(encode(frame)))


def _stretch(tx: Transaction, caller: Caller, position: int) -> Stretch | None:
    found = log.since(tx, caller, position)
    return None if isinstance(found, events.Reset) else Stretch(found, log.position(tx, caller.user))
