"""The server is restored from a backup while somebody writes and is asked: other messages have those numbers then."""

from typing import Any

import msgspec
import pytest
from textual.pilot import Pilot

from tests.tui.apps import running, said, text_of, until
from tests.tui.fake import NOW, FakeSession, row
from tui_chat.client.changes import (
    CommandRefused,
    Connection,
    ConversationsUpdated,
    MessagesAdded,
    SendFailed,
    StateReset,
)
from tui_chat.protocol.errors import GroupMuted, ServerRestored
from tui_chat.protocol.models import Message
from tui_chat.tui.app import ChatApp

LOOK_AGAIN = "The server was restored from a backup meanwhile: look again, then repeat it."
TEXT_STAYS = "The server was restored from a backup: your text stays, what it answered or changed does not"


def restore(session: FakeSession) -> None:
    """As the session tells it."""
    session.numbering += 1
    session.tell(StateReset(renumbered=True))


async def on_message(app: ChatApp, pilot: Pilot[None], seq: int) -> None:
    """Open the conversation with bob, and go to one of its four messages; alice wrote the first and the third."""
    app.main.open("C2Cbob")
    await until(lambda: "message 4" in text_of(app))
    await pilot.press("escape", *"k" * (5 - seq))
    await until(lambda: getattr(app.main.conversation.messages.current_message, "message_seq", 0) == seq)


def written(app: ChatApp) -> str:
    return app.main.conversation.composer.text


def calls(session: FakeSession, what: str) -> list[Any]:
    return [call for name, call in session.calls if name == what]


async def test_an_answer_is_a_message_by_itself() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await on_message(app, pilot, 4)
        await pilot.press("r", *"yes")
        restore(session)
        await until(lambda: "Reply to" not in text_of(app))
        assert said(app) == [TEXT_STAYS]
        assert written(app) == "yes"
        await pilot.press("enter")
        await until(lambda: session.messages["C2Cbob"][-1].text == "yes")
        assert session.messages["C2Cbob"][-1].reply_to is None


async def test_an_answer_that_waits_elsewhere_is_one_as_well() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await on_message(app, pilot, 4)
        await pilot.press("r", *"yes")
        await until(lambda: session.drafts == {"C2Cbob": "yes"})
        app.main.open("C2Ccarol")
        await until(lambda: written(app) == "")
        restore(session)
        await until(lambda: said(app))
        app.main.open("C2Cbob")
        await until(lambda: written(app) == "yes")
        await pilot.press("enter")
        await until(lambda: session.messages["C2Cbob"][-1].text == "yes")
        assert session.messages["C2Cbob"][-1].reply_to is None


async def test_what_a_message_was_to_say_stands_before_the_draft() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await on_message(app, pilot, 4)
        await pilot.press("i", *"draft", "escape", "k", "e", "!")
        await until(lambda: written(app) == "message 3!")
        restore(session)
        await until(lambda: "Editing your message" not in text_of(app))
        assert said(app) == [TEXT_STAYS]
        assert written(app) == "message 3!\ndraft"
        await until(lambda: session.drafts == {"C2Cbob": "message 3!\ndraft"})
        assert calls(session, "edit") == []


async def test_a_message_that_was_not_changed_yet_is_no_draft() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await on_message(app, pilot, 3)
        await pilot.press("e")
        await until(lambda: written(app) == "message 3")
        restore(session)
        await until(lambda: said(app) == [TEXT_STAYS])
        assert written(app) == ""


async def test_a_change_that_was_left_elsewhere_is_the_draft_there() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await on_message(app, pilot, 3)
        await pilot.press("e", "!")
        await until(lambda: written(app) == "message 3!")
        app.main.open("C2Ccarol")
        await until(lambda: written(app) == "")
        restore(session)
        await until(lambda: session.drafts == {"C2Cbob": "message 3!"})
        app.main.open("C2Cbob")
        await until(lambda: written(app) == "message 3!")
        await pilot.press("escape", "k", "k", "e")
        await until(lambda: "Editing your message" in text_of(app))
        assert written(app) == "message 3", "the number is another message's"


async def test_where_the_conversation_is_gone_its_change_can_still_be_copied() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await on_message(app, pilot, 3)
        await pilot.press("e", "!")
        await until(lambda: written(app) == "message 3!")
        del session.conversations["C2Cbob"]
        restore(session)
        await until(lambda: "bob was deleted on another device." in text_of(app))
        assert "message 3!" in text_of(app)


async def test_nothing_is_said_to_who_wrote_nothing_of_that() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await on_message(app, pilot, 4)
        await pilot.press("i", *"plain")
        restore(session)
        await pilot.pause()
        assert said(app) == []
        assert written(app) == "plain"


