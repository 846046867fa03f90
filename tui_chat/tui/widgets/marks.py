"""The set of marked conversations: by ID, apart from rows, so that sorting, filtering and arrivals never change it."""

from collections.abc import Callable, Iterable


class Marks:
    """Marked IDs, a range that is being drawn, and the last set, which `V` brings back."""

    def __init__(self) -> None:
        self._marked: set[str] = set()
        self._frozen: frozenset[str] | None = None
        self._last: frozenset[str] | None = frozenset()
        """None: what is marked, and what was before it was removed."""
        self._leaving: set[str] = set()
        """Marked ones that were removed since the set was last changed by hand."""
        self._range_start: int | None = None
        self._range_base: frozenset[str] = frozenset()

    def __contains__(self, key: str) -> bool:
        return key in self._marked

    def __len__(self) -> int:
        return len(self._marked)

    @property
    def marked(self) -> frozenset[str]:
        """The set as it is now."""
        if self._frozen is None:
            self._frozen = frozenset(self._marked)
        return self._frozen

    @property
    def last(self) -> frozenset[str]:
        """What was marked before the marks went."""
        if self._last is None:
            self._last = frozenset(self._leaving | self._marked)
        return self._last

    @property
    def in_range(self) -> bool:
        """Whether moving marks what lies between."""
        return self._range_start is not None

    def toggle(self, key: str) -> None:
        """Mark or unmark one."""
        self._touch()
        self._marked.symmetric_difference_update((key,))

    def add(self, keys: Iterable[str]) -> None:
        """Mark these as well."""
        self._touch()
        self._marked.update(keys)

    def invert(self, keys: Iterable[str]) -> None:
        """Mark the unmarked of these and unmark the others."""
        self._touch()
        self._marked.symmetric_difference_update(keys)

    def clear(self) -> int:
        """Unmark all and remember them; how many there were."""
        count = len(self._marked)
        if count:
            self._last = self.marked
        self._touch()
        self._marked.clear()
        self.end_range()
        return count

    def forget(self, keys: Iterable[str]) -> bool:
        """These are gone from the list; whether any was marked. The set as it was stays the last one."""
        gone = self._marked.intersection(keys)
        if not gone:
            return False
        self._leaving |= gone
        self._marked -= gone
        self._frozen = None
        self._last = None  # put together when it is asked for: of ten thousand, a hundred go at a time
        return True

    def start_range(self, index: int, key: str) -> None:
        """From here on moving marks; what is marked already stays so."""
        self._range_base = self.marked
        self._range_start = index
        self.add((key,))

    def end_range(self) -> None:
        """Moving no longer marks; the marks stay."""
        self._range_start = None
        self._range_base = frozenset()

    def move_range(self, old: int, new: int, key_at: Callable[[int], str]) -> None:
        """The cursor went from row to row: mark and unmark what lies between, no more."""
        if self._range_start is None:
            return
        self._touch()
        low, high = sorted((self._range_start, new))
        for index in range(min(old, new), max(old, new) + 1):
            key = key_at(index)
            if low <= index <= high or key in self._range_base:
                self._marked.add(key)
            else:
                self._marked.discard(key)

    def _touch(self) -> None:
        self._last = self.last
        self._frozen = None
        self._leaving.clear()
