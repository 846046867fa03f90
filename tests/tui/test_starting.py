"""From the first frame until the session has started: what is painted, and what keys do meanwhile."""

import asyncio
from collections.abc import Mapping

from tests.tui.apps import listed, running, text_of, until
from tests.tui.fake import FakeSession, row
from tui_chat.client.changes import StateReset
from tui_chat.protocol.errors import NotConnected
from tui_chat.protocol.models import Conversation
from tui_chat.tui.safe import own

ALL: Mapping[str, Conversation] = {f"C2Cu{n:03}": row(f"C2Cu{n:03}", age=n) for n in range(300)}


class Slow(FakeSession):
    """Knows its first rows, and the others once it was let start."""

    def __init__(self) -> None:
        super().__init__(dict(list(ALL.items())[:100]))
        self.let = asyncio.Event()
        self.fails = False

    @property
    def conversation_count(self) -> int:
        return len(ALL)

    async def start(self) -> None:
        await self.let.wait()
        if self.fails:
            raise NotConnected("it cannot be opened")
        self.conversations = dict(ALL)
        self.tell(StateReset())


async def test_the_first_rows_are_painted_as_the_beginning_of_the_whole_list() -> None:
    session = Slow()
    async with running(session, started=False) as (app, _pilot):
        before = text_of(app)
        assert "u000" in before
        assert " 300 " in before.splitlines()[0]
        assert app.main.primary.list.max_scroll_y > 200, "the scroll bar knows of all"
        session.let.set()
        await until(lambda: len(listed(app)) == 300)
        assert text_of(app) == before, "nothing moves when the others come"


async def test_keys_wait_and_then_do_their_thing_in_order() -> None:
    session = Slow()
    async with running(session, started=False) as (app, pilot):
        await pilot.press("G", "space", "k", "k", "space")
        assert not app.main.primary.list.marks
        assert app.main.primary.list.cursor_key == "C2Cu000"
        session.let.set()
        await until(lambda: len(app.main.primary.list.marks) == 2)
        assert app.main.primary.list.marks == {"C2Cu299", "C2Cu297"}


async def test_quitting_does_not_wait() -> None:
    session = Slow()
    async with running(session, started=False) as (app, pilot):
        await pilot.press("j", "ctrl+q")
        await until(lambda: not app.is_running)


async def test_what_cannot_be_opened_ends_the_app_and_says_why() -> None:
    session = Slow()
    session.fails = True
    async with running(session, started=False) as (app, _pilot):
        session.let.set()
        await until(lambda: not app.is_running)
        assert isinstance(app.failure, NotConnected)


async def test_what_is_being_done_until_then_stands_in_the_status_line() -> None:
    session = Slow()
    async with running(session, started=False, waits_for=own("filling the cellar…")) as (app, pilot):
        assert "filling the cellar…" in text_of(app).splitlines()[-1]
        assert "offline" not in text_of(app)
        session.let.set()
        await until(lambda: app.started)
        await pilot.pause()
        assert "filling the cellar…" not in text_of(app)
        assert "connected" in text_of(app).splitlines()[-1]
