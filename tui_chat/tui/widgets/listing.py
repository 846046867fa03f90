"""Which conversations are listed, in which order, and which of them are shown: pure."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final

from tui_chat.protocol.models import Conversation

from .row_order import KeyRows, Place, Rows, SortedRows, in_order

Filter = Callable[[Conversation], bool]

_PINNED: Final = 1 << 60
"""More than any time, in milliseconds, is."""


class Listing:
    """Conversations with an order that can be held, a filter, and a set to which it can be narrowed."""

    def __init__(self) -> None:
        self._source: Mapping[str, Conversation] = {}
        self._known: dict[str, Conversation] = {}
        self._order = SortedRows()
        self._waiting: dict[str, Place] = {}
        """What would be placed anew if the order were not held."""
        self._held = False
        self._filter: Filter | None = None
        self._matching: set[str] = set()
        """What the filter let through. What it would no longer let through stays until the filter is another, so that
        no row goes from under the cursor because it was read."""
        self._only: frozenset[str] | None = None
        self._rows: Rows | None = None

    def __len__(self) -> int:
        return len(self._known)

    def __contains__(self, key: str) -> bool:
        return key in self._known

    def __getitem__(self, key: str) -> Conversation:
        return self._known[key]

    def known(self, keys: Iterable[str]) -> list[str]:
        """Those of the keys that are listed, shown or not, as they come."""
        known = self._known
        return [key for key in keys if key in known]

    @property
    def newer(self) -> int:
        """How many changes of place are kept back."""
        return len(self._waiting)

    @property
    def filtered(self) -> bool:
        """Whether a filter is set."""
        return self._filter is not None

    def set_filter(self, wanted: "Filter | None") -> None:
        """Show only what `wanted` is true of; None: all."""
        self._filter = wanted
        self._matching = {key for key, value in self._known.items() if wanted(value)} if wanted is not None else set()
        self._rows = None

    def matching(self, wanted: "Filter") -> list[str]:
        """Those of the shown of which it is true, in order."""
        known = self._known
        return [key for key in self.rows().ordered() if wanted(known[key])]

    def found(self, wanted: "Filter") -> list[str]:
        """Those of all, shown or not, of which it is true, in order."""
        known = self._known
        if len(self._order) == len(known):
            return [key for key in self._order.ordered() if wanted(known[key])]
        return self.in_order([key for key, value in known.items() if wanted(value)])  # new ones have no place yet

    @property
    def only(self) -> frozenset[str] | None:
        """Only these are shown; None: all."""
        return self._only

    @only.setter
    def only(self, keys: frozenset[str] | None) -> None:
        if keys != self._only:
            self._only = keys
            self._rows = None

    def set_all(self, conversations: Mapping[str, Conversation]) -> None:
        """Replace everything; the mapping is read again by `update`."""
        self._source = conversations
        self._known = dict(conversations)
        self._order = SortedRows({key: place_of(value) for key, value in self._known.items()})
        self._waiting.clear()
        self.set_filter(self._filter)

    def update(self, keys: Iterable[str]) -> tuple[list[str], list[str]]:
        """Read these from the mapping again.

        Returns:
            Those that are there, and those that were listed and are not in the mapping any more.
        """
        changed, gone = [], []
        for key in keys:
            conversation = self._source.get(key)
            if conversation is None:
                if key in self._known:
                    gone.append(key)
                continue
            changed.append(key)
            self._known[key] = conversation
            self._let_through(key)
            place = place_of(conversation)
            if place == self._order.place_of(key):
                self._waiting.pop(key, None)
            else:
                self._waiting[key] = place
        if not self._held:
            self._settle()
        return changed, gone

    def restore(self, keys: Iterable[str]) -> list[str]:
        """Read these from the mapping again and put them in their place, even while the order is held."""
        there = {key: self._source[key] for key in keys if key in self._source}
        self._known.update(there)
        for key in there:
            self._waiting.pop(key, None)
            self._let_through(key)
        self._order = self._order.changed({key: place_of(value) for key, value in there.items()})
        self._rows = None
        return list(there)

    def discard(self, keys: Collection[str]) -> None:
        """These are gone."""
        for key in keys:
            self._known.pop(key, None)
            self._waiting.pop(key, None)
            self._matching.discard(key)
        self._order = self._order.changed({}, keys)
        self._rows = None

    def hold(self, held: bool) -> None:
        """Keep the order as it is, or let what was kept back take its place."""
        self._held = held
        if not held:
            self._settle()

    def in_order(self, keys: Collection[str]) -> list[str]:
        """These, those that are listed, in the list's order."""
        placed = {key: self._order.place_of(key) for key in keys if key in self._known}
        return in_order({key: place_of(self._known[key]) if at is None else at for key, at in placed.items()})

    def rows(self) -> Rows:
        """What is shown; the same object as long as no row changed its place."""
        if self._rows is None:
            self._rows = self._narrow() if self._filter is not None or self._only is not None else self._order
        return self._rows

    def _settle(self) -> None:
        if self._waiting:
            self._order = self._order.changed(self._waiting)
            self._waiting.clear()
            self._rows = None

    def _narrow(self) -> KeyRows:
        keys = self._order.ordered()
        if (only := self._only) is not None:
            keys = [key for key in keys if key in only]
        if self._filter is not None:
            matching = self._matching
            keys = [key for key in keys if key in matching]
        return KeyRows(keys)

    def _let_through(self, key: str) -> None:
        if self._filter is not None and key not in self._matching and self._filter(self._known[key]):
            self._matching.add(key)
            self._rows = None


def place_of(conversation: Conversation) -> Place:
    """Pinned first, then newest; then by ID, so that equal times do not swap."""
    return conversation.time + _PINNED if conversation.pinned else conversation.time
