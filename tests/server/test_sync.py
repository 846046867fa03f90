"""/v1/sync: catching up over HTTP, and waiting there."""

import asyncio
import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest

from tests.accounts import Device, Json
from tests.servers import LiveServer
from tui_chat.protocol.errors import Unavailable
from tui_chat.protocol.events import DeviceRevoked
from tui_chat.protocol.models import ServerFacts
from tui_chat.protocol.requests import SyncAnswer
from tui_chat.server import services
from tui_chat.server.bus.local import LocalBus
from tui_chat.server.engines import Emitted, Transaction
from tui_chat.server.hub import Hub
from tui_chat.server.operations import crowdlog
from tui_chat.server.operations.caller import Caller
from tui_chat.server.routes.endpoint import NOTHING, Call, Peer
from tui_chat.server.routes.sync import SyncQuery, sync


def in_background(call: Any) -> tuple[threading.Thread, list[Any]]:
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(call()))
    thread.start()
    return thread, results


def wait_until_waiting(server: LiveServer) -> None:
    deadline = time.monotonic() + 10
    while not server.running.services.hub.waiting():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_the_first_sync_is_the_state(alice: Device, bob: Device) -> None:
    bob.send("C2Calice", "hello")
    answer = alice.get("/v1/sync")
    assert answer["reset"] == "epoch"
    assert {each["conversationID"] for each in answer["conversations"]} == {"C2Cbob"}
    assert answer["next"] is None
    assert answer["server"]["undoSeconds"] == 600
    assert alice.sync(answer["cursor"])["events"] == []


def test_ranges_follow_each_other(alice: Device, bob: Device) -> None:
    since = alice.cursor()
    for number in range(7):
        bob.send("C2Calice", str(number))
    first = alice.sync(since, limit=3)
    assert (len(first["events"]), first["more"]) == (3, True)
    second = alice.sync(first["cursor"], limit=100)
    assert second["from"] == first["to"] + 1
    assert (len(second["events"]), second["more"]) == (4, False)
    assert "reset" not in second
    assert "conversations" not in second


def test_waiting_ends_with_the_first_news(server: LiveServer, alice: Device, bob: Device) -> None:
    since = alice.cursor()
    began = time.monotonic()
    thread, results = in_background(lambda: alice.sync(since, wait=20))
    wait_until_waiting(server)
    bob.send("C2Calice", "wake up")
    thread.join()
    answer: Json = results[0]
    assert [event["message"]["text"] for event in answer["events"]] == ["wake up"]
    assert time.monotonic() - began < 10


def test_waiting_for_nothing_ends_in_time(alice: Device) -> None:
    since = alice.cursor()
    answer = alice.sync(since, wait=0.2)
    assert (answer["events"], answer["cursor"]) == ([], since)


def test_what_is_there_already_is_not_waited_for(alice: Device, bob: Device) -> None:
    since = alice.cursor()
    bob.send("C2Calice", "there")
    began = time.monotonic()
    assert alice.sync(since, wait=20)["events"]
    assert time.monotonic() - began < 10


def test_a_waiting_request_does_not_hold_up_the_end(server: LiveServer, alice: Device) -> None:
    since = alice.cursor()
    thread, results = in_background(lambda: alice.sync(since, wait=20))
    wait_until_waiting(server)
    began = time.monotonic()
    server.stop()
    thread.join()
    assert results[0]["events"] == []
    assert time.monotonic() - began < 5


async def test_what_is_committed_just_after_the_reading_wakes_the_request() -> None:
    hub = Hub(b'"%d"')
    caller = Caller(user=1, user_id="alice", device=1, device_id="d1", device_name="x", administrator=False)

    class Engine:
        """A database in which something happens just after the first reading."""

        readings = 0

        async def read(self, job: Any) -> SyncAnswer:
            self.readings += 1
            if self.readings == 1:
                event = DeviceRevoked(event_seq=1, device_id="x")
                hub.deliver([Emitted(1, 1, None, event)])
            return SyncAnswer(cursor=str(self.readings - 1), server=ServerFacts(version="0"))

    async def gone() -> None:
        await asyncio.Event().wait()

    services: Any = SimpleNamespace(hub=hub, engine=Engine(), exchange=LocalBus())
    query = SyncQuery(since="0", wait=20)
    call = Call(services, caller, NOTHING, query, {}, Peer(None, None, {}), gone)
    async with asyncio.timeout(10):
        assert (await sync(call)).cursor == "1"
    assert hub.waiting() == 0


def test_what_a_group_was_told_is_spread_into_its_members_logs_soon(
    server: LiveServer, alice: Device, bob: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "SPREAD_SECONDS", 0.01)
    group = alice.create_group("team", bob.user_id)["conversationID"]
    since = bob.cursor()
    refused = iter([Unavailable("the database is away")])
    spread = crowdlog.spread

    def failing(tx: Transaction) -> bool:
        for failure in refused:
            raise failure
        return spread(tx)

    monkeypatch.setattr(services, "TIDY_SECONDS", 0.01)
    monkeypatch.setattr(crowdlog, "spread", failing)
    for number in range(3):
        alice.send(group, f"{number}")
    deadline = time.monotonic() + 10
    while server.read(crowdlog.waits):
        assert time.monotonic() < deadline
        time.sleep(0.005)
    assert [event["message"]["text"] for event in bob.events(since)] == ["0", "1", "2"]
