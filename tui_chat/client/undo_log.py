"""Which deletions can be undone just now. Pure: times are passed in."""

from collections.abc import Iterable

import msgspec

from tui_chat.protocol.models import Deletion

from .results import UndoableBatch


class _Batch(msgspec.Struct):
    batch_id: str
    clear_history_message: bool
    undo_until: int
    device: str | None
    conversations: dict[str, None]
    drafts: dict[str, str] = {}


class UndoLog:
    """Batches by what this session heard of them."""

    def __init__(self) -> None:
        self._batches: dict[str, _Batch] = {}

    def note(
        self,
        batch_id: str,
        conversation_id_list: Iterable[str],
        *,
        clear_history_message: bool,
        undo_until: int,
        device: str | None,
    ) -> None:
        """A call of a batch took effect; the time for undo counts from its last call."""
        batch = self._batches.get(batch_id)
        if batch is None:
            batch = _Batch(batch_id, clear_history_message, undo_until, device, {})
            self._batches[batch_id] = batch
        batch.conversations.update(dict.fromkeys(conversation_id_list))
        batch.undo_until = max(batch.undo_until, undo_until)

    def keep_draft(self, batch_id: str, conversation_id: str, text: str) -> None:
        """An unsent text that went with its conversation."""
        if batch_id in self._batches:
            self._batches[batch_id].drafts[conversation_id] = text

    def drafts(self, batch_id: str) -> dict[str, str]:
        """The unsent texts that come back with a batch."""
        batch = self._batches.get(batch_id)
        return dict(batch.drafts) if batch is not None else {}

    def learn(self, deletions: Iterable[Deletion], *, now: int, device_id: str) -> None:
        """Take over what the server's log says (newest first); it knows of what happened before this session."""
        for deletion in reversed(list(deletions)):
            if deletion.restored or deletion.undo_seconds <= 0:
                self._batches.pop(deletion.batch_id, None)
                continue
            if deletion.batch_id in self._batches:
                self._batches[deletion.batch_id].undo_until = now + deletion.undo_seconds * 1000
                continue
            self._batches[deletion.batch_id] = _Batch(
                deletion.batch_id,
                deletion.clear_history_message,
                now + deletion.undo_seconds * 1000,
                None if deletion.device.device_id == device_id else deletion.device.name,
                dict.fromkeys(deletion.conversation_id_list),
            )

    def forget(self, batch_id: str) -> None:
        """It was undone, or is final."""
        self._batches.pop(batch_id, None)

    def conversations(self, batch_id: str) -> list[str]:
        """What a batch took, as far as it is known here."""
        batch = self._batches.get(batch_id)
        return list(batch.conversations) if batch is not None else []

    def undoable(self, now: int) -> list[UndoableBatch]:
        """Newest first; what has run out is dropped."""
        for batch in [batch for batch in self._batches.values() if batch.undo_until <= now]:
            del self._batches[batch.batch_id]
        return [
            UndoableBatch(
                batch_id=batch.batch_id,
                count=len(batch.conversations),
                clear_history_message=batch.clear_history_message,
                undo_until=batch.undo_until,
                device=batch.device,
            )
            for batch in sorted(self._batches.values(), key=lambda batch: batch.undo_until, reverse=True)
        ]
