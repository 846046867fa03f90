"""What a client needs of a store: the interface of the cache on disk and of the one in memory, and what can go wrong.

Nothing here knows TinyDB. All methods are synchronous and quick unless they are `async`; all belong to one thread, the
session's event loop's.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, Literal, Protocol

from tui_chat.protocol.models import Conversation, Message
from tui_chat.protocol.requests import Me

NOTHING: Final[Mapping[str, int]] = MappingProxyType({})
"""The empty watermarks."""
EVERYTHING: Final = 2**53
"""As a messageSeq up to which to clear: all of it, without a look at what there is."""
HISTORY_KEEP: Final = 5_000
"""Messages of one conversation that are kept, the newest ones; older ones are asked of the server."""

Recovered = Literal["backup", "rebuilt"] | None
"""What opening had to do: nothing; fall back to the backup or to an earlier record; begin anew with nothing."""


class CacheError(Exception):
    """The cache cannot be used; `str()` is one line that says why and what to do."""


class Locked(CacheError):
    """Another process has this account's cache open."""

    def __init__(self, pid: int | None):
        super().__init__(
            "This account is already open in another tui-chat"
            + (f" (process {pid})" if pid is not None else "")
            + ": use that one, or end it first."
        )
        self.pid = pid
        """Its process number; None in the instant before it has written it down."""


class DiskFull(CacheError):
    """No room left on the disk: what should be written was not, and what was there before stands unharmed.

    Later writes succeed as soon as there is room. What `AccountStore.save` could not write is written with the next
    `save` or `flush`; a command of the outbox that could not be added is not in it.
    """

    def __init__(self) -> None:
        super().__init__("The disk is full: the cache of this account could not be written.")


class Closed(CacheError):
    """It was closed: another process may have it by now, so that nothing is written, and nothing read from files."""

    def __init__(self) -> None:
        super().__init__("The cache of this account is closed.")


class NewerFormat(CacheError):
    """The files were written by a newer version of this program."""

    def __init__(self, found: int, known: int):
        super().__init__(
            f"The cache of this account was written by a newer tui-chat (format {found}, this one knows {known}): "
            "update this one, or remove the cache to begin anew."
        )
        self.found = found
        self.known = known


class OutboxStore(Protocol):
    """Commands that wait for the server, oldest first. `add` and `update` are on the disk when they return."""

    def add(self, entry: Mapping[str, Any]) -> int:
        """Append a command (plain JSON values). Returns its number, which is never used again.

        Raises:
            DiskFull: it could not be written, and is not in the queue.
        """
        ...

    def add_many(self, entries: Iterable[Mapping[str, Any]]) -> list[int]:
        """Append several commands: all of them or none, with one fsync. Returns their numbers."""
        ...

    def update(self, entry_id: int, entry: Mapping[str, Any]) -> None:
        """Replace a command. Raises KeyError where there is none of that number, and DiskFull."""
        ...

    def remove(self, *entry_ids: int) -> None:
        """Take commands out; unknown numbers are ignored. Reaches the disk for good with the next flush: a command that
        reappears after a power cut is sent again under its operationID, which changes nothing."""
        ...

    def all(self) -> list[tuple[int, dict[str, Any]]]:
        """The queue in order; the entries are copies."""
        ...


class HistoryStore(Protocol):
    """Messages by conversation, as far as they are held.

    What is held may have holes. Nothing here ever returns messages from both sides of one: a list that is shorter than
    asked for means "from here on ask the server".
    """

    def tail(self, conversation_id: str, count: int) -> list[Message]:
        """The newest messages, oldest first."""
        ...

    def before(self, conversation_id: str, message_seq: int, count: int) -> list[Message]:
        """Messages that come just before one, oldest first; empty where the one before it is not held."""
        ...

    def after(self, conversation_id: str, message_seq: int, count: int) -> list[Message]:
        """Messages that come just after one, oldest first; empty where the one after it is not held."""
        ...

    def add(self, conversation_id: str, messages: Iterable[Message], *, covers: tuple[int, int] | None = None) -> None:
        """Take messages in: by messageSeq, the higher version wins. The oldest go when there are too many.

        `covers`: first and last messageSeq between which this reader has no other messages. A page that the server
        answered for `before=150` and that begins with 98 covers (98, 149), although 100 to 149 may have been written
        while the reader was not in the group. Without it only what is contiguous by number counts as without a hole.

        Raises:
            DiskFull: nothing of it was taken in.
        """
        ...

    def version_at_hand(self, conversation_id: str, message_seq: int) -> int:
        """The version of a message that is held, or 0; 0 as well where one would have to open a file to know."""
        ...

    def clear_through(self, conversation_id: str, message_seq: int) -> None:
        """Drop messages up to and with this one, and every byte of them in this conversation's files."""
        ...


