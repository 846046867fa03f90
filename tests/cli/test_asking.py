"""What a command does with who types, or with what comes in the place of that."""

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pexpect
import pytest

from tests.cli.conftest import Run


@pytest.mark.parametrize(("keys", "code", "said"), [("\x03", 130, ""), ("\x04", 1, "nothing was done"), ("\r", 1, "")])
def test_whoever_is_asked_can_give_up(accounts: Run, keys: str, code: int, said: str) -> None:
    """Ctrl+C, Ctrl+D and Enter where it says [y/N]: at once, in a line, and nothing is deleted."""
    environment = {**os.environ, "TERM": "xterm", "PYTHONWARNINGS": "error"}
    child: Any = pexpect.spawn(sys.executable, ["-m", "tui_chat", "delete", "bob"], env=environment, timeout=30)
    child.expect_exact("[y/N]")
    child.send(keys)
    rest = child.read().decode()
    child.close()
    assert (child.exitstatus, "something went wrong" in rest) == (code, False)
    assert said in rest
    assert "C2Cbob" in accounts("list")[1]


@pytest.mark.parametrize(
    ("closed", "words", "code"), [("<&-", "send bob", 1), ("<&- >&-", "", 2), ("2>&-", "read nobody", 1)]
)
def test_a_stream_that_the_shell_closed_is_an_empty_one(accounts: Run, closed: str, words: str, code: int) -> None:
    command = f'exec "$0" -m tui_chat {words} {closed}'
    ended = subprocess.run(["sh", "-c", command, sys.executable], capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout) == (code, ""), "what is wrong is no answer"
    assert "something went wrong" not in ended.stderr


def test_what_comes_in_and_is_no_text(accounts: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"caf\xe9\n"), encoding="utf-8"))
    code, output, errors = accounts("send", "bob")
    assert (code, output) == (2, "")
    assert errors == "tui-chat: what came on standard input is not text in utf-8; nothing was done\n"


@pytest.mark.parametrize("words", [("search",), ("account", "nick"), ("groups", "create")])
def test_a_word_that_is_no_text(accounts: Run, words: tuple[str, ...]) -> None:
    code, output, errors = accounts(*words, "caf\udce9")
    assert (code, output) == (2, "")
    assert "is not text" in errors
    assert len(errors.splitlines()) == 1


def test_a_device_of_no_name_is_none(accounts: Run, tmp_path: Path) -> None:
    code, output, errors = accounts("devices", "--revoke", "")
    assert (code, output) == (2, "")
    assert "--revoke takes the ID" in errors
