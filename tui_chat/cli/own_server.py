"""A server of one's own for as long as one looks at it: a process beside this one, which ends with it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from tui_chat.locale import _

STOPPING_SECONDS: Final = 10.0
_SAYS: Final = "Listening on "


class DidNotStart(OSError):
    """The server did not come up; `str()` is its own last line."""


class OwnServer:
    """At most one process."""

    def __init__(self, log: Path) -> None:
        """`log`: where the server writes what it has to say."""
        self._log = log
        self._process: subprocess.Popen[str] | None = None

    @property
    def ran(self) -> bool:
        """Whether one was started."""
        return self._process is not None

    def start(self, *, sync_deletions: bool) -> str:
        """Start it and wait until it listens; its address. Waits: to be called on a thread.

        Raises:
            DidNotStart: it has ended, and said why.
        """
        from tui_chat.files import open_private, private_directory

        private_directory(self._log.parent)
        self.stop()
        log = open_private(self._log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-m", "tui_chat", "serve", "--sync-deletions", "on" if sync_deletions else "off"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,  # Ctrl+C in this terminal is not for it.
            )
        finally:
            os.close(log)
        assert self._process.stdout is not None
        first = self._process.stdout.readline()
        if not first.startswith(_SAYS):
            self.stop()
            self._process = None
            said = self._log.read_text("utf-8", "replace").strip().splitlines()
            raise DidNotStart(said[-1].removeprefix("tui-chat: ") if said else _("the server ended at once"))
        return first.removeprefix(_SAYS).strip()

    def stop(self) -> None:
        """Let it finish what is under way; it is ended by force where that takes too long."""
        process = self._process
        if process is None or process.stdout is None:
            return
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=STOPPING_SECONDS)
        process.kill()
        process.wait()
        process.stdout.close()


@contextmanager
def own_server(log: Path) -> Iterator[OwnServer]:
    """None yet; what is started within the context ends with it."""
    server = OwnServer(log)
    try:
        yield server
    finally:
        server.stop()
