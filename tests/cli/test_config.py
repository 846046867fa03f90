"""`tui-chat config`."""

from pathlib import Path

import pytest

from tests.cli.conftest import Run, objects
from tui_chat.config import Paths, Settings
from tui_chat.settings_file import change_settings, read_leniently


def _write(text: str) -> Path:
    path = Paths.of_user().settings_file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


WRONG = """language = "en"
colour = "red"

[screen]
theme = "beige"
symbols = "runes"

[keys]
delete = ["u"]
delet = "x"
undo = "banana"
pin = "P"
"""


def test_without_a_file_everything_has_its_default(run: Run, home: Path) -> None:
    assert run("config", "path") == (0, f"{home}/config/tui-chat/settings.toml\n", "")
    code, out, _ = run("config", "check")
    assert code == 0
    assert "there is none" in out
    code, out, _ = run("config", "show")
    assert code == 0
    assert 'theme = "dark"' in out
    assert "clear_history = true" in out


def test_what_is_wrong_is_named_with_file_and_line(run: Run, home: Path) -> None:
    path = _write(WRONG)
    code, out, _ = run("config", "check")
    assert code == 1
    lines = out.splitlines()
    assert [line.split(": ")[0] for line in lines] == [f"{path}:{number}" for number in (2, 5, 6, 9, 10, 11)]
    assert "colour" in lines[0]
    assert "beige" in lines[1]
    assert "runes" in lines[2]
    assert "'u' is the key of 'undo' already" in lines[3]
    assert "no command is called 'delet'" in lines[4]
    assert "'banana' is no key" in lines[5]
    code, out, _ = run("config", "check", "--json")
    assert code == 1
    assert [one["line"] for one in objects(out)] == [2, 5, 6, 9, 10, 11]


def test_a_misspelt_variable_is_named_by_every_command(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUI_CHAT_HSOT", "0.0.0.0")
    code, _, err = run("config", "path")
    assert code == 0
    assert (
        err
        == "tui-chat: TUI_CHAT_HSOT in the environment is no setting and does nothing; did you mean TUI_CHAT_HOST?\n"
    )


def test_a_file_without_fault(run: Run, home: Path) -> None:
    _write('[keys]\ndelete = ["x", "delete"]\n')
    code, out, _ = run("config", "check")
    assert (code, "nothing is wrong" in out) == (0, True)


@pytest.mark.parametrize("text", ["theme = [", "language = 7\n[screen]\nmouse = 'yes'\n", "\x00"])
def test_reading_leniently_never_fails(home: Path, text: str) -> None:
    read = read_leniently(_write(text))
    assert read.faults
    assert read.settings == Settings()


def test_one_fault_costs_no_other_setting(home: Path) -> None:
    read = read_leniently(_write('[screen]\ntheme = "light"\nsymbols = 5\n[history]\nkeep = 250\n'))
    assert (read.settings.screen.theme, read.settings.screen.symbols, read.settings.history.keep) == (
        "light",
        "auto",
        250,
    )
    assert [fault.line for fault in read.faults] == [3]


def test_changes_leave_comments_and_order_as_they_are(home: Path) -> None:
    path = _write("# top\n[history]\nkeep = 250 # enough\n")
    change_settings(path, {("screen", "theme"): "light", ("language",): "en"})
    change_settings(path, {("language",): None})
    text = path.read_text()
    assert text.startswith("# top\n")
    assert "[history]\nkeep = 250 # enough\n" in text
    assert "language" not in text
    assert read_leniently(path).settings.screen.theme == "light"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_that_is_a_link_stays_one(home: Path, tmp_path: Path) -> None:
    kept = tmp_path / "dotfiles.toml"
    kept.write_text("")
    path = _write("")
    path.unlink()
    path.symlink_to(kept)
    change_settings(path, {("screen", "theme"): "light"})
    assert path.is_symlink()
    assert "light" in kept.read_text()
