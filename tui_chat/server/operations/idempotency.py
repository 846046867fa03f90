"""One effect for one operationID: a retry gets the first answer."""

from collections.abc import Callable
from hashlib import blake2b
from typing import Any, TypeVar

import msgspec

from tui_chat.protocol.errors import OperationReused
from tui_chat.protocol.ids import check_identifier, new_identifier
from tui_chat.server.engines import Transaction

from .caller import Caller

Answer = TypeVar("Answer", bound=msgspec.Struct)


def once(
    tx: Transaction,
    caller: Caller,
    what: str,
    operation_id: str | None,
    body: Any,
    answer: type[Answer],
    carry_out: Callable[[str], Answer],
) -> Answer:
    """Carry a command out, or give the answer that it got before.

    `what` tells the endpoints apart, `body` is whatever makes the call what it is. A refused call is not kept: its
    retry is tried anew. Without an operationID the server makes one, for the log of deletions.

    Raises:
        InvalidRequest: the operationID has not the form of one.
        OperationReused: another call has been made under it.
    """
    if operation_id is None:
        return carry_out(new_identifier())
    check_identifier(operation_id, "operationID")
    tx.lock_users((caller.user,))
    text = what.encode() + b"\0" + msgspec.json.encode(body, order="deterministic")
    digest = blake2b(text, digest_size=16).hexdigest()
    stored = tx.one(
        "SELECT digest, answer FROM answered WHERE account = ? AND operation_id = ?", caller.user, operation_id
    )
    if stored is not None:
        if stored[0] != digest:
            raise OperationReused()
        return msgspec.json.decode(stored[1], type=answer)
    given = carry_out(operation_id)
    tx.execute(
        "INSERT INTO answered (account, operation_id, digest, answer, time) VALUES (?, ?, ?, ?, ?)",
        caller.user,
        operation_id,
        digest,
        msgspec.json.encode(given).decode(),
        tx.now,
    )
    return given
