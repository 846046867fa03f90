"""`tui-chat` without a command: open the client."""

from __future__ import annotations

import gc
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tui_chat.locale import _

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from tui_chat.client.interface import Session
    from tui_chat.client.session import ChatSession
    from tui_chat.config import Settings
    from tui_chat.tui.app import ChatApp

PLAIN_COMMANDS = "tui-chat list | read | send | delete | undo | watch"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of the command without a subcommand."""
    from .arguments import add_account_options

    add_account_options(parser)
    parser.add_argument("--json", action="store_true", help="for the commands that have it: JSON, one object a line")


def run(arguments: argparse.Namespace) -> int:
    """Open the client on the account named, the one used last, or offer to begin.

    Raises:
        Usage: there is no terminal to draw on.
    """
    from .failures import Usage

    if arguments.json:
        raise Usage(_("--json goes with a command: tui-chat --json list"))
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        said = _("the client needs a terminal; without one there are plain commands: {commands}")
        raise Usage(said.format(commands=PLAIN_COMMANDS))
    if os.environ.get("TERM") == "dumb":
        said = _("this terminal says that it cannot be drawn on (TERM=dumb): {commands}")
        raise Usage(said.format(commands=PLAIN_COMMANDS))
    from tui_chat.config import Paths, Profiles

    from .account import named_for_this_run, settings_for_screen

    settings = settings_for_screen()
    once = named_for_this_run(arguments)
    if once is not None:
        with garbage_left_alone():
            return _open_once(*once, arguments.password, settings)
    if getattr(arguments, "profile", None) is None and not Profiles(Paths.of_user()).names():
        from .first_run import begin

        gc.enable()  # it is no client that begins, and may take its time
        return begin()
    with garbage_left_alone():
        return _open_stored(arguments, settings)


def _open_stored(arguments: argparse.Namespace, settings: Settings) -> int:
    import asyncio

    from tui_chat.client.early import resume_early
    from tui_chat.client.problems import AccountInUse
    from tui_chat.config import Paths, Profiles
    from tui_chat.tui.refusals import translated

    from .account import stored
    from .failures import OpenElsewhere

    profile, store, credentials = stored(arguments)
    paths = Paths.of_user()
    Profiles(paths).remember(profile)
    directory = paths.account_cache(credentials.server_url, credentials.user_id)

    async def opened() -> None:
        session = resume_early(
            credentials, secrets=store, cache_directory=directory, keep_messages=settings.history.keep
        )
        try:
            await show(session, settings)
        finally:
            await session.close()

    try:
        asyncio.run(opened())
    except AccountInUse as error:
        beside = f"tui-chat --server {credentials.server_url} --user {credentials.user_id}"
        said = _("{reason} `{command}` opens one more device beside it.")
        raise OpenElsewhere(said.format(reason=translated(error), command=beside)) from error
    return 0


def _open_once(server_url: str, user_id: str, password: str, settings: Settings) -> int:
    """A device for this run alone, which logs out at its end."""
    import asyncio

    from .account import device_name

    asyncio.run(_opened_once(server_url, user_id, password, device_name(settings), settings))
    return 0


async def _opened_once(server_url: str, user_id: str, password: str, device: str, settings: Settings) -> None:
    import shutil

    from tui_chat.protocol.errors import NotConnected, Unauthorized

    from .output import print_line

    session, directory = await _log_in_beside_others(server_url, user_id, password, device, settings.history.keep)
    async with session:
        try:
            await show(session, settings)
        finally:
            left = bool(session.queued or session.drafts)
            try:
                await session.log_out()
            except NotConnected:
                said = _("the server could not be told that {device} has gone: `tui-chat devices` still lists it")
                print_line(said.format(device=device))
            except Unauthorized:
                pass  # it was signed out from elsewhere, which is what was wanted
    if left:
        print_line(_("what was not sent yet, and drafts, are kept for the next run"))
    else:
        shutil.rmtree(directory, ignore_errors=True)


async def _log_in_beside_others(
    server_url: str, user_id: str, password: str, device: str, keep_messages: int
) -> tuple[ChatSession, Path]:
    """The first cache that no other run of this account holds, so that what an earlier run left queued is found again.

    Several such runs may stand beside each other, one a terminal; each is a device of its own.
    """
    from tui_chat.client.problems import AccountInUse
    from tui_chat.client.session import ChatSession
    from tui_chat.config import Paths

    account = Paths.of_user().account_cache(server_url, user_id)
    number = 1
    while True:
        directory = account.with_name(f"{account.name}-run-{number}")
        try:
            session = await ChatSession.log_in(
                server_url,
                user_id,
                password,
                device_name=device,
                cache_directory=directory,
                keep_messages=keep_messages,
            )
        except AccountInUse:
            number += 1
        else:
            return session, directory


async def show(session: Session, settings: Settings) -> None:
    """Run the screen on a session until the person quits."""
    from tui_chat.tui.app import ChatApp

    await run_screen(ChatApp(session, settings=settings, **screen_options()), settings)


def screen_options() -> dict[str, Any]:
    """What the app has to know of this machine: the terminal's encoding, files, and what is wrong in the settings."""
    from tui_chat.config import Paths
    from tui_chat.settings_file import read_leniently

    from .terminal import drawn_encoding

    paths = Paths.of_user()
    return {
        "encoding": drawn_encoding(),
        "settings_file": paths.settings_file,
        "styles_file": paths.cache / "styles",
        "faults": len(read_leniently(paths.settings_file).faults),
    }


async def run_screen(app: ChatApp, settings: Settings) -> None:
    """Run an app until the person quits, or the machine asks for it: the terminal is left as it was found.

    Raises:
        ChatError: what the screen was to show could not be opened.
        Exception: what should not have happened; nothing of it was drawn.
    """
    import asyncio
    import signal

    from tui_chat.tui.drawing import SWITCH

    loop = asyncio.get_running_loop()
    for asked in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(asked, app.exit)
    app.settled = _keep_what_is_there
    sys.setswitchinterval(SWITCH)
    if isinstance(sys.__stderr__, io.TextIOWrapper):
        # Letters that the terminal's encoding has not, in names and messages: a question mark, not an escape in ASCII.
        sys.__stderr__.reconfigure(errors="replace")
    await app.run_async(mouse=settings.screen.mouse)
    if app.crash is not None:
        raise app.crash
    if app.failure is not None:
        raise app.failure


@contextmanager
def garbage_left_alone() -> Iterator[None]:
    """While a screen is loaded, its modules stay: to look through them again and again takes a fifth of the start."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _keep_what_is_there() -> None:
    """From now on only what is made from now on is looked through; all else stays to the end. Left to the collector it
    costs pauses of 60 to 100 ms in scrolling. All of what is made from now on takes 20 to 40, and is looked through
    seldom: nearly all that the collector has to find is found while it is young."""
    gc.freeze()
    gc.set_threshold(2_000, 20, 100)
    gc.enable()
