"""Asking on the terminal, so that Ctrl+C and Ctrl+D are answers as well."""

import signal


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


def agrees(question: str) -> bool:
    """Whether the answer is yes; without one it is no. Raises as `ask`."""
    return ask(f"{question} [y/N] ").lower() in ("y", "yes")
