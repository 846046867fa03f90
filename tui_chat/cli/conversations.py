"""`tui-chat list`: the conversations, newest first."""

import argparse

from tui_chat.locale import _

from .arguments import Commands, add_account_options, add_json_option, add_match_option


def add(commands: Commands) -> None:
    """Declare the subcommand."""
    parser = commands.add_parser("list", help="list the conversations, pinned first, then newest")
    add_match_option(parser)
    add_account_options(parser)
    add_json_option(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print one conversation a line."""
    import asyncio

    from .account import use_language_of_settings

    use_language_of_settings()
    return asyncio.run(_list(arguments))


async def _list(arguments: argparse.Namespace) -> int:
    from tui_chat.client.query import EVERYTHING
    from tui_chat.clock import system_clock
    from tui_chat.protocol.ids import ConversationType

    from .account import session_for
    from .matching import matching
    from .output import columns, moment, print_answer

    async with session_for(arguments) as session:
        for conversation in matching(session, arguments.match or EVERYTHING, now=system_clock()):
            unread = str(conversation.unread_count or "")
            mentioned = "@" if conversation.mention_count else ""
            system = conversation.type is ConversationType.SYSTEM
            name = _("system") if system else conversation.name or conversation.conversation_id
            said = columns(
                [moment(conversation.time), unread, mentioned, name, conversation.conversation_id],
                [16, 5, 1, 30, 0],
            )
            print_answer(conversation, said, as_json=arguments.json)
    return 0
