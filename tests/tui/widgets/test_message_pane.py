"""The messages of one conversation: what is read never moves by itself."""

import random
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise

import msgspec
import pytest
from textual.geometry import Offset
from textual.pilot import Pilot
from textual.selection import Selection

from tui_chat.protocol.models import Conversation, Message, MessageType, Tip, TipKind
from tui_chat.tui.safe import own
from tui_chat.tui.widgets.message_pane import MessagePane
from tui_chat.tui.widgets.message_window import WINDOW

from .host import DAY, MINUTE, Host, conversation, lines_of, message, screen_lines


def history(first: int, last: int) -> list[Message]:
    """Messages of both sides, some of several lines."""
    texts = ("short", "two\nlines", "a long one " * 12)
    return [
        message(seq, f"{seq} {texts[seq % 3]}", "alice" if seq % 4 == 0 else "bob", ago=(20_000 - seq) * MINUTE)
        for seq in range(first, last + 1)
    ]


@asynccontextmanager
async def shown(
    messages: Sequence[Message],
    *,
    row: Conversation | None = None,
    size: tuple[int, int] = (120, 40),
    more_older: bool = False,
    more_newer: bool = False,
    at: int | None = None,
) -> AsyncIterator[tuple[Host, MessagePane, Pilot[None]]]:
    app = Host()
    async with app.run_test(size=size, message_hook=app.hook) as pilot:
        app.pane.show(
            row or conversation("bob", messages=len(messages)),
            messages,
            more_older=more_older,
            more_newer=more_newer,
            at=at,
        )
        app.pane.focus()
        await pilot.pause()
        yield app, app.pane, pilot


def first_line(pane: MessagePane) -> str:
    return pane.render_line(0).text.rstrip()


async def test_it_begins_at_the_end_and_follows() -> None:
    async with shown(history(1, 100)) as (_app, pane, pilot):
        assert pane.following
        assert "100 two" in "\n".join(lines_of(pane)[-3:])
        pane.append([message(101, "the newest", ago=0)])
        await pilot.pause()
        assert lines_of(pane)[-1].endswith("the newest")
        assert pane.new_count == 0


async def test_reading_above_nothing_moves_and_new_ones_are_counted() -> None:
    async with shown(history(1, 100)) as (_app, pane, pilot):
        await pilot.press("pageup", "pageup")
        before = lines_of(pane)
        pane.append([message(101 + number, "x", ago=0) for number in range(12)])
        pane.append([message(113, "mine, from my phone", "alice", ago=0)])
        await pilot.pause()
        after = lines_of(pane)
        assert after[:-1] == before[:-1]
        assert after[-1].endswith(" 12 new ↓")
        assert pane.new_count == 12
        await pilot.press("end")
        assert pane.following
        assert "new ↓" not in lines_of(pane)[-1]
        await pilot.press("pageup", "pageup")
        pane.append([message(0, "what I just wrote", "alice", ago=0)])
        assert pane.following
        assert "what I just wrote" in lines_of(pane)[-1]


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 12)])
async def test_older_pages_do_not_move_the_text(size: tuple[int, int]) -> None:
    async with shown(history(501, 600), size=size, more_older=True) as (app, pane, pilot):
        await pilot.press("home", "left")
        asked = app.of(MessagePane.NeedOlder)
        assert asked[-1].before == 501  # type: ignore[attr-defined]
        before = lines_of(pane)[1:]  # The first line, the day's, goes.
        pane.prepend(history(401, 500), more=True)
        await pilot.pause()
        assert lines_of(pane)[1:] == before
        await pilot.press("home", "left")
        pane.prepend(history(301, 400), more=False)
        await pilot.pause()
        assert "401" in lines_of(pane)[1]
        count = len(app.of(MessagePane.NeedOlder))
        await pilot.press("home")
        assert len(app.of(MessagePane.NeedOlder)) == count
        assert "301" in "\n".join(lines_of(pane)[:3])


