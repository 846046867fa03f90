"""`tui-chat demo`: real conversations on a server of its own, to try everything on."""

import argparse
from typing import TYPE_CHECKING, Any

from tui_chat.locale import _

from .arguments import Commands, add_debug_option

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from tui_chat.client.early import HeadView
    from tui_chat.client.interface import Session
    from tui_chat.config import Settings
    from tui_chat.demo.files import Files
    from tui_chat.demo.run import RunningDemo
    from tui_chat.tui.app import ChatApp
    from tui_chat.tui.safe import Safe


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
        raise Usage(_("--join and --reset exclude each other"))
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        said = _("the demo needs a terminal; without one there are plain commands: {commands}")
        raise Usage(said.format(commands=PLAIN_COMMANDS))
    with garbage_left_alone():
        asyncio.run(_demo(settings_for_screen(), join=arguments.join, reset=arguments.reset))
    return 0


async def _demo(settings: "Settings", *, join: bool, reset: bool) -> None:
    import asyncio

    from tui_chat.config import Paths
    from tui_chat.demo.files import Files
    from tui_chat.demo.run import start

    files = Files(Paths.of_user().demo_data)
    fresh = reset or not files.filled
    starting = asyncio.create_task(start(files.directory, reset=reset, join=True if join else None))
    await asyncio.sleep(0)
    # The server comes up in a process of its own; what the screen needs is loaded meanwhile.
    await asyncio.to_thread(_load_screen)
    try:
        if starting.done() or join:
            await _show(await starting, settings)
        elif fresh:
            await _show_while_filling(starting, settings)
        else:
            await _show_while_starting(starting, files, settings)
    finally:
        starting.cancel()  # whoever quits before the server has come does not wait for it
        await asyncio.wait([starting])
        if not starting.cancelled() and starting.exception() is None:
            await starting.result().close()


async def _show(demo: "RunningDemo", settings: "Settings") -> None:
    """The screen on this program's device."""
    from tui_chat.client.session import ChatSession

    from .open_client import run_screen

    session = ChatSession.resume(demo.credentials, cache_directory=demo.cache_directory)
    async with session:
        await session.start()
        await run_screen(_screen(session, lambda: demo, settings, coach=demo.coach, joined=demo.joined), settings)


async def _show_while_filling(starting: "asyncio.Task[RunningDemo]", settings: "Settings") -> None:
    """The screen at once: with the rows as they will be, until the server has them."""
    from tui_chat.demo.preview import preview
    from tui_chat.tui.safe import own

    saying = own(_("filling the demo with conversations, once…"))
    await _show_early(preview(), starting, settings, coach=True, current=True, waits_for=saying)


async def _show_while_starting(starting: "asyncio.Task[RunningDemo]", files: "Files", settings: "Settings") -> None:
    """The screen at once, with the rows of the first device, which nobody has while no server runs; where it did not
    end as it should, once the server has come."""
    from tui_chat.client.early import known
    from tui_chat.demo.preview import first_device
    from tui_chat.tui.safe import own

    device = first_device()
    view = known(device, cache_directory=files.cache(device.device_name))
    if view is None:
        await _show(await starting, settings)
    else:
        saying = own(_("starting the demo's server…"))
        await _show_early(view, starting, settings, coach=not files.coached, waits_for=saying)


async def _show_early(
    view: "HeadView",
    starting: "asyncio.Task[RunningDemo]",
    settings: "Settings",
    *,
    coach: bool,
    current: bool = False,
    waits_for: "Safe",
) -> None:
    """`current`: the view stays until what the server has is read; otherwise until the cache is."""
    import asyncio
    from typing import cast

    from tui_chat.client.early import EarlySession
    from tui_chat.client.interface import Session
    from tui_chat.client.session import ChatSession
    from tui_chat.demo.run import CannotRunDemo
    from tui_chat.protocol.errors import ChatError

    from .open_client import run_screen

    async def opened() -> Session:
        try:
            demo = await asyncio.shield(starting)
        except CannotRunDemo as error:
            raise ChatError(str(error)) from error
        except asyncio.CancelledError:
            if starting.cancelled():
                raise ChatError("whoever was to look at the demo has gone") from None
            raise
        session = await ChatSession.resume_beside(demo.credentials, cache_directory=demo.cache_directory)
        try:
            if current:
                await session.wait_until_current()
        except BaseException:
            await session.close()
            raise
        return session

    # What it does not have itself it takes from whichever session stands behind it, which no checker sees.
    session = cast("Session", EarlySession(view, opened))
    try:
        await run_screen(_screen(session, starting.result, settings, coach=coach, waits_for=waits_for), settings)
    finally:
        starting.cancel()
        await session.close()


def _screen(
    session: "Session", demo: "Callable[[], RunningDemo]", settings: "Settings", *, coach: bool, **said: Any
) -> "ChatApp":
    """`demo`: asked once the session has started."""
    from tui_chat.client.session import ChatSession
    from tui_chat.tui.app import ChatApp

    from .open_client import screen_options

    async def second() -> ChatSession:
        device = await demo().another_device()
        beside = ChatSession.resume(device.credentials, cache_directory=device.cache_directory)
        await beside.start()
        return beside

    async def nudge(user_id: str) -> bool:
        return await demo().nudge(user_id)

    return ChatApp(
        session,
        settings=settings,
        second=second,
        coach=coach,
        coach_ended=lambda: demo().end_coach(),
        nudge=nudge,
        demo=True,
        **said,
        **screen_options(),
    )


def _load_screen() -> None:
    import tui_chat.client.session
    import tui_chat.tui.app  # noqa: F401
