"""The machine that measures: no figure means anything without it."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import msgspec


class Machine(msgspec.Struct, frozen=True):
    """What stands above the table."""

    cpu: str
    cores: int
    """Those that this process may use."""
    memory_gib: float
    system: str
    python: str
    load: tuple[float, float, float]
    """Load averages of 1, 5 and 15 minutes when the bench began: what else was going on."""

    @classmethod
    def here(cls) -> "Machine":
        """This one, now."""
        cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        one, five, fifteen = os.getloadavg()
        return cls(
            cpu=_cpu(),
            cores=cores,
            memory_gib=round(memory / 2**30, 1),
            system=f"{platform.system()} {platform.release()}",
            python=f"{platform.python_implementation()} {platform.python_version()}",
            load=(round(one, 2), round(five, 2), round(fifteen, 2)),
        )


def _cpu() -> str:
    if sys.platform == "darwin":
        asked = subprocess.run(
            ["sysctl", "-n", "machdep.cpu.brand_string"], capture_output=True, text=True, check=False
        )
        return asked.stdout.strip() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.machine()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())
