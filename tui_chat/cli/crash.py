"""What should not have happened: a traceback goes to a file, never to the screen."""

import traceback
from pathlib import Path

from tui_chat.files import write_private


def report(error: BaseException, directory: Path) -> str:
    """Keep the traceback under `directory`; the line that tells a person of it."""
    path = directory / "last-crash.txt"
    try:
        write_private(path, "".join(traceback.format_exception(error)).encode("utf-8", "backslashreplace"))
    except OSError:
        return f"something went wrong ({type(error).__name__}), and no report of it could be written"
    return f"something went wrong ({type(error).__name__}); the report is in {path}"
