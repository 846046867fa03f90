"""`tui-chat admin users`, `remove-user`, `promote`, `demote`, `remove-message`, `audit`: people and what they wrote."""

import argparse
import sys
from typing import TYPE_CHECKING, Any

from tui_chat.locale import _, ngettext

from .arguments import Commands, add_account_options, add_json_option, from_one

if TYPE_CHECKING:
    from tui_chat.client.session import ChatSession


def add(commands: Commands) -> None:
    """Declare them, among the administrator's commands."""
    users = commands.add_parser("users", help="list the server's accounts")
    users.add_argument("begin", nargs="?", default="", metavar="NAME", help="how the userID or nick begins")
    remove = commands.add_parser(
        "remove-user",
        help="erase somebody's account, for good",
        description="Erase somebody's account, for good: their password, nick, devices and their side of every"
        " conversation. They leave their groups; what they wrote stays with those who have it (see remove-message).",
    )
    remove.add_argument("whom", metavar="USER", help="userID")
    remove.add_argument("--yes", action="store_true", help="do not ask")
    promote = commands.add_parser("promote", help="make somebody an administrator")
    demote = commands.add_parser("demote", help="make somebody no longer an administrator")
    for parser in (promote, demote):
        parser.add_argument("whom", metavar="USER", help="userID")
    message = commands.add_parser(
        "remove-message",
        help="take the text of a message from everybody",
        description="Take the text of a message from everybody. It stands there as recalled by you.",
    )
    message.add_argument("conversation", metavar="ID", help="GROUPubuntu; of two people C2Calice:bob")
    message.add_argument("message_seq", metavar="NUMBER", type=int, help="its number, as in `read --json`")
    audit = commands.add_parser("audit", help="list what administrators did, the newest first")
    audit.add_argument("--count", type=from_one, default=50, metavar="N", help="how many at most (50)")
    actions = {
        users: _users,
        remove: _remove_user,
        promote: _promote,
        demote: _demote,
        message: _remove_message,
        audit: _audit,
    }
    for command, action in actions.items():
        add_account_options(command)
        add_json_option(command)
        command.set_defaults(run=run, action=action)


def run(arguments: argparse.Namespace) -> int:
    """Carry out the command."""
    import asyncio

    from .account import act_with_session, use_language_of_settings
    from .asking import ask
    from .failures import Usage

    use_language_of_settings()
    if arguments.action is _remove_user and not arguments.yes:
        if not sys.stdin.isatty():
            raise Usage(_("without a terminal to ask on, removing a user needs --yes"))
        question = _("Erase the account {user} for good? Type its name: ").format(user=arguments.whom)
        if ask(question) != arguments.whom:
            raise Usage(_("that is not its name; nothing was done"))
    return asyncio.run(act_with_session(arguments))


async def _users(session: "ChatSession", arguments: argparse.Namespace) -> None:
    from .output import columns, moment, print_answer

    for one in await session.accounts(arguments.begin):
        devices = ngettext("{count} device", "{count} devices", one.device_count).format(count=one.device_count)
        what = _("administrator") if one.administrator else ""
        cells = [one.user_id, moment(one.last_seen_at or 0), devices, what, one.nick or ""]
        print_answer(one, columns(cells, [32, 16, 12, 14, 0]), as_json=arguments.json)


async def _remove_user(session: "ChatSession", arguments: argparse.Namespace) -> None:

    await session.remove_user(arguments.whom)
    _done(arguments, _("the account {user} is erased").format(user=arguments.whom), userID=arguments.whom)


async def _promote(session: "ChatSession", arguments: argparse.Namespace) -> None:

    row = await session.set_administrator(arguments.whom, True)
    _done(arguments, _("{user} is an administrator").format(user=row.user_id), row)


async def _demote(session: "ChatSession", arguments: argparse.Namespace) -> None:

    row = await session.set_administrator(arguments.whom, False)
    _done(arguments, _("{user} is no administrator").format(user=row.user_id), row)


async def _remove_message(session: "ChatSession", arguments: argparse.Namespace) -> None:

    await session.remove_message(arguments.conversation, arguments.message_seq)
    said = _("message {number} of {conversation} is removed")
    said = said.format(number=arguments.message_seq, conversation=arguments.conversation)
    _done(arguments, said, conversationID=arguments.conversation, messageSeq=arguments.message_seq)


async def _audit(session: "ChatSession", arguments: argparse.Namespace) -> None:
    from .output import columns, moment, print_answer

    for one in await session.audit(arguments.count):
        details = ", ".join(f"{name} {_shown(value)}" for name, value in one.details.items())
        what = " ".join(word for word in (one.what, one.whom, details) if word)
        said = columns([moment(one.time), one.administrator, one.device_name, what], [16, 16, 16, 0])
        print_answer(one, said, as_json=arguments.json)


def _shown(value: object) -> str:
    """A value as `admin set` takes it."""
    return str(value) if not isinstance(value, bool) else "on" if value else "off"


def _done(arguments: argparse.Namespace, said: str, row: Any = None, **facts: Any) -> None:
    from .output import print_answer

    print_answer(facts if row is None else row, said, as_json=arguments.json)
