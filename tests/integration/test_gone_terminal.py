"""A terminal that goes without a word to the program, as where SIGHUP is ignored: the program ends with it."""

import time
from pathlib import Path

from tests.integration.terminal import DEADLINE_SECONDS, Terminal

PROGRAM = """
import asyncio, os, signal
from pathlib import Path
from tests.tui.fake import FakeSession
from tui_chat.cli.open_client import show
from tui_chat.config import Settings

signal.signal(signal.SIGHUP, signal.SIG_IGN)
asyncio.run(show(FakeSession().as_session(), Settings()))
Path(os.environ["ENDED"]).touch()
"""


def test_the_program_ends_with_its_terminal(tmp_path: Path) -> None:
    ended = tmp_path / "ended"
    with Terminal(tmp_path, program=("-c", PROGRAM), ENDED=str(ended)) as terminal:
        terminal.see("connected")
        terminal.child.ptyproc.fileobj.close()
        end = time.monotonic() + DEADLINE_SECONDS
        while terminal.child.isalive():
            assert time.monotonic() < end, "it goes on without a terminal"
            time.sleep(0.05)
    assert ended.exists(), "in order"
