"""Which cached messages may have been edited or taken back without a word: those of whom the log did not tell all.

A snapshot says how conversations stand, not what became of single messages since; and the log leaves out what happens
to messages while they are cleared, which a restore brings back. Without a connection what is held is shown; with one,
the first page that is asked for comes from the server, and what was held of that conversation goes.
"""

from collections.abc import Callable, Iterable
from typing import Final

from tui_chat.cache.store import AccountStore, CacheError

_DOUBTED: Final = "doubted"
"""The preference that keeps it over a restart; absent: no doubt."""


class Doubt:
    """Knows of which conversations the server is to be asked before the cache."""

    def __init__(self, store: AccountStore, *, disk_failed: Callable[[CacheError], None]):
        self._store = store
        self._disk_failed = disk_failed
        kept = store.preference(_DOUBTED, {"all": False, "but": []})
        self._all: bool = kept["all"]
        """Whether every conversation is in doubt but these, or none but these."""
        self._but: set[str] = set(kept["but"])

    def of(self, conversation_id: str) -> bool:
        """Whether something of what is held may be otherwise by now."""
        return (conversation_id in self._but) != self._all

    def begin(self) -> None:
        """Events were left out: all that is held is in doubt."""
        self._set(True, set())

    def end(self) -> None:
        """Nothing is held any more."""
        self._set(False, set())

    def add(self, conversation_ids: Iterable[str]) -> None:
        """What is held of these is in doubt."""
        ids = set(conversation_ids)
        self._set(self._all, self._but - ids if self._all else self._but | ids)

    def settle(self, conversation_id: str) -> None:
        """What is held of this one is from now on."""
        ids = {conversation_id}
        self._set(self._all, self._but | ids if self._all else self._but - ids)

    def _set(self, everything: bool, but: set[str]) -> None:
        if (everything, but) == (self._all, self._but):
            return
        self._all, self._but = everything, but
        kept = {"all": everything, "but": sorted(but)} if everything or but else None
        try:
            self._store.set_preference(_DOUBTED, kept)
        except CacheError as error:
            self._disk_failed(error)
