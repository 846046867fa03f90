"""The file of a journal and its backup: lines are appended, fsynced, and the whole replaced by what another file holds.

Nothing here knows what the lines say (see records.py), nor when a file is to be rewritten (see journal.py).
"""

import os
import threading
from collections.abc import Callable
from pathlib import Path

from tui_chat.files import create_private, open_private, sync_directory, write_all

from .files import BACKUP, UNFINISHED, beside, disk_errors, open_if_there, read_if_there, remove_files
from .records import write_line
from .store import CacheError
from .threads import in_thread


class JournalFile:
    """One file, open to append. `durable`: with a backup, and fsynced when asked to.

    Raises (where nothing else is said): DiskFull, or CacheError for what else the operating system refuses.
    """

    def __init__(self, path: Path, *, durable: bool):
        self._path = path
        self._durable = durable
        self._descriptor: int | None = None
        self._chain = 0
        self._length = 0
        """As far as it counts."""
        self.base_bytes = 0
        self._written = 0
        self._synced = 0
        """How many records were written, and how many of them are on the disk for good."""
        self.torn = False
        """The file cannot be trusted (half a line at its end, a failed fsync): to be rewritten before anything else."""
        self.lacks_backup = False
        """A crash left no backup, or an older one: rewrite at the next flush."""
        self._carried: list[bytes] | None = None
        """Records appended while another thread writes the next file; they have to follow into it."""
        self._replaced = 0
        self.closed = False
        self._guard = threading.Lock()
        """For the descriptor, between an fsync in another thread and its replacement."""

    def open(self) -> bytes | None:
        """Its bytes; None where there is no such file. What a crash left unfinished beside it goes. Raises OSError."""
        self._descriptor, data = open_if_there(self._path) or (None, None)
        if self._durable:  # else it is overwritten, or goes with the file, and holds nothing that the file does not
            for suffix in UNFINISHED:
                beside(self._path, suffix).unlink(missing_ok=True)
        return data

    def backup(self) -> bytes | None:
        """The backup's bytes; None where there is none. Raises OSError."""
        return read_if_there(self._backup) if self._durable else None

    def go_on(self, data: bytes, *, base_bytes: int, length: int, chain: int) -> None:
        """Append behind so many bytes of `data`, which is what it holds; the torn rest of it goes. `chain`: their
        checksum. Raises OSError."""
        assert self._descriptor is not None
        if length < len(data):
            os.ftruncate(self._descriptor, length)
        self._chain, self._length, self.base_bytes = chain, length, base_bytes
        self.lacks_backup = self._durable and not (self._backup.exists() and self._backup.stat().st_size == base_bytes)

    @property
    def sound(self) -> bool:
        """Whether there is a file that may be appended to."""
        return self._descriptor is not None and not self.torn

    @property
    def records_bytes(self) -> int:
        """Length of what stands behind the base."""
        return self._length - self.base_bytes

    @property
    def unsynced(self) -> bool:
        """Whether an fsync is owed."""
        return self._durable and self._synced < self._written

    def append(self, payload: bytes) -> None:
        """Write a record's line, or nothing of it, to a file that is sound."""
        assert self._descriptor is not None
        line, chain = write_line(payload, self._chain)
        with disk_errors():
            try:
                write_all(self._descriptor, line)
            except OSError:
                self.torn = True
                os.ftruncate(self._descriptor, self._length)
                self.torn = False
                raise
        self._chain, self._length, self._written = chain, self._length + len(line), self._written + 1
        if self._carried is not None:
            self._carried.append(payload)

    def sync(self) -> None:
        """Bring what was written to the disk for good. In any thread."""
        with self._guard:
            written = self._written
            if not self._durable or self._synced >= written or self._descriptor is None:
                return
            try:
                with disk_errors():
                    os.fsync(self._descriptor)
            except CacheError:
                # The kernel forgets what it could not write: a second fsync would say that all is well.
                self.torn = True
                raise
            self._synced = written

    def replace_now(self, image: bytes, chain: int) -> None:
        """Put head and base, whose checksum is `chain`, in the place of everything there is."""
        with disk_errors():
            try:
                if self._descriptor is None and not self._durable:
                    self._begin(image, chain)
                    return
                self._write_image(image, ".tmp")
                self._install(image, chain, ".tmp", [])
            except OSError:
                self._discard(".tmp")
                raise

    @property
    def being_replaced(self) -> bool:
        """Whether `replace` is at work."""
        return self._carried is not None

    async def replace(self, made: Callable[[], tuple[bytes, int]]) -> bool:
        """As `replace_now`, with the long writes in another thread, and there what `made` does to have image and chain;
        what is appended meanwhile follows. One at a time.
        False where the file was replaced at once, or closed, meanwhile: then it stays as that left it."""
        self._carried, replaced = [], self._replaced
        try:
            with disk_errors():
                image, chain = await in_thread(self._write_made, made, ".next")
                if self._replaced != replaced or self.closed:
                    return False
                self._install(image, chain, ".next", self._carried)
                return True
        finally:
            self._carried = None
            with disk_errors():  # left over where it failed, or where the file was rewritten at once meanwhile
                self._discard(".next")

    def close(self) -> None:
        """Let go of the file, as it is; a second call does nothing."""
        self.closed = True
        with self._guard:
            if self._descriptor is not None:
                os.close(self._descriptor)
            self._descriptor = None

    def remove(self) -> None:
        """Close, and remove it with everything beside it."""
        self.close()
        with disk_errors():
            remove_files(self._path, durable=self._durable)

    # Inside

    @property
    def _backup(self) -> Path:
        return beside(self._path, BACKUP)

    def _begin(self, image: bytes, chain: int) -> None:
        """Make the file, in its own place: there is none that could be spoilt, and half of one counts as none."""
        descriptor = open_private(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_TRUNC)
        try:
            write_all(descriptor, image)
        except BaseException:
            os.close(descriptor)
            self._path.unlink(missing_ok=True)
            raise
        self._descriptor = descriptor
        self._stands(image, chain, len(image))

    def _write_made(self, made: Callable[[], tuple[bytes, int]], suffix: str) -> tuple[bytes, int]:
        image, chain = made()
        self._write_image(image, suffix)
        return image, chain

    def _write_image(self, image: bytes, suffix: str) -> None:
        """Write the next file, and its backup, beside the present ones. Raises OSError."""
        create_private(beside(self._path, suffix), image, durable=self._durable)
        if self._durable:
            create_private(beside(self._path, ".bak" + suffix), image, durable=True)

    def _install(self, image: bytes, chain: int, suffix: str, carried: list[bytes]) -> None:
        """Put the written file in the place of the present one, behind it what was appended since."""
        fresh = beside(self._path, suffix)
        descriptor = open_private(fresh, os.O_WRONLY | os.O_APPEND)
        length = len(image)
        try:
            for payload in carried:
                line, chain = write_line(payload, chain)
                write_all(descriptor, line)
                length += len(line)
            if carried and self._durable:
                os.fsync(descriptor)
            fresh.replace(self._path)
        except BaseException:
            os.close(descriptor)
            raise
        with self._guard:
            former, self._descriptor = self._descriptor, descriptor
        if former is not None:
            os.close(former)
        self._stands(image, chain, length)
        if self._durable:
            beside(self._path, ".bak" + suffix).replace(self._backup)
            sync_directory(self._path.parent)

    def _stands(self, image: bytes, chain: int, length: int) -> None:
        self._chain, self._length, self.base_bytes = chain, length, len(image)
        self._synced, self.torn, self.lacks_backup = self._written, False, False
        self._replaced += 1

    def _discard(self, suffix: str) -> None:
        beside(self._path, suffix).unlink(missing_ok=True)
        beside(self._path, ".bak" + suffix).unlink(missing_ok=True)
