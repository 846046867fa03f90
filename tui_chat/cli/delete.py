"""`tui-chat delete`: delete conversations."""

import argparse
from typing import TYPE_CHECKING

from tui_chat.locale import _, ngettext

from .arguments import NAMES, Commands, add_account_options, add_json_option, add_match_option

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
    parser.add_argument("conversations", nargs="*", metavar="NAME|ID", help=NAMES)
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
    from contextlib import nullcontext

    from .asking import answers_from_terminal
    from .failures import Usage
    from .from_input import DASH
    from .matching import read_choice

    asks = not (arguments.yes or arguments.dry_run)
    piped = DASH in arguments.conversations
    read_choice(arguments, _("say what to delete: names or IDs, or --match QUERY"))
    with answers_from_terminal() if asks and piped else nullcontext():
        if asks and not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise Usage(_("without a terminal to ask on, deleting needs --yes (or --dry-run to see what would go)"))
        return asyncio.run(_delete(arguments))


async def _delete(arguments: argparse.Namespace) -> int:
    from tui_chat.locale.durations import duration
    from tui_chat.tui.refusals import refusal

    from .account import one_of_several, say_who_did_it, session_for
    from .failures import unconfirmed
    from .matching import chosen
    from .output import print_json, print_line

    async with session_for(arguments) as session:
        wanted = chosen(session, arguments)
        if not wanted:
            if not arguments.json:
                print_line(_("no conversation matches; nothing was deleted"))
            return 0
        if arguments.dry_run:
            for conversation_id in wanted:
                _print_candidate(session.conversations.get(conversation_id), conversation_id, arguments.json)
            return 0
        if not arguments.yes and not _confirmed(
            session, wanted, not arguments.keep_history, named=one_of_several(arguments)
        ):
            print_line(_("nothing was deleted"))
            return 1
        result = await session.delete_conversation(
            conversation_id_list=wanted, clear_history_message=not arguments.keep_history
        )
        if result.queued:
            broke_off = _("the connection broke off: what was not answered may or may not be deleted (tui-chat log)")
            raise unconfirmed(session.queue, broke_off)
        if arguments.yes and result.conversation_id_list:
            say_who_did_it(session, arguments)
        if arguments.json:
            for conversation_id in result.conversation_id_list:
                print_json({"conversationID": conversation_id, "batchID": result.batch_id})
            for failure in result.failures:
                print_json(failure)
        else:
            if result.conversation_id_list:
                count = len(result.conversation_id_list)
                said = (
                    ngettext(
                        "{count} deleted, kept its history; batch {batch}",
                        "{count} deleted, kept their history; batch {batch}",
                        count,
                    )
                    if arguments.keep_history
                    else ngettext(
                        "{count} deleted, with its history; batch {batch}",
                        "{count} deleted, with their history; batch {batch}",
                        count,
                    )
                )
                print_line(said.format(count=count, batch=result.batch_id))
            if result.conversation_id_list and result.undo_seconds:
                time = duration(result.undo_seconds)
                back = ngettext(
                    "for {time} `tui-chat undo` brings it back",
                    "for {time} `tui-chat undo` brings them back",
                    len(result.conversation_id_list),
                )
                print_line(back.format(time=time))
            for failure in result.failures:
                print_line(f"{failure.conversation_id}: {refusal(failure)}")
        return 1 if result.failures else 0


def _print_candidate(conversation: "Conversation | None", conversation_id: str, as_json: bool) -> None:
    from .output import print_answer

    if conversation is None:
        print_answer({"conversationID": conversation_id}, f"{conversation_id}  {_('not listed')}", as_json=as_json)
    else:
        said = f"{conversation_id}  {conversation.name}  {_messages(conversation.message_count)}"
        print_answer(conversation, said, as_json=as_json)


def _messages(count: int) -> str:
    return ngettext("{count:,} message", "{count:,} messages", count).format(count=count)


def _confirmed(session: "ChatSession", wanted: list[str], clear: bool, *, named: bool) -> bool:
    """Show what would go and ask; `named`: the question says whose they are."""
    listed = [session.conversations[item] for item in wanted if item in session.conversations]
    messages = sum(item.message_count for item in listed)
    from .asking import agrees
    from .output import print_line

    for item in listed[:20]:
        print_line(f"  {item.name or item.conversation_id}  {_messages(item.message_count)}")
    if len(listed) > 20:
        print_line("  " + _("and {count} more").format(count=len(listed) - 20))
    print_line(
        ngettext(
            "{count:,} message is erased from your account; the others keep theirs.",
            "{count:,} messages are erased from your account; the others keep theirs.",
            messages,
        ).format(count=messages)
        if clear
        else ngettext(
            "Only the row goes; a new message brings it back with all messages.",
            "Only the rows go; a new message brings them back with all messages.",
            len(wanted),
        )
    )
    if not session.server.sync_conversation_deletion:
        print_line(
            ngettext(
                "Your other devices keep the row and their copy (this server does not sync deletions).",
                "Your other devices keep the rows and their copies (this server does not sync deletions).",
                len(wanted),
            )
        )
    question = (
        ngettext(
            "Delete {count} conversation of {user} at {server}?",
            "Delete {count} conversations of {user} at {server}?",
            len(wanted),
        )
        if named
        else ngettext("Delete {count} conversation?", "Delete {count} conversations?", len(wanted))
    )
    server = session.credentials.server_url
    return agrees(question.format(count=len(wanted), user=session.user_id, server=server))
