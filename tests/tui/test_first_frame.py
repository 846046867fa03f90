"""What the first frame waits for, and what a key draws: structure that keeps both quick. Figures: `tests.bench tui`."""

import subprocess
import sys
from typing import Any
from unittest.mock import patch

import pyte
import pytest
from rich.console import RenderableType
from textual import events
from textual._compositor import Compositor, CompositorUpdate, LayoutUpdate
from textual._context import visible_screen_stack
from textual.geometry import Region, Size
from textual.screen import Screen
from textual.widget import Widget

from tests.tui.apps import running, said, text_of, until
from tests.tui.fake import FakeSession, row
from tui_chat.tui import drawing
from tui_chat.tui.app import ChatApp
from tui_chat.tui.compositing import _beside
from tui_chat.tui.drawing import PromptScreen

LATER = (
    *("httpx", "websockets", "tinydb", "tomlkit", "tomllib", "argparse"),
    *("textual.widgets._text_area", "textual.widgets._markdown", "tree_sitter", "pygments"),
    *("tui_chat.client.session", "tui_chat.client.core", "tui_chat.cli.parser", "tui_chat.cache.account"),
    *("tui_chat.client.query", "tui_chat.tui.widgets.query_bar"),
    *("tui_chat.tui.screens.conversation_pane", "tui_chat.tui.widgets.message_pane", "tui_chat.tui.dialogs.dialog"),
)


