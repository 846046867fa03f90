"""What every bus over a network does: collects what is to be sent, keeps connecting, says whether it is up."""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from random import Random
from typing import ClassVar, Final

import msgspec

from . import START_SECONDS, Announcement, BusCounts, Ears
from .parcels import Outgoing, Tell, hand_out, unpack
from .pauses import Pauses

FAREWELL_SECONDS: Final = 1.0

_log = logging.getLogger(__name__)


class Link(ABC):
    """A bus (see Bus) but for how it is connected and whom it hears."""

    shared = True
    failures: ClassVar[tuple[type[Exception], ...]]
    """What a connection ends with in the ordinary course of things."""
    _ears: Ears

    def __init__(self, process: str, *, monotonic: Callable[[], float], random: Random) -> None:
        """`process`: its name among the others, new at each start."""
        self.counts = BusCounts()
        self._process = process
        self._pauses = Pauses(monotonic, random)
        self._outgoing = Outgoing()
        self._something = asyncio.Event()
        self._emptied: asyncio.Event | None = None
        """To be set once there is nothing to be sent."""
        self._up = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def up(self) -> bool:
        """Whether the others hear us, and we them, as far as is known."""
        return self._up.is_set()

    def wake(self, positions: Mapping[int, int]) -> None:
        """See Bus."""
        if self.up:
            self.counts.sent += len(positions)
            self._outgoing.wake(positions)
            self._something.set()

    def tell(self, users: Sequence[int], frame: bytes) -> None:
        """See Bus."""
        if self.up:
            self._outgoing.tells.append(Tell(users, msgspec.Raw(frame)))
            self._something.set()

    def announce(self, what: Announcement) -> None:
        """See Bus."""
        if self.up:
            self._outgoing.announcements.append(what)
            self._something.set()

    async def begin(self, ears: Ears) -> None:
        """See Bus."""
        self._ears = ears
        self._task = asyncio.create_task(self._go_on())
        with suppress(TimeoutError):
            async with asyncio.timeout(START_SECONDS):
                await self._up.wait()

    async def close(self) -> None:
        """See Bus."""
        if self._task is None:
            return
        if self.up:
            self._emptied = asyncio.Event()
            self._something.set()
            with suppress(TimeoutError):
                async with asyncio.timeout(FAREWELL_SECONDS):
                    await self._emptied.wait()
        self._task.cancel()
        await asyncio.wait([self._task])

    @abstractmethod
    async def _connected(self) -> None:
        """Serve one connection until it fails. Raises what it fails with."""

    @staticmethod
    @abstractmethod
    def _described(failure: BaseException) -> str:
        """A failure in one line."""

    async def _go_on(self) -> None:
        """Be connected, for ever."""
        breaks = -1
        while True:
            try:
                await self._connected()
            except self.failures as failure:
                if breaks != self.counts.breaks:
                    _log.warning("the bus is away, what others write comes later: %s", self._described(failure))
            except Exception:
                _log.exception("the bus is away, what others write comes later")
            breaks = self.counts.breaks
            await asyncio.sleep(self._pauses.next())

    def _is_there(self, over: str) -> None:
        """What is sent arrives from now on."""
        self._pauses.succeeded()
        self._up.set()
        _log.info("the bus is there (%s)", over)
        self._ears.returned()

    def _lost(self) -> None:
        """At once: closing a connection that has stalled takes its time."""
        if self.up:
            self.counts.breaks += 1
            self._up.clear()
        self._outgoing = Outgoing()

    def _all_sent(self) -> None:
        """Let who waits for the end of it go."""
        if self._emptied is not None and not self._outgoing:
            self._emptied.set()

    def _take_in(self, payload: bytes) -> str | None:
        """Hand out a parcel that another process sent; whose it is, and None where that cannot be read."""
        try:
            parcel = unpack(payload)
        except msgspec.DecodeError as error:
            # Of another version, perhaps.
            _log.debug("a parcel on the bus cannot be read: %s", error)
            self._ears.doubtful()
            return None
        if parcel.process != self._process:
            hand_out(parcel, self._ears)
        return parcel.process
