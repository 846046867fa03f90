"""Who is there: told to those whom it concerns and who are there themselves, neither logged nor numbered.

A user is there while one of their sockets is open, and OFFLINE_SECONDS longer: a client that reconnects was never away.
A socket that was just opened is told once who of the user's acquaintances are there, unless nobody is; who comes and
goes afterwards is told one by one. Where several processes serve one database, each tells its own sockets, of
whoever is connected to any of them.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence, Set
from typing import Final

from tui_chat.protocol import events
from tui_chat.protocol.errors import ChatError
from tui_chat.protocol.wire import encode

from .hub import Connection, Hub
from .line import text_frame
from .operations.acquaintance import Acquaintances

OFFLINE_SECONDS: Final = 5.0
USERS_AT_ONCE: Final = 100
"""Whose acquaintances are looked up in one reading; when a thousand come at once, the rest follows."""

_log = logging.getLogger(__name__)


class Presence:
    """What others were told of who is there, and what they are to be told next."""

    def __init__(self, hub: Hub, look_up: Callable[[Sequence[int]], Awaitable[dict[int, Acquaintances]]]) -> None:
        self._hub = hub
        self._look_up = look_up
        self._there: set[int] = set()
        """Users of whom it was told that they are there."""
        self._came: dict[int, None] = {}
        self._went: dict[int, float] = {}
        """When their last socket was seen to be gone."""
        self._new: dict[Connection, None] = {}
        """Sockets that were not told yet who is there."""
        self._telling: asyncio.Task[None] | None = None
        self.elsewhere: Callable[[], Set[int]] = frozenset
        """Who is connected to another process."""
        hub.on_arrival(self._arrived)

    def came(self, users: Iterable[int]) -> None:
        """These are connected now."""
        for user in users:
            self._went.pop(user, None)
            if user not in self._there:
                self._came[user] = None

    def _arrived(self, connection: Connection) -> None:
        self._new[connection] = None
        self.came((connection.user,))

    def _connected(self) -> Set[int]:
        return frozenset(self._hub.users()) | self.elsewhere()

    def check(self, now: float) -> None:
        """Begin to tell what is to be told; `now` is the loop's time."""
        connected = self._connected()
        for user in self._there - connected:
            self._went.setdefault(user, now)
        if self._telling is not None and not self._telling.done():
            return
        gone = [user for user, since in self._went.items() if now - since >= OFFLINE_SECONDS and user not in connected]
        if self._new or self._came or gone:
            self._telling = asyncio.create_task(self._tell(gone))

    async def close(self) -> None:
        """Tell no more."""
        if self._telling is not None:
            self._telling.cancel()
            await asyncio.wait([self._telling])

    async def _tell(self, gone: Sequence[int]) -> None:
        users = list(dict.fromkeys([*gone, *self._came, *(one.user for one in self._new)]))[:USERS_AT_ONCE]
        try:
            known = await self._look_up(users)
        except ChatError as error:
            _log.warning("nobody is told who is there: %s", error)
            return
        # From here on nothing waits: what is told and what is noted as told are the same.
        connected, leaving = self._connected(), frozenset(gone)
        for user in users:
            if user in leaving and user in self._went and user not in connected:
                self._there.discard(user)
                del self._went[user]
                self._say(known.get(user), online=False)
            elif user in self._came:
                del self._came[user]
                if user in connected:
                    self._there.add(user)
                    self._say(known.get(user), online=True)
        asked = frozenset(users)
        for connection in [one for one in self._new if one.user in asked]:
            del self._new[connection]
            them = known.get(connection.user)
            there = (
                [] if them is None else [one.user_id for one in them.peers if one.shown and one.account in self._there]
            )
            if there:
                frame = events.Ephemeral(kind="presence", online=True, user_id_list=there)
                connection.offer_ephemeral(text_frame(encode(frame)))

    def _say(self, them: Acquaintances | None, *, online: bool) -> None:
        if them is not None:
            frame = text_frame(encode(events.Ephemeral(kind="presence", user_id=them.user_id, online=online)))
            for peer in them.peers:
                if peer.told:
                    self._hub.tell(peer.account, frame)
