"""Deletions, clearings and undoing from two devices in any order: what is derived always follows from what it is
derived from, and every rule that holds of a single call holds in the middle of others."""

import json
from collections.abc import Callable
from random import Random
from typing import Final

import pytest

from tui_chat.protocol.errors import BatchUndone, ChatError, OperationNotFound, UndoExpired
from tui_chat.protocol.ids import SYSTEM

from .world import Device, World

PEERS: Final = ("bob", "carol", "dora")
BATCHES: Final = ("b1", "b2", "b3", "b4")


class Play:
    """Alice's two devices, and others who write to her."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.random = Random(seed)
        self.alice = world.join("alice")
        self.devices = (self.alice, self.alice.another("phone"))
        self.peers = [world.join(name) for name in PEERS]
        self.alice.create("here", "bob", "carol")
        self.peers[0].create("left", "alice")
        self.alice.create("ended", "bob")
        for peer in self.peers:
            peer.send("C2Calice")
        self.alice.quit("left")
        self.alice.dismiss("ended")
        self.names = ["C2Cbob", "C2Ccarol", "C2Cdora", "GROUPhere", "GROUPleft", "GROUPended", SYSTEM, "C2Cnobody"]
        self.operations: list[str] = []
        self.ended: set[str] = set()
        """Batches that were undone whole or ended by a person: no more calls."""

    def step(self) -> None:
        """One thing that somebody does, refused or not."""
        device = self.random.choice(self.devices)
        act: Callable[[Device], None] = self.random.choice(
            (self.delete, self.delete, self.clear, self.undo, self.undo_one, self.end, self.say)
        )
        if self.random.random() < 0.4:
            act = self.random.choice((self.read, self.pin, self.wait, self.tidy, self.set))
        try:
            act(device)
        except (BatchUndone, OperationNotFound, UndoExpired):
            pass
        except ChatError as error:
            raise AssertionError(f"{act.__name__} is refused for no reason: {error}") from error

    def some(self) -> tuple[list[str], dict[str, int]]:
        """A list with repeats in other letters, and bounds for a part of it."""
        names = self.random.choices(self.names, k=self.random.randint(1, 6))
        given = [
            name if name == SYSTEM or self.random.random() < 0.8 else name[:5] + name[5:].upper() for name in names
        ]
        return given, {name: self.random.randint(0, 6) for name in given if self.random.random() < 0.4}

    def delete(self, device: Device) -> None:
        names, up_to = self.some()
        batch = self.random.choice(BATCHES)
        done = device.delete(*names, clear=self.random.random() < 0.6, batch_id=batch, up_to=up_to)
        self.remember(batch, done.operation_id, done.conversation_id_list)
        assert {one.code for one in done.failures} <= {"conversation_not_found"}
        assert len(done.conversation_id_list) + len(done.failures) == len({name.lower() for name in names})

    def clear(self, device: Device) -> None:
        names, up_to = self.some()
        batch = self.random.choice(BATCHES)
        done = device.clear(*names, batch_id=batch, up_to=up_to)
        self.remember(batch, done.operation_id, done.conversation_id_list)

    def remember(self, batch: str, operation: str, names: list[str]) -> None:
        assert batch not in self.ended, "a batch that was done with took another call"
        if names:
            self.operations.append(operation)

    def undo(self, device: Device) -> None:
        batch = self.random.choice(BATCHES)
        first = device.undo(batch)
        assert device.undo(batch) == first
        self.ended.add(batch)

    def undo_one(self, device: Device) -> None:
        if self.operations:
            operation = self.random.choice(self.operations)
            assert device.undo_operation(operation) == device.undo_operation(operation)
            # Where that was all of its batch, that one is done with as well.
            self.ended |= {row[0] for row in self.world.rows("SELECT batch_id FROM batch WHERE status = 1")}

    def end(self, device: Device) -> None:
        batch = self.random.choice(BATCHES)
        device.erase_now(batch)
        device.erase_now(batch)
        with pytest.raises(UndoExpired):
            device.undo(batch)

    def say(self, device: Device) -> None:
        peer = self.random.choice(self.peers)
        match self.random.randrange(4):
            case 0:
                device.send(f"C2C{peer.id}")
            case 1:
                self.peers[0].send("GROUPhere", mentions=["alice"])
            case _:
                peer.send("C2Calice", mentions=[])

    def read(self, device: Device) -> None:
        device.read(self.random.choice(self.names[:-1]), self.random.randint(0, 6))

    def pin(self, device: Device) -> None:
        device.flags(self.random.choice(self.names[:-1]), pinned=self.random.random() < 0.7)

    def wait(self, _: Device) -> None:
        self.world.pass_seconds(self.random.choice((1, 599.999, 600, -3600)))

    def tidy(self, _: Device) -> None:
        self.world.tidy()

    def set(self, _: Device) -> None:
        self.world.set(undo_seconds=self.random.choice((600, 600, 600, 0)), sync_conversation_deletion=True)

    def check(self) -> None:
        """Everything that follows from something else does follow from it."""
        user = self.alice.caller.user
        live: dict[int, tuple[int, int]] = {}
        for hides, clears, text in self.world.rows("SELECT hides, clears, shares FROM share WHERE account = ?", user):
            conversations, seen, _ = json.loads(text)
            for conversation, share in zip(conversations, seen, strict=True):
                hidden, cleared = live.get(conversation, (0, 0))
                live[conversation] = (max(hidden, share * hides), max(cleared, share * clears))
        for conversation, name, *numbers in self.world.rows(
            "SELECT conversation, conversation_id, hidden, cleared, hidden_settled, cleared_settled, read_seq,"
            " floor_count, mention_count FROM state WHERE account = ?",
            user,
        ):
            hidden, cleared, hidden_settled, cleared_settled, read_seq, floor_count, mention_count = numbers
            shares = live.get(conversation, (0, 0))
            assert hidden == max(hidden_settled, shares[0]), name
            assert cleared == max(cleared_settled, shares[1]), name
            floor = max(hidden, cleared, read_seq)
            count = self.world.rows(
                "SELECT count FROM message WHERE conversation = ? AND seq <= ? ORDER BY seq DESC LIMIT 1",
                conversation,
                floor,
            )
            assert floor_count == (count[0][0] if count else 0), name
            [(mentions,)] = self.world.rows(
                "SELECT COUNT(*) FROM mention WHERE account = ? AND conversation = ? AND seq > ?",
                user,
                conversation,
                floor,
            )
            assert mention_count == mentions, name
        [(orphans,)] = self.world.rows(
            "SELECT COUNT(*) FROM share s LEFT JOIN operation o ON o.id = s.operation WHERE COALESCE(o.status, 9) <> 0"
        )
        assert orphans == 0
        for entry in self.alice.deletions():
            assert entry.count >= len(entry.conversation_id_list)
            assert entry.undo_seconds == 0 or entry.conversation_id_list
            assert 0 <= entry.undo_seconds <= 86_400


@pytest.mark.parametrize("seed", range(12))
def test_what_is_derived_follows_from_what_it_is_derived_from(world: World, seed: int) -> None:
    play = Play(world, seed)
    for _ in range(60):
        play.step()
        play.check()
