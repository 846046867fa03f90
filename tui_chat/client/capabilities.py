"""What a network can do; screens and commands ask this, never which network it is."""

import msgspec


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """Facts about one session's network, as they are just now. What is false here need not be offered to anybody; a
    session whose network cannot do something refuses it with a ChatError all the same.
    """

    clears_own_history: bool = True
    """A deletion can erase the history of one's own account."""
    undoes_deletions: bool = True
    keeps_deletion_log: bool = True
    """There is a log of deletions, from every device, in which a batch can be ended for good before its time."""
    syncs_deletions: bool = False
    """Whether other devices are told just now (the server's switch)."""
    pins: bool = True
    mutes: bool = True
    marks_unread: bool = True
    read_receipts: bool = True
    """Others' read marks are seen, and who has read a message can be asked."""
    replies: bool = True
    mentions: bool = True
    edits: bool = True
    recalls: bool = True
    """A message can be taken back from everybody, for `server.limits.recall_seconds`."""
    reactions: bool = True
    search: bool = True
    """The server finds messages; without it only what is on this machine can be searched."""
    typing: bool = True
    administration: bool = False
    """This account may change the server's settings just now."""