def test_it_loads_nothing_that_it_does_not_show() -> None:
    script = (
        "import sys\n"
        "import tui_chat.cli.open_client, tui_chat.cli.account, tui_chat.client.early, tui_chat.tui.app\n"
        f"print(*[name for name in {LATER!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def waits(screen: Screen[Any]) -> bool:
    """Whether the program is going to draw something by itself."""
    assert isinstance(screen, PromptScreen)
    return screen._waits_to_be_drawn


async def test_a_key_that_moves_the_cursor_has_two_lines_of_the_list_drawn() -> None:
    session = FakeSession({f"C2Cu{n:03}": row(f"C2Cu{n:03}", age=n) for n in range(300)})
    async with running(session) as (app, pilot):
        await pilot.press("j")
        await pilot.pause()
        asked = asked_for_lines(app)
        await pilot.press("j")
        await pilot.pause()
        assert sorted(asked) == [("DeviceList#primary-list", 2)]


async def test_for_a_whole_frame_nothing_is_drawn_that_lies_below_something_else() -> None:
    async with running(FakeSession()) as (app, pilot):
        await pilot.pause()
        asked = asked_for_lines(app)
        app.main.refresh()
        await pilot.pause()
        names = {name for name, _lines in asked}
        assert {"DeviceList#primary-list", "StatusBar#status"} <= names
        assert not {"MainScreen", "Horizontal#panes", "DevicePane#primary"} & names, "they only hold others"


@pytest.mark.parametrize("size", [(120, 40), (90, 24), (40, 9)])
@pytest.mark.parametrize("options", [{}, {"coach": True}, {"encoding": "ascii"}])
async def test_the_first_frame_looks_as_it_does_when_all_styles_are_worked_out_anew(
    size: tuple[int, int], options: dict[str, Any]
) -> None:
    async with running(FakeSession(), size=size, **options) as (app, pilot):
        for key in ("d", "escape", "S", "escape", "question_mark"):
            first = cells(app.screen)
            app.stylesheet.update(app.screen)
            app.screen.refresh(layout=True)
            await pilot.pause()
            await until(lambda: not shown(app)._waits_to_be_drawn)
            assert cells(app.screen) == first
            await pilot.press(key)
            await pilot.pause()
            await until(lambda: not shown(app)._waits_to_be_drawn)


async def test_everything_is_laid_out_twice_at_most_for_the_first_frame() -> None:
    laid_out: list[str] = []
    lay_out = Compositor.reflow

    def counted(self: Compositor, parent: Widget, size: Size) -> object:
        laid_out.append(parent.css_identifier)
        return lay_out(self, parent, size)

    painted: list[list[str]] = []
    with (
        patch.object(Compositor, "reflow", counted),
        patch.object(ChatApp, "_painted", lambda app: painted.append(laid_out.copy())),
    ):
        app = ChatApp(FakeSession().as_session())
        async with app.run_test(size=(120, 40)):
            await until(lambda: painted)
    assert len(painted[0]) <= 2


@pytest.mark.parametrize(
    "hidden", [Region(x, y, w, h) for x in (0, 3, 9) for y in (0, 2) for w in (1, 4) for h in (1, 9)]
)
def test_what_is_left_beside_something_hidden_is_every_other_cell_once(hidden: Region) -> None:
    def cells(region: Region) -> list[tuple[int, int]]:
        return [(x, y) for y in region.line_range for x in region.column_range]

    region = Region(2, 1, 6, 5)
    left = [cell for part in _beside(region, hidden) for cell in cells(part)]
    assert sorted(left) == sorted(set(cells(region)) - set(cells(hidden)))


async def test_a_key_in_the_list_is_one_frame_with_all_that_it_changes() -> None:
    frames: list[str] = []
    async with running(FakeSession()) as (app, pilot):
        display = app._display

        def watched(screen: Screen[object], update: RenderableType | None) -> None:
            if isinstance(update, CompositorUpdate):
                frames.append(update.render_segments(app.console))
            display(screen, update)

        await pilot.pause()
        await until(lambda: not app.main._waits_to_be_drawn)
        with patch.object(app, "_display", watched):
            await app.on_event(events.Key("space", " "))
            assert len(frames) == 1, "it waits for no message"
            assert app.symbols.marked in frames[0]
            assert "1 marked" in frames[0]
            await pilot.pause()
            assert len(frames) == 1


async def test_marking_by_query_is_one_frame_with_the_bar_gone_and_the_list_in_focus() -> None:
    frames: list[str] = []
    async with running(FakeSession()) as (app, pilot):
        display = app._display

        def watched(screen: Screen[object], update: RenderableType | None) -> None:
            if isinstance(update, CompositorUpdate) and (sent := update.render_segments(app.console)):
                frames.append(sent)
            display(screen, update)

        await pilot.press("T", *"unread:")
        await until(lambda: "4 of 7 match" in text_of(app))
        await pilot.pause()
        await until(lambda: not app.main._waits_to_be_drawn)
        with patch.object(app, "_display", watched):
            await app.on_event(events.Key("enter", "\r"))
            assert len(frames) == 1, "it waits for no message"
            assert "4 marked" in frames[0]
            assert len(app.main.primary.list.marks) == 4
            assert app.main.focused is app.main.primary.list
            shown = text_of(app)
            assert "4 of 7 match" not in shown
            await until(lambda: "4 rows marked" in said(app))
            await pilot.pause()
            assert not [frame for frame in frames[1:] if app.symbols.marked in frame], "no row is sent again"


@pytest.mark.parametrize(("key", "words"), [("S", "Never answered"), ("d", "Cancel")])
async def test_a_dialog_comes_and_goes_with_one_whole_screen_each(key: str, words: str) -> None:
    whole: list[str] = []
    parts: list[str] = []
    async with running(FakeSession()) as (app, pilot):
        display = app._display

        def watched(screen: Screen[object], update: RenderableType | None) -> None:
            if isinstance(update, CompositorUpdate):
                (whole if isinstance(update, LayoutUpdate) else parts).append(update.render_segments(app.console))
            display(screen, update)

        async def drawn(count: int) -> None:
            await until(lambda: len(whole) >= count and not waits(app.screen))
            await pilot.pause()  # which draws what it finds: not before the program has drawn by itself

        await pilot.pause()
        await until(lambda: not app.main._waits_to_be_drawn)
        # On a machine that stands still for a moment what belongs together comes later than SETTLE.
        with patch.object(app, "_display", watched), patch.object(drawing, "SETTLE", 0.1):
            await pilot.press(key)
            await drawn(1)
            assert words in "".join([*whole, *parts])
            assert len(whole) == 1
            parts.clear()
            await pilot.press("escape")
            await drawn(2)
            assert app.screen is app.main
            assert len(whole) == 2
            assert "Conversations" in whole[1]
            assert "".join(parts) == "", "nothing is sent a second time"


async def test_a_key_does_not_overtake_what_was_done_with_the_mouse() -> None:
    async with running(FakeSession()) as (app, pilot):
        await pilot.pause()
        listed, done = app.device.list, []
        listed.call_later(lambda: done.append(listed.cursor_index))
        await app.on_event(events.Key("j", "j"))
        await until(lambda: listed.cursor_index == 1)
        assert done == [0]


async def test_what_is_drawn_in_parts_is_what_the_whole_would_be() -> None:
    terminal = pyte.Screen(120, 40)
    stream = pyte.Stream(terminal)
    whole = 0

    async with running(FakeSession()) as (app, pilot):
        display = app._display

        def watched(screen: Screen[object], update: RenderableType | None) -> None:
            nonlocal whole
            if isinstance(update, CompositorUpdate):
                whole += isinstance(update, LayoutUpdate)
                stream.feed(update.render_segments(app.console).replace("\n", "\r\n"))
            display(screen, update)

        with patch.object(app, "_display", watched):
            app.main.refresh()
            await pilot.pause()
            whole = 0
            for keys in ("enter", "escape", "escape", "tab", "tab", "slash b", "enter", "space k"):
                await pilot.press(*keys.split())
                await pilot.pause()
                await until(lambda: not app.main._waits_to_be_drawn)
                before = looks(terminal)
                assert whole == 0, f"{keys}: the whole screen is drawn"
                app.main.refresh()
                await pilot.pause()
                await until(lambda: not app.main._waits_to_be_drawn)
                assert whole == 1
                assert looks(terminal) == before, keys
                whole = 0


def shown(app: ChatApp) -> PromptScreen[Any]:
    """The screen on top, which is one of ours."""
    assert isinstance(app.screen, PromptScreen)
    return app.screen


def cells(screen: Screen[Any]) -> list[tuple[str, str]]:
    """What is drawn, with its styles."""
    visible_screen_stack.set(screen.app._background_screens)
    return [(segment.text, repr(segment.style)) for strip in screen._compositor.render_strips() for segment in strip]


def asked_for_lines(app: ChatApp) -> list[tuple[str, int]]:
    """Which widgets are asked from now on for how many of their lines."""
    asked: list[tuple[str, int]] = []
    for widget in app.main._compositor.visible_widgets:
        drawn = widget.render_lines

        def counted(crop: Region, drawn: object = drawn, name: str = widget.css_identifier) -> object:
            asked.append((name, crop.height))
            assert callable(drawn)
            return drawn(crop)

        widget.render_lines = counted  # type: ignore[method-assign, assignment]
    return asked


def looks(terminal: pyte.Screen) -> list[list[pyte.screens.Char]]:
    """Every cell of the terminal."""
    return [[terminal.buffer[y][x] for x in range(terminal.columns)] for y in range(terminal.lines)]
