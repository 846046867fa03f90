"""The lines of GET /v1/export: everything that the server has of one user, as that user may see it.

Each line is a JSON object whose `kind` says what it is. A conversation's line comes before those of its messages, which
are the visible ones, oldest first. The last line counts those before it: an export without it was cut off.
"""

from .errors import ErrorBody
from .models import BlockedUser, Conversation, Deletion, Device, Message
from .wire import Wire


class Line(Wire, frozen=True, kw_only=True, tag_field="kind"):
    """Base of the kinds."""


class ExportBegins(Line, frozen=True, kw_only=True, tag="export"):
    """The first line: which server, whose data, when."""

    version: str
    """Of the server's program."""
    user_id: str
    time: int


class AccountLine(Line, frozen=True, kw_only=True, tag="account"):
    """The account itself."""

    user_id: str
    nick: str | None = None
    administrator: bool = False
    created_at: int


class DeviceLine(Line, frozen=True, kw_only=True, tag="device"):
    """A device that is logged in."""

    device: Device


class BlockLine(Line, frozen=True, kw_only=True, tag="block"):
    """Somebody whom the user has blocked."""

    block: BlockedUser


class DeletionLine(Line, frozen=True, kw_only=True, tag="deletion"):
    """An entry of the log of deletions."""

    deletion: Deletion


class ConversationLine(Line, frozen=True, kw_only=True, tag="conversation"):
    """A conversation, listed or not."""

    conversation: Conversation


class MessageLine(Line, frozen=True, kw_only=True, tag="message"):
    """A message that the user can see."""

    message: Message


class ExportFails(Line, frozen=True, kw_only=True, tag="error"):
    """The last line of an export that could not be finished."""

    error: ErrorBody


class ExportEnds(Line, frozen=True, kw_only=True, tag="end"):
    """The last line: how many came before it."""

    lines: int


ExportLine = (
    ExportBegins
    | AccountLine
    | DeviceLine
    | BlockLine
    | DeletionLine
    | ConversationLine
    | MessageLine
    | ExportFails
    | ExportEnds
)
