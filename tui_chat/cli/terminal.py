"""What can be drawn on the terminal that this runs on."""

import os
import sys
from collections.abc import Mapping
from typing import Final

_OLD: Final = frozenset(
    {"ansi", "cons25", "dumb", "hurd", "linux", "sun", "vt52", "vt100", "vt102", "vt220", "vt320", "vt420", "vt510"}
)
"""Kinds of terminals, as `TERM` names them, whose fonts have a few hundred signs: none of the marks, and no emoji."""


def drawn_encoding(environment: Mapping[str, str] = os.environ) -> str:
    """The encoding in which signs are to be chosen: the terminal's, or ASCII where its font has no more, whatever bytes
    it takes. The Linux console takes UTF-8, for one, and draws squares."""
    # Within tmux or screen it may be called screen.linux; what follows a hyphen says how many colours it has.
    kind = environment.get("TERM", "").rpartition(".")[2].partition("-")[0]
    # Textual draws on standard error.
    return "ascii" if kind in _OLD else getattr(sys.__stderr__, "encoding", None) or "utf-8"
