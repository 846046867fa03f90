"""Whether the terminal tells every key apart: it is asked, as programs ask it when they start."""

import os
import re
import select
import sys
import time
from typing import Final

ANSWER_SECONDS: Final = 0.3
"""A terminal on the other side of the world has answered by then."""
_QUESTION: Final = b"\x1b[?u\x1b[c"
"""The state of the extended key protocol (https://sw.kovidgoyal.net/kitty/keyboard-protocol), which only terminals
that have it answer; then the device's attributes, which all answer, so that nobody waits for long."""

_ATTRIBUTES: Final = re.compile(rb"\x1b\[\?[\d;]*c")


def extended_keys() -> bool | None:
    """Whether it has the extended key protocol; None where it answers nothing, or there is none to ask."""
    import termios
    import tty

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return None
    file = sys.stdin.fileno()
    before = termios.tcgetattr(file)
    try:
        tty.setcbreak(file, termios.TCSANOW)
        os.write(sys.stdout.fileno(), _QUESTION)
        answer = _answer(file)
    finally:
        termios.tcsetattr(file, termios.TCSAFLUSH, before)
    if re.search(rb"\x1b\[\?\d+u", answer):
        return True
    return False if _ATTRIBUTES.search(answer) else None


def _answer(file: int) -> bytes:
    """Up to the end of the second answer."""
    answer = b""
    end = time.monotonic() + ANSWER_SECONDS
    while not _ATTRIBUTES.search(answer):
        ready, _, _ = select.select([file], [], [], max(0.0, end - time.monotonic()))
        if not ready:
            break
        answer += os.read(file, 64)
    return answer
