"""`tui-chat send`: write a message."""

import argparse

from tui_chat.locale import _

from .arguments import Commands, add_account_options, add_json_option


def add(commands: Commands) -> None:
    """Declare the subcommand."""
    parser = commands.add_parser(
        "send", help="write a message", description="Write a message; returns when it is kept."
    )
    parser.add_argument("conversation", metavar="NAME|ID", help="bob, '#ubuntu', C2Cbob")
    parser.add_argument("text", nargs="?", help="what to say; without it, or as -, standard input")
    add_account_options(parser)
    add_json_option(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Send, and wait for the server's word."""
    import asyncio

    from .from_input import DASH, text_on_input

    if arguments.text in (None, DASH):
        instead = _("say what to send: tui-chat send NAME TEXT, or the text on standard input")
        arguments.text = text_on_input(instead).rstrip("\n")
    return asyncio.run(_send(arguments))


async def _send(arguments: argparse.Namespace) -> int:
    from .account import say_who_did_it, session_for
    from .failures import unconfirmed
    from .names import resolve
    from .output import print_answer

    async with session_for(arguments) as session:
        conversation_id = resolve(arguments.conversation, session.conversations.values())
        message = await session.send_message(conversation_id, arguments.text)
        if not message.message_seq:
            broke_off = _("the connection broke off: the message may or may not have been sent (tui-chat read)")
            raise unconfirmed(session.queue, broke_off)
        say_who_did_it(session, arguments)
        said = _("sent to {conversation} as message {number}")
        said = said.format(conversation=conversation_id, number=message.message_seq)
        print_answer(message, said, as_json=arguments.json)
    return 0
