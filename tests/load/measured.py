"""A server in a process of its own, as `tui-chat serve` starts it, and what that process uses."""

import os
import subprocess
from pathlib import Path

from tests.servers import ServerProcess


class MeasuredServer(ServerProcess):
    """Ends with `terminate`, or with `kill`."""

    @property
    def pid(self) -> int:
        """Of the process that runs now."""
        assert self._process is not None
        return self._process.pid

    def resident_kib(self) -> int:
        """Memory that the process has."""
        return int(subprocess.run(["ps", "-o", "rss=", "-p", str(self.pid)], capture_output=True, check=True).stdout)

    def cpu_seconds(self) -> float:
        """Processor time since its start; only where there is /proc."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
