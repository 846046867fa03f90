"""The real program on a pty and in a pipe, against a server that lies in every text: all that comes out is ours.

What others fill: names, nicks, userIDs, texts, answers' quotes, mentions, reactions, names of devices, tips, notices,
what applicants write, what is found, and the words with which a server refuses.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from tests.accounts import PASSWORD, Device, People
from tests.integration.terminal import Terminal
from tests.servers import LiveServer

from .mangling_server import SENDABLE, ManglingServer
from .payloads import FORBIDDEN

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PEOPLE = len(SENDABLE)
"""So many that every payload is somebody's name."""
OURS = re.compile(
    "\x1b\\[[0-9;:]*m"  # colours
    "|\x1b\\[[0-9;]*H"  # the cursor's place
    "|\x1b\\[\\?[0-9;]+[hl]"  # modes: alternate screen, mouse, paste, focus, synchronized frames
    "|\x1b\\[\\?[0-9]+\\$p"  # which of these there are
    "|\x1b\\[[<>=?][0-9;]*u"  # keys with more modifiers
    "|\x1b\\]22;[a-z-]*\x07"  # the pointer's shape
    "|\x1b\\[>4;[0-9]m|\x1b\\[c|\x1b\\[2 q|\x1b\\[>q"
)
"""What Textual writes to a terminal."""


def all_ours(written: bytes) -> None:
    """Every byte is UTF-8 text that a terminal only shows, or a sequence that the program itself writes."""
    text = OURS.sub("", written.decode("utf-8"))
    found = [(one, text[max(at - 40, 0) : at + 40]) for at, one in enumerate(text) if one in FORBIDDEN - {"\r"}]
    assert found == []


@pytest.fixture
def mailbox(server: LiveServer, people: People) -> tuple[Device, Device]:
    """The tablet of alice, whose mailbox has everything in it; and bob."""
    alice = people.register("alice", device="desk")
    alice.patch("/v1/admin/settings", {"syncConversationDeletion": True})
    for number in range(PEOPLE):
        server.clock.advance(60)
        people.register(f"peer{number}").send("C2Calice", f"hello {number}")
    bob = people.register("bob", nick="Bob")
    alice.create_group("den", "bob", groupID="den", join="approval")
    for number in range(PEOPLE):
        server.clock.advance(60)
        more = {"mentions": ["alice"], "replyTo": 1 + number} if number else {}
        sent = {"clientID": f"b{number}", "text": f"word {number} @alice", **more}
        seq = bob.post("/v1/conversations/GROUPden/messages", sent)["message"]["messageSeq"]
        bob.request("PUT", f"/v1/conversations/GROUPden/messages/{seq}/reactions/%F0%9F%91%8D")
    for who in ("peer1", "peer2"):
        server.clock.advance(60)
        people.login(who).post("/v1/groups/den/join", {"text": "let me in"})
    return people.login("alice", device="tablet"), people.login("bob")


@pytest.fixture
def liar(server: LiveServer, mailbox: tuple[Device, Device]) -> Iterator[ManglingServer]:
    """In front of the server."""
    there = ManglingServer(server.url, "alice")
    yield there
    there.stop()


def stored(home: Path, liar: ManglingServer) -> None:
    """alice's account is stored there, so that it has a cache."""
    said = command(home, "login", "--server", liar.url, "--user", "alice")
    assert b"alice" in said, said


def command(home: Path, *words: str) -> bytes:
    """What a plain command writes, errors too."""
    with Terminal(home, *words, TUI_CHAT_PASSWORD=PASSWORD) as terminal:
        terminal.ended()
        terminal.child.expect(pexpect.EOF)
        return terminal.written + bytes(terminal.child.before)


def opened(home: Path) -> Terminal:
    """The client on the stored account."""
    return Terminal(home, columns=130, lines=PEOPLE + 12)


