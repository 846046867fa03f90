"""Conversations that a query matches, in the order of the list."""

from typing import TYPE_CHECKING

from tui_chat.client.query import Query, Row
from tui_chat.locale import _

if TYPE_CHECKING:
    from tui_chat.client.session import ChatSession
    from tui_chat.protocol.models import Conversation


def matching(session: "ChatSession", query: Query, *, now: int) -> list["Conversation"]:
    """Pinned first, then newest. `now`: milliseconds since 1970."""
    listed = sorted(session.conversations.values(), key=lambda one: (not one.pinned, -one.time, one.conversation_id))
    drafts, stale = session.drafts, session.stale

    def row(one: "Conversation") -> Row:
        key = one.conversation_id
        return Row(one, one.name or _("System"), session.user_id, now, key in drafts, key in stale)

    return [one for one in listed if query.matches(row(one))]
