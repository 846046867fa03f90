"""`tui-chat undo`: bring back what was deleted."""

import argparse
import sys

from tui_chat.locale import _

from .arguments import Commands, add_account_options, add_json_option
from .exits import FAILED


def add(commands: Commands) -> None:
    """Declare the subcommand."""
    parser = commands.add_parser("undo", help="undo the last deletion, or the one named")
    parser.add_argument("batch", nargs="?", metavar="BATCH", help="its batchID (see log)")
    add_account_options(parser)
    add_json_option(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Undo, and say what is back."""
    import asyncio

    return asyncio.run(_undo(arguments))


async def _undo(arguments: argparse.Namespace) -> int:
    from .account import say_who_did_it, session_for
    from .failures import unconfirmed
    from .output import print_answer

    async with session_for(arguments) as session:
        batch = arguments.batch
        if batch is None:
            live = [item for item in await session.deletions() if item.undo_seconds and not item.restored]
            if not live:
                print(f"tui-chat: {_('there is nothing to undo')}", file=sys.stderr)
                return FAILED
            batch = live[0].batch_id
        restored = await session.undo(batch)
        if restored.queued:
            broke_off = _("the connection broke off: nothing is known of the undo (tui-chat log)")
            raise unconfirmed(session.queue, broke_off)
        say_who_did_it(session, arguments)
        back = restored.conversation_id_list
        facts = {"batchID": restored.batch_id, "conversationIDList": back}
        said = _("{count} brought back: {ids}").format(count=len(back), ids=", ".join(back))
        print_answer(facts, said, as_json=arguments.json)
    return 0
