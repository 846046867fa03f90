"""Deleting conversations and clearing their histories, for the caller alone; the log of it.

Nothing is removed: watermarks move, whatever the length of a history. protocol.md, "Deleting conversations".
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

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
from tui_chat.protocol.limits import DELETION_LOG_DAYS
from tui_chat.protocol.models import Deletion, Device
from tui_chat.protocol.requests import (
    ClearConversations,
    ConversationsDeleted,
    DeleteConversations,
    DeletionList,
    Done,
    ItemFailure,
)
from tui_chat.server.engines import Transaction

from .caller import Caller
from .eventlog import tell
from .idempotency import once
from .marks import Marks, counts, marks, save
from .naming import bounds, distinct
from .settings import current
from .settling import DAY, ERASED, FINAL, LIVE, UNDONE, settle, to_be_erased

DELETED: Final = 1
CLEARED: Final = 2
"""`batch.what`"""
LOG_MOST: Final = 500
"""Entries of the log in one answer, the newest."""


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
    """One conversation of a call: before, after, and what the call set."""

    before: Marks
    after: Marks
    hidden: int
    cleared: int

    @property
    def news(self) -> bool:
        """Whether other devices do not know this already: a watermark moved, or the pin went."""
        before, after = self.before, self.after
        return after.hidden > before.hidden or after.cleared > before.cleared or after.pinned != before.pinned


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

    def carry_out(operation_id: str) -> ConversationsDeleted:
        return _carry_out(tx, caller, asked, operation_id, request.batch_id or operation_id, hide=hide)

    return once(tx, caller, what, request.operation_id, request, ConversationsDeleted, carry_out)


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
    refusal = ConversationNotFound().body()
    failures = [ItemFailure.of(given, refusal) for folded, given in wanted.items() if folded not in found]
    undoable = settings.undo_seconds > 0
    named = [(found[folded], asked.up_to.get(folded)) for folded in wanted if folded in found]
    moved = _move(tx, caller.user, named, hide=hide, clear=clear, settled=not undoable)
    answer = ConversationsDeleted(
        conversation_id_list=[one.after.conversation_id for one in moved],
        failures=failures,
        operation_id=operation_id,
        batch_id=batch_id,
        undo_seconds=settings.undo_seconds,
        synced=settings.sync_conversation_deletion or not hide,
    )
    if not moved:
        return answer
    save(tx, caller.user, [(one.before, one.after) for one in moved])
    count = len(moved) - _again(tx, caller, batch, moved)
    operation = _record(tx, caller, batch, batch_id, operation_id, count, settings.undo_seconds, hide=hide, clear=clear)
    if undoable:
        tx.change_rows(
            "INSERT INTO item (operation, account, conversation, hidden, cleared, unpinned, pin_version)"
            " SELECT ?, ?, v.column1, v.column2, v.column3, v.column4, v.column5 FROM (VALUES ?**) v"
            " WHERE v.column1 IS NOT NULL",
            [
                (
                    one.after.conversation,
                    one.hidden,
                    one.cleared,
                    int(one.after.pinned < one.before.pinned),
                    one.after.pin_version,
                )
                for one in moved
            ],
            operation,
            caller.user,
        )
    else:
        to_be_erased(tx, [one.after.conversation for one in moved if one.cleared])
    # The caller's device may still show a row that others lost long ago, so it hears of all; they hear of what is new.
    told = [one for one in moved if one.news] if answer.synced else []
    untold = [one for one in moved if not one.news] if answer.synced else moved
    event_seq = 0
    for part, only in ((told, None), (untold, caller)):
        if part:
            event_seq = tell(tx, caller, [_event(caller, part, answer, hide=hide, clear=clear)], only=only)
    return replace(answer, event_seq=event_seq)


def _move(
    tx: Transaction,
    account: int,
    named: Sequence[tuple[Marks, int | None]],
    *,
    hide: bool,
    clear: bool,
    settled: bool,
) -> list[_Moved]:
    """Each conversation's watermarks after the call, given up to where it goes: they never go down."""
    shares: list[tuple[int, int]] = []
    floors: list[tuple[Marks, int]] = []
    for before, up_to in named:
        seen = before.newest if up_to is None or up_to > before.newest else up_to
        shares.append((seen if hide else 0, seen if clear else 0))
        floors.append((before, max(before.floor, seen)))
    moved = []
    for (before, _), (hidden, cleared), (floor_count, mention_count) in zip(
        named, shares, counts(tx, account, floors), strict=True
    ):
        unpin = hidden and before.pinned  # a deletion up to nothing takes nothing, and not the pin
        after = Marks(
            conversation=before.conversation,
            conversation_id=before.conversation_id,
            newest=before.newest,
            newest_count=before.newest_count,
            hidden=max(before.hidden, hidden),
            cleared=max(before.cleared, cleared),
            hidden_settled=max(before.hidden_settled, hidden) if settled else before.hidden_settled,
            cleared_settled=max(before.cleared_settled, cleared) if settled else before.cleared_settled,
            read_seq=before.read_seq,
            floor_count=floor_count,
            mention_count=mention_count,
            pinned=0 if unpin else before.pinned,
            # What can no longer be undone takes the pin for good, also from the undoing of an earlier deletion.
            pin_version=before.pin_version + 1 if unpin or (hidden and settled) else before.pin_version,
        )
        moved.append(_Moved(before, after, hidden, cleared))
    return moved