@pytest.mark.parametrize("waited", [False, True])
async def test_a_refused_change_is_kept_as_a_draft_and_not_for_the_message_of_that_number(waited: bool) -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await on_message(app, pilot, 3)
        if waited:
            await pilot.press("i", *"draft")
            await until(lambda: written(app) == "draft")
            refused = CommandRefused(
                what="edit", conversation_id_list=["C2Cbob"], error=ServerRestored().body(), text="message 3!"
            )
            session.tell(refused)
        else:
            session.error = ServerRestored()
            await pilot.press("e", "!", "enter")
        await until(lambda: said(app))
        (line,) = said(app)
        assert line == f"Not changed: {LOOK_AGAIN} · your text is kept as a draft"
        assert written(app) == ("message 3!\ndraft" if waited else "message 3!")
        assert "message 3!" not in app.main.conversation.writing._unsaved.values()


@pytest.mark.parametrize("before", [False, True])
async def test_a_refused_answer_goes_out_again_by_itself(before: bool) -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        app.main.open("C2Cbob")
        await until(lambda: "message 4" in text_of(app))
        echo = Message(
            conversation_id="C2Cbob",
            message_seq=0,
            client_id="mine",
            sender="alice",
            time=NOW,
            text="so do I",
            reply_to=4,
        )
        session.tell(MessagesAdded(conversation_id="C2Cbob", messages=[echo]))
        error = (GroupMuted() if before else ServerRestored()).body()
        session.tell(SendFailed(conversation_id="C2Cbob", client_id="mine", text="so do I", error=error))
        await until(lambda: said(app) == [f"Not sent: {error.message}"])
        if before:
            restore(session)
            await pilot.pause()
        await pilot.press("escape", "k", "R")
        await until(lambda: calls(session, "send"))
        assert session.messages["C2Cbob"][-1].reply_to is None


async def test_the_question_before_a_deletion_is_taken_back() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await pilot.press("j", "d")
        await until(lambda: app.screen is not app.main)
        restore(session)
        await until(lambda: app.screen is app.main)
        await until(lambda: said(app) == [LOOK_AGAIN])
        await pilot.press("d", "y")
        await until(lambda: calls(session, "delete"))


@pytest.mark.parametrize(("keys", "what"), [("d", "delete"), ("+", "react"), ("X", "recall")])
async def test_what_is_confirmed_just_then_is_not_done(keys: str, what: str) -> None:
    """The session knows of it, and the screen is still to hear."""
    session = FakeSession()
    async with running(session) as (app, pilot):
        if keys != "d":
            await on_message(app, pilot, 3)
        await pilot.press("plus" if keys == "+" else keys)
        await until(lambda: app.screen is not app.main)
        session.numbering += 1
        await pilot.press("enter" if keys == "+" else "y")
        await until(lambda: said(app) == [LOOK_AGAIN])
        assert calls(session, what) == []


async def test_a_retry_asks_anew_about_what_stands_there_now() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        session.refuse = {"C2Cbob": "no"}
        await pilot.press("j", "d", "y")
        await until(lambda: app.device.deleter.can_retry)
        assert calls(session, "delete")[-1][2] == {"C2Cbob": 4}
        session.refuse = {}
        session.conversations["C2Cbob"] = row("C2Cbob", message_count=2)
        restore(session)
        await pilot.pause()
        await pilot.press("R")
        await until(lambda: app.screen is not app.main)
        assert len(calls(session, "delete")) == 1
        await pilot.press("y")
        await until(lambda: len(calls(session, "delete")) == 2)
        assert calls(session, "delete")[-1][2] == {"C2Cbob": 2}


async def test_what_waited_and_was_refused_can_be_deleted_again() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        session.connect(Connection.OFFLINE)
        before = session.conversations["C2Cbob"]
        await pilot.press("j", "d", "y")
        await until(lambda: "C2Cbob" not in session.conversations)
        session.connect(Connection.CONNECTED)
        session.conversations["C2Cbob"] = msgspec.structs.replace(before, newest_seq=7, message_count=7)
        restore(session)
        error = ServerRestored().body()
        session.tell(
            ConversationsUpdated(conversation_id_list=["C2Cbob"]),
            CommandRefused(what="delete", conversation_id_list=["C2Cbob"], error=error),
        )
        await until(lambda: app.device.deleter.can_retry)
        await pilot.press("R")
        await until(lambda: app.screen is not app.main)
        assert "7 messages" in text_of(app)
        await pilot.press("y")
        await until(lambda: len(calls(session, "delete")) == 2)
        assert calls(session, "delete")[-1][2] == {"C2Cbob": 7}
