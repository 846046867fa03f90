"""`tui-chat search`: find messages, in one conversation or in all."""

import argparse

from .arguments import Commands, add_account_options, add_json_option, add_limit_option


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
    from tui_chat.protocol.errors import NotConnected
    from tui_chat.protocol.limits import PAGE

    from .account import session_for
    from .names import resolve
    from .output import print_message

    async with session_for(arguments) as session:
        conversations = session.conversations
        within = None if arguments.conversation is None else resolve(arguments.conversation, conversations.values())
        left = arguments.limit
        cursor: str | None = None
        while left > 0:
            found = await session.search(
                " ".join(arguments.words), conversation_id=within, cursor=cursor, limit=min(PAGE, left)
            )
            if found.here_only:  # the connection broke just now: what is here is not an answer
                raise NotConnected
            for message in found.messages:
                print_message(message, where=f"{message.conversation_id} ", as_json=arguments.json)
            left -= len(found.messages)
            cursor = found.next
            if cursor is None:
                break
    return 0
