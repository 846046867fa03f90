"""Hostile text in every name and reason that toasts, dialogs, titles, the log and the status line show."""

import msgspec
import pytest

from tests.hostile.payloads import FORBIDDEN, PAYLOADS
from tests.tui.apps import running, said, text_of, until
from tests.tui.fake import FakeSession, some_rows, texts
from tui_chat.client.changes import CommandRefused, DraftKept, SendFailed, TypingSeen
from tui_chat.protocol.errors import ErrorBody
from tui_chat.tui.app import ChatApp


def harmless(app: ChatApp) -> None:
    """Nothing that a terminal would obey is on the screen or in a toast."""
    for line in [*text_of(app).split("\n"), *said(app), app.clipboard.replace("\n", "")]:
        assert FORBIDDEN.isdisjoint(line), repr(line)


SHORT = [one for one in PAYLOADS if 0 < len(one) < 100]
"""Several go into one name: it is the same path for each."""


@pytest.mark.parametrize("payload", [" ".join(SHORT[start::3]) for start in range(3)])
async def test_every_place_of_the_screen(payload: str) -> None:
    rows = {key: msgspec.structs.replace(one, name=payload) for key, one in some_rows().items()}
    session = FakeSession(rows)
    session.device_name = payload
    session.refuse = {"C2Cxiaolin": payload}
    error = ErrorBody(code="forbidden", message=payload)
    phone = FakeSession(rows, device_name=payload)

    async def second() -> object:
        return phone.as_session()

    async with running(session, size=(150, 40), second=second) as (app, pilot):
        await pilot.press("f2")
        await until(lambda: app.main.second is not None)
        await pilot.press("j", "space", "space", "space", "d")
        await pilot.pause()
        session.deleted_elsewhere(["GROUPubuntu"], device=payload)
        await pilot.pause()
        harmless(app)
        await pilot.press("y")
        await until(lambda: len(said(app)) >= 2)
        harmless(app)
        await pilot.press("escape", "g", "enter")
        message = msgspec.structs.replace(texts("GROUPplanning", 1, start=401)[0], sender=payload, text=payload)
        session.arrive(message)
        session.tell(
            TypingSeen(conversation_id="GROUPplanning", user_id=payload),
            SendFailed(conversation_id="GROUPplanning", client_id="x", text=payload, error=error),
            CommandRefused(what="delete", conversation_id_list=["C2Ccarol"], error=error),
        )
        await until(lambda: len(said(app)) >= 4)
        await pilot.press("escape", "k", "y")
        await pilot.pause()
        harmless(app)
        session.deleted_elsewhere(["GROUPplanning"], device=payload, batch_id="another")
        session.tell(DraftKept(conversation_id="GROUPplanning", text=payload))
        await pilot.pause()
        await pilot.press("y")
        harmless(app)
        await pilot.press("escape", "L", "enter")
        await pilot.pause()
        harmless(app)
        await pilot.press("escape", "ctrl+g")
        await pilot.pause()
        harmless(app)
        assert app.is_running
