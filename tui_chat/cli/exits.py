"""Exit codes of the command line."""

from typing import Final

FAILED: Final = 1
"""Some of what was asked for failed."""
USAGE: Final = 2
"""The command was not given rightly, or needs a terminal that is not there."""
NOT_CONNECTED: Final = 3
"""The server cannot be reached, or nobody is signed in."""
INTERRUPTED: Final = 130
