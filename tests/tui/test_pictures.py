"""A dozen screens, as text, against pictures that were looked at (tests/snapshots).

To take them anew after a change that is meant: UPDATE_PICTURES=1 pytest tests/tui/test_pictures.py, and look at the
difference.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.tui.apps import running, said, text_of, until
from tests.tui.fake import FakeSession
from tui_chat.client.changes import Connection
from tui_chat.tui.app import ChatApp

PICTURES = Path(__file__).parent.parent / "snapshots"
SIZES = [(80, 24), (120, 40)]


@pytest.fixture(autouse=True)
def _in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def compare(app: ChatApp, name: str) -> None:
    """The screen is as the picture has it."""
    shown = "\n".join(line.rstrip() for line in text_of(app).split("\n")).strip("\n") + "\n"
    width, height = app.size
    path = PICTURES / f"{name}-{width}x{height}.txt"
    if os.environ.get("UPDATE_PICTURES"):
        path.write_text(shown, "utf-8")
    assert shown == path.read_text("utf-8")


async def settle(pilot: Pilot[None]) -> None:
    """Nothing more is drawn."""
    await pilot.pause()
    await pilot.pause()


@pytest.mark.parametrize("size", SIZES)
async def test_marking_and_asking(size: tuple[int, int]) -> None:
    session = FakeSession()
    session.drafts = {"C2Cxiaolin": "half a thought"}
    async with running(session, size=size, coach=True, demo=True) as (app, pilot):
        compare(app, "start")
        await pilot.press("j", "space", "space", "space")
        await settle(pilot)
        compare(app, "marked")
        await pilot.press("d")
        await settle(pilot)
        compare(app, "delete-and-clear")
        await pilot.press("c")
        session.change_server(sync_conversation_deletion=False)
        await until(lambda: "does not sync" in text_of(app))
        await settle(pilot)
        compare(app, "delete-keep-history")


@pytest.mark.parametrize("size", SIZES)
async def test_an_open_conversation(size: tuple[int, int]) -> None:
    session = FakeSession()
    async with running(session, size=size) as (app, pilot):
        await pilot.press("2", *"typing")
        await until(lambda: "message 4" in text_of(app))
        await until(lambda: not session.conversations["C2Cbob"].unread_count)
        await until(lambda: session.drafts.get("C2Cbob") == "typing", "kept once nothing is typed for a moment")
        await settle(pilot)
        compare(app, "open")
        session.deleted_elsewhere(["C2Cbob"])
        await until(lambda: said(app))
        await settle(pilot)
        compare(app, "deleted-elsewhere")


@pytest.mark.parametrize("size", SIZES)
async def test_what_failed_and_what_waits(size: tuple[int, int]) -> None:
    session = FakeSession()
    session.refuse = {"C2Cbob": "the server is busy"}
    async with running(session, size=size) as (app, pilot):
        await pilot.press("j", "d", "y")
        await until(lambda: said(app))
        session.connect(Connection.OFFLINE, queued=1)
        await until(lambda: "offline" in text_of(app))
        await settle(pilot)
        compare(app, "failed-and-offline")


@pytest.mark.parametrize("size", SIZES)
async def test_two_devices_help_and_log(size: tuple[int, int]) -> None:
    session, phone = FakeSession(), FakeSession(device_name="phone")
    session.deleted_elsewhere(["C2Ccarol", "GROUPold"])

    async def second() -> object:
        return phone.as_session()

    async with running(session, size=size, second=second) as (app, pilot):
        await pilot.press("f2")
        await until(lambda: app.main.second is not None)
        await settle(pilot)
        compare(app, "two-devices")
        await pilot.press("question_mark")
        await settle(pilot)
        compare(app, "help")
        await pilot.press("escape", "L")
        await until(lambda: "deleted and cleared" in text_of(app))
        await pilot.press("enter")
        await until(lambda: "    #old" in text_of(app))
        await settle(pilot)
        compare(app, "log")


async def test_a_tiny_terminal() -> None:
    async with running(FakeSession(), size=(20, 5)) as (app, pilot):
        await pilot.press("space")
        await settle(pilot)
        compare(app, "list")
        await pilot.press("d")
        await settle(pilot)
        compare(app, "dialog")
