"""Frames of the event socket on their way into the state.

Whoever reads the socket puts them here and reads on: it never waits for what a frame brings about. A task of its own
takes them out in order, and asks the server where one shows that something is missing.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Final

from msgspec import DecodeError

from tui_chat.protocol import events
from tui_chat.protocol.errors import ChatError, Unauthorized
from tui_chat.protocol.models import ServerFacts

from .announcer import Announcer
from .catch_up import CatchUp
from .changes import TypingSeen
from .identity import Identity
from .presence import Presence
from .receiver import Receiver
from .sync import Gap

FRAMES: Final = 10_000
"""So many wait to be applied; beyond, they are dropped and asked for again."""


class Inbox:
    """What has come and is not applied yet; `run` applies it."""

    def __init__(
        self,
        *,
        receiver: Receiver,
        catch_up: CatchUp,
        identity: Identity,
        presence: Presence,
        announcer: Announcer,
        spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
    ):
        self._receiver = receiver
        self._catch_up = catch_up
        self._identity = identity
        self._presence = presence
        self._announcer = announcer
        self._spawn = spawn
        self._frames: deque[events.ServerFrame] = deque()
        self._filled = asyncio.Event()
        self._catching_up: asyncio.Task[None] | None = None

    def put(self, frame: events.ServerFrame) -> None:
        """A frame came."""
        if len(self._frames) >= FRAMES:
            self._frames.clear()
            self._catch_up_soon()
        self._frames.append(frame)
        self._filled.set()

    async def run(self) -> None:
        """For ever."""
        while True:
            await self._filled.wait()
            self._filled.clear()
            while self._frames:
                self._apply(self._frames.popleft())
                await asyncio.sleep(0)

    def _apply(self, frame: events.ServerFrame) -> None:
        match frame:
            case events.EventRange() if self._catch_up.replacing:
                self._catch_up_soon()  # it comes again, behind the snapshot
            case events.EventRange():
                try:
                    outcome = self._receiver.receive(frame)
                except DecodeError:
                    self._catch_up_soon()
                    return
                if isinstance(outcome, Gap) and self._catch_up.saw(outcome.last):
                    self._catch_up_soon()
            case events.Ping(event_seq=event_seq):
                if self._catch_up.saw(event_seq):
                    self._catch_up_soon()
            case events.Reset():
                self._catch_up_soon()
            case events.Welcome(server=server):
                self._identity.learn_server(server)
            case events.Ephemeral(kind="typing", conversation_id=str(conversation_id), user_id=str(user_id)):
                self._announcer.put(TypingSeen(conversation_id=conversation_id, user_id=user_id))
            case events.Ephemeral(kind="presence", user_id_list=list(user_ids)):
                self._presence.are_there(frozenset(user_ids))
            case events.Ephemeral(kind="presence", user_id=str(user_id), online=bool(online)):
                self._presence.is_there(user_id, online=online)
            case events.Ephemeral(server=ServerFacts() as server):
                self._identity.learn_server(server)
            case events.Ephemeral():
                pass

    def _catch_up_soon(self) -> None:
        if self._catching_up is None or self._catching_up.done():
            self._catching_up = self._spawn(self._caught_up())

    async def _caught_up(self) -> None:
        wait = 0.2
        while True:
            try:
                await self._catch_up.run()
            except Unauthorized:
                return  # the socket's own way back finds out as well, and tells
            except ChatError:
                await asyncio.sleep(wait)
                wait = min(30.0, wait * 2)
            else:
                return
