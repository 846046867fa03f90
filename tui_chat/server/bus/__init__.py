"""Between the processes that serve one database: who should look into the log, and what no log holds. It only wakes."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final, Protocol

import msgspec

PING_SECONDS: Final = 5.0
"""So often a bus sends itself a word ..."""
DEADLINE_SECONDS: Final = 5.0
"""... which must be back within so long; and so long a connection may take to be made."""
START_SECONDS: Final = 2.0
"""So long a server that starts waits for its bus; after that it begins without."""


class Revoked(msgspec.Struct, frozen=True, array_like=True, tag="revoked"):
    """These devices were logged out: their tokens are forgotten, their sockets closed."""

    device_ids: list[str]


class SettingsChanged(msgspec.Struct, frozen=True, array_like=True, tag="settings"):
    """What clients know of their server is another; it stands in the database."""


class Here(msgspec.Struct, frozen=True, array_like=True, tag="here"):
    """A process is there; it has told `number` changes of who is connected to it, `count` users by now."""

    number: int
    count: int


class Changed(msgspec.Struct, frozen=True, array_like=True, tag="changed"):
    """Users whose first socket at a process came, and whose last one has gone; `number` counts these, from one."""

    number: int
    came: list[int]
    went: list[int]


class Ask(msgspec.Struct, frozen=True, array_like=True, tag="ask"):
    """Whoever missed something of `process` would like to hear everything."""

    process: str


class Connected(msgspec.Struct, frozen=True, array_like=True, tag="connected"):
    """Everybody who is connected to a process as of its change `number`, in several pieces where they are many."""

    number: int
    first: bool
    users: list[int]


class Gone(msgspec.Struct, frozen=True, array_like=True, tag="gone"):
    """A process stops; its users are about to connect elsewhere."""


Announcement = Revoked | SettingsChanged | Here | Changed | Ask | Connected | Gone
"""What every process hears."""


class BusCounts:
    """What a bus counts, as plain numbers."""

    __slots__ = ("breaks", "received", "sent", "woken_here")

    def __init__(self) -> None:
        self.sent = 0
        """Wake-ups of users that were handed to the bus."""
        self.received = 0
        """Wake-ups of users that came from other processes."""
        self.woken_here = 0
        """Of these, for users who are connected here, or wait."""
        self.breaks = 0
        """How often the way to the others was lost."""


class Ears(Protocol):
    """Who hears what other processes say; called on the event loop's thread, and never waits."""

    def woken(self, positions: Mapping[int, int]) -> None:
        """Users' logs have moved on: account -> eventSeq."""

    def told(self, users: Sequence[int], frame: bytes) -> None:
        """An ephemeral frame (JSON) for the sockets of these users."""

    def announced(self, process: str, what: Announcement) -> None:
        """Something for everybody, and which process says it."""

    def returned(self) -> None:
        """The way to the others is there, for the first time or again. What was written while it was not, neither side
        was told."""

    def doubtful(self) -> None:
        """Something may have been missed up to now, but is not from now on: look into the database."""


class Bus(Protocol):
    """A way to the other processes; it may lose things at any time, and says so when it knows.

    What is handed to it is sent soon; while it is not `up`, it is dropped. Nothing here waits but `subscribe`.
    """

    counts: BusCounts

    @property
    def shared(self) -> bool:
        """Whether there can be other processes at all."""
        ...

    @property
    def up(self) -> bool:
        """Whether the others hear us, and we them, as far as is known."""
        ...

    def wake(self, positions: Mapping[int, int]) -> None:
        """Tell whoever has these users that their logs have moved on: account -> eventSeq."""
        ...

    def tell(self, users: Sequence[int], frame: bytes) -> None:
        """Give sockets of these users at other processes an ephemeral frame (JSON)."""
        ...

    def announce(self, what: Announcement) -> None:
        """Tell every other process."""
        ...

    async def subscribe(self, user: int) -> None:
        """Hear of this user from now on; returns when that is sure, or the bus away."""
        ...

    def keep_only(self, users: Collection[int]) -> None:
        """Nobody else is of interest any more."""
        ...

    async def begin(self, ears: Ears) -> None:
        """Start, and wait a little for the first connection."""
        ...

    async def close(self) -> None:
        """Send what there is and end."""
        ...
