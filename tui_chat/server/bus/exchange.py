"""What one process does about the others: tells them what it has committed, and acts on what they say.

Nothing depends on being told. What another process wrote is read from the log; positions, revoked devices and settings
are compared with the database every POSITION_CHECK_SECONDS, every AWAY_SECONDS while the bus is away, and whenever
something may have been missed.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple

from tui_chat.protocol import events, limits
from tui_chat.protocol.errors import ChatError
from tui_chat.protocol.models import ServerFacts
from tui_chat.protocol.wire import encode
from tui_chat.server.auth import Tokens
from tui_chat.server.engines import Committed, Engine, Transaction
from tui_chat.server.hub import Hub
from tui_chat.server.line import text_frame
from tui_chat.server.operations import accounts, devices, settings
from tui_chat.server.operations import events as log
from tui_chat.server.operations.latest import latest
from tui_chat.server.presence import Presence

from . import Announcement, Bus, Revoked, SettingsChanged
from .processes import Processes

AWAY_SECONDS: Final = 2.0
LOOKED_BACK_MS: Final = 600_000
"""How far back comparisons look for devices that were revoked: further than clocks of machines are apart."""
DEVICES_A_PIECE: Final = 200
USERS_AT_ONCE: Final = 500
"""Whose logs are read on in one reading."""

_log = logging.getLogger(__name__)


class Found(NamedTuple):
    """What a comparison found in the database."""

    positions: dict[int, int]
    revoked: list[str]
    erased: list[int]
    facts: ServerFacts | None


class Exchange:
    """One process' end of the bus. Use `begin` and `close`."""

    def __init__(self, bus: Bus, process: str, *, engine: Engine, hub: Hub, tokens: Tokens, presence: Presence) -> None:
        self.bus: Final = bus
        self.processes: Final = Processes(bus, process, hub.users, met=self.doubtful, came=presence.came)
        self.missed = 0
        """Users of whom a comparison found that they had missed something."""
        self._engine = engine
        self._hub = hub
        self._tokens = tokens
        self._shared = bus.shared
        self._doubt = asyncio.Event()
        self._facts: ServerFacts | None = None
        self._revoked: frozenset[str] = frozenset()
        self._erased: frozenset[int] = frozenset()
        self._waited: dict[int, int] = {}
        """Positions of users with a waiting request, as the comparison before found them."""
        self._failing = False
        self._behind: set[int] = set()
        """Users whose connections here have not been told everything."""
        self._reading: asyncio.Task[None] | None = None
        presence.elsewhere = self.processes.elsewhere
        if bus.shared:
            hub.reads_on = self._reads_on

    async def begin(self) -> None:
        """Be heard, and hear."""
        await self.bus.begin(self)

    async def close(self) -> None:
        """Take leave."""
        self.processes.leave()
        await self.bus.close()
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait([self._reading])

    # What happens here.

    def committed(self, committed: Committed) -> None:
        """Tell the others what was committed here."""
        if not self._shared:
            return
        if committed.emitted and not self.processes.alone:
            self.bus.wake({one.user: one.event_seq for one in committed.emitted})
        gone = [one.device_id for one in committed.revoked]
        for start in range(0, len(gone), DEVICES_A_PIECE):
            self.bus.announce(Revoked(gone[start : start + DEVICES_A_PIECE]))
        if committed.settings_changed is not None:
            self._facts = committed.settings_changed
            self.bus.announce(SettingsChanged())

    def tell(self, users: Iterable[int], frame: bytes) -> None:
        """Give an ephemeral frame (JSON) to these users' sockets at other processes."""
        there = self.processes.elsewhere()
        if there and (concerned := [user for user in users if user in there]):
            self.bus.tell(concerned, frame)

    async def subscribe(self, user: int) -> None:
        """Be sure to hear of a user, who is about to be told everything since a position."""
        await self.bus.subscribe(user)

    # What others say: see bus.Ears.

    def woken(self, positions: Mapping[int, int]) -> None:
        """Let those who are here read on."""
        self.bus.counts.received += len(positions)
        here = {user: event_seq for user, event_seq in positions.items() if self._hub.concerns(user)}
        if not here:
            return
        self.bus.counts.woken_here += len(here)
        self._hub.wake(here)
        for user, event_seq in here.items():
            reached = self._hub.reached(user)
            if reached is None:
                self._hub.compare({user: event_seq})  # They are reading on by themselves, and are told how far.
            elif reached < event_seq:
                self._reads_on(user)

    def _reads_on(self, user: int) -> bool:
        """Read on soon, for all connections of this user."""
        self._behind.add(user)
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read_on())
        return True

    async def _read_on(self) -> None:
        """Read what those who are behind have missed, many users in one reading, as long as there are any."""
        while self._behind:
            users, self._behind = list(self._behind)[:USERS_AT_ONCE], set(list(self._behind)[USERS_AT_ONCE:])
            reached = {user: there for user in users if (there := self._hub.reached(user)) is not None}
            try:
                found = await self._engine.read(partial(latest, reached=reached))
            except ChatError as error:
                _log.debug("what others wrote could not be read: %s", error)
                self.doubtful()
                return
            for user, one in found.items():
                if one.events is None:
                    self._hub.compare({user: one.last})
                else:
                    self._hub.read(user, reached[user] + 1, one.last, one.events)

    def told(self, users: Sequence[int], frame: bytes) -> None:
        """Hand it on."""
        framed = text_frame(frame)
        for user in users:
            self._hub.tell(user, framed)

    def announced(self, process: str, what: Announcement) -> None:
        """Act on it."""
        match what:
            case Revoked():
                self._end(what.device_ids, ())
            case SettingsChanged():
                self.doubtful()
            case _:
                self.processes.heard(process, what, asyncio.get_running_loop().time())

    def returned(self) -> None:
        """Have both sides compare."""
        self.processes.come()
        self.doubtful()

    def doubtful(self) -> None:
        """Compare soon, and let the others know of us."""
        self.processes.beat_soon()
        self._doubt.set()

    # What goes on by itself.

    def check(self, now: float) -> None:
        """Say what is to be said; every second. `now` is the loop's time."""
        if self._shared:
            self.processes.check(now)

    async def pause(self, seconds: float) -> None:
        """Wait so long, or until there is a reason to compare."""
        try:
            async with asyncio.timeout(seconds):
                await self._doubt.wait()
        except TimeoutError:
            pass

    @property
    def every(self) -> float:
        """Seconds between two comparisons, as things stand."""
        return limits.POSITION_CHECK_SECONDS if self.bus.up else AWAY_SECONDS

    @property
    def doubted(self) -> bool:
        """Whether there is a reason to compare at once."""
        return self._doubt.is_set()

    async def compare(self) -> None:
        """Compare what is known here with the database."""
        self._doubt.clear()
        users = self._hub.users()
        if not self._shared and not users:
            return
        waiting = self._hub.waiting_users() if self._shared else []
        wanted = list({*users, *waiting})
        try:
            found = await self._engine.read(lambda tx: self._find(tx, wanted))
        except ChatError as error:
            if not self._failing:
                _log.warning("positions could not be compared: %s", error)
            self._failing = True
            return
        self._failing = False
        for user, event_seq in found.positions.items():
            reached = self._hub.reached(user)
            self.missed += reached is not None and reached < event_seq
        self._hub.compare(found.positions)
        if self._shared:
            self._compare_others(found, waiting)

    def _find(self, tx: Transaction, users: list[int]) -> Found:
        positions = log.positions(tx, users)
        if not self._shared:
            return Found(positions, [], [], None)
        since = tx.now - LOOKED_BACK_MS
        return Found(positions, devices.revoked_since(tx, since), accounts.erased_since(tx, since), settings.facts(tx))

    def _compare_others(self, found: Found, waiting: Iterable[int]) -> None:
        """What only others can have changed without our knowing."""
        positions = {user: found.positions.get(user, 0) for user in waiting}
        self._hub.wake([user for user, event_seq in positions.items() if self._waited.get(user) != event_seq])
        self._waited = positions
        revoked, erased = frozenset(found.revoked), frozenset(found.erased)
        self._end(revoked - self._revoked, erased - self._erased)
        self._revoked, self._erased = revoked, erased
        if found.facts is not None and found.facts != self._facts:
            if self._facts is not None:
                frame = events.Ephemeral(kind="settings.changed", server=found.facts)
                self._hub.tell_everyone(text_frame(encode(frame)))
            self._facts = found.facts
        self.bus.keep_only({*self._hub.users(), *self._hub.waiting_users()})

    def _end(self, device_ids: Iterable[str], users: Iterable[int]) -> None:
        gone, erased = frozenset(device_ids), frozenset(users)
        if gone or erased:
            self._tokens.forget(gone, erased)
            self._hub.close_devices(gone, events.CLOSE_REVOKED)
            self._hub.close_users(erased, events.CLOSE_REVOKED)
