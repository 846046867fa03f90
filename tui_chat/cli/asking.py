"""Asking on the terminal, so that Ctrl+C and Ctrl+D are answers as well."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager


def ask(question: str) -> str:
    """What is typed, without the space around it. It may be asked while an event loop runs, which stands still.

    Raises:
        KeyboardInterrupt: Ctrl+C. An event loop's own handling would wait for the line first.
        EOFError: Ctrl+D, or the terminal has gone.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return input(question).strip()
    except (EOFError, KeyboardInterrupt):
        print()  # what is said next does not stand behind the question
        raise
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def answers_from_terminal() -> Iterator[None]:
    """Meanwhile answers are typed on the terminal that this runs on: standard input was for something else, and is read
    to its end. Without such a terminal all stays as it is."""
    piped = sys.stdin
    try:
        terminal = open("/dev/tty", encoding=piped.encoding)  # noqa: SIM115 - closed below
    except OSError:
        yield
        return
    with terminal:
        sys.stdin = terminal
        try:
            yield
        finally:
            sys.stdin = piped


def agrees(question: str) -> bool:
    """Whether the answer is yes; without one it is no. Raises as `ask`."""
    return ask(f"{question} [y/N] ").lower() in ("y", "yes")
