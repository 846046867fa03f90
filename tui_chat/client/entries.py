"""What can wait in the outbox. Everything that makes a retry take effect once is fixed when an entry is stored."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import ValidationError

from tui_chat.protocol.errors import InvalidRequest
from tui_chat.protocol.wire import from_plain, to_plain, wire_name


class Entry(msgspec.Struct, frozen=True, kw_only=True, tag_field="what", rename=wire_name):
    """Base: `attempted` is stored before the first attempt, so that it is known after a crash as well."""

    attempted: bool = False
    seen_at: str = ""
    """Where the entry names messages by their numbers: the cursor of the state that they were read from. Empty where it
    names none, and in what an earlier version has stored."""

    def conversations(self) -> list[str]:
        """The conversations that it touches: entries of one conversation take effect in order."""
        raise NotImplementedError


class QueuedSend(Entry, frozen=True, kw_only=True, tag="send"):
    """A message. `time` is this machine's, in ms, for the local echo."""

    conversation_id: str
    client_id: str
    text: str
    reply_to: int | None = None
    mentions: list[str] = []
    time: int

    def conversations(self) -> list[str]:
        return [self.conversation_id]


class QueuedDeletion(Entry, frozen=True, kw_only=True, tag="delete"):
    """One call of a deletion: at most as many conversations as a call takes."""

    conversation_id_list: list[str]
    clear_history_message: bool
    up_to: dict[str, int]
    operation_id: str
    batch_id: str

    def conversations(self) -> list[str]:
        return self.conversation_id_list


class QueuedClear(Entry, frozen=True, kw_only=True, tag="clear"):
    """One call that clears histories and leaves the rows."""

    conversation_id_list: list[str]
    up_to: dict[str, int]
    operation_id: str
    batch_id: str

    def conversations(self) -> list[str]:
        return self.conversation_id_list


class QueuedRestore(Entry, frozen=True, kw_only=True, tag="restore"):
    """An undo; the conversations (as far as they are known) put it behind what is queued for them."""

    batch_id: str
    conversation_id_list: list[str]

    def conversations(self) -> list[str]:
        return self.conversation_id_list


class QueuedRead(Entry, frozen=True, kw_only=True, tag="read"):
    """A conversation is read up to `message_seq`."""

    conversation_id: str
    message_seq: int
    operation_id: str

    def conversations(self) -> list[str]:
        return [self.conversation_id]


class QueuedFlags(Entry, frozen=True, kw_only=True, tag="flags"):
    """Flags of at most a call's conversations; None leaves one as it is."""

    conversation_id_list: list[str]
    pinned: bool | None = None
    muted: bool | None = None
    marked_unread: bool | None = None
    operation_id: str

    def conversations(self) -> list[str]:
        return self.conversation_id_list


class QueuedEdit(Entry, frozen=True, kw_only=True, tag="edit"):
    """Another text of one's own message; `mentions` None leaves those of before. `time` is this machine's, in ms."""

    conversation_id: str
    message_seq: int
    text: str
    mentions: list[str] | None = None
    operation_id: str
    time: int

    def conversations(self) -> list[str]:
        return [self.conversation_id]


class QueuedRecall(Entry, frozen=True, kw_only=True, tag="recall"):
    """A message taken back from everybody."""

    conversation_id: str
    message_seq: int
    operation_id: str

    def conversations(self) -> list[str]:
        return [self.conversation_id]


class QueuedReaction(Entry, frozen=True, kw_only=True, tag="react"):
    """One's reaction added or taken back: twice is as once, and order within the conversation is all that it needs."""

    conversation_id: str
    message_seq: int
    emoji: str
    there: bool

    def conversations(self) -> list[str]:
        return [self.conversation_id]


MessageEntry = QueuedEdit | QueuedRecall | QueuedReaction
"""What changes one message."""
AnyEntry = QueuedSend | QueuedDeletion | QueuedClear | QueuedRestore | QueuedRead | QueuedFlags | MessageEntry


def seen_at(entry: AnyEntry, cursor: str | None) -> AnyEntry:
    """The entry with the cursor of the state from which its messages' numbers are, where it has any."""
    match entry:
        case QueuedSend(reply_to=None) | QueuedRestore() | QueuedFlags():
            return entry
        case _:
            return msgspec.structs.replace(entry, seen_at=cursor or "")


def stored_form(entry: AnyEntry) -> dict[str, Any]:
    """The entry as the cache keeps it.

    Raises:
        InvalidRequest: a field has not the kind of value that it is declared with. Python does not check that when a
            command is made, and one that nobody can apply would block the queue, after a restart as well.
    """
    try:
        plain: dict[str, Any] = to_plain(entry)
        from_plain(plain, type(entry))
    except (TypeError, ValidationError) as error:
        raise InvalidRequest(f"{error}") from error
    return plain


def entry_from(stored: Mapping[str, Any]) -> AnyEntry:
    """The reverse. Raises msgspec.ValidationError for what another version has stored."""
    return from_plain(dict(stored), AnyEntry)  # type: ignore[arg-type]
