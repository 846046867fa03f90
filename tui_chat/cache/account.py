"""One account on disk: rows, cursor, outbox, drafts and preferences in one TinyDB; messages in many (history.py).

The directory holds `lock`, `account.journal` with its backup, `account.head` while it is closed, and `history/`. The
tables of the account: conversations, stale, drafts, preferences, outbox, counters (the last number of the outbox),
clears (what is to be purged), `fresh C2Cbob` (messages that are in no file of history yet, see fresh.py), and state:
cursor, me (identity and server), unsettled (history is being written without fsync, in this run of the machine), queued
(commands whose text the last rewriting to purge the file had to leave).
"""

import asyncio
import heapq
from collections.abc import Iterable, Mapping, Set
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Final, Self

from msgspec import Raw

from tui_chat.files import private_directory
from tui_chat.protocol.models import Conversation, Message
from tui_chat.protocol.requests import Me
from tui_chat.protocol.wire import to_plain

from . import formats
from .documents import CONVERSATIONS, ME
from .files import disk_errors
from .fresh import FreshMessages
from .head import HEAD_ROWS, Head, remove_head, write_head
from .history import HistoryCache
from .lock import AccountLock
from .machine import boot_id
from .order import list_order
from .outbox import OutboxTable
from .store import EVERYTHING, HISTORY_KEEP, NOTHING, Closed, DiskFull, Recovered
from .table import JournalDB
from .threads import in_thread

_ALL: Final = ""
"""In place of a conversationID among what is to be purged: every message of every conversation."""
_UNLISTED: Final = "*"
"""The same: every message of conversations that have no row. Which have messages, no name says but the rows'."""
_PURGED_AT_ONCE: Final = 8
"""Files rewritten before the loop has its turn again."""


