"""What settings and environment do to the bytes that a terminal gets: mouse, colours, symbols."""

import re
from pathlib import Path

import pytest

from tests.accounts import PASSWORD, People
from tests.integration.terminal import Terminal
from tests.servers import LiveServer

pytestmark = pytest.mark.timeout(120)

MOUSE = b"\x1b[?1000h"
TRUE_COLOUR = re.compile(rb"[34]8;2;(\d+);(\d+);(\d+)")
STYLES = re.compile(rb"\x1b\[([\d;:]+)m")
ANSI = re.compile(rb"\x1b\[(?:\d+;)*(?:3[0-7]|9[0-7])[;m]")
INDEXED = re.compile(rb"[34]8;5;\d+")


@pytest.fixture
def url(people: People, server: LiveServer) -> str:
    """A server where alice has one conversation."""
    people.register("alice")
    people.register("bob").send("C2Calice", "hello alice")
    return server.url


def shown(home: Path, url: str, settings: str = "", **environment: str) -> Terminal:
    """The client with one conversation open, and ended: what is left is what it drew."""
    file = home / "config" / "tui-chat" / "settings.toml"
    file.parent.mkdir(parents=True)
    file.write_text(settings, "utf-8")
    said = {"TUI_CHAT_PASSWORD": PASSWORD, "COLORTERM": "truecolor", **environment}
    with Terminal(home, "--server", url, "--user", "alice", columns=100, lines=24, **said) as terminal:
        terminal.see("connected")
        terminal.see("bob")
        terminal.press("Enter")
        terminal.see("hello alice")
        terminal.press("Escape")
        terminal.see("i Write")
        terminal.press("Escape")
        terminal.see("d Delete")
        terminal.press("Space")
        terminal.see("1 marked")
        terminal.press("Ctrl+Q")
        assert terminal.ended() == 0
    return terminal


@pytest.mark.parametrize(("said", "taken"), [("", True), ("[screen]\nmouse = false\n", False)])
def test_the_mouse_is_taken_unless_it_is_left_to_the_terminal(tmp_path: Path, url: str, said: str, taken: bool) -> None:
    assert (MOUSE in shown(tmp_path, url, said).written) is taken


def colours(written: bytes) -> set[bytes]:
    """Every code that sets a colour, of whichever kind; those for the terminal's own two as well."""
    codes = {code for said in STYLES.findall(written) for code in re.split(b"[;:]", said)}
    return {code for code in codes if re.fullmatch(rb"[34][0-9]|9[0-7]|10[0-7]", code)}


def test_no_color_sends_no_colour_at_all(tmp_path: Path, url: str) -> None:
    assert colours(shown(tmp_path / "none", url, NO_COLOR="1").written) == set()
    assert colours(shown(tmp_path / "coloured", url).written) >= {b"38", b"48"}


@pytest.mark.parametrize("environment", [{}, {"NO_COLOR": "1"}], ids=["colours", "none"])
def test_the_ansi_theme_takes_the_terminals_own_colours(tmp_path: Path, url: str, environment: dict[str, str]) -> None:
    written = shown(tmp_path, url, '[screen]\ntheme = "ansi"\n', **environment).written
    assert bool(ANSI.search(written)) is not bool(environment)
    assert TRUE_COLOUR.findall(written) == []
    assert INDEXED.findall(written) == []


def test_high_contrast_is_white_on_black(tmp_path: Path, url: str) -> None:
    written = shown(tmp_path, url, '[screen]\ntheme = "high-contrast"\n').written
    assert b"48;2;0;0;0" in written
    assert b"38;2;255;255;255" in written


@pytest.mark.parametrize(
    ("said", "environment"),
    [
        ('[screen]\nsymbols = "ascii"\n', {}),
        ("", {"PYTHONIOENCODING": "iso-8859-1"}),
        ("", {"TERM": "linux"}),
    ],
    ids=["by the settings", "by the terminal's encoding", "by the terminal's kind"],
)
def test_ascii_where_it_is_asked_for_or_the_terminal_has_no_more(
    tmp_path: Path, url: str, said: str, environment: dict[str, str]
) -> None:
    written = shown(tmp_path, url, said, **environment).written
    assert written.isascii(), set(re.findall(rb"[\x80-\xff]+", written))


def test_a_settings_file_with_faults_does_not_keep_the_client_from_starting(tmp_path: Path, url: str) -> None:
    file = tmp_path / "config" / "tui-chat" / "settings.toml"
    file.parent.mkdir(parents=True)
    file.write_text('[screen]\ntheme = 7\nmose = true\n[keys]\ndelte = "d"\nundo = "d"\n', "utf-8")
    with Terminal(
        tmp_path, "--server", url, "--user", "alice", columns=100, lines=24, TUI_CHAT_PASSWORD=PASSWORD
    ) as terminal:
        terminal.see("tui-chat config check")
        terminal.see("connected")
        terminal.press("Ctrl+Q")
        assert terminal.ended() == 0
    with Terminal(tmp_path, "config", "check", columns=120, lines=24) as terminal:
        assert terminal.ended() == 1
        terminal.read()
        for line in (2, 3, 5, 6):
            assert f"settings.toml:{line}:" in terminal.text.replace("\n", "")
