"""What is queued, laid over what the server confirmed: the state that is shown. Pure."""

from collections.abc import Iterable
from typing import TypeVar

import msgspec

from tui_chat.protocol.models import Conversation, Message, Reaction
from tui_chat.protocol.text import preview

from .cursors import same_numbering
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
from .merging import Marks, with_marks

Queued = TypeVar("Queued", bound=AnyEntry)


def standing(entries: Iterable[Queued], cursor: str | None) -> list[Queued]:
    """Those whose numbers still mean what they meant where the state is at this cursor: the server was not restored
    from a backup since. It refuses the others as soon as it is asked."""
    return [entry for entry in entries if not entry.seen_at or not cursor or same_numbering(entry.seen_at, cursor)]


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
                hidden = hidden or row.newest_seq <= up_to.get(conversation_id, row.newest_seq)
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
            case QueuedEdit() | QueuedRecall():
                row = _previewed(row, entry)
            case QueuedSend() | QueuedRestore() | QueuedReaction():
                pass
    return None if hidden else row


def _read(row: Conversation, message_seq: int) -> Conversation:
    unread = max(0, row.newest_seq - max(message_seq, row.cleared_through, row.hidden_through))
    return msgspec.structs.replace(
        row,
        read_seq=max(row.read_seq, message_seq),
        unread_count=min(row.unread_count, unread),
        mention_count=min(row.mention_count, unread),
        marked_unread=False,
    )


def changed(confirmed: Message, queued: Iterable[MessageEntry], user_id: str) -> Message:
    """The message as it is shown while changes of it (oldest first) wait; what was recalled stays recalled."""
    message = confirmed
    for entry in queued:
        if entry.message_seq != message.message_seq or message.recalled:
            continue
        match entry:
            case QueuedEdit(text=text, mentions=mentions, time=time):
                mentioned = message.mentions if mentions is None else mentions
                message = msgspec.structs.replace(message, text=text, mentions=mentioned, edited_at=time)
            case QueuedRecall():
                message = msgspec.structs.replace(message, text="", mentions=[], reactions={}, recalled=True)
            case QueuedReaction(emoji=emoji, there=there):
                reactions = _reacted(message.reactions, emoji, there, user_id)
                message = msgspec.structs.replace(message, reactions=reactions)
    return message


def _reacted(reactions: dict[str, Reaction], emoji: str, there: bool, user_id: str) -> dict[str, Reaction]:
    before = reactions.get(emoji, Reaction(count=0))
    if before.mine == there:
        return reactions
    others = [one for one in before.user_id_list if one != user_id]
    after = Reaction(
        count=before.count + (1 if there else -1), user_id_list=[*others, user_id] if there else others, mine=there
    )
    changed_ones = reactions | {emoji: after}
    return {one: reaction for one, reaction in changed_ones.items() if reaction.count > 0}


def _previewed(row: Conversation, entry: QueuedEdit | QueuedRecall) -> Conversation:
    last = row.last_message
    if last is None or last.message_seq != entry.message_seq or last.recalled:
        return row
    if isinstance(entry, QueuedRecall):
        shown_last = msgspec.structs.replace(last, text="", recalled=True)
    else:
        shown_last = msgspec.structs.replace(last, text=preview(entry.text))
    return msgspec.structs.replace(row, last_message=shown_last)
