"""Which conversations a command is about: those named, or those that a query matches, in the order of the list."""

from typing import TYPE_CHECKING

from tui_chat.client.query import Query, Row
from tui_chat.locale import _

from .failures import Usage

if TYPE_CHECKING:
    import argparse

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


def read_choice(arguments: "argparse.Namespace", hint: str) -> None:
    """Either names or a query; `-` among the names is read from standard input. Raises Usage, with this hint."""
    from .from_input import DASH, names_on_input

    by_query = arguments.match is not None and not arguments.match.empty
    if bool(arguments.conversations) == by_query:
        raise Usage(hint)
    if DASH in arguments.conversations:
        read = names_on_input()
        arguments.conversations = [
            one for name in arguments.conversations for one in (read if name == DASH else [name])
        ]


def chosen(session: "ChatSession", arguments: "argparse.Namespace") -> list[str]:
    """The conversationIDs that a command's words stand for, each once. Raises Ambiguous, InvalidConversation."""
    from tui_chat.clock import system_clock

    from .names import resolve

    if arguments.match is not None:
        return [one.conversation_id for one in matching(session, arguments.match, now=system_clock())]
    return list(dict.fromkeys(resolve(name, session.conversations.values()) for name in arguments.conversations))
