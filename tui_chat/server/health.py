"""Whether the server can do its work: its database answers, and takes what is written."""

import asyncio
import secrets
from collections.abc import Callable
from typing import Final, Literal

from msgspec import UNSET, UnsetType

from tui_chat.protocol.errors import ChatError, Unavailable
from tui_chat.protocol.models import ServerFacts

from .bus import Bus
from .engines import Engine, Transaction
from .operations import settings

ANSWER_SECONDS: Final = 5.0
"""A database that takes longer is as good as gone."""
PROBE_SECONDS: Final = 10.0
"""A probe is a commit of one row; monitors may ask more often."""
ROOM_BYTES: Final = 1024 * 1024
"""So much must find room before a disk that was full counts as one that is not: more than a call writes, which for a
deletion of 100 conversations is some 100 pages of PostgreSQL's, each of them twice."""


class Health:
    """What monitors are told."""

    def __init__(self, engine: Engine, bus: Bus, monotonic: Callable[[], float]) -> None:
        self._engine = engine
        self._bus = bus
        self._monotonic = monotonic
        self._next_probe = monotonic()
        self._overcome = 0
        """Of how many of the engine's refusals it is known that what made them is over: a commit of a few bytes that
        went through since says nothing of it."""

    @property
    def bus(self) -> Literal["up", "down"] | UnsetType:
        """Whether other processes' words come at once, or up to some seconds late; unset where there are no others."""
        if not self._bus.shared:
            return UNSET
        return "up" if self._bus.up else "down"

    async def check(self) -> tuple[ServerFacts, int]:
        """The server's facts and its time. Reads; writes where that was not tried for PROBE_SECONDS, or failed.

        Raises:
            Unavailable: the database cannot be read or written; the message says why.
        """
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                found = await self._engine.read(lambda tx: (settings.facts(tx), tx.now))
                refusals = self._engine.refusals
                if refusals != self._overcome:
                    await self._engine.write(_find_room)
                    self._overcome = refusals
                elif self._monotonic() >= self._next_probe:
                    await self._engine.write(_probe)
                    self._next_probe = self._monotonic() + PROBE_SECONDS
        except TimeoutError:
            raise Unavailable(f"the database has not answered for {ANSWER_SECONDS:.0f} s") from None
        except ChatError as error:
            raise Unavailable(f"the database cannot be used: {error}") from error
        return found


def _find_room(tx: Transaction) -> None:
    _probe(tx, secrets.token_hex(ROOM_BYTES // 2))  # PostgreSQL would make next to nothing of what repeats itself
    _probe(tx)


def _probe(tx: Transaction, what: str = "") -> None:
    tx.execute(
        "INSERT INTO meta (name, value) VALUES ('probe', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        what or str(tx.now),
    )
