"""Messages on disk: one TinyDB a conversation, so that clearing one is removing its file.

What arrives waits in the account's journal (fresh.py) and comes here when somebody looks at the conversation, or when
too much waits. History is not fsynced: what a power cut spoils is fetched again (see AccountCache). Its files are
opened when asked for, and few are kept open.
"""

import hashlib
import os
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from msgspec import Raw

from tui_chat.files import open_private, private_directory, sync_directory
from tui_chat.protocol.models import Message

from . import formats
from .documents import MESSAGE, message_json, version_of
from .files import disk_errors, remove_files
from .fresh import FRESH_BYTES, FreshMessages
from .runs import HeldMessages
from .store import EVERYTHING, HISTORY_KEEP, CacheError, Closed, DiskFull
from .table import JournalDB

OPEN_FILES: Final = 16
_COMPACT_FROM: Final = 64 * 1024
_SYNCED_SINGLY: Final = 128


class HistoryCache:
    """See `store.HistoryStore`.

    Arguments:
        directory: for the files; made when first written to.
        fresh: what waits to be taken to its file.
        keep: messages a conversation keeps.
        before_writing: called once, before the first file of this session is written.
    """

    def __init__(
        self,
        directory: Path,
        fresh: FreshMessages,
        *,
        keep: int = HISTORY_KEEP,
        before_writing: Callable[[], None],
    ):
        self._directory = directory
        self._fresh = fresh
        self._keep = keep
        self._before_writing = before_writing
        self._writing = self._closed = False
        self._shelves: OrderedDict[str, _Shelf] = OrderedDict()
        self._written: set[Path] = set()
        self._to_clear: dict[str, int] = {}
        self._guard = threading.RLock()
        """Between `clear_whole` in its thread and everybody else; held for one file at a time. That thread does not
        touch the account's journal."""

    def tail(self, conversation_id: str, count: int) -> list[Message]:
        """The newest messages, oldest first."""
        shelf = self._shelf(conversation_id)
        return shelf.messages(shelf.held.tail(count))

    def before(self, conversation_id: str, message_seq: int, count: int) -> list[Message]:
        """Messages just before one, oldest first."""
        shelf = self._shelf(conversation_id)
        return shelf.messages(shelf.held.before(message_seq, count))

    def after(self, conversation_id: str, message_seq: int, count: int) -> list[Message]:
        """Messages just after one, oldest first."""
        shelf = self._shelf(conversation_id)
        return shelf.messages(shelf.held.after(message_seq, count))

    def version_at_hand(self, conversation_id: str, message_seq: int) -> int:
        """The version of a message, as far as no file has to be opened to know it; else 0."""
        with self._guard:
            # What is still to be cleared from a file is not held, and it is not opened to be told apart from the rest.
            shelf = self._shelves.get(conversation_id) if conversation_id not in self._to_clear else None
            held = shelf.version(message_seq) if shelf is not None else 0
        return max(held, self._fresh.version(conversation_id, message_seq))

    def add(self, conversation_id: str, messages: Iterable[Message], *, covers: tuple[int, int] | None = None) -> None:
        """Take messages in; the higher version wins. Raises DiskFull, and has taken in nothing then."""
        shelf = self._shelf(conversation_id)
        messages = list(messages)
        if not messages and (covers is None or not shelf.held):
            return
        self._begin_writing()
        self._written.add(shelf.path)
        shelf.add([(message.message_seq, message_json(message)) for message in messages], covers, self._keep)

    def clear_through(self, conversation_id: str, message_seq: int) -> None:
        """Drop messages up to and with this one, and every byte of them in this conversation's file."""
        self._fresh.drop_through(conversation_id, message_seq)
        self._clear_through(conversation_id, message_seq)

    # What the account asks

    def clear_later(self, conversation_id: str, message_seq: int) -> None:
        """Messages in the file up to this one are not returned any more; they go when somebody looks, or with the two
        below."""
        with self._guard:
            self._to_clear[conversation_id] = max(message_seq, self._to_clear.get(conversation_id, 0))

    def shelve_surplus(self) -> None:
        """Take to their files what waits beyond FRESH_BYTES: the conversations that have waited longest. Where there is
        no room, they go on waiting."""
        while self._fresh.size > FRESH_BYTES and (oldest := self._fresh.oldest) is not None:
            with suppress(CacheError):
                self._shelf(oldest)
            if oldest in self._fresh:
                return

    def clear_whole(self) -> None:
        """Remove the files of which nothing is to stay. May run in another thread while the store is used."""
        with self._guard:
            asked = list(self._to_clear.items())
        for conversation_id, message_seq in asked:
            with self._guard:
                if (
                    message_seq >= EVERYTHING
                    and conversation_id in self._to_clear
                    and conversation_id not in self._shelves
                ):
                    self._remove(conversation_id)
                    del self._to_clear[conversation_id]

    def clear_some(self, most: int) -> bool:
        """Remove what is to be cleared of some conversations. Returns whether more is left."""
        for conversation_id in list(self._to_clear)[:most]:
            self._clear_through(conversation_id, 0)
        return bool(self._to_clear)

    def sync_removals(self) -> None:
        """Make removals durable, as far as the file system does that."""
        if self._directory.is_dir():
            with disk_errors():
                sync_directory(self._directory)

    def forget_files(self, *, but: Collection[str] = ()) -> None:
        """Remove every file, whosesoever it is, but those of these conversations."""
        self._assert_open()
        with self._guard:
            for conversation_id in [one for one in self._shelves if one not in but]:
                self._shelves.pop(conversation_id).remove()
            paths = {self._path(conversation_id) for conversation_id in but}
            if self._directory.is_dir():
                stems = {path.stem for path in paths}
                with disk_errors():
                    for path in self._directory.iterdir():
                        if path.name.partition(".")[0] not in stems:
                            path.unlink()
                    sync_directory(self._directory)
            for conversation_id in [one for one in self._to_clear if one not in but]:
                del self._to_clear[conversation_id]
            self._written &= paths

    def settle(self) -> None:
        """Close the files, for good, and make what this session wrote durable."""
        self._closed = True
        self._close_all()
        with disk_errors():
            if len(self._written) > _SYNCED_SINGLY and sys.platform == "linux":
                os.sync()  # waits there, and takes a fraction of as many fsyncs
            else:
                for path in self._written:
                    with suppress(FileNotFoundError):  # cleared meanwhile
                        _sync_file(path)
        self.sync_removals()
        self._written.clear()

    # Inside

    def _path(self, conversation_id: str) -> Path:
        return self._directory / f"{hashlib.sha256(conversation_id.encode()).hexdigest()[:32]}.journal"

    def _shelf(self, conversation_id: str) -> "_Shelf":
        with self._guard:
            if conversation_id in self._to_clear:
                self._clear_through(conversation_id, 0)
            shelf = self._opened(conversation_id)
            if conversation_id in self._fresh:
                self._shelve(conversation_id, shelf)
            return shelf

    def _shelve(self, conversation_id: str, shelf: "_Shelf") -> None:
        """Take fresh messages to the file. Where it cannot be written they are read from memory, and wait as before."""
        with suppress(CacheError):
            self._begin_writing()
            self._written.add(shelf.path)
            shelf.add(self._fresh.of(conversation_id), None, self._keep, waiting=True)
            self._fresh.drop(conversation_id)

    def _begin_writing(self) -> None:
        if not self._writing:
            with disk_errors():
                private_directory(self._directory, narrow=True)
            self._before_writing()
            self._writing = True

    def _clear_through(self, conversation_id: str, message_seq: int) -> None:
        with self._guard:
            message_seq = max(message_seq, self._to_clear.get(conversation_id, 0))
            if message_seq >= EVERYTHING or self._drop_through(conversation_id, message_seq):
                self._remove(conversation_id)
            self._to_clear.pop(conversation_id, None)  # not before: what fails is still to be cleared

    def _assert_open(self) -> None:
        if self._closed:  # and another process may have the files
            raise Closed

    def _opened(self, conversation_id: str) -> "_Shelf":
        self._assert_open()
        shelf = self._shelves.get(conversation_id)
        if shelf is None:
            while len(self._shelves) >= OPEN_FILES:
                with suppress(CacheError):  # what it could not write waits in the account's journal as well
                    self._shelves.popitem(last=False)[1].close()
            shelf = self._shelves[conversation_id] = _Shelf(self._path(conversation_id))
        self._shelves.move_to_end(conversation_id)
        return shelf

    def _drop_through(self, conversation_id: str, message_seq: int) -> bool:
        """Returns whether the file is to go: nothing is left in it, or no room to write what is left without the rest.
        A file takes no room to remove, and what was in it can be asked for again."""
        try:
            shelf = self._opened(conversation_id)
            return not shelf.held or shelf.drop_through(message_seq)
        except DiskFull:
            return True

    def _remove(self, conversation_id: str) -> None:
        self._assert_open()
        path = self._path(conversation_id)
        if shelf := self._shelves.pop(conversation_id, None):
            shelf.remove()
        else:
            with disk_errors():
                remove_files(path, durable=False)
        self._written.discard(path)

    def _close_all(self) -> None:
        while self._shelves:
            self._shelves.popitem()[1].close()


