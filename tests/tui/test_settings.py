"""The settings screen, themes and symbols."""

from pathlib import Path

import pytest
from textual.color import Color
from textual.geometry import Region

from tests.tui.apps import running, said, text_of, until
from tests.tui.fake import FakeSession
from tui_chat.config import DeleteSettings, ScreenSettings, Settings, read_settings
from tui_chat.tui.app import ChatApp
from tui_chat.tui.dialogs.dialog import Frame
from tui_chat.tui.screens.settings import SETTINGS, Setting, SettingsScreen
from tui_chat.tui.themes import ASCII, HIGH_CONTRAST, THEMES, UNICODE, symbols_for

FILE = """# mine
language = "en"  # not the machine's

[screen]
# the one that I like
theme = "light"
mouse = true
"""


async def test_what_is_changed_holds_at_once_and_stands_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(FILE)
    settings = read_settings(file)
    async with running(FakeSession(), settings=settings, settings_file=file) as (app, pilot):
        assert app.theme == "light"
        await pilot.press("ctrl+p", *"settings", "enter")
        await until(lambda: isinstance(app.screen, SettingsScreen))
        await pilot.press("left")
        await until(lambda: app.theme == "textual-dark")
        await pilot.press("j", "j", "enter", "j", "j", "space")
        await until(lambda: not app.settings.delete.clear_history)
        await pilot.press("escape", "j", "d")
        await until(lambda: "[ ] Clear history" in text_of(app))
    written = file.read_text()
    assert written.startswith("# mine\n")
    assert "# not the machine's" in written
    assert "# the one that I like" in written
    assert file.stat().st_mode & 0o777 == 0o600
    after = read_settings(file)
    assert after.screen == ScreenSettings(theme="dark", mouse=False)
    assert after.delete == DeleteSettings(clear_history=False)
    assert after.language == "en"


async def test_a_file_that_is_no_toml_is_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("theme = [")
    async with running(FakeSession(), settings_file=file, faults=1) as (app, pilot):
        await pilot.press("ctrl+p", *"settings", "enter")
        await until(lambda: isinstance(app.screen, SettingsScreen))
        await pilot.press("enter")
        await until(lambda: "mend or remove it" in text_of(app))
        assert app.theme == "textual-dark"
    assert file.read_text() == "theme = ["


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda one: ".".join(one.place))
async def test_every_setting_takes_every_value(setting: Setting, tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    at = SETTINGS.index(setting)
    async with running(FakeSession(), settings_file=file) as (app, pilot):
        await pilot.press("ctrl+p", *"settings", "enter")
        await until(lambda: isinstance(app.screen, SettingsScreen))
        await pilot.press(*["j"] * at)
        seen = set()
        for _value in SETTINGS[at].values:
            await pilot.press("right")
            assert SETTINGS[at].value(read_settings(file)) == SETTINGS[at].value(app.settings)
            seen.add(SETTINGS[at].value(app.settings))
        assert seen == {value for value, _label in SETTINGS[at].values}


@pytest.mark.parametrize("theme", [*THEMES, "nord"])
async def test_themes(theme: str) -> None:
    async with running(FakeSession(), settings=Settings(screen=ScreenSettings(theme=theme))) as (app, pilot):
        assert app.theme == THEMES.get(theme, theme)
        await pilot.press("space", "d")
        await until(lambda: "Delete 1 conversation?" in text_of(app))


async def test_an_unknown_theme_is_told() -> None:
    async with running(FakeSession(), settings=Settings(screen=ScreenSettings(theme="beige"))) as (app, _pilot):
        await until(lambda: any("1 setting is wrong" in one for one in said(app)))
        assert app.theme == "textual-dark"


def luminance(colour: Color) -> float:
    parts = [one / 12.92 if one <= 0.03928 else ((one + 0.055) / 1.055) ** 2.4 for one in colour.normalized]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one: Color, other: Color) -> float:
    """As WCAG 2.2 has it."""
    dark, bright = sorted((luminance(one), luminance(other)))
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(("theme", "least"), [("dark", 3.4), ("light", 4.5), ("high-contrast", 7.0)])
async def test_what_is_written_can_be_read_on_its_ground(theme: str, least: float) -> None:
    """On marked rows too, and in the question before a deletion. Of the dark one some signs have less than its text."""
    session = FakeSession()
    session.refuse = {"C2Cxiaolin": "the server is busy"}
    session.online, session.drafts = frozenset({"bob"}), {"C2Ccarol": "x"}
    async with running(session, settings=Settings(screen=ScreenSettings(theme=theme))) as (app, pilot):
        await pilot.press("j", "j", "j", "d", "y")
        await until(lambda: "the server is busy" in text_of(app))
        await pilot.press("g", "j", "space", "k")
        await pilot.pause()
        assert faint(app, least) == []
        await pilot.press("3", "escape", "k", "k")
        await until(lambda: "message 1200" in text_of(app))
        assert faint(app, least) == []
        await pilot.press("escape", "d")
        await until(lambda: "Clear history" in text_of(app))
        region = app.screen.query_one(Frame).region
        assert faint(app, least, region) == []


def faint(app: ChatApp, least: float, within: Region | None = None) -> list[tuple[str, float]]:
    """What is written with less contrast than that, frames and bars aside."""
    text_of(app)
    region = within or app.screen.region
    found = []
    for strip in app.screen._compositor.render_strips()[region.y : region.bottom]:
        for text, style, _control in strip.crop(region.x, region.right):
            if style is None or style.color is None or style.bgcolor is None or not any(map(str.isalnum, text)):
                continue
            ink, ground = Color.from_rich_color(style.color), Color.from_rich_color(style.bgcolor)
            if (ratio := contrast(ink, ground)) < least:
                found.append((text, round(ratio, 2)))
    return found


def test_high_contrast_is_what_it_says() -> None:
    ground = Color.parse(HIGH_CONTRAST.background or "")
    for name in ("primary", "secondary", "accent", "warning", "error", "success", "foreground"):
        colour = Color.parse(getattr(HIGH_CONTRAST, name))
        assert contrast(colour, ground) >= 7, name
    assert contrast(Color.parse(HIGH_CONTRAST.foreground or ""), Color.parse(HIGH_CONTRAST.panel or "")) >= 7


def test_symbols_by_what_the_terminal_can() -> None:
    assert symbols_for("auto", "utf-8") is UNICODE
    assert symbols_for("auto", "UTF8") is UNICODE
    assert symbols_for("auto", "ISO-8859-1") is ASCII
    assert symbols_for("auto", "ascii") is ASCII
    assert symbols_for("auto", "nothing known") is ASCII
    assert symbols_for("unicode", "ascii") is UNICODE
    assert symbols_for("ascii", "utf-8") is ASCII


async def test_ascii_alone_where_the_encoding_has_no_more() -> None:
    session = FakeSession()
    del session.conversations["C2Cxiaolin"]
    async with running(session, encoding="iso8859-1") as (app, pilot):
        for keys in (["space"], ["d"], ["escape", "question_mark"], ["escape", "enter"]):
            await pilot.press(*keys)
            await pilot.pause()
            page = text_of(app)
            assert page.isascii(), sorted({one for one in page if not one.isascii()})


async def test_no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with running(FakeSession()) as (app, _pilot):
        assert app.no_color
