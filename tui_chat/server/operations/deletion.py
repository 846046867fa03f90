"""Deleting conversations and clearing their histories, for the caller alone.

Nothing is removed: watermarks move, whatever the length of a history. protocol.md, "Deleting conversations".
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from tui_chat.protocol.errors import (
    BatchUndone,
    ConversationNotFound,
    OperationNotFound,
    OperationReused,
    UndoExpired,
)
from tui_chat.protocol.events import ConversationCleared, ConversationDeleted, WatermarkItem
from tui_chat.protocol.ids import check_identifier
from tui_chat.protocol.requests import (
    ClearConversations,
    ConversationsDeleted,
    DeleteConversations,
    Done,
    ItemFailure,
)
from tui_chat.server.engines import Transaction

from .caller import Caller
from .deletionlog import CLEARED, DELETED
from .eventlog import tell
from .idempotency import once
from .marks import Marks, counts, marks, save_marks, save_pins, take_whole
from .naming import bounds, distinct
from .settings import current
from .settling import ERASED, FINAL, LIVE, UNDONE, settle, settle_shares
from .shares import save_shares


class Asked(NamedTuple):
    """A request to delete or clear that is in order as far as it can be seen without the database."""

    request: DeleteConversations | ClearConversations
    wanted: dict[str, str]
    """Each conversationID as it was given, by its folded form."""
    up_to: dict[str, int]
    """By the same."""
    clear: bool


def in_order(caller: Caller, request: DeleteConversations | ClearConversations) -> Asked:
    """Look a request over, before it is let near the writer, whom a long one would hold up.

    Raises:
        TooManyConversations, InvalidRequest, InvalidConversation: it is refused whole.
    """
    wanted = distinct(caller, request.conversation_id_list)
    if request.batch_id is not None:
        check_identifier(request.batch_id, "batchID")
    clear = request.clear_history_message if isinstance(request, DeleteConversations) else True
    return Asked(request, wanted, bounds(wanted, request.up_to), clear)


class _Moved(msgspec.Struct, frozen=True, gc=False):
    """One conversation of a call: how it was, its watermarks afterwards, and up to which message the call takes it."""

    before: Marks
    hidden: int
    cleared: int
    seen: int
    unpinned: bool
    pin_version: int
    further: bool
    """Whether a watermark moved."""
    news: bool
    """Whether other devices do not know this already: a watermark moved, or the pin went."""


def delete(tx: Transaction, caller: Caller, asked: Asked) -> ConversationsDeleted:
    """Take conversations off the caller's list, by default with their history.

    Raises:
        InvalidRequest: the operationID has not the form of one.
        OperationReused: another call was made under this operationID.
        BatchUndone: the batch was restored before this call of it came.
        UndoExpired: the batch was ended by "erase now" before this call of it came.
    """
    return _call(tx, caller, "delete", asked, hide=True)


def clear(tx: Transaction, caller: Caller, asked: Asked) -> ConversationsDeleted:
    """Clear the caller's history of conversations; their rows stay. Raises as `delete`."""
    return _call(tx, caller, "clear", asked, hide=False)


def _call(tx: Transaction, caller: Caller, what: str, asked: Asked, *, hide: bool) -> ConversationsDeleted:
    request = asked.request
    taken: list[str] = []

    def carry_out(operation_id: str) -> ConversationsDeleted:
        answer = _carry_out(tx, caller, asked, operation_id, request.batch_id or operation_id, hide=hide)
        taken.extend(answer.conversation_id_list)
        return replace(answer, conversation_id_list=[])

    # The list is not kept for retries, in the answer of which it was nearly all: it follows from the request.
    answer = once(tx, caller, what, request.operation_id, request, ConversationsDeleted, carry_out)
    return replace(
        answer, conversation_id_list=taken or answer.conversation_id_list or _taken(tx, caller, asked, answer)
    )


def _taken(tx: Transaction, caller: Caller, asked: Asked, answer: ConversationsDeleted) -> list[str]:
    """What a call took that was answered before: all that it named but what failed, in the registered spelling."""
    failed = {failure.conversation_id for failure in answer.failures}
    if len(failed) == len(asked.wanted):
        return []
    found = marks(tx, caller.user, list(asked.wanted))
    return [found[folded].conversation_id for folded, given in asked.wanted.items() if given not in failed]


