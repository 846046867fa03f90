"""Everything that the server has of one user, for that user."""

from collections.abc import AsyncGenerator
from typing import Any, cast

from tui_chat.protocol.errors import ChatError
from tui_chat.protocol.export import ExportFails, ExportLine
from tui_chat.protocol.wire import encode
from tui_chat.server.operations import exporting

from .endpoint import Call, Endpoint, Nothing, Pieces


async def export(call: Call[Nothing, Nothing]) -> Pieces:
    """Everything of oneself as lines of JSON: account, devices, blocks, deletions, conversations and their visible
    messages. The last line is of the kind `end`; one without it was cut off. One at a time for each user."""
    return Pieces(_pieces(call), _failed)


async def _pieces(call: Call[Nothing, Nothing]) -> AsyncGenerator[bytes, None]:
    with call.services.limiter.exports.of(call.caller.user):
        position: exporting.Position | None = exporting.Position()
        while position is not None:
            piece: exporting.Piece = await call.read(exporting.piece, position)
            yield piece.data
            position = piece.next


def _failed(error: ChatError) -> bytes:
    return encode(ExportFails(error=error.body())) + b"\n"


ENDPOINTS: tuple[Endpoint[Any, Any, Any], ...] = (
    Endpoint("GET", "/v1/export", export, cast(type[Any], ExportLine), lines=True),
)
