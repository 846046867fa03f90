"""The way back into step over HTTP: at the start, after a gap, after a reset, and where the socket is down."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from msgspec import UNSET, DecodeError

from tui_chat.protocol.errors import TooFrequent, Unexpected
from tui_chat.protocol.events import EventRange
from tui_chat.protocol.limits import PAGE
from tui_chat.protocol.models import Conversation, ServerFacts
from tui_chat.protocol.requests import SyncAnswer

from .calls import Calls
from .cursors import position_of, same_numbering
from .receiver import Receiver
from .state import State
from .sync import Gap

Answer = TypeVar("Answer")

_RANGE = PAGE
"""Events asked for at a time."""


class CatchUp:
    """One at a time; whoever comes meanwhile waits for the one that runs, and goes once more where that is needed."""

    def __init__(self, calls: Calls, state: State, receiver: Receiver, *, facts: Callable[[ServerFacts], None]):
        self._calls = calls
        self._state = state
        self._receiver = receiver
        self._facts = facts
        self._lock = asyncio.Lock()
        self._moved: list[tuple[int, asyncio.Future[None]]] = []
        self._seen = 0
        """Highest eventSeq that is known to exist in this epoch."""
        self.resets = 0
        self.replacing = False
        """While the state is asked for anew: what a range did meanwhile, the older snapshot would take back."""

    def saw(self, event_seq: int) -> bool:
        """The log reaches this far; whether that is beyond what is here."""
        self._seen = max(self._seen, event_seq)
        return self._state.position is None or event_seq > self._state.position

    def position_moved(self) -> None:
        """Wake who waits for a position."""
        position = self._state.position
        still: list[tuple[int, asyncio.Future[None]]] = []
        for event_seq, future in self._moved:
            if future.done():
                continue
            if position is not None and position >= event_seq:
                future.set_result(None)
            else:
                still.append((event_seq, future))
        self._moved = still

    async def arrival(self, event_seq: int) -> None:
        """Wait until the state includes this event (or the numbering has ended), by whatever way it comes."""
        if self._state.position is not None and self._state.position >= event_seq:
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._moved.append((event_seq, future))
        await future

    async def run(self, *, while_away: bool = False) -> None:
        """Take in everything that the server's log has.

        Raises:
            ChatError: the server cannot be asked just now.
        """
        async with self._lock:
            while True:
                answer = await _patiently(lambda: self._calls.sync(self._state.cursor, limit=_RANGE))
                self._facts(answer.server)
                if answer.conversations is not UNSET:
                    if answer.reset == "epoch" or not self._is_beyond(answer.cursor):
                        await self._take_snapshot(answer, keep_history=answer.reset != "epoch")
                    continue
                self._take(answer, while_away)
                if not answer.more and not self.saw(self._seen):
                    return

    async def reload(self) -> None:
        """Ask for the whole state anew, whatever is here. Raises as `run`."""
        async with self._lock:
            self.replacing = True
            try:
                answer = await self._calls.sync(None)
                self._facts(answer.server)
                if answer.conversations is UNSET:
                    raise Unexpected("the server answered a first sync without the state")
                await self._take_snapshot(answer, keep_history=same_numbering(self._state.cursor, answer.cursor))
            finally:
                self.replacing = False
        await self.run()

    def _is_beyond(self, cursor: str) -> bool:
        """Whether the socket has brought meanwhile what was asked for: a snapshot would take the state back."""
        position, there = self._state.position, position_of(cursor)
        beyond = position is not None and there is not None and position >= there
        return beyond and same_numbering(self._state.cursor, cursor)

    def _take(self, answer: SyncAnswer, while_away: bool) -> None:
        if not answer.events and answer.last <= (self._state.position or 0):
            # Nothing new; beyond doubt that is all there is.
            self._seen = min(self._seen, self._state.position or 0)
            return
        received = EventRange(first=answer.first, last=answer.last, cursor=answer.cursor, events=answer.events)
        try:
            outcome = self._receiver.receive(received, while_away=while_away)
        except DecodeError as error:
            raise Unexpected(f"an event of the server cannot be read: {error}") from error
        if isinstance(outcome, Gap):
            raise Unexpected("the server left events out of its answer")

    async def _take_snapshot(self, answer: SyncAnswer, *, keep_history: bool) -> None:
        """The position was read before the state, so that whatever changes meanwhile comes again as an event."""
        assert answer.conversations is not UNSET
        rows: list[Conversation] = list(answer.conversations)
        following = answer.next if answer.next is not UNSET else None
        self.replacing = True
        try:
            while following is not None:
                page = await _patiently(partial(self._calls.conversations, following))
                rows.extend(page.conversations)
                following = page.next
        finally:
            self.replacing = False
        self.resets += 1
        self._seen = 0
        self._receiver.replace(rows, answer.cursor, keep_history=keep_history)
        for _, future in self._moved:
            if not future.done():
                future.set_result(None)
        self._moved = []


async def _patiently(call: Callable[[], Awaitable[Answer]]) -> Answer:
    """Ask again after as long as the server says where it was asked too often: a large account is many pages."""
    while True:
        try:
            return await call()
        except TooFrequent as error:
            await asyncio.sleep(error.retry_after if error.retry_after is not None else 1.0)
