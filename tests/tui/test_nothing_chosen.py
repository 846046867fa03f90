"""Keys about a message while none is under the cursor, as after Esc in the composer."""

import msgspec
import pytest
from textual.pilot import Pilot

from tests.tui.apps import running, said, text_of, until
from tests.tui.fake import NOW, FakeSession
from tui_chat.tui.app import ChatApp
from tui_chat.tui.dialogs.react import React


async def out_of_the_composer(app: ChatApp, pilot: Pilot[None], conversation_id: str = "C2Cbob") -> None:
    app.main.open(conversation_id)
    await until(lambda: app.main.conversation.messages.newest_seq > 0)
    await pilot.press("i", "escape")
    await until(lambda: app.main.conversation.messages.has_focus)
    assert app.main.conversation.messages.current_message is None


async def test_an_answer_is_to_the_newest() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await out_of_the_composer(app, pilot)
        await until(lambda: "r Reply" in text_of(app))
        await pilot.press("r")
        await until(lambda: "Reply to bob: message 4" in text_of(app))
        await pilot.press(*"yes", "enter")
        await until(lambda: any(one.reply_to == 4 for one in session.messages["C2Cbob"]))


async def test_a_reaction_is_to_the_newest_which_gets_the_cursor() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await out_of_the_composer(app, pilot)
        await pilot.press("plus")
        await until(lambda: isinstance(app.screen, React))
        await pilot.press("enter")
        await until(lambda: "👍" in session.messages["C2Cbob"][3].reactions)
        chosen = app.main.conversation.messages.current_message
        assert chosen is not None
        assert chosen.message_seq == 4


async def test_ones_own_newest_is_edited() -> None:
    async with running(FakeSession()) as (app, pilot):
        await out_of_the_composer(app, pilot)
        await pilot.press("e")
        await until(lambda: app.main.conversation.composer.text == "message 3")
        assert "Editing your message" in text_of(app)


async def test_ones_own_newest_is_taken_back() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await out_of_the_composer(app, pilot)
        await pilot.press("X")
        await until(lambda: "Take this message back from everybody? 1:00 left" in text_of(app))
        assert "message 3" in text_of(app)
        await pilot.press("y")
        await until(lambda: ("recall", ("C2Cbob", 3)) in session.calls)


async def test_who_leads_a_group_takes_back_what_others_wrote_only_where_that_is_chosen() -> None:
    session = FakeSession()
    session.conversations["GROUPubuntu"] = msgspec.structs.replace(session.conversations["GROUPubuntu"], role="admin")
    async with running(session) as (app, pilot):
        await out_of_the_composer(app, pilot, "GROUPubuntu")
        app.main.conversation.messages.action_newest()
        await pilot.press("X", "y")
        await until(lambda: ("recall", ("GROUPubuntu", 1199)) in session.calls)


@pytest.mark.parametrize("key", ["e", "X"])
async def test_where_nothing_is_ones_own_it_is_said(key: str) -> None:
    session = FakeSession()
    held = session.messages["C2Cbob"]
    held[:] = [msgspec.structs.replace(one, sender="bob", nick="bob") for one in held]
    async with running(session) as (app, pilot):
        await out_of_the_composer(app, pilot)
        await pilot.press(key)
        await until(lambda: "No message of yours here · ↑ goes to older ones" in said(app))
        assert "e Edit" not in text_of(app)


async def test_who_reads_far_above_answers_what_is_there() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await out_of_the_composer(app, pilot, "GROUPplanning")
        messages = app.main.conversation.messages
        messages.action_newest()
        await pilot.press("pageup", "pageup")
        await until(lambda: not messages.following)
        assert messages.current_message is None
        await pilot.press("r")
        await until(lambda: "Reply to" in text_of(app))
        answered = messages._cursor
        assert answered is not None
        assert answered.message.message_seq < messages.newest_seq - 20


async def test_a_tip_at_the_end_is_passed_over() -> None:
    session = FakeSession()
    held = session.messages["C2Cbob"]
    held[-1] = msgspec.structs.replace(held[-1], recalled=True, time=NOW)
    async with running(session) as (app, pilot):
        await out_of_the_composer(app, pilot)
        await pilot.press("r")
        await until(lambda: "Reply to you: message 3" in text_of(app))
