"""Search: the server's, and without it what is on this machine, of one conversation or of all."""

import asyncio
from typing import Final

from tui_chat.cache.store import HISTORY_KEEP
from tui_chat.protocol.errors import NotConnected
from tui_chat.protocol.models import Message, MessageType

from .core import Core
from .results import FoundMessages

_TEXTS: Final = (MessageType.TEXT, MessageType.CUSTOM)
_HERE: Final = "here:"
"""A cursor of an answer that is from this machine begins so; after it comes how many were answered before."""


async def search(
    core: Core, words: str, *, conversation_id: str | None, cursor: str | None, limit: int
) -> FoundMessages:
    """Ask the server; without it look through what is held. Raises ChatError."""
    if cursor is not None and cursor.startswith(_HERE):
        return await _search_here(core, words, conversation_id, int(cursor.removeprefix(_HERE)), limit)
    try:
        found = await core.calls.search(words, conversation_id=conversation_id, cursor=cursor, limit=limit)
    except NotConnected:
        if cursor is not None:
            raise
        return await _search_here(core, words, conversation_id, 0, limit)
    floor = core.state.shown_cleared_through
    visible = [core.overlaid(one) for one in found.messages if one.message_seq > floor(one.conversation_id)]
    return FoundMessages(messages=visible, next=found.next)


async def _search_here(core: Core, words: str, conversation_id: str | None, skipped: int, limit: int) -> FoundMessages:
    """What is held, file after file: others have their turn between two of them."""
    found: list[Message] = []
    for one in [conversation_id] if conversation_id is not None else list(core.state.shown):
        found += _matching(core.pages.tail(one, HISTORY_KEEP), words)
        await asyncio.sleep(0)
    found.sort(key=lambda message: message.time, reverse=True)
    end = skipped + limit
    following = f"{_HERE}{end}" if len(found) > end else None
    return FoundMessages(messages=found[skipped:end], next=following, here_only=True)


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
