"""kill -9 of a real server under load, again and again: each acknowledged message and deletion is there exactly once.

Writers on several connections send and delete at the same time, so that commits hold many jobs when the process dies.
What was under way is asked for again under its own name afterwards, as clients do.
"""

import asyncio
import json
import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.accounts import Device, Json, People
from tests.load.measured import MeasuredServer
from tests.load.population import Login, filling
from tests.load.raw import Http, Refused
from tui_chat.server.engines.sqlite_transaction import SqliteTransaction
from tui_chat.server.operations import crowdlog
from tui_chat.server.operations.crowdlog import BEFORE
from tui_chat.server.run import DATABASE, new_event_loop

WRITERS: Final = 12
ROOMS: Final = 4
"""Groups in which everybody writes, and from whose lists everybody deletes them."""
BETWEEN_SECONDS: Final = (0.05, 0.6)
"""After which the server is killed."""
RATE_SECONDS: Final = 0.06
"""Of a writer between two acts: just under what a user may send a second."""


class Writer:
    """One user, who sends to groups and deletes them, one act after the other."""

    def __init__(self, login: Login, rooms: list[str]) -> None:
        self.login = login
        self.rooms = rooms
        self.acts = 0
        self.texts: dict[str, int] = {}
        """Text -> messageSeq, of every message that was acknowledged."""
        self.visible: dict[str, list[str]] = {room: [] for room in rooms}
        """Of one's own: what must still be seen, in the order in which it was sent."""
        self.deletions: dict[str, int] = {}
        """operationID -> eventSeq, of every deletion that was acknowledged."""

    async def work(self, url: str) -> None:
        """Until the server dies."""
        try:
            line = await Http.open(url, self.login.token)
            while True:
                await self.act(line)
                await asyncio.sleep(RATE_SECONDS)
        except ConnectionError:
            return

    async def act(self, line: Http) -> None:
        """The next act, which counts once it was answered; until then it is the same one."""
        chance = random.Random(f"{self.login.user_id} {self.acts}")
        room = chance.choice(self.rooms)
        name = f"{self.login.user_id}-{self.acts}"
        try:
            if chance.random() < 0.8:
                answer: Json = await line.ask(
                    "POST", f"/v1/conversations/{room}/messages", {"clientID": name, "text": name}
                )
                self.texts[name] = answer["message"]["messageSeq"]
                self.visible[room].append(name)
            else:
                body = {"conversationIDList": [room], "operationID": name}
                answer = await line.ask("POST", "/v1/conversations/delete", body)
                assert answer["conversationIDList"] == [room]
                self.deletions[name] = answer["eventSeq"]
                self.visible[room].clear()
        except Refused as refused:
            if refused.status != 429:
                raise
            await asyncio.sleep(0.2)
            return
        self.acts += 1


