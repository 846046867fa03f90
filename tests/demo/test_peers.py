"""Peers on a clock of the test's: they type before they write, one answer to several lines, clients are let go."""

import asyncio
from random import Random

from tests.demo.test_archive import small
from tui_chat.demo.excerpt import Excerpt
from tui_chat.demo.peers import AWAKE_MOST, Client, Peers
from tui_chat.demo.script import Script
from tui_chat.protocol.errors import NotConnected


class Recorded:
    """A client that notes what it is asked for."""

    def __init__(self, user_id: str, log: list[tuple[str, ...]]) -> None:
        self._user_id = user_id
        self._log = log

    async def send_message(self, conversation_id: str, text: str, *, mentions: tuple[str, ...] = ()) -> object:
        self._log.append((self._user_id, "says", conversation_id, text))
        return None

    async def mark_read(self, conversation_id: str) -> None:
        self._log.append((self._user_id, "reads", conversation_id))

    async def typing(self, conversation_id: str) -> None:
        self._log.append((self._user_id, "types", conversation_id))

    async def close(self) -> None:
        self._log.append((self._user_id, "goes"))


class Stage:
    """Peers, what they did, and a clock that jumps."""

    def __init__(self, excerpt: Excerpt) -> None:
        self.log: list[tuple[str, ...]] = []
        self.slept: list[float] = []
        self.peers = Peers(Script(excerpt, Random(2)), self.wake, sleep=self.sleep)

    async def wake(self, user_id: str) -> Client:
        self.log.append((user_id, "wakes"))
        return Recorded(user_id, self.log)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)

    async def settle(self) -> None:
        """Let everything that can happen happen."""
        for _ in range(50):
            await asyncio.sleep(0)


async def test_who_is_written_to_reads_types_and_answers() -> None:
    stage = Stage(small())
    stage.peers.alice_wrote("C2Cbob")
    await stage.settle()
    assert stage.log == [
        ("bob", "wakes"),
        ("bob", "reads", "C2Calice"),
        ("bob", "types", "C2Calice"),
        ("bob", "says", "C2Calice", "and then"),
    ]
    await stage.peers.close()
    assert stage.log[-1] == ("bob", "goes")


async def test_several_lines_get_one_answer() -> None:
    stage = Stage(small())
    for _ in range(4):
        stage.peers.alice_wrote("C2Cbob")
    await stage.settle()
    assert [what[1] for what in stage.log].count("says") == 1
    stage.peers.alice_wrote("C2Cbob")
    await stage.settle()
    assert [what[1] for what in stage.log].count("says") == 2
    await stage.peers.close()


async def test_a_nudge_is_answered_within_two_seconds() -> None:
    stage = Stage(small())
    assert stage.peers.nudge("bob")
    assert not stage.peers.nudge("stranger")
    await stage.settle()
    assert [what[1] for what in stage.log] == ["wakes", "types", "says"]
    assert sum(stage.slept) < 1.5
    await stage.peers.close()


async def test_talk_goes_on_and_idle_clients_are_let_go(excerpt: Excerpt) -> None:
    stage = Stage(excerpt)
    enough = asyncio.Event()

    def said() -> None:
        if sum(what[1] == "says" for what in stage.log) >= 60:
            enough.set()

    talking = asyncio.create_task(stage.peers.run(said))
    await asyncio.wait_for(enough.wait(), 10)
    talking.cancel()
    await stage.settle()
    awake = sum(what[1] == "wakes" for what in stage.log) - sum(what[1] == "goes" for what in stage.log)
    assert 0 < awake <= AWAKE_MOST
    await stage.peers.close()
    assert sum(what[1] == "wakes" for what in stage.log) == sum(what[1] == "goes" for what in stage.log)


async def test_a_refusal_silences_nobody_else() -> None:
    stage = Stage(small())

    async def refused(user_id: str) -> Client:
        raise NotConnected("no")

    peers = Peers(Script(small(), Random(2)), refused, sleep=stage.sleep)
    lines = 0

    def said() -> None:
        nonlocal lines
        lines += 1

    talking = asyncio.create_task(peers.run(said))
    peers.alice_wrote("C2Cbob")
    for _ in range(50):
        await asyncio.sleep(0)
    assert lines >= 3
    talking.cancel()
    await peers.close()
