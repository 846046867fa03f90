"""A run: what several people do on several devices at several servers, while something befalls these.

Everybody writes to everybody in groups and one to one, deletes with the history and without, clears, undoes, reads and
looks; some messages are sent to two servers at once, as after a request whose answer did not come. In the end all of it
is a history for the checker.
"""

import asyncio
import itertools
import json
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Any, Final
from urllib.parse import quote

import psycopg

from tests.load.population import Login, filling_postgres
from tests.load.raw import Refused
from tui_chat.server.engines import Transaction
from tui_chat.server.engines.postgres import PostgresEngine
from tui_chat.server.operations.crowdlog import logged

from .people import Recorder, RecordingDevice
from .records import Delete, History, Json, Listing, Mark, Page, Restore, Send, Snapshot, Stored, StoredLog, room_of

FINISHING_SECONDS: Final = 60.0
"""After all is well again, whatever is under way is answered within so long."""
LEVEL_SECONDS: Final = 30.0
"""And so long later every device has heard everything; positions are compared every ten."""


@dataclass(frozen=True)
class Size:
    """How much of everything there is."""

    users: int = 5
    devices: int = 2
    """Of each."""
    groups: int = 2
    pause: float = 0.08
    """Seconds between two acts of a device, on average."""
    most: int = 400
    """Acts of one device, so that a history stays small enough to be checked."""


