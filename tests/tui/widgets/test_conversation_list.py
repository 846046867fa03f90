"""The list of conversations, as somebody at the keyboard has it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest
from textual.pilot import Pilot
from textual.strip import Strip

from tui_chat.client.query import parse
from tui_chat.protocol.models import Conversation
from tui_chat.tui.render.cells import Line
from tui_chat.tui.themes import ASCII, UNICODE, Symbols
from tui_chat.tui.widgets.conversation_list import ConversationList

from .host import DAY, MINUTE, NOW, Host, by_id, conversation, lines_of, many, sample, screen_lines


@asynccontextmanager
async def shown(
    conversations: list[Conversation],
    *,
    size: tuple[int, int] = (120, 40),
    symbols: Symbols = UNICODE,
    flash_seconds: float = 0.0,
) -> AsyncIterator[tuple[Host, ConversationList, dict[str, Conversation], Pilot[None]]]:
    app = Host(symbols=symbols, flash_seconds=flash_seconds)
    mapping = by_id(conversations)
    async with app.run_test(size=size, message_hook=app.hook) as pilot:
        app.list.set_conversations(mapping)
        await pilot.pause()
        yield app, app.list, mapping, pilot


def names(widget: ConversationList) -> list[str]:
    return [widget.rows.key_at(index) for index in range(len(widget.rows))]


async def test_the_picture_at_120() -> None:
    async with shown(sample()) as (_app, widget, _, _pilot):
        assert lines_of(widget)[:9] == [
            "▌● 📌 #planning        Mon    99+",
            " ● bob                 12:41    2",
            " ● #ubuntu             12:40   14 @",
            "   小林                12:02",
            "   carol (left)        Sun",
            " ● System              Sat      1",
            "   #ubuntu-release… 🔕 9 Nov    7",
            "   dave 🎉             2024",
            "",
        ]


async def test_the_scroll_bar_covers_nothing() -> None:
    rows = [conversation(f"#group{number:03}", ago=number * MINUTE, unread=120, mentions=1) for number in range(100)]
    async with shown(rows) as (app, _widget, _, _pilot):
        assert all("99+ @" in line for line in screen_lines(app)[1:37])


async def test_the_title_counts() -> None:
    async with shown(many(1200)) as (_app, widget, _, pilot):
        assert str(widget._border_title).endswith(" 1,200")
        widget.set_filter(parse("user0007"))
        await pilot.pause()
        assert str(widget._border_title).endswith(" 10 of 1,200")


async def test_moving_and_opening() -> None:
    async with shown(many(100)) as (app, widget, _, pilot):
        await pilot.press("down", "j", "up", "k", "pagedown")
        page = widget.scrollable_content_region.height
        assert widget.cursor_index == page - 1
        await pilot.press("end")
        assert widget.cursor_key == "C2Cuser00099"
        assert lines_of(widget)[-1].startswith("▌")
        await pilot.press("g", "G", "home", "j", "enter")
        assert [event.conversation_id for event in app.of(ConversationList.Opened)] == ["C2Cuser00001"]  # type: ignore[attr-defined]
        widget.open_nth(5)
        widget.open_nth(500)
        await pilot.pause()
        assert app.of(ConversationList.Opened)[-1].conversation_id == "C2Cuser00004"  # type: ignore[attr-defined]
        assert app.of(ConversationList.Highlighted)[-1].conversation_id == "C2Cuser00004"  # type: ignore[attr-defined]


async def test_space_marks_and_goes_down() -> None:
    async with shown(many(10)) as (app, widget, _, pilot):
        widget.toggle_mark()
        widget.toggle_mark()
        await pilot.pause()
        assert widget.marks == {"C2Cuser00000", "C2Cuser00001"}
        assert widget.cursor_index == 2
        assert [line[:2] for line in lines_of(widget)[:4]] == [" ◉", " ◉", "▌●", "  "]
        assert app.of(ConversationList.MarksChanged)[-1].marks == widget.marks  # type: ignore[attr-defined]
        assert widget.targets == ["C2Cuser00000", "C2Cuser00001"]


async def test_without_marks_the_row_under_the_cursor_is_meant() -> None:
    async with shown(many(10)) as (_app, widget, _, pilot):
        await pilot.press("down")
        assert widget.targets == ["C2Cuser00001"]
    async with shown([]) as (_app, widget, _, pilot):
        assert widget.targets == []
        widget.toggle_mark()
        widget.toggle_range()
        await pilot.press("down", "end", "enter")


async def test_range_mode() -> None:
    async with shown(many(50)) as (_app, widget, _, pilot):
        await pilot.press("down")
        widget.toggle_range()
        await pilot.press("down", "down", "up")
        assert widget.marks == {"C2Cuser00001", "C2Cuser00002"}
        assert widget.in_range
        widget.toggle_range()
        await pilot.press("down", "down")
        assert len(widget.marks) == 2
        assert not widget.in_range


async def test_shift_and_arrows() -> None:
    async with shown(many(50)) as (_app, widget, _, pilot):
        widget.extend_range(1)
        widget.extend_range(1)
        widget.extend_range(-1)
        assert widget.marks == {"C2Cuser00000", "C2Cuser00001"}
        await pilot.press("down", "down")
        widget.extend_range(1)
        assert widget.marks == {"C2Cuser00000", "C2Cuser00001", "C2Cuser00003", "C2Cuser00004"}


async def test_all_inverted_cleared_and_back() -> None:
    async with shown(many(50)) as (_app, widget, _, _pilot):
        widget.set_filter(parse("USER0001"))
        widget.mark_all_shown()
        assert len(widget.marks) == 10
        widget.invert_marks()
        assert len(widget.marks) == 0
        widget.toggle_mark()
        widget.invert_marks()
        assert len(widget.marks) == 9
        assert widget.clear_filter()
        assert not widget.clear_filter()
        assert len(widget.marks) == 9
        assert widget.clear_marks() == 9
        assert widget.clear_marks() == 0
        assert widget.mark_last_set() == 9


async def test_review_shows_only_what_is_marked() -> None:
    async with shown(many(50)) as (_app, widget, _, pilot):
        widget.toggle_review()
        assert not widget.reviewing
        widget.mark(["C2Cuser00007", "C2Cuser00030", "C2Cnobody"])
        widget.toggle_review()
        await pilot.pause()
        assert names(widget) == ["C2Cuser00007", "C2Cuser00030"]
        assert str(widget._border_title).startswith("Marked")
        widget.toggle_mark()
        assert names(widget) == ["C2Cuser00007", "C2Cuser00030"]
        widget.toggle_review()
        assert len(names(widget)) == 50
        widget.toggle_review()
        widget.clear_marks()
        assert len(names(widget)) == 50


async def test_filter_by_words() -> None:
    async with shown(sample()) as (_app, widget, _, pilot):
        widget.set_filter(parse(" PLANNING  ubuntu "))
        assert names(widget) == ["GROUPubuntu-release-party-planning-committee"]
        widget.set_filter(parse("小林"))
        assert names(widget) == ["C2C小林"]
        widget.set_filter(parse("zzz"))
        await pilot.pause()
        assert lines_of(widget)[1].strip() == "Nothing matches."
        assert widget.cursor_key is None


async def test_a_filter_leads_to_the_first_match_unless_the_cursors_own_row_matches() -> None:
    async with shown(many(50)) as (_app, widget, _, _pilot):
        widget.move_cursor_to("C2Cuser00030")
        widget.set_filter(parse("user0003"))
        assert widget.cursor_key == "C2Cuser00030"
        widget.set_filter(parse("5"))
        assert widget.cursor_key == "C2Cuser00005"
        widget.set_filter(parse("zzz"))
        assert widget.cursor_key is None
        widget.set_filter(parse("user0002"))
        assert widget.cursor_key == "C2Cuser00020"
        widget.clear_filter()
        assert widget.cursor_key == "C2Cuser00020"


async def test_an_empty_list_says_so() -> None:
    async with shown([]) as (_app, widget, _, _pilot):
        assert lines_of(widget)[1].strip() == "No conversations yet."


def newer(row: Conversation, time: int = NOW + MINUTE) -> Conversation:
    return msgspec.structs.replace(row, time=time, unread_count=row.unread_count + 1)


async def test_a_message_brings_its_row_up_and_the_cursor_stays_with_its_key() -> None:
    async with shown(many(100)) as (_app, widget, mapping, pilot):
        await pilot.press(*["down"] * 3)
        mapping["C2Cuser00050"] = newer(mapping["C2Cuser00050"])
        widget.update_rows(["C2Cuser00050"])
        await pilot.pause()
        assert names(widget)[0] == "C2Cuser00050"
        assert widget.cursor_key == "C2Cuser00003"
        assert lines_of(widget)[4].startswith("▌")


async def test_the_cursor_stays_on_its_line_of_the_screen() -> None:
    async with shown(many(1000)) as (_app, widget, mapping, pilot):
        widget.go_to(500)
        line = next(y for y, text in enumerate(lines_of(widget)) if text.startswith("▌"))
        for number in range(900, 910):
            mapping[f"C2Cuser00{number}"] = newer(mapping[f"C2Cuser00{number}"], NOW + number)
        widget.update_rows([f"C2Cuser00{number}" for number in range(900, 910)])
        await pilot.pause()
        assert widget.cursor_key == "C2Cuser00500"
        assert widget.cursor_index == 510
        assert lines_of(widget)[line].startswith("▌")


async def test_what_comes_while_another_pane_hides_the_list_stands_in_view_afterwards() -> None:
    async with shown(many(100), size=(80, 24)) as (_app, widget, mapping, pilot):
        await pilot.press("down")
        widget.display = False
        await pilot.pause()
        for number in (50, 51, 52):
            mapping[f"C2Cuser000{number}"] = newer(mapping[f"C2Cuser000{number}"], NOW + number)
            widget.update_rows([f"C2Cuser000{number}"])
            await pilot.pause()
        widget.display = True
        await pilot.pause()
        assert widget.scroll_y == 0, "who reads in one pane at a time sees who wrote meanwhile"
        assert lines_of(widget)[4].startswith("▌")
        assert widget.cursor_key == "C2Cuser00001"


async def test_while_something_is_marked_the_order_is_held() -> None:
    async with shown(many(20)) as (app, widget, mapping, pilot):
        widget.toggle_mark()
        for number in (7, 8):
            mapping[f"C2Cuser0000{number}"] = newer(mapping[f"C2Cuser0000{number}"])
        mapping["C2Czoe"] = conversation("zoe", ago=-MINUTE)
        widget.update_rows(["C2Cuser00007", "C2Cuser00008", "C2Czoe"])
        await pilot.pause()
        assert names(widget)[:3] == ["C2Cuser00000", "C2Cuser00001", "C2Cuser00002"]
        assert "order held · 3 newer" in str(widget._border_title)
        assert lines_of(widget)[7].endswith(" 2")  # The badge changed all the same.
        assert app.of(ConversationList.ShownChanged)[-1].newer == 3  # type: ignore[attr-defined]
        widget.clear_marks()
        assert names(widget)[:3] == ["C2Cuser00007", "C2Cuser00008", "C2Czoe"]
        await pilot.pause()
        assert app.of(ConversationList.ShownChanged)[-1].newer == 0  # type: ignore[attr-defined]


async def test_a_dialog_holds_the_order_too() -> None:
    async with shown(many(20)) as (_app, widget, mapping, _pilot):
        widget.hold_order(True)
        mapping["C2Cuser00009"] = newer(mapping["C2Cuser00009"])
        widget.update_rows(["C2Cuser00009"])
        assert names(widget)[9] == "C2Cuser00009"
        widget.hold_order(False)
        assert names(widget)[0] == "C2Cuser00009"


async def test_after_a_removal_the_cursor_is_on_the_nearest_row_left() -> None:
    async with shown(many(100)) as (_app, widget, mapping, pilot):
        await pilot.press(*["down"] * 10)
        gone = [f"C2Cuser{number:05}" for number in (2, *range(8, 15))]
        for key in gone:
            del mapping[key]
        widget.remove_rows(gone)
        await pilot.pause()
        assert widget.cursor_key == "C2Cuser00015"
        widget.action_last()
        del mapping["C2Cuser00099"]
        widget.update_rows(["C2Cuser00099"])
        assert widget.cursor_key == "C2Cuser00098"
        mapping.clear()
        widget.remove_rows(names(widget))
        assert widget.cursor_key is None


async def test_what_comes_back_into_an_empty_list_in_pieces_has_the_cursor_on_its_first_row() -> None:
    async with shown([]) as (_app, widget, mapping, pilot):
        rows = by_id(many(100))
        for piece in ((40, 100), (0, 20), (20, 40)):
            mapping.update({key: rows[key] for key in list(rows)[slice(*piece)]})
            widget.restore_rows(list(rows)[slice(*piece)])
            await pilot.pause()
        assert widget.cursor_key == "C2Cuser00000"
        assert widget.scroll_y == 0
        await pilot.press("down")
        mapping["C2Czoe"] = conversation("zoe", ago=-MINUTE)
        widget.restore_rows(["C2Czoe"])
        assert widget.cursor_key == "C2Cuser00001", "once somebody went elsewhere it stays with its row"


async def test_one_deleted_elsewhere_leaves_the_marks_even_while_held() -> None:
    async with shown(many(20)) as (app, widget, mapping, pilot):
        widget.mark(["C2Cuser00003", "C2Cuser00004"])
        del mapping["C2Cuser00003"]
        widget.remove_rows(["C2Cuser00003"])
        await pilot.pause()
        assert widget.marks == {"C2Cuser00004"}
        assert app.of(ConversationList.MarksChanged)[-1].marks == {"C2Cuser00004"}  # type: ignore[attr-defined]
        assert len(names(widget)) == 19
        mapping["C2Cuser00003"] = conversation("user00003", ago=3 * MINUTE)
        widget.restore_rows(["C2Cuser00003"])
        assert names(widget)[3] == "C2Cuser00003"
        assert widget.mark_last_set() == 2


async def test_a_removed_row_flashes_first() -> None:
    async with shown(many(5), flash_seconds=0.05) as (_app, widget, mapping, pilot):
        widget.mark(["C2Cuser00002"])
        del mapping["C2Cuser00001"], mapping["C2Cuser00002"]
        widget.remove_rows(["C2Cuser00001", "C2Cuser00002"], flash=True)
        assert widget.marks == frozenset()
        assert len(names(widget)) == 5
        mapping["C2Cuser00001"] = conversation("user00001", ago=-MINUTE)
        widget.update_rows(["C2Cuser00001"])  # A message brought it back meanwhile.
        async with asyncio.timeout(20):
            while len(names(widget)) > 4:
                await pilot.pause(0.02)
        assert names(widget) == ["C2Cuser00001", "C2Cuser00000", "C2Cuser00003", "C2Cuser00004"]


async def test_states_of_rows() -> None:
    async with shown(many(6)) as (_app, widget, _, pilot):
        widget.set_deleting(["C2Cuser00001", "C2Cuser00002"])
        widget.set_failed({"C2Cuser00002": "too many requests", "C2Cnobody": "x"})
        widget.set_stale(["C2Cuser00003"])
        widget.set_drafts(["C2Cuser00004"])
        await pilot.pause()
        lines = lines_of(widget)
        assert lines[1].endswith("deleting…")
        assert "✗ too many" in lines[2]
        assert lines[2][1] == "◉"
        assert "≠" in lines[3]
        assert "✎" in lines[4]
        assert widget.failed == {"C2Cuser00002"}
        assert widget.marks == {"C2Cuser00002"}
        widget.set_deleting(["C2Cuser00001"], False)
        widget.clear_failed()
        assert "✗" not in lines_of(widget)[2]
        assert "deleting" not in lines_of(widget)[1]


async def test_a_new_snapshot_keeps_marks_and_cursor() -> None:
    async with shown(many(20)) as (_app, widget, _, pilot):
        widget.mark(["C2Cuser00003", "C2Cuser00019"])
        widget.go_to(5)
        widget.set_conversations(by_id(many(10)))
        await pilot.pause()
        assert widget.marks == {"C2Cuser00003"}
        assert widget.cursor_key == "C2Cuser00005"


async def test_pinned_first_then_newest() -> None:
    rows = [conversation("a", ago=DAY, pinned=True), conversation("b"), conversation("c", ago=MINUTE, pinned=True)]
    async with shown(rows) as (_app, widget, _, _pilot):
        assert names(widget) == ["C2Cc", "C2Ca", "C2Cb"]


async def test_mouse() -> None:
    async with shown(many(20)) as (app, widget, _, pilot):
        await pilot.click(widget, offset=(8, 3))
        assert app.of(ConversationList.Opened)[-1].conversation_id == "C2Cuser00002"  # type: ignore[attr-defined]
        await pilot.click(widget, offset=(2, 5))
        assert widget.marks == {"C2Cuser00004"}
        await pilot.click(widget, offset=(8, 6), control=True)
        assert widget.marks == {"C2Cuser00004", "C2Cuser00005"}
        await pilot.click(widget, offset=(8, 8), shift=True)
        assert widget.marks == {f"C2Cuser0000{number}" for number in (4, 5, 6, 7)}
        assert len(app.of(ConversationList.Opened)) == 1
        await pilot.click(widget, offset=(8, 38))


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (20, 5)])
@pytest.mark.parametrize("symbols", [UNICODE, ASCII])
async def test_sizes(size: tuple[int, int], symbols: Symbols) -> None:
    async with shown(sample() + many(30), size=size, symbols=symbols) as (app, widget, _, pilot):
        app.screen.add_class("-narrow")
        await pilot.pause()
        await pilot.press("end", "home", "down")
        widget.toggle_mark()
        await pilot.resize_terminal(*reversed(size))
        await pilot.resize_terminal(*size)
        lines = lines_of(widget)
        assert any(line.startswith(symbols.cursor) for line in lines)
        assert any(symbols.marked in line for line in lines)


async def test_a_key_press_paints_two_rows_of_ten_thousand() -> None:
    async with shown(many(10_000)) as (_app, widget, _, pilot):
        widget.go_to(5_000)
        await pilot.pause()
        painted: list[Line] = []
        original = widget.paint

        def counted(line: Line, base: str, cells: int) -> Strip:
            painted.append(line)
            return original(line, base, cells)

        widget.paint = counted  # type: ignore[method-assign]
        await pilot.press("up")
        assert len(painted) == 2
        widget.toggle_mark()
        await pilot.pause()
        assert len(painted) == 4
        widget.action_page(1)
        await pilot.pause()
        assert len(painted) <= 4 + widget.size.height
