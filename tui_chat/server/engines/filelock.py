"""One process at a database: a lock that goes with the process, however it ends."""

import fcntl
import os
from pathlib import Path

from . import DatabaseInUse


class FileLock:
    """An flock on a file beside the database; the file holds the owner's PID and stays behind."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def acquire(self, what: str) -> None:
        """Take the lock or raise DatabaseInUse, which names `what` and the PID that has it."""
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as failure:
            owner = os.read(file, 32).decode("ascii", "replace").strip()
            os.close(file)
            by = f" (PID {owner})" if owner.isdigit() else ""
            raise DatabaseInUse(f"{what} is in use by another process{by}") from failure
        os.ftruncate(file, 0)
        os.write(file, f"{os.getpid()}\n".encode("ascii"))
        self._file = file

    def release(self) -> None:
        """Let it go; once more does nothing."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
