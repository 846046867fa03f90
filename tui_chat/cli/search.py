"""`tui-chat search`: find messages, in one conversation or in all."""

import argparse
import sys
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from .arguments import Commands, add_account_options, add_json_option, add_limit_option

if TYPE_CHECKING:
    from tui_chat.client.session import ChatSession
    from tui_chat.protocol.models import Message


def add(commands: Commands) -> None:
    """Declare the subcommand."""
    parser = commands.add_parser("search", help="find messages in which all the words stand, the newest first")
    parser.add_argument("words", nargs="+", metavar="WORD", help="anywhere in a message, in whatever case")
    parser.add_argument("--in", dest="conversation", metavar="NAME|ID", help="only there: bob, '#ubuntu', C2Cbob")
    add_limit_option(parser)
    add_account_options(parser)
    add_json_option(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print what is found, the newest first."""
    import asyncio

    return asyncio.run(_search(arguments))


async def _search(arguments: argparse.Namespace) -> int:
    from tui_chat.locale import _
    from tui_chat.protocol.errors import NotConnected

    from .account import session_for, session_here
    from .output import print_message

    printed = 0
    try:
        async with session_for(arguments) as session:
            async for message in _found(session, arguments):
                print_message(message, where=f"{message.conversation_id} ", as_json=arguments.json)
                printed += 1
            return 0
    except NotConnected as error:
        if printed:  # the rest of that answer is not here
            raise
        failure = error
    async with session_here(arguments, failure) as session:
        print(_("offline: only what is on this device was searched"), file=sys.stderr)
        async for message in _found(session, arguments, here=True):
            print_message(message, where=f"{message.conversation_id} ", as_json=arguments.json)
    return 0


async def _found(
    session: "ChatSession", arguments: argparse.Namespace, *, here: bool = False
) -> AsyncIterator["Message"]:
    """As many as are wanted. Unless `here` will do, raises NotConnected where only this machine can answer."""
    from tui_chat.protocol.errors import NotConnected
    from tui_chat.protocol.limits import PAGE

    from .names import naming, resolve

    conversations = session.conversations
    within = None if arguments.conversation is None else resolve(arguments.conversation, conversations.values())
    left = arguments.limit
    cursor: str | None = None
    while left > 0:
        with naming(arguments.conversation or ""):
            found = await session.search(
                " ".join(arguments.words), conversation_id=within, cursor=cursor, limit=min(PAGE, left)
            )
        if found.here_only and not here:  # the connection broke just now
            raise NotConnected
        for message in found.messages:
            yield message
        left -= len(found.messages)
        cursor = found.next
        if cursor is None:
            break
