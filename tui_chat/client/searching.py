"""Search: the server's, and without it what is on this machine of one conversation."""

from typing import Final

from tui_chat.cache.store import HISTORY_KEEP
from tui_chat.protocol.errors import NotConnected
from tui_chat.protocol.models import Message, MessageType

from .core import Core
from .results import FoundMessages

_TEXTS: Final = (MessageType.TEXT, MessageType.CUSTOM)


async def search(
    core: Core, words: str, *, conversation_id: str | None, cursor: str | None, limit: int
) -> FoundMessages:
    """Ask the server; without it look through what is held of the conversation. Raises ChatError."""
    try:
        found = await core.calls.search(words, conversation_id=conversation_id, cursor=cursor, limit=limit)
    except NotConnected:
        if conversation_id is None or cursor is not None:
            raise
        held = core.pages.tail(conversation_id, HISTORY_KEEP)
        return FoundMessages(messages=_matching(held, words)[:limit], here_only=True)
    floor = core.state.shown_cleared_through
    visible = [core.overlaid(one) for one in found.messages if one.message_seq > floor(one.conversation_id)]
    return FoundMessages(messages=visible, next=found.next)


def _matching(messages: list[Message], words: str) -> list[Message]:
    """Those in which every word stands somewhere, in whatever case; the newest first."""
    wanted = words.casefold().split()
    if not wanted:
        return []
    return [
        message
        for message in reversed(messages)
        if message.type in _TEXTS and all(word in message.text.casefold() for word in wanted)
    ]
