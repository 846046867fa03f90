"""What the queue needs of its session: commands carried out, and what becomes of them told."""

from collections.abc import Callable, Iterable
from typing import Final

from tui_chat.protocol import requests
from tui_chat.protocol.errors import ChatError, ErrorBody, ServerRestored
from tui_chat.protocol.models import Message

from . import changes
from .announcer import Announcer
from .calls import Calls
from .echoes import Echoes
from .entries import (
    AnyEntry,
    MessageEntry,
    QueuedClear,
    QueuedDeletion,
    QueuedEdit,
    QueuedFlags,
    QueuedReaction,
    QueuedRead,
    QueuedRecall,
    QueuedRestore,
    QueuedSend,
)
from .outbox import Answer
from .state import State
from .undo_log import UndoLog

_WHAT: Final[dict[type, changes.CommandKind]] = {
    QueuedSend: "send",
    QueuedDeletion: "delete",
    QueuedRestore: "restore",
    QueuedRead: "read",
    QueuedFlags: "flags",
    QueuedClear: "clear",
    QueuedEdit: "edit",
    QueuedRecall: "recall",
    QueuedReaction: "react",
}


def what_of(entry: AnyEntry) -> changes.CommandKind:
    """What a queued command is about."""
    return _WHAT[type(entry)]


class Carrying:
    """Tells, and shows, what becomes of queued commands."""

    def __init__(
        self,
        *,
        state: State,
        announcer: Announcer,
        echoes: Echoes,
        undo_log: UndoLog,
        shown_message: Callable[[str, int], Message | None],
        queue_moved: Callable[[], None],
    ):
        self._state = state
        self._announcer = announcer
        self._echoes = echoes
        self._undo_log = undo_log
        self._shown_message = shown_message
        self._queue_moved = queue_moved
        """The number of waiting commands may be another."""

    def queue_changed(self, entries: Iterable[AnyEntry], *, settled: bool) -> None:
        """Lay the queue over the state again, and tell what that shows and hides."""
        entries = list(entries)
        batches: dict[str, str] = {}
        for entry in entries:
            for conversation_id in entry.conversations():
                batches[conversation_id] = getattr(entry, "batch_id", "")
        difference = self._state.refresh(batches)
        if difference.updated:
            self._announcer.put(changes.ConversationsUpdated(conversation_id_list=difference.updated))
        for batch_id, ids in _by_batch(difference.vanished, batches):
            self._announcer.put(changes.ConversationsHidden(conversation_id_list=ids, batch_id=batch_id))
        for batch_id, ids in _by_batch(difference.appeared, batches):
            self._announcer.put(changes.ConversationsRestored(conversation_id_list=ids, batch_id=batch_id))
        for entry in entries:
            if isinstance(entry, QueuedClear):
                self._tell_cleared(entry)
            if isinstance(entry, MessageEntry) and not settled:
                self._tell_message(entry)
        self._queue_moved()

    def _tell_cleared(self, entry: QueuedClear) -> None:
        for conversation_id, through in entry.up_to.items():
            floor = self._state.shown_cleared_through(conversation_id)
            if floor >= through:
                self._announcer.put(changes.HistoryCleared(conversation_id=conversation_id, cleared_through=floor))
            else:
                self._announcer.put(changes.HistoryRestored(conversation_id=conversation_id))

    def _tell_message(self, entry: MessageEntry) -> None:
        message = self._shown_message(entry.conversation_id, entry.message_seq)
        if message is not None:
            self._announcer.put(changes.MessageUpdated(conversation_id=entry.conversation_id, message=message))

    def answered(self, entry: AnyEntry, answer: Answer, *, awaited: bool) -> None:
        """Items that were refused are told where nobody reads the answer."""
        if not awaited:
            for failure in getattr(answer, "failures", []):
                error = ErrorBody(code=failure.code, message=failure.message)
                self._tell_refused(entry, [failure.conversation_id], error)
        self._queue_moved()

    def settled(self, answer: Answer) -> None:
        """An echo whose message did not come as an event (it was cleared since) ends here."""
        if isinstance(answer, requests.MessageSent) and self._echoes.drop(answer.message.client_id):
            message = answer.message
            conversation_id = message.conversation_id
            self._announcer.put(changes.MessageUpdated(conversation_id=conversation_id, message=message))
            floor = self._state.marks_of(conversation_id).cleared_through
            if conversation_id not in self._state.conversations:
                floor = message.message_seq  # it was deleted since, and after a reset nobody tells how far
            if message.message_seq <= floor:
                self._announcer.put(changes.HistoryCleared(conversation_id=conversation_id, cleared_through=floor))
            else:
                # A repeated command's answer is the first one's: the message may have been edited since.
                self._announcer.put(changes.HistoryRestored(conversation_id=conversation_id))

    def refused(self, entry: AnyEntry, error: ChatError, *, awaited: bool) -> None:
        """A message's fate is always told, since its echo is on the screen."""
        if isinstance(entry, QueuedRestore):
            self._undo_log.forget(entry.batch_id)
        if isinstance(entry, MessageEntry) and self._shown_message(entry.conversation_id, entry.message_seq) is None:
            # It may stand on the screen as the entry had it, and nothing here says how it reads without.
            self._announcer.put(changes.HistoryRestored(conversation_id=entry.conversation_id))
        if isinstance(entry, QueuedSend):
            self._echoes.drop(entry.client_id)
            self._announcer.put(
                changes.SendFailed(
                    conversation_id=entry.conversation_id,
                    client_id=entry.client_id,
                    text=entry.text,
                    error=error.body(),
                )
            )
        elif not awaited and not _moves_again(entry, error):
            self._tell_refused(entry, entry.conversations(), error.body())

    def held(self, entry: AnyEntry, error: ChatError) -> None:
        """The server fails at it again and again: it waits, and people may want to know why."""
        ids = entry.conversations()
        self._announcer.put(changes.CommandHeld(what=what_of(entry), conversation_id_list=ids, error=error.body()))

    def unsent(self, entries: Iterable[QueuedSend]) -> None:
        """Messages that a deletion took: the row may stay, since something newer came, but they must not with it."""
        for entry in entries:
            if self._echoes.drop(entry.client_id):
                self._announcer.put(changes.HistoryRestored(conversation_id=entry.conversation_id))

    def dropped(self, entry: AnyEntry, error: ChatError) -> None:
        """A person gave it up. A message's text can be offered again."""
        if isinstance(entry, QueuedSend):
            self.refused(entry, error, awaited=True)

    def _tell_refused(self, entry: AnyEntry, ids: list[str], error: ErrorBody) -> None:
        text = entry.text if isinstance(entry, QueuedEdit) else ""
        self._announcer.put(
            changes.CommandRefused(what=what_of(entry), conversation_id_list=ids, error=error, text=text)
        )


