"""`tui-chat undo`: bring back what was deleted."""

import argparse
import sys

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
    from .account import session_for
    from .failures import unconfirmed
    from .output import print_answer

    async with session_for(arguments) as session:
        batch = arguments.batch
        if batch is None:
            live = [item for item in await session.deletions() if item.undo_seconds and not item.restored]
            if not live:
                print("tui-chat: there is nothing to undo", file=sys.stderr)
                return FAILED
            batch = live[0].batch_id
        restored = await session.undo(batch)
        if restored.queued:
            raise unconfirmed(session.queue, "the connection broke off: nothing is known of the undo (tui-chat log)")
        back = restored.conversation_id_list
        facts = {"batchID": restored.batch_id, "conversationIDList": back}
        print_answer(facts, f"{len(back)} brought back: {', '.join(back)}", as_json=arguments.json)
    return 0
