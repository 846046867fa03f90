"""`tui-chat devices`: where this account is signed in."""

import argparse

from tui_chat.locale import _

from .arguments import Commands, add_account_options, add_json_option


def add(commands: Commands) -> None:
    """Declare the subcommand."""
    parser = commands.add_parser("devices", help="list the account's devices; --revoke signs one out")
    parser.add_argument("--revoke", metavar="ID", help="sign this device out")
    add_account_options(parser)
    add_json_option(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """List or revoke."""
    import asyncio

    from .failures import Usage

    if arguments.revoke == "":  # a script's empty variable: a list would look as if it had been done
        raise Usage(_("--revoke takes the ID of a device; `tui-chat devices` lists them"))

    return asyncio.run(_devices(arguments))


async def _devices(arguments: argparse.Namespace) -> int:
    from .account import session_for
    from .output import columns, moment, print_answer

    async with session_for(arguments) as session:
        if arguments.revoke:
            await session.revoke_device(arguments.revoke)
            revoked = {"deviceID": arguments.revoke, "revoked": True}
            said = _("{device} is signed out").format(device=arguments.revoke)
            print_answer(revoked, said, as_json=arguments.json)
            return 0
        for device in await session.devices():
            here = _("this one") if device.current else ""
            said = columns([device.name, moment(device.last_seen_at), here, device.device_id], [24, 16, 8, 0])
            print_answer(device, said, as_json=arguments.json)
    return 0
