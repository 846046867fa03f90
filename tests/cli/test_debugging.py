"""`--debug`: what a run did stands in a file of its owner's, and nothing of what anybody wrote."""

import os
import re
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.servers import LiveServer
from tui_chat.cli.debugging import FULL_BYTES, debug_log, told


def log_of(home: Path) -> Path:
    """Where it is."""
    return home / "state" / "tui-chat" / "debug.log"


def test_exchanges_are_in_it_and_what_was_said_is_not(accounts: Run, home: Path, server: LiveServer) -> None:
    code, _, err = accounts("send", "--debug", "bob", "the vault opens at nine")
    assert code == 0
    assert str(log_of(home)) in err, "one is told where it is"
    assert accounts("--debug", "search", "vault")[0] == 0
    assert accounts("read", "--debug", "bob")[0] == 0
    assert accounts("--debug", "list", "--server", server.url, "--user", "alice")[0] == 0
    assert accounts("login", "--debug", "--server", server.url, "--user", "alice", "--profile", "two")[0] == 0
    text = log_of(home).read_text("utf-8")
    assert re.search(r"POST /v1/\S*messages: 20\d in \d+ ms", text)
    assert "runs tui_chat.cli.send" in text
    assert "ended with exit code 0" in text
    assert log_of(home).stat().st_mode & 0o777 == 0o600
    for secret in ("vault", "nine", "hello from", "correct horse", "Bearer"):
        assert secret not in text, secret
    for profile in (home / "data" / "tui-chat" / "accounts").glob("*.json"):
        for word in profile.read_text("utf-8").split('"'):
            assert len(word) < 30 or word not in text, "a token"


def test_the_failure_is_in_it_with_its_place(accounts: Run, home: Path, server: LiveServer) -> None:
    server.stop()
    code, out, err = accounts("--debug", "list")
    assert (code, out) == (3, "")
    assert len(err.splitlines()) == 2, "where the log is, and what went wrong"
    text = log_of(home).read_text("utf-8")
    assert "NotConnected" in text
    assert "client/api.py:" in text


def test_without_it_there_is_none(accounts: Run, home: Path) -> None:
    assert accounts("list")[0] == 0
    assert not log_of(home).exists()


def test_it_says_so_where_none_can_be_written(run: Run, home: Path) -> None:
    (home / "state").write_text("a file is in the way")
    code, _, err = run("--debug", "config", "path")
    assert code == 1
    assert "no log can be written" in err
    assert len(err.splitlines()) == 1


def test_words_of_exceptions_and_what_a_terminal_obeys_stay_out(tmp_path: Path) -> None:
    import logging

    log = logging.getLogger("tui_chat.somewhere")
    with debug_log(tmp_path) as path:
        try:
            try:
                raise KeyError("what bob wrote")
            except KeyError as error:
                raise ValueError("and \x1b]52;c;aGk=\x07") from error
        except ValueError as error:
            log.warning("failed \x1b[31m\u202e", exc_info=error)
            places = told(error)
    assert places.startswith("ValueError\n")
    text = path.read_text("utf-8")
    assert "KeyError" in text
    assert "test_debugging.py:" in text
    assert "wrote" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert all(str(os.getpid()) in line for line in text.splitlines() if not line.startswith(" "))
    log.warning("afterwards")
    assert "afterwards" not in path.read_text("utf-8")


def test_a_large_one_is_kept_aside(tmp_path: Path) -> None:
    (tmp_path / "debug.log").write_bytes(b"x" * (FULL_BYTES + 1))
    with debug_log(tmp_path) as path:
        assert path.stat().st_size == 0
    assert (tmp_path / "debug.log.1").stat().st_size == FULL_BYTES + 1


@pytest.mark.parametrize("words", [("--debug", "--version"), ("demo", "--debug", "--join", "--reset")])
def test_it_may_stand_before_or_behind_the_command(run: Run, words: tuple[str, ...]) -> None:
    code, _, err = run(*words)
    assert code in (0, 2)
    assert "unrecognized" not in err
