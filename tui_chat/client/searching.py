"""Search: the server's, and without it what is on this machine, of one conversation or of all."""

from typing import Final

from tui_chat.protocol.errors import NotConnected

from .core import Core
from .results import FoundMessages
from .search_here import Place

_HERE: Final = "here:"
"""A cursor of an answer that is from this machine begins so; after it comes the place where that ended."""


async def search(
    core: Core, words: str, *, conversation_id: str | None, cursor: str | None, limit: int
) -> FoundMessages:
    """Ask the server; without it look through what is held. Raises ChatError."""
    if cursor is not None and cursor.startswith(_HERE):
        return await _search_here(core, words, conversation_id, Place.read(cursor.removeprefix(_HERE)), limit)
    try:
        found = await core.calls.search(words, conversation_id=conversation_id, cursor=cursor, limit=limit)
    except NotConnected:
        if cursor is not None:
            raise
        return await _search_here(core, words, conversation_id, None, limit)
    floor = core.state.shown_cleared_through
    visible = [core.overlaid(one) for one in found.messages if one.message_seq > floor(one.conversation_id)]
    return FoundMessages(messages=visible, next=found.next)


async def _search_here(
    core: Core, words: str, conversation_id: str | None, after: Place | None, limit: int
) -> FoundMessages:
    found, place = await core.search_here.page(words, conversation_id, after, limit)
    return FoundMessages(messages=found, next=None if place is None else f"{_HERE}{place}", here_only=True)