class _Shelf:
    """One conversation's file, open."""

    def __init__(self, path: Path):
        self.path = path
        self._db = JournalDB(
            path,
            durable=False,
            version=formats.HISTORY_FORMAT,
            migrations=formats.HISTORY_MIGRATIONS,
            compact_from=_COMPACT_FROM,
        )
        self._messages = self._db.table("messages")
        self._runs = self._db.keyed("runs")
        self.held = self._read_held()

    def messages(self, seqs: Iterable[int]) -> list[Message]:
        decoded = (self._messages.decoded_one(seq, MESSAGE) for seq in seqs)
        return [message for message in decoded if message is not None]

    def version(self, seq: int) -> int:
        document = self._db.storage.raw("messages").get(str(seq))
        return 0 if document is None else version_of(document)

    def add(
        self,
        documents: Iterable[tuple[int, Raw]],
        covers: tuple[int, int] | None,
        keep: int,
        *,
        waiting: bool = False,
    ) -> None:
        """`waiting`: they stand elsewhere as well, so that they are held here also where they cannot be written."""
        storage = self._db.storage
        fresh: dict[int, Raw] = {}
        for seq, document in documents:
            former = fresh.get(seq) or storage.raw("messages").get(str(seq))
            if former is None or version_of(document) > version_of(former):
                fresh[seq] = document
        with self._in_step(keep=waiting):
            told = self.held.hold(sorted(fresh), covers)
            surplus = self.held.oldest_of(keep)
            self._messages.put_all({str(seq): document for seq, document in fresh.items()})
            if surplus:
                self._messages.discard(surplus)
                self.held.drop_through(surplus[-1])
            if told:
                self._write_gaps()
        if waiting:
            storage.flush_now()  # also what could not be written before

    def drop_through(self, seq: int) -> bool:
        """Returns whether nothing is left, so that the file can go."""
        with self._in_step():
            if gone := self.held.drop_through(seq):
                self._messages.discard(gone)
                self._write_gaps()
        if self.held:
            self._db.storage.compact_now()
        return not self.held

    @contextmanager
    def _in_step(self, *, keep: bool = False) -> Iterator[None]:
        try:
            with self._db.storage.group(keep=keep):
                yield
        except BaseException:
            self.held = self._read_held()
            raise

    def _read_held(self) -> HeldMessages:
        gaps = self._runs.get(doc_id="gaps")
        return HeldMessages(
            map(int, self._db.storage.raw("messages")),
            [(first, last) for first, last in gaps["gaps"]] if gaps else (),
        )

    def _write_gaps(self) -> None:
        self._runs.put("gaps", {"gaps": self.held.gaps()})

    def remove(self) -> None:
        self._db.storage.remove_files()

    def close(self) -> None:
        self._db.close()


def _sync_file(path: Path) -> None:
    descriptor = open_private(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
