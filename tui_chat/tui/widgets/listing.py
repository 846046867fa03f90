"""Which conversations are listed, in which order, and which of them are shown: pure."""

from collections.abc import Collection, Iterable, Mapping

from tui_chat.protocol.models import Conversation

from .row_order import KeyRows, Rows, SortedRows, SortKey


class Listing:
    """Conversations with an order that can be held, a filter by words, and a set to which it can be narrowed."""

    def __init__(self) -> None:
        self._source: Mapping[str, Conversation] = {}
        self._known: dict[str, Conversation] = {}
        self._order = SortedRows()
        self._waiting: dict[str, SortKey] = {}
        """What would be placed anew if the order were not held."""
        self._held = False
        self._folded: dict[str, str] = {}
        self._words = ""
        self._only: frozenset[str] | None = None
        self._rows: Rows | None = None

    def __len__(self) -> int:
        return len(self._known)

    def __contains__(self, key: str) -> bool:
        return key in self._known

    def __getitem__(self, key: str) -> Conversation:
        return self._known[key]

    @property
    def newer(self) -> int:
        """How many changes of place are kept back."""
        return len(self._waiting)

    @property
    def words(self) -> str:
        """The filter."""
        return self._words

    @words.setter
    def words(self, words: str) -> None:
        self._words = words.strip()
        self._rows = None

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
        self._order = SortedRows({key: sort_key(value) for key, value in self._known.items()})
        self._waiting.clear()
        self._folded.clear()
        self._rows = None

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
            before = self._known.get(key)
            self._known[key] = conversation
            if before is not None and before.name != conversation.name:
                self._folded.pop(key, None)
                if self._words:
                    self._rows = None
            place = sort_key(conversation)
            if place == self._order.order_of(key):
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
            self._folded.pop(key, None)
        self._order = self._order.changed({key: sort_key(value) for key, value in there.items()})
        self._rows = None
        return list(there)

    def discard(self, keys: Collection[str]) -> None:
        """These are gone."""
        for key in keys:
            self._known.pop(key, None)
            self._waiting.pop(key, None)
            self._folded.pop(key, None)
        self._order = self._order.changed({}, keys)
        self._rows = None

    def hold(self, held: bool) -> None:
        """Keep the order as it is, or let what was kept back take its place."""
        self._held = held
        if not held:
            self._settle()

    def in_order(self, keys: Collection[str]) -> list[str]:
        """These, those that are listed, in the list's order."""
        places = [(self._order.order_of(key) or sort_key(self._known[key]), key) for key in keys if key in self._known]
        return [key for _place, key in sorted(places)]

    def rows(self) -> Rows:
        """What is shown; the same object as long as no row changed its place."""
        if self._rows is None:
            self._rows = self._narrow() if self._words or self._only is not None else self._order
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
        words = self._words.casefold().split()
        if words:
            folded = self._folded
            for key in self._known.keys() - folded.keys():
                folded[key] = f"{self._known[key].name}\n{key}".casefold()
        for word in words:
            keys = [key for key in keys if word in folded[key]]
        return KeyRows(keys)


def sort_key(conversation: Conversation) -> SortKey:
    """Pinned first, then newest, then by ID so that equal times do not swap."""
    return (0 if conversation.pinned else 1, -conversation.time, conversation.conversation_id)