async def test_home_goes_on_to_the_first_message_until_another_key() -> None:
    async with shown(history(501, 600), more_older=True) as (app, pane, pilot):
        await pilot.press("home")
        for first in (401, 301):
            pane.prepend(history(first, first + 99), more=True)
            await pilot.pause()
            assert app.of(MessagePane.NeedOlder)[-1].before == first  # type: ignore[attr-defined]
            assert pane.scroll_y == 0
        await pilot.press("j")
        pane.prepend(history(201, 300), more=True)
        await pilot.pause()
        assert pane.scroll_y > 0
        await pilot.press("g")
        pane.prepend(history(101, 200), more=True)
        pane.prepend(history(1, 100), more=False)
        await pilot.pause()
        assert pane.scroll_y == 0
        assert pane.current_message is not None
        assert pane.current_message.message_seq == 1


async def test_a_page_is_asked_for_once_and_again_after_a_failure() -> None:
    async with shown(history(501, 600), more_older=True) as (app, pane, pilot):
        await pilot.press("home", "down", "up", "home")
        assert len(app.of(MessagePane.NeedOlder)) == 1
        pane.prepend([], more=True)
        await pilot.pause()
        assert len(app.of(MessagePane.NeedOlder)) == 1
        await pilot.press("pagedown", "home")
        assert len(app.of(MessagePane.NeedOlder)) == 2


