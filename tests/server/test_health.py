"""What monitors are told, and how a server comes through a disk that fills and a clock that jumps."""

import asyncio
import json
import threading
import time
from pathlib import Path

import httpx
import pytest

from tests.accounts import DEADLINE, Device, People, refusal
from tests.servers import LiveServer
from tui_chat.protocol import events
from tui_chat.server import health, run
from tui_chat.server.engines import Transaction
from tui_chat.server.operations import expiry


@pytest.fixture
def alice(people: People) -> Device:
    people.register("bob")
    return people.register("alice")


def fill(server: LiveServer) -> None:
    """Let the database grow no further."""
    server.write(lambda tx: tx.one("PRAGMA max_page_count=1"))


def empty(server: LiveServer) -> None:
    server.write(lambda tx: tx.one("PRAGMA max_page_count=1000000"))


def test_a_full_disk_refuses_loses_nothing_and_is_over_when_there_is_room(
    server: LiveServer, people: People, alice: Device
) -> None:
    taken = [alice.send("C2Cbob", "before")["text"]]
    fill(server)
    for number in range(200):
        server.clock.advance(1)
        body = {"clientID": f"full{number}", "text": f"{number}" * 2000}
        answer = alice.request("POST", "/v1/conversations/C2Cbob/messages", body)
        if answer.status_code != 200:
            break
        taken.append(body["text"])
    assert (answer.status_code, answer.json()["error"]["code"]) == (507, "storage_full")
    unwell = people.http.get("/healthz")
    assert unwell.status_code == 503
    assert "disk is full" in unwell.json()["error"]["message"]
    assert alice.texts("C2Cbob") == taken[-50:], "reading goes on, and nothing is half done"
    server.write(lambda tx: tx.execute("UPDATE meta SET value = value WHERE name = 'epoch'"))
    assert people.http.get("/healthz").status_code == 503, "what is small finds room where a message does not"
    empty(server)
    assert people.http.get("/healthz").json()["status"] == "ok"
    assert alice.send("C2Cbob", "there is room again")["messageSeq"] == len(taken) + 1


def test_a_deletion_that_the_disk_refuses_is_not_half_done(server: LiveServer, alice: Device) -> None:
    names = [alice.create_group("x" * 60)["conversationID"] for _ in range(60)]
    fill(server)
    for _ in range(50):
        answer = alice.request("POST", "/v1/conversations/delete", {"conversationIDList": names})
        if answer.status_code != 200:
            break
        server.clock.advance(1)
        alice.restore(batchID=answer.json()["batchID"])
    assert (answer.status_code, answer.json()["error"]["code"]) == (507, "storage_full")
    assert set(names) <= set(alice.conversations()), "all are there"
    empty(server)
    assert alice.delete(*names)["failures"] == []
    assert set(names).isdisjoint(alice.conversations())


def test_a_database_that_does_not_answer_is_told(
    server: LiveServer, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "ANSWER_SECONDS", 0.1)
    held, let_go = threading.Event(), threading.Event()

    def hold(_tx: Transaction) -> None:
        held.set()
        assert let_go.wait(DEADLINE)

    holding = asyncio.run_coroutine_threadsafe(server.running.engine.write(hold), server._loop)
    assert held.wait(DEADLINE)
    try:
        server.clock.advance(health.PROBE_SECONDS)
        answer = people.http.get("/healthz")
        assert answer.status_code == 503
        assert "not answered" in answer.json()["error"]["message"]
    finally:
        let_go.set()
        holding.result(DEADLINE)
    assert people.http.get("/healthz").status_code == 200


