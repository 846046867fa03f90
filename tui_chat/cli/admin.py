"""`tui-chat admin`: a server's settings and invitations, for its administrator; more stands in files beside."""

import argparse
from typing import Any

from tui_chat.locale import _

from . import backup, migrate_database, moderation
from .arguments import Commands, add_account_options, add_json_option


def add(commands: Commands) -> None:
    """Declare the subcommand and its own."""
    parser = commands.add_parser("admin", help="settings, invitations, users of a server, for its administrator")
    add_account_options(parser)
    add_json_option(parser)
    inner = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    backup.add(inner)
    moderation.add(inner)
    migrate_database.add(inner)
    show = inner.add_parser("show", help="print the settings")
    change = inner.add_parser("set", help="change a setting while the server runs")
    change.add_argument(
        "setting", choices=("sync-conversation-deletion", "undo-seconds", "registration"), help="which setting"
    )
    change.add_argument("value", help="on or off; seconds from 0 to 86400; auto, open or invite")
    invite = inner.add_parser("invite", help="print an invitation for one registration")
    for command, action in ((show, _show), (change, _set), (invite, _invite)):
        add_account_options(command)
        add_json_option(command)
        command.set_defaults(run=run, action=action)


def run(arguments: argparse.Namespace) -> int:
    """Carry out the inner command."""
    import asyncio

    changes = _changes(arguments) if hasattr(arguments, "setting") else {}
    return asyncio.run(_with_session(arguments, changes))


async def _with_session(arguments: argparse.Namespace, changes: dict[str, Any]) -> int:
    from .account import session_for

    async with session_for(arguments) as session:
        await arguments.action(session, arguments, changes)
    return 0


async def _show(session: Any, arguments: argparse.Namespace, _changes: dict[str, Any]) -> None:
    _print_settings(await session.settings(), arguments.json)


async def _set(session: Any, arguments: argparse.Namespace, changes: dict[str, Any]) -> None:
    _print_settings(await session.change_settings(**changes), arguments.json)


async def _invite(session: Any, arguments: argparse.Namespace, _changes: dict[str, Any]) -> None:
    from .output import print_json, print_line

    invite = await session.invite()
    if arguments.json:
        print_json(invite)
    else:
        print_line(_("invitation: {code}").format(code=invite.invite))
        command = f"tui-chat register --server {session.credentials.server_url} --user NAME --invite {invite.invite}"
        print_line(_("it is used with: {command}").format(command=command))


def _print_settings(settings: Any, as_json: bool) -> None:
    from .output import print_json, print_line

    if as_json:
        print_json(settings)
        return
    print_line(f"sync-conversation-deletion  {'on' if settings.sync_conversation_deletion else 'off'}")
    print_line(f"undo-seconds                {settings.undo_seconds}")
    print_line(f"registration                {settings.registration}")


def _changes(arguments: argparse.Namespace) -> dict[str, Any]:
    from .failures import Usage

    match arguments.setting, arguments.value:
        case "sync-conversation-deletion", ("on" | "off") as value:
            return {"sync_conversation_deletion": value == "on"}
        case "undo-seconds", value if value.isascii() and value.isdigit():
            return {"undo_seconds": int(value)}
        case "registration", ("auto" | "open" | "invite") as value:
            return {"registration": value}
        case setting, value:
            allowed = {
                "sync-conversation-deletion": _("on or off"),
                "undo-seconds": _("seconds from 0 to 86400"),
                "registration": _("auto, open or invite"),
            }
            said = _("{setting} is {allowed}, not {value!r}")
            raise Usage(said.format(setting=setting, allowed=allowed[setting], value=value[:40]))
