"""Which other processes serve the same database, and who is connected to them.

Each says every BEAT_SECONDS that it is there, and every second what has changed; the changes are numbered, so that who
missed one asks for everything. One that is not heard for EXPIRY_SECONDS has been killed, or is cut off: nobody is
connected to it any more, as far as can be known. While our own bus is away nothing is concluded.

A process that is alone need not tell anybody anything. It is told of a new one by that one's first word, and answers;
whoever hears of another for the first time compares positions with the database, because what was written before may
not have been told. So one whose bus was away comes as a new one.
"""

from collections.abc import Callable, Iterable, Set
from typing import Final

from . import Announcement, Ask, Bus, Changed, Connected, Gone, Here

BEAT_SECONDS: Final = 5.0
EXPIRY_SECONDS: Final = 16.0
ANSWER_SECONDS: Final = 2.0
"""Everything is told at most so often, whoever asks."""
USERS_A_PIECE: Final = 400
"""Of users in one announcement: some 4 KB."""


class _Process:
    """Another process as it is known here."""

    def __init__(self, now: float) -> None:
        self.heard = now
        self.number = 0
        self.users: set[int] = set()


class Processes:
    """The others, as of what they said last. Times are the loop's."""

    def __init__(
        self,
        bus: Bus,
        name: str,
        connected: Callable[[], Iterable[int]],
        *,
        met: Callable[[], None],
        came: Callable[[Iterable[int]], None],
    ) -> None:
        """`connected`: who is, here. `met` is called when another process is heard for the first time; `came` with
        users who have connected to one."""
        self._bus = bus
        self._name = name
        self._connected = connected
        self._met = met
        self._came = came
        self._others: dict[str, _Process] = {}
        self._elsewhere: frozenset[int] | None = frozenset()
        self._told: set[int] = set()
        self._number = 0
        self._next_beat = 0.0
        self._next_answer = 0.0
        self._asked = False

    @property
    def alone(self) -> bool:
        """Whether no other process is known."""
        return not self._others

    def __len__(self) -> int:
        return 1 + len(self._others)

    def elsewhere(self) -> Set[int]:
        """Users who are connected to another process."""
        if self._elsewhere is None:
            self._elsewhere = frozenset().union(*(other.users for other in self._others.values()))
        return self._elsewhere

    def beat_soon(self) -> None:
        """Say at the next opportunity that we are there: the others may not know."""
        self._next_beat = 0.0

    def check(self, now: float) -> None:
        """Say what is to be said, and forget who has fallen silent; at least every second."""
        if not self._bus.up:
            for other in self._others.values():
                other.heard = now
            return
        for process in [name for name, other in self._others.items() if now - other.heard > EXPIRY_SECONDS]:
            self._forget(process)
        self._tell_changes()
        if now >= self._next_beat:
            self._next_beat = now + BEAT_SECONDS
            self._bus.announce(Here(self._number, len(self._told)))
        if self._asked and now >= self._next_answer:
            self._asked = False
            self._next_answer = now + ANSWER_SECONDS
            self._tell_everything()

    def come(self) -> None:
        """Say that we are there, to all as to those who hear of us for the first time: they compare."""
        self._bus.announce(Gone())
        self._tell_everything()

    def leave(self) -> None:
        """Say that we stop."""
        self._bus.announce(Gone())

    def heard(self, process: str, what: Announcement, now: float) -> None:
        """Take in what another process says of itself."""
        if isinstance(what, Gone):
            self._forget(process)
            return
        other = self._others.get(process)
        if other is None:
            other = self._others[process] = _Process(now)
            self.beat_soon()
            self._met()
        other.heard = now
        match what:
            case Here():
                if (what.number, what.count) != (other.number, len(other.users)):
                    self._bus.announce(Ask(process))
            case Changed():
                if what.number == other.number + 1:
                    other.number = what.number
                    other.users.difference_update(what.went)
                    self._are_there(other, what.came)
            case Connected():
                if what.first:
                    other.users.clear()
                other.number = what.number
                self._are_there(other, what.users)
            case Ask() if what.process == self._name:
                self._asked = True
            case _:
                pass

    def _are_there(self, other: _Process, users: Iterable[int]) -> None:
        other.users.update(users)
        self._elsewhere = None
        self._came(users)

    def _forget(self, process: str) -> None:
        if self._others.pop(process, None) is not None:
            self._elsewhere = None

    def _tell_changes(self) -> None:
        connected = set(self._connected())
        if connected == self._told:
            return
        came, went = list(connected - self._told), list(self._told - connected)
        self._told = connected
        while came or went:
            self._number += 1
            if not self.alone:
                self._bus.announce(Changed(self._number, came[:USERS_A_PIECE], went[:USERS_A_PIECE]))
            came, went = came[USERS_A_PIECE:], went[USERS_A_PIECE:]

    def _tell_everything(self) -> None:
        users = list(self._told)
        for start in range(0, max(1, len(users)), USERS_A_PIECE):
            self._bus.announce(Connected(self._number, start == 0, users[start : start + USERS_A_PIECE]))
