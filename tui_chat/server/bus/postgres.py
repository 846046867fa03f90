"""Wake-ups through PostgreSQL: a notifier that collects, on a connection of its own, and a connection that listens.

NOTIFY inside the transaction of a message takes a lock that all such transactions share from before their commit until
after it: 3.1 times fewer messages a second (measured). So it is sent afterwards, for everything at once that came
within COLLECT_SECONDS, by transactions that wait for no disk.

LISTEN needs a session of its own: behind a pooler such as PgBouncer that lends out connections by transaction, give the
bus the database's own address (`--bus postgresql://…`).
"""

import asyncio
import logging
from collections.abc import Callable, Collection
from random import Random
from typing import Final

import psycopg

from tui_chat.server.engines.postgres_connection import described, parameters

from . import DEADLINE_SECONDS, PING_SECONDS
from .link import Link
from .parcels import Outgoing

Connection = psycopg.AsyncConnection[tuple[object, ...]]

CHANNEL: Final = "tui_chat"
"""And the name of the data: servers of other data may use another schema of this database, or this one as their bus."""
PAYLOAD_BYTES: Final = 7_900
"""NOTIFY carries less than 8,000."""
COLLECT_SECONDS: Final = 0.005
"""After each NOTIFY; what comes meanwhile goes into the next one."""
WATCH_SECONDS: Final = 1.0

_log = logging.getLogger(__name__)


class PostgresBus(Link):
    """Every process hears every wake-up, and leaves aside what is not for it."""

    failures = (psycopg.Error, OSError, TimeoutError)
    _described = staticmethod(described)

    def __init__(
        self, address: str, process: str, database: str, *, monotonic: Callable[[], float], random: Random
    ) -> None:
        """`process`: its name among the others, new at each start; `database`: letters and digits, a name that all who
        serve this data use, and nobody else."""
        super().__init__(process, monotonic=monotonic, random=random)
        self._address = address
        self._channel = f"{CHANNEL}_{database}"
        self._monotonic = monotonic
        self._sent = 0
        """Parcels."""
        self._heard = 0
        """Own parcels that came back."""
        self._awaited: tuple[int, float] | None = None
        """One of them that is to come back, and since when."""

    async def subscribe(self, user: int) -> None:
        """Everything is heard anyway."""

    def keep_only(self, users: Collection[int]) -> None:
        """Everything is heard anyway."""

    async def _connected(self) -> None:
        """Serve one pair of connections until one of them fails. Raises what it fails with."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            listener = await self._connect()
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                notifier = await self._connect()
            try:
                await self._serve(listener, notifier)
            finally:
                await notifier.close()
        finally:
            await listener.close()

    async def _connect(self) -> Connection:
        connection = await psycopg.AsyncConnection.connect(parameters(self._address), autocommit=True)
        try:
            await connection.execute("SET synchronous_commit = off; SET client_encoding = 'UTF8'")
        except BaseException:
            await connection.close()
            raise
        connection.prepare_threshold = 1
        return connection

    async def _serve(self, listener: Connection, notifier: Connection) -> None:
        self._sent = self._heard = 0
        self._awaited = None
        async with asyncio.timeout(DEADLINE_SECONDS):
            await listener.execute(f"LISTEN {self._channel}")
            self._outgoing = Outgoing()
            await self._notify(notifier, Outgoing().parcel(self._process))
        tasks = [asyncio.create_task(work) for work in (self._hear(listener), self._send(notifier), self._watch())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            self._lost()
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def _hear(self, listener: Connection) -> None:
        """Take notifications as they come: psycopg's own way wakes up ten times a second to look for signals."""
        loop = asyncio.get_running_loop()
        broken: asyncio.Future[None] = loop.create_future()
        connection, descriptor = listener.pgconn, listener.fileno()

        def read() -> None:
            try:
                connection.consume_input()
                while (notification := connection.notifies()) is not None:
                    self._heard_one(notification.extra)
            except Exception as failure:
                loop.remove_reader(descriptor)
                if not broken.done():
                    broken.set_exception(failure)

        loop.add_reader(descriptor, read)
        try:
            read()  # What came with the answer to LISTEN.
            await broken
        finally:
            loop.remove_reader(descriptor)

    def _heard_one(self, payload: bytes) -> None:
        if self._take_in(payload) == self._process:
            self._came_back()

    async def _send(self, notifier: Connection) -> None:
        while True:
            try:
                async with asyncio.timeout(PING_SECONDS):
                    await self._something.wait()
            except TimeoutError:
                await self._notify(notifier, Outgoing().parcel(self._process))
                continue
            self._something.clear()
            for parcel in self._outgoing.take().parcels(self._process, PAYLOAD_BYTES):
                await self._notify(notifier, parcel)
            self._all_sent()
            await asyncio.sleep(COLLECT_SECONDS)

    async def _notify(self, notifier: Connection, parcel: bytes) -> None:
        self._sent += 1
        if self._awaited is None:
            self._awaited = (self._sent, self._monotonic())
        async with asyncio.timeout(DEADLINE_SECONDS):
            await notifier.execute("SELECT pg_notify(%s, %s)", (self._channel, parcel.decode()))

    def _came_back(self) -> None:
        """One's own word is heard, so both connections work."""
        self._heard += 1
        if self._awaited is not None and self._heard >= self._awaited[0]:
            self._awaited = (self._sent, self._monotonic()) if self._sent > self._heard else None
        if not self.up:
            self._is_there("PostgreSQL")

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            if self._awaited is not None and self._monotonic() - self._awaited[1] > DEADLINE_SECONDS:
                raise TimeoutError(f"a notification has not come back for {DEADLINE_SECONDS:.0f} s")