def walked(terminal: Terminal, tablet: Device | None) -> None:
    """Everywhere where others' words are shown; with a tablet, what comes live as well."""
    terminal.press("G", "g", "Enter")  # the system's notices
    terminal.see("Nobody can write to the system.")
    terminal.press("Escape")
    terminal.see("d Delete")
    terminal.press("2")
    terminal.see("Write a message")
    terminal.press("Escape")
    terminal.see("i Write")
    terminal.press("k")
    for key, title in (("v", "This message"), ("+", "thumbs up, yes")):
        terminal.press(key)
        terminal.see(title)
        terminal.press("Escape")
        terminal.lose(title)
    terminal.press("r")
    terminal.see("Reply to ")
    terminal.press("@")
    if tablet is not None:  # the members come from the server
        terminal.until(lambda text: re.search(r"│ @\S", text) is not None)
    terminal.press("\x7f")
    terminal.press("Escape")
    terminal.lose("Reply to ")
    terminal.press("Escape")
    terminal.see("i Write")
    terminal.press("\x07")
    terminal.see("Go to: some letters of a name")
    terminal.press("\x1b")
    terminal.lose("Go to: some letters of a name")
    if tablet is not None:
        terminal.press("\x06")
        terminal.see("Words in all conversations")
        terminal.press("word", "Enter")
        terminal.lose("Looking…")
        terminal.press("Escape")
        terminal.lose("Words in all conversations")
        gone = [f"C2Cpeer{number}" for number in range(3, 6)]
        tablet.delete(*gone, clearHistoryMessage=True)
        terminal.see("Deleted on ")
    terminal.press("Escape")
    terminal.see("d Delete")
    terminal.press("L")
    terminal.see("Deletions")
    terminal.press("Enter")
    terminal.press("Escape")
    terminal.lose("Deletions")
    terminal.press("a", "d")
    terminal.see("conversations?")
    terminal.press("n")
    terminal.lose("conversations?")


def test_no_byte_of_anybody_else_reaches_the_terminal(
    tmp_path: Path, liar: ManglingServer, mailbox: tuple[Device, Device]
) -> None:
    tablet, _ = mailbox
    stored(tmp_path, liar)
    with opened(tmp_path) as terminal:
        terminal.see("connected")
        walked(terminal, tablet)
        terminal.press("2")
        terminal.see("Write a message")
        terminal.press("Escape")
        terminal.see("i Write")
        terminal.press("M")
        terminal.see("ID den")
        terminal.press("Escape")
        terminal.lose("ID den")
        terminal.press("\x11")
        assert terminal.ended() == 0
        all_ours(terminal.written)
    liar.stop()
    with opened(tmp_path) as terminal:
        terminal.see("offline")
        walked(terminal, None)
        terminal.press("\x11")
        assert terminal.ended() == 0
        all_ours(terminal.written)


PLAIN = (
    ("list",),
    ("list", "--json"),
    ("read", "GROUPden"),
    ("read", "GROUPden", "--json"),
    ("read", "system"),
    ("search", "word"),
    ("search", "word", "--json"),
    ("log",),
    ("log", "--json"),
    ("devices",),
    ("devices", "--json"),
    ("groups", "members", "GROUPden"),
    ("groups", "members", "GROUPden", "--json"),
    ("delete", "C2Cpeer1", "--dry-run"),
    ("send", "nobody", "hello"),
    ("export",),
)


def only_lines(written: bytes) -> None:
    """Text and ends of lines, nothing else."""
    text = written.decode("utf-8").replace("\r\n", "\n")
    found = [(one, text[max(at - 40, 0) : at + 40]) for at, one in enumerate(text) if one in FORBIDDEN]
    assert found == []


def test_plain_commands_write_lines_of_text_and_nothing_else(
    tmp_path: Path, liar: ManglingServer, mailbox: tuple[Device, Device]
) -> None:
    tablet, bob = mailbox
    tablet.delete("C2Cpeer9")
    stored(tmp_path, liar)
    for words in PLAIN:
        written = command(tmp_path, *words)
        assert written.strip(), words
        assert b"Traceback" not in written
        only_lines(written)
    for more in ((), ("--json",)):
        with Terminal(tmp_path, "watch", *more) as watching:
            watching.until(lambda text: "onnected" in text or bool(text.strip()))
            for number in range(len(SENDABLE)):
                bob.send("GROUPden", f"live {number}")
                watching.read()
            tablet.delete(f"C2Cpeer{10 + len(more)}")
            watching.until(lambda text: "deleted" in text or "Removed" in text)
            only_lines(watching.written)
    liar.broken = True
    only_lines(command(tmp_path, "list"))
    all_ours(command(tmp_path, "doctor"))  # it asks the terminal what it can
