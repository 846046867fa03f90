"""Writing with one's own editor: what $VISUAL or $EDITOR names, on a file that only its owner can read."""

import asyncio
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textual.app import App


class EditorFailed(Exception):
    """The editor could not be started, or said that it failed; its text is one line that says why."""


def editor_command() -> list[str] | None:
    """What $VISUAL or $EDITOR names, with its arguments; None where neither is set, or cannot be read."""
    import shlex

    named = os.environ.get("VISUAL") or os.environ.get("EDITOR") or ""
    try:
        return shlex.split(named) or None
    except ValueError:
        return None


@contextmanager
def terminal_given_away(app: "App[Any]") -> Iterator[None]:
    """The terminal belongs to another program; the app goes on without drawing. Raises SuspendNotSupported.

    Ctrl+C is for the other program: the terminal sends it to both.
    """
    before = signal.signal(signal.SIGINT, lambda _number, _frame: None)
    raised: BaseException | None = None
    try:
        # A batch: what would be drawn meanwhile piles up in a queue that nobody empties.
        with app.batch_update(), app.suspend():
            try:
                yield
            except BaseException as error:  # past Textual it would take the way back to the screen with it
                raised = error
    finally:
        signal.signal(signal.SIGINT, before)
    if raised is not None:
        raise raised


async def written_in_editor(app: "App[Any]", command: list[str], text: str) -> str:
    """The text as it was when the editor ended. The file is gone then.

    Raises:
        EditorFailed: it could not be started, or ended with a failure.
        SuspendNotSupported: the terminal cannot be given away.
    """
    with terminal_given_away(app):
        return await asyncio.to_thread(_edited, command, text)


def _edited(command: list[str], text: str) -> str:
    try:
        # Its mode is 0600. It is closed before the editor starts, which may put another file in its place.
        descriptor, name = tempfile.mkstemp(prefix="tui-chat-", suffix=".txt")
        path = Path(name)
        try:
            os.close(descriptor)
            path.write_text(text + "\n", "utf-8")
            ended = subprocess.run([*command, name], check=False)  # noqa: S603 (the user's own editor, without a shell)
            if ended.returncode:
                raise EditorFailed(f"{command[0]} ended with {ended.returncode}")
            return path.read_text("utf-8", errors="replace").removesuffix("\n")
        finally:
            path.unlink(missing_ok=True)
    except OSError as error:
        why = error.strerror or str(error)
        raise EditorFailed(f"{error.filename}: {why}" if error.filename else why) from error
