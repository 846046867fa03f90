"""Servers on one database in this process, each with a loop and a thread of its own: quicker than real processes."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.accounts import DEADLINE, Device, Json, People, Stream
from tests.buses import eventually
from tests.servers import LiveServer


class Servers:
    """Use `servers`."""

    def __init__(self, live: list[LiveServer], people: list[People]) -> None:
        self.live = live
        self.people = people

    def couple(self, name: str) -> tuple[Device, Device]:
        """Somebody at the first server and somebody at the second, who know each other."""
        alice, bob = self.people[0].register(f"alice.{name}"), self.people[1].register(f"bob.{name}")
        alice.send(f"C2C{bob.user_id}", "hello")
        seq = bob.send(f"C2C{alice.user_id}", "hello")["messageSeq"]
        alice.read(f"C2C{bob.user_id}", seq)
        return alice, bob

    def at(self, number: int, device: Device) -> Device:
        """The same log-in, speaking to another server."""
        return device.at(self.people[number].http)

    def up(self) -> bool:
        """Whether all know of each other, and hear each other."""
        exchanges = [live.running.services.exchange for live in self.live]
        return all(one.bus.up and len(one.processes) == len(exchanges) for one in exchanges)

    def down(self) -> bool:
        """Whether none has a bus."""
        return not any(live.running.services.exchange.bus.up for live in self.live)


@contextmanager
def servers(directory: Path, database: str, bus: str | None, size: int = 2) -> Iterator[Servers]:
    """Servers that know each other, for as long as the context lasts."""
    with ExitStack() as stack:
        live, people = [], []
        for number in range(size):
            live.append(LiveServer(directory / f"{number}", database=database, bus=bus))
            stack.callback(live[-1].stop)
            people.append(People(live[-1].url))
            stack.callback(people[-1].close)
        there = Servers(live, people)
        eventually(there.up, "the servers know each other")
        yield there


def ephemeral(stream: Stream, kind: str, deadline: float = DEADLINE, **what: Any) -> Json:
    """The next ephemeral frame of a kind, with these fields."""
    while True:
        frame = stream.frame(deadline)
        if frame["t"] == "ephemeral" and frame["kind"] == kind and what.items() <= frame.items():
            return frame
