"""Which key stands on which row: pure, so that ten thousand rows cost a key press nothing."""

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

SortKey = tuple[int, int, str]
"""(0 pinned or 1, minus the time, conversationID): what a list is ordered by."""


class Rows(Protocol):
    """What a VirtualList shows: keys in order. Never changed once it is shown; a new one takes its place."""

    def __len__(self) -> int: ...

    def key_at(self, index: int) -> str:
        """The key on that row."""
        ...

    def index_of(self, key: str) -> int | None:
        """The key's row."""
        ...


class KeyRows:
    """Keys in the order given."""

    def __init__(self, keys: Sequence[str] = ()) -> None:
        self._keys = keys
        self._index: dict[str, int] | None = None

    def __len__(self) -> int:
        return len(self._keys)

    def key_at(self, index: int) -> str:
        """The key on that row."""
        return self._keys[index]

    def index_of(self, key: str) -> int | None:
        """The key's row; the table is built when it is first asked for."""
        if self._index is None:
            self._index = {key: index for index, key in enumerate(self._keys)}
        return self._index.get(key)


class SortedRows:
    """Keys ordered by a SortKey each; placing and finding one of n costs O(log n)."""

    def __init__(self, order: Mapping[str, SortKey] | None = None) -> None:
        self._key_of: dict[str, SortKey] = dict(order or {})
        self._sorted: list[SortKey] = sorted(self._key_of.values())

    def __len__(self) -> int:
        return len(self._sorted)

    def __contains__(self, key: str) -> bool:
        return key in self._key_of

    def ordered(self) -> list[str]:
        """All keys in order."""
        return [entry[2] for entry in self._sorted]

    def key_at(self, index: int) -> str:
        """The key on that row."""
        return self._sorted[index][2]

    def index_of(self, key: str) -> int | None:
        """The key's row."""
        entry = self._key_of.get(key)
        return None if entry is None else bisect_left(self._sorted, entry)

    def order_of(self, key: str) -> SortKey | None:
        """What the key is sorted by at present."""
        return self._key_of.get(key)

    def changed(self, place: Mapping[str, SortKey], remove: Iterable[str] = ()) -> "SortedRows":
        """A new order with some keys placed anew and others gone; this one stays as it is."""
        copy = SortedRows.__new__(SortedRows)
        copy._key_of = {**self._key_of, **place}
        gone = [key for key in remove if copy._key_of.pop(key, None) is not None]
        if len(place) + len(gone) > 64:
            copy._sorted = sorted(copy._key_of.values())
            return copy
        copy._sorted = self._sorted.copy()
        for key in {*place, *gone}:
            if (old := self._key_of.get(key)) is not None:
                del copy._sorted[bisect_left(copy._sorted, old)]
            if (new := copy._key_of.get(key)) is not None:
                insort(copy._sorted, new)
        return copy


def nearest_left(old: Rows, index: int, new: Rows) -> int:
    """Where the cursor goes when its row is gone: the next row that is left, else the one before, else 0."""
    for at in range(index, len(old)):
        if (found := new.index_of(old.key_at(at))) is not None:
            return found
    for at in range(min(index, len(old)) - 1, -1, -1):
        if (found := new.index_of(old.key_at(at))) is not None:
            return found
    return 0
