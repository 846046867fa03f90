"""A history, looked at from the sides that the checker's rules need. Pure."""

from collections import defaultdict
from functools import cached_property
from typing import TypeVar

from .records import Act, Delete, History, Json, Restore, Send, Snapshot, room_of

AnyAct = TypeVar("AnyAct", bound=Act)


class Facts:
    """What stands in a history, and what can be said of how it must have been."""

    def __init__(self, history: History) -> None:
        self.history = history

    def acts(self, kind: type[AnyAct]) -> list[AnyAct]:
        """Those of one kind."""
        return [act for act in self.history.acts if isinstance(act, kind)]

    @cached_property
    def places(self) -> dict[tuple[str, str], tuple[str, int]]:
        """By sender and clientID, where a message is stored."""
        return {
            (one.sender, one.client_id): (one.room, one.seq) for one in self.history.stored if one.client_id is not None
        }

    @cached_property
    def newest(self) -> dict[str, int]:
        """By room, its last message."""
        found: dict[str, int] = {}
        for one in self.history.stored:
            found[one.room] = max(one.seq, found.get(one.room, 0))
        return found

    @cached_property
    def restores(self) -> dict[str, list[Restore]]:
        """By batch, who asked for its undo and was not refused."""
        found: dict[str, list[Restore]] = defaultdict(list)
        for act in self.acts(Restore):
            if act.refused is None:
                found[act.batch].append(act)
        return found

    @cached_property
    def deletions(self) -> dict[tuple[str, str], list[Delete]]:
        """By user and conversationID, every deletion and clearing that was not refused."""
        found: dict[tuple[str, str], list[Delete]] = defaultdict(list)
        for act in self.acts(Delete):
            if act.refused is None:
                for name in act.up_to:
                    found[act.user, name].append(act)
        return found

    def surely(self, user: str, name: str, at: float, until: float) -> tuple[int, int]:
        """hiddenThrough and clearedThrough of which a reading from `at` to `until` must know: everything that was
        acknowledged by then, and whose undo nobody had asked for before the end."""
        hidden = cleared = 0
        for act in self.deletions[user, name]:
            if act.ended is not None and act.ended < at and not self._undone_before(act, until):
                hidden, cleared = raised(act, name, hidden, cleared)
        return hidden, cleared

    def perhaps(self, user: str, name: str, at: float, until: float) -> tuple[int, int]:
        """The most that a reading from `at` to `until` may know: everything that was asked for before its end, and
        whose undo was not acknowledged before its beginning."""
        hidden = cleared = 0
        for act in self.deletions[user, name]:
            if act.began < until and not any((one.ended or at) < at for one in self.restores.get(act.batch, ())):
                hidden, cleared = raised(act, name, hidden, cleared)
        return hidden, cleared

    def _undone_before(self, act: Delete, until: float) -> bool:
        return any(one.began < until for one in self.restores.get(act.batch, ()))

    @cached_property
    def events(self) -> dict[str, dict[int, list[tuple[str, Json]]]]:
        """By user and eventSeq, every time that a device heard that event."""
        found: dict[str, dict[int, list[tuple[str, Json]]]] = defaultdict(lambda: defaultdict(list))
        for log in self.history.devices:
            for heard in log.heard:
                for event in heard.events:
                    found[log.user][event["eventSeq"]].append((log.device, event))
        return found

    def acknowledged(self, room: str, before: float) -> int:
        """The newest message of a room that was acknowledged by then."""
        return max(
            (
                act.message_seq
                for act in self.acts(Send)
                if act.acknowledged and (act.ended or 0.0) < before and room_of(act.user, act.conversation_id) == room
            ),
            default=0,
        )

    def truth(self, user: str) -> Snapshot:
        """How everything stands for a user."""
        return next(one for one in self.history.snapshots if one.user == user)


def raised(act: Delete, name: str, hidden: int, cleared: int) -> tuple[int, int]:
    """The watermarks of one conversation after a deletion."""
    through = act.up_to[name]
    return max(hidden, through if act.hides else 0), max(cleared, through if act.clears else 0)


def named(user: str, room: str) -> str:
    """What a user calls a room."""
    if "|" not in room:
        return room
    one, other = room.split("|")
    return f"C2C{other if one == user else one}"
