"""The first five minutes as a newcomer has them: a real terminal, the real demo, the six steps of the coach's line."""

import time
from pathlib import Path

import pytest

from tests.integration.terminal import Terminal

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def rows(text: str) -> int:
    """How many conversations the list says it has."""
    title = text.splitlines()[0] if "Conversations" in text.splitlines()[0] else text.splitlines()[1]
    return int("".join(part for part in title.split() if part.isdigit())[:3] or 0)


def test_the_list_is_there_while_the_server_is_being_filled(tmp_path: Path) -> None:
    with Terminal(tmp_path, "demo") as terminal:
        terminal.until(lambda text: "filling the demo with conversations" in text and "1/6 Space marks" in text)
        assert rows(terminal.text) > 300
        assert "#ubuntu" in terminal.text
        assert "sync of deletions: on" in terminal.text
        terminal.press("Space", "j")  # done once there is something to do it on
        terminal.until(lambda text: "No conversations yet" in text or "1 marked" in text)
        assert "No conversations yet" not in terminal.text
        terminal.see("connected")
        terminal.press("Ctrl+Q")
        assert terminal.ended() == 0


def test_a_later_start_shows_the_list_before_the_server_is_up(tmp_path: Path) -> None:
    with Terminal(tmp_path, "demo") as terminal:
        terminal.see("connected")
        before = rows(terminal.text)
        terminal.press("Ctrl+Q")
        assert terminal.ended() == 0
    running = next(tmp_path.rglob("running.json"), None)
    while running is not None and running.exists():
        time.sleep(0.05)
    with Terminal(tmp_path, "demo") as terminal:
        terminal.until(lambda text: "starting the demo's server" in text and rows(text) == before)
        assert "offline" not in terminal.text
        terminal.see("1/6 Space marks. Mark three.")
        terminal.see("connected")
        assert rows(terminal.text) == before
        terminal.press("Ctrl+Q")
        assert terminal.ended() == 0


def test_the_six_steps_can_be_done(tmp_path: Path) -> None:
    with Terminal(tmp_path, "demo") as terminal:
        terminal.see("1/6 Space marks. Mark three.")
        terminal.see("connected")
        before = rows(terminal.text)
        assert before > 300
        terminal.press("Space", "Space", "Space")
        terminal.see("2/6 d deletes them. Read the switch, then y.")
        terminal.press("d")
        terminal.see("Delete 3 conversations?")
        terminal.see("[x] Clear history (c)")
        terminal.see("removed there too")
        terminal.press("y")
        terminal.see("3/6 u brings them back.")
        terminal.until(lambda text: rows(text) == before - 3)
        terminal.press("u")
        terminal.see("4/6 F2 puts your phone beside this screen.")
        terminal.until(lambda text: rows(text) == before)
        terminal.press("F2")
        terminal.see("5/6 Delete again and watch the phone.")
        terminal.press("Space", "d")
        terminal.see("Delete 1 conversation?")
        terminal.press("y")
        terminal.see("last deletion arrived in")
        terminal.see("6/6")
        terminal.see("row is back with the new message alone. Enter on it opens it.")
        terminal.press("Enter")
        terminal.see("That was all. ? shows every key.")
        terminal.press("Ctrl+Q")
        assert terminal.ended() == 0


def test_a_second_demo_joins_and_both_follow_each_other(tmp_path: Path) -> None:
    with Terminal(tmp_path, "demo") as one:
        one.see("connected")
        with Terminal(tmp_path, "demo", "--join", columns=80, lines=24) as other:
            other.see("This is another device of the demo that runs already.")
            other.see("connected")
            other.press("d")
            other.see("Delete 1 conversation?")
            other.press("y")
            one.see("Deleted on phone: 1 conversation")
            one.press("u")
            one.see("back")
            other.see("back")
            other.press("Ctrl+Q")
            assert other.ended() == 0
        one.press("Ctrl+Q")
        assert one.ended() == 0


def test_joining_where_nothing_runs_says_so_in_one_line(tmp_path: Path) -> None:
    with Terminal(tmp_path, "demo", "--join") as terminal:
        assert terminal.ended() == 1
        terminal.read()
        assert "no demo is running: start one with `tui-chat demo`" in terminal.text
        assert "Traceback" not in terminal.text
