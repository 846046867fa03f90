"""`tui-chat watch`: print what changes, as it changes."""

import argparse
from typing import TYPE_CHECKING

from tui_chat.locale import _

from .arguments import Commands, add_account_options, add_json_option

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tui_chat.client.changes import Change, Connection
    from tui_chat.protocol.models import Conversation, Message


def add(commands: Commands) -> None:
    """Declare the subcommand."""
    parser = commands.add_parser("watch", help="print what changes, as it changes, until Ctrl+C")
    add_account_options(parser)
    add_json_option(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Watch until interrupted."""
    import asyncio

    return asyncio.run(_watch(arguments))


async def _watch(arguments: argparse.Namespace) -> int:
    import asyncio

    from tui_chat.client.changes import Connection, ConnectionChanged
    from tui_chat.protocol.wire import to_plain

    from .account import session_for
    from .failures import NotSignedIn
    from .output import print_json, print_line

    changes: asyncio.Queue[list[Change]] = asyncio.Queue()
    async with session_for(arguments, stream=True) as session:
        session.subscribe(changes.put_nowait)
        edits = _Edits(session.conversations.values())
        before = Connection.CONNECTED
        while True:
            for change in await changes.get():
                if isinstance(change, ConnectionChanged):
                    if change.connection is Connection.SIGNED_OUT:
                        raise NotSignedIn(_("this device was signed out; log in again with `tui-chat login`"))
                    # Each attempt to come back is no news.
                    if change.connection in (before, Connection.CONNECTING):
                        continue
                    before = change.connection
                if arguments.json:
                    print_json({"change": type(change).__name__} | to_plain(change))
                elif line := _in_words(change, edits):
                    print_line(line)


class _Edits:
    """Which edits are news: a message that was edited once comes anew with each reaction to it as well."""

    def __init__(self, listed: "Iterable[Conversation]") -> None:
        self._began = max((one.time for one in listed), default=0)
        """By the server's clock; of what was edited before, nothing is news but what is edited again."""
        self._told: dict[tuple[str, int], int] = {}

    def is_new(self, message: "Message") -> bool:
        """Whether the message was edited since this was asked of it; not so of one that nobody edited."""
        key = message.conversation_id, message.message_seq
        edited = message.edited_at or 0
        new = edited > self._told.get(key, self._began)
        if new:
            self._told[key] = edited
        return new


def _in_words(change: "Change", edits: _Edits) -> str:
    from tui_chat.client import changes

    match change:
        case changes.MessagesAdded(conversation_id=conversation_id, messages=messages):
            return f"{conversation_id}: " + " / ".join(_said(message) for message in messages)
        case changes.MessageUpdated(conversation_id=conversation_id, message=message):
            return f"{conversation_id}: {_said(message)}" if message.recalled or edits.is_new(message) else ""
        case changes.ConversationsRemoved(conversation_id_list=removed, device=device):
            said = _("deleted on {device}: {ids}") if device else _("deleted: {ids}")
            return said.format(device=device, ids=", ".join(removed))
        case changes.ConversationsRestored(conversation_id_list=restored):
            return _("back: {ids}").format(ids=", ".join(restored))
        case changes.HistoryCleared(conversation_id=conversation_id):
            return _("history cleared: {conversation}").format(conversation=conversation_id)
        case changes.ConnectionChanged(connection=connection):
            return _connection(connection)
        case changes.ServerChanged(server=server):
            return _("sync of deletions: on") if server.sync_conversation_deletion else _("sync of deletions: off")
        case _:
            return ""


def _connection(connection: "Connection") -> str:
    from tui_chat.client.changes import Connection

    said = {
        Connection.OFFLINE: _("offline"),
        Connection.CONNECTING: _("connecting"),
        Connection.CONNECTED: _("connected"),
        Connection.SIGNED_OUT: _("signed out"),
    }
    return said[connection]


def _said(message: "Message") -> str:
    from .output import text_of

    return f"{message.nick or message.sender}: {text_of(message)}"
