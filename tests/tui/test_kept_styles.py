"""Styles that are kept from one start to the next: the same screen, and nothing read twice; never a wrong one."""

from pathlib import Path
from unittest.mock import patch

import pytest
from textual.css.parse import parse
from textual.css.stylesheet import Stylesheet

from tests.tui.apps import running, until
from tests.tui.fake import FakeSession
from tui_chat.config import ScreenSettings, Settings
from tui_chat.tui.app import ChatApp
from tui_chat.tui.kept_styles import KeptStyles, _digest, _made_from

LIGHT = Settings(screen=ScreenSettings(theme="light"))


async def look(file: Path | None, settings: Settings | None = None) -> tuple[list[str], list[str]]:
    """Every cell of the first frame with its style; and the sources that were read for it."""
    read: list[str] = []

    def counted(scope: str, css: str, read_from: tuple[str, str], **options: object) -> object:
        read.append(" ".join(read_from))
        return parse(scope, css, read_from, **options)  # type: ignore[arg-type]

    painted = ChatApp._painted
    first: list[list[str]] = []

    def noted(app: ChatApp) -> None:
        strips = app.main._compositor.render_strips()
        first.append([repr((segment.text, segment.style)) for strip in strips for segment in strip])
        first.append(list(read))
        painted(app)

    with patch("textual.css.stylesheet.parse", counted), patch.object(ChatApp, "_painted", noted):
        async with running(FakeSession(), styles_file=file, settings=settings) as (_app, pilot):
            if file is not None:
                await until(file.exists)
            await pilot.pause()
    return first[0], first[1]


async def test_the_next_start_reads_nothing_and_looks_the_same(tmp_path: Path) -> None:
    plain, _ = await look(None)
    first, read = await look(tmp_path / "cache" / "styles")
    assert any("main.tcss" in source for source in read)
    assert (tmp_path / "cache" / "styles").stat().st_mode & 0o777 == 0o600
    second, read = await look(tmp_path / "cache" / "styles")
    assert read == []
    assert first == plain
    assert second == plain


async def test_another_theme_is_read_anew(tmp_path: Path) -> None:
    dark, _ = await look(tmp_path / "styles")
    plain, _ = await look(None, LIGHT)
    light, read = await look(tmp_path / "styles", LIGHT)
    assert read
    assert light == plain
    assert light != dark


async def test_what_was_kept_of_another_source_does_not_count(tmp_path: Path) -> None:
    await look(tmp_path / "styles")
    with patch.object(ChatApp, "CSS", "#status { background: red; }"):
        changed, _ = await look(tmp_path / "styles")
        plain, _ = await look(None)
    assert changed == plain


@pytest.mark.parametrize("cut", [0, 10, 40, 1_000])
async def test_half_a_file_is_none(tmp_path: Path, cut: int) -> None:
    file = tmp_path / "styles"
    await look(file)
    file.write_bytes(file.read_bytes()[:cut])
    sheet = Stylesheet()
    KeptStyles(file, sheet)
    assert not sheet._parse_cache.keys()


@pytest.mark.parametrize(
    "held",
    [
        b"cos\nmkdir\n(Vmade\ntR.",
        b"cbuiltins\ngetattr\n(cos\nmkdir\nV__call__\ntR.",
        b"cbuiltins\ngetattr\n(}Vclear\ntR.",
    ],
)
def test_a_file_of_anything_but_styles_makes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: bytes
) -> None:
    monkeypatch.chdir(tmp_path)
    sheet = Stylesheet()
    (tmp_path / "styles").write_bytes(_digest(_made_from(sheet), held) + held)
    KeptStyles(tmp_path / "styles", sheet)
    assert not sheet._parse_cache.keys()
    assert [path.name for path in tmp_path.iterdir()] == ["styles"]


async def test_where_they_cannot_be_written_nothing_is_said(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, where a directory should be")
    async with running(FakeSession(), styles_file=tmp_path / "taken" / "styles") as (app, pilot):
        await pilot.pause()
        assert app._exception is None
        assert not app._notifications
