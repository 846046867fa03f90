"""The status line's word of what waits, the way back to the shell, and the notices above it."""

import re

import pytest

from tests.tui.apps import running, text_of, until
from tests.tui.fake import FakeSession
from tui_chat.client.changes import Connection
from tui_chat.client.results import QueuedCommand
from tui_chat.tui.safe import own


async def test_what_is_confirmed_within_a_second_is_not_mentioned() -> None:
    session = FakeSession()
    now = [100.0]
    async with running(session, stopwatch=lambda: now[0]) as (app, pilot):
        session.connect(Connection.CONNECTED, queued=1)
        app.main.show_status()
        await pilot.pause()
        assert "queued" not in text_of(app)
        now[0] += 2
        app.main.show_status()
        await until(lambda: "connected, 1 queued" in text_of(app))
        session.connect(Connection.CONNECTED)
        await until(lambda: "queued" not in text_of(app))


async def test_without_a_connection_it_is_said_at_once() -> None:
    session = FakeSession()
    async with running(session, stopwatch=lambda: 100.0) as (app, _pilot):
        session.connect(Connection.OFFLINE, queued=1)
        await until(lambda: "offline, 1 queued" in text_of(app))


async def test_conversations_are_counted_and_not_the_calls_in_which_they_go_out() -> None:
    session = FakeSession()
    session.queue = [
        QueuedCommand(number=1, what="delete", conversation_id_list=[f"C2Cu{n}" for n in range(100)], attempted=False),
        QueuedCommand(number=2, what="delete", conversation_id_list=["C2Cv"], attempted=False),
        QueuedCommand(number=3, what="restore", conversation_id_list=[], attempted=False),
    ]
    async with running(session, stopwatch=lambda: 100.0) as (app, _pilot):
        session.connect(Connection.OFFLINE, queued=3)
        await until(lambda: "offline, 102 queued" in text_of(app))


async def test_ctrl_z_suspends_while_one_writes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    suspended: list[str] = []
    async with running(FakeSession()) as (app, pilot):
        monkeypatch.setattr(
            app, "action_suspend_process", lambda: suspended.append(app.main.conversation.composer.text)
        )
        await pilot.press("ctrl+z")
        await until(lambda: suspended == [""])
        app.main.open("C2Cbob")
        await pilot.press(*"half", "ctrl+z")
        await until(lambda: suspended == ["", "half"])


@pytest.mark.parametrize("length", range(64, 74))
async def test_all_of_a_notice_can_be_read_wherever_its_line_ends(length: int) -> None:
    async with running(FakeSession(), size=(80, 24)) as (app, _pilot):
        app.say(own(("word " * 20)[: length - 4] + " end"))
        await until(lambda: re.search(r"\bend\b", text_of(app)) is not None)
