"""Bodies of requests about messages and their history."""

from tui_chat.protocol.models import Message, User
from tui_chat.protocol.wire import Request, Wire


class SendMessage(Request, frozen=True, kw_only=True):
    """POST /v1/conversations/{id}/messages."""

    client_id: str
    text: str
    reply_to: int | None = None
    mentions: list[str] = []


class EditMessage(Request, frozen=True, kw_only=True):
    """PATCH /v1/conversations/{id}/messages/{messageSeq}. Without `mentions` those of before stay."""

    text: str
    mentions: list[str] | None = None
    operation_id: str | None = None


class MessageReaders(Wire, frozen=True, kw_only=True):
    """GET …/messages/{messageSeq}/readers: of those whom the message was sent to, who has read it and who has not."""

    read: list[User]
    unread: list[User]
    read_count: int
    unread_count: int


class SearchAnswer(Wire, frozen=True, kw_only=True):
    """GET /v1/search: the newest first. `next` goes on from there; with it, there can be fewer messages than were asked
    for, none even: one call looks at so many and no more."""

    messages: list[Message]
    next: str | None = None


class MessageSent(Wire, frozen=True, kw_only=True):
    """The message as it stands in history: the answer to sending, editing, recalling, reacting."""

    message: Message
    event_seq: int = 0


class MessagePage(Wire, frozen=True, kw_only=True):
    """GET /v1/conversations/{id}/messages: oldest first; `more`: there are more in the direction asked for."""

    messages: list[Message]
    more: bool = False
    cleared_through: int = 0
    hidden_through: int = 0