def _carry_out(
    tx: Transaction,
    caller: Caller,
    asked: Asked,
    operation_id: str,
    batch_id: str,
    *,
    hide: bool,
) -> ConversationsDeleted:
    wanted, clear = asked.wanted, asked.clear
    tx.lock_users((caller.user,))
    settings = current(tx)
    batch = _open_batch(tx, caller, batch_id, settings.undo_seconds)
    found = marks(tx, caller.user, list(wanted))
    failures = []
    if len(found) < len(wanted):
        refusal = ConversationNotFound().body()
        failures = [ItemFailure.of(given, refusal) for folded, given in wanted.items() if folded not in found]
    undoable = settings.undo_seconds > 0
    moved = _move(found, asked, hide=hide, settled=not undoable)
    answer = ConversationsDeleted(
        conversation_id_list=[one.before.conversation_id for one in moved],
        failures=failures,
        operation_id=operation_id,
        batch_id=batch_id,
        undo_seconds=settings.undo_seconds,
        synced=settings.sync_conversation_deletion or not hide,
    )
    if not moved:
        return answer
    _save(tx, caller.user, moved, hide=hide, clear=clear)
    batch, operation = _record(
        tx, caller, batch, batch_id, operation_id, len(moved), settings.undo_seconds, hide=hide, clear=clear
    )
    if undoable:
        save_shares(
            tx,
            caller.user,
            batch,
            operation,
            [(one.before.conversation, one.seen) for one in moved],
            {one.before.conversation: one.pin_version for one in moved if one.unpinned},
            hides=hide,
            clears=clear,
        )
    else:
        shares = [(one.before.conversation, one.seen if hide else 0, one.seen if clear else 0) for one in moved]
        settle_shares(tx, caller.user, shares)
    # The caller's device may still show a row that others lost long ago, so it hears of all; they hear of what is new.
    untold = [one for one in moved if not one.news] if answer.synced else moved
    told = [one for one in moved if one.news] if len(untold) < len(moved) else []
    event_seq = 0
    for part, only in ((told, None), (untold, caller)):
        if part:
            event_seq = tell(tx, caller, [_event(caller, part, answer, hide=hide, clear=clear)], only=only)
    return replace(answer, event_seq=event_seq)


def _move(found: Mapping[str, Marks], asked: Asked, *, hide: bool, settled: bool) -> list[_Moved]:
    """The conversations that were found, with their watermarks after the call, which never go down."""
    moved = []
    find, bound, clear = found.get, asked.up_to.get, asked.clear
    for folded in asked.wanted:
        before = find(folded)
        if before is None:
            continue
        newest = before.newest
        seen = bound(folded, newest)
        if seen > newest:
            seen = newest
        hidden, cleared, pin_version = before.hidden, before.cleared, before.pin_version
        further = unpinned = False
        if hide:
            if seen > hidden:
                hidden = seen
                further = True
            if seen > 0:  # A deletion up to nothing takes nothing, and not the pin.
                unpinned = before.pinned == 1
                # What can no longer be undone takes the pin for good, also from the undoing of an earlier deletion.
                if unpinned or settled:
                    pin_version += 1
        if clear and seen > cleared:
            cleared = seen
            further = True
        moved.append(_Moved(before, hidden, cleared, seen, unpinned, pin_version, further, further or unpinned))
    return moved


def _save(tx: Transaction, account: int, moved: Sequence[_Moved], *, hide: bool, clear: bool) -> None:
    """Write what moved, and what follows from it."""
    whole: list[int] = []
    parts: list[_Moved] = []
    for one in moved:
        newest = one.before.newest
        if not one.further:
            continue
        if (one.hidden == newest or not hide) and (one.cleared == newest or not clear):
            whole.append(one.before.conversation)
        else:
            parts.append(one)
    if whole:
        take_whole(tx, account, whole, hides=hide, clears=clear)
    if parts:
        _save_parts(tx, account, parts)
    save_pins(
        tx,
        account,
        [
            (one.before.conversation, 0 if one.unpinned else one.before.pinned, one.pin_version)
            for one in moved
            if one.pin_version > one.before.pin_version
        ],
    )


def _save_parts(tx: Transaction, account: int, moved: Sequence[_Moved]) -> None:
    """Write the watermarks of conversations of which something stays."""
    floors = [(one.before, max(one.before.read_seq, one.hidden, one.cleared)) for one in moved]
    counted = counts(tx, account, floors)
    save_marks(
        tx,
        account,
        [
            (one.before.conversation, one.hidden, one.cleared, floor_count, mention_count)
            for one, (floor_count, mention_count) in zip(moved, counted, strict=True)
        ],
    )


