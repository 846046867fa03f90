"""What the demo keeps in its directory: everything it knows is in there, and nothing is elsewhere."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from tui_chat.files import write_private

DEVICE_NAMES: Final = ("laptop", "phone", "tablet", "desktop", "netbook", "workstation")
"""Of alice's devices, in the order in which they are given out."""


class Files:
    """The files of one demo directory. Only the server's process writes, except where it says otherwise."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.lock = directory / "lock"
        """Held by the server's process for as long as it lives."""
        self.log = directory / "log"
        """What went wrong in the server's process; no message bodies."""
        self.state = directory / "running.json"
        """Where the running demo is found."""
        self.password = directory / "password"
        """Alice's, for whoever wants to log in by hand."""
        self.database = directory / "server"
        self.unfinished = directory / "server.new"
        self.caches = directory / "cache"
        """One directory per device name; written by the programs that show the demo."""
        self._port = directory / "port"
        self._progress = directory / "said.json"
        self._coached = directory / "coached"

    @property
    def filled(self) -> bool:
        """Whether there are conversations already."""
        return self.database.is_dir()

    def cache(self, device_name: str) -> Path:
        """The cache of the device of that name; one program at a time has the name."""
        return self.caches / device_name.replace(" ", "-")

    def remove_all(self) -> None:
        """Forget everything; the lock is its holder's, the log is being written."""
        for path in (self.state, self.password, self._port, self._progress, self._coached):
            path.unlink(missing_ok=True)
        for path in (self.database, self.unfinished, self.caches):
            shutil.rmtree(path, ignore_errors=True)

    def read_port(self) -> int:
        """The port of the last run; 0 where there was none."""
        try:
            return int(self._port.read_text("ascii"))
        except (OSError, ValueError):
            return 0

    def write_port(self, port: int) -> None:
        """Remember the port."""
        write_private(self._port, str(port).encode("ascii"), durable=False)

    def read_progress(self) -> dict[str, int]:
        """How many lines of each conversation the peers have said."""
        try:
            return msgspec.json.decode(self._progress.read_bytes(), type=dict[str, int])
        except (OSError, msgspec.MsgspecError):
            return {}

    def write_progress(self, said: Mapping[str, int]) -> None:
        """Remember it. Not forced to the disk: lines that are said twice do no harm."""
        write_private(self._progress, msgspec.json.encode(said), durable=False)

    @property
    def coached(self) -> bool:
        """Whether the coach has been ended, by any program that showed the demo."""
        return self._coached.exists()

    def end_coach(self) -> None:
        """Remember that the coach is not to come again (until a reset)."""
        write_private(self._coached, b"", durable=False)
