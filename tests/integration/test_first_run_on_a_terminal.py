"""The first run on a real terminal: a server started here; an account made, and a wrong password told."""

from pathlib import Path

import pytest

from tests.buses import free_ports
from tests.integration.terminal import Terminal
from tests.servers import LiveServer

pytestmark = pytest.mark.timeout(120)


def test_a_server_is_started_here_and_ends_with_the_window(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    with Terminal(tmp_path, columns=100, lines=30, TUI_CHAT_PORT=str(port)) as terminal:
        terminal.see("1  Try it here")
        terminal.press("3")
        terminal.see("as long as this window is open")
        terminal.press("alice", "Enter", "correct horse", "Enter", "correct horse", "Enter", "Enter")
        terminal.see("connected · alice")
        terminal.see("sync of deletions: on")
        terminal.press("Ctrl+Q")
        terminal.see("The server has stopped")
        assert terminal.ended() == 0
    assert b"correct horse" not in terminal.written
    with Terminal(tmp_path, columns=100, lines=30, TUI_CHAT_PORT=str(port)) as terminal:
        terminal.see("offline")
        assert "1  Try it here" not in terminal.text, "the account is there now"
        terminal.press("Ctrl+Q")
        assert terminal.ended() == 0


def test_an_account_is_made_and_a_wrong_password_for_it_is_told(tmp_path: Path, server: LiveServer) -> None:
    with Terminal(tmp_path / "one", columns=80, lines=24) as terminal:
        terminal.see("1  Try it here")
        terminal.press("2", server.url, "Enter", "alice", "Enter", "Space", "Enter")
        terminal.see("Invitation, if you were given one")
        terminal.press("correct horse", "Enter", "correct horse", "Enter", "Enter")
        terminal.see("connected")
        terminal.press("Ctrl+Q")
        assert terminal.ended() == 0
    with Terminal(tmp_path / "two", columns=80, lines=24) as terminal:
        terminal.see("1  Try it here")
        terminal.press("2", server.url, "Enter", "alice", "Enter", "Enter", "wrong", "Enter")
        terminal.see("wrong")
        assert "Password" in terminal.text
        terminal.press("\x15", "correct horse", "Enter")
        terminal.see("connected")
        terminal.press("Ctrl+Q")
        assert terminal.ended() == 0
