"""Queries that several endpoints take."""

from typing import Annotated

from msgspec import Meta

from tui_chat.protocol import limits
from tui_chat.protocol.wire import Request


class OperationQuery(Request, frozen=True, kw_only=True):
    """For a command without a body: the operationID by which a retry is recognised."""

    operation_id: str | None = None


class PageQuery(Request, frozen=True, kw_only=True):
    """Where a page begins, as the one before said in `next`, and how long it is at most."""

    cursor: str | None = None
    limit: Annotated[int, Meta(ge=1, le=limits.PAGE)] = limits.PAGE_DEFAULT
