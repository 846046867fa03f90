"""Reading users' event logs: where a user stands, what a device missed, and the state to begin with."""

import re
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

import msgspec

from tui_chat.protocol import limits
from tui_chat.protocol.errors import InvalidRequest, Unauthorized
from tui_chat.protocol.events import EventRange, Reset
from tui_chat.protocol.requests import SyncAnswer
from tui_chat.server.engines import Transaction

from .caller import Caller
from .conversations import page
from .crowdlog import logged
from .replay import replay
from .settings import facts

RANGE_BYTES: Final = limits.FRAME_BYTES - 1024
"""Bytes of events in one range, so that the frame around them stays under limits.FRAME_BYTES."""

CURSOR_DIGITS: Final = 18
"""Of the eventSeq in a cursor; a longer one was never given out, and reading it would cost ever more."""

ResetReason = Literal["epoch", "log_too_old"]


class Resume(NamedTuple):
    """Where a stream goes on, or why it cannot."""

    position: int
    newest: int
    reset: ResetReason | None = None


class Missed(NamedTuple):
    """A stretch of a log: up to where it was read, what of it is for the device, whether there is more."""

    last: int
    events: list[msgspec.Raw]
    more: bool


def epoch(tx: Transaction) -> str:
    """The name of this run of the server's data; another one after a backup was restored."""
    row = tx.one("SELECT value FROM meta WHERE name = 'epoch'")
    if row is None:
        raise LookupError("the database has no epoch")
    return str(row[0])


def cursor_at(epoch: str, event_seq: int) -> str:
    """The cursor after `event_seq`; opaque to clients."""
    return f"{epoch}:{event_seq}"


def cursor_form(epoch: str) -> bytes:
    """The JSON of any cursor, with %d where the eventSeq stands."""
    return msgspec.json.encode(f"{epoch}:")[:-1].replace(b"%", b"%%") + b'%d"'


def cursors_of(epoch: str) -> re.Pattern[bytes]:
    """What every cursor of this epoch matches as a whole, and nothing else."""
    return re.compile(rb"%b:[0-9]{1,%d}" % (re.escape(epoch.encode()), CURSOR_DIGITS))


def position(tx: Transaction, user: int) -> int:
    """The user's newest eventSeq."""
    row = tx.one("SELECT seq FROM stream WHERE account = ?", user)
    return 0 if row is None else int(row[0])


def positions(tx: Transaction, users: Sequence[int]) -> dict[int, int]:
    """The newest eventSeq of each."""
    return dict(tx.in_list("SELECT account, seq FROM stream WHERE account IN (?*)", users))


def check_device(tx: Transaction, caller: Caller) -> None:
    """Raise Unauthorized where the device was revoked since it was authenticated: nobody else tells its socket, if it
    was not yet there to be closed."""
    if tx.one("SELECT 1 FROM device WHERE id = ? AND revoked IS NULL", caller.device) is None:
        raise Unauthorized("this device was logged out")


def resume(tx: Transaction, caller: Caller, cursor: str | None) -> Resume:
    """Where a device with this cursor goes on; without one, from the present position."""
    newest, floor = tx.one("SELECT seq, floor FROM stream WHERE account = ?", caller.user) or (0, 0)
    if cursor is None:
        return Resume(newest, newest)
    begun, _, number = cursor.rpartition(":")
    is_number = number.isascii() and number.isdigit() and len(number) <= CURSOR_DIGITS
    if begun != epoch(tx) or not is_number or int(number) > newest:
        return Resume(newest, newest, "epoch")
    if int(number) < floor:
        return Resume(newest, newest, "log_too_old")
    return Resume(int(number), newest)


def since(tx: Transaction, caller: Caller, position: int, limit: int = 200) -> EventRange | Reset:
    """The range after `position` as this device is told it, small enough for one frame; `last` is `position` where
    nothing is new. A Reset where the log no longer reaches back so far."""
    newest, floor = tx.one("SELECT seq, floor FROM stream WHERE account = ?", caller.user) or (0, 0)
    if position < floor:
        return Reset(reason="log_too_old")
    missed = _missed(tx, caller, position, newest, limit)
    return EventRange(
        first=position + 1, last=missed.last, cursor=cursor_at(epoch(tx), missed.last), events=missed.events
    )


def sync(tx: Transaction, caller: Caller, cursor: str | None, limit: int = limits.PAGE_DEFAULT) -> SyncAnswer:
    """Events after the cursor; or the state, where there is no cursor or it is of no use.

    Raises:
        InvalidRequest: the limit is none.
    """
    if not 1 <= limit <= limits.PAGE:
        raise InvalidRequest(f"limit is from 1 to {limits.PAGE}")
    begin = resume(tx, caller, cursor)
    server = facts(tx)
    if cursor is None or begin.reset is not None:
        # The position is of the same reading as the state; with pages that follow it is older, which is safe.
        first = page(tx, caller, limit=limit)
        return SyncAnswer(
            cursor=cursor_at(epoch(tx), begin.position),
            first=begin.position + 1,
            last=begin.position,
            reset=begin.reset or "epoch",
            conversations=first.conversations,
            next=first.next,
            server=server,
        )
    missed = _missed(tx, caller, begin.position, begin.newest, limit)
    return SyncAnswer(
        cursor=cursor_at(epoch(tx), missed.last),
        first=begin.position + 1,
        last=missed.last,
        events=missed.events,
        more=missed.more,
        server=server,
    )


def _missed(tx: Transaction, caller: Caller, position: int, newest: int, limit: int) -> Missed:
    rows = logged(tx, caller.user, position, newest, limit + 1)
    told = [(row[0], row[2], row[3], row[4]) for row in rows[:limit] if row[1] in (None, caller.device)]
    raws: list[msgspec.Raw] = []
    size = 0
    for event_seq, raw in replay(tx, caller.user, told):
        size += len(bytes(raw)) + 1
        if size > RANGE_BYTES and raws:
            return Missed(event_seq - 1, raws, True)
        raws.append(raw)
    last = rows[:limit][-1][0] if rows else position
    return Missed(last, raws, len(rows) > limit)
