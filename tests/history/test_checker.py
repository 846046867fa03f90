"""The checker finds nothing in a history that is as it must be, and every violation that is planted in it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from .checker import RULES, violations
from .records import (
    Act,
    Delete,
    DeviceLog,
    Heard,
    History,
    Json,
    Listing,
    Page,
    Restore,
    Send,
    Snapshot,
    Stored,
    StoredLog,
)

ROOM = "GROUPg"
Plant = Callable[[History], History]
AnyAct = TypeVar("AnyAct", bound=Act)


class Told:
    """A server that is always right, and what it tells two devices of alice and one of bob."""

    def __init__(self) -> None:
        self.now = 0.0
        self.acts: list[Act] = []
        self.stored: list[Stored] = []
        self.logs = [DeviceLog("alice", "alice/0"), DeviceLog("alice", "alice/1"), DeviceLog("bob", "bob/0")]
        self.position = {"alice": 0, "bob": 0}
        self.hidden = {"alice": 0, "bob": 0}
        self.cleared = {"alice": 0, "bob": 0}

    def tick(self) -> float:
        self.now += 1.0
        return self.now

    def row(self, user: str) -> Json:
        newest = len(self.stored)
        return {
            "conversationID": ROOM,
            "newestSeq": newest,
            "hiddenThrough": self.hidden[user],
            "clearedThrough": self.cleared[user],
            "readSeq": newest,
            "messageCount": newest - self.cleared[user],
            "unreadCount": 0,
        }

    def tell(self, user: str, kind: str, **event: Any) -> int:
        self.position[user] += 1
        at = self.position[user]
        for log in self.logs:
            if log.user == user:
                log.heard.append(Heard(self.now, id(log), 0, at, at, [{"eventSeq": at, "kind": kind, **event}]))
        return at

    def send(self, user: str | None, name: str) -> None:
        began = self.tick()
        seq = len(self.stored) + 1
        self.stored.append(Stored(ROOM, seq, user or "alice", None if user is None else name))
        for reader in self.position:
            message = {"conversationID": ROOM, "messageSeq": seq, "from": user or "alice", "clientID": name}
            self.tell(reader, "message.new", message=message, conversation=self.row(reader))
        if user is not None:
            self.acts.append(
                Send(
                    user=user, device=f"{user}/0", name=name, began=began, ended=self.tick(), conversation_id=ROOM,
                    message_seq=seq,
                )
            )  # fmt: skip

    def delete(self, user: str, name: str, through: int, *, hides: bool = True, clears: bool = True) -> None:
        began = self.tick()
        if hides:
            self.hidden[user] = max(self.hidden[user], through)
        if clears:
            self.cleared[user] = max(self.cleared[user], through)
        item = {"conversationID": ROOM, "hiddenThrough": self.hidden[user], "clearedThrough": self.cleared[user]}
        kind = "conversation.deleted" if hides else "conversation.cleared"
        at = self.tell(user, kind, items=[item], operationID=name, batchID=name)
        self.acts.append(
            Delete(
                user=user, device=f"{user}/0", name=name, began=began, ended=self.tick(), up_to={ROOM: through},
                hides=hides, clears=clears, batch=name, event_seq=at,
            )
        )  # fmt: skip

    def restore(self, user: str, batch: str) -> None:
        began = self.tick()
        self.hidden[user] = self.cleared[user] = 0
        self.tell(user, "conversation.restored", conversations=[self.row(user)], batchID=batch)
        act = Restore(user=user, device=f"{user}/0", name=f"undo {batch}", began=began, ended=self.tick(), batch=batch)
        self.acts.append(act)

    def look(self, user: str) -> None:
        began = self.tick()
        seqs = tuple(range(self.cleared[user] + 1, len(self.stored) + 1))
        who: dict[str, Any] = {"user": user, "device": f"{user}/0", "ended": self.tick()}
        self.acts.append(Page(name=f"page {began}", began=began, conversation_id=ROOM, seqs=seqs, **who))
        newest = {ROOM: len(self.stored)} if len(self.stored) > self.hidden[user] else {}
        self.acts.append(Listing(name=f"list {began}", began=began, newest=newest, **who))

    def history(self) -> History:
        snapshots = [
            Snapshot(
                user,
                server,
                self.position[user],
                {ROOM: self.row(user)} if len(self.stored) > self.hidden[user] else {},
                {ROOM: (self.hidden[user], self.cleared[user])},
                {ROOM: list(range(self.cleared[user] + 1, len(self.stored) + 1))},
            )
            for user in self.position
            for server in ("first", "second")
        ]
        members = {ROOM: dict.fromkeys(self.position, 1)}
        logs = {user: StoredLog(2, newest, list(range(3, newest + 1))) for user, newest in self.position.items()}
        return History(self.acts, self.logs, self.stored, snapshots, members, logs)


def good() -> History:
    """Alice deletes and undoes, then clears; bob deletes, and alice's last message brings it back to him."""
    told = Told()
    told.send(None, "")
    told.send("alice", "a1")
    told.send("bob", "b1")
    told.delete("alice", "d1", 3)
    told.look("alice")
    told.restore("alice", "d1")
    told.look("alice")
    told.delete("alice", "d2", 2, hides=False)
    told.delete("bob", "d3", 3)
    told.look("bob")
    told.send("alice", "a2")
    told.look("alice")
    told.look("bob")
    return told.history()


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    assert violations(good()) == []


