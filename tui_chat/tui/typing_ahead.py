"""One key after the other: what is typed faster than the screen follows reaches what the key before it opened.

Textual hands a key to whatever has the focus at that moment, and that acts on it later. Of `/dylan` in one burst, as a
slow line or a busy machine delivers it, the `d` and the `y` would reach the list: a conversation would be deleted.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, Final

from textual import events
from textual.app import App, ScreenStackError
from textual.message_pump import MessagePump
from textual.widget import Widget

LONGEST_WAIT: Final = 1.0
"""Seconds for which a key's effects are waited for: no key is held for good, whatever the one before it does."""
LOOKS: Final = 200
"""In so many parts it is waited: of a time for which the program or its machine stood still, one part has passed."""
ROUNDS: Final = 2
"""A key's action tells its ancestors of it, and what they do with that goes the same way once more."""

MENTION: Final = "@"
"""Where one writes it opens a list of names, which takes the keys that follow."""


class OneAtATime:
    """Takes what a person does, and forwards each when the key before it has had its effects."""

    def __init__(
        self,
        app: App[Any],
        forward: Callable[[events.Event], Awaitable[None]],
        *,
        stays: Callable[[str], bool],
    ) -> None:
        """`forward` gives one to Textual; `stays`: this key leaves the focus where it is, as those that move do."""
        self._app = app
        self._forward = forward
        self._stays = stays
        self._waiting: deque[events.Event] = deque()
        self._settling = False
        self._unsettled: Widget | None = None
        """What got the key before, which may move the focus yet."""

    async def take(self, event: events.Event) -> None:
        """Forward it now, or in its turn."""
        if self._settling or self._unsettled is not None:
            self.take_all([event])
        else:
            await self._one(event)

    def take_all(self, what: Iterable[events.Event]) -> None:
        """Forward them in their turn."""
        self._waiting.extend(what)
        if not self._settling:
            self._settling = True
            self._app.run_worker(self._go_on(), group="keys")

    async def _one(self, event: events.Event) -> None:
        target = self._app.focused or self._app.screen
        if isinstance(event, events.Paste) or (isinstance(event, events.Key) and not self._leaves(event, target)):
            self._unsettled = target
        await self._forward(event)

    def _leaves(self, key: events.Key, target: Widget) -> bool:
        """Whether it leaves the focus where it is."""
        if target.check_consume_key(key.key, key.character):
            return key.character != MENTION
        return self._stays(key.key)

    async def _go_on(self) -> None:
        try:
            while self._waiting:
                if self._unsettled is not None:
                    settled, self._unsettled = self._settled(self._unsettled), None
                    await _for_a_while(settled)
                await self._one(self._waiting.popleft())
        except ScreenStackError:
            self._waiting.clear()  # The program ends: there is no screen left that they could be for.
        finally:
            self._settling = False

    async def _settled(self, target: MessagePump) -> None:
        """What was posted by the key's action, and by what that set off, has been handled."""
        for _round in range(ROUNDS):
            for pump in (*_up_from(target), self._app, self._app.screen, self._app):
                await _caught_up(pump)


async def _for_a_while(what: Coroutine[None, None, None]) -> None:
    """Until it is done, or `LONGEST_WAIT` has passed in which it could have gone on."""
    under_way = asyncio.create_task(what)
    try:
        for _look in range(LOOKS):
            if (await asyncio.wait([under_way], timeout=LONGEST_WAIT / LOOKS))[0]:
                return await under_way
    finally:
        under_way.cancel()


def _up_from(target: MessagePump) -> list[MessagePump]:
    """It, and what its messages bubble up to."""
    found = [target]
    while (parent := found[-1]._parent) is not None:
        found.append(parent)
    return found


async def _caught_up(pump: MessagePump) -> None:
    """It has handled what it had been sent so far; at once where it is gone."""
    done = asyncio.Event()
    if pump.is_running and pump.call_later(done.set):
        await done.wait()
