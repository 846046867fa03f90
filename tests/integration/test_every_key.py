"""Every default key as the bytes that a plain terminal sends, through a real pty: it does its one thing.

The stories are those of tests/tui/test_every_command.py; here the program runs on a terminal, for each story one.
"""

import signal
import subprocess
from pathlib import Path

import pytest

from tests.integration.terminal import Terminal
from tests.tui.stories import BY_NAME
from tests.tui.stories.keys import sent
from tests.tui.stories.story import Step

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


def suspended(terminal: Terminal) -> bool:
    """Whether the process stands still."""
    asked = subprocess.run(["ps", "-o", "state=", "-p", str(terminal.child.pid)], capture_output=True, text=True)
    return asked.stdout.strip().startswith("T")


def seen(terminal: Terminal, step: Step) -> str:
    """The screen, or what is seen only from outside."""
    if step.shows == "SUSPENDED":
        return step.shows if suspended(terminal) else ""
    if step.shows == "LEFT":
        return "" if terminal.child.isalive() else step.shows
    return terminal.text


def settled(terminal: Terminal) -> None:
    """Nothing more is drawn."""
    written = -1
    while written != len(terminal.written):
        written = len(terminal.written)
        terminal.read(0.03)


def take(terminal: Terminal, step: Step) -> None:
    """Press its keys and wait for what they do."""
    settled(terminal)
    before = seen(terminal, step)
    assert not step.done(before, terminal=True), f"{step} would be so without a key:\n{before}"
    for key in step.keys:
        terminal.child.send(sent(key))
        if len(step.keys) > 1:
            settled(terminal)
    terminal.until(lambda _: step.done(seen(terminal, step), terminal=True))
    if step.shows == "SUSPENDED":
        terminal.child.kill(signal.SIGCONT)  # as `fg` sends it
        terminal.until(lambda _: not suspended(terminal))
        terminal.see("connected")


@pytest.mark.parametrize("name", BY_NAME)
def test_the_story_on_a_terminal(tmp_path: Path, name: str) -> None:
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\necho "from the editor" > "$1"\n')
    editor.chmod(0o700)
    program = ("-m", "tests.tui.stories", name)
    with Terminal(tmp_path, program=program, columns=120, lines=36, EDITOR=str(editor), TZ="UTC") as terminal:
        terminal.see("connected")
        for step in BY_NAME[name].steps:
            if not step.only_some_terminals:
                take(terminal, step)