async def perform(calls: Calls, entry: AnyEntry) -> Answer:
    """Carry a command out. Raises ChatError."""
    match entry:
        case QueuedSend(conversation_id=conversation_id):
            message = requests.SendMessage(
                client_id=entry.client_id, text=entry.text, reply_to=entry.reply_to, mentions=entry.mentions
            )
            return await calls.send(conversation_id, message, seen_at=entry.seen_at)
        case QueuedEdit(conversation_id=conversation_id, message_seq=message_seq):
            body = requests.EditMessage(text=entry.text, mentions=entry.mentions, operation_id=entry.operation_id)
            return await calls.edit(conversation_id, message_seq, body, seen_at=entry.seen_at)
        case QueuedRecall(conversation_id=conversation_id, message_seq=message_seq):
            operation_id = entry.operation_id
            return await calls.recall(conversation_id, message_seq, operation_id=operation_id, seen_at=entry.seen_at)
        case QueuedReaction(conversation_id=conversation_id, message_seq=message_seq, emoji=emoji, there=there):
            return await calls.react(conversation_id, message_seq, emoji, there=there, seen_at=entry.seen_at)
        case QueuedDeletion():
            return await calls.delete(
                requests.DeleteConversations(
                    conversation_id_list=entry.conversation_id_list,
                    clear_history_message=entry.clear_history_message,
                    up_to=entry.up_to,
                    operation_id=entry.operation_id,
                    batch_id=entry.batch_id,
                ),
                seen_at=entry.seen_at,
            )
        case QueuedClear():
            return await calls.clear(
                requests.ClearConversations(
                    conversation_id_list=entry.conversation_id_list,
                    up_to=entry.up_to,
                    operation_id=entry.operation_id,
                    batch_id=entry.batch_id,
                ),
                seen_at=entry.seen_at,
            )
        case QueuedRestore(batch_id=batch_id):
            return await calls.restore(requests.RestoreConversations(batch_id=batch_id))
        case QueuedRead():
            mark = requests.ReadMark(conversation_id=entry.conversation_id, message_seq=entry.message_seq)
            marks = requests.ReadConversations(items=[mark], operation_id=entry.operation_id)
            return await calls.read(marks, seen_at=entry.seen_at)
        case QueuedFlags():
            return await calls.flags(
                requests.SetFlags(
                    conversation_id_list=entry.conversation_id_list,
                    pinned=entry.pinned,
                    muted=entry.muted,
                    marked_unread=entry.marked_unread,
                    operation_id=entry.operation_id,
                )
            )


def _moves_again(entry: AnyEntry, error: ChatError) -> bool:
    """Whether it was a read mark of messages that have other numbers now: whoever reads on moves it again."""
    return isinstance(entry, QueuedRead) and isinstance(error, ServerRestored)


def _by_batch(ids: list[str], batches: dict[str, str]) -> list[tuple[str, list[str]]]:
    grouped: dict[str, list[str]] = {}
    for conversation_id in ids:
        grouped.setdefault(batches[conversation_id], []).append(conversation_id)
    return list(grouped.items())
