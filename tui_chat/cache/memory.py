"""A store that keeps nothing: the same interface in memory, for scripts, peers and plain commands."""

import copy
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from tui_chat.protocol.models import Conversation, Message
from tui_chat.protocol.requests import Me

from .runs import HeldMessages
from .store import HISTORY_KEEP, NOTHING, Recovered


class MemoryOutbox:
    """Commands that wait, for as long as the process lives."""

    def __init__(self) -> None:
        self._entries: dict[int, dict[str, Any]] = {}
        self._last = 0

    def add(self, entry: Mapping[str, Any]) -> int:
        """Append a command; returns its number."""
        self._last += 1
        self._entries[self._last] = copy.deepcopy(dict(entry))
        return self._last

    def add_many(self, entries: Iterable[Mapping[str, Any]]) -> list[int]:
        """Append several commands; returns their numbers."""
        return [self.add(entry) for entry in list(entries)]

    def update(self, entry_id: int, entry: Mapping[str, Any]) -> None:
        """Replace a command. Raises KeyError where there is none of that number."""
        if entry_id not in self._entries:
            raise KeyError(entry_id)
        self._entries[entry_id] = copy.deepcopy(dict(entry))

    def remove(self, *entry_ids: int) -> None:
        """Take commands out; unknown numbers are ignored."""
        for entry_id in entry_ids:
            self._entries.pop(entry_id, None)

    def all(self) -> list[tuple[int, dict[str, Any]]]:
        """The queue in order, copied."""
        return [(entry_id, copy.deepcopy(entry)) for entry_id, entry in sorted(self._entries.items())]


class _Shelf:
    """One conversation's messages."""

    def __init__(self) -> None:
        self.messages: dict[int, Message] = {}
        self.held = HeldMessages()

    def drop_through(self, seq: int) -> None:
        for gone in self.held.drop_through(seq):
            del self.messages[gone]


class MemoryHistory:
    """Messages by conversation; see `store.HistoryStore`."""

    def __init__(self, *, keep: int = HISTORY_KEEP) -> None:
        self._keep = keep
        self._shelves: dict[str, _Shelf] = {}

    def tail(self, conversation_id: str, count: int) -> list[Message]:
        """The newest messages, oldest first."""
        shelf = self._shelves.get(conversation_id)
        return [shelf.messages[seq] for seq in shelf.held.tail(count)] if shelf else []

    def before(self, conversation_id: str, message_seq: int, count: int) -> list[Message]:
        """Messages just before one, oldest first."""
        shelf = self._shelves.get(conversation_id)
        return [shelf.messages[seq] for seq in shelf.held.before(message_seq, count)] if shelf else []

    def after(self, conversation_id: str, message_seq: int, count: int) -> list[Message]:
        """Messages just after one, oldest first."""
        shelf = self._shelves.get(conversation_id)
        return [shelf.messages[seq] for seq in shelf.held.after(message_seq, count)] if shelf else []

    def add(self, conversation_id: str, messages: Iterable[Message], *, covers: tuple[int, int] | None = None) -> None:
        """Take messages in; the higher version wins."""
        shelf = self._shelves.setdefault(conversation_id, _Shelf())
        seqs = []
        for message in messages:
            held = shelf.messages.get(message.message_seq)
            if held is None or message.version > held.version:
                shelf.messages[message.message_seq] = message
                seqs.append(message.message_seq)
        shelf.held.hold(seqs, covers)
        if surplus := shelf.held.oldest_of(self._keep):
            shelf.drop_through(surplus[-1])

    def version_at_hand(self, conversation_id: str, message_seq: int) -> int:
        """The version of a message that is held, or 0."""
        shelf = self._shelves.get(conversation_id)
        held = shelf.messages.get(message_seq) if shelf else None
        return held.version if held is not None else 0

    def clear_through(self, conversation_id: str, message_seq: int) -> None:
        """Drop messages up to and with this one."""
        if shelf := self._shelves.get(conversation_id):
            shelf.drop_through(message_seq)

    def forget_all(self, *, but: Collection[str]) -> None:
        """Drop all messages, but those of these conversations."""
        self.purge([one for one in self._shelves if one not in but])

    def purge(self, conversation_ids: Iterable[str]) -> None:
        """Drop these conversations' messages."""
        for conversation_id in conversation_ids:
            self._shelves.pop(conversation_id, None)


