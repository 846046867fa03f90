"""Administrators over HTTP, and the export."""

import json
import socket
import time
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.accounts import DEADLINE, Device, People, answer_of, refusal
from tests.servers import LiveServer
from tui_chat.protocol import events, limits
from tui_chat.server.engines import Transaction
from tui_chat.server.operations import exporting

MANY = 2_500
"""Messages of 8 KB."""


class TestUsers:
    """Listing, removing, promoting."""

    def test_are_listed_in_pages(self, people: People) -> None:
        alice = people.register("alice")
        for name in ("bob", "carol"):
            people.register(name)
        first = alice.get("/v1/admin/users", limit=2)
        assert [each["userID"] for each in first["users"]] == ["alice", "bob"]
        second = alice.get("/v1/admin/users", limit=2, cursor=first["next"])
        assert [each["userID"] for each in second["users"]] == ["carol"]
        assert second["next"] is None
        assert [each["userID"] for each in alice.get("/v1/admin/users", q="CA")["users"]] == ["carol"]
        assert alice.get("/v1/admin/users/bob")["deviceCount"] == 1
        for query in ({"limit": 0}, {"limit": 101}, {"cursor": "x"}, {"q": "x" * 201}):
            assert refusal(lambda query=query: alice.get("/v1/admin/users", **query)).status == 400  # type: ignore[misc]

    def test_one_is_removed(self, server: LiveServer, people: People) -> None:
        alice, bob = people.register("alice"), people.register("bob")
        bob.send("C2Calice", "spam")
        with bob.stream() as theirs:
            alice.remove("/v1/admin/users/bob")
            assert theirs.closed() == events.CLOSE_REVOKED
        assert refusal(lambda: bob.get("/v1/me")).code == "unauthorized"
        assert refusal(lambda: alice.remove("/v1/admin/users/bob")).code == "user_not_found"
        assert refusal(lambda: alice.remove("/v1/admin/users/alice")).code == "forbidden"
        assert alice.texts("C2Cbob") == ["spam"]

    def test_promotion_and_demotion_hold_at_once(self, people: People) -> None:
        alice, bob = people.register("alice"), people.register("bob")
        assert refusal(lambda: bob.get("/v1/admin/settings")).code == "administrator_only"
        assert alice.patch("/v1/admin/users/bob", {"administrator": True})["administrator"] is True
        assert bob.get("/v1/admin/settings")
        assert bob.get("/v1/me")["administrator"] is True
        bob.patch("/v1/admin/users/alice", {"administrator": False})
        assert refusal(lambda: alice.get("/v1/admin/settings")).code == "administrator_only"
        refused = refusal(lambda: bob.patch("/v1/admin/users/bob", {"administrator": False}))
        assert refused.code == "last_administrator"


class TestMessages:
    """Removing one."""

    def test_goes_from_every_screen(self, people: People) -> None:
        alice, bob, carol = people.register("alice"), people.register("bob"), people.register("carol")
        seq = bob.send("C2Ccarol", "something foul")["messageSeq"]
        with bob.stream() as his, carol.stream() as hers:
            alice.remove(f"/v1/admin/messages/{quote('C2Cbob:carol')}/{seq}")
            for stream in (his, hers):
                message = stream.event("message.changed")["message"]
                assert (message["recalled"], message["text"], message["version"]) == (True, "", 2)
        assert carol.texts("C2Cbob") == [""]
        assert "foul" not in str(alice.get("/v1/admin/audit"))

    @pytest.mark.parametrize("seq", ["0", "-1", "x", "9" * 30, "1.5"])
    def test_a_number_that_is_none(self, people: People, seq: str) -> None:
        alice, bob = people.register("alice"), people.register("bob")
        bob.send("C2Calice", "hello")
        assert refusal(lambda: alice.remove(f"/v1/admin/messages/C2Cbob/{seq}")).status in (400, 404)


def test_the_trace_is_in_pages(people: People) -> None:
    alice = people.register("alice")
    for seconds in range(3):
        alice.patch("/v1/admin/settings", {"undoSeconds": seconds})
    first = alice.get("/v1/admin/audit", limit=2)
    second = alice.get("/v1/admin/audit", limit=2, cursor=first["next"])
    assert [each["details"] for each in first["entries"] + second["entries"]] == [
        {"undoSeconds": seconds} for seconds in (2, 1, 0)
    ]
    assert (first["entries"][0]["administrator"], first["entries"][0]["deviceName"]) == ("alice", "laptop")


def lines_of(response: httpx.Response) -> list[dict[str, Any]]:
    return [json.loads(line) for line in response.text.splitlines()]


