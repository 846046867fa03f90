"""What befalls servers while people use them: each kind of fault strikes every process in turn, and is over again."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Awaitable, Callable, Iterable, Sequence
from random import Random
from typing import Final

import psycopg

from tests.buses import NatsServer
from tests.databases import PostgresServer
from tests.proxy import Proxy
from tests.servers import ServerProcess

Fault = Callable[[], Awaitable[None]]

CALM_SECONDS: Final = 1.5
"""Before and after each fault."""
DEAD_SECONDS: Final = 1.0
"""So long what was killed stays dead."""
FROZEN_SECONDS: Final = 4.0
"""Longer than anybody here waits for an answer (people.IMPATIENCE_SECONDS)."""
SILENT_SECONDS: Final = 12.0
"""Longer than it takes a bus to find out that nobody answers: it asks every 5 s, and waits 5 s."""


class Nemesis:
    """Knows everything that can be hit.

    Arguments:
        buses: ways of single processes to their bus.
        doors: ways of people to single processes.
    """

    def __init__(
        self,
        processes: Sequence[ServerProcess] = (),
        *,
        database: PostgresServer | None = None,
        nats: Sequence[NatsServer] = (),
        buses: Sequence[Proxy] = (),
        doors: Sequence[Proxy] = (),
        seed: int = 1,
    ) -> None:
        self._processes = processes
        self._database = database
        self._nats = nats
        self._buses = buses
        self._doors = doors
        self._random = Random(seed)

    async def strike(self, faults: Iterable[Fault]) -> None:
        """One after the other, with a little peace between."""
        await asyncio.sleep(CALM_SECONDS)
        for fault in faults:
            await fault()
            await asyncio.sleep(CALM_SECONDS)

    async def strike_at_random(self, faults: Sequence[Fault], seconds: float) -> None:
        """Any of them, in any order, for so long."""
        end = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < end:
            await self.strike([self._random.choice(faults)])

    # Servers

    async def kill_each_process(self) -> None:
        """kill -9, and started again."""
        for process in self._processes:
            await asyncio.to_thread(process.kill)
            await asyncio.sleep(DEAD_SECONDS)
            await asyncio.to_thread(process.start)
            await asyncio.sleep(CALM_SECONDS)

    async def kill_all_processes(self) -> None:
        """All at once."""
        for process in self._processes:
            await asyncio.to_thread(process.kill)
        await asyncio.gather(*(asyncio.to_thread(process.start) for process in self._processes))

    async def restart_each_process(self) -> None:
        """As an update does: told to stop, and started again."""
        for process in self._processes:
            await asyncio.to_thread(process.terminate)
            await asyncio.to_thread(process.start)
            await asyncio.sleep(CALM_SECONDS)

    async def freeze_each_process(self) -> None:
        """SIGSTOP: connections stay, locks stay, nothing answers; what it was asked for it does when it goes on."""
        for process in self._processes:
            process.send_signal(signal.SIGSTOP)
            try:
                await asyncio.sleep(FROZEN_SECONDS)
            finally:
                process.send_signal(signal.SIGCONT)
            await asyncio.sleep(CALM_SECONDS)

    # The database

    async def crash_database(self) -> None:
        """As a crash, with a recovery from its log."""
        await self._restart_database("immediate")

    async def restart_database(self) -> None:
        """As an administrator does: connections are ended."""
        await self._restart_database("fast")

    async def _restart_database(self, mode: str) -> None:
        assert self._database is not None
        await asyncio.to_thread(self._database.stop, mode)
        await asyncio.sleep(DEAD_SECONDS)
        await asyncio.to_thread(self._database.start)

    async def freeze_database(self) -> None:
        """SIGSTOP for all of its processes."""
        assert self._database is not None
        pids = await asyncio.to_thread(
            _with_children, int((self._database.directory / "data/postmaster.pid").read_text().split()[0])
        )
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(FROZEN_SECONDS)
        finally:
            for pid in reversed(pids):
                os.kill(pid, signal.SIGCONT)

    async def cut_database_connections(self) -> None:
        """Every connection of every process is ended by the database; also those that listen."""
        assert self._database is not None

        def cut(address: str) -> None:
            with psycopg.connect(address, autocommit=True) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
                )

        await asyncio.to_thread(cut, self._database.address("postgres"))

    # NATS

    async def kill_each_nats(self) -> None:
        """kill -9 of one server at a time, and started again."""
        for server in self._nats:
            await asyncio.to_thread(server.kill)
            await asyncio.sleep(DEAD_SECONDS)
            await asyncio.to_thread(server.start)
            await asyncio.sleep(CALM_SECONDS)

    async def kill_all_nats(self) -> None:
        """No bus for a while."""
        for server in self._nats:
            await asyncio.to_thread(server.kill)
        await asyncio.sleep(FROZEN_SECONDS)
        for server in self._nats:
            await asyncio.to_thread(server.start)

    async def freeze_each_nats(self) -> None:
        """SIGSTOP of one server at a time, for a short while."""
        for server in self._nats:
            await self._freeze_nats(server, FROZEN_SECONDS)
            await asyncio.sleep(CALM_SECONDS)

    async def freeze_a_nats_for_long(self) -> None:
        """Until who is connected there has noticed."""
        await self._freeze_nats(self._random.choice(self._nats), SILENT_SECONDS)

    async def _freeze_nats(self, server: NatsServer, seconds: float) -> None:
        server.pause()
        try:
            await asyncio.sleep(seconds)
        finally:
            server.resume()

    # Networks

    async def cut_each_bus(self) -> None:
        """One process' way to the bus is cut, and there is none for a while."""
        for way in self._buses:
            way.refusing = True
            way.cut()
            await asyncio.sleep(FROZEN_SECONDS)
            way.refusing = False
            await asyncio.sleep(CALM_SECONDS)

    async def swallow_each_bus(self) -> None:
        """One process' way to the bus swallows everything, and nobody is told."""
        for way in self._buses:
            way.half_open = True
            await asyncio.sleep(SILENT_SECONDS)
            way.half_open = False
            way.cut()
            await asyncio.sleep(CALM_SECONDS)

    async def cut_each_door(self) -> None:
        """The ways of people to one process: cut, reset, and open to requests alone, whose answers are swallowed."""
        for way in self._doors:
            way.cut()
            await asyncio.sleep(CALM_SECONDS)
            way.reset()
            await asyncio.sleep(CALM_SECONDS)
            way.deaf_to_answers = True
            await asyncio.sleep(FROZEN_SECONDS)
            way.deaf_to_answers = False
            way.cut()


def _with_children(parent: int) -> list[int]:
    """A process and those that it started."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, check=True, text=True).stdout
    pairs = [tuple(map(int, line.split())) for line in listed.splitlines()]
    return [parent, *(pid for pid, its_parent in pairs if its_parent == parent)]
