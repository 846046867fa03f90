"""The people at the other end: real accounts with real clients, which go on talking and answer alice.

They run beside the server, in its process, never in that of a screen. A peer's client is started when the peer first
has something to say, as a telephone is woken by a push notice; the ones idle longest are closed again.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any, Final, Protocol

from tui_chat.protocol.errors import ChatError

from .script import Reply, Script, Utterance

AWAKE_MOST: Final = 10
"""Clients that are kept connected."""
_NUDGED_TYPING: Final = 0.9
"""Seconds that a nudged peer types: what he writes must be there within two."""

_log = logging.getLogger(__name__)


class Client(Protocol):
    """What a peer needs of a client; a ChatSession is one."""

    async def send_message(self, conversation_id: str, text: str, *, mentions: tuple[str, ...] = ()) -> object:
        """Say something."""

    async def mark_read(self, conversation_id: str) -> None:
        """Read everything of a conversation."""

    async def typing(self, conversation_id: str) -> None:
        """Show that one types."""

    async def close(self) -> None:
        """Log out and end."""


class Peers:
    """All of them. `run` lasts until it is cancelled; then `close`."""

    def __init__(
        self,
        script: Script,
        wake: Callable[[str], Awaitable[Client]],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`wake` starts the client of a userID, and may raise ChatError; `sleep` waits for seconds."""
        self._script = script
        self._wake = wake
        self._sleep = sleep
        self._awake: OrderedDict[str, Client] = OrderedDict()
        self._waking = asyncio.Lock()
        self._answering: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, said: Callable[[], None] = lambda: None) -> None:
        """Go on talking, for ever. `said` is called after each line."""
        while True:
            await self._sleep(self._script.pause())
            utterance = self._script.next()
            if utterance is None:
                return
            await self._say(utterance)
            said()

    def alice_wrote(self, conversation_id: str) -> None:
        """Alice wrote in a conversation of hers: somebody reads it and answers. Several lines get one answer."""
        if conversation_id in self._answering:
            return
        reply = self._script.answer(conversation_id)
        if reply is not None:
            task = self._start(self._answer(reply))
            self._answering[conversation_id] = task
            task.add_done_callback(lambda _: self._answering.pop(conversation_id, None))

    def nudge(self, user_id: str) -> bool:
        """Have somebody write to alice now, within two seconds. False: there is nobody of that name."""
        said = self._script.from_person(user_id)
        if said is None:
            return False
        self._start(self._answer(Reply(0.0, _NUDGED_TYPING, said), reads=False))
        return True

    async def close(self) -> None:
        """End every client."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        clients, self._awake = list(self._awake.values()), OrderedDict()
        await asyncio.gather(*(self._end(client) for client in clients))

    async def _answer(self, reply: Reply, *, reads: bool = True) -> None:
        await self._sleep(reply.reading)
        said = reply.said
        try:
            client = await self._client(said.speaker)
            if reads:
                await client.mark_read(said.conversation_id)
            await client.typing(said.conversation_id)
            await self._sleep(reply.typing)
            await client.send_message(said.conversation_id, said.text, mentions=said.mentions)
        except ChatError as error:
            _log.warning("%s could not answer: %s", said.speaker, error)

    async def _say(self, said: Utterance) -> None:
        """Say it; where it is refused (alice dismissed the group), the others simply go on elsewhere."""
        try:
            client = await self._client(said.speaker)
            await client.send_message(said.conversation_id, said.text, mentions=said.mentions)
        except ChatError as error:
            _log.warning("%s could not write: %s", said.speaker, error)

    async def _client(self, user_id: str) -> Client:
        async with self._waking:
            client = self._awake.get(user_id)
            if client is None:
                client = self._awake[user_id] = await self._wake(user_id)
            self._awake.move_to_end(user_id)
            while len(self._awake) > AWAKE_MOST:
                _, idle = self._awake.popitem(last=False)
                self._start(self._end(idle))
            return client

    async def _end(self, client: Client) -> None:
        with suppress(ChatError):
            await client.close()

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
