"""The screen in Chinese: its words, and that wide characters keep every line as wide as the terminal."""

from collections.abc import Iterator

import pytest

from tests.tui.apps import listed, running, said, text_of, until
from tests.tui.fake import FakeSession
from tui_chat.locale import use_language
from tui_chat.tui.app import ChatApp
from tui_chat.tui.render.cells import width
from tui_chat.tui.safe import own


@pytest.fixture(autouse=True)
def _chinese() -> Iterator[None]:
    use_language("zh_CN")
    yield
    use_language("en")


def compact(app: ChatApp) -> str:
    """The screen without its spaces."""
    return text_of(app).replace(" ", "")


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (40, 12)])
async def test_every_line_is_as_wide_as_the_terminal(size: tuple[int, int]) -> None:
    async with running(FakeSession(), size=size) as (app, pilot):
        for keys in ([], ["space", "d"], ["j", "enter"], ["question_mark"], ["ctrl+p"], ["L"], ["c"]):
            await pilot.press(*keys)
            await pilot.pause()
            assert {width(own(line)) for line in text_of(app).splitlines()} == {size[0]}, keys
            await pilot.press("escape", "escape", "escape")


async def test_deleting_from_the_question_to_the_undo() -> None:
    async with running(FakeSession()) as (app, pilot):
        rows = listed(app)
        await pilot.press("space", "space", "d")
        await until(lambda: "删除2个会话？" in compact(app))
        assert "[x]清空聊天记录(c)" in compact(app)
        assert "[删除并清空]" in compact(app)
        await pilot.press("c")
        await until(lambda: "[删除，保留记录]" in compact(app))
        await pilot.press("y")
        await until(lambda: said(app) and said(app)[-1] == "已删除 2 个会话 · 按 u 恢复")
        await pilot.press("u")
        await until(lambda: listed(app) == rows)


async def test_the_palette_asks_in_chinese() -> None:
    async with running(FakeSession()) as (app, pilot):
        await pilot.press("ctrl+p")
        await until(lambda: "搜索命令…" in compact(app) and "撤销删除" in compact(app))
        await pilot.press("ctrl+p")
        await pilot.press("escape")
        await until(lambda: app.screen is app.main)
