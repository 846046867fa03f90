"""One process an account: two writers would tear its files, and one rotating token would log the other out."""

import fcntl
import os
from pathlib import Path

from tui_chat.files import open_private, write_all

from .files import disk_errors
from .store import DiskFull, Locked


class AccountLock:
    """An flock on a file that says who holds it; the system frees it when the process ends, however it ends.

    Raises:
        Locked: another process has it (or this one, a second time).
    """

    def __init__(self, path: Path):
        with disk_errors():
            self._descriptor: int | None = open_private(path, os.O_RDWR | os.O_CREAT)
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _name_holder(self._descriptor)
            except BlockingIOError:
                written = os.pread(self._descriptor, 32, 0).strip()
                self.release()
                raise Locked(int(written) if written.isdigit() else None) from None
            except BaseException:
                self.release()
                raise

    def release(self) -> None:
        """Let go; a second call does nothing. The file stays: removing it would let two processes lock two files."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _name_holder(descriptor: int) -> None:
    try:
        with disk_errors():
            os.ftruncate(descriptor, 0)
            write_all(descriptor, b"%d\n" % os.getpid())
    except DiskFull:
        pass  # the lock holds all the same; only its holder's number is not told
