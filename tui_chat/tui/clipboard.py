"""Copying: by OSC 52, which travels through ssh, and where there is one by the desktop's own program."""

import asyncio
import os
import shutil
import sys
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from textual.app import App

BYTES_MOST: Final = 75_000
"""Terminals drop longer OSC 52 sequences (xterm's limit, in base64, is 100,000)."""

_PROGRAMS: Final = (
    ("WAYLAND_DISPLAY", ("wl-copy",)),
    ("DISPLAY", ("xclip", "-selection", "clipboard")),
    ("DISPLAY", ("xsel", "--clipboard", "--input")),
)


def desktop_program() -> tuple[str, ...] | None:
    """The program that sets this desktop's clipboard, where there is one."""
    if sys.platform == "darwin":
        return ("pbcopy",)
    for variable, command in _PROGRAMS:
        if os.environ.get(variable) and shutil.which(command[0]):
            return command
    return None


async def copy(app: "App[Any]", text: str) -> bool:
    """Put the text, which is clean already, on the clipboard. False: too long to be copied.

    OSC 52 has no answer, so nobody can know whether the terminal took it; the desktop's program is asked as well.
    """
    if len(text.encode()) > BYTES_MOST:
        return False
    app.copy_to_clipboard(text)
    command = desktop_program()
    if command is not None and not app.is_headless:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        await process.communicate(text.encode())
    return True
