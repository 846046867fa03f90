"""Who, of those one talks with, is there."""

from .announcer import Announcer
from .changes import PresenceChanged


class Presence:
    """What the server has said on this socket; without one nothing is known."""

    def __init__(self, announcer: Announcer):
        self._announcer = announcer
        self.online: frozenset[str] = frozenset()

    def are_there(self, user_ids: frozenset[str]) -> None:
        """These and nobody else."""
        changed = sorted(user_ids ^ self.online)
        self.online = user_ids
        if changed:
            self._announcer.put(PresenceChanged(user_id_list=changed))

    def is_there(self, user_id: str, *, online: bool) -> None:
        """One came, or went."""
        self.are_there(self.online | {user_id} if online else self.online - {user_id})
