"""Writing a message."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual import events
from textual.pilot import Pilot

from tui_chat.tui.widgets.composer import Composer

from .host import Host


@asynccontextmanager
async def focused(size: tuple[int, int] = (100, 30)) -> AsyncIterator[tuple[Host, Composer, Pilot[None]]]:
    app = Host()
    async with app.run_test(size=size, message_hook=app.hook) as pilot:
        app.composer.focus()
        await pilot.pause()
        yield app, app.composer, pilot


def submitted(app: Host) -> list[str]:
    return [event.text for event in app.of(Composer.Submitted)]  # type: ignore[attr-defined]


async def test_enter_submits_and_empties() -> None:
    async with focused() as (app, composer, pilot):
        await pilot.press(*"hi", "ctrl+j", *"you", "shift+enter", "!", "enter")
        assert submitted(app) == ["hi\nyou\n!"]
        assert composer.text == ""


async def test_nothing_visible_is_not_submitted() -> None:
    async with focused() as (app, composer, pilot):
        await pilot.press("enter", "space", "ctrl+j", "enter")
        assert submitted(app) == []
        assert composer.text == " \n"


async def test_pasted_text_is_made_harmless() -> None:
    async with focused() as (app, composer, pilot):
        app.post_message(events.Paste("a\x1b]52;c;eA==\x07b\r\nc\u202ed\x9b31m"))
        await pilot.pause()
        assert composer.text == "a]52;c;eA==b\ncd31m"


async def test_it_holds_eight_kibibytes() -> None:
    rung: list[int] = []
    app = Host()
    app.composer = Composer(most_bytes=100, bell=lambda: rung.append(1))
    async with app.run_test(size=(100, 30)) as pilot:
        app.composer.focus()
        await pilot.pause()
        app.post_message(events.Paste("小" * 50))
        await pilot.pause()
        assert app.composer.text == "小" * 33
        await pilot.press("a", "b")
        assert app.composer.text == "小" * 33 + "a"
        assert len(rung) == 2
        assert "100 of 100" in str(app.composer._border_subtitle)
        await pilot.press(*["backspace"] * 20)
        assert app.composer._border_subtitle is None


async def test_blocked_says_why_and_keeps_what_was_written() -> None:
    async with focused() as (app, composer, pilot):
        await pilot.press(*"draft")
        composer.set_blocked("You are not a member of [#ubuntu].")
        await pilot.press("x", "enter", "ctrl+j")
        assert composer.text == "draft"
        assert submitted(app) == []
        assert str(composer._border_title) == "You are not a member of [#ubuntu]."
        await pilot.press("f7", "x")
        assert composer.text == "draft", "another letter takes nothing's place"
        await pilot.press("ctrl+c")
        assert app.clipboard == "draft"
        await pilot.press("backspace")
        assert composer.text == ""
        await pilot.pause()
        assert composer._border_title is None
        composer.set_blocked("Nobody can write to the system's conversation.")
        await pilot.pause()
        assert "Nobody can write" in composer.render_line(0).text
        composer.set_blocked(None)
        await pilot.press("x", "enter")
        assert submitted(app) == ["x"]


async def test_a_draft_is_put_in_with_the_cursor_at_its_end() -> None:
    async with focused() as (_app, composer, pilot):
        composer.set_draft("half\na")
        await pilot.press("b")
        assert composer.text == "half\nab"


async def test_it_grows_with_what_is_written() -> None:
    async with focused() as (app, composer, pilot):
        low, pane = composer.outer_size.height, app.pane.outer_size.height
        await pilot.press(*["ctrl+j"] * 12)
        await pilot.pause()
        assert low == 3
        assert composer.outer_size.height == 8
        assert app.pane.outer_size.height == pane - 5


async def test_nothing_ticks_while_it_waits() -> None:
    async with focused() as (_app, composer, _pilot):
        assert not composer.cursor_blink


@pytest.mark.parametrize("size", [(80, 24), (20, 5)])
async def test_sizes(size: tuple[int, int]) -> None:
    async with focused(size) as (app, _composer, pilot):
        app.list.display = False
        app.post_message(events.Paste("hello there, this is a message that is longer than the pane"))
        await pilot.press("!", "enter")
        assert len(submitted(app)) == 1


async def test_what_was_pasted_is_taken_back_and_put_in_again_however_many_lines_it_has() -> None:
    async with focused() as (app, composer, pilot):
        await pilot.press("a")
        for lines in (2, 20, 300):
            text = "\n".join(f"line {number}" for number in range(lines))
            app.post_message(events.Paste(text))
            await pilot.pause()
            await pilot.press("ctrl+underscore")
            assert composer.text == "a"
            await pilot.press("ctrl+y")
            assert composer.text == "a" + text
            assert composer.cursor_location == composer.document.end
            await pilot.press("ctrl+underscore", "b")
            assert composer.text == "ab"
            await pilot.press("backspace")