def test_what_was_never_answered_may_have_happened_or_not() -> None:
    history = good()
    unknown = Send(user="bob", device="bob/0", name="b9", began=1.0, conversation_id=ROOM)
    assert violations(replace(history, acts=[*history.acts, unknown])) == []
    last = history.acts[-5]
    assert isinstance(last, Send)
    forgotten = [replace(act, ended=None, message_seq=0) if act is last else act for act in history.acts]
    assert violations(replace(history, acts=forgotten)) == []


def acted(kind: type[AnyAct], number: int, **other: Any) -> Plant:
    """The nth act of a kind is otherwise."""

    def plant(history: History) -> History:
        chosen = [act for act in history.acts if isinstance(act, kind)][number]
        return replace(history, acts=[replace(act, **other) if act is chosen else act for act in history.acts])

    return plant


def stored(change: Callable[[list[Stored]], list[Stored]]) -> Plant:
    """Other messages are in the database."""
    return lambda history: replace(history, stored=change(history.stored))


def logged(numbers: list[int]) -> Plant:
    """Another log of bob is in the database."""
    return lambda history: replace(history, logs={**history.logs, "bob": StoredLog(2, 5, numbers)})


def heard(device: int, change: Callable[[list[Heard]], list[Heard]]) -> Plant:
    """A device heard something else."""

    def plant(history: History) -> History:
        logs = [
            replace(log, heard=change(log.heard)) if number == device else log
            for number, log in enumerate(history.devices)
        ]
        return replace(history, devices=logs)

    return plant


def snapshot(number: int, **other: Any) -> Plant:
    """A snapshot is otherwise."""

    def plant(history: History) -> History:
        found = [replace(one, **other) if at == number else one for at, one in enumerate(history.snapshots)]
        return replace(history, snapshots=found)

    return plant


def event(number: int, **other: Any) -> Callable[[list[Heard]], list[Heard]]:
    """The nth event is otherwise."""

    def change(ranges: list[Heard]) -> list[Heard]:
        return [
            replace(one, events=[{**one.events[0], **other}]) if at == number else one for at, one in enumerate(ranges)
        ]

    return change


def without(number: int) -> Callable[[list[Heard]], list[Heard]]:
    """The range of the nth event comes empty."""
    return lambda ranges: [replace(one, events=[]) if at == number else one for at, one in enumerate(ranges)]


def message(seq: int, name: str) -> Json:
    return {"conversationID": ROOM, "messageSeq": seq, "from": "bob", "clientID": name}


def risen(ranges: list[Heard]) -> list[Heard]:
    """Alice's phone is shown a message that she had cleared, in place of the last one."""
    last = ranges[-1].events[0]
    return [*ranges[:-1], replace(ranges[-1], events=[{**last, "message": message(2, "a1")}])]


