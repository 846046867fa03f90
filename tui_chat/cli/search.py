"""`tui-chat search`: find messages, in one conversation or in all."""

import argparse

from .arguments import Commands, add_account_options, add_json_option


def add(commands: Commands) -> None:
    """Declare the subcommand."""
    parser = commands.add_parser("search", help="find messages in which all the words stand, the newest first")
    parser.add_argument("words", nargs="+", metavar="WORD", help="anywhere in a message, in whatever case")
    parser.add_argument("--in", dest="conversation", metavar="NAME|ID", help="only there: bob, '#ubuntu', C2Cbob")
    parser.add_argument("--limit", type=int, default=50, metavar="N", help="how many messages (%(default)s)")
    add_account_options(parser)
    add_json_option(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print what is found, the newest first."""
    import asyncio

    from .failures import Usage

    if arguments.limit < 1:
        raise Usage("--limit takes a number from 1")
    return asyncio.run(_search(arguments))


async def _search(arguments: argparse.Namespace) -> int:
    from tui_chat.protocol.limits import PAGE

    from .account import session_for
    from .names import resolve
    from .output import moment, print_json, print_line, print_text

    async with session_for(arguments) as session:
        conversations = session.conversations
        within = None if arguments.conversation is None else resolve(arguments.conversation, conversations.values())
        left = arguments.limit
        cursor: str | None = None
        while left > 0:
            found = await session.search(
                " ".join(arguments.words), conversation_id=within, cursor=cursor, limit=min(PAGE, left)
            )
            for message in found.messages:
                if arguments.json:
                    print_json(message)
                    continue
                print_line(f"{moment(message.time)} {message.conversation_id} {message.nick or message.sender}:")
                print_text(message.text, indent="    ")
            left -= len(found.messages)
            cursor = found.next
            if cursor is None:
                break
    return 0
