"""Deleting conversations and clearing their histories, for the caller alone.

Nothing is removed: watermarks move, whatever the length of a history. protocol.md, "Deleting conversations".
"""

from collections.abc import Sequence
from itertools import compress
from operator import ne, not_, or_
from typing import NamedTuple

from msgspec.structs import replace

from tui_chat.protocol.errors import (
    BatchUndone,
    ConversationNotFound,
    OperationNotFound,
    OperationReused,
    UndoExpired,
)
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
from .marks import Marks, counts, marks, marks_by_key, save_marks, save_pins, take_whole
from .naming import bounds, distinct
from .packing import Watermarks
from .settings import current
from .settling import ERASED, FINAL, LIVE, UNDONE, settle, settle_shares
from .shares import save_shares


class Asked(NamedTuple):
    """A request to delete or clear that is in order as far as it can be seen without the database."""

    request: DeleteConversations | ClearConversations
    folded: list[str]
    """Each conversation once, in the order of the request, as its ID is compared."""
    given: list[str]
    """How each was given first."""
    up_to: list[int] | None
    """The message up to which each is taken; None: all up to their newest."""
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
    return Asked(request, wanted.folded, wanted.given, bounds(wanted, request.up_to), clear)


class _Moved(NamedTuple):
    """The conversations of a call, a list for each column, all in the same order."""

    before: Marks
    seen: list[int]
    """Up to which message the call takes each."""
    hidden: list[int]
    """The watermarks afterwards."""
    cleared: list[int]
    further: list[bool]
    """Whether a watermark moved."""
    unpinned: list[int]
    """The places of those that lose their pin."""

    def items(self, places: Sequence[int]) -> tuple[list[str], list[int], list[int]]:
        """conversationIDs and watermarks of some of them."""
        names, hidden, cleared = self.before.conversation_ids, self.hidden, self.cleared
        if len(places) == len(names):
            return names, hidden, cleared
        return [names[at] for at in places], [hidden[at] for at in places], [cleared[at] for at in places]


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
    taken = [folded for folded, given in zip(asked.folded, asked.given, strict=True) if given not in failed]
    return marks(tx, caller.user, taken).conversation_ids if taken else []


def _carry_out(
    tx: Transaction,
    caller: Caller,
    asked: Asked,
    operation_id: str,
    batch_id: str,
    *,
    hide: bool,
) -> ConversationsDeleted:
    clear = asked.clear
    tx.lock_users((caller.user,))
    settings = current(tx)
    undoable = settings.undo_seconds > 0
    batch = _open_batch(tx, caller, batch_id, settings.undo_seconds)
    before = marks(tx, caller.user, asked.folded)
    count = len(before.folded)
    answer = ConversationsDeleted(
        conversation_id_list=before.conversation_ids,
        failures=_failures(asked, before) if count < len(asked.folded) else [],
        operation_id=operation_id,
        batch_id=batch_id,
        undo_seconds=settings.undo_seconds,
        synced=settings.sync_conversation_deletion or not hide,
    )
    if not count:
        return answer
    moved = _move(before, asked, hide=hide)
    pins = _save(tx, caller.user, moved, hide=hide, clear=clear, settled=not undoable)
    batch, operation = _record(
        tx, caller, batch, batch_id, operation_id, count, settings.undo_seconds, hide=hide, clear=clear
    )
    if undoable:
        save_shares(tx, caller.user, batch, operation, before.conversations, moved.seen, pins, hides=hide, clears=clear)
    else:
        shares = zip(before.conversations, moved.seen, strict=True)
        settle_shares(tx, caller.user, [(key, seen * hide, seen * clear) for key, seen in shares])
    return replace(answer, event_seq=_tell(tx, caller, moved, answer, hide=hide, clear=clear))


def _failures(asked: Asked, before: Marks) -> list[ItemFailure]:
    """Those of which there is none."""
    found = set(before.folded)
    refusal = ConversationNotFound().body()
    named = zip(asked.folded, asked.given, strict=True)
    return [ItemFailure.of(given, refusal) for folded, given in named if folded not in found]


