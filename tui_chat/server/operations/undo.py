"""Undoing a deletion or a clearing: its share of the watermarks is withdrawn, and nothing else.

Each watermark is the greatest of its settled value and of what each live operation set, so undo composes in any order.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from tui_chat.protocol import limits
from tui_chat.protocol.errors import InvalidRequest, OperationNotFound, UndoExpired
from tui_chat.protocol.events import ConversationRestored
from tui_chat.protocol.requests import ConversationsRestored, RestoreConversations
from tui_chat.server.engines import Transaction

from .caller import Caller
from .conversations import pins
from .eventlog import in_events, tell
from .marks import SideMarks, counts, marks_by_key, save_marks, save_pins
from .settling import FINAL, LIVE, UNDONE
from .shares import Share, Shares, count_ended, forget_shares, live_shares, save_shares_pins
from .state import views


class _Target(NamedTuple):
    """What is undone: these operations of this batch; `whole`: the batch is done with by it."""

    batch: int
    batch_id: str
    operations: list[int]
    whole: bool


def restore(tx: Transaction, caller: Caller, request: RestoreConversations) -> ConversationsRestored:
    """Bring back what a batch, or one call, took away; from any device. Twice: the same answer.

    An operationID stands for its batch where the batch is that one call.

    Raises:
        InvalidRequest: not exactly one of the two is given.
        OperationNotFound: this user has no such deletion.
        UndoExpired: its time is over; it is final.
    """
    if (request.batch_id is None) == (request.operation_id is None):
        raise InvalidRequest("give either batchID or operationID")
    tx.lock_users((caller.user,))
    if request.batch_id is not None:
        target = _by_batch(tx, caller, request.batch_id)
    else:
        target = _by_operation(tx, caller, request.operation_id or "")
    if isinstance(target, ConversationsRestored):
        return target
    live = live_shares(tx, caller.user)
    keys = _withdraw(tx, caller, live, target.operations)
    shown = views(tx, caller.user, keys)
    told = [
        ConversationRestored(conversations=piece, batch_id=target.batch_id, device=caller.as_event_device())
        for piece in in_events(shown[key] for key in keys)
    ]
    answer = ConversationsRestored(
        conversation_id_list=[shown[key].conversation_id for key in keys],
        batch_id=target.batch_id,
        event_seq=tell(tx, caller, told),
    )
    stored = msgspec.json.encode(answer).decode()
    counted = count_ended([one for one in live if one.batch == target.batch], target.operations)
    tx.many(
        "UPDATE operation SET status = ?, count = ?, answer = ? WHERE id = ?",
        [(UNDONE, count, None if target.whole else stored, operation) for operation, count in counted.items()],
    )
    forget_shares(tx, caller.user, dict.fromkeys(target.operations, target.batch))
    if target.whole:
        tx.execute("UPDATE batch SET status = ?, answer = ? WHERE id = ?", UNDONE, stored, target.batch)
    return answer


def _by_batch(tx: Transaction, caller: Caller, batch_id: str) -> _Target | ConversationsRestored:
    row = tx.one(
        "SELECT id, until, status, answer FROM batch WHERE account = ? AND batch_id = ?", caller.user, batch_id
    )
    if row is None:
        raise OperationNotFound()
    key, until, status, answer = row
    if status == UNDONE:
        return msgspec.json.decode(answer, type=ConversationsRestored)
    operations = tx.all("SELECT id FROM operation WHERE batch = ? AND status = ? ORDER BY id", key, LIVE)
    if status != LIVE or until <= tx.now or not operations:
        raise UndoExpired()
    return _Target(key, batch_id, [row[0] for row in operations], True)


def _by_operation(tx: Transaction, caller: Caller, operation_id: str) -> _Target | ConversationsRestored:
    row = tx.one(
        "SELECT o.id, o.status, o.answer, b.id, b.batch_id, b.until, b.answer"
        " FROM operation o JOIN batch b ON b.id = o.batch WHERE o.account = ? AND o.operation_id = ?",
        caller.user,
        operation_id,
    )
    if row is None:
        raise OperationNotFound()
    operation, status, answer, batch, batch_id, until, batch_answer = row
    if status == UNDONE:
        return msgspec.json.decode(answer or batch_answer, type=ConversationsRestored)
    if status == FINAL or until <= tx.now:
        raise UndoExpired()
    others = tx.all("SELECT status FROM operation WHERE batch = ? AND id <> ?", batch, operation)
    return _Target(batch, batch_id, [operation], all(row[0] == UNDONE for row in others))


def _withdraw(tx: Transaction, caller: Caller, live: Sequence[Shares], operations: Sequence[int]) -> list[int]:
    """Take the operations' shares of what is live back; the conversations that they had touched, in that order."""
    undone = set(operations)
    shares: dict[int, list[Share]] = {
        conversation: [] for one in live if one.operation in undone for conversation in one.conversations
    }
    for one in live:
        if shares.keys().isdisjoint(one.conversations):
            continue
        for conversation, share in one.each():
            if conversation in shares:
                shares[conversation].append(share)
    before = marks_by_key(tx, caller.user, list(shares))
    pinned: list[tuple[int, int, int]] = []
    passed_on: dict[int, dict[int, int]] = {}
    moved: list[tuple[SideMarks, int, int]] = []
    for key, items in shares.items():
        own = before[key]
        left = [item for item in items if item.operation not in undone]
        if _repins(own, items, left, undone, passed_on):
            pinned.append((key, 1, own.pin_version + 1))
        hidden = max([own.hidden_settled] + [item.hidden for item in left])
        cleared = max([own.cleared_settled] + [item.cleared for item in left])
        moved.append((own, hidden, cleared))
    if pinned:
        save_pins(tx, caller.user, pinned[: max(0, limits.PINS - pins(tx, caller.user))])
    if passed_on:
        _pass_on(tx, caller, live, passed_on)
    counted = counts(tx, caller.user, [(own, max(own.read_seq, hidden, cleared)) for own, hidden, cleared in moved])
    save_marks(
        tx,
        caller.user,
        [
            (own.conversation, hidden, cleared, floor_count, mention_count)
            for (own, hidden, cleared), (floor_count, mention_count) in zip(moved, counted, strict=True)
        ],
    )
    return list(shares)


def _repins(
    before: SideMarks, items: list[Share], left: list[Share], undone: set[int], passed_on: dict[int, dict[int, int]]
) -> bool:
    """Whether the pin comes back: one of the undone took it, and nobody changed it since.

    Where a later deletion is still live, the pin comes back only with that one: it is noted in `passed_on`, by
    operation and conversation.
    """
    taken = [item for item in items if item.operation in undone and item.pin_version == before.pin_version]
    if not taken:
        return False
    later = [item for item in left if item.operation > taken[0].operation and item.hidden]
    if not later:
        return True
    passed_on.setdefault(later[0].operation, {})[before.conversation] = before.pin_version
    return False


def _pass_on(
    tx: Transaction, caller: Caller, live: Sequence[Shares], passed_on: Mapping[int, Mapping[int, int]]
) -> None:
    """Let later deletions have taken pins that an undone one had taken."""
    changed = []
    for one in live:
        own = set(one.conversations)
        more = {key: version for key, version in passed_on.get(one.operation, {}).items() if key in own}
        if more:
            changed.append((one, one.pins | more))
    save_shares_pins(tx, caller.user, changed)
