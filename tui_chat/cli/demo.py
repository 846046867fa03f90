"""`tui-chat demo`: real conversations on a server of its own, to try everything on."""

import argparse
from typing import TYPE_CHECKING

from .arguments import Commands, add_debug_option

if TYPE_CHECKING:
    from tui_chat.config import Settings


def add(commands: Commands) -> None:
    """Declare the subcommand."""
    parser = commands.add_parser(
        "demo",
        help="try it: real conversations on this machine alone",
        description="Start a server on this machine with real conversations and people who go on talking, and open the "
        "client on it. A second `tui-chat demo` joins as another device of the same account.",
    )
    parser.add_argument("--join", action="store_true", help="only join a demo that runs already")
    parser.add_argument("--reset", action="store_true", help="start over with fresh conversations")
    add_debug_option(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Open the demo.

    Raises:
        Usage: there is no terminal to draw on.
    """
    import asyncio
    import sys

    from .account import settings_for_screen
    from .failures import Usage
    from .open_client import PLAIN_COMMANDS, garbage_left_alone

    if arguments.join and arguments.reset:
        raise Usage("--join and --reset exclude each other")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Usage(f"the demo needs a terminal; without one there are plain commands: {PLAIN_COMMANDS}")
    with garbage_left_alone():
        asyncio.run(_demo(settings_for_screen(), join=arguments.join, reset=arguments.reset))
    return 0


async def _demo(settings: "Settings", *, join: bool, reset: bool) -> None:
    import asyncio

    from tui_chat.config import Paths
    from tui_chat.demo.run import Device, start

    from .open_client import run_screen, screen_options

    starting = asyncio.create_task(start(Paths.of_user().demo_data, reset=reset, join=True if join else None))
    await asyncio.sleep(0)
    # The server comes up in a process of its own; what the screen needs is loaded meanwhile.
    await asyncio.to_thread(_load_screen)
    from tui_chat.client.session import ChatSession
    from tui_chat.tui.app import ChatApp

    async def opened(device: "Device") -> ChatSession:
        session = ChatSession.resume(device.credentials, cache_directory=device.cache_directory)
        await session.start()
        return session

    async with await starting as demo:

        async def second() -> ChatSession:
            return await opened(await demo.another_device())

        async with await opened(Device(demo.credentials, demo.cache_directory)) as session:
            app = ChatApp(
                session,
                settings=settings,
                second=second,
                coach=demo.coach,
                coach_ended=demo.end_coach,
                nudge=demo.nudge,
                demo=True,
                joined=demo.joined,
                **screen_options(),
            )
            await run_screen(app, settings)


def _load_screen() -> None:
    import tui_chat.client.session
    import tui_chat.tui.app  # noqa: F401
