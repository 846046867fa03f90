"""The log of deletions: what was deleted and cleared, from which device, and until when it can be undone."""

from collections.abc import Collection
from typing import Final

from tui_chat.protocol.limits import DELETION_LOG_DAYS
from tui_chat.protocol.models import Deletion, Device
from tui_chat.protocol.requests import DeletionList
from tui_chat.server.engines import Transaction

from .caller import Caller
from .settling import DAY, FINAL, LIVE, UNDONE
from .shares import live_shares

DELETED: Final = 1
CLEARED: Final = 2
"""`batch.what`"""
LOG_MOST: Final = 500
"""Entries of the log in one answer, the newest."""


def log(tx: Transaction, caller: Caller) -> DeletionList:
    """What was deleted and cleared within limits.DELETION_LOG_DAYS, newest first, at most LOG_MOST entries."""
    rows = tx.all(
        "SELECT b.id, b.batch_id, b.time, b.what, b.clear, b.until, b.status, d.device_id, d.name, d.created,"
        " d.last_seen FROM batch b JOIN device d ON d.id = b.device"
        " WHERE b.account = ? AND b.time > ? ORDER BY b.time DESC, b.id DESC LIMIT ?",
        caller.user,
        tx.now - DELETION_LOG_DAYS * DAY,
        LOG_MOST,
    )
    live: dict[int, dict[int, None]] = {}
    for one in live_shares(tx, caller.user):
        live.setdefault(one.batch, {}).update(dict.fromkeys(one.conversations))
    names = _names(tx, caller.user, {key for keys in live.values() for key in keys})
    standing: dict[int, dict[int, int]] = {}
    for batch, status, calls_count in tx.all(
        "SELECT batch, status, CAST(SUM(count) AS BIGINT) FROM operation WHERE account = ? GROUP BY batch, status",
        caller.user,
    ):
        standing.setdefault(batch, {})[status] = calls_count
    deletions = []
    for key, batch_id, time, what, cleared, until, status, device_id, name, created, last_seen in rows:
        ids = [names[conversation] for conversation in live.get(key, ())]
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
                count=calls[UNDONE] if restored else calls.get(FINAL, 0) + len(ids),
                clear_history_message=bool(cleared),
                what="deleted" if what == DELETED else "cleared",
                conversation_id_list=ids if left else [],
                undo_seconds=-(-left // 1000),
                restored=restored,
            )
        )
    return DeletionList(deletions=deletions)


def _names(tx: Transaction, account: int, conversations: Collection[int]) -> dict[int, str]:
    """The conversationIDs of a user's conversations, by their keys."""
    query = "SELECT conversation, conversation_id FROM state WHERE account = ? AND conversation IN (?*)"
    return dict(tx.in_list(query, sorted(conversations), account))
