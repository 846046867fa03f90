"""Marking, asking, deleting, undoing: by keys, on a session without a network."""

import asyncio
from typing import Any

import msgspec
import pytest

from tests.tui.apps import listed, running, said, text_of, until
from tests.tui.fake import NOW, FakeSession, row, texts
from tui_chat.client.changes import Connection
from tui_chat.client.results import DeletedConversations
from tui_chat.config import Settings
from tui_chat.protocol.errors import NotConnected
from tui_chat.protocol.models import Deletion
from tui_chat.tui.dialogs.confirm_delete import ConfirmDelete

ALL = ["GROUPplanning", "C2Cbob", "GROUPubuntu", "C2Cxiaolin", "C2Ccarol", "GROUPold", "@TIM#SYSTEM"]


def deletions(session: FakeSession) -> list[Any]:
    return [call for name, call in session.calls if name == "delete"]


async def test_three_marked_and_deleted_and_brought_back() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        assert listed(app) == ALL
        await pilot.press("j", "space", "space", "space", "d")
        await pilot.pause()
        assert isinstance(app.screen, ConfirmDelete)
        shown = text_of(app)
        assert "Delete 3 conversations?" in shown
        assert "bob · #ubuntu · 小林" in shown
        assert "1,208 messages are erased from your account. The others keep theirs." in shown
        await pilot.press("y")
        await until(lambda: said(app))
        assert deletions(session) == [
            (["C2Cbob", "GROUPubuntu", "C2Cxiaolin"], True, {"C2Cbob": 4, "GROUPubuntu": 1200, "C2Cxiaolin": 4})
        ]
        assert said(app) == ["3 conversations deleted · u brings them back"]
        assert listed(app) == ["GROUPplanning", "C2Ccarol", "GROUPold", "@TIM#SYSTEM"]
        assert app.main.primary.list.cursor_key == "C2Ccarol"
        assert "u undo 10:00" in text_of(app)
        await pilot.press("u")
        await until(lambda: listed(app) == ALL)
        assert said(app) == ["3 conversations are back"]
        assert "u undo" not in text_of(app)


async def test_the_undo_counts_what_a_message_brought_back_before_it_as_well() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await pilot.press("j", "space", "space", "space", "d", "y")
        await until(lambda: said(app))
        session.arrive(texts("C2Cbob", 1, start=5)[0])
        await until(lambda: "C2Cbob" in listed(app))
        await pilot.press("u")
        await until(lambda: listed(app)[1:4] == ["C2Cbob", "GROUPubuntu", "C2Cxiaolin"])
        assert said(app) == ["3 conversations are back"], "what was before that message is back too: three went"


async def test_the_row_under_the_cursor_where_nothing_is_marked() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await pilot.press("j", "delete", "y")
        await until(lambda: said(app))
        assert deletions(session) == [(["C2Cbob"], True, {"C2Cbob": 4})]
        assert said(app) == ["1 conversation deleted · u brings it back"]


@pytest.mark.parametrize(
    "keys", [["n"], ["escape"], ["enter"], ["right", "left", "enter"], ["tab", "shift+tab", "enter"]]
)
async def test_what_cancels(keys: list[str]) -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await pilot.press("space", "space", "d")
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()
        assert app.screen is app.main
        assert deletions(session) == []
        assert len(app.main.primary.list.marks) == 2


@pytest.mark.parametrize("keys", [["y"], ["right", "enter"], ["down", "enter"], ["tab", "enter"]])
async def test_what_confirms(keys: list[str]) -> None:
    session = FakeSession()
    async with running(session) as (_app, pilot):
        await pilot.press("j", "d")
        await pilot.pause()
        await pilot.press(*keys)
        await until(lambda: deletions(session))


async def test_no_button_is_cut_where_there_is_little_room() -> None:
    async with running(FakeSession(), size=(20, 24)) as (app, pilot):
        await pilot.press("j", "d")
        await until(lambda: "[ Cancel ]" in text_of(app))
        assert "[ Delete, clear ]" in text_of(app)
        await pilot.press("c")
        await until(lambda: "[ ] Clear" in text_of(app))
        assert "[ Delete, keep ]" in text_of(app)
        await pilot.resize_terminal(23, 24)
        await until(lambda: "[ Delete, keep ]" in text_of(app))
        await pilot.press("c")
        await until(lambda: "[ Delete and clear ]" in text_of(app))


async def test_on_the_lowest_screen_the_button_tells_how_the_switch_stands() -> None:
    async with running(FakeSession(), size=(20, 5)) as (app, pilot):
        await pilot.press("j", "d")
        await until(lambda: "[ Delete, clear ]" in text_of(app))
        assert "[x]" not in text_of(app)
        await pilot.press("c")
        await until(lambda: "[ Delete, keep ]" in text_of(app))


