"""Desktop notifications and the bell: if wanted, while one looks elsewhere, with nothing of others' making."""

from typing import Any

import msgspec
import pytest
from textual import events

from tests.tui.apps import listed, running, until
from tests.tui.fake import NOW, FakeSession, row
from tui_chat.client.changes import Change, MessagesAdded
from tui_chat.config import NotifySettings, Settings
from tui_chat.protocol.models import Message
from tui_chat.tui.app import ChatApp
from tui_chat.tui.notifications import EVERY, NEWS_MOST, Notifier


class Desk:
    """A terminal, what it was given, a clock and where the focus is."""

    def __init__(self, settings: NotifySettings, environment: dict[str, str] | None = None, **flags: Any) -> None:
        self.given: list[str] = []
        self.focused = False
        self.now = NOW
        session = FakeSession({"C2Cbob": row("C2Cbob", **flags), "GROUPg": row("GROUPg", name="#g")})
        self.notifier = Notifier(
            session.as_session(),
            settings=lambda: settings,
            focused=lambda: self.focused,
            clock=lambda: self.now,
            write=self.given.append,
            environment=environment or {},
        )

    def arrive(self, text: str = "the secret", *, one: str = "C2Cbob", sender: str = "bob", **more: Any) -> None:
        message = Message(
            conversation_id=one,
            message_seq=5,
            client_id="x",
            sender=sender,
            time=more.pop("time", self.now),
            text=text,
            **more,
        )
        change: Change = MessagesAdded(conversation_id=one, messages=[message])
        self.notifier.take([change])


def test_nothing_unless_wanted() -> None:
    desk = Desk(NotifySettings())
    desk.arrive()
    assert desk.given == []
    assert Settings().notify == NotifySettings(desktop=False, body=False, bell=False)


def test_who_wrote_and_not_what_unless_that_is_wanted() -> None:
    desk = Desk(NotifySettings(desktop=True))
    desk.arrive()
    assert desk.given == ["\x1b]9;New message from bob\x1b\\"]
    desk = Desk(NotifySettings(desktop=True, body=True))
    desk.arrive(one="GROUPg")
    assert desk.given == ["\x1b]9;New from bob in #g: the secret\x1b\\"]


def test_never_while_one_looks_nor_of_muted_nor_ones_own_nor_what_is_old() -> None:
    desk = Desk(NotifySettings(desktop=True, bell=True))
    desk.focused = True
    desk.arrive()
    desk.focused = False
    desk.arrive(sender="alice")
    desk.arrive(time=NOW - NEWS_MOST)
    muted = Desk(NotifySettings(desktop=True, bell=True), muted=True)
    muted.arrive()
    assert desk.given + muted.given == []


def test_not_often_and_then_with_their_number() -> None:
    desk = Desk(NotifySettings(desktop=True))
    for _number in range(50):
        desk.arrive()
    assert len(desk.given) == 1
    desk.now += EVERY
    desk.arrive()
    assert desk.given[1:] == ["\x1b]9;50 new messages\x1b\\"]


@pytest.mark.parametrize("payload", ["\x1b]0;pwned\x07", "a\x9c\x1b\\b", "x\ny\x07z", "4;3;50"])
def test_what_others_write_ends_no_sequence(payload: str) -> None:
    desk = Desk(NotifySettings(desktop=True, body=True))
    desk.arrive(payload, sender="bob", nick=payload)
    text = desk.given[0]
    assert text.startswith("\x1b]9;New from ")
    assert text.endswith("\x1b\\")
    inner = text[4:-2]
    assert not any(ord(one) < 32 or 127 <= ord(one) < 160 for one in inner)


@pytest.mark.parametrize("environment", [{"VTE_VERSION": "7600"}, {"TERM": "foot"}, {"TERM": "rxvt-unicode"}])
def test_terminals_that_speak_777(environment: dict[str, str]) -> None:
    desk = Desk(NotifySettings(desktop=True), environment)
    desk.arrive()
    assert desk.given == ["\x1b]777;notify;tui-chat;New message from bob\x1b\\"]


async def test_the_app_knows_from_the_terminal_where_the_focus_is(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[str] = []
    monkeypatch.setattr(ChatApp, "write_control", lambda _app, text: given.append(text))
    session = FakeSession()
    settings = Settings(notify=NotifySettings(bell=True))
    async with running(session, settings=settings) as (app, pilot):
        message = msgspec.structs.replace(session.messages["C2Ccarol"][-1], message_seq=5, time=NOW, sender="carol")
        session.arrive(message)
        await until(lambda: "C2Ccarol" in listed(app)[:3])
        await pilot.pause()
        assert given == []
        app.post_message(events.AppBlur())
        await pilot.pause()
        session.arrive(msgspec.structs.replace(message, message_seq=6))
        await until(lambda: given == ["\a"])