async def test_resizing_keeps_the_first_message_first() -> None:
    async with shown(history(1, 300), at=150) as (_app, pane, pilot):
        assert " 150 " in first_line(pane)
        for size in ((70, 20), (200, 50), (120, 11), (120, 40)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert " 150 " in first_line(pane), size
        await pilot.press("end")
        await pilot.resize_terminal(70, 20)
        await pilot.pause()
        assert pane.following
        assert pane.scroll_y == pane.max_scroll_y


async def test_the_line_within_a_message_is_kept() -> None:
    async with shown([*history(1, 60), message(61, "\n".join(f"row {n}" for n in range(90)), ago=0)]) as (
        _,
        pane,
        pilot,
    ):
        await pilot.press("up")
        pane.scroll_to(y=pane.max_scroll_y - 20, animate=False, force=True)
        line = first_line(pane)
        assert "row" in line
        pane.prepend(history(-40, 0), more=False)
        await pilot.pause()
        assert first_line(pane) == line
        pane.append([message(62, "x", ago=0)])
        assert first_line(pane) == line


async def test_ten_thousand_messages_up_and_down_again() -> None:
    page = 200
    async with shown(history(9_801, 10_000), row=conversation("bob", messages=10_000), more_older=True) as (
        app,
        pane,
        pilot,
    ):
        oldest = 9_801
        while oldest > 1:
            pane.action_page(-1_000)
            line = lines_of(pane)[1]
            pane.prepend(history(max(oldest - page, 1), oldest - 1), more=oldest - page > 1)
            oldest = max(oldest - page, 1)
            assert lines_of(pane)[1] == line
            assert len(pane._window.entries) <= WINDOW  # type: ignore[union-attr]
        await pilot.press("home")
        assert " 1 " in lines_of(pane)[1]
        assert not pane.following
        newest = pane.newest_seq
        assert newest < 10_000
        pane.append([message(10_001, "far below", ago=0)])
        assert pane.newest_seq == newest
        assert pane.new_count == 1
        pane.scroll_to(y=pane.max_scroll_y, animate=False, force=True)
        await pilot.pause()
        assert app.of(MessagePane.NeedNewer)[-1].after == newest  # type: ignore[attr-defined]
        line = first_line(pane)
        pane.extend(history(newest + 1, newest + page), more=True)
        assert first_line(pane) == line
        assert pane.newest_seq == newest + page
        await pilot.press("end")
        assert len(app.of(MessagePane.NeedLatest)) == 1


async def test_own_message_from_echo_to_read() -> None:
    async with shown(history(1, 3)) as (_app, pane, pilot):
        pane.append([message(0, "mine", "alice", ago=0, client_id="c1")])
        await pilot.pause()

        def line() -> str:
            return next(line for line in lines_of(pane) if "mine" in line)

        assert line().endswith("◌")
        pane.append([message(4, "meanwhile", ago=0)])
        assert [line.split()[-1] for line in lines_of(pane) if line][-2:] == ["meanwhile", "◌"]
        pane.update_message(message(5, "mine", "alice", ago=0, client_id="c1"))
        assert line().endswith(" ✓")
        pane.set_peer_read(5)
        assert line().endswith("✓✓")
        assert sum("mine" in line for line in lines_of(pane)) == 1
        pane.append([message(5, "mine", "alice", ago=0, client_id="c1")])
        assert sum("mine" in line for line in lines_of(pane)) == 1


async def test_another_persons_client_id_is_not_ones_own() -> None:
    async with shown(history(1, 3)) as (_app, pane, pilot):
        pane.append([message(0, "mine", "alice", ago=0, client_id="c1")])
        pane.append([message(4, "forged", "bob", ago=0, client_id="c1")])
        await pilot.pause()
        assert sum("mine" in line for line in lines_of(pane)) == 1


async def test_a_refused_message_says_why_and_can_be_taken_away() -> None:
    async with shown(history(1, 3)) as (_app, pane, pilot):
        pane.append([message(0, "mine", "alice", ago=0, client_id="c1")])
        pane.set_failed("c1", "the group is muted")
        await pilot.pause()
        assert [line.strip() for line in lines_of(pane) if line][-1] == "✗ not sent: the group is muted"
        pane.remove_waiting("c1")
        assert not any("mine" in line for line in lines_of(pane))


async def test_an_older_version_changes_nothing() -> None:
    async with shown([message(1, "second", ago=0, version=2)]) as (_app, pane, _pilot):
        pane.update_message(message(1, "first", ago=0, version=1))
        pane.update_message(message(9, "not here", ago=0))
        assert "second" in lines_of(pane)[1]
        pane.update_message(message(1, "third", ago=0, version=3))
        assert "third" in lines_of(pane)[1]


@pytest.mark.parametrize("width", [100, 101, 118])
async def test_the_scroll_bar_covers_nothing(width: int) -> None:
    words = " ".join(f"word{number}" for number in range(200))
    messages = [message(1, words, ago=MINUTE), message(2, words, "alice", ago=0)]
    async with shown(messages, size=(width, 30)) as (app, pane, pilot):
        pane.set_peer_read(2)
        await pilot.pause()
        assert pane.show_vertical_scrollbar
        seen = "\n".join(screen_lines(app))
        numbers = [int(number) for number in re.findall(r"word(\d+)", seen)]
        assert numbers[-1] == 199
        assert all(other == (one + 1) % 200 for one, other in pairwise(numbers))
        assert "✓✓" in seen


async def test_days_and_new_are_separated() -> None:
    messages = [message(1, "old", ago=DAY), message(2, "mine", "alice", ago=2 * MINUTE), message(3, "new", ago=MINUTE)]
    row = msgspec.structs.replace(conversation("bob", unread=1), read_seq=1)
    async with shown(messages, row=row) as (_app, pane, _pilot):
        lines = [line.strip(" ─") for line in lines_of(pane) if line]
        assert lines[0] == "Monday 17 November"
        assert lines[2] == "Tuesday 18 November"
        assert lines[4] == "new"
        assert lines[5].endswith("new")


async def test_it_begins_at_the_new_line_where_that_is_above() -> None:
    row = msgspec.structs.replace(conversation("bob", unread=50), read_seq=150)
    async with shown(history(1, 300), row=row) as (app, pane, _pilot):
        assert "── new ──" in first_line(pane)
        assert not pane.following
        read = app.of(MessagePane.ReadUpTo)[-1].message_seq  # type: ignore[attr-defined]
        assert 151 < read < 300


@pytest.mark.parametrize("scrolled", [False, True])
async def test_it_begins_there_too_where_an_older_page_has_the_first_new_one(scrolled: bool) -> None:
    row = msgspec.structs.replace(conversation("bob", unread=70), read_seq=130)
    async with shown(history(171, 200), row=row, more_older=True) as (_app, pane, pilot):
        if scrolled:
            await pilot.press("pagedown")
        before = first_line(pane)
        pane.prepend(history(101, 170), more=True)
        await pilot.pause()
        if scrolled:
            assert first_line(pane) == before, "whoever reads already is left where they are"
        else:
            assert "── new ──" in first_line(pane)
            assert pane.first_new == 131


async def test_reading_is_told_as_it_is_seen() -> None:
    async with shown(history(1, 100), row=msgspec.structs.replace(conversation("bob"), read_seq=20)) as (
        app,
        pane,
        pilot,
    ):
        assert [event.message_seq for event in app.of(MessagePane.ReadUpTo)] == [100]  # type: ignore[attr-defined]
        app.app_focus = False
        pane.append([message(101, "x", ago=0)])
        await pilot.pause()
        assert len(app.of(MessagePane.ReadUpTo)) == 1
        app.app_focus = True
        await pilot.pause()
        assert app.of(MessagePane.ReadUpTo)[-1].message_seq == 101  # type: ignore[attr-defined]
        pane.display = False
        pane.append([message(102, "x", ago=0)])
        await pilot.pause()
        assert len(app.of(MessagePane.ReadUpTo)) == 2


async def test_clearing_takes_the_text_away() -> None:
    async with shown(history(1, 100)) as (_app, pane, pilot):
        pane.clear_through(98)
        await pilot.pause()
        assert len([line for line in lines_of(pane) if line]) < 12
        pane.clear_through(200)
        assert lines_of(pane)[1].strip() == "No messages here."
        pane.append([message(201, "again", ago=0)])
        assert "again" in lines_of(pane)[1]


async def test_clearing_below_the_reader_keeps_the_place() -> None:
    async with shown(history(1, 300), at=200) as (_app, pane, pilot):
        pane.clear_through(150)
        await pilot.pause()
        assert " 200 " in first_line(pane)
        pane.clear_through(250)
        assert " 251 " in "\n".join(lines_of(pane)[:2])


async def test_no_conversation_and_a_closed_one() -> None:
    async with shown(history(1, 3)) as (_app, pane, pilot):
        pane.close("Deleted on phone [red]x[/]\x1b[2J.")
        await pilot.pause()
        assert lines_of(pane)[1].strip() == "Deleted on phone [red]x[/][2J."
        assert pane.conversation_id is None
        pane.close()
        pane.say([own("Nothing is open."), own("Something can be.")])
        assert [line.strip() for line in lines_of(pane)[1:3]] == ["Nothing is open.", "Something can be."]
        pane.append([message(4, "late", ago=0)])
        pane.prepend([], more=False)
        pane.clear_through(3)
        await pilot.press("up", "end", "home", "pageup")


async def test_the_title_names_the_conversation() -> None:
    row = msgspec.structs.replace(conversation("#ubuntu"), member_count=214)
    async with shown(history(1, 3), row=row) as (_app, pane, pilot):
        pane.set_note("bob is writing")
        await pilot.pause()
        title = str(pane._border_title)
        assert title.startswith("#ubuntu · 214 members ─")
        assert title.endswith("─ bob is writing")


async def test_the_cursor_goes_from_message_to_message() -> None:
    async with shown(history(1, 100)) as (_app, pane, pilot):
        assert pane.current_message is None
        await pilot.press("k")
        assert pane.current_message is not None
        assert pane.current_message.message_seq == 100
        await pilot.press("k", "k", "j")
        assert pane.current_message.message_seq == 99
        assert any(line.startswith("▌") and " 99 " in line for line in lines_of(pane))
        for _ in range(60):
            pane.action_move(-1)
        seq = pane.current_message.message_seq
        assert seq == 39
        assert any(line.startswith("▌") and f" {seq} " in line for line in lines_of(pane))
        await pilot.press("home")
        assert pane.current_message.message_seq == 1
        pane.clear_through(1)
        await pilot.press("down")
        await pilot.press("tab")
        assert pane.current_message is None


async def test_a_message_taller_than_the_pane_is_scrolled_through() -> None:
    tall = message(61, "\n".join(f"row {n}" for n in range(90)), ago=MINUTE)
    async with shown([*history(1, 60), tall, message(62, "end", ago=0)], size=(120, 24)) as (_app, pane, _pilot):
        seen = set()
        for _ in range(45):
            pane.action_move(-1)
            seen |= {line.split()[-1] for line in lines_of(pane) if " row " in line}
            if pane.current_message is not None and pane.current_message.message_seq == 60:
                break
        assert {str(number) for number in range(90)} <= seen


async def test_selected_text_is_put_together_again() -> None:
    long = "check the drop-down list at the top of the window and then the one below it, that is what I mean"
    tip = Tip(what=TipKind.JOINED, operator="carol")
    messages = [
        message(1, long, "pelo", ago=3 * MINUTE),
        message(2, "one\ntwo", ago=2 * MINUTE),
        message(3, "", type=MessageType.TIP, tip=tip, ago=MINUTE),
        message(4, "mine", "alice", ago=0),
    ]
    async with shown(messages, size=(100, 30)) as (_app, pane, pilot):
        text, _ending = pane.get_selection(Selection(Offset(17, 1), None)) or ("", "")
        lines = text.split("\n")
        assert lines[0] == long
        assert lines[1].split() == ["12:39", "bob", "one"]
        assert lines[2].strip() == "two"
        assert lines[3].split() == ["12:40", "•", "carol", "joined"]
        assert lines[4].split() == ["12:41", "you", "mine", "✓"]
        part = pane.get_selection(Selection(Offset(17, 1), Offset(22, 1)))
        assert part is not None
        assert part[0] == "check"
        await pilot.pause()


async def test_dragging_selects() -> None:
    async with shown([message(1, "check the list", "pelo", ago=0)]) as (app, pane, pilot):
        await pilot.mouse_down(pane, offset=(21, 2))
        await pilot.hover(pane, offset=(25, 2))
        await pilot.mouse_up(pane, offset=(25, 2))
        await pilot.pause()
        assert app.screen.get_selected_text() == "check"
        pane.prepend([message(-1, "older", ago=DAY)], more=False)
        await pilot.pause()
        assert not app.screen.get_selected_text()


@pytest.mark.parametrize("size", [(80, 24), (20, 5), (120, 40)])
async def test_sizes(size: tuple[int, int]) -> None:
    async with shown(history(1, 50), size=size) as (app, _pane, pilot):
        app.list.display = False
        await pilot.pause()
        await pilot.press("home", "end", "up", "pageup", "pagedown")
        await pilot.resize_terminal(40, 10)
        await pilot.resize_terminal(*size)
        await pilot.pause()


async def test_the_pill_leads_to_the_end() -> None:
    async with shown(history(1, 100)) as (_app, pane, pilot):
        await pilot.press("home")
        pane.append([message(101, "x", ago=0)])
        await pilot.pause()
        await pilot.click(pane, offset=(pane.outer_size.width - 5, pane.outer_size.height - 2))
        assert pane.following


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_happens_the_line_that_is_read_stays(seed: int) -> None:
    chance = random.Random(seed)
    first, last = 2_000, 2_099
    async with shown(history(first, last), row=conversation("bob", messages=5_000), more_older=True, at=2_040) as (
        _app,
        pane,
        pilot,
    ):
        for _step in range(120):
            window = pane._window
            assert window is not None
            line = first_line(pane)
            reading = not pane.following
            match chance.randrange(6):
                case 0 if first > 1_000:
                    pane.prepend(history(first - 30, first - 1), more=True)
                    first -= 30
                case 1:
                    pane.append(history(last + 1, last + 2))
                    last += 2
                case 2:
                    seq = chance.randint(window.oldest, window.newest)
                    if seq < window.entries[window.at(round(pane.scroll_y))[0]].message.message_seq:
                        text, ago = f"{seq} edited\n" * chance.randint(1, 5), (20_000 - seq) * MINUTE
                        edited = message(seq, text, version=_step + 2, ago=ago)
                        pane.update_message(edited)
                case 3:
                    pane.set_peer_read(chance.randint(1_000, last))
                    line = line.removesuffix("✓✓").removesuffix("✓").rstrip()
                case 4:
                    pane.scroll_to(y=chance.randint(0, max(int(pane.max_scroll_y) - 3, 0)), animate=False, force=True)
                    continue
                case 5 if chance.random() < 0.2:
                    await pilot.resize_terminal(*chance.choice([(120, 40), (100, 30), (140, 20)]))
                    continue
                case _:
                    continue
            if reading:
                shown_now = first_line(pane).removesuffix("✓✓").removesuffix("✓").rstrip()
                assert shown_now == line.removesuffix("✓✓").removesuffix("✓").rstrip() or "──" in line
