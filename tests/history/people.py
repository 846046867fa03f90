"""Devices that ask servers for things until they are answered for good, and write down what they asked and heard.

Bare asyncio, none of the client's code: what is tried here is the servers alone. A device is at one of several servers
and moves on to the next where that one refuses connections, hangs up, or does not answer in time, as whoever stands
behind a balancer does.
"""

import asyncio
import itertools
import json
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final
from urllib.parse import quote

from tests.load.population import Login
from tests.load.raw import Http, Refused, Socket

from .records import Act, DeviceLog, Heard, Json
from .replica import Replica

IMPATIENCE_SECONDS: Final = 2.5
"""After which a request is asked for again elsewhere; the first may be carried out all the same, and later."""
PAUSE_SECONDS: Final = 0.15
"""At most, before something is tried again."""


@dataclass
class Recorder:
    """What is written down by all."""

    acts: list[Act] = field(default_factory=list)
    lines: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    failures: list[str] = field(default_factory=list)
    """What no server should ever answer."""
    """Requests that had to be asked for again."""

    def now(self) -> float:
        """Seconds on the one clock."""
        return time.perf_counter()


class RecordingDevice:
    """One log-in at several servers, of which it uses one at a time."""

    def __init__(self, recorder: Recorder, login: Login, number: int, urls: Sequence[str], chance: Random) -> None:
        self.recorder = recorder
        self.user = login.user_id
        self.name = f"{login.user_id}/{number}"
        self.log = DeviceLog(self.user, self.name)
        self.replica = Replica()
        self.epoch = ""
        self.login = login
        self._token = login.token
        self._urls = urls
        self._at = number % len(urls)
        self._chance = chance
        self._http: Http | None = None
        self._socket: Socket | None = None
        self._gap = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def begin(self, epoch: str) -> None:
        """Connect, and stay so until `end`."""
        self.epoch = epoch
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._fill_gaps())]

    async def end(self) -> None:
        """Hang up."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        self.move()

    def move(self) -> None:
        """Leave this server for the next."""
        self._at = (self._at + 1) % len(self._urls)
        if self._http is not None:
            self._http.close()
        self._http = None
        if self._socket is not None:
            self._socket.close()

    # Asking

    async def answered(self, method: str, path: str, body: Any = None, *, elsewhere: int = 0) -> Json | Refused:
        """The answer for good, which may be a refusal, after as many requests as that takes.

        `elsewhere`: ask so many servers further on instead, over a connection of its own.
        """
        while True:
            try:
                async with asyncio.timeout(IMPATIENCE_SECONDS):
                    if elsewhere:
                        return await self._once(
                            self._urls[(self._at + elsewhere) % len(self._urls)], method, path, body
                        )
                    if self._http is None:
                        self._http = await Http.open(self._urls[self._at], self._token)
                    found: Json = await self._http.ask(method, path, body)
                    return found
            except Refused as refused:
                if refused.status == 500:
                    self.recorder.failures.append(f"{self.name}: {method} {path}: {refused}")
                if refused.status not in (429, 500, 503):
                    return refused
            except (OSError, TimeoutError):
                if elsewhere:
                    elsewhere += 1
                else:
                    self.move()
            await asyncio.sleep(self._chance.uniform(0, PAUSE_SECONDS))

    async def _once(self, url: str, method: str, path: str, body: Any) -> Json:
        http = await Http.open(url, self._token)
        try:
            found: Json = await http.ask(method, path, body)
            return found
        finally:
            http.close()

    # Hearing

    async def _listen(self) -> None:
        while True:
            line, since = next(self.recorder.lines), self.replica.position

            def hear(payload: bytes, line: int = line, since: int = since) -> None:
                self._frame(line, since, payload)

            try:
                async with asyncio.timeout(IMPATIENCE_SECONDS):
                    cursor = f"{self.epoch}:{since}"
                    self._socket = await Socket.open(self._urls[self._at], self._token, hear, since=cursor)
            except (OSError, TimeoutError, Refused):
                self._at = (self._at + 1) % len(self._urls)
            else:
                await self._socket.ended.wait()
            self._socket = None
            await asyncio.sleep(self._chance.uniform(0, PAUSE_SECONDS))

    def _frame(self, line: int, since: int, payload: bytes) -> None:
        frame = json.loads(payload)
        if frame["t"] == "events":
            self._hear(Heard(self.recorder.now(), line, since, frame["from"], frame["to"], frame["events"]))
        elif frame["t"] == "reset":
            self.recorder.failures.append(f"{self.name} is told to begin anew: {frame}")

    def _hear(self, heard: Heard) -> None:
        self.log.heard.append(heard)
        if heard.first > self.replica.position + 1:
            self._gap.set()
        self.replica.hear(heard)

    async def _fill_gaps(self) -> None:
        """Ask for what is missing between what was heard and what came."""
        while True:
            await self._gap.wait()
            self._gap.clear()
            more = True
            while more:
                since = self.replica.position
                cursor = quote(f"{self.epoch}:{since}")
                answer = await self.answered("GET", f"/v1/sync?since={cursor}&limit=100")
                if isinstance(answer, Refused) or "reset" in answer:
                    self.recorder.failures.append(f"{self.name} cannot go on from {since}: {answer}")
                    return
                line = next(self.recorder.lines)
                self._hear(Heard(self.recorder.now(), line, since, answer["from"], answer["to"], answer["events"]))
                more = answer["more"]
