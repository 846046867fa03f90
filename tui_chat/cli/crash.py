"""What should not have happened: a traceback goes to a file, never to the screen."""

import traceback
from pathlib import Path

from tui_chat.files import write_private
from tui_chat.locale import _


def report(error: BaseException, directory: Path) -> str:
    """Keep the traceback under `directory`; the line that tells a person of it."""
    path = directory / "last-crash.txt"
    try:
        write_private(path, "".join(traceback.format_exception(error)).encode("utf-8", "backslashreplace"))
    except OSError:
        said = _("something went wrong ({kind}), and no report of it could be written")
        return said.format(kind=type(error).__name__)
    said = _("something went wrong ({kind}); the report is in {path}")
    return said.format(kind=type(error).__name__, path=path)
