"""`tui-chat log`: what was deleted, on which device, and whether it can be undone."""

import argparse

from tui_chat.locale import _

from .arguments import Commands, add_account_options, add_json_option


def add(commands: Commands) -> None:
    """Declare the subcommand."""
    parser = commands.add_parser("log", help="the log of deletions")
    add_account_options(parser)
    add_json_option(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print one batch a line, newest first."""
    import asyncio

    return asyncio.run(_log(arguments))


async def _log(arguments: argparse.Namespace) -> int:
    from .account import session_for
    from .output import columns, moment, print_answer

    async with session_for(arguments) as session:
        for deletion in await session.deletions():
            state = (
                _("undone")
                if deletion.restored
                else _("{seconds} s left").format(seconds=deletion.undo_seconds)
                if deletion.undo_seconds
                else _("final")
            )
            done = _("cleared") if deletion.clear_history_message else _("history kept")
            said = columns(
                [moment(deletion.time), str(deletion.count), done, state, deletion.device.name, deletion.batch_id],
                [16, 6, 12, 10, 16, 0],
            )
            print_answer(deletion, said, as_json=arguments.json)
    return 0