async def test_the_switch() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await pilot.press("j", "d")
        await pilot.pause()
        assert "[x] Clear history (c)" in text_of(app)
        assert "[ Delete and clear ]" in text_of(app)
        await pilot.press("c")
        await pilot.pause()
        assert "[ ] Clear history (c)" in text_of(app)
        assert "[ Delete, keep history ]" in text_of(app)
        await pilot.press("y")
        await until(lambda: deletions(session))
        assert deletions(session)[0][1] is False


async def test_everything_needs_the_count_typed() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await pilot.press("a", "d")
        await pilot.pause()
        assert "Type 7, then y." in text_of(app)
        await pilot.press("y")
        await pilot.press("right", "enter")
        await pilot.pause()
        assert isinstance(app.screen, ConfirmDelete)
        await pilot.press("6", "y", "backspace", "7", "y")
        await until(lambda: not listed(app))
        assert len(deletions(session)[0][0]) == 7


async def test_one_of_them_goes_elsewhere_meanwhile() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await pilot.press("j", "space", "space", "space", "d")
        await pilot.pause()
        session.deleted_elsewhere(["GROUPubuntu"])
        await until(lambda: "1 was just deleted on phone · 2 left" in text_of(app))
        assert "Delete 2 conversations?" in text_of(app)
        assert "8 messages are erased" in text_of(app)
        await pilot.press("y")
        await until(lambda: deletions(session))
        assert deletions(session)[0][0] == ["C2Cbob", "C2Cxiaolin"]


async def test_all_of_them_go_elsewhere_meanwhile() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await pilot.press("j", "d")
        await pilot.pause()
        session.deleted_elsewhere(["C2Cbob"])
        await until(lambda: app.screen is app.main)
        assert deletions(session) == []


async def test_the_dialog_follows_the_switch_of_the_server() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await pilot.press("j", "d")
        await pilot.pause()
        assert "removed there too" in text_of(app)
        session.change_server(sync_conversation_deletion=False)
        await until(lambda: "this server does not sync deletions" in text_of(app))


async def test_changes_just_before_it_opens_and_just_after_it_closes_are_no_faults() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        app.main.open("C2Cbob")
        for key in ("y", "n"):
            app.device.deleter.ask()
            await until(lambda: app.device.deleter.dialog is not None)
            dialog = app.device.deleter.dialog
            assert dialog is not None
            dialog.refresh_facts()
            await until(lambda: "Delete 1 conversation?" in text_of(app))
            await pilot.press(key)
            dialog.refresh_facts()
            await until(lambda: app.screen is app.main)
            dialog.refresh_facts()
            dialog.gone(["C2Cbob"], "phone")
        assert app.crash is None


async def test_what_came_after_confirming_is_kept() -> None:
    session = FakeSession()

    async def bob_writes(_start: int) -> None:
        session.arrive(texts("C2Cbob", 1, start=5)[0])

    session.gate = bob_writes
    async with running(session) as (app, pilot):
        await pilot.press("j", "space", "d", "y")
        await until(lambda: any("wrote while you were deleting: kept" in one for one in said(app)))
        assert "C2Cbob" in listed(app)
        assert app.main.primary.list.marks == frozenset()


async def test_what_failed_stays_marked_with_its_reason_and_is_retried() -> None:
    session = FakeSession()
    session.refuse = {"C2Cbob": "the server is busy"}
    async with running(session) as (app, pilot):
        await pilot.press("j", "space", "space", "d", "c", "y")
        await until(lambda: "1 conversation could not be deleted · R tries again" in said(app))
        assert app.main.primary.list.marks == {"C2Cbob"}
        await until(lambda: "the server is busy" in text_of(app))
        assert "R Retry" in text_of(app)
        session.refuse = {}
        await pilot.press("R")
        await until(lambda: "C2Cbob" not in listed(app))
        assert deletions(session)[1] == (["C2Cbob"], False, {"C2Cbob": 4})
        await until(lambda: "1 conversation deleted · u brings it back" in said(app))
        assert "1 conversation could not be deleted · R tries again" not in said(app)


async def test_the_question_is_laid_out_for_the_size_that_the_terminal_has_now() -> None:
    async with running(FakeSession(), size=(120, 40)) as (app, pilot):
        await pilot.press("j", "d")
        await until(lambda: "Delete 1 conversation?" in text_of(app))

        def title() -> str:
            return next(line for line in text_of(app).splitlines() if "Delete 1 conversation?" in line)

        before = title()
        assert before.rstrip("│ ").endswith("bob")
        for size in ((20, 6), (59, 30), (120, 40)):
            await pilot.resize_terminal(*size)
            if size[0] > 20:
                await until(lambda: title().rstrip("│ ").endswith("bob"))
        await until(lambda: title() == before)