class AccountStore(Protocol):
    """What a client keeps of one account: rows, cursor, outbox, drafts, preferences, messages."""

    @property
    def recovered(self) -> Recovered:
        """What opening had to repair. After `rebuilt` there is no cursor: ask for the whole state."""
        ...

    @property
    def cursor(self) -> str | None:
        """Up to where the rows are in step with the server; None before the first sync."""
        ...

    @property
    def outbox(self) -> OutboxStore:
        """Commands that wait."""
        ...

    @property
    def history(self) -> HistoryStore:
        """Messages."""
        ...

    @property
    def stale(self) -> frozenset[str]:
        """Rows that are copies, because another device deleted them without telling (the sync switch is off)."""
        ...

    def conversations(self) -> dict[str, Conversation]:
        """All rows, anew from the store: for the start, not for every look."""
        ...

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
        """Write rows, messages and the cursor that belongs to them: after a crash all of one call is there or none.

        `messages`: as `history.add`, for those that the cursor counts; before what `clear` names.
        `cursor`, `stale`: None leaves them as they are.
        `clear`: conversationID -> messageSeq up to which its messages have to vanish from the disk. From now on
        `history` does not return them; `purge` removes them (and so does opening, when that did not happen).

        Raises:
            DiskFull: not written; it is remembered, and written with the next save or flush.
        """
        ...

    def replace(
        self,
        conversations: Iterable[Conversation],
        cursor: str | None,
        *,
        clear: Mapping[str, int] = NOTHING,
        keep_history: bool = True,
    ) -> None:
        """Put a snapshot in the place of all rows and of the cursor; no row is stale after it. Drafts, outbox and
        preferences stay, and so does history of what has a row: of everything else nobody tells any more up to where
        it is cleared.

        `clear`: as in `save`, of the same record: what the snapshot's watermarks hide.
        `keep_history`: false drops all messages there are.

        Raises:
            DiskFull: as `save`.
        """
        ...

    def set_stale(self, conversation_ids: Iterable[str]) -> None:
        """Write which rows are stale."""
        ...

    def draft(self, conversation_id: str) -> str:
        """The unsent text of a conversation, or nothing."""
        ...

    def set_draft(self, conversation_id: str, text: str) -> None:
        """Keep an unsent text; an empty one is forgotten. Removing a row does not remove its draft. Raises DiskFull."""
        ...

    def drafts(self) -> dict[str, str]:
        """conversationID -> unsent text."""
        ...

    def preference(self, name: str, default: Any = None) -> Any:
        """A plain JSON value kept under a name."""
        ...

    def set_preference(self, name: str, value: Any) -> None:
        """Keep a plain JSON value; None forgets it. Raises DiskFull."""
        ...

    def facts(self) -> Me | None:
        """One's own identity and the server's facts as last heard."""
        ...

    def set_facts(self, me: Me) -> None:
        """Keep them. Raises DiskFull."""
        ...

    @property
    def purge_due(self) -> bool:
        """Whether `purge` has anything to do. It has again when a command is gone that was still queued at the last
        one: the file had to keep its text until then."""
        ...

    async def purge(self) -> None:
        """Do what `save(clear=)` asked for: once a batch, soon after its last event. Cheap where nothing is to do.

        Afterwards no file of the account has a byte of these messages, nor of earlier rows, drafts and queue entries.
        """
        ...

    async def flush(self) -> None:
        """Bring everything written so far to the disk for good (one fsync for all that waits). Raises DiskFull."""
        ...

    def close(self) -> None:
        """Flush, and let go of the account; a second call does nothing. Raises DiskFull, having let go all the same.

        Whoever writes, or asks for messages, afterwards gets Closed.
        """
        ...
