"""Pages of messages as one scrolls: got ready a little at a time, and still as things stand when they are shown."""

from collections.abc import Iterator, Sequence
from unittest.mock import patch

import msgspec
import pytest

from tests.tui.apps import running, until
from tests.tui.fake import FakeSession, row, texts
from tests.tui.widgets.host import clock, message
from tui_chat.client.changes import Change, HistoryCleared, MessageUpdated
from tui_chat.protocol.errors import NotConnected
from tui_chat.protocol.models import Message
from tui_chat.tui.render.messages import MessageStyle
from tui_chat.tui.render.times import Times
from tui_chat.tui.themes import UNICODE
from tui_chat.tui.widgets.message_pane import MessagePane
from tui_chat.tui.widgets.message_window import PREPARED_AT_ONCE, MessageWindow

DAY_MINUTES = 24 * 60
STYLE = MessageStyle(50, UNICODE, Times(clock(), None), "alice")


def long_history() -> list[Message]:
    """Over several days, with answers to each other across the pages."""
    return [
        message(seq, f"{seq} " + "words " * (seq % 20), ago=(200 - seq) * DAY_MINUTES * 7_000, reply_to=seq - 7 or None)
        for seq in range(8, 120)
    ]


@pytest.mark.parametrize("ready", [False, True])
def test_a_page_got_ready_is_laid_out_as_any_other(ready: bool) -> None:
    messages = long_history()
    newest, page = messages[60:], messages[:60]
    window, whole = (MessageWindow(row("C2Cbob", age=0), "alice", new_after=30) for _ in range(2))
    window.add(newest)
    window.lay_out(STYLE)
    if ready:
        steps = sum(1 for _step in window.prepare(page))
        assert steps == len(page) // PREPARED_AT_ONCE
    window.add(page)
    window.lay_out(STYLE)
    whole.add(messages)
    whole.lay_out(STYLE)
    assert [entry.lines for entry in window.entries] == [entry.lines for entry in whole.entries]
    assert window.tops == whole.tops
    wider = STYLE._replace(cells=70)
    window.lay_out(wider)
    whole.lay_out(wider)
    assert [entry.lines for entry in window.entries] == [entry.lines for entry in whole.entries]


def recalled(messages: list[Message]) -> Change:
    messages[10] = msgspec.structs.replace(messages[10], text="", recalled=True, version=2)
    return MessageUpdated(conversation_id="C2Cbob", message=messages[10])


def cleared(messages: list[Message]) -> Change:
    through = messages[20].message_seq
    del messages[:21]
    return HistoryCleared(conversation_id="C2Cbob", cleared_through=through)


async def test_newer_messages_that_could_not_be_had_are_asked_for_again() -> None:
    session = FakeSession({"C2Cbob": row("C2Cbob", age=0, message_count=1000)})
    session.messages["C2Cbob"] = texts("C2Cbob", 1000)

    def asked_after() -> list[int]:
        return [after for what, (*_, after) in session.calls if what == "history" and after is not None]

    async with running(session) as (app, pilot):
        await pilot.press("enter", "escape")
        conversation = app.main.conversation
        await conversation._paging.jump(conversation.row("C2Cbob"), 100, new_after=None)
        pane, session.error = conversation.messages, NotConnected("gone")
        await until(lambda: pane.newest_seq < 200)
        newest = pane.newest_seq
        for _ in range(10):
            await pilot.press("pagedown")
        await until(lambda: newest in asked_after())
        assert pane.newest_seq == newest
        session.error = None
        await pilot.press("pageup", "pagedown")
        await until(lambda: pane.newest_seq > newest)


@pytest.mark.parametrize("change", [recalled, cleared])
async def test_what_is_told_while_a_page_is_got_ready_holds_for_it(change: object) -> None:
    assert callable(change)
    session = FakeSession({"C2Cbob": row("C2Cbob", age=0, message_count=100)})
    messages = session.messages["C2Cbob"] = texts("C2Cbob", 100)
    prepare, told = MessagePane.prepare, False

    def interrupted(pane: MessagePane, page: Sequence[Message]) -> Iterator[None]:
        nonlocal told
        for _step in prepare(pane, page):
            if not told:
                told = True
                app.main.conversation.take([change(messages)])
            yield

    async with running(session) as (app, pilot):
        with patch.object(MessagePane, "prepare", interrupted):
            await pilot.press("enter", "escape", "home")
            pane = app.main.conversation.messages
            await until(lambda: told and pane.oldest_seq == messages[0].message_seq)
        held = [one for seq in range(1, 101) if (one := pane.message(seq)) is not None]
        assert held == messages, "as the session has it now"