async def test_undo_again_undoes_the_one_before() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await pilot.press("j", "d", "y")
        await until(lambda: "C2Cbob" not in listed(app))
        await pilot.press("d", "y")
        await until(lambda: "GROUPubuntu" not in listed(app))
        await pilot.press("u")
        await until(lambda: "GROUPubuntu" in listed(app))
        assert "C2Cbob" not in listed(app)
        await pilot.press("u")
        await until(lambda: listed(app) == ALL)
        await pilot.press("u")
        await until(lambda: "Nothing to undo" in said(app))


async def test_offline_the_deletion_waits_and_undo_takes_it_back() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        session.connect(Connection.OFFLINE)
        await pilot.press("j", "d", "y")
        await until(lambda: said(app))
        assert said(app) == ["Offline: 1 conversation hidden, deleted once connected · u takes it back"]
        assert "C2Cbob" not in listed(app)
        await pilot.press("u")
        await until(lambda: "C2Cbob" in listed(app))


async def test_a_refusal_is_one_line() -> None:
    session = FakeSession()
    session.error = NotConnected()
    async with running(session) as (app, pilot):
        await pilot.press("j", "d", "y")
        await until(lambda: said(app))
        assert said(app) == ["The server cannot be reached."]
        assert listed(app) == ALL
        assert "deleting" not in text_of(app)


