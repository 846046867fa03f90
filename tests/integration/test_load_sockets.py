"""Very many sockets at one server process: all of them come back at once, and one of them stops reading.

How long that takes is for `python -m tests.bench server` to say; here it is about nothing getting lost. The small
numbers run by default, the large ones with the slow tests.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.load.crowd import Stopwatch, allow_many_files, as_fast, lines, nothing, sockets
from tests.load.measured import MeasuredServer
from tests.load.population import Login, filling, pairs
from tests.load.raw import DEADLINE, Heard, Socket

MISSED = 20
STALLED_BYTES = 8_000
"""Of a message to one who does not read: some thousand of them are more than all the buffers between hold."""

SIZES = [
    pytest.param(40, id="few"),
    pytest.param(1_000, id="many", marks=[pytest.mark.slow, pytest.mark.timeout(240)]),
]


@asynccontextmanager
async def serving(data: Path) -> AsyncIterator[MeasuredServer]:
    allow_many_files()
    server = await asyncio.to_thread(MeasuredServer, data)
    try:
        yield server
    finally:
        await asyncio.to_thread(server.kill)


async def people(data: Path, count: int) -> list[Login]:
    async with filling(data) as population:
        return await population.users(*(f"u{number}" for number in range(count)))


class Log:
    """What one socket was told, which must follow without a gap."""

    def __init__(self, position: int, until: int) -> None:
        self.position = position
        self.events: list[int] = []
        self.there = asyncio.Event()
        self._until = until

    def hear(self, payload: bytes) -> None:
        frame: Any = msgspec.json.decode(payload)
        assert frame["t"] != "reset"
        if frame["t"] != "events":
            return
        assert frame["from"] == self.position + 1
        self.position = frame["to"]
        self.events += [event["eventSeq"] for event in frame["events"]]
        if self.position >= self._until:
            self.there.set()


@pytest.mark.parametrize("count", SIZES)
async def test_everybody_comes_back_at_once_and_is_told_what_they_missed(tmp_path: Path, count: int) -> None:
    logins = await people(tmp_path, count)
    async with serving(tmp_path) as server:
        there = await lines(server.url, logins)
        cursors = [(await line.ask("GET", "/v1/sync?limit=1"))["cursor"] for line in there]
        for sender, (_, to) in zip(there[::2], pairs(logins), strict=True):
            for number in range(MISSED):
                await sender.send(f"C2C{to.user_id}", f"missed-{number}", f"message {number}")
        begun = [int(cursor.rpartition(":")[2]) for cursor in cursors]
        logs = [Log(position, position + MISSED) for position in begun]
        opening = (
            Socket.open(server.url, login.token, log.hear, since=cursor)
            for login, log, cursor in zip(logins, logs, cursors, strict=True)
        )
        await asyncio.gather(*opening)
        async with asyncio.timeout(2 * DEADLINE):
            await asyncio.gather(*(log.there.wait() for log in logs))
        for log, position in zip(logs, begun, strict=True):
            assert log.events == list(range(position + 1, position + MISSED + 1))


@pytest.mark.parametrize("count", SIZES)
async def test_one_that_reads_nothing_takes_nothing_from_the_others(tmp_path: Path, count: int) -> None:
    """The others hear everything meanwhile, and it misses nothing when it comes back."""
    logins = await people(tmp_path, count)
    stuck, feeders, rest = logins[0], logins[1:11], logins[12:]
    async with serving(tmp_path) as server:
        watch = Stopwatch()
        listening = {to.user_id for _, to in pairs(rest)}

        def ear(login: Login) -> Heard:
            return watch.count if login.user_id in listening else nothing

        deaf, *_ = await sockets(server.url, logins, ear)
        feeding = await lines(server.url, feeders)
        cursor = (await (await lines(server.url, [stuck]))[0].ask("GET", "/v1/sync?limit=1"))["cursor"]
        deaf.stop_reading()
        fed = 0

        async def feed() -> None:
            nonlocal fed
            while True:
                for number, line in enumerate(feeding):
                    await line.send(f"C2C{stuck.user_id}", f"fed-{fed}-{number}", f"{fed} " + "f" * STALLED_BYTES)
                    fed += 1
                await asyncio.sleep(0.6)  # as much as each may send

        food = asyncio.create_task(feed())
        senders = await lines(server.url, rest[::2])
        aims = [(line, f"C2C{to.user_id}") for line, (_, to) in zip(senders, pairs(rest), strict=True)]
        began, answered = time.monotonic(), 0
        while time.monotonic() < began + 3:
            answered += await as_fast(aims, watch, 10, 0.5)
        await watch.until(answered)
        food.cancel()
        await asyncio.wait([food])
        assert watch.heard == answered, "each came once"
        position = int(cursor.rpartition(":")[2])
        log = Log(position, position + fed)
        deaf.close()
        await Socket.open(server.url, stuck.token, log.hear, since=cursor)
        async with asyncio.timeout(DEADLINE):
            await log.there.wait()
        assert log.events[:fed] == list(range(position + 1, position + fed + 1))
