"""`tui-chat account`: what one does with one's own account: nick, password, blocking, erasing it."""

import argparse
import os
import sys
from typing import TYPE_CHECKING

from tui_chat.locale import _, ngettext

from .arguments import Commands, add_account_options, add_json_option

if TYPE_CHECKING:
    from tui_chat.client.session import ChatSession


def add(commands: Commands) -> None:
    """Declare the subcommand and its own."""
    parser = commands.add_parser("account", help="your nick, your password, whom you block; erasing the account")
    add_account_options(parser)
    add_json_option(parser)
    inner = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    nick = inner.add_parser("nick", help="change your display name")
    nick.add_argument("nick", nargs="?", metavar="NAME", help="the new one; without it you have none any more")
    password = inner.add_parser("password", help="change your password; other devices are signed out")
    password.add_argument("--keep-devices", action="store_true", help="leave them signed in")
    block = inner.add_parser("block", help="take nothing from these users any more")
    unblock = inner.add_parser("unblock", help="take messages from these users again")
    for parser in (block, unblock):
        parser.add_argument("users", nargs="+", metavar="USER", help="userID")
    blocks = inner.add_parser("blocks", help="list whom you have blocked")
    erase = inner.add_parser(
        "erase",
        help="erase your account, for good",
        description="Erase your account, for good: password, nick, devices, your side of every conversation. You leave"
        " your groups; what you wrote stays with those who have it. The name is never given out again. See"
        " `tui-chat export` first.",
    )
    erase.add_argument("--yes", action="store_true", help="do not ask")
    actions = {nick: _nick, password: _password, block: _block, unblock: _unblock, blocks: _blocks, erase: _erase}
    for command, action in actions.items():
        add_account_options(command)
        add_json_option(command)
        command.set_defaults(run=run, action=action)


def run(arguments: argparse.Namespace) -> int:
    """Ask what has to be asked, then carry out the inner command."""
    import asyncio

    from .account import act_with_session

    if arguments.action is _password:
        arguments.old_password, arguments.new_password = _passwords()
    elif arguments.action is _erase:
        arguments.old_password = _confirmed_password(arguments)
    return asyncio.run(act_with_session(arguments))


async def _nick(session: "ChatSession", arguments: argparse.Namespace) -> None:
    from .output import print_answer

    nick = await session.set_nick(arguments.nick or None)
    said = _("you are shown as {nick}").format(nick=nick or session.user_id)
    print_answer({"userID": session.user_id, "nick": nick}, said, as_json=arguments.json)


async def _password(session: "ChatSession", arguments: argparse.Namespace) -> None:
    from .output import print_answer

    count = await session.change_password(
        arguments.old_password, arguments.new_password, keep_devices=arguments.keep_devices
    )
    devices = ngettext("{count} other device is signed out", "{count} other devices are signed out", count)
    said = _("the password is changed; {devices}").format(devices=devices.format(count=count))
    print_answer({"userID": session.user_id, "devicesSignedOut": count}, said, as_json=arguments.json)


async def _block(session: "ChatSession", arguments: argparse.Namespace) -> None:
    from .output import print_answer

    for user_id in arguments.users:
        await session.block(user_id)
        said = _("{user} is blocked").format(user=user_id)
        print_answer({"userID": user_id, "blocked": True}, said, as_json=arguments.json)


async def _unblock(session: "ChatSession", arguments: argparse.Namespace) -> None:
    from .output import print_answer

    for user_id in arguments.users:
        await session.unblock(user_id)
        said = _("{user} is not blocked").format(user=user_id)
        print_answer({"userID": user_id, "blocked": False}, said, as_json=arguments.json)


async def _blocks(session: "ChatSession", arguments: argparse.Namespace) -> None:
    from .output import columns, moment, print_answer

    for one in await session.blocks():
        said = columns([moment(one.blocked_at), one.user_id, one.nick or ""], [16, 32, 0])
        print_answer(one, said, as_json=arguments.json)


async def _erase(session: "ChatSession", arguments: argparse.Namespace) -> None:
    from .output import print_answer, print_line

    await session.erase_account(arguments.old_password)
    said = _("the account {user} is erased").format(user=session.user_id)
    print_answer({"userID": session.user_id, "erased": True}, said, as_json=arguments.json)
    if not arguments.json:
        print_line(_("`tui-chat logout` removes what is stored of it on this machine"))


def _passwords() -> tuple[str, str]:
    """The old and the new one, from the environment or asked for. Raises Usage."""
    from getpass import getpass

    from .account import use_language_of_settings
    from .failures import Usage

    use_language_of_settings()
    old, new = os.environ.get("TUI_CHAT_PASSWORD"), os.environ.get("TUI_CHAT_NEW_PASSWORD")
    if not (old and new) and not sys.stdin.isatty():
        raise Usage(_("no terminal to ask on: set TUI_CHAT_PASSWORD and TUI_CHAT_NEW_PASSWORD"))
    old = old or getpass(_("Present password: "))
    if not new:
        new = getpass(_("New password: "))
        if new != getpass(_("Again: ")):
            raise Usage(_("the two passwords are not the same; nothing was done"))
    return old, new


def _confirmed_password(arguments: argparse.Namespace) -> str:
    """The password, from somebody who wants it. Raises Usage."""
    from .account import named_for_this_run, password_for, stored, use_language_of_settings
    from .asking import ask
    from .failures import Usage

    use_language_of_settings()
    named = named_for_this_run(arguments)
    user_id = stored(arguments)[2].user_id if named is None else named[1]
    if not arguments.yes:
        if not sys.stdin.isatty():
            raise Usage(_("without a terminal to ask on, erasing needs --yes"))
        if ask(_("Erase the account {user} for good? Type its name: ").format(user=user_id)) != user_id:
            raise Usage(_("that is not its name; nothing was done"))
    return arguments.password if named is not None else password_for(user_id)
