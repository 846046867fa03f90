"""Messages in plain TinyDB and in SQLite: what the cache is measured beside. Each does what it does best.

All three hold the same documents. A power cut takes what the defaults of each leave to it: TinyDB may lose all, SQLite
in WAL mode what was not checkpointed (synchronous=NORMAL), the cache what was not flushed.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from tinydb import TinyDB, where

from tui_chat.cache.documents import message_json
from tui_chat.protocol.models import Message

PAGE: Final = 50
"""Messages of a page."""


class PlainTinyDB:
    """One JSON file, one table, as TinyDB's documentation has it."""

    def __init__(self, path: Path):
        self._db = TinyDB(path)
        self._messages = self._db.table("messages")

    def fill(self, messages: Iterable[Message]) -> None:
        """All at once, which is the quick way."""
        self._messages.insert_multiple(map(_document, messages))

    def write(self, message: Message) -> None:
        """One more."""
        self._messages.insert(_document(message))

    def page(self, conversation_id: str, before: int) -> Sequence[Mapping[str, Any]]:
        """The newest before a number."""
        seq = where("messageSeq")
        found = self._messages.search((where("conversationID") == conversation_id) & (seq < before))
        return sorted(found, key=lambda document: int(document["messageSeq"]))[-PAGE:]

    def purge(self, conversation_id: str) -> None:
        """All of one conversation."""
        self._messages.remove(where("conversationID") == conversation_id)

    def close(self) -> None:
        """Let go."""
        self._db.close()


class PlainSQLite:
    """One table with the key that pages need; WAL.

    `full`: synchronous=FULL, so that a write is on the disk when it returns.
    """

    def __init__(self, path: Path, *, keep: int, full: bool = False):
        self._keep = keep
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute(f"PRAGMA synchronous={'FULL' if full else 'NORMAL'}")
        self._db.execute("PRAGMA secure_delete=ON")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS message (conversation TEXT, seq INTEGER, body BLOB,"
            " PRIMARY KEY (conversation, seq)) WITHOUT ROWID"
        )

    def fill(self, messages: Iterable[Message]) -> None:
        """All in one transaction."""
        self._db.execute("BEGIN")
        self._db.executemany("INSERT INTO message VALUES (?, ?, ?)", map(_row, messages))
        self._db.execute("COMMIT")

    def write(self, message: Message) -> None:
        """One more, and the oldest goes where there are too many."""
        self._db.execute("BEGIN")
        self._db.execute("INSERT INTO message VALUES (?, ?, ?)", _row(message))
        surplus = (message.conversation_id, message.message_seq - self._keep)
        self._db.execute("DELETE FROM message WHERE conversation = ? AND seq <= ?", surplus)
        self._db.execute("COMMIT")

    def page(self, conversation_id: str, before: int) -> list[Message]:
        """The newest before a number."""
        found = self._db.execute(
            "SELECT body FROM message WHERE conversation = ? AND seq < ? ORDER BY seq DESC LIMIT ?",
            (conversation_id, before, PAGE),
        )
        return [msgspec.json.decode(body, type=Message) for (body,) in found]

    def purge(self, conversation_id: str) -> None:
        """All of one conversation, overwritten, in the log as well."""
        self._db.execute("DELETE FROM message WHERE conversation = ?", (conversation_id,))
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Let go."""
        self._db.close()


def _document(message: Message) -> dict[str, Any]:
    document: dict[str, Any] = msgspec.json.decode(message_json(message))
    return document


def _row(message: Message) -> tuple[str, int, bytes]:
    return message.conversation_id, message.message_seq, bytes(message_json(message))
