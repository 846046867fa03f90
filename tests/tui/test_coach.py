"""The first five minutes: six steps, moved on by what one does."""

import asyncio
from typing import Any

from tests.tui.apps import listed, running, text_of, until
from tests.tui.fake import FakeSession, texts
from tui_chat.tui.safe import own
from tui_chat.tui.screens.coach import Coach, Did


def test_six_steps_in_order() -> None:
    coach = Coach()
    lines = []
    for did in (Did.MARKED, Did.DELETED, Did.UNDONE, Did.OPENED_SECOND, Did.DELETED_BESIDE, Did.RETURNED):
        lines.append(coach.line().plain)
        assert not coach.finished
        assert coach.see(did)
    assert lines == [
        "1/6 Space marks. Mark three.",
        "2/6 d deletes them. Read the switch, then y.",
        "3/6 u brings them back.",
        "4/6 F2 puts your phone beside this screen.",
        "5/6 Delete again and watch the phone.",
        "6/6 bob is writing: his row returns with the new message alone.",
    ]
    assert coach.finished
    assert coach.line().plain == "6/6 bob's row is back with the new message alone. Enter on it opens it."


def test_what_happens_by_itself_takes_no_line_away_after_the_last_step() -> None:
    coach = Coach()
    for did in (Did.DELETED, Did.UNDONE, Did.OPENED_SECOND, Did.DELETED_BESIDE, Did.RETURNED):
        assert coach.see(did)
    assert not coach.see(Did.RETURNED)
    assert not coach.see(Did.DELETED_BESIDE)
    assert "is back" in coach.line().plain
    assert coach.see(Did.DELETED)
    assert coach.line().plain == "That was all. ? shows every key."
    assert not coach.see(Did.DELETED)
    assert coach.see(Did.OPENED)
    assert not coach.active


def test_other_deeds_do_not_move_it_on() -> None:
    coach = Coach()
    assert not coach.see(Did.UNDONE)
    assert not coach.see(Did.RETURNED)
    assert coach.step == 1


def test_nothing_moves_once_ended() -> None:
    coach = Coach()
    coach.end()
    assert not coach.active
    assert not coach.see(Did.MARKED)


async def test_the_walk_with_a_phone() -> None:
    session, phone = FakeSession(), FakeSession(device_name="phone")
    ended: list[bool] = []

    async def second() -> object:
        return phone.as_session()

    nudged: list[str] = []

    async def nudge(user_id: str) -> None:
        nudged.append(user_id)

    options: dict[str, Any] = {
        "coach": True,
        "coach_ended": lambda: ended.append(True),
        "second": second,
        "nudge": nudge,
    }
    async with running(session, size=(130, 40), **options) as (app, pilot):
        assert "1/6 Space marks. Mark three." in text_of(app)
        await pilot.press("j", "space", "space", "space")
        await until(lambda: "2/6" in text_of(app))
        await pilot.press("d", "y")
        await until(lambda: "3/6" in text_of(app))
        await pilot.press("u")
        await until(lambda: "4/6" in text_of(app))
        await pilot.press("f2")
        await until(lambda: "5/6" in text_of(app))
        assert "phone" in text_of(app)
        app.main.primary.list.move_cursor_to("C2Cbob")
        await pilot.press("d", "y")
        await until(lambda: "C2Cbob" not in listed(app))
        batch = session._batches[0][0].batch_id
        phone.deleted_elsewhere(["C2Cbob"], device="laptop", batch_id=batch)
        await until(lambda: "6/6 bob is writing" in text_of(app))
        assert "phone · last deletion arrived in " in text_of(app)
        await until(lambda: nudged == ["bob"])
        assert not ended
        session.arrive(texts("C2Cbob", 1, start=5)[0])
        await until(lambda: "6/6 bob's row is back" in text_of(app))
        assert ended == [True]
        session.arrive(texts("C2Calice", 1, start=5)[0])
        await pilot.pause()
        assert "6/6 bob's row is back" in text_of(app)
        assert "Esc ends the tour" not in text_of(app)
        await pilot.press("enter")
        await until(lambda: "That was all." in text_of(app))
        assert "Esc ends the tour" not in text_of(app)
        await pilot.press("escape", "escape", "escape")
        await until(lambda: "That was all." not in text_of(app))
        assert ended == [True]
        await pilot.press("f2")
        await until(lambda: phone.closed)
        assert app.main.second is None


def test_the_device_beside_is_called_by_its_name() -> None:
    coach = Coach()
    for did in (Did.MARKED, Did.DELETED, Did.UNDONE):
        coach.see(did)
    coach.second("tablet")
    coach.see(Did.OPENED_SECOND)
    assert coach.line().plain == "5/6 Delete again and watch tablet."


async def test_esc_ends_it_for_good() -> None:
    ended: list[bool] = []
    async with running(FakeSession(), coach=True, coach_ended=lambda: ended.append(True)) as (app, pilot):
        await pilot.press("space", "escape")
        assert "1/6" in text_of(app), "the first Esc was for the marks"
        await pilot.press("escape")
        await until(lambda: "1/6" not in text_of(app))
        assert ended == [True]


async def test_toasts_leave_the_line_free_and_the_words_about_esc_go_first() -> None:
    async with running(FakeSession(), size=(80, 24), coach=True) as (app, pilot):
        assert "Esc ends the tour" in text_of(app)
        app.say(own("x" * 200))
        await until(lambda: "xxx" in text_of(app))
        assert "1/6 Space marks. Mark three." in text_of(app)
        await pilot.resize_terminal(40, 24)
        await until(lambda: "Esc ends" not in text_of(app))
        assert "1/6 Space marks. Mark three." in text_of(app)
        assert "xxx" in text_of(app)


async def test_the_phones_list_is_a_list_of_its_own() -> None:
    session, phone = FakeSession(), FakeSession(device_name="phone")

    async def second() -> object:
        return phone.as_session()

    async with running(session, size=(150, 24), second=second) as (app, pilot):
        await pilot.press("f2")
        await until(lambda: app.main.second is not None and app.main.second.list in app.screen.focus_chain)
        await pilot.press("shift+tab")
        await until(lambda: app.main.device is app.main.second)
        await pilot.press("j", "d", "y")
        await until(lambda: any(name == "delete" for name, _ in phone.calls))
        assert not any(name == "delete" for name, _ in session.calls)
        await until(lambda: "alice on phone" in text_of(app))
    await asyncio.sleep(0)
    assert phone.closed, "the app closes what it opened"
