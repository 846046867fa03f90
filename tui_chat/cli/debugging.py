"""`--debug`: a file that says what a run did: connections, exchanges, commands, failures.

What anybody wrote, what was looked for, passwords and tokens are never in it; and as people look at it in a terminal,
nothing that one would obey.
"""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, TextIO

from tui_chat.files import open_private, private_directory
from tui_chat.server.logs import Lines

FILE: Final = "debug.log"
FULL_BYTES: Final = 4_000_000
"""A file that has grown so large is kept aside as `debug.log.1` by the run that comes next."""
_Raised = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


@contextmanager
def debug_log(directory: Path) -> Iterator[Path]:
    """Append what our packages log to a file under `directory`, for as long as the context lasts; its path.

    Several runs may write at once: each line names its process.
    """
    path = private_directory(directory) / FILE
    if path.exists() and path.stat().st_size > FULL_BYTES:
        path.replace(path.with_suffix(".log.1"))
    descriptor = open_private(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    log = logging.getLogger("tui_chat")
    before = log.level
    with open(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
        handler = _Handler(file)
        handler.setFormatter(_Lines())
        log.addHandler(handler)
        log.setLevel(logging.DEBUG)
        try:
            yield path
        finally:
            log.setLevel(before)
            log.removeHandler(handler)


def say_what_runs(module: str) -> None:
    """The first lines of a run: the module that carries it out, and what of the machine one has to know."""
    import platform
    import sys

    from tui_chat import __version__

    log = logging.getLogger(__name__)
    log.info("tui-chat %s, Python %s, %s", __version__, platform.python_version(), platform.platform())
    log.info("runs %s", module)
    for name in ("TERM", "COLORTERM", "TERM_PROGRAM", "NO_COLOR", "LANG", "LC_ALL", "LANGUAGE", "TMUX", "SSH_TTY"):
        if value := os.environ.get(name):
            log.info("%s=%s", name, value)
    if sys.stdout.isatty():
        log.info("terminal: %dx%d", *os.get_terminal_size(sys.stdout.fileno()))


class _Handler(logging.StreamHandler[TextIO]):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """A full disk ends the log, not the run; logging would print a traceback over the screen."""


class _Lines(Lines):
    """As a server's log, with the process; of an exception its kind and where it came from, but not its words."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as text."""
        return f"{record.process} {super().format(record)}"

    def formatException(self, ei: _Raised) -> str:  # noqa: N802 - logging's name
        """Words of an exception may quote what somebody wrote."""
        return told(ei[1]) if ei[1] is not None else ""


def told(error: BaseException) -> str:
    """Kinds and places of an exception and of those that it came from, innermost last; no words."""
    import traceback

    lines: list[str] = []
    following: BaseException | None = error
    while following is not None:
        lines.append(type(following).__name__)
        lines += [
            f"  {one.filename}:{one.lineno} in {one.name}" for one in traceback.extract_tb(following.__traceback__)
        ]
        following = following.__cause__ or following.__context__
    return "\n".join(lines)
