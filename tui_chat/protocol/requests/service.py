"""Bodies of what every client asks of the service itself: what has changed, whether it is well."""

from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from tui_chat.protocol.models import Conversation, ServerFacts
from tui_chat.protocol.wire import Wire


class SyncAnswer(Wire, frozen=True, kw_only=True):
    """GET /v1/sync: events after the cursor; or, with `reset`, the state from which to go on.

    `reset`, `conversations` and `next` stand only in the second form, so that their presence tells which it is.
    """

    cursor: str
    first: int = msgspec.field(name="from", default=0)
    last: int = msgspec.field(name="to", default=0)
    events: list[msgspec.Raw] = []
    more: bool = False
    reset: Literal["epoch", "log_too_old"] | UnsetType = UNSET
    conversations: list[Conversation] | UnsetType = UNSET
    next: str | UnsetType | None = UNSET
    server: ServerFacts


class Done(Wire, frozen=True, kw_only=True):
    """The answer of commands that have nothing else to say."""

    event_seq: int = 0


class Health(Wire, frozen=True, kw_only=True):
    """GET /healthz. `time`: the server's clock, milliseconds since 1970. `bus`: where several processes may share the
    database, whether what others write is told at once ("up") or found some seconds later ("down")."""

    status: Literal["ok"]
    version: str
    time: int = 0
    bus: Literal["up", "down"] | UnsetType = UNSET
