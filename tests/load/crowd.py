"""Many devices at one server: their sockets, their requests, and how long each message took to arrive."""

import asyncio
import resource
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

import msgspec

from .population import Login
from .raw import DEADLINE, Heard, Http, Refused, Socket

AT_ONCE: Final = 50
"""Connections that are opened at the same time."""
_MARK: Final = b'"text":"#'


def nothing(_payload: bytes) -> None:
    """A listener who does not listen."""


def allow_many_files() -> None:
    """As many open files as there may be; processes that are started inherit that."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def sockets(url: str, logins: Sequence[Login], heard: Callable[[Login], Heard]) -> list[Socket]:
    """An event socket for each, in their order; all have been welcomed."""
    welcomed = asyncio.Semaphore(AT_ONCE)

    async def one(login: Login) -> Socket:
        async with welcomed:
            listen, there = heard(login), asyncio.Event()

            def hear(payload: bytes) -> None:
                if not there.is_set():
                    there.set()
                listen(payload)

            socket = await Socket.open(url, login.token, hear)
            await there.wait()
            return socket

    return await asyncio.gather(*map(one, logins))


async def lines(url: str, logins: Sequence[Login]) -> list[Http]:
    """A connection for requests for each, in their order, whose token the server has seen."""
    known = asyncio.Semaphore(AT_ONCE)

    async def one(login: Login) -> Http:
        async with known:
            line = await Http.open(url, login.token)
            await line.ask("GET", "/v1/me")
            return line

    return await asyncio.gather(*map(one, logins))


class Stopwatch:
    """When messages were sent, and how long it took until somebody heard them. Their texts begin with `#number `."""

    def __init__(self) -> None:
        self.heard = 0
        """Messages that came over any socket, each as often as it came."""
        self.seconds: list[float] = []
        """From the POST until the socket that listens had it."""
        self._begun: dict[int, float] = {}
        self._numbers = 0
        self._wanted = 0
        self._there = asyncio.Event()

    async def until(self, heard: int) -> None:
        """Wait until so many were heard since the beginning, or since `forget`."""
        self._wanted = heard
        self._there.clear()
        if self.heard < heard:
            async with asyncio.timeout(DEADLINE):
                await self._there.wait()

    def text(self) -> tuple[str, str]:
        """A clientID and a text for the next message; its time runs from now."""
        self._numbers += 1
        self._begun[self._numbers] = time.perf_counter()
        return f"load-{self._numbers}", f"#{self._numbers} hello there, how are you today?"

    def listen(self, payload: bytes) -> None:
        """What a socket heard."""
        at = payload.find(_MARK)
        while at >= 0:
            self.heard += 1
            end = payload.find(b" ", at)
            begun = self._begun.pop(int(payload[at + len(_MARK) : end]), None)
            if begun is not None:
                self.seconds.append(time.perf_counter() - begun)
            at = payload.find(_MARK, end + 200)
        self._look()

    def count(self, payload: bytes) -> None:
        """What a socket heard, where only the number matters."""
        if b'"message.new"' in payload:
            self.heard += payload.count(b'"message.new"')
            self._look()

    def forget(self) -> None:
        """Begin anew."""
        self.seconds.clear()
        self.heard = 0

    def _look(self) -> None:
        if self.heard >= self._wanted:
            self._there.set()


Aim = tuple[Http, str]
"""Over which connection, to which conversation."""


async def at_rate(aims: Sequence[Aim], watch: Stopwatch, rate: float, seconds: float) -> list[float]:
    """Send so many messages a second, whatever the answers do; how long each answer took."""
    loop = asyncio.get_running_loop()
    tasks: list[asyncio.Task[float]] = []
    began = loop.time()
    for number in range(int(rate * seconds)):
        wait = began + number / rate - loop.time()
        if wait > 0:
            await asyncio.sleep(wait)
        tasks.append(asyncio.create_task(_send(aims[number % len(aims)], watch)))
    return await asyncio.gather(*tasks)


async def as_fast(aims: Sequence[Aim], watch: Stopwatch, at_once: int, seconds: float) -> int:
    """Keep so many requests under way; how many were answered."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    answered = turn = 0

    async def worker() -> None:
        nonlocal answered, turn
        while loop.time() < end:
            aim = aims[turn % len(aims)]
            turn += 1
            try:
                await _send(aim, watch)
                answered += 1
            except Refused as refused:
                if refused.status != 429:
                    raise
                await asyncio.sleep(0.01)

    await asyncio.gather(*(worker() for _ in range(at_once)))
    return answered


async def _send(aim: Aim, watch: Stopwatch) -> float:
    line, conversation_id = aim
    client_id, text = watch.text()
    began = time.perf_counter()
    await line.send(conversation_id, client_id, text)
    return time.perf_counter() - began


def last_event(payload: bytes) -> int:
    """The eventSeq up to which a frame brings a device; 0 where it brings none."""
    return msgspec.json.decode(payload, type=_Range).to if payload.startswith(b'{"t":"events"') else 0


class _Range(msgspec.Struct):
    to: int = 0
