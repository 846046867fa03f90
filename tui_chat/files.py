"""Files and directories that only their owner can read. Imports nothing of ours."""

import errno
import os
from contextlib import suppress
from pathlib import Path


def private_directory(path: Path, *, narrow: bool = False) -> Path:
    """Make a directory (and its parents) for its owner alone, mode 0700; returns it.

    `narrow`: take others' rights away also where it existed; for directories that are ours alone.

    Raises:
        OSError: it cannot be made; NotADirectoryError where something else stands in its place.
    """
    if not path.is_dir():
        if path.exists():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
        private_directory(path.parent)  # Path.mkdir would make the parents as the umask has it
        path.mkdir(mode=0o700, exist_ok=True)
        sync_directory(path.parent)
    if narrow and path.stat().st_mode & 0o077:
        path.chmod(0o700)
    return path


def open_private(path: Path, flags: int) -> int:
    """Open a file of mode 0600; not inherited by child processes. Returns its descriptor."""
    descriptor = os.open(path, flags | os.O_CLOEXEC, 0o600)
    if os.fstat(descriptor).st_mode & 0o077:
        os.fchmod(descriptor, 0o600)
    return descriptor


def write_all(descriptor: int, data: bytes) -> None:
    """Write everything; the kernel may take it in parts."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def create_private(path: Path, data: bytes, *, durable: bool) -> None:
    """Create or overwrite a file of mode 0600. `durable`: fsynced when this returns."""
    descriptor = open_private(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        write_all(descriptor, data)
        if durable:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_private(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Replace a file of mode 0600 in one step: a reader sees the old or the new one, never half, nor after a crash.

    `durable`: without it a crash of the machine may bring the old one back, or leave an empty one.

    Raises OSError with the name of this file.
    """
    private_directory(path.parent)
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        create_private(scratch, data, durable=durable)
        scratch.replace(path)
    except BaseException as error:
        with suppress(OSError):
            scratch.unlink()
        if isinstance(error, OSError):  # a full disk names none, others the scratch file
            error.filename = str(path)
        raise


def sync_directory(path: Path) -> None:
    """Make renames and removals in a directory durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
