"""What the operating system says when the files of a cache cannot be read or written."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from tui_chat.files import open_private

from .store import CacheError, DiskFull

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_SHUT: Final = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
_PIECE: Final = 1024 * 1024
UNFINISHED: Final = (".tmp", ".next", ".bak.tmp", ".bak.next")
"""What may stand beside a journal while it is rewritten, and after a crash; the first where there is no backup and no
other thread."""
BACKUP: Final = ".bak"


@contextmanager
def disk_errors() -> Iterator[None]:
    """Turn OSErrors into DiskFull where room is what lacks, and into CacheError with the reason otherwise."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFull from error
        what = f"{error.strerror} ({error.filename})" if error.strerror and error.filename else error.strerror or error
        hint = ": make its directory writable, or name another one in XDG_CACHE_HOME" if error.errno in _SHUT else ""
        raise CacheError(f"The cache of this account cannot be used: {what}{hint}.") from error


def read_if_there(path: Path) -> bytes | None:
    """A file's bytes, or None where there is no such file."""
    opened = open_if_there(path)
    if opened is None:
        return None
    os.close(opened[0])
    return opened[1]


def open_if_there(path: Path) -> tuple[int, bytes] | None:
    """A descriptor that appends, and the file's bytes; None where there is no such file."""
    try:
        descriptor = open_private(path, os.O_RDWR | os.O_APPEND)
    except FileNotFoundError:
        return None
    try:
        data = bytearray()
        while piece := os.read(descriptor, _PIECE):
            data += piece
            if len(piece) < _PIECE:
                break
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor, bytes(data)


def beside(path: Path, suffix: str) -> Path:
    """A file next to a journal."""
    return path.with_name(path.name + suffix)


def remove_files(path: Path, *, durable: bool) -> None:
    """Remove a journal and everything that may stand beside it."""
    name = os.fspath(path)
    for suffix in ("", *((*UNFINISHED, BACKUP) if durable else UNFINISHED[:1])):
        with suppress(FileNotFoundError):
            os.unlink(name + suffix)
