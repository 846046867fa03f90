"""What a server counts of itself, and who may read it."""

import re
from pathlib import Path

import httpx
import pytest

from tests.accounts import DEADLINE, Device, People, refusal
from tests.servers import LiveServer

MODIFIED = {"X-Forwarded-For": "192.0.2.7"}


def numbers(text: str) -> dict[str, float]:
    """Series -> value."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


def scrape(people: People) -> dict[str, float]:
    answer = people.http.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return numbers(answer.text)


@pytest.fixture
def alice(people: People) -> Device:
    people.register("bob")
    return people.register("alice")


def test_requests_are_counted_by_the_pattern_of_their_address(people: People, alice: Device) -> None:
    alice.send("C2Cbob", "one")
    alice.send("C2Cbob", "two")
    refusal(lambda: alice.send("C2Cnobody", "lost"))
    alice.request("GET", "/v1/nothing/at/all")
    found = scrape(people)
    send = 'endpoint="/v1/conversations/{conversation_id}/messages",method="POST"'
    assert found[f'tui_chat_requests_total{{{send},status="200"}}'] == 2
    assert found[f'tui_chat_requests_total{{{send},status="404"}}'] == 1
    assert found[f"tui_chat_request_seconds_count{{{send}}}"] == 3
    assert found['tui_chat_requests_total{endpoint="",method="GET",status="404"}'] == 1
    assert found['tui_chat_refusals_total{code="user_not_found"}'] == 1


def test_what_was_done_is_counted(people: People, alice: Device) -> None:
    alice.send("C2Cbob", "one")
    batch = alice.delete("C2Cbob", batchID="b")["batchID"]
    alice.restore(batchID=batch)
    with pytest.raises(Exception, match="wrong_password"):
        people.login("alice", password="not this one")
    with alice.stream() as stream:
        alice.send("C2Cbob", "two")
        stream.event("message.new")
        found = scrape(people)
        assert found["tui_chat_sockets"] == found["tui_chat_users_connected"] == 1
        assert found["tui_chat_socket_frames_total"] == 1
    assert found["tui_chat_messages_sent_total"] == 2
    assert found['tui_chat_conversations_total{what="delete"}'] == 1
    assert found['tui_chat_conversations_total{what="restore"}'] == 1
    assert found["tui_chat_login_failures_total"] == 1
    assert found["tui_chat_events_total"] >= 6
    assert found["tui_chat_commit_seconds_count"] >= 6
    assert found["tui_chat_commit_jobs_sum"] >= found["tui_chat_commit_jobs_count"]
    assert found["tui_chat_database_bytes"] > 0


def test_exports_under_way_are_counted(server: LiveServer, people: People) -> None:
    assert scrape(people)["tui_chat_exports"] == 0
    with server.running.services.limiter.exports.of(1):
        assert scrape(people)["tui_chat_exports"] == 1
    assert scrape(people)["tui_chat_exports"] == 0


def test_nobodys_name_stands_in_it(people: People, alice: Device) -> None:
    group = alice.create_group("Secret plans", "bob")["group"]["groupID"]
    alice.send(f"GROUP{group}", "hush")
    alice.request("BREW", "/v1/me")
    alice.request("BOIL", "/v1/me")
    text = people.http.get("/metrics").text
    assert not re.search(f"alice|bob|Secret|hush|{re.escape(group)}|{alice.device_id}|BREW|BOIL", text)


@pytest.mark.parametrize("headers", [MODIFIED, {"Forwarded": "for=192.0.2.7"}, {"Host": "chat.example.org"}])
def test_who_comes_from_elsewhere_does_not_read_it(people: People, headers: dict[str, str]) -> None:
    answer = people.http.get("/metrics", headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")


def test_a_public_server_tells_nobody_without_a_token(tmp_path: Path) -> None:
    live = LiveServer(tmp_path / "server", public_url="https://chat.example.org")
    try:
        assert httpx.get(f"{live.url}/metrics", trust_env=False, timeout=DEADLINE).status_code == 403
    finally:
        live.stop()


def test_with_a_token_it_takes_the_token_from_anywhere(tmp_path: Path) -> None:
    live = LiveServer(tmp_path / "server", public_url="https://chat.example.org", metrics_token="for the monitor")
    try:
        with httpx.Client(base_url=live.url, trust_env=False, timeout=DEADLINE) as http:
            assert http.get("/metrics").status_code == 401
            assert http.get("/metrics", headers={"Authorization": "Bearer guessed"}).status_code == 401
            right = http.get("/metrics", headers=MODIFIED | {"Authorization": "Bearer for the monitor"})
            assert "tui_chat_requests_total" in right.text
    finally:
        live.stop()
