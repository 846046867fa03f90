"""What a network can do; screens and commands ask this, never which network it is."""

import msgspec


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """Facts about one session's network."""

    clears_own_history: bool = True
    """A deletion can erase the history of one's own account."""
    undoes_deletions: bool = True
    deletions_a_call: int = 100
    syncs_deletions: bool = False
    """Whether other devices are told just now (the server's switch)."""
    groups: bool = True
    typing: bool = True