class Run:
    """People at servers on one database."""

    def __init__(self, database: str, urls: Sequence[str], *, seed: int, size: Size | None = None) -> None:
        self.recorder = Recorder()
        self.size = size or Size()
        self._database = database
        self._urls = urls
        self._random = Random(seed)
        self._stopping = asyncio.Event()
        self._devices: list[RecordingDevice] = []
        self._batches: dict[str, list[str]] = {}
        """By user, what can be undone."""
        self._names = itertools.count()
        self._users = [f"u{number}" for number in range(self.size.users)]
        self._groups = [f"GROUPg{number}" for number in range(self.size.groups)]

    async def history(self, befall: Callable[[], Awaitable[None]]) -> History:
        """Let everybody do what they do until `befall` is done, and everything come to rest."""
        await self._prepare()
        actors = [asyncio.create_task(self._act(device)) for device in self._devices]
        try:
            await befall()
        finally:
            self._stopping.set()
        async with asyncio.timeout(FINISHING_SECONDS):
            await asyncio.gather(*actors)
        await self._level()
        history = History(
            self.recorder.acts,
            [device.log for device in self._devices],
            await asyncio.to_thread(self._stored),
            [await self._snapshot(user, url) for user in self._users for url in self._urls],
            self._members(),
            await self._logs(),
        )
        for device in self._devices:
            await device.end()
        await asyncio.sleep(0.1)  # for the connections' ends
        assert not self.recorder.failures, self.recorder.failures[:3]
        return history

    async def _prepare(self) -> None:
        async with filling_postgres(self._database) as population:
            await population.settings(sync_conversation_deletion=True)
            first = await population.users(*self._users)
            logins = [first, *[await population.devices(*self._users) for _ in range(self.size.devices - 1)]]
        numbered: list[tuple[int, Login]] = [(number, login) for number, row in enumerate(logins) for login in row]
        for number, login in numbered:
            chance = Random(self._random.random())
            # Devices of one user are at different servers.
            device = RecordingDevice(self.recorder, login, number, self._urls, chance)
            self._devices.append(device)
        one = self._devices[0]
        cursor = _answer(await one.answered("GET", "/v1/sync?limit=1"))["cursor"]
        for device in self._devices:
            await device.begin(cursor.rpartition(":")[0])
        for group in self._groups:
            members = [user for user in self._users if user != one.user]
            asked = {"groupID": group.removeprefix("GROUP"), "name": group, "members": members}
            _answer(await one.answered("POST", "/v1/groups", asked))

    def _members(self) -> dict[str, dict[str, int]]:
        """In groups the first user made them, which is their first message, and the second added the others."""
        joined = {user: min(number + 1, 2) for number, user in enumerate(self._users)}
        rooms: dict[str, dict[str, int]] = {group: dict(joined) for group in self._groups}
        for user in self._users:
            for name in self._places(user):
                if name.startswith("C2C"):
                    rooms[room_of(user, name)] = {user: 1, name.removeprefix("C2C"): 1}
        return rooms

    def _places(self, user: str) -> list[str]:
        """Where somebody writes: the groups, and to their neighbours."""
        at = self._users.index(user)
        neighbours = {self._users[(at + 1) % len(self._users)], self._users[at - 1]} - {user}
        return [*self._groups, *(f"C2C{name}" for name in sorted(neighbours))]

    # Acting

    async def _act(self, device: RecordingDevice) -> None:
        dice = Random(self._random.random())
        acts: list[tuple[int, Callable[[RecordingDevice, Random], Awaitable[None]]]] = [
            (50, self._send),
            (6, self._send_twice),
            (14, self._delete),
            (4, self._clear),
            (8, self._restore),
            (6, self._read),
            (8, self._look),
            (4, self._list),
        ]
        weights = [weight for weight, _ in acts]
        for _ in range(self.size.most):
            if self._stopping.is_set():
                return
            ((_, act),) = dice.choices(acts, weights)
            await act(device, dice)
            with suppress(TimeoutError):
                async with asyncio.timeout(dice.uniform(0, 2 * self.size.pause)):
                    await self._stopping.wait()

    def _asked(self, device: RecordingDevice, what: str) -> dict[str, Any]:
        name = f"{what}-{device.name.replace('/', '-')}-{next(self._names)}"
        return {"user": device.user, "device": device.name, "name": name, "began": self.recorder.now()}

    def _ended(self, answer: Json | Refused) -> dict[str, Any]:
        code = json.loads(answer.body)["error"]["code"] if isinstance(answer, Refused) else None
        return {"ended": self.recorder.now(), "refused": code}

    async def _send(self, device: RecordingDevice, dice: Random) -> None:
        await self._send_to(device, dice.choice(self._places(device.user)), self._asked(device, "send"))

    async def _send_twice(self, device: RecordingDevice, dice: Random) -> None:
        """To two servers at once, under one clientID."""
        place, asked = dice.choice(self._places(device.user)), self._asked(device, "twice")
        await asyncio.gather(*(self._send_to(device, place, asked, elsewhere=number) for number in (0, 1)))

    async def _send_to(self, device: RecordingDevice, place: str, asked: dict[str, Any], elsewhere: int = 0) -> None:
        body = {"clientID": asked["name"], "text": asked["name"]}
        answer = await device.answered("POST", f"{_path(place)}/messages", body, elsewhere=elsewhere)
        seq = 0 if isinstance(answer, Refused) else answer["message"]["messageSeq"]
        self.recorder.acts.append(Send(**asked, **self._ended(answer), conversation_id=place, message_seq=seq))

    async def _delete(self, device: RecordingDevice, dice: Random) -> None:
        await self._take_away(device, dice, hides=True, clears=dice.random() < 0.6)

    async def _clear(self, device: RecordingDevice, dice: Random) -> None:
        await self._take_away(device, dice, hides=False, clears=True)

    async def _take_away(self, device: RecordingDevice, dice: Random, *, hides: bool, clears: bool) -> None:
        known = {name: row.newest for name, row in device.replica.rows.items() if name in self._places(device.user)}
        # Mostly what is newest on the screen; now and then less, which must not lower what an earlier one reached.
        chosen = {
            name: dice.choice((newest, newest, newest, dice.randint(1, newest)))
            for name, newest in sorted(known.items())
            if newest and dice.random() < 0.5
        }
        if not chosen:
            return
        asked = self._asked(device, "delete" if hides else "clear")
        batch = asked["name"]
        body = {"conversationIDList": [*chosen], "upTo": chosen, "operationID": batch, "batchID": batch}
        if hides:
            body["clearHistoryMessage"] = clears
        answer = await device.answered("POST", f"/v1/conversations/{'delete' if hides else 'clear'}", body)
        event_seq = 0 if isinstance(answer, Refused) else answer["eventSeq"]
        if not isinstance(answer, Refused) and answer["failures"]:
            self.recorder.failures.append(f"{batch}: {answer['failures']}")
        self.recorder.acts.append(
            Delete(
                **asked,
                **self._ended(answer),
                up_to=chosen,
                hides=hides,
                clears=clears,
                batch=batch,
                event_seq=event_seq,
            )
        )
        self._batches.setdefault(device.user, []).append(batch)

    async def _restore(self, device: RecordingDevice, dice: Random) -> None:
        there = self._batches.get(device.user, [])
        if there:
            asked, batch = self._asked(device, "restore"), there.pop(dice.randrange(len(there)))
            answer = await device.answered("POST", "/v1/conversations/restore", {"batchID": batch})
            self.recorder.acts.append(Restore(**asked, **self._ended(answer), batch=batch))

    async def _read(self, device: RecordingDevice, dice: Random) -> None:
        rows = {name: row for name, row in device.replica.rows.items() if row.listed}
        if rows:
            asked, name = self._asked(device, "read"), dice.choice(sorted(rows))
            items = [{"conversationID": name, "messageSeq": rows[name].newest}]
            body = {"items": items, "operationID": asked["name"]}
            answer = await device.answered("POST", "/v1/conversations/read", body)
            mark = Mark(**asked, **self._ended(answer), conversation_id=name, message_seq=rows[name].newest)
            self.recorder.acts.append(mark)

    async def _look(self, device: RecordingDevice, dice: Random) -> None:
        name, asked = dice.choice(self._groups), self._asked(device, "look")
        answer = await device.answered("GET", f"{_path(name)}/messages?limit=50")
        found: dict[str, Any] = {}
        if not isinstance(answer, Refused):
            found = {"seqs": tuple(one["messageSeq"] for one in answer["messages"]), "more": answer["more"]}
        self.recorder.acts.append(Page(**asked, **self._ended(answer), conversation_id=name, **found))

    async def _list(self, device: RecordingDevice, dice: Random) -> None:
        asked = self._asked(device, "list")
        answer = await device.answered("GET", "/v1/conversations?limit=100")
        rows = [] if isinstance(answer, Refused) else answer["conversations"]
        newest = {row["conversationID"]: row["newestSeq"] for row in rows}
        self.recorder.acts.append(Listing(**asked, **self._ended(answer), newest=newest))

    # The end

    async def _level(self) -> None:
        """Wait until every device has heard everything; what is missing then, the checker says."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LEVEL_SECONDS):
                for device in self._devices:
                    cursor = _answer(await device.answered("GET", "/v1/sync?limit=1"))["cursor"]
                    while device.replica.position < int(cursor.rpartition(":")[2]):  # noqa: ASYNC110 - a frame does it
                        await asyncio.sleep(0.05)

    async def _snapshot(self, user: str, url: str) -> Snapshot:
        device = next(one for one in self._devices if one.user == user)
        asking = RecordingDevice(self.recorder, device.login, 0, [url], Random(0))

        async def ask(path: str) -> Json:
            return _answer(await asking.answered("GET", path))

        cursor = (await ask("/v1/sync?limit=1"))["cursor"]
        listed = (await ask("/v1/conversations?limit=100"))["conversations"]
        rows = {row["conversationID"]: row for row in listed}
        marks: dict[str, tuple[int, int]] = {}
        histories: dict[str, list[int]] = {}
        for name in self._places(user):
            found = await asking.answered("GET", _path(name))
            if isinstance(found, Refused):
                continue  # nobody has written there
            marks[name] = found["hiddenThrough"], found["clearedThrough"]
            histories[name] = await self._everything(ask, name)
        asking.move()
        return Snapshot(user, url, int(cursor.rpartition(":")[2]), rows, marks, histories)

    async def _everything(self, ask: Callable[[str], Awaitable[Json]], name: str) -> list[int]:
        seqs: list[int] = []
        while True:
            before = f"&before={seqs[0]}" if seqs else ""
            page = await ask(f"{_path(name)}/messages?limit=100{before}")
            seqs = [message["messageSeq"] for message in page["messages"]] + seqs
            if not page["more"]:
                return seqs

    def _stored(self) -> list[Stored]:
        with psycopg.connect(self._database) as connection:
            names: dict[int, str] = {}
            for key, user, name in connection.execute(
                "SELECT s.conversation, a.user_id, s.conversation_id FROM state s JOIN account a ON a.id = s.account"
            ):
                names[key] = room_of(user, name)
            messages = connection.execute(
                "SELECT m.conversation, m.seq, a.user_id, m.client_id FROM message m JOIN account a ON a.id = m.sender"
                " ORDER BY m.conversation, m.seq"
            ).fetchall()
        return [Stored(names[room], seq, sender, client_id) for room, seq, sender, client_id in messages
                if not names[room].startswith("@")]  # fmt: skip

    async def _logs(self) -> dict[str, StoredLog]:
        """In whichever form events stand there; read as servers do."""

        def read(tx: Transaction) -> dict[str, StoredLog]:
            users = tx.all(
                "SELECT a.user_id, s.account, s.seq, s.floor FROM stream s JOIN account a ON a.id = s.account"
            )
            return {
                user: StoredLog(floor, newest, [row[0] for row in logged(tx, account, floor, newest, newest - floor)])
                for user, account, newest, floor in users
            }

        engine = await PostgresEngine.open(self._database)
        try:
            return await engine.read(read)
        finally:
            await engine.close()


def _path(conversation_id: str) -> str:
    return f"/v1/conversations/{quote(conversation_id, safe='')}"


def _answer(answer: Json | Refused) -> Json:
    if isinstance(answer, Refused):
        raise answer
    return answer