def _move(before: Marks, asked: Asked, *, hide: bool) -> _Moved:
    """The conversations that were found, with their watermarks after the call, which never go down."""
    seen = before.newest
    bound = asked.up_to
    if bound is not None and before.folded != asked.folded:
        of = dict(zip(asked.folded, bound, strict=True))
        bound = [of[folded] for folded in before.folded]
    if bound is not None and bound != seen:
        seen = [*map(min, bound, seen)]
    hidden = _raised(before.hidden, seen) if hide else before.hidden
    cleared = _raised(before.cleared, seen) if asked.clear else before.cleared
    further = [*map(ne, hidden, before.hidden)]
    if cleared != before.cleared and not all(further):
        further = [*map(or_, further, map(ne, cleared, before.cleared))]
    # A deletion up to nothing takes nothing, and not the pin.
    loses = hide and 1 in before.pinned
    unpinned = [at for at, pinned in enumerate(before.pinned) if pinned and seen[at]] if loses else []
    return _Moved(before, seen, hidden, cleared, further, unpinned)


def _raised(before: list[int], seen: list[int]) -> list[int]:
    """A watermark of each where the call takes them so far: the greater one."""
    return seen if max(before) <= min(seen) else [*map(max, before, seen)]


def _save(tx: Transaction, account: int, moved: _Moved, *, hide: bool, clear: bool, settled: bool) -> dict[int, int]:
    """Write what moved, and what follows from it; the pins that went, as Shares.pins. `settled`: for good."""
    before = moved.before
    newest = before.newest
    whole: list[int] = []
    parts: list[tuple[int, int, int]] = []
    if all(moved.further) and (not hide or moved.hidden == newest) and (not clear or moved.cleared == newest):
        whole = before.conversations
    else:
        for key, end, hidden, cleared, further in zip(
            before.conversations, newest, moved.hidden, moved.cleared, moved.further, strict=True
        ):
            if further and (hidden == end or not hide) and (cleared == end or not clear):
                whole.append(key)
            elif further:
                parts.append((key, hidden, cleared))
    if whole:
        take_whole(tx, account, whole, hides=hide, clears=clear)
    if parts:
        _save_parts(tx, account, parts)
    # What can no longer be undone takes the pin for good, also from the undoing of an earlier deletion.
    losing = [at for at, seen in enumerate(moved.seen) if seen] if settled and hide else moved.unpinned
    save_pins(tx, account, [(before.conversations[at], 0, before.pin_versions[at] + 1) for at in losing])
    return {before.conversations[at]: before.pin_versions[at] + 1 for at in moved.unpinned}


def _save_parts(tx: Transaction, account: int, parts: Sequence[tuple[int, int, int]]) -> None:
    """Write the watermarks of conversations of which something stays: (conversation, hidden, cleared)."""
    before = marks_by_key(tx, account, [key for key, _, _ in parts])
    floors = [(before[key], max(before[key].read_seq, hidden, cleared)) for key, hidden, cleared in parts]
    counted = counts(tx, account, floors)
    save_marks(tx, account, [part + numbers for part, numbers in zip(parts, counted, strict=True)])


def _tell(
    tx: Transaction, caller: Caller, moved: _Moved, answer: ConversationsDeleted, *, hide: bool, clear: bool
) -> int:
    """Tell the caller's devices; the last eventSeq.

    The caller's own may still show a row that others lost long ago, so it hears of all. Others hear of what they do not
    know, where they are told at all: a watermark moved, or the pin went.
    """
    count = len(moved.further)
    news = [*moved.further] if answer.synced else [False] * count
    for at in moved.unpinned:
        news[at] = answer.synced
    told, known = [*compress(range(count), news)], [*compress(range(count), map(not_, news))]
    event_seq = 0
    for places, only in ((told, None), (known, caller)):
        if places:
            names, hidden, cleared = moved.items(places)
            event = Watermarks(
                deleted=hide,
                conversation_ids=names,
                hidden=hidden,
                cleared=cleared,
                clear_history_message=clear,
                operation_id=answer.operation_id,
                batch_id=answer.batch_id,
                undo_seconds=answer.undo_seconds,
                device=caller.as_event_device(),
            )
            event_seq = tell(tx, caller, [event], only=only)
    return event_seq


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
            "INSERT INTO batch (id, account, batch_id, device, time, what, clear, until, status, answer)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
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
