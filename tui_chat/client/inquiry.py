"""Conversations of which an event does not say how they stand: they are asked for, over a restart as well.

One by one where they are few. A night's clearings on another device may leave thousands, of which the list, page by
page, tells at a hundredth of the calls.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final, NamedTuple

from tui_chat.cache.store import AccountStore, CacheError
from tui_chat.protocol.errors import (
    ChatError,
    Internal,
    NotConnected,
    TooFrequent,
    Unauthorized,
    Unavailable,
)
from tui_chat.protocol.limits import PAGE
from tui_chat.protocol.models import Conversation

from .calls import Calls
from .housekeeping import Housekeeping
from .outbox import FIRST_WAIT, LONGEST_WAIT
from .problems import Unreadable
from .receiver import Receiver
from .state import State

SIDE_BY_SIDE: Final = 4
"""Conversations that are asked for at once."""
SINGLY: Final = 20
"""So many are always asked for one by one."""
_INEXACT: Final = "inexact"
"""The preference that says, over a restart, that rows were still to be asked for."""


class Inquiry:
    """What is still to be asked for, and what asks."""

    def __init__(
        self,
        *,
        state: State,
        store: AccountStore,
        house: Housekeeping,
        calls: Calls,
        receiver: Receiver,
        spawn: Callable[[Coroutine[Any, Any, None]], object],
    ):
        self._state = state
        self._store = store
        self._house = house
        self._calls = calls
        self._receiver = receiver
        self._spawn = spawn
        self._asking: dict[str, None] = {}
        self._side_by_side = asyncio.Semaphore(SIDE_BY_SIDE)
        self._running = False
        self._wake = asyncio.Event()
        self.left_over = bool(store.preference(_INEXACT))
        """The session before ended while it asked: its cursor lies beyond what told of them."""

    def about(self, conversation_id: str) -> None:
        """Ask for it, soon."""
        if conversation_id not in self._asking:
            self._asking[conversation_id] = None
            self._keep()
            self.go_on()

    def go_on(self) -> None:
        """Ask for what is still to be asked for, without any more waiting."""
        self._wake.set()
        if self._asking and not self._running:
            self._running = True
            self._spawn(self._run())

    def whole_again(self) -> None:
        """What the session before left over has been asked for."""
        self.left_over = False
        self._keep()

    async def _run(self) -> None:
        wait = FIRST_WAIT
        try:
            while self._asking:
                await asyncio.sleep(0)  # the events of one range name many
                try:
                    await self._round()
                    wait = FIRST_WAIT
                except TooFrequent as error:
                    await asyncio.sleep(error.retry_after if error.retry_after is not None else 1.0)
                except Unauthorized:
                    return  # after a new log-in all is asked for anew
                except (NotConnected, Unavailable, Internal, Unreadable):
                    # It may be that only this request was lost: then no new connection tells of it.
                    await self._rest(wait)
                    wait = min(LONGEST_WAIT, wait * 2)
        finally:
            self._running = False

    async def _rest(self, seconds: float) -> None:
        """Wait, unless there is a new connection before."""
        self._wake.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()

    async def _round(self) -> None:
        """Ask for all of them once. Raises ChatError where the server cannot answer just now."""
        if len(self._asking) > max(SINGLY, 1 + len(self._state.conversations) // PAGE):
            await self._by_list()
        some = list(self._asking)[:PAGE]
        for outcome in await asyncio.gather(*map(self._ask, some), return_exceptions=True):
            if outcome is not None:
                raise outcome

    async def _by_list(self) -> None:
        """Take from the list what it says of them; those that are not listed are left."""
        following: str | None = None
        while True:
            before = {one: self._mark(one) for one in self._asking}
            page = await self._calls.conversations(following)
            for told in page.conversations:
                if told.conversation_id in before:
                    self._take(told, before[told.conversation_id])
            following = page.next
            if following is None or not self._asking:
                return

    async def _ask(self, conversation_id: str) -> None:
        async with self._side_by_side:
            before = self._mark(conversation_id)
            try:
                told = await self._calls.conversation(conversation_id)
            except (TooFrequent, Unauthorized, NotConnected, Unavailable, Internal, Unreadable):
                raise
            except ChatError:
                self._done(conversation_id)  # there is no such conversation any more
                return
            self._take(told, before)

    def _take(self, told: Conversation, before: "_Mark") -> None:
        """One that changed since it was asked for stays among those to be asked for."""
        conversation_id = told.conversation_id
        # Without a row, the watermarks alone tell of a change.
        if before.generation == self._state.generation(conversation_id) and self._receiver.adopt(told, before.row):
            self._done(conversation_id)

    def _mark(self, conversation_id: str) -> "_Mark":
        return _Mark(self._state.conversations.get(conversation_id), self._state.generation(conversation_id))

    def _done(self, conversation_id: str) -> None:
        self._asking.pop(conversation_id, None)
        self._keep()

    def _keep(self) -> None:
        inexact = bool(self._asking) or self.left_over
        if inexact != bool(self._store.preference(_INEXACT)):
            try:
                self._store.set_preference(_INEXACT, True if inexact else None)
            except CacheError as error:
                self._house.disk_failed(error)
            self._house.wrote()


class _Mark(NamedTuple):
    """How a conversation stood when it was asked for."""

    row: Conversation | None
    generation: tuple[int, int]
