"""Which start of the machine this is: what was written without fsync is to be trusted only within one."""

import sys
from pathlib import Path


def boot_id() -> str | None:
    """A name of the machine's present run; None where the system tells none (then every unclean end counts as a power
    cut, and what was not fsynced is fetched again)."""
    if sys.platform == "darwin":
        import ctypes  # which nothing else of a client loads

        size = ctypes.c_size_t(64)
        buffer = ctypes.create_string_buffer(size.value)
        if ctypes.CDLL(None).sysctlbyname(b"kern.bootsessionuuid", buffer, ctypes.byref(size), None, 0) == 0:
            return buffer.value.decode("ascii", "replace")
        return None
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return None
