"""Which key stands on which row: pure, so that ten thousand rows cost a key press nothing."""

from bisect import bisect_left, insort
from collections.abc import Collection, Mapping, Sequence
from typing import Final, Protocol

Place = int
"""What a list is ordered by, the higher first: one number, since there are ten thousands of them."""
_FEW: Final = 64
"""Changes up to which each is made on its own."""


class Rows(Protocol):
    """What a VirtualList shows: keys in order. Never changed once it is shown; a new one takes its place."""

    def __len__(self) -> int: ...

    def ordered(self) -> Sequence[str]:
        """All keys, from the top."""
        ...

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

    def ordered(self) -> Sequence[str]:
        """All keys, from the top."""
        return self._keys

    def key_at(self, index: int) -> str:
        """The key on that row."""
        return self._keys[index]

    def index_of(self, key: str) -> int | None:
        """The key's row; the table is built when it is first asked for."""
        if self._index is None:
            self._index = {key: index for index, key in enumerate(self._keys)}
        return self._index.get(key)


class SortedRows:
    """Keys ordered by a Place each, equals by the key; placing and finding one of n costs O(log n)."""

    def __init__(self, places: Mapping[str, Place] | None = None) -> None:
        self._place_of: dict[str, Place] = dict(places or {})
        self._sorted: list[str] = in_order(self._place_of)

    def __len__(self) -> int:
        return len(self._sorted)

    def __contains__(self, key: str) -> bool:
        return key in self._place_of

    def ordered(self) -> Sequence[str]:
        """All keys, from the top."""
        return self._sorted

    def key_at(self, index: int) -> str:
        """The key on that row."""
        return self._sorted[index]

    def index_of(self, key: str) -> int | None:
        """The key's row."""
        return None if key not in self._place_of else bisect_left(self._sorted, self._entry(key), key=self._entry)

    def place_of(self, key: str) -> Place | None:
        """Where the key stands at present."""
        return self._place_of.get(key)

    def changed(self, places: Mapping[str, Place], remove: Collection[str] = ()) -> "SortedRows":
        """A new order with some keys placed anew and others gone; this one stays as it is."""
        copy = SortedRows.__new__(SortedRows)
        copy._place_of = {**self._place_of, **places}
        for key in remove:
            copy._place_of.pop(key, None)
        came = [key for key in places if key in copy._place_of]
        left = {*places, *remove}
        if len(came) > _FEW:
            copy._sorted = in_order(copy._place_of)
            return copy
        if len(left) > _FEW:
            copy._sorted = [key for key in self._sorted if key not in left]
        else:
            copy._sorted = self._sorted.copy()
            for index in sorted((index for key in left if (index := self.index_of(key)) is not None), reverse=True):
                del copy._sorted[index]
        for key in came:
            insort(copy._sorted, key, key=copy._entry)
        return copy

    def _entry(self, key: str) -> tuple[Place, str]:
        return -self._place_of[key], key


def in_order(place_of: Mapping[str, Place]) -> list[str]:
    """Keys by their places. Two sorts, so that nothing is made for each."""
    keys = sorted(place_of)
    keys.sort(key=place_of.__getitem__, reverse=True)  # which leaves equals as they are
    return keys


def nearest_left(old: Rows, index: int, new: Rows) -> int:
    """Where the cursor goes when its row is gone: the next row that is left, else the one before, else 0."""
    for at in range(index, len(old)):
        if (found := new.index_of(old.key_at(at))) is not None:
            return found
    for at in range(min(index, len(old)) - 1, -1, -1):
        if (found := new.index_of(old.key_at(at))) is not None:
            return found
    return 0
