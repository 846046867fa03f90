"""What administrators did: who, what, when, whom; never the body of a message."""

from typing import Any, Final

import msgspec

from tui_chat.protocol import limits
from tui_chat.protocol.models import AuditEntry
from tui_chat.protocol.requests import AuditPage
from tui_chat.server.engines import Transaction

from .caller import Caller, administrators_only
from .paging import after_key, cut
from .settling import DAY

_ROWS: Final = 2_000
_NEWEST: Final = 2**62
"""Above every key."""


def note(tx: Transaction, caller: Caller, what: str, whom: str | None = None, **details: Any) -> None:
    """Write down, in the transaction of the effect, that an administrator did something."""
    tx.execute(
        "INSERT INTO audit (id, time, administrator, device_name, what, whom, details) VALUES (?, ?, ?, ?, ?, ?, ?)",
        tx.next_key("audit"),
        tx.now,
        caller.user_id,
        caller.device_name,
        what,
        whom,
        msgspec.json.encode(details).decode(),
    )


def page(tx: Transaction, caller: Caller, *, cursor: str | None = None, limit: int = limits.PAGE_DEFAULT) -> AuditPage:
    """What was done, the newest first.

    Raises:
        AdministratorOnly.
        InvalidRequest: the cursor is none.
    """
    administrators_only(tx, caller)
    before = after_key(cursor, limit) or _NEWEST
    rows = tx.all(
        "SELECT id, time, administrator, device_name, what, whom, details FROM audit WHERE id < ?"
        " ORDER BY id DESC LIMIT ?",
        before,
        limit + 1,
    )
    here, following = cut(rows, limit)
    entries = [
        AuditEntry(
            time=time,
            administrator=administrator,
            device_name=device_name,
            what=what,
            whom=whom,
            details=msgspec.json.decode(details),
        )
        for _, time, administrator, device_name, what, whom, details in here
    ]
    return AuditPage(entries=entries, next=following)


def forget_old(tx: Transaction) -> bool:
    """Forget what is older than limits.AUDIT_DAYS; whether there may be more."""
    rows = tx.all("SELECT id FROM audit WHERE time <= ? ORDER BY time LIMIT ?", tx.now - limits.AUDIT_DAYS * DAY, _ROWS)
    tx.many("DELETE FROM audit WHERE id = ?", rows)
    return len(rows) == _ROWS
