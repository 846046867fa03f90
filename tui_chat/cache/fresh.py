"""Messages that stand in the account's journal, in the record of the cursor that counts them, and in no file yet.

A conversation's messages are a file of their own, and to open, read, write and close it costs more than everything else
that an event does (measured: 0.2 to 0.3 ms of processor time, of 0.03 altogether in memory). Who comes back after a
night finds news in thousands of conversations of which they open three. So what arrives is kept here, and goes to its
file together when somebody looks at the conversation, or when there is too much of it.

A table for each conversation, its documents by messageSeq.
"""

from collections.abc import Collection, Iterable
from typing import Final

from msgspec import Raw

from tui_chat.protocol.models import Message

from .documents import message_json, version_of
from .journal import JournalStorage

FRESH_BYTES: Final = 4 * 1024 * 1024
"""More than this does not wait: it stands in memory, and in every rewriting of the account's file. Some 15,000 messages
of a line or two; a server's log has 20,000 events at most."""
_TABLE: Final = "fresh "


class FreshMessages:
    """What waits, by conversation. Changes are a part of the journal's present group, if there is one.

    Raises (where it changes something): CacheError; it is changed nevertheless, and written later.
    """

    def __init__(self, storage: JournalStorage):
        self._storage = storage
        self._waiting: dict[str, None] = {}
        """In the order in which they began to wait."""
        self.size = 0
        """Bytes."""
        for table, rows in storage.read().items():
            if table.startswith(_TABLE) and rows:
                self._waiting[table.removeprefix(_TABLE)] = None
                self.size += sum(map(len, storage.raw(table).values()))

    def __contains__(self, conversation_id: str) -> bool:
        return conversation_id in self._waiting

    @property
    def oldest(self) -> str | None:
        """The conversation that has waited longest."""
        return next(iter(self._waiting), None)

    def of(self, conversation_id: str) -> list[tuple[int, Raw]]:
        """What waits of a conversation."""
        return [(int(seq), document) for seq, document in self._storage.raw(_TABLE + conversation_id).items()]

    def version(self, conversation_id: str, message_seq: int) -> int:
        """The version of a message that waits, or 0."""
        document = self._storage.raw(_TABLE + conversation_id).get(str(message_seq))
        return 0 if document is None else version_of(document)

    def put(self, messages: Iterable[Message]) -> None:
        """Take messages in; the higher version wins."""
        new: dict[str, dict[str, Raw]] = {}
        for message in messages:
            conversation_id, seq = message.conversation_id, str(message.message_seq)
            documents = new.setdefault(conversation_id, {})
            former = documents.get(seq) or self._storage.raw(_TABLE + conversation_id).get(seq)
            if former is not None:
                if version_of(former) >= message.version:
                    continue
                self.size -= len(former)
            documents[seq] = message_json(message)
            self.size += len(documents[seq])
        with self._storage.group(keep=True):
            for conversation_id, documents in new.items():
                if documents:
                    self._waiting[conversation_id] = None
                    self._storage.put_all(_TABLE + conversation_id, documents)

    def drop_through(self, conversation_id: str, message_seq: int) -> None:
        """Drop messages up to and with this one."""
        if conversation_id not in self._waiting:
            return
        table = _TABLE + conversation_id
        gone = [seq for seq in self._storage.raw(table) if int(seq) <= message_seq]
        if len(gone) == len(self._storage.raw(table)):
            self.drop(conversation_id)
            return
        with self._storage.group(keep=True):
            for seq in gone:
                self.size -= len(self._storage.raw(table)[seq])
                self._storage.remove(table, seq)

    def drop(self, conversation_id: str) -> None:
        """Drop a conversation's messages."""
        table = _TABLE + conversation_id
        self._waiting.pop(conversation_id, None)
        self.size -= sum(map(len, self._storage.raw(table).values()))
        with self._storage.group(keep=True):
            self._storage.clear(table)

    def drop_all(self, *, but: Collection[str]) -> None:
        """Drop everything but the messages of these conversations."""
        with self._storage.group(keep=True):
            for conversation_id in [one for one in self._waiting if one not in but]:
                self.drop(conversation_id)
