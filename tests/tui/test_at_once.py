"""Keys that act in the turn of the app: Enter on a query, as keys of the list. What they draw, and what they do not."""

import gc
from unittest.mock import patch

import pytest
from rich.console import RenderableType
from textual import events
from textual._compositor import CompositorUpdate
from textual.app import App
from textual.screen import Screen

from tests.tui.apps import listed, running, text_of, until
from tests.tui.fake import FakeSession
from tui_chat.tui.drawing import undisturbed


class Frames:
    """What an app sends from now on."""

    def __init__(self, app: App[None]) -> None:
        self.sent: list[str] = []
        self.looking_for_garbage: list[bool] = []
        """Of each: whether Python would while it is made."""
        display = app._display

        def watched(screen: Screen[object], update: RenderableType | None) -> None:
            if isinstance(update, CompositorUpdate) and (sent := update.render_segments(app.console)):
                self.sent.append(sent)
                self.looking_for_garbage.append(gc.isenabled())
            display(screen, update)

        self.watching = patch.object(app, "_display", watched)


async def test_a_filter_is_kept_in_one_frame_with_its_second_line_gone_and_the_list_in_focus() -> None:
    async with running(FakeSession()) as (app, pilot):
        await pilot.press("slash", *"unread:")
        await until(lambda: len(listed(app)) == 4)
        await pilot.pause()
        await until(lambda: not app.main._waits_to_be_drawn)
        frames = Frames(app)
        with frames.watching:
            await app.on_event(events.Key("enter", "\r"))
            assert len(frames.sent) == 1, "it waits for no message"
            assert app.main.focused is app.main.primary.list
            assert "unread:" in text_of(app)
            assert app.main.primary.list.has_focus


async def test_no_garbage_is_looked_for_while_a_key_is_answered() -> None:
    async with running(FakeSession()) as (app, pilot):
        await pilot.pause()
        await until(lambda: not app.main._waits_to_be_drawn)
        frames = Frames(app)
        with frames.watching:
            await app.on_event(events.Key("space", " "))
        assert frames.looking_for_garbage == [False]
        assert gc.isenabled()


def test_where_no_garbage_is_looked_for_none_is_afterwards() -> None:
    gc.disable()
    try:
        with undisturbed():
            assert not gc.isenabled()
        assert not gc.isenabled()
    finally:
        gc.enable()
    with pytest.raises(KeyError), undisturbed():
        raise KeyError
    assert gc.isenabled()


async def test_enter_right_behind_the_query_takes_all_of_it() -> None:
    async with running(FakeSession()) as (app, pilot):
        for character in "Tunread:":
            await app.on_event(events.Key(character, character))
        await app.on_event(events.Key("enter", "\r"))
        await until(lambda: len(app.main.primary.list.marks) == 4)
        await until(lambda: app.main.focused is app.main.primary.list)
        await pilot.pause()
        assert "match" not in text_of(app)


async def test_enter_on_a_query_that_cannot_be_read_leaves_it_there() -> None:
    async with running(FakeSession()) as (app, pilot):
        await pilot.press("T", *"older:x")
        await until(lambda: "is not a time" in text_of(app))
        await app.on_event(events.Key("enter", "\r"))
        await pilot.pause()
        assert app.main.focused is not app.main.primary.list
        assert "is not a time" in text_of(app)
        assert not app.main.primary.list.marks


async def test_a_query_bar_opens_empty_whatever_was_typed_there_before() -> None:
    async with running(FakeSession()) as (app, pilot):
        await pilot.press("T", *"unread:", "enter")
        await until(lambda: len(app.main.primary.list.marks) == 4)
        await pilot.press("T")
        await until(lambda: "Mark what matches" in text_of(app))
        assert "unread: older:30d" in text_of(app), "the hint of an empty line"
        await pilot.press("enter")
        await until(lambda: app.main.focused is app.main.primary.list)
        assert len(app.main.primary.list.marks) == 4
