"""Physical removal: what it costs writers while it goes on in the background, and what is left on the disk."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from tests.load.population import filling
from tui_chat.clock import system_clock
from tui_chat.protocol.requests import DeleteConversations, SendMessage
from tui_chat.server.engines import DatabaseSize, Transaction
from tui_chat.server.engines.sqlite import SqliteEngine
from tui_chat.server.operations import accounts, deletion, expiry, messages
from tui_chat.server.operations.caller import Caller
from tui_chat.server.options import DATABASE

from .framework import Bench, Figure, at_most

DAY_MS: Final = 86_400_000
SECRET: Final = "the password of the safe is swordfish, and nobody may ever read this again"
CALL: Final = 100


def run(bench: Bench) -> None:
    """Two people with a thousand conversations each way clear all of them; the third writes meanwhile."""
    asyncio.run(_Erasing(bench).measure())


class _Erasing:
    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._friends = [f"friend{number}" for number in range(bench.size(1_000, quick=10))]
        self._each = bench.size(200, quick=5)
        self._data = bench.scratch / "server"
        self._ahead = 0
        self._written = 0

    async def measure(self) -> None:
        bench, friends = self._bench, self._friends
        bench.progress(f"{len(friends) * self._each:,} messages in {len(friends):,} conversations")
        self._data.mkdir()
        async with filling(self._data) as population:
            logins = await population.users("alice", "writer", "reader", *friends)
            await population.messages(
                len(friends) * self._each,
                lambda number: (friends[number % len(friends)], "alice", f"{SECRET} {number}"),
            )
        engine = await SqliteEngine.open(self._data / DATABASE, clock=lambda: system_clock() + self._ahead)
        try:
            self._callers = {login.user_id: await engine.read(_authenticating(login.token)) for login in logins}
            idle = bench.times("one message, nothing else to do", await self._write(engine, 300))
            await self._delete_everything(engine)
            before = await engine.size()
            self._ahead += DAY_MS
            bench.progress("erasing in the background while somebody writes")
            await self._erase(engine, idle)
            self._left(before, await engine.size())
        finally:
            await engine.close()
        began = time.perf_counter()
        engine = await SqliteEngine.open(self._data / DATABASE)
        bench.values("the next start", [time.perf_counter() - began], "s")
        bench.values("the database after it", [(await engine.size()).used / 1e6], "MB")
        await engine.close()
        words = SECRET.encode()
        found = sum(path.read_bytes().count(words) for path in self._data.iterdir() if path.is_file())
        bench.judge("traces of the texts in the files", bench.values("traces", [found], "places"), "max", at_most(0))

    async def _delete_everything(self, engine: SqliteEngine) -> None:
        alice = self._callers["alice"]
        calls = []
        for start in range(0, len(self._friends), CALL):
            some = [f"C2C{name}" for name in self._friends[start : start + CALL]]
            calls.append(await _timed(engine, _deleting(alice, some)))
        self._bench.times(f"delete {CALL} with clear", calls)
        for name in self._friends:
            await engine.write(_deleting(self._callers[name], ["C2Calice"]))

    async def _erase(self, engine: SqliteEngine, idle: Figure) -> None:
        bench = self._bench
        pieces: list[float] = []
        writing = asyncio.create_task(self._write(engine, bench.size(2_000, quick=20), pause=0.002))
        began = time.perf_counter()
        while True:
            more = False
            for piece_of_it in expiry.PIECES:
                turn = time.perf_counter()
                more |= await engine.write(piece_of_it)
                pieces.append(time.perf_counter() - turn)
            reclaiming = time.perf_counter()
            if not more:
                more = await engine.reclaim()
                pieces.append(time.perf_counter() - reclaiming)
            if not more:
                break
        bench.values("all of it", [time.perf_counter() - began], "s")
        piece = bench.times("one piece of the work", pieces)
        bench.judge("the writer is held for", piece, "p99", at_most(100))
        beside = bench.times("one message while it goes on", await writing)
        bench.ratio("a message beside erasing / alone", of=beside, to=idle)

    def _left(self, before: DatabaseSize, after: DatabaseSize) -> None:
        for name, size in (("before", before), ("afterwards", after)):
            self._bench.values(f"the database {name}", [size.used / 1e6], "MB")
        self._bench.values("of it empty afterwards", [after.free / 1e6], "MB")
        self._bench.note("erased messages keep their numbers; what a row loses stays as room in its page until a start")

    async def _write(self, engine: SqliteEngine, count: int, *, pause: float = 0.0) -> list[float]:
        writer = self._callers["writer"]
        seconds = []
        for _ in range(count):
            self._written += 1
            seconds.append(await _timed(engine, _sending(writer, f"w{self._written}")))
            if pause:
                await asyncio.sleep(pause)
        return seconds


def _authenticating(token: str) -> Callable[[Transaction], Caller]:
    return lambda tx: accounts.authenticate(tx, token)


def _sending(caller: Caller, client_id: str) -> Callable[[Transaction], object]:
    request = SendMessage(client_id=client_id, text="good morning")
    return lambda tx: messages.send(tx, caller, "C2Creader", request)


def _deleting(caller: Caller, names: list[str]) -> Callable[[Transaction], object]:
    asked = deletion.in_order(caller, DeleteConversations(conversation_id_list=names))
    return lambda tx: deletion.delete(tx, caller, asked)


async def _timed(engine: SqliteEngine, job: Callable[[Transaction], object]) -> float:
    began = time.perf_counter()
    await engine.write(job)
    return time.perf_counter() - began