async def test_a_long_deletion_shows_how_far_it_is_and_esc_stops_the_rest() -> None:
    session = FakeSession(
        {f"C2Cu{n:04}": row(f"C2Cu{n:04}", age=n) for n in range(400)} | {"C2Cz": row("C2Cz", age=999)}
    )
    gates = [asyncio.Event() for _ in range(4)]

    async def gate(start: int) -> None:
        await gates[start // 100].wait()

    session.gate = gate
    async with running(session) as (app, pilot):
        await pilot.press("a")
        app.main.primary.list.move_cursor_to("C2Cz")
        await pilot.press("space", "d", "y")
        await until(lambda: "Deleting 0 of 400" in text_of(app))
        gates[0].set()
        await until(lambda: "Deleting 100 of 400" in text_of(app))
        assert "Esc stops" in text_of(app)
        assert len(listed(app)) == 301
        await pilot.press("escape")
        for one in gates[1:]:
            one.set()
        await until(lambda: said(app))
        assert said(app) == ["Stopped: 100 deleted, 300 left as they are"]
        assert len(app.main.primary.list.marks) == 300
        await until(lambda: "Deleting" not in text_of(app))


async def test_undo_while_it_runs_stops_it_first_and_counts_what_came_back() -> None:
    session = FakeSession({f"C2Cu{n:04}": row(f"C2Cu{n:04}", age=n) for n in range(400)})
    gates = [asyncio.Event() for _ in range(4)]

    async def gate(start: int) -> None:
        await gates[start // 100].wait()

    session.gate = gate
    async with running(session) as (app, pilot):
        await pilot.press("a", "d")
        await pilot.press(*"400", "y")
        gates[0].set()
        await until(lambda: "Deleting 100 of 400" in text_of(app))
        await pilot.press("u")
        assert not [call for name, call in session.calls if name == "undo"]
        for one in gates[1:]:
            one.set()
        await until(lambda: said(app)[-1:] == ["100 conversations are back"])
        await until(lambda: len(listed(app)) == 400)


async def test_what_is_said_meanwhile_does_not_lie_on_how_far_it_is() -> None:
    session = FakeSession({f"C2Cu{n:04}": row(f"C2Cu{n:04}", age=n) for n in range(400)})
    over = asyncio.Event()

    async def gate(_start: int) -> None:
        await over.wait()

    session.gate = gate
    async with running(session, coach=True) as (app, pilot):
        await pilot.press("a", "d")
        await pilot.press(*"400", "y")
        await until(lambda: "Deleting 0 of 400" in text_of(app))
        app.notify("word " * 60)
        await until(lambda: "word word" in text_of(app))
        await pilot.pause()
        lines = text_of(app).splitlines()
        assert "Deleting 0 of 400 · …/s · Esc stops" in lines[-3]
        assert "word" not in "".join(lines[-3:])
        over.set()
        await until(lambda: "Deleting" not in text_of(app))


async def test_where_the_server_fails_nobody_is_called_offline() -> None:
    class Failing(FakeSession):
        async def delete_conversation(self, **named: Any) -> DeletedConversations:
            result = await super().delete_conversation(**named)
            return msgspec.structs.replace(result, conversation_id_list=[], queued=result.conversation_id_list)

    session = Failing()
    async with running(session) as (app, pilot):
        await pilot.press("j", "d", "y")
        await until(lambda: said(app))
        assert said(app) == ["Not done yet: 1 conversation hidden, deleted once the server does it · u takes it back"]


async def test_esc_clears_marks_and_says_how_to_have_them_again() -> None:
    session = FakeSession()
    async with running(session) as (app, pilot):
        await pilot.press("space", "space", "escape")
        assert app.main.primary.list.marks == frozenset()
        assert said(app) == ["2 marks cleared · V brings them back"]
        await pilot.press("V")
        assert len(app.main.primary.list.marks) == 2


async def test_the_log_shows_names_undoes_and_erases() -> None:
    session = FakeSession()
    session.deleted_elsewhere(["C2Cbob", "GROUPubuntu"], batch_id="one")
    session.deleted_elsewhere(["C2Ccarol"], batch_id="two", device="tablet")
    async with running(session) as (app, pilot):
        await pilot.press("L")
        await until(lambda: "2 conversations, deleted and cleared" in text_of(app))
        assert "tablet" in text_of(app)
        assert "undo 10:00" in text_of(app)
        await pilot.press("j", "enter")
        await until(lambda: "    bob" in text_of(app))
        await pilot.press("u")
        await until(lambda: "C2Cbob" in listed(app))
        assert "tablet" in text_of(app)
        await pilot.press("E")
        await until(lambda: "Erase 1 conversation now?" in text_of(app))
        assert "Nothing can be brought back then." in text_of(app), "of one as of many"
        await pilot.press("y")
        await until(lambda: ("erase", "two") in session.calls)
        await pilot.press("escape")
        await pilot.pause()
        assert app.screen is app.main


async def test_the_log_says_of_what_is_back_that_it_is() -> None:
    class Undone(FakeSession):
        async def deletions(self) -> list[Deletion]:
            found = await super().deletions()
            return [msgspec.structs.replace(one, restored=True, conversation_id_list=[]) for one in found]

    session = Undone()
    session.deleted_elsewhere(["C2Cbob"], batch_id="one")
    async with running(session) as (app, pilot):
        await pilot.press("L")
        await until(lambda: "undone" in text_of(app))
        await pilot.press("enter")
        await until(lambda: "    all of it is back" in text_of(app))


async def test_the_log_offers_undo_and_erasing_only_of_what_is_not_final() -> None:
    now = NOW
    session = FakeSession(clock=lambda: now, undo_seconds=60)
    session.deleted_elsewhere(["C2Cbob"], batch_id="one")
    now += 61_000
    session.deleted_elsewhere(["C2Ccarol"], batch_id="two")
    async with running(session, clock=lambda: now) as (app, pilot):
        await pilot.press("L")
        await until(lambda: "Enter names · u undo · E erase now · Esc close" in text_of(app))
        await pilot.press("j")
        await until(lambda: "Enter names · Esc close" in text_of(app))
        await pilot.press("k")
        await until(lambda: "u undo" in text_of(app))


@pytest.mark.parametrize(
    ("key", "title", "keys"),
    [
        ("L", "In the log of deletions", ["Enter", "z", "E", "Esc"]),
        ("S", "In the sweep", ["Enter", "Space", "d, Delete", "Esc"]),
    ],
)
async def test_the_help_over_a_screen_begins_with_its_own_keys(key: str, title: str, keys: list[str]) -> None:
    async with running(FakeSession(), settings=Settings(keys={"undo": "z"})) as (app, pilot):
        await pilot.press(key, "?")
        await until(lambda: title in text_of(app))
        inside = [line.strip(" │╭╮─") for line in text_of(app).splitlines()]
        at = next(number for number, line in enumerate(inside) if title in line)
        rows = [line[line.index("│ ") :] if "│ " in line else line for line in inside[at + 1 : at + 5]]
        assert all(wanted in row for wanted, row in zip(keys, rows, strict=True)), rows


async def test_the_time_for_undo_counts_down_and_then_rests() -> None:
    now = NOW
    session = FakeSession(clock=lambda: now, undo_seconds=2)
    async with running(session, clock=lambda: now) as (app, pilot):
        assert app.main.bottom._ticking is None
        await pilot.press("j", "d", "y")
        await until(lambda: "u undo 0:02" in text_of(app))
        assert app.main.bottom._ticking is not None
        now += 1000
        await until(lambda: "u undo 0:01" in text_of(app))
        now += 2000
        await until(lambda: "u undo" not in text_of(app))
        assert app.main.bottom._ticking is None
