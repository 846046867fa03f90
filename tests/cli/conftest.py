"""A person at a command line: own directories, a password in the environment, a real server."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers import LiveServer
from tui_chat.cli import main
from tui_chat.locale import use_language

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Everything that commands keep is under here; what they say is English, unless a test wants it otherwise."""
    for name in ("DATA", "CONFIG", "CACHE", "STATE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    monkeypatch.setenv("TUI_CHAT_PASSWORD", "correct horse")
    monkeypatch.setenv("LANGUAGE", "en")
    yield tmp_path
    use_language("en")


@pytest.fixture
def run(home: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line; its exit code, standard output and standard error."""

    def command(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            code = main(list(words))
        except SystemExit as end:
            code = int(end.code or 0)
        output = capsys.readouterr()
        return code, output.out, output.err

    return command


@pytest.fixture
def accounts(run: Run, server: LiveServer) -> Run:
    """alice (stored last, so hers is the one that commands take) and bob, who has written to her."""
    for user in ("alice", "bob", "carol"):
        assert run("register", "--server", server.url, "--user", user)[0] == 0
    for user in ("bob", "carol"):
        assert run("send", "--profile", user, "alice", f"hello from {user}")[0] == 0
    assert run("login", "--server", server.url, "--user", "alice", "--profile", "main")[0] == 0
    return run


def objects(output: str) -> list[dict[str, Any]]:
    """What --json printed, one object a line."""
    return [json.loads(line) for line in output.splitlines()]
