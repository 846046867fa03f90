"""`tui-chat flag`: mark conversations as read or unread, pin and mute them."""

import argparse
from typing import TYPE_CHECKING, Any, Final

from tui_chat.locale import N_, _

from .arguments import NAMES, Commands, add_account_options, add_json_option, add_match_option

if TYPE_CHECKING:
    from tui_chat.client.session import ChatSession
    from tui_chat.protocol.requests import ItemFailure

READ: Final = N_("read")
FLAGS: Final[dict[str, tuple[str, dict[str, bool]]]] = {
    N_("unread"): ("flag them as unread", {"marked_unread": True}),
    N_("pin"): ("to the top of the list", {"pinned": True}),
    N_("unpin"): ("no longer at the top", {"pinned": False}),
    N_("mute"): ("no notifications of them", {"muted": True}),
    N_("unmute"): ("notifications of them again", {"muted": False}),
}


def add(commands: Commands) -> None:
    """Declare the subcommand."""
    parser = commands.add_parser("flag", help="mark conversations as read or unread, pin or mute them")
    parser.add_argument("conversations", nargs="*", metavar="NAME|ID", help=NAMES)
    add_match_option(parser)
    wished = parser.add_mutually_exclusive_group(required=True)
    wished.add_argument("--read", dest="flag", action="store_const", const=READ, help="everything in them is read")
    for name, (help_, _flags) in FLAGS.items():
        wished.add_argument(f"--{name}", dest="flag", action="store_const", const=name, help=help_)
    add_account_options(parser)
    add_json_option(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Change them, and say which."""
    import asyncio

    from .matching import read_choice

    read_choice(arguments, _("say which conversations: names or IDs, or --match QUERY"))
    return asyncio.run(_flag(arguments))


async def _flag(arguments: argparse.Namespace) -> int:
    from tui_chat.tui.refusals import refusal

    from .account import say_who_did_it, session_for
    from .failures import unconfirmed
    from .matching import chosen
    from .output import print_answer

    async with session_for(arguments) as session:
        wanted = chosen(session, arguments)
        failures = await _change(session, wanted, arguments.flag)
        if session.queued:
            broke_off = _("the connection broke off: what was not answered may or may not be done (tui-chat list)")
            raise unconfirmed(session.queue, broke_off)
        if len(failures) < len(wanted):
            say_who_did_it(session, arguments)
        refused = {one.conversation_id for one in failures}
        for conversation_id in wanted:
            if conversation_id in refused:
                continue
            said = f"{conversation_id}: {_(arguments.flag)}"
            print_answer(session.conversations[conversation_id], said, as_json=arguments.json)
        for failure in failures:
            print_answer(failure, f"{failure.conversation_id}: {refusal(failure)}", as_json=arguments.json)
        return 1 if failures else 0


async def _change(session: "ChatSession", wanted: list[str], flag: str) -> "list[ItemFailure]":
    """Do it with those that are listed; the others fail."""
    from tui_chat.protocol.errors import ConversationNotFound
    from tui_chat.protocol.requests import ItemFailure

    listed = [one for one in wanted if one in session.conversations]
    missing = ConversationNotFound()
    failures = [
        ItemFailure(conversation_id=one, code=missing.code, message=str(missing)) for one in wanted if one not in listed
    ]
    if flag == READ:
        for one in listed:
            await session.mark_read(one)
    elif listed:
        values: dict[str, Any] = FLAGS[flag][1]
        failures += await session.set_flags(listed, **values)
    return failures