class AccountCache:
    """See `store.AccountStore`. Made by `AccountCache.open`."""

    def __init__(self, directory: Path, lock: AccountLock, database: JournalDB, *, keep: int, boot: str | None):
        self._directory = directory
        self._lock = lock
        self._database = database
        self._storage = database.storage
        self._rows = database.keyed("conversations")
        self._state = database.keyed("state")
        self._stale = database.keyed("stale")
        self._drafts = database.keyed("drafts")
        self._preferences = database.keyed("preferences")
        self._clears = database.keyed("clears")
        self._boot = boot
        self._open = True
        self._fresh = FreshMessages(self._storage)
        self.outbox = OutboxTable(database)
        self.history = HistoryCache(
            directory / "history",
            self._fresh,
            keep=keep,
            before_writing=self._mark_unsettled,
        )

    @classmethod
    def open(cls, directory: Path, *, keep: int = HISTORY_KEEP, boot: str | None = None) -> Self:
        """Take an account's cache, making it where there is none, and repair what a crash left.

        Arguments:
            directory: of this account alone (one per server and user).
            keep: messages that each conversation keeps, the newest ones.
            boot: names the machine's present run; found out where it is not given.

        Raises:
            Locked: another process has it; says which.
            NewerFormat: written by a newer version.
            DiskFull, CacheError: it cannot be read or, where that is needed, repaired.
        """
        with disk_errors():
            private_directory(directory, narrow=True)
        lock = AccountLock(directory / "lock")
        with ExitStack() as undone:
            undone.callback(lock.release)
            database = JournalDB(
                directory / "account.journal",
                version=formats.ACCOUNT_FORMAT,
                migrations=formats.ACCOUNT_MIGRATIONS,
                kinds={"conversations": CONVERSATIONS},
            )
            undone.callback(database.close)
            cache = cls(directory, lock, database, keep=keep, boot=boot or boot_id())
            with disk_errors():
                remove_head(directory)
            cache._repair()
            undone.pop_all()
        return cache

    @property
    def recovered(self) -> Recovered:
        """What opening had to repair."""
        return self._storage.recovered

    @property
    def cursor(self) -> str | None:
        """Up to where the rows are in step with the server."""
        document = self._state.get(doc_id="cursor")
        return document["value"] if document else None

    @property
    def stale(self) -> frozenset[str]:
        """Rows that are copies."""
        return frozenset(self._storage.raw("stale"))

    def conversations(self) -> dict[str, Conversation]:
        """All rows."""
        return dict(self._storage.raw("conversations"))

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
        """Write rows, messages and the cursor that belongs to them, as one record."""
        with self._storage.group(keep=True):
            self._rows.discard(remove)
            self._put_rows(upsert)
            self._fresh.put(messages)
            if cursor is not None:
                self._state.put("cursor", {"value": cursor})
            if stale is not None:
                self.set_stale(stale)
            for conversation_id, message_seq in clear.items():
                self._clear_later(conversation_id, message_seq)
        self.history.shelve_surplus()

    def replace(
        self,
        conversations: Iterable[Conversation],
        cursor: str | None,
        *,
        clear: Mapping[str, int] = NOTHING,
        keep_history: bool = True,
    ) -> None:
        """Put a snapshot in the place of all rows and of the cursor, as one record."""
        rows = list(conversations)
        kept = {row.conversation_id for row in rows} if keep_history else set()
        try:
            with self._storage.group(keep=True):
                self._rows.truncate()
                self._stale.truncate()
                self._put_rows(rows)
                if cursor is None:
                    self._state.discard(["cursor"])
                else:
                    self._state.put("cursor", {"value": cursor})
                for conversation_id, message_seq in clear.items():
                    self._clear_later(conversation_id, message_seq)
                self._clears.put(_UNLISTED if keep_history else _ALL, {})
                self._fresh.drop_all(but=kept)
        finally:
            self.history.forget_files(but=kept)

    def set_stale(self, conversation_ids: Iterable[str]) -> None:
        """Write which rows are stale."""
        wanted, present = frozenset(conversation_ids), self.stale
        with self._storage.group(keep=True):
            self._stale.discard(present - wanted)
            for conversation_id in wanted - present:
                self._stale.put(conversation_id, {})

    def draft(self, conversation_id: str) -> str:
        """The unsent text of a conversation, or nothing."""
        document = self._drafts.get(doc_id=conversation_id)
        return document["text"] if document else ""

    def set_draft(self, conversation_id: str, text: str) -> None:
        """Keep an unsent text; an empty one is forgotten."""
        with self._storage.group(keep=True):
            if text:
                self._drafts.put(conversation_id, {"text": text})
            else:
                self._drafts.discard([conversation_id])

    def drafts(self) -> dict[str, str]:
        """conversationID -> unsent text."""
        return {str(document.doc_id): document["text"] for document in self._drafts}

    def preference(self, name: str, default: Any = None) -> Any:
        """A plain JSON value kept under a name."""
        document = self._preferences.get(doc_id=name)
        return document["value"] if document else default

    def set_preference(self, name: str, value: Any) -> None:
        """Keep a plain JSON value; None forgets it."""
        with self._storage.group(keep=True):
            if value is None:
                self._preferences.discard([name])
            else:
                self._preferences.put(name, {"value": value})

    def facts(self) -> Me | None:
        """One's own identity and the server's facts as last heard."""
        return self._state.decoded_one("me", ME)

    def set_facts(self, me: Me) -> None:
        """Keep them."""
        with self._storage.group(keep=True):
            self._state.put("me", to_plain(me))

    @property
    def purge_due(self) -> bool:
        """Whether `purge` has anything to do: something was named, or a command is gone whose text was left."""
        return bool(self._storage.raw("clears")) or self._outlived

    async def purge(self) -> None:
        """Remove what `save(clear=)` named, and former states of everything else."""
        self._assert_open()
        if not self.purge_due:
            return
        asked = dict(self._storage.raw("clears"))
        if asked:
            await in_thread(self.history.clear_whole)
            more = True
            while more:
                more = self.history.clear_some(_PURGED_AT_ONCE)
                await asyncio.sleep(0)
            self.history.sync_removals()
        left = self._to_be_left(bool(asked))  # before the file is made: what goes while it is written stands in it
        await self._storage.compact()
        self._cleared(asked, left)
        await self._storage.flush()

    async def flush(self) -> None:
        """Bring what was written to the disk for good."""
        await self._storage.flush()

    def close(self) -> None:
        """Bring everything to the disk, messages too, and let go of the account; a second call does nothing."""
        if not self._open:
            return
        self._open = False
        try:
            self.history.settle()
            if self._outlived:
                self._rewrite_now({}, something_cleared=False)
            if self._state.has("unsettled"):  # absent: settled
                with self._storage.group(keep=True):
                    self._state.discard(["unsettled"])
        finally:
            try:
                self._database.close()
                self._write_head()
            finally:
                self._lock.release()

    # Inside

    def _put_rows(self, rows: Iterable[Conversation]) -> None:
        self._rows.put_all({row.conversation_id: row for row in rows})

    def _assert_open(self) -> None:
        if not self._open:
            raise Closed

    def _repair(self) -> None:
        """History is trusted if all that was written to it is there: after an orderly end, or on a machine that has
        been running since. After a rebuilding nobody knows what was to be cleared."""
        unsettled = self._state.get(doc_id="unsettled")
        trusted = unsettled is None or (self._boot is not None and unsettled["boot"] == self._boot)
        asked = dict(self._storage.raw("clears"))
        if not trusted or self.recovered == "rebuilt" or _ALL in asked:
            self.history.forget_files()
        elif _UNLISTED in asked:
            self.history.forget_files(but=self._storage.raw("conversations"))
        for conversation_id in asked.keys() - {_ALL, _UNLISTED}:
            self.history.clear_later(conversation_id, self._storage_clear(conversation_id))
        if self.purge_due:
            with suppress(DiskFull):  # they are not shown; the next purge removes them
                if asked:
                    self.history.clear_some(len(asked))
                    self.history.sync_removals()
                self._rewrite_now(asked, something_cleared=bool(asked))

    def _write_head(self) -> None:
        """For the next start. Not while commands wait: what is shown then is not what the rows say."""
        rows = self._storage.raw("conversations")
        if not rows or self._storage.raw("outbox"):
            return
        first = heapq.nsmallest(HEAD_ROWS, rows.values(), key=list_order)
        names = [row.conversation_id for row in first]
        head = Head(
            rows=first,
            total=len(rows),
            stale=sorted(self.stale.intersection(names)),
            drafts={name: text for name in names if (text := self.draft(name))},
            facts=self.facts(),
        )
        with suppress(OSError):  # the next start takes a little longer
            write_head(self._directory, head)

    def _storage_clear(self, conversation_id: str) -> int:
        document = self._clears.get(doc_id=conversation_id)
        return int(document["through"]) if document else 0

    def _clear_later(self, conversation_id: str, message_seq: int) -> None:
        # A row that is gone has no messages above the watermark: its file need not be read to be removed.
        through = message_seq if conversation_id in self._storage.raw("conversations") else EVERYTHING
        self._fresh.drop_through(conversation_id, through)
        # What arrives from now on is fresh. Files and the record may have another clearing to do as well.
        through = max(through, self._storage_clear(conversation_id))
        self._clears.put(conversation_id, {"through": through})
        self.history.clear_later(conversation_id, through)

    @property
    def _outlived(self) -> bool:
        """Whether a command is gone whose text the file had to keep when it was rewritten to purge it: its message may
        have been sent, and be among what was cleared then, so that no other clearing follows."""
        return not self._queued <= self._storage.raw("outbox").keys()

    @property
    def _queued(self) -> Set[str]:
        document = self._state.get(doc_id="queued")
        return frozenset(document["entries"]) if document else frozenset()

    def _to_be_left(self, something_cleared: bool) -> Set[str]:
        """Commands whose text a rewriting that begins now has to leave, and another has to remove when they are gone.

        Where nothing new was cleared, those only that an earlier one left: what was queued since is cleared later, if
        at all, and a queue that is never empty does not have the file rewritten for ever.
        """
        present = self._storage.raw("outbox").keys()
        return frozenset(present) if something_cleared else self._queued & present

    def _rewrite_now(self, asked: Mapping[str, Raw], *, something_cleared: bool) -> None:
        left = self._to_be_left(something_cleared)
        self._storage.compact_now()
        self._cleared(asked, left)

    def _cleared(self, asked: Mapping[str, Raw], left: Set[str]) -> None:
        present = self._storage.raw("clears")
        with self._storage.group(keep=True):
            if left:
                self._state.put("queued", {"entries": sorted(left)})
            else:
                self._state.discard(["queued"])
            # What was asked for anew meanwhile is another object, and stays for the next purge.
            self._clears.discard([name for name, request in asked.items() if present.get(name) is request])

    def _mark_unsettled(self) -> None:
        """Before the first file of a session is written: from now on a power cut may spoil history."""
        with suppress(DiskFull), self._storage.group(keep=True):
            self._state.put("unsettled", {"boot": self._boot})
        self._storage.sync_now()
