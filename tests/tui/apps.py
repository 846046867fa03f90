"""Running the app in tests: what is on the screen, what was said, and waiting for a condition."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from textual._context import visible_screen_stack
from textual.pilot import Pilot

from tests.tui.fake import NOW, FakeSession
from tui_chat.tui.app import ChatApp

DEADLINE = 10.0


@asynccontextmanager
async def running(
    session: FakeSession, *, size: tuple[int, int] = (120, 40), started: bool = True, **options: Any
) -> AsyncIterator[tuple[ChatApp, Pilot[None]]]:
    """The app on a fake session, its rows gone without a flash; once that has started unless told otherwise."""
    app = ChatApp(session.as_session(), **{"clock": lambda: NOW, "flash_seconds": 0.0, **options})
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(lambda: app.started if started else app.main.whole)
        await pilot.pause()
        yield app, pilot


def text_of(app: ChatApp) -> str:
    """Every line of the screen."""
    visible_screen_stack.set(app._background_screens)  # a dialog is drawn over these, by whoever draws it
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


def said(app: ChatApp) -> list[str]:
    """The toasts that are up, oldest first."""
    return [notification.message for notification in app._notifications]


async def until(condition: Callable[[], Any], what: str = "") -> None:
    """Wait until it is so."""
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, what or "it did not come about in time"
        await asyncio.sleep(0.005)


def listed(app: ChatApp) -> list[str]:
    """The rows of the first list, from the top."""
    rows = app.main.primary.list.rows
    return [rows.key_at(index) for index in range(len(rows))]
