"""`tui-chat read`: print history. It never moves the read mark."""

import argparse

from .arguments import Commands, add_account_options, add_json_option, add_limit_option


def add(commands: Commands) -> None:
    """Declare the subcommand."""
    parser = commands.add_parser("read", help="print a conversation's newest messages (moves no read mark)")
    parser.add_argument("conversation", metavar="NAME|ID", help="bob, '#ubuntu', system, C2Cbob")
    add_limit_option(parser)
    add_account_options(parser)
    add_json_option(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the newest messages, oldest of them first."""
    import asyncio

    return asyncio.run(_read(arguments))


async def _read(arguments: argparse.Namespace) -> int:
    from tui_chat.protocol.limits import PAGE
    from tui_chat.protocol.models import Message

    from .account import session_for
    from .names import naming, resolve
    from .output import print_message

    async with session_for(arguments) as session:
        conversation_id = resolve(arguments.conversation, session.conversations.values())
        messages: list[Message] = []
        before: int | None = None
        while len(messages) < arguments.limit:
            limit = min(PAGE, arguments.limit - len(messages))
            with naming(arguments.conversation):
                page = await session.history(conversation_id, before=before, limit=limit)
            messages = page.messages + messages
            if not page.more or not page.messages:
                break
            before = page.messages[0].message_seq
        for message in messages:
            print_message(message, as_json=arguments.json)
    return 0