def test_a_stopping_server_begins_nothing_and_lets_its_sockets_go_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "DRAIN_SECONDS", 4.0)
    monkeypatch.setattr(run, "DRAINED_A_SECOND", 2.5)
    live = LiveServer(tmp_path / "server")
    people = People(live.url)
    try:
        alice = people.register("alice")
        sockets = [alice.stream() for _ in range(10)]
        streams = [socket.__enter__() for socket in sockets]
        told = []
        with httpx.Client(base_url=live.url, trust_env=False, timeout=DEADLINE) as http:
            assert http.get("/healthz").status_code == 200
            stopping = threading.Thread(target=live.stop)
            stopping.start()
            end = time.monotonic() + DEADLINE
            while not live.running.services.draining and time.monotonic() < end:
                time.sleep(0.001)
            for path in ("/healthz", "/v1/me", "/nowhere"):
                answer = http.get(path)
                told.append((answer.status_code, answer.json()["error"]["code"]))
                assert 1 <= int(answer.headers["retry-after"]) <= 5
        assert told == [(503, "unavailable")] * 3
        assert len(live.running.services.hub.users()) == 1, "some sockets are still there"
        assert [stream.closed() for stream in streams] == [events.CLOSE_RESTART] * 10
        for socket in sockets:
            socket.__exit__(None, None, None)
        stopping.join(DEADLINE)
    finally:
        people.close()
        live.stop()


def refreshed(people: People, device: Device) -> Device:
    """The device after what its client does when its token is no longer taken."""
    answer = people.http.post("/v1/token/refresh", json={"refreshToken": device.refresh_token})
    return Device(people.http, answer.json())


def test_a_clock_that_goes_back_breaks_nothing(server: LiveServer, people: People, alice: Device) -> None:
    bob = people.login("bob")
    alice.send("C2Cbob", "before")
    batch = alice.delete("C2Cbob")["batchID"]
    with bob.stream() as stream:
        server.clock.jump(-7200)
        server.tidy()
        alice = refreshed(people, alice)
        sent = alice.send("C2Cbob", "after")
        assert stream.event("message.new")["message"]["messageSeq"] == sent["messageSeq"], "numbers do not go back"
    entry = alice.get("/v1/conversations/deletions")["deletions"][0]
    assert entry["undoSeconds"] > 0, "what can be undone is not final before its time"
    assert alice.restore(batchID=batch)["conversationIDList"] == ["C2Cbob"]
    assert alice.texts("C2Cbob") == ["before", "after"]
    assert people.login("alice").texts("C2Cbob") == ["before", "after"]
    server.clock.jump(7200)
    server.tidy()
    assert refreshed(people, alice).get("/v1/sync")["cursor"]


def test_a_clock_that_leaps_ahead_ends_what_is_timed_and_nothing_else(
    server: LiveServer, people: People, alice: Device
) -> None:
    alice.send("C2Cbob", "kept")
    batch = alice.delete("C2Cbob")["batchID"]
    server.clock.jump(400 * 86_400)
    server.tidy()
    assert refusal(lambda: alice.get("/v1/me")).code == "unauthorized"
    again = people.login("alice")
    assert refusal(lambda: again.restore(batchID=batch)).code in ("undo_expired", "operation_not_found")
    assert again.send("C2Cbob", "still works")["messageSeq"] == 2
    assert people.login("bob").texts("C2Calice") == ["kept", "still works"]
    server.clock.jump(-400 * 86_400)
    server.tidy()
    again = people.login("alice")
    assert again.send("C2Cbob", "back")["messageSeq"] == 3
    assert json.loads(people.http.get("/healthz").content)["status"] == "ok"


def test_where_one_piece_of_tidying_fails_the_others_are_done(
    server: LiveServer, alice: Device, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    done = threading.Event()

    def fails(tx: Transaction) -> bool:
        tx.execute("DELETE FROM stream")
        raise KeyError("somebody who is no more")

    def works(tx: Transaction) -> bool:
        assert tx.one("SELECT 1 FROM stream") is not None, "nothing of what failed has happened"
        done.set()
        return False

    monkeypatch.setattr(expiry, "PIECES", (fails, works))
    for _ in range(2):
        done.clear()
        server.tidy_soon()
        assert done.wait(DEADLINE)
    assert "somebody who is no more" in caplog.text
