"""`tui-chat login`, `register`, `logout`: store an account on this machine, make one, forget it."""

import argparse
from contextlib import suppress
from typing import TYPE_CHECKING

from tui_chat.locale import _

from .arguments import Commands, add_debug_option, add_json_option

if TYPE_CHECKING:
    from tui_chat.client.session import ChatSession


def add(commands: Commands) -> None:
    """Declare the three subcommands."""
    for name, says, action in (
        ("login", "sign in and store the account", _log_in),
        ("register", "make an account, sign in and store it", _register),
    ):
        parser = commands.add_parser(name, help=says)
        parser.add_argument("--server", metavar="URL", required=True, help="like https://chat.example.org")
        parser.add_argument("--user", metavar="NAME", required=True, help="userID")
        parser.add_argument("--profile", metavar="NAME", help="store it under this name (the userID by default)")
        parser.add_argument("--device-name", metavar="NAME", help="what your other devices call this one")
        if name == "register":
            parser.add_argument("--nick", metavar="NAME", help="display name")
            parser.add_argument("--invite", metavar="CODE", help="the invitation, where one is needed")
        add_debug_option(parser)
        add_json_option(parser)
        parser.set_defaults(run=run, action=action, new_password=name == "register")
    parser = commands.add_parser("logout", help="sign out and forget the stored account")
    parser.add_argument("--profile", metavar="NAME", default=argparse.SUPPRESS, help="a stored account")
    add_debug_option(parser)
    add_json_option(parser)
    parser.set_defaults(run=run, action=_log_out)


def run(arguments: argparse.Namespace) -> int:
    """Carry out one of the three."""
    import asyncio

    from tui_chat.config import Paths, Profiles

    if arguments.action is not _log_out and arguments.profile is not None:
        Profiles(Paths.of_user()).file(arguments.profile)  # a name that is none is said before a device is made
    code: int = asyncio.run(arguments.action(arguments))
    return code


def _address(text: str) -> str:
    """The server's address, with a warning where it is not encrypted. Raises Usage."""
    from .account import server_url, warn_of_plain_http

    url = server_url(text)
    warn_of_plain_http(url)
    return url


async def _log_in(arguments: argparse.Namespace) -> int:
    from tui_chat.client.session import ChatSession

    from .account import device_name, reaching, use_language_of_settings

    settings = use_language_of_settings()
    server = _address(arguments.server)
    with reaching(server):
        session = await ChatSession.log_in(
            server, arguments.user, arguments.password, device_name=arguments.device_name or device_name(settings)
        )
    return await _store(session, arguments)


async def _register(arguments: argparse.Namespace) -> int:
    from tui_chat.client.session import ChatSession

    from .account import device_name, reaching, use_language_of_settings

    settings = use_language_of_settings()
    server = _address(arguments.server)
    with reaching(server):
        session = await ChatSession.register(
            server,
            arguments.user,
            arguments.password,
            device_name=arguments.device_name or device_name(settings),
            nick=arguments.nick,
            invite=arguments.invite,
        )
    try:
        return await _store(session, arguments)
    except OSError as error:
        made = _("the account {user} is made, and `tui-chat login` signs in once this is mended")
        made = made.format(user=session.user_id)
        raise OSError(error.errno, f"{error.strerror} ({made})", error.filename) from error


async def _store(session: "ChatSession", arguments: argparse.Namespace) -> int:
    from tui_chat.config import Paths, Profiles
    from tui_chat.protocol.errors import ChatError

    from .account import CredentialFile
    from .output import print_json, print_line

    async with session:
        profiles = Profiles(Paths.of_user())
        name = arguments.profile or session.user_id
        store = CredentialFile(profiles.file(name))
        try:
            store.write(session.credentials)
        except OSError:
            with suppress(ChatError):
                await session.log_out()  # a device that nobody could use would stay in the list
            raise
        profiles.remember(name)
    if arguments.json:
        who = {"userID": session.user_id, "deviceID": session.device_id, "deviceName": session.device_name}
        print_json({**who, "profile": name, "file": str(store.path)})
        return 0
    said = _("signed in as {user} on {device}; stored as profile {profile}")
    print_line(said.format(user=session.user_id, device=session.device_name, profile=name))
    print_line(_("the tokens are in {path}, readable by you alone").format(path=store.path))
    return 0


async def _log_out(arguments: argparse.Namespace) -> int:
    import shutil

    from tui_chat.client.session import ChatSession
    from tui_chat.config import Paths
    from tui_chat.protocol.errors import ChatError
    from tui_chat.tui.refusals import refusal

    from .account import stored
    from .output import print_json, print_line

    profile, store, credentials = stored(arguments)
    refused: ChatError | None = None
    async with ChatSession.resume(credentials) as session:
        try:
            await session.log_out()
        except ChatError as error:
            # The account is forgotten here all the same: that is what was asked for.
            refused = error
    store.remove()
    cache = Paths.of_user().account_cache(credentials.server_url, credentials.user_id)
    shutil.rmtree(cache, ignore_errors=True)
    if arguments.json:
        who = {"profile": profile, "userID": credentials.user_id, "deviceID": credentials.device_id}
        untold = {} if refused is None else {"failure": {"code": refused.code, "message": str(refused)}}
        print_json({**who, "signedOut": refused is None, **untold})
        return 0
    said = _("signed out; profile {profile} and what was cached for it are gone").format(profile=profile)
    if refused is not None:
        said += _(" (the server could not be told: {reason})").format(reason=refusal(refused))
    print_line(said)
    return 0
