"""Two clients of one account in two terminals, against a real server process: the main job as a person does it."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.accounts import PASSWORD, Device, People
from tests.integration.terminal import Terminal
from tests.servers import ServerProcess

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture
def people(server_process: ServerProcess) -> Iterator[People]:
    """Makes log-ins at the server."""
    there = People(server_process.url)
    yield there
    there.close()


@pytest.fixture
def mailbox(people: People) -> tuple[Device, Device]:
    """alice, the administrator, with sync on, to whom dave, carol and bob have written; and bob."""
    alice = people.register("alice", device="desk")
    alice.patch("/v1/admin/settings", {"syncConversationDeletion": True})
    others = [people.register(name) for name in ("dave", "carol", "bob")]
    for other in others:
        for number in (1, 2):
            other.send("C2Calice", f"{number} from {other.user_id}")
    return alice, others[-1]


def opened(home: Path, server: ServerProcess, columns: int = 120, lines: int = 36) -> Terminal:
    """The client on alice's account, for one run."""
    words = ("--server", server.url, "--user", "alice")
    return Terminal(home, *words, columns=columns, lines=lines, TUI_CHAT_PASSWORD=PASSWORD)


def delete_one(terminal: Terminal) -> None:
    """Delete the conversation under the cursor, with its history."""
    terminal.press("d")
    terminal.see("Delete 1 conversation?")
    terminal.press("y")


def test_gone_from_both_and_back_on_both(
    tmp_path: Path, server_process: ServerProcess, mailbox: tuple[Device, Device]
) -> None:
    with opened(tmp_path, server_process) as one, opened(tmp_path, server_process, columns=80, lines=24) as other:
        for terminal in (one, other):
            terminal.see("dave")
            terminal.see("connected")
        one.press("Space", "Space", "d")
        one.see("Delete 2 conversations?")
        one.see("4 messages are erased from your account")
        one.press("y")
        for terminal in (one, other):
            terminal.lose("carol")
            assert "dave" in terminal.text
        other.press("u")
        for terminal in (one, other):
            terminal.see("carol")
            terminal.see("bob")
        for terminal in (one, other):
            terminal.press("Ctrl+Q")
            assert terminal.ended() == 0


def test_the_main_walk(tmp_path: Path, server_process: ServerProcess, mailbox: tuple[Device, Device]) -> None:
    alice, bob = mailbox
    with opened(tmp_path, server_process) as one, opened(tmp_path, server_process, columns=80, lines=24) as other:
        both = (one, other)
        for terminal in both:
            terminal.see("dave")
            terminal.see("connected")
        bob.send("C2Calice", "on top")  # so that everything is not marked: that would ask for the count
        bob.create_group("den", "alice")
        for terminal in both:
            terminal.see("den")
        one.press("G")
        one.press("v", "k", "k", "v")
        one.see("3 marked")
        one.press("d")
        one.see("Delete 3 conversations?")
        one.see("Your other devices: removed there too.")
        one.press("y")
        for terminal in both:
            terminal.lose("carol")
            assert "dave" not in terminal.text
            assert "den" in terminal.text
        other.see("3 conversations")
        other.press("u")
        for terminal in both:
            terminal.see("carol")
            terminal.see("dave")
        other.press("/", "bob", "\r")
        delete_one(other)
        for terminal in both:
            terminal.lose("● bob")
        other.press("\x1b")
        other.lose("Nothing matches.")
        bob.send("C2Calice", "back alone")
        for terminal in both:
            terminal.see("● bob")
        one.press("g", "\r")
        one.see("back alone")
        assert "1 from bob" not in one.text
        alice.patch("/v1/admin/settings", {"syncConversationDeletion": False})
        for terminal in both:
            terminal.see("sync of deletions: off")
        other.press("G", "d")
        other.see("Your other devices keep their rows")
        other.press("y")
        other.lose("Delete 1 conversation?")
        other.lose("dave")
        bob.send("C2Calice", "meanwhile")
        for terminal in both:
            terminal.see("meanwhile")
        assert "dave" in one.text, "that device keeps its row"
        assert "≠" not in one.text, "nothing was said of it to that device"
        one.press("\x1b")
        one.see("i Write")
        one.press("\x1b")
        one.see("d Delete")
        one.press("G", "\r")  # The server speaks of the conversation, and the copy is known as one.
        one.see("Deleted on another device.")
        one.see("dave ≠")
        one.press("\x1b")
        one.see("i Write")
        one.press("\x12")  # Ctrl+R
        one.see("dave was deleted on another device.")
        one.lose("≠")


def test_a_new_message_comes_back_alone_after_clearing(
    tmp_path: Path, server_process: ServerProcess, mailbox: tuple[Device, Device]
) -> None:
    _, bob = mailbox
    with opened(tmp_path, server_process) as terminal:
        terminal.see("bob")
        terminal.see("connected")
        delete_one(terminal)
        terminal.lose("● bob")
        bob.send("C2Calice", "a word after clearing")
        terminal.see("bob")
        terminal.press("g", "Enter")
        terminal.see("a word after clearing")
        assert "1 from bob" not in terminal.text
    assert bob.texts("C2Calice")[0] == "1 from bob", "the other side keeps everything"


def test_what_arrives_while_the_dialog_is_open_survives(
    tmp_path: Path, server_process: ServerProcess, mailbox: tuple[Device, Device]
) -> None:
    _, bob = mailbox
    with opened(tmp_path, server_process) as terminal:
        terminal.see("bob")
        terminal.see("connected")
        terminal.press("d")
        terminal.see("2 messages are erased from your account")
        bob.send("C2Calice", "while you decide")
        terminal.see("1 message came in meanwhile: it stays, and so does its row.")
        assert "2 messages are erased from your account" in terminal.text
        terminal.press("y")
        terminal.lose("Delete 1 conversation?")
        terminal.see("bob")
        terminal.press("g", "Enter")
        terminal.see("while you decide")
        assert "2 from bob" not in terminal.text


def test_a_client_told_to_end_leaves_the_terminal_as_it_was(
    tmp_path: Path, server_process: ServerProcess, mailbox: tuple[Device, Device]
) -> None:
    with opened(tmp_path, server_process) as terminal:
        terminal.see("connected")
        terminal.child.kill(signal.SIGTERM)
        assert terminal.ended() == 0
        terminal.read()
        terminal.read()
        assert b"\x1b[?1049l" in terminal.written, "the alternate screen is left"
        assert b"\x1b[?1000l" in terminal.written, "the mouse is let go"


def test_a_client_killed_while_offline_deletes_when_it_is_back(
    tmp_path: Path, server_process: ServerProcess, people: People, mailbox: tuple[Device, Device]
) -> None:
    with opened(tmp_path, server_process) as terminal:
        terminal.see("connected")
        terminal.see("bob")
        server_process.kill()
        terminal.see("offline")
        delete_one(terminal)
        terminal.see("1 queued")
        terminal.child.kill(9)
    server_process.start()
    with opened(tmp_path, server_process) as terminal:
        terminal.see("connected")
        terminal.see("dave")
        terminal.lose("bob")
    assert "C2Cbob" not in people.login("alice").conversations()


def test_a_terminal_of_twenty_by_five_works(
    tmp_path: Path, server_process: ServerProcess, mailbox: tuple[Device, Device]
) -> None:
    with opened(tmp_path, server_process, columns=20, lines=5) as terminal:
        terminal.see("bob")
        terminal.press("Space", "d", "Escape")
        terminal.see("bob")
        terminal.press("Ctrl+Q")
        assert terminal.ended() == 0
        assert "Traceback" not in terminal.text
