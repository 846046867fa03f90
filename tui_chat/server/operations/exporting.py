"""Everything of one user as lines of JSON, a bounded piece at a time, each piece of one reading.

What the user sees is what is exported: periods of membership and watermarks count as they stand when a piece is read,
so that what was cleared meanwhile does not come.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from tui_chat import __version__
from tui_chat.protocol import export, limits
from tui_chat.protocol.wire import encode
from tui_chat.server.engines import Transaction

from . import blocking, deletionlog, devices
from .caller import Caller
from .events import check_device
from .messages import page
from .state import views

PIECE_BYTES: Final = 128 * 1024
"""About so much is read at once, and kept in memory until it is taken."""


class Position(NamedTuple):
    """Where an export goes on: after a message of a conversation, or (None) after the whole conversation."""

    lines: int = 0
    """How many came before."""
    conversation: int = 0
    message_seq: int | None = None


class Piece(NamedTuple):
    """Some lines, each with its newline, and where to go on; None: that was all."""

    data: bytes
    next: Position | None


def piece(tx: Transaction, caller: Caller, position: Position) -> Piece:
    """The lines that follow. Raises Unauthorized where the device was logged out meanwhile."""
    check_device(tx, caller)
    data = bytearray()
    lines, conversation, message_seq = position
    if not lines:
        lines = _write(data, _head(tx, caller))
    while len(data) < PIECE_BYTES:
        if message_seq is None:
            row = tx.one(
                "SELECT conversation FROM state WHERE account = ? AND conversation > ? ORDER BY conversation LIMIT 1",
                caller.user,
                conversation,
            )
            if row is None:
                _write(data, [export.ExportEnds(lines=lines)])
                return Piece(bytes(data), None)
            conversation, message_seq = row[0], 0
            shown = views(tx, caller.user, [conversation])[conversation]
            lines += _write(data, [export.ConversationLine(conversation=shown)])
        name = tx.one(
            "SELECT conversation_id FROM state WHERE account = ? AND conversation = ?", caller.user, conversation
        )
        found = page(tx, caller, name[0], after=message_seq, limit=limits.PAGE) if name else None
        messages = found.messages if found else []
        lines += _write(data, [export.MessageLine(message=one) for one in messages])
        message_seq = messages[-1].message_seq if found and found.more else None
    return Piece(bytes(data), Position(lines, conversation, message_seq))


def _head(tx: Transaction, caller: Caller) -> list[export.Line]:
    """What comes before the conversations."""
    nick, administrator, created = tx.one(
        "SELECT nick, administrator, created FROM account WHERE id = ?", caller.user
    ) or (None, 0, 0)
    return [
        export.ExportBegins(version=__version__, user_id=caller.user_id, time=tx.now),
        export.AccountLine(user_id=caller.user_id, nick=nick, administrator=bool(administrator), created_at=created),
        *(export.DeviceLine(device=one) for one in devices.devices(tx, caller).devices),
        *(export.BlockLine(block=one) for one in blocking.blocks(tx, caller).blocks),
        *(export.DeletionLine(deletion=one) for one in deletionlog.log(tx, caller).deletions),
    ]


def _write(data: bytearray, lines: Iterable[export.Line]) -> int:
    """Append lines; how many."""
    count = 0
    for one in lines:
        data += encode(one) + b"\n"
        count += 1
    return count
