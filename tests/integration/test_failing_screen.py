"""What should not have happened, on a terminal: one line and a file; no traceback, and nobody's messages."""

from pathlib import Path

from tests.integration.terminal import Terminal

PROGRAM = """
import sys
from tests.tui.fake import FakeSession
from tui_chat.cli import main, open_client

def fails():
    secret = "what bob wrote"
    raise ZeroDivisionError(secret[:0])

session = FakeSession()
session.set_flags = lambda *_ids, **_flags: fails()

def run(arguments):
    import asyncio
    from tui_chat.config import Settings
    asyncio.run(open_client.show(session.as_session(), Settings()))
    return 0

open_client.run = run
sys.exit(main([]))
"""


def test_it_ends_with_one_line_and_keeps_the_report_in_a_file(tmp_path: Path) -> None:
    with Terminal(tmp_path, program=("-c", PROGRAM)) as terminal:
        terminal.see("connected")
        terminal.press("p")
        terminal.until(lambda text: "something went wrong (" in text)
        assert terminal.ended() == 1
        terminal.read()
        left = terminal.written.rpartition(b"\x1b[?1049l")[2].decode()
        assert "the report is in" in left.replace("\r\n", "")
        for word in ("Traceback", "what bob wrote", "╭", "locals"):
            assert word not in left
    report = next(tmp_path.rglob("last-crash.txt"))
    assert "ZeroDivisionError" in report.read_text()
