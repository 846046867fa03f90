"""`tui-chat delete`: delete conversations."""

import argparse
from typing import TYPE_CHECKING

from .arguments import Commands, add_account_options, add_json_option, add_match_option

if TYPE_CHECKING:
    from tui_chat.client.session import ChatSession
    from tui_chat.protocol.models import Conversation


def add(commands: Commands) -> None:
    """Declare the subcommand."""
    parser = commands.add_parser(
        "delete",
        help="delete conversations, by default with their history",
        description="Delete conversations from your account, by default with their history; the others keep theirs. "
        "`tui-chat undo` brings them back for a while.",
    )
    parser.add_argument("conversations", nargs="*", metavar="NAME|ID", help="bob, '#ubuntu', system, C2Cbob")
    add_match_option(parser)
    parser.add_argument("--keep-history", action="store_true", help="only the rows go; a new message brings all back")
    parser.add_argument("--dry-run", action="store_true", help="say what would be deleted, and stop")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    add_account_options(parser)
    add_json_option(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Ask, delete, say what happened."""
    import asyncio
    import sys

    from .failures import Usage
    from .matching import check_choice

    check_choice(arguments, "say what to delete: names or IDs, or --match QUERY")
    if not (arguments.yes or arguments.dry_run) and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Usage("without a terminal to ask on, deleting needs --yes (or --dry-run to see what would go)")
    return asyncio.run(_delete(arguments))


async def _delete(arguments: argparse.Namespace) -> int:
    from tui_chat.locale.durations import duration

    from .account import session_for
    from .failures import unconfirmed
    from .matching import chosen
    from .output import print_json, print_line

    async with session_for(arguments) as session:
        wanted = chosen(session, arguments)
        if not wanted:
            if not arguments.json:
                print_line("no conversation matches; nothing was deleted")
            return 0
        if arguments.dry_run:
            for conversation_id in wanted:
                _print_candidate(session.conversations.get(conversation_id), conversation_id, arguments.json)
            return 0
        if not arguments.yes and not _confirmed(session, wanted, not arguments.keep_history):
            print_line("nothing was deleted")
            return 1
        result = await session.delete_conversation(
            conversation_id_list=wanted, clear_history_message=not arguments.keep_history
        )
        if result.queued:
            broke_off = "the connection broke off: what was not answered may or may not be deleted (tui-chat log)"
            raise unconfirmed(session.queue, broke_off)
        if arguments.json:
            for conversation_id in result.conversation_id_list:
                print_json({"conversationID": conversation_id, "batchID": result.batch_id})
            for failure in result.failures:
                print_json(failure)
        else:
            kept = "kept their history" if arguments.keep_history else "with their history"
            if result.conversation_id_list:
                print_line(f"{len(result.conversation_id_list)} deleted, {kept}; batch {result.batch_id}")
            if result.conversation_id_list and result.undo_seconds:
                print_line(f"for {duration(result.undo_seconds)} `tui-chat undo` brings them back")
            for failure in result.failures:
                print_line(f"{failure.conversation_id}: {failure.message}")
        return 1 if result.failures else 0


def _print_candidate(conversation: "Conversation | None", conversation_id: str, as_json: bool) -> None:
    from .output import print_answer

    if conversation is None:
        print_answer({"conversationID": conversation_id}, f"{conversation_id}  not listed", as_json=as_json)
    else:
        said = f"{conversation_id}  {conversation.name}  {_messages(conversation.message_count)}"
        print_answer(conversation, said, as_json=as_json)


def _messages(count: int) -> str:
    return f"{count:,} message{'' if count == 1 else 's'}"


def _confirmed(session: "ChatSession", wanted: list[str], clear: bool) -> bool:
    listed = [session.conversations[item] for item in wanted if item in session.conversations]
    messages = sum(item.message_count for item in listed)
    from .asking import agrees
    from .output import print_line

    for item in listed[:20]:
        print_line(f"  {item.name or item.conversation_id}  {_messages(item.message_count)}")
    if len(listed) > 20:
        print_line(f"  and {len(listed) - 20} more")
    print_line(
        f"{_messages(messages)} {'is' if messages == 1 else 'are'} erased from your account; the others keep theirs."
        if clear
        else "Only the rows go; a new message brings them back with all messages."
    )
    if not session.server.sync_conversation_deletion:
        print_line("Your other devices keep their rows and copies (this server does not sync deletions).")
    return agrees(f"Delete {len(wanted)} conversation{'s' if len(wanted) != 1 else ''}?")
