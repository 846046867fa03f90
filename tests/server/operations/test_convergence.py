"""Random histories, held against the rules said again in the simplest way, and against what devices were told.

The model keeps every message and every call; it works out what a user must see from scratch. The database keeps
numbers only. A replica per device applies what it was told and must end where a fresh snapshot stands.
"""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace

from tui_chat.protocol import events
from tui_chat.protocol.errors import UndoExpired
from tui_chat.protocol.models import Conversation
from tui_chat.server.operations import crowdlog

from .world import World

UNDO = 600


@dataclass
class Said:
    """A message of the model: seq is its place in the list."""

    sender: str
    tip: bool
    mentions: tuple[str, ...]
    time: int


@dataclass
class Share:
    """What one call set for one conversation."""

    batch: str
    hidden: int
    cleared: int
    until: int
    undone: bool = False


@dataclass
class View:
    """A user's side of a conversation, in the model."""

    periods: list[list[int]] = field(default_factory=list)
    read: int = 0
    shares: list[Share] = field(default_factory=list)
    pinned: bool = False


class Histories(RuleBasedStateMachine):
    """alice and bob, two devices each, one conversation with each other and one group that bob joins and leaves."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.world = World(Path(self.directory.name) / "chat.db")
        alice = self.world.join("alice")
        bob = self.world.join("bob")
        self.devices = [alice, alice.another(), bob, bob.another()]
        self.was_off = False
        self.said: dict[str, list[Said]] = {"chat": [], "group": []}
        self.views: dict[tuple[str, str], View] = {}
        self.batches: list[tuple[str, str]] = []
        self.replicas: list[dict[str, Conversation]] = [{} for _ in self.devices]

    def teardown(self) -> None:
        self.world.close()
        self.directory.cleanup()

    def name(self, user: str, where: str) -> str:
        return "GROUPg" if where == "group" else "C2Cbob" if user == "alice" else "C2Calice"

    @initialize(sync=st.booleans())
    def begin(self, sync: bool) -> None:
        self.switch(sync)
        self.devices[0].create("g")
        self.said["group"].append(Said("alice", True, (), self.world.now))
        self.views["alice", "group"] = View([[1, 0]])
        self.devices[2].send("C2Calice", "first")
        self.said["chat"].append(Said("bob", False, (), self.world.now))
        self.views["alice", "chat"] = View([[1, 0]])
        self.views["bob", "chat"] = View([[1, 0]], read=1)

    def newest(self, user: str, where: str) -> int:
        last = self.views[user, where].periods[-1][1]
        return last or len(self.said[where])

    @rule(device=st.integers(0, 3), where=st.sampled_from(["chat", "group"]), mention=st.booleans())
    def send(self, device: int, where: str, mention: bool) -> None:
        who = self.devices[device]
        view = self.views.get((who.id, where))
        if view is None or view.periods[-1][1]:
            return
        mentions = ("bob",) if mention else ()
        who.send(self.name(who.id, where), mentions=list(mentions))
        present = {user for (user, place), one in self.views.items() if place == where and not one.periods[-1][1]}
        self.said[where].append(Said(who.id, False, tuple(set(mentions) & present), self.world.now))
        view.read = len(self.said[where])

    @rule()
    def come_or_go(self) -> None:
        bob = self.devices[2]
        view = self.views.get(("bob", "group"))
        self.said["group"].append(Said("bob", True, (), self.world.now))
        seq = len(self.said["group"])
        if view is None or view.periods[-1][1]:
            bob.join_group("g")
            self.views.setdefault(("bob", "group"), View()).periods.append([seq, 0])
        else:
            bob.quit("g")
            view.periods[-1][1] = seq

    @rule()
    def spread(self) -> None:
        self.world.do(crowdlog.spread)

    @rule(device=st.integers(0, 3), where=st.sampled_from(["chat", "group"]), back=st.integers(0, 3))
    def read(self, device: int, where: str, back: int) -> None:
        who = self.devices[device]
        view = self.views.get((who.id, where))
        if view is None:
            return
        seq = max(0, self.newest(who.id, where) - back)
        who.read(self.name(who.id, where), seq)
        view.read = max(view.read, seq)

    @rule(device=st.integers(0, 3), where=st.sampled_from(["chat", "group"]), pinned=st.booleans())
    def pin(self, device: int, where: str, pinned: bool) -> None:
        who = self.devices[device]
        if (who.id, where) in self.views:
            who.flags(self.name(who.id, where), pinned=pinned)

    @rule(
        device=st.integers(0, 3),
        where=st.sampled_from([("chat",), ("group",), ("group", "chat")]),
        how=st.sampled_from(["delete", "keep", "clear"]),
        back=st.integers(0, 2),
        again=st.booleans(),
    )
    def delete(self, device: int, where: tuple[str, ...], how: str, back: int, again: bool) -> None:
        who = self.devices[device]
        live = [batch for user, batch in self.batches if user == who.id and self.alive(user, batch)]
        more: dict[str, Any] = {"batch_id": live[-1]} if again and live else {}
        here = [place for place in where if (who.id, place) in self.views]
        names = [self.name(who.id, place) for place in where]
        up_to = {
            name: self.newest(who.id, place) - back
            for name, place in zip(names, where, strict=True)
            if place in here and self.newest(who.id, place) >= back
        }
        if how == "clear":
            answer = who.clear(*names, up_to=up_to, **more)
        else:
            answer = who.delete(*names, clear=how == "delete", up_to=up_to, **more)
        assert len(answer.conversation_id_list) == len(here)
        until = self.world.now + UNDO * 1000
        for place in here:
            seen = up_to.get(self.name(who.id, place), self.newest(who.id, place))
            self.views[who.id, place].shares.append(
                Share(answer.batch_id, 0 if how == "clear" else seen, 0 if how == "keep" else seen, until)
            )
        if here:
            self.batches.append((who.id, answer.batch_id))
        for (user, _), view in self.views.items():
            for share in view.shares:
                if user == who.id and share.batch == answer.batch_id and share.until > self.world.now:
                    share.until = until

    def shares(self, user: str, batch: str) -> list[Share]:
        return [
            share
            for (owner, _), view in self.views.items()
            for share in view.shares
            if owner == user and share.batch == batch
        ]

    def alive(self, user: str, batch: str) -> bool:
        return any(not one.undone and one.until > self.world.now for one in self.shares(user, batch))

    @precondition(lambda self: self.batches)
    @rule(data=st.data(), device=st.integers(0, 1))
    def undo(self, data: st.DataObject, device: int) -> None:
        user, batch = data.draw(st.sampled_from(self.batches))
        who = self.devices[device + (0 if user == "alice" else 2)]
        shares = self.shares(user, batch)
        undone = any(one.undone for one in shares)
        if self.alive(user, batch) or undone:
            who.undo(batch)
            for share in shares:
                if share.until > self.world.now:
                    share.undone = True
            return
        try:
            who.undo(batch)
        except UndoExpired:
            return
        raise AssertionError("an expired batch was restored")

    def switch(self, sync: bool) -> None:
        self.world.set(sync_conversation_deletion=sync)
        self.was_off = self.was_off or not sync

    @precondition(lambda self: self.was_off)
    @rule(sync=st.booleans())
    def switch_again(self, sync: bool) -> None:
        self.switch(sync)

    @rule(seconds=st.sampled_from([1, 300, 601]), tidy=st.booleans())
    def wait(self, seconds: int, tidy: bool) -> None:
        self.world.pass_seconds(seconds)
        if tidy:
            self.world.tidy()

    @invariant()
    def what_is_shown_follows_from_the_rules(self) -> None:
        for (user, where), view in self.views.items():
            who = self.devices[0 if user == "alice" else 2]
            name = self.name(user, where)
            shown = who.get(name)
            said = self.said[where]
            newest = self.newest(user, where)
            hidden = max([0] + [one.hidden for one in view.shares if not one.undone])
            cleared = max([0] + [one.cleared for one in view.shares if not one.undone])
            visible = [
                seq
                for seq in range(1, len(said) + 1)
                if seq > cleared and any(first <= seq <= (last or len(said)) for first, last in view.periods)
            ]
            unread = [
                seq
                for seq in visible
                if seq > max(view.read, hidden) and said[seq - 1].sender != user and not said[seq - 1].tip
            ]
            assert (shown.hidden_through, shown.cleared_through) == (hidden, cleared)
            assert shown.newest_seq == newest
            assert shown.time == said[newest - 1].time
            assert shown.read_seq == view.read
            assert shown.message_count == len(visible)
            assert shown.first_seq == (visible[0] if visible else 0)
            assert shown.unread_count == len(unread)
            assert shown.mention_count == sum(user in said[seq - 1].mentions for seq in unread)
            assert (shown.last_message is not None) == (newest > cleared)
            assert (name in who.listed()) == (newest > hidden)
            messages = who.page(name, limit=100).messages
            assert [one.message_seq for one in messages] == visible[-100:]
            assert all(one.text for one in messages)

    @invariant()
    def every_device_ends_where_a_snapshot_stands(self) -> None:
        """With sync off a device may keep rows that another one deleted, as they were; nothing else."""
        for device, replica in zip(self.devices, self.replicas, strict=True):
            for event in device.told():
                apply(replica, event)
            shown = {name: essence(one) for name, one in replica.items() if one.newest_seq > one.hidden_through}
            truth = {name: essence(one) for name, one in device.listed().items()}
            if not self.was_off:
                assert shown == truth
                continue
            for name, one in replica.items():
                now = device.get(name)
                assert one.newest_seq == now.newest_seq
                assert one.hidden_through <= now.hidden_through
                assert one.cleared_through <= now.cleared_through
            assert truth.keys() <= shown.keys()


def essence(one: Conversation) -> tuple[object, ...]:
    """What replicas are compared by; their counts they work out from pages that they hold."""
    return one.newest_seq, one.hidden_through, one.cleared_through, one.read_seq, one.pinned, one.membership


def apply(replica: dict[str, Conversation], event: events.Event) -> None:
    """What a client does, reduced to what is compared."""
    match event:
        case events.MessageNew():
            replica[event.conversation.conversation_id] = event.conversation
        case events.ConversationChanged() | events.ConversationRestored():
            replica.update({one.conversation_id: one for one in event.conversations})
        case events.ConversationDeleted() | events.ConversationCleared():
            for item in event.items:
                before = replica[item.conversation_id]
                replica[item.conversation_id] = replace(
                    before,
                    hidden_through=max(before.hidden_through, item.hidden_through),
                    cleared_through=max(before.cleared_through, item.cleared_through),
                    pinned=before.pinned and isinstance(event, events.ConversationCleared),
                )
        case events.ConversationRead():
            for read in event.items:
                before = replica[read.conversation_id]
                replica[read.conversation_id] = replace(before, read_seq=max(before.read_seq, read.read_seq))
        case _:
            pass


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    max_examples=40,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