def older(ranges: list[Heard]) -> list[Heard]:
    """Alice's phone is told of the last message with a row that does not know of it."""
    last = ranges[-1].events[0]
    row = {**last["conversation"], "newestSeq": 3}
    return [*ranges[:-1], replace(ranges[-1], events=[{**last, "conversation": row}])]


PLANTED: list[tuple[str, str, Plant]] = [
    ("once", "a message is lost", stored(lambda there: [one for one in there if one.client_id != "a2"])),
    ("once", "a message is stored twice", stored(lambda there: [*there, replace(there[-1], seq=5)])),
    ("once", "a message has another number", acted(Send, 0, message_seq=4)),
    ("once", "a message that nobody sent", stored(lambda there: [*there, Stored(ROOM, 5, "bob", "b7")])),
    ("once", "a message that was refused", acted(Send, 1, refused="not_a_member")),
    ("numbered", "a number is left out", stored(lambda there: [*there[:-1], replace(there[-1], seq=5)])),
    ("counted", "two events have one number", logged([3, 4, 4, 5])),
    ("counted", "a number was given to none", logged([3, 5])),
    ("counted", "the log ends too early", logged([3, 4])),
    ("in_order", "a later message comes before", acted(Send, 1, message_seq=1)),
    ("contiguous", "a range is left out", heard(1, lambda ranges: [*ranges[:2], *ranges[3:]])),
    ("contiguous", "a range comes twice", heard(1, lambda ranges: [*ranges[:3], *ranges[2:]])),
    ("contiguous", "an event is outside its range", heard(1, event(2, eventSeq=9))),
    ("level", "a device is behind", heard(0, lambda ranges: ranges[:-1])),
    ("the_same_for_all", "an event is another one elsewhere", heard(0, event(1, message=message(2, "b7")))),
    ("the_same_for_all", "messages come out of order", heard(2, event(2, message=message(1, "")))),
    ("told", "a device is not told of a message", heard(1, without(1))),
    ("told", "a device is told of another message", heard(2, event(2, message=message(3, "b7")))),
    ("deletions_told", "a deletion has another number", acted(Delete, 0, event_seq=1)),
    ("deletions_told", "another device is not told", heard(1, without(3))),
    ("deletions_told", "the device itself is not told", heard(2, without(3))),
    ("deletions_told", "a deletion is told twice", heard(0, event(5, operationID="d1"))),
    ("equal_to_a_snapshot", "a device has an older row", heard(1, older)),
    ("equal_to_a_snapshot", "the server no longer lists what devices do", snapshot(0, rows={})),
    ("stays_cleared", "an event shows what was cleared", heard(1, risen)),
    ("stays_cleared", "a page shows what was cleared", acted(Page, 0, seqs=(1, 2, 3))),
    ("nothing_missing", "a page lacks what was acknowledged", acted(Page, 1, seqs=(1, 3))),
    ("listed_if_newer", "a deleted conversation is listed", acted(Listing, 0, newest={ROOM: 3})),
    ("listed_if_newer", "a newer message does not bring it back", acted(Listing, 4, newest={})),
    ("listed_if_newer", "in the end it is not listed", snapshot(2, rows={})),
    ("watermarks", "an undo did not move them back", snapshot(1, marks={ROOM: (3, 3)})),
    ("watermarks", "a clearing was forgotten", snapshot(0, marks={ROOM: (0, 0)})),
    ("watermarks", "something that can be seen is not there", snapshot(2, histories={ROOM: []})),
    ("read_marks", "what was read is unread again", acted(Send, 2, message_seq=9)),
    ("undone", "an undo was refused", acted(Restore, 0, refused="operation_not_found")),
    ("one_truth", "a server says otherwise", snapshot(3, position=3)),
]


@pytest.mark.parametrize(("rule", "what", "plant"), PLANTED, ids=[what.replace(" ", "-") for _, what, _ in PLANTED])
def test_a_planted_violation_is_found(rule: str, what: str, plant: Plant) -> None:
    assert rule in {found.rule for found in violations(plant(good()))}


def test_each_rule_has_a_planted_violation() -> None:
    assert {rule for rule, _, _ in PLANTED} == set(RULES)
