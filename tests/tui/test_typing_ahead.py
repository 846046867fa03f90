"""What is typed in one burst, as a slow line delivers it, reaches what its first key opens; none of it is a command."""

import asyncio
import time
from collections.abc import Callable

import pytest
from textual import events
from textual.message_pump import MessagePump
from textual.widgets import Input

from tests.tui.apps import listed, running, until
from tests.tui.fake import FakeSession
from tui_chat.tui import typing_ahead
from tui_chat.tui.app import ChatApp


def burst(app: ChatApp, *keys: str) -> None:
    """All of them before the screen has done anything about the first."""
    for key in keys:
        app.post_message(events.Key(key, key if len(key) == 1 else {"enter": "\r", "slash": "/"}.get(key)))


def in_a_field(app: ChatApp) -> str | None:
    """What stands in the text field that has the focus."""
    return app.focused.value if isinstance(app.focused, Input) else None


def in_the_composer(app: ChatApp) -> str | None:
    """What stands in the composer."""
    return app.main.conversation.composer.text


@pytest.mark.parametrize(
    ("opener", "written"),
    [
        ("slash", in_a_field),
        ("T", in_a_field),
        ("c", in_a_field),
        ("ctrl+g", in_a_field),
        ("ctrl+f", in_a_field),
        ("enter", in_the_composer),
        ("i", in_the_composer),
    ],
)
async def test_what_follows_in_one_burst_is_typed(opener: str, written: Callable[[ChatApp], str | None]) -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        there = list(session.conversations)
        if opener == "i":
            await pilot.press("enter")
            await until(lambda: app.main.conversation.composer.has_focus)
            await pilot.press("escape", "escape")
            await until(lambda: app.main.primary.list.has_focus)
        burst(app, opener, *"dylan yu")
        await until(lambda: written(app) == "dylan yu", f"typed: {written(app)!r}")
        done = [name for name, _what in session.calls if name not in ("history", "read", "typing")]
        assert done == [], done
        assert list(session.conversations) == there


async def test_a_dialog_gets_the_keys_that_follow_the_one_that_opens_it() -> None:
    session = FakeSession()
    async with running(session) as (app, _pilot):
        first, second = listed(app)[:2]
        burst(app, "d", "n", "j", "d", "y")
        await until(lambda: second not in listed(app))
        assert first in listed(app), "n left it as it was"


async def test_a_machine_that_stands_still_has_no_key_overtake_what_the_one_before_it_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(typing_ahead, "LONGEST_WAIT", 0.05)
    session = FakeSession()
    async with running(session) as (app, _pilot):
        caught_up = typing_ahead._caught_up

        async def slowly(pump: MessagePump) -> None:
            asyncio.get_running_loop().call_soon(time.sleep, 0.06)
            await caught_up(pump)

        monkeypatch.setattr(typing_ahead, "_caught_up", slowly)
        burst(app, "ctrl+g", *"dy")
        await until(lambda: in_a_field(app) == "dy", f"typed: {in_a_field(app)!r}")


async def test_no_key_is_held_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typing_ahead, "LONGEST_WAIT", 0.05)
    session = FakeSession()
    async with running(session) as (app, _pilot):

        async def never(_pump: MessagePump) -> None:
            await asyncio.Event().wait()

        monkeypatch.setattr(typing_ahead, "_caught_up", never)
        before = app.device.list.cursor_index
        burst(app, "r", "j", "j")
        await until(lambda: app.device.list.cursor_index == before + 2)
