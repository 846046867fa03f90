"""Make the README's screenshots from the real program: a demo in a scratch directory, its screen, real keys.

python assets/make_screenshots.py [--output assets/screenshots]
"""

import argparse
import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot

from tui_chat.client.session import ChatSession
from tui_chat.demo.run import Device, RunningDemo, start
from tui_chat.locale import use_language
from tui_chat.protocol.ids import c2c
from tui_chat.tui.app import ChatApp
from tui_chat.tui.welcome import Welcome

WIDE = (120, 34)
NARROW = (80, 24)
CHINESE = (110, 26)
LOW = (80, 14)
DEADLINE_SECONDS = 30.0


async def opened(device: Device) -> ChatSession:
    """A session on one of the demo's devices, in step with the server."""
    session = ChatSession.resume(device.credentials, cache_directory=device.cache_directory)
    await session.start()
    await session.wait_until_current()
    return session


async def until(pilot: Pilot[None], true: Callable[[], bool]) -> None:
    """Let the program go on until something is true of it."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not true():
            await pilot.pause(0.05)
    await pilot.pause(0.1)


def save(app: ChatApp | Welcome, path: Path) -> None:
    """Write what is on the screen, byte for byte the same for the same screen but for the clip's random name."""
    path.write_text(app.export_screenshot(title="tui-chat"), "utf-8")
    print(path)


async def wide(demo: RunningDemo, output: Path) -> None:
    """Marks, the dialog, a deletion on two devices, and the sweep."""

    async def second() -> ChatSession:
        return await opened(await demo.another_device())

    async with await opened(Device(demo.credentials, demo.cache_directory)) as session:
        app = ChatApp(session, second=second, demo=True)
        async with app.run_test(size=WIDE) as pilot:
            await until(pilot, lambda: len(session.conversations) > 300)
            await pilot.press(*["down"] * 4, "enter")
            await pilot.pause(1)
            await pilot.press("escape", "escape", "down", *["space"] * 3, "down", "space")
            await pilot.pause(0.5)
            save(app, output / "marked.svg")
            await pilot.press("d")
            await pilot.pause(0.5)
            save(app, output / "confirm.svg")
            await pilot.press("escape", "f2")
            await until(pilot, lambda: app.main.second is not None)
            await pilot.pause(1)
            before = len(session.conversations)
            await pilot.press("d", "y")
            await until(pilot, lambda: len(session.conversations) < before)
            await pilot.pause(1)
            save(app, output / "two-devices.svg")
            await pilot.press("u")
            await until(pilot, lambda: len(session.conversations) >= before)
            await pilot.press("f2")
            await until(pilot, lambda: app.main.second is None)
            await pilot.press("S", "space")
            await pilot.pause(0.5)
            app.clear_notifications()
            await pilot.pause(0.5)
            save(app, output / "sweep.svg")


async def narrow(demo: RunningDemo, output: Path) -> None:
    """A conversation where one pane shows at a time."""
    async with await opened(await demo.another_device()) as session:
        app = ChatApp(session, demo=True)
        async with app.run_test(size=NARROW) as pilot:
            await until(pilot, lambda: c2c("bob") in session.conversations)
            await pilot.pause(0.5)
            save(app, output / "narrow-list.svg")
            await pilot.press("enter")
            await pilot.pause(1)
            save(app, output / "narrow-conversation.svg")


async def beginning(output: Path) -> None:
    """What somebody sees who has no account yet."""

    async def nowhere(_wanted: object) -> str | None:
        return None

    app = Welcome(connect=nowhere, serve=nowhere, fault=lambda _server: None, doubt=lambda _server: None)
    async with app.run_test(size=LOW) as pilot:
        await pilot.pause(0.5)
        save(app, output / "beginning.svg")


async def chinese(demo: RunningDemo, output: Path) -> None:
    """The dialog and the list in Chinese."""
    use_language("zh_CN")
    async with await opened(await demo.another_device()) as session:
        app = ChatApp(session, demo=True)
        async with app.run_test(size=CHINESE) as pilot:
            await until(pilot, lambda: c2c("bob") in session.conversations)
            await pilot.press("down", *["space"] * 3, "d")
            await until(pilot, lambda: app.device.deleter.dialog is not None)
            await pilot.pause(0.5)
            save(app, output / "chinese.svg")
    use_language("en")


async def make(output: Path) -> None:
    """All of them, in a demo that nobody else sees."""
    with tempfile.TemporaryDirectory() as scratch:
        async with await start(Path(scratch) / "demo") as demo:
            await beginning(output)
            await wide(demo, output)
            await narrow(demo, output)
            await chinese(demo, output)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "screenshots")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    use_language("en")
    asyncio.run(make(arguments.output))
