"""`tui-chat read`: print history. It never moves the read mark."""

import argparse

from .arguments import Commands, add_account_options, add_json_option


def add(commands: Commands) -> None:
    """Declare the subcommand."""
    parser = commands.add_parser("read", help="print a conversation's newest messages (moves no read mark)")
    parser.add_argument("conversation", metavar="NAME|ID", help="bob, '#ubuntu', system, C2Cbob")
    parser.add_argument("--limit", type=int, default=50, metavar="N", help="how many messages (%(default)s)")
    add_account_options(parser)
    add_json_option(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the newest messages, oldest of them first."""
    import asyncio

    from .failures import Usage

    if arguments.limit < 1:
        raise Usage("--limit takes a number from 1")
    return asyncio.run(_read(arguments))


async def _read(arguments: argparse.Namespace) -> int:
    from tui_chat.protocol.limits import PAGE
    from tui_chat.protocol.models import Message

    from .account import session_for
    from .names import resolve
    from .output import moment, print_json, print_line, print_text

    async with session_for(arguments) as session:
        conversation_id = resolve(arguments.conversation, session.conversations.values())
        messages: list[Message] = []
        before: int | None = None
        while len(messages) < arguments.limit:
            page = await session.history(
                conversation_id, before=before, limit=min(PAGE, arguments.limit - len(messages))
            )
            messages = page.messages + messages
            if not page.more or not page.messages:
                break
            before = page.messages[0].message_seq
        for message in messages:
            if arguments.json:
                print_json(message)
                continue
            print_line(f"{moment(message.time)} {message.nick or message.sender}:")
            print_text(message.text, indent="    ")
    return 0
