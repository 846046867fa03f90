"""What is drawn line by line looks as Textual would have drawn it: borders, titles, colours, filters, scroll bars."""

from collections.abc import Iterable
from unittest.mock import patch

import pytest
from rich.style import Style
from textual import scrollbar
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui_chat.tui.themes import ASCII, UNICODE, InAscii, Symbols
from tui_chat.tui.widgets.painting import Painted
from tui_chat.tui.widgets.strips import Drawn, Joined

from .host import Host, by_id, conversation, many, message, sample


def cells(strips: Iterable[Strip], *, meta: bool = False) -> list[list[tuple[str, str, object]]]:
    """Each character with its look; with what a click on it does where that is asked for."""
    return [
        [
            (character, str(style or Style()), style.meta if meta and style is not None else None)
            for text, style, _control in strip
            for character in text
        ]
        for strip in strips
    ]


@pytest.mark.parametrize("symbols", [UNICODE, ASCII], ids=["unicode", "ascii"])
@pytest.mark.parametrize("theme", ["textual-dark", "ansi-dark"])
async def test_lines_look_as_textual_draws_them(symbols: Symbols, theme: str) -> None:
    app = Host(symbols=symbols)
    app._filters.append(InAscii())
    async with app.run_test(size=(90, 24)) as pilot:
        app.theme = theme
        app.list.set_conversations(by_id([*sample(), *many(60)]))
        text = "a word after the other, 明天见，别忘了带上那本书。"
        app.pane.show(conversation("bob", unread=3), [message(seq, text * (seq % 4 + 1)) for seq in range(1, 41)])
        await pilot.pause()
        await pilot.press("space", "j", "j", "space")
        app.pane.append([message(41, "new at the end")])
        await pilot.pause()
        for widget in (app.list, app.pane, app.bar):
            assert isinstance(widget, Painted)
            whole = Region(0, 0, *widget.outer_size)
            ours = widget.render_lines(whole)
            with patch.object(Painted, "render_lines", Widget.render_lines):
                assert cells(ours) == cells(widget.render_lines(whole)), widget
            again = widget.render_lines(whole)
            assert cells(again) == cells(ours), "what is kept looks the same"
            part = Region(3, 2, 20, 5) if whole.height > 5 else Region(3, 0, 20, 1)
            cut = [strip.crop(3, 23) for strip in ours[part.y : part.bottom]]
            assert cells(widget.render_lines(part)) == cells(cut)


async def test_a_row_is_painted_anew_for_another_theme_but_not_for_the_focus() -> None:
    app = Host()
    async with app.run_test(size=(90, 24)) as pilot:
        app.list.set_conversations(by_id(many(60)))
        app.list.focus()
        await pilot.pause()
        await pilot.press("tab")
        await pilot.pause()
        before = app.list.render_line(2)
        assert not app.list.has_focus
        app.list.focus()
        await pilot.pause()
        assert app.list.has_focus
        assert app.list.render_line(2) is before
        app.theme = "textual-light"
        await pilot.pause()
        assert cells([app.list.render_line(2)]) != cells([before])


async def test_the_focus_brings_the_styles_that_the_stylesheet_says() -> None:
    app = Host()
    async with app.run_test(size=(90, 24)) as pilot:
        app.list.set_conversations(by_id(many(60)))
        for change in ("", "", "", "theme", "", "", "class", "", ""):
            if change == "theme":
                app.theme = "textual-light"
            elif change == "class":
                app.list.toggle_class("-ascii")
            await pilot.press("tab")
            await pilot.pause()
            found = app.list.styles.base._rules.copy()
            app.stylesheet.apply(app.list)
            assert found == app.list.styles.base._rules, (change, app.list.has_focus)


@pytest.mark.parametrize("position", [0, 1, 17, 31.5, 47, 10_000])
async def test_the_scroll_bar_looks_and_answers_as_textuals(position: float) -> None:
    app = Host()
    async with app.run_test(size=(90, 24)) as pilot:
        app.list.set_conversations(by_id(many(80)))
        await pilot.pause()
        app.list.scroll_to(y=position, animate=False)
        await pilot.pause()
        bar = app.list.vertical_scrollbar
        whole = Region(0, 0, *bar.outer_size)
        assert whole.height > 10
        theirs = scrollbar.ScrollBar.render_lines(bar, whole)
        assert cells(bar.render_lines(whole), meta=True) == cells(theirs, meta=True)
        assert cells(bar.render_lines(Region(0, 3, 1, 4)), meta=True) == cells(theirs[3:7], meta=True)
        app.theme = "textual-light"
        await pilot.pause()
        theirs = scrollbar.ScrollBar.render_lines(bar, whole)
        assert cells(bar.render_lines(whole), meta=True) == cells(theirs, meta=True), "what was kept is not this"


def test_a_strip_that_is_drawn_is_cut_as_any_other() -> None:
    segments = list(Strip.blank(4, Style(bold=True))) + list(Strip.blank(3)) + list(Strip.blank(5, Style(dim=True)))
    theirs = Strip(segments, 12)
    sides = Drawn(segments[:1], 4), Drawn(segments[1:], 8)
    for ours in (Drawn(segments, 12), Joined(sides), Joined([Drawn(segments, 12)])):
        for cuts in ([12], [2, 12], [4, 7, 12], [4, 7, 12], [1, 5], [3, 12, 40], [2, 12]):
            assert cells(ours.divide(cuts)) == cells(theirs.divide(cuts)), cuts
            lengths = [part.cell_length for part in theirs.divide(cuts)]
            assert [part.cell_length for part in ours.divide(cuts)] == lengths
        assert cells([ours.crop(3, 9)]) == cells([theirs.crop(3, 9)])


def test_a_part_that_is_not_cut_through_stays_the_same() -> None:
    left, middle, right = (Drawn(Strip.blank(count), count) for count in (1, 7, 2))
    first, last = Joined([left, middle, right]).divide([8, 10])
    assert isinstance(first, Joined)
    assert first.parts == (left, middle)
    assert first.parts[1] is middle
    assert last is right


async def test_a_list_that_gets_the_focus_has_only_its_border_sent() -> None:
    app = Host()
    async with app.run_test(size=(90, 24)) as pilot:
        app.list.set_conversations(by_id(many(60)))
        app.list.focus()
        await pilot.pause()
        region = Region(0, 0, *app.list.outer_size)
        before = app.list.render_lines(region)
        await pilot.press("tab")
        await pilot.pause()
        after = app.list.render_lines(region)
        assert cells(before) != cells(after)
        for one, other in zip(before[1:-1], after[1:-1], strict=True):
            assert isinstance(one, Joined)
            assert isinstance(other, Joined)
            assert one.parts[1] is other.parts[1]
        app.list.focus()
        await pilot.pause()
        again = app.list.render_lines(region)
        assert all(one is other for one, other in zip(before[1:-1], again[1:-1], strict=True)), "it was drawn before"