class MemoryAccount:
    """Rows, cursor, outbox and the rest in memory; see `store.AccountStore`."""

    recovered: Recovered = None
    purge_due = False

    def __init__(self, *, keep: int = HISTORY_KEEP) -> None:
        self.outbox = MemoryOutbox()
        self.history = MemoryHistory(keep=keep)
        self.cursor: str | None = None
        self.stale: frozenset[str] = frozenset()
        self._conversations: dict[str, Conversation] = {}
        self._drafts: dict[str, str] = {}
        self._preferences: dict[str, Any] = {}
        self._facts: Me | None = None

    def conversations(self) -> dict[str, Conversation]:
        """All rows, in a dictionary of the caller's own."""
        return dict(self._conversations)

    def save(
        self,
        *,
        upsert: Iterable[Conversation] = (),
        remove: Iterable[str] = (),
        messages: Iterable[Message] = (),
        cursor: str | None = None,
        stale: Iterable[str] | None = None,
        clear: Mapping[str, int] = NOTHING,
    ) -> None:
        """Take rows, messages and the cursor that belongs to them; what is to be cleared goes at once."""
        for conversation_id in remove:
            self._conversations.pop(conversation_id, None)
        self._conversations.update((row.conversation_id, row) for row in upsert)
        for message in messages:
            self.history.add(message.conversation_id, [message])
        if cursor is not None:
            self.cursor = cursor
        if stale is not None:
            self.stale = frozenset(stale)
        for conversation_id, message_seq in clear.items():
            self.history.clear_through(conversation_id, message_seq)

    def replace(
        self,
        conversations: Iterable[Conversation],
        cursor: str | None,
        *,
        clear: Mapping[str, int] = NOTHING,
        keep_history: bool = True,
    ) -> None:
        """Put a snapshot in the place of all rows and of the cursor."""
        self._conversations = {row.conversation_id: row for row in conversations}
        self.history.forget_all(but=self._conversations if keep_history else ())
        for conversation_id, message_seq in clear.items():
            self.history.clear_through(conversation_id, message_seq)
        self.cursor = cursor
        self.stale = frozenset()

    def set_stale(self, conversation_ids: Iterable[str]) -> None:
        """Keep which rows are stale."""
        self.stale = frozenset(conversation_ids)

    def draft(self, conversation_id: str) -> str:
        """The unsent text of a conversation, or nothing."""
        return self._drafts.get(conversation_id, "")

    def set_draft(self, conversation_id: str, text: str) -> None:
        """Keep an unsent text; an empty one is forgotten."""
        if text:
            self._drafts[conversation_id] = text
        else:
            self._drafts.pop(conversation_id, None)

    def drafts(self) -> dict[str, str]:
        """conversationID -> unsent text."""
        return dict(self._drafts)

    def preference(self, name: str, default: Any = None) -> Any:
        """A plain value kept under a name."""
        return copy.deepcopy(self._preferences.get(name, default))

    def set_preference(self, name: str, value: Any) -> None:
        """Keep a plain value; None forgets it."""
        if value is None:
            self._preferences.pop(name, None)
        else:
            self._preferences[name] = copy.deepcopy(value)

    def facts(self) -> Me | None:
        """One's own identity and the server's facts as last heard."""
        return self._facts

    def set_facts(self, me: Me) -> None:
        """Keep them."""
        self._facts = me

    async def purge(self) -> None:
        """Nothing to do: `save` cleared already."""

    async def flush(self) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Nothing to do."""