def _event(
    caller: Caller, part: Sequence[_Moved], answer: ConversationsDeleted, *, hide: bool, clear: bool
) -> ConversationDeleted | ConversationCleared:
    items = [
        WatermarkItem(
            conversation_id=one.after.conversation_id,
            hidden_through=one.after.hidden,
            cleared_through=one.after.cleared,
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
        settle(tx, caller.user, [key])
    return int(key)


def _again(tx: Transaction, caller: Caller, batch: int | None, moved: Sequence[_Moved]) -> int:
    """How many of the conversations an earlier call of the batch, which can still be undone, had named already."""
    if batch is None:
        return 0
    rows = tx.in_list(
        "SELECT i.conversation FROM item i JOIN operation o ON o.id = i.operation"
        " WHERE i.account = ? AND i.conversation IN (?*) AND o.batch = ?",
        [one.after.conversation for one in moved],
        caller.user,
        batch,
    )
    return len({row[0] for row in rows})


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
) -> int:
    """Write the call and its batch into the log; the operation's key. The batch's time runs from its last call."""
    until = tx.now + undo_seconds * 1000
    status = LIVE if undo_seconds else FINAL
    if batch is None:
        batch = tx.next_key("batch")
        tx.execute(
            "INSERT INTO batch (id, account, batch_id, device, time, what, clear, count, until, status, answer)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
            batch,
            caller.user,
            batch_id,
            caller.device,
            tx.now,
            DELETED if hide else CLEARED,
            int(clear),
            count,
            until,
            status,
        )
    else:
        tx.execute(
            "UPDATE batch SET time = ?, count = count + ?, until = ?, status = ?,"
            " what = CASE WHEN what < ? THEN what ELSE ? END, clear = CASE WHEN clear > ? THEN clear ELSE ? END"
            " WHERE id = ?",
            tx.now,
            count,
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
    return operation


def log(tx: Transaction, caller: Caller) -> DeletionList:
    """What was deleted and cleared within limits.DELETION_LOG_DAYS, newest first, at most LOG_MOST entries."""
    rows = tx.all(
        "SELECT b.id, b.batch_id, b.time, b.what, b.clear, b.count, b.until, b.status, d.device_id, d.name, d.created,"
        " d.last_seen FROM batch b JOIN device d ON d.id = b.device"
        " WHERE b.account = ? AND b.time > ? ORDER BY b.time DESC, b.id DESC LIMIT ?",
        caller.user,
        tx.now - DELETION_LOG_DAYS * DAY,
        LOG_MOST,
    )
    live: dict[int, dict[str, None]] = {}
    for batch, conversation_id in tx.all(
        "SELECT o.batch, s.conversation_id FROM item i JOIN operation o ON o.id = i.operation"
        " JOIN state s ON s.account = i.account AND s.conversation = i.conversation WHERE i.account = ?"
        " ORDER BY i.operation, i.conversation",
        caller.user,
    ):
        live.setdefault(batch, {})[conversation_id] = None
    standing: dict[int, dict[int, int]] = {}
    for batch, status, calls_count in tx.all(
        "SELECT batch, status, CAST(SUM(count) AS BIGINT) FROM operation WHERE account = ? GROUP BY batch, status",
        caller.user,
    ):
        standing.setdefault(batch, {})[status] = calls_count
    deletions = []
    for key, batch_id, time, what, cleared, count, until, status, device_id, name, created, last_seen in rows:
        ids = list(live.get(key, ()))
        calls = standing.get(key, {})
        restored = calls.keys() == {UNDONE}
        left = max(0, until - tx.now) if ids and status == LIVE else 0
        deletions.append(
            Deletion(
                batch_id=batch_id,
                device=Device(
                    device_id=device_id,
                    name=name,
                    created_at=created,
                    last_seen_at=last_seen,
                    current=device_id == caller.device_id,
                ),
                time=time,
                count=count if restored else calls.get(FINAL, 0) + len(ids),
                clear_history_message=bool(cleared),
                what="deleted" if what == DELETED else "cleared",
                conversation_id_list=ids if left else [],
                undo_seconds=-(-left // 1000),
                restored=restored,
            )
        )
    return DeletionList(deletions=deletions)


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