class Crowd:
    """The writers, and the server that they write to."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.rooms = [f"GROUProom{number}" for number in range(ROOMS)]

    async def fill(self) -> None:
        """Accounts and groups."""
        names = [f"w{number}" for number in range(WRITERS)]
        async with filling(self.data) as population:
            logins = await population.users(*names)
            for room in self.rooms:
                await population.group(room.removeprefix("GROUP"), names)
        self.writers = [Writer(login, self.rooms) for login in logins]

    async def crash(self, server: MeasuredServer, after: float) -> None:
        """Let everybody write, and kill the server in the middle."""
        tasks = [asyncio.create_task(writer.work(server.url)) for writer in self.writers]
        await asyncio.sleep(after)
        await asyncio.to_thread(server.kill)
        await asyncio.gather(*tasks)

    async def finish(self, server: MeasuredServer) -> None:
        """Everybody asks again for what was under way."""
        for writer in self.writers:
            acts, line = writer.acts, await Http.open(server.url, writer.login.token)
            while writer.acts == acts:
                await writer.act(line)
            line.close()


@pytest.fixture
def killed(tmp_path: Path) -> Iterator[list[MeasuredServer]]:
    servers: list[MeasuredServer] = []
    yield servers
    for server in servers:
        server.kill()


def everything(device: Device, room: str) -> list[Json]:
    """The whole visible history."""
    messages: list[Json] = []
    before: dict[str, int] = {}
    while True:
        page = device.get(f"/v1/conversations/{room}/messages", limit=100, **before)
        messages = page["messages"] + messages
        if not page["more"]:
            return messages
        before = {"before": messages[0]["messageSeq"]}


def look(crowd: Crowd, people: People) -> None:
    """As its users see it: what was acknowledged, in its order, and nothing that was deleted."""
    for writer in crowd.writers:
        session = {"userID": writer.login.user_id, "deviceID": "", "accessToken": writer.login.token}
        device = Device(people.http, {**session, "refreshToken": ""})
        for room in crowd.rooms:
            messages = everything(device, room)
            numbers = [message["messageSeq"] for message in messages]
            assert numbers == list(range(numbers[0], numbers[-1] + 1)) if numbers else True, "a gap, or one twice"
            texts = [message["text"] for message in messages if message["type"] == "text"]
            own = [text for text in texts if text in writer.texts]
            assert own == writer.visible[room], f"{writer.login.user_id} in {room}"
        log = device.events(f"{device.cursor().rpartition(':')[0]}:0")
        positions = [event["eventSeq"] for event in log]
        assert positions == sorted(set(positions)), "each event has a number of its own"
        deletions = [(event["operationID"], event["eventSeq"]) for event in log if "operationID" in event]
        assert dict(deletions) == writer.deletions
        assert len(deletions) == len(writer.deletions), "none happened twice"


def look_inside(crowd: Crowd) -> None:
    """As the database has it, where users see no more what they deleted: once each, in its place, no gap anywhere."""
    database = sqlite3.connect(crowd.data / DATABASE)
    try:
        stored = database.execute("SELECT client_id, seq FROM message WHERE client_id IS NOT NULL").fetchall()
        while crowdlog.spread(SqliteTransaction(database, 0)):
            pass
        newest = dict(database.execute("SELECT account, seq FROM stream"))
        logs: dict[int, list[int]] = {account: [] for account in newest}
        for account, seq, data in database.execute("SELECT account, seq, data FROM event ORDER BY account, seq"):
            logs[account] += [entry[BEFORE] + 1 for entry in json.loads(data)] if data.startswith("[[") else [seq]
        rooms = database.execute(
            "SELECT c.last_seq, COUNT(*), MAX(m.seq) FROM conversation c JOIN message m ON m.conversation = c.id"
            " GROUP BY c.id"
        ).fetchall()
    finally:
        database.close()
    assert len(stored) == len(dict(stored)), "none was stored twice"
    acknowledged = {text: seq for writer in crowd.writers for text, seq in writer.texts.items()}
    assert dict(stored) == acknowledged, "the last of each was asked for again, so all have been acknowledged"
    for account, seqs in logs.items():
        assert sorted(seqs) == list(range(1, newest[account] + 1))
    assert all(last_seq == count == last for last_seq, count, last in rooms)


def kill(times: int, data: Path, servers: list[MeasuredServer]) -> int:
    """Kill a server so often, look after each; how many acts were acknowledged."""
    chance = random.Random(times)
    crowd = Crowd(data)
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(crowd.fill())
        server = MeasuredServer(data)
        servers.append(server)
        for _ in range(times):
            runner.run(crowd.crash(server, chance.uniform(*BETWEEN_SECONDS)))
            server.start()
        runner.run(crowd.finish(server))
    people = People(server.url)
    try:
        look(crowd, people)
    finally:
        people.close()
    server.kill()
    look_inside(crowd)
    return sum(writer.acts for writer in crowd.writers)


def test_killed_twice(tmp_path: Path, killed: list[MeasuredServer]) -> None:
    assert kill(2, tmp_path / "server", killed) > WRITERS


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_killed_ten_times(tmp_path: Path, killed: list[MeasuredServer]) -> None:
    assert kill(10, tmp_path / "server", killed) > 10 * WRITERS


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_killed_fifty_times(tmp_path: Path, killed: list[MeasuredServer]) -> None:
    assert kill(50, tmp_path / "server", killed) > 50 * WRITERS
