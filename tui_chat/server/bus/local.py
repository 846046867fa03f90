"""The bus of a server that is one process: there is nobody to be told."""

from collections.abc import Collection, Mapping, Sequence

from . import Announcement, BusCounts, Ears


class LocalBus:
    """Nothing to do."""

    shared = False
    up = True

    def __init__(self) -> None:
        self.counts = BusCounts()

    def wake(self, positions: Mapping[int, int]) -> None:
        """Everybody is here."""

    def tell(self, users: Sequence[int], frame: bytes) -> None:
        """Everybody is here."""

    def announce(self, what: Announcement) -> None:
        """There is nobody else."""

    async def subscribe(self, user: int) -> None:
        """Nothing comes from elsewhere."""

    def keep_only(self, users: Collection[int]) -> None:
        """Nothing comes from elsewhere."""

    async def begin(self, ears: Ears) -> None:
        """Nothing to begin."""

    async def close(self) -> None:
        """Nothing to end."""
