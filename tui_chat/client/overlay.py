"""What is queued, laid over what the server confirmed: the state that is shown. Pure."""

from collections.abc import Iterable

import msgspec

from tui_chat.protocol.models import Conversation

from .entries import AnyEntry, QueuedClear, QueuedDeletion, QueuedFlags, QueuedRead, QueuedRestore, QueuedSend
from .merging import Marks, with_marks


def shown(confirmed: Conversation, queued: Iterable[AnyEntry]) -> Conversation | None:
    """The row as it is shown while `queued` (oldest first) waits for it; None where it is hidden.

    A deletion hides nothing that is newer than what was on the screen when it was confirmed.
    """
    row = confirmed
    hidden = False
    conversation_id = confirmed.conversation_id
    entries = list(queued)
    undone = {entry.batch_id for entry in entries if isinstance(entry, QueuedRestore)}
    for entry in entries:
        match entry:
            case QueuedDeletion(batch_id=batch_id) | QueuedClear(batch_id=batch_id) if batch_id in undone:
                pass
            case QueuedDeletion(up_to=up_to):
                hidden = row.newest_seq <= up_to.get(conversation_id, row.newest_seq)
            case QueuedClear(up_to=up_to):
                through = up_to.get(conversation_id, row.newest_seq)
                row = with_marks(row, Marks(row.hidden_through, through))
            case QueuedRead(message_seq=message_seq):
                row = _read(row, message_seq)
            case QueuedFlags(pinned=pinned, muted=muted, marked_unread=marked_unread):
                row = msgspec.structs.replace(
                    row,
                    pinned=row.pinned if pinned is None else pinned,
                    muted=row.muted if muted is None else muted,
                    marked_unread=row.marked_unread if marked_unread is None else marked_unread,
                )
            case QueuedSend() | QueuedRestore():
                pass
    return None if hidden else row


def _read(row: Conversation, message_seq: int) -> Conversation:
    unread = max(0, row.newest_seq - max(message_seq, row.cleared_through, row.hidden_through))
    return msgspec.structs.replace(
        row,
        read_seq=max(row.read_seq, message_seq),
        unread_count=min(row.unread_count, unread),
        mention_count=min(row.mention_count, unread),
    )
