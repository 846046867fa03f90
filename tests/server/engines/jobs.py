"""Jobs for the engines' tests, and what came of them."""

import asyncio
import threading

from tui_chat.protocol.events import DeviceRevoked
from tui_chat.server.engines import Committed, Emitted, Engine, Transaction


class Job:
    """Writes a row and tells of it; can be told to fail after it, or to wait. Notes on which thread it ran, each
    time."""

    def __init__(self, name: str, failure: Exception | None = None, gate: threading.Event | None = None) -> None:
        self.name = name
        self.failure = failure
        self.gate = gate
        self.started = threading.Event()
        self.threads: list[int] = []

    def __call__(self, tx: Transaction) -> str:
        self.threads.append(threading.get_ident())
        self.started.set()
        if self.gate is not None:
            assert self.gate.wait(10)
        tx.execute("INSERT INTO meta (name, value) VALUES (?, '')", self.name)
        tx.emitted.append(Emitted(1, 1, None, DeviceRevoked(device_id=self.name)))
        if self.failure is not None:
            raise self.failure
        return self.name

    @property
    def on_the_loop(self) -> bool:
        """Whether it ran there, and only once."""
        return self.threads == [threading.get_ident()]


def names(tx: Transaction) -> list[str]:
    """Of the jobs whose rows are there."""
    return [row[0] for row in tx.all("SELECT name FROM meta WHERE name <> 'epoch' ORDER BY name")]


def told(committed: Committed) -> list[str]:
    """Of the jobs that a commit tells of."""
    return [one.event.device_id for one in committed.emitted if isinstance(one.event, DeviceRevoked)]


async def reads_one_state(engine: Engine) -> None:
    """What a job reads does not change while it runs, whatever is written meanwhile; the next one reads that too."""
    reading, go_on = threading.Event(), threading.Event()

    def twice(tx: Transaction) -> tuple[list[str], list[str]]:
        before = names(tx)
        reading.set()
        assert go_on.wait(10)
        return before, names(tx)

    answer = asyncio.ensure_future(engine.read(twice))
    await asyncio.to_thread(reading.wait, 10)
    await engine.write(Job("meanwhile"))
    go_on.set()
    assert await answer == ([], [])
    assert await engine.read(names) == ["meanwhile"]
