"""kill -9 of a real server in the middle of deletions and messages: what was acknowledged is there, all or nothing."""

import random
import threading
from collections.abc import Iterator

import httpx
import pytest

from tests.accounts import Device, Json, People
from tests.servers import ServerProcess

KILLS = 5
GROUPS = 60


@pytest.fixture
def people(server_process: ServerProcess) -> Iterator[People]:
    there = People(server_process.url)
    yield there
    there.close()


class Worker:
    """Deletes, restores and sends as fast as it gets answers, until the line is cut; then goes on where it stood."""

    def __init__(self, device: Device, groups: list[str]) -> None:
        self.device = device
        self.groups = groups
        self.number = 0
        self.sent: dict[str, list[str]] = {group: [] for group in groups}
        """Texts whose sending was acknowledged since the group was last deleted."""
        self.deleted: set[str] = set()
        self.acknowledged = 0

    def run(self) -> None:
        """Until the server dies."""
        try:
            while True:
                self.step()
        except httpx.TransportError:
            return

    def step(self) -> None:
        """One act; what is counted is counted when its answer is there, so a cut leaves it to be tried again."""
        chosen = random.Random(self.number)
        if chosen.random() < 0.5:
            group = chosen.choice(self.groups)
            text = f"text {self.number}"
            self.device.send(group, text, f"client-{self.number}")
            self.sent[group].append(text)
        else:
            some = chosen.sample(self.groups, 20)
            answer: Json = self.device.delete(*some, operationID=f"operation-{self.number}")
            assert answer["failures"] == []
            for group in some:
                self.sent[group].clear()
                self.deleted.add(group)
        self.number += 1
        self.acknowledged += 1


@pytest.mark.timeout(180)  # Six servers are started, one after the other.
def test_what_was_acknowledged_survives_and_the_rest_is_whole(server_process: ServerProcess, people: People) -> None:
    alice = people.register("alice")
    groups = [alice.create_group(f"G{number}")["conversationID"] for number in range(GROUPS)]
    chance = random.Random(20250101)
    worker = Worker(alice, groups)
    for _ in range(KILLS):
        thread = threading.Thread(target=worker.run)
        goal = worker.acknowledged + chance.randint(5, 25)
        thread.start()
        while worker.acknowledged < goal and thread.is_alive():
            thread.join(0.001)
        server_process.kill()
        thread.join()
        server_process.start()
    worker.step()  # The one that was cut last is finished under its own name.
    listed = alice.conversations()
    for group in groups:
        texts = [message["text"] for message in alice.history(group) if message["type"] == "text"]
        assert texts == worker.sent[group]
        assert (group in listed) == bool(texts or group not in worker.deleted)
    everything = alice.events(f"{alice.cursor().rpartition(':')[0]}:0")
    numbers = [event["eventSeq"] for event in everything]
    assert numbers == sorted(set(numbers))
    deletions = [event["operationID"] for event in everything if event["kind"] == "conversation.deleted"]
    assert len(deletions) == len(set(deletions)), "no deletion happened twice"