class TestExport:
    """GET /v1/export."""

    def test_streams_lines(self, people: People) -> None:
        alice, bob = people.register("alice"), people.register("bob")
        for number in range(50):
            bob.send("C2Calice", f"message {number}\n\x1b]52;c;AAAA\x07\u202e")
        answer = alice.request("GET", "/v1/export")
        assert answer.headers["content-type"] == "application/x-ndjson"
        assert answer.headers["transfer-encoding"] == "chunked"
        lines = lines_of(answer)
        assert lines[0]["kind"] == "export"
        assert lines[-1] == {"kind": "end", "lines": len(lines) - 1}
        assert sum(line["kind"] == "message" for line in lines) == 50
        assert "\x1b" not in answer.text
        assert alice.request("GET", "/v1/export").status_code == 200, "the one before is over"

    def test_head_sends_nothing(self, people: People) -> None:
        alice = people.register("alice")
        answer = alice.request("HEAD", "/v1/export")
        assert (answer.status_code, answer.content) == (200, b"")
        assert alice.request("GET", "/v1/export").status_code == 200

    @pytest.fixture
    def much(self, server: LiveServer, people: People) -> Device:
        """alice, with more in her history than any buffer on the way takes."""
        alice, bob = people.register("alice"), people.register("bob")
        bob.send("C2Calice", "hello")

        def write_much(tx: Transaction) -> None:
            rows = tx.all("SELECT conversation, sender, time, type FROM message WHERE text = 'hello'")
            tx.many(
                "INSERT INTO message (conversation, seq, sender, client_id, time, type, count, text, extra)"
                " VALUES (?, ?, ?, NULL, ?, ?, ?, ?, NULL)",
                [(*rows[0][:1], seq, *rows[0][1:], seq, "x" * 8000) for seq in range(2, MANY + 1)],
            )
            tx.execute("UPDATE conversation SET last_seq = ?, last_count = ? WHERE kind = 1", MANY, MANY)

        server.write(write_much)
        return alice

    def test_one_at_a_time_and_none_for_who_is_logged_out(
        self, server: LiveServer, people: People, much: Device
    ) -> None:
        phone = people.login("alice")
        headers = {"Authorization": f"Bearer {phone.access_token}"}
        with (
            httpx.Client(base_url=server.url, trust_env=False, timeout=DEADLINE) as http,
            http.stream("GET", "/v1/export", headers=headers) as answer,
        ):
            pieces = answer.iter_lines()
            assert json.loads(next(pieces))["kind"] == "export"
            refused = refusal(lambda: answer_of(much.request("GET", "/v1/export")))
            assert (refused.code, refused.status) == ("too_frequent", 429)
            much.remove(f"/v1/devices/{phone.device_id}")
            *_, last = pieces
        assert json.loads(last)["error"]["code"] == "unauthorized"
        whole = lines_of(much.request("GET", "/v1/export"))
        assert sum(line["kind"] == "message" for line in whole) == MANY
        assert whole[-1] == {"kind": "end", "lines": len(whole) - 1}

    def test_who_takes_nothing_is_cut_off(
        self, server: LiveServer, much: Device, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(limits, "STALL_SECONDS", 0.2)
        head = f"GET /v1/export HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {much.access_token}\r\n\r\n"
        with socket.create_connection(("127.0.0.1", httpx.URL(server.url).port or 0), timeout=DEADLINE) as raw:
            raw.sendall(head.encode())
            deadline = time.monotonic() + DEADLINE
            while server.running.services.limiter.exports.under_way == 0:
                assert time.monotonic() < deadline
            while server.running.services.limiter.exports.under_way:
                assert time.monotonic() < deadline, "it waits for ever"
            received = b""
            with suppress(ConnectionError):
                while piece := raw.recv(65536):
                    received += piece
        assert b'"kind":"message"' in received
        assert b'"kind":"end"' not in received
        assert [record for record in caplog.records if record.levelname == "ERROR"] == []

    def test_nothing_is_read_for_who_has_hung_up(
        self, server: LiveServer, people: People, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        alice = people.register("alice")
        endless = exporting.Piece(b"{}\n" * 1_000, exporting.Position())
        monkeypatch.setattr(exporting, "piece", lambda *_: endless)
        headers = {"Authorization": f"Bearer {alice.access_token}"}
        with (
            httpx.Client(base_url=server.url, trust_env=False, timeout=DEADLINE) as http,
            http.stream("GET", "/v1/export", headers=headers) as answer,
        ):
            assert next(answer.iter_lines()) == "{}"
        deadline = time.monotonic() + DEADLINE
        while server.running.services.limiter.exports.under_way:
            assert time.monotonic() < deadline, "it goes on for nobody"
            time.sleep(0.01)
        assert [record for record in caplog.records if record.levelname == "ERROR"] == []