def _event(
    caller: Caller, part: Sequence[_Moved], answer: ConversationsDeleted, *, hide: bool, clear: bool
) -> ConversationDeleted | ConversationCleared:
    items = [
        WatermarkItem(
            conversation_id=one.before.conversation_id,
            hidden_through=one.hidden,
            cleared_through=one.cleared,
        )
        for one in part
    ]
    if hide:
        return ConversationDeleted(
            items=items,
            clear_history_message=clear,
            operation_id=answer.operation_id,
            batch_id=answer.batch_id,
            undo_seconds=answer.undo_seconds,
            device=caller.as_event_device(),
        )
    return ConversationCleared(
        items=items,
        operation_id=answer.operation_id,
        batch_id=answer.batch_id,
        undo_seconds=answer.undo_seconds,
        device=caller.as_event_device(),
    )


def _open_batch(tx: Transaction, caller: Caller, batch_id: str, undo_seconds: int) -> int | None:
    """The batch's key, None where this is its first call; what of it ran out before is final.

    A batch that ran out by itself goes on: its calls may take longer than the time for undo. One that a person ended
    does not: they were told that it is done with.

    Raises:
        BatchUndone, UndoExpired.
    """
    row = tx.one("SELECT id, status, until FROM batch WHERE account = ? AND batch_id = ?", caller.user, batch_id)
    if row is None:
        return None
    key, status, until = row
    if status == UNDONE:
        raise BatchUndone()
    if status == ERASED:
        raise UndoExpired("that batch was erased; what is left of it is not carried out")
    if status == LIVE and (until <= tx.now or not undo_seconds):
        tx.takes_long()  # Of a batch there may be thousands of conversations.
        settle(tx, caller.user, [key])
    return int(key)


def _record(
    tx: Transaction,
    caller: Caller,
    batch: int | None,
    batch_id: str,
    operation_id: str,
    count: int,
    undo_seconds: int,
    *,
    hide: bool,
    clear: bool,
) -> tuple[int, int]:
    """Write the call and its batch into the log; their keys. The batch's time runs from its last call."""
    until = tx.now + undo_seconds * 1000
    status = LIVE if undo_seconds else FINAL
    if batch is None:
        batch = tx.next_key("batch")
        tx.later(
            "INSERT INTO batch (id, account, batch_id, device, time, what, clear, count, until, status, answer)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, ?, NULL)",
            batch,
            caller.user,
            batch_id,
            caller.device,
            tx.now,
            DELETED if hide else CLEARED,
            int(clear),
            until,
            status,
        )
    else:
        tx.later(
            "UPDATE batch SET time = ?, until = ?, status = ?,"
            " what = CASE WHEN what < ? THEN what ELSE ? END, clear = CASE WHEN clear > ? THEN clear ELSE ? END"
            " WHERE id = ?",
            tx.now,
            until,
            status,
            *(DELETED if hide else CLEARED,) * 2,
            *(int(clear),) * 2,
            batch,
        )
    operation = tx.next_key("operation")
    written = tx.execute(
        "INSERT INTO operation (id, account, operation_id, batch, count, status, answer)"
        " VALUES (?, ?, ?, ?, ?, ?, NULL) ON CONFLICT (account, operation_id) DO NOTHING",
        operation,
        caller.user,
        operation_id,
        batch,
        count,
        status,
    )
    if not written:
        raise OperationReused()
    return batch, operation


def erase_now(tx: Transaction, caller: Caller, batch_id: str) -> Done:
    """End a batch's time for undo at once, and the batch with it. One that is final already stays as it is.

    Raises:
        OperationNotFound: there is no such batch.
        BatchUndone: it was undone, so there is nothing of it to erase.
    """
    tx.lock_users((caller.user,))
    row = tx.one("SELECT id, status, until FROM batch WHERE account = ? AND batch_id = ?", caller.user, batch_id)
    if row is None:
        raise OperationNotFound()
    key, status, until = row
    if status == UNDONE:
        raise BatchUndone("that was undone: there is nothing to erase")
    if status == LIVE:
        settle(tx, caller.user, [key])
        if until > tx.now:
            tx.execute("UPDATE batch SET until = ?, status = ? WHERE id = ?", tx.now, ERASED, key)
    return Done()
