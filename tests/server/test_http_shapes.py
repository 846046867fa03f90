"""The shape of requests and refusals: what is wrong is named, and nothing of it is done."""

import socket
from contextlib import suppress
from typing import Any

import httpx
import pytest

from tests.accounts import DEADLINE, Device, People, path_of, refusal
from tests.servers import LiveServer
from tui_chat.protocol import limits

DELETE = "/v1/conversations/delete"


@pytest.fixture
def alice(people: People) -> Device:
    people.register("bob")
    alice = people.register("alice")
    alice.send("C2Cbob", "hello")
    return alice


@pytest.mark.parametrize(
    ("body", "code", "named"),
    [
        (b"", "invalid_request", "conversationIDList"),
        (b"[]", "invalid_request", "object"),
        (b'"x"', "invalid_request", "object"),
        (b"null", "invalid_request", "object"),
        (b"{", "invalid_request", "JSON"),
        (b"\xff", "invalid_request", "JSON"),
        (b"{}", "invalid_request", "conversationIDList"),
        (b"[" * 100_000, "invalid_request", ""),
        (b'{"conversationIDList":' + b"[" * 100_000, "invalid_request", ""),
        ({"conversationIDList": ["C2Cbob"], "surprise": 1}, "invalid_request", "surprise"),
        ({"conversationIDList": "C2Cbob"}, "invalid_request", "$.conversationIDList"),
        ({"conversationIDList": [1]}, "invalid_request", "$.conversationIDList"),
        ({"conversationIDList": ["C2Cbob"], "clearHistoryMessage": "no"}, "invalid_request", "$.clearHistoryMessage"),
        ({"conversationIDList": ["C2Cbob"], "upTo": {"C2Cbob": "1"}}, "invalid_request", "$.upTo"),
        ({"conversationIDList": ["C2Cbob"], "upTo": [1]}, "invalid_request", "$.upTo"),
        ({"conversationIDList": ["C2Cbob"], "upTo": {"C2Cbobb": 1}}, "invalid_request", '$.upTo["C2Cbobb"]'),
        ({"conversationIDList": []}, "invalid_request", "conversationIDList"),
        ({"conversationIDList": ["C2Cbob", "nonsense"]}, "invalid_conversation", "nonsense"),
        ({"conversationIDList": ["C2Cbob", ""]}, "invalid_conversation", ""),
        ({"conversationIDList": ["C2Calice", "C2Cbob"]}, "invalid_conversation", "alice"),
        ({"conversationIDList": ["C2Cbob"] * 101}, "too_many_conversations", "100"),
        ({"conversationIDList": ["nonsense"] * 101}, "too_many_conversations", "100"),
        ({"conversationIDList": ["C2Cbob"], "operationID": ""}, "invalid_request", "operationID"),
        ({"conversationIDList": ["C2Cbob"], "batchID": "a b"}, "invalid_request", "batchID"),
    ],
)
def test_a_misshapen_deletion_is_refused_whole_and_named(alice: Device, body: Any, code: str, named: str) -> None:
    answer = alice.request("POST", DELETE, body)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["code"] == code
    assert named in error["message"]
    assert "C2Cbob" in alice.conversations(), "nothing may be deleted"


def test_a_hundred_conversations_are_not_too_many(alice: Device) -> None:
    assert alice.delete(*["C2Cbob"] * 100)["failures"] == []


def test_refusals_carry_tencents_number_where_it_has_one(alice: Device) -> None:
    assert refusal(lambda: alice.delete(*["C2Cbob"] * 101)).details["tencent"] == 51006


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/nothing", "/v1/conversations/", "/v1/conversations/C2Cbob/messages/"]
)
def test_unknown_addresses_are_refused_in_the_same_shape(alice: Device, path: str) -> None:
    answer = alice.request("GET", path)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", DELETE, "POST"),
        ("PUT", "/v1/me", "GET"),
        ("POST", "/v1/me", "GET"),
        ("DELETE", "/v1/conversations", "GET"),
        ("POST", "/openapi.json", "GET"),
        ("PATCH", "/v1/conversations/C2Cbob/messages", "GET"),
        ("GET", "/v1/login", "POST"),
    ],
)
def test_wrong_methods_are_refused_in_the_same_shape(alice: Device, method: str, path: str, allow: str) -> None:
    answer = alice.request(method, path)
    assert answer.status_code == 405
    assert answer.json()["error"]["code"] == "method_not_allowed"
    assert allow in answer.headers["allow"]


@pytest.mark.parametrize(
    ("path", "query", "named"),
    [
        ("/v1/conversations", {"limit": "0"}, "limit"),
        ("/v1/conversations", {"limit": "101"}, "limit"),
        ("/v1/conversations", {"limit": "many"}, "limit"),
        ("/v1/conversations", {"surprise": "1"}, "surprise"),
        ("/v1/conversations/C2Cbob/messages", {"before": "-1"}, "before"),
        ("/v1/conversations/C2Cbob/messages", {"before": "1", "after": "1"}, "before, after"),
        ("/v1/conversations/C2Cbob/messages", {"limit": ["1", "2"]}, "twice"),
        ("/v1/sync", {"wait": "soon"}, "wait"),
        ("/v1/sync", {"wait": "-1"}, "wait"),
        ("/v1/users", {}, "q"),
    ],
)
def test_a_misshapen_query_is_named(alice: Device, path: str, query: dict[str, Any], named: str) -> None:
    answer = alice.http.get(path, params=query, headers={"Authorization": f"Bearer {alice.access_token}"})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid_request"
    assert named in answer.json()["error"]["message"]


def test_every_conversation_id_can_stand_in_a_path(alice: Device) -> None:
    group = alice.create_group("Team")["conversationID"]
    assert group.startswith("GROUP@TGS#")
    alice.send(group, "hi")
    assert alice.texts(group)[-1] == "hi"
    assert alice.conversation("@TIM#SYSTEM")["type"] == "SYSTEM"
    assert refusal(lambda: alice.send("@TIM#SYSTEM", "hi")).code == "read_only"
    assert alice.get("/v1/conversations/%43%32%43bob")["conversationID"] == "C2Cbob"
    group_id = group.removeprefix("GROUP")
    assert alice.get(f"/v1/groups/{group_id.replace('@', '%40').replace('#', '%23')}")["groupID"] == group_id


@pytest.mark.parametrize(
    "name", ["C2C%2Fx", "C2Cbob%2Fmessages", "C2Cbob%00", "C2Cbob%0A", "%ff", "C2Cb%252Fob", "..%2f.."]
)
def test_a_slash_or_worse_in_an_id_stays_in_the_id(alice: Device, name: str) -> None:
    for path in (f"/v1/conversations/{name}", f"/v1/conversations/{name}/messages"):
        answer = alice.request("GET", path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_conversation"), path


def test_a_body_over_the_limit_is_refused_by_its_declared_length(alice: Device) -> None:
    for size in (limits.BODY_BYTES + 1, 7 * limits.BODY_BYTES):
        answer = alice.request("POST", DELETE, b" " * size)
        assert answer.status_code == 413
        assert answer.json()["error"]["code"] == "body_too_large"
    assert alice.request("POST", DELETE, b" " * limits.BODY_BYTES).status_code == 400


def test_who_sends_all_of_a_body_that_is_too_large_still_gets_the_refusal(server: LiveServer, alice: Device) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    size = 7 * limits.BODY_BYTES
    head = (
        f"POST {DELETE} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {alice.access_token}\r\n"
        f"Content-Length: {size}\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=DEADLINE) as connection:
        connection.sendall(head.encode())
        connection.sendall(b" " * size)
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_an_endless_body_is_refused_before_its_end(server: LiveServer, alice: Device) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    head = (
        f"POST {DELETE} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {alice.access_token}\r\n"
        "Transfer-Encoding: chunked\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=DEADLINE) as connection:
        connection.sendall(head.encode())
        chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
        for _ in range(17):
            connection.sendall(chunk)
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_a_body_in_pieces_is_put_together(alice: Device) -> None:
    def pieces() -> Any:
        yield b'{"clientID":"c1",'
        yield b'"text":"in pieces"}'

    headers = {"Authorization": f"Bearer {alice.access_token}"}
    answer = alice.http.post("/v1/conversations/C2Cbob/messages", content=pieces(), headers=headers)
    assert answer.json()["message"]["text"] == "in pieces"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_web_pages_are_kept_out(alice: Device, method: str) -> None:
    headers = {"Authorization": f"Bearer {alice.access_token}", "Origin": "https://evil.example"}
    answer = alice.http.request(method, "/v1/me", headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")


def test_an_origin_on_the_list_is_let_in(tmp_path: Any) -> None:
    live = LiveServer(tmp_path / "origins", origins=("https://chat.example.org",))
    try:
        with httpx.Client(base_url=live.url, trust_env=False) as http:
            assert http.get("/healthz", headers={"Origin": "https://chat.example.org"}).status_code == 200
            assert http.get("/healthz", headers={"Origin": "null"}).status_code == 403
    finally:
        live.stop()


def test_answers_are_json_and_not_kept(alice: Device) -> None:
    answer = alice.request("GET", "/v1/me")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert "server" not in answer.headers


def test_health_needs_no_token(people: People) -> None:
    answer = people.http.get("/healthz")
    assert answer.json()["status"] == "ok"
    head = people.http.head("/healthz")
    assert (head.status_code, head.content) == (200, b"")


def test_text_that_is_too_long_or_empty_is_refused_not_cut(alice: Device) -> None:
    assert refusal(lambda: alice.send("C2Cbob", "x" * 8193)).code == "text_too_long"
    assert refusal(lambda: alice.send("C2Cbob", "\x1b\u202e \n")).code == "text_empty"
    assert alice.send("C2Cbob", "x" * 8192)["text"] == "x" * 8192
    assert alice.send("C2Cbob", "a\x1b]0;evil\x07b")["text"] == "a]0;evilb"


@pytest.mark.parametrize("text", [rb"\ud800", rb"a\ud800b", rb"a\uDC00b", rb"\\\ud800", rb"\ud83d\ude00\ud83dxxxxxxxx"])
def test_unpaired_surrogates_are_refused_by_name(alice: Device, text: bytes) -> None:
    answer = alice.request("POST", f"{path_of('C2Cbob')}/messages", b'{"clientID":"c9","text":"%b"}' % text)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid_request"
    assert "unpaired surrogate" in answer.json()["error"]["message"]


@pytest.mark.parametrize("body", [rb'{"text":"\ud83d\ude00', rb'{"text":"\\ud800'])
def test_a_body_that_ends_early_is_not_blamed_on_surrogates(alice: Device, body: bytes) -> None:
    answer = alice.request("POST", f"{path_of('C2Cbob')}/messages", body)
    assert answer.status_code == 400
    assert "truncated" in answer.json()["error"]["message"]


def test_who_asks_too_often_is_told_when_to_come_back(server: LiveServer, alice: Device) -> None:
    server.clock.stand_still()
    answers = [alice.request("GET", "/v1/me") for _ in range(limits.OTHERS_BURST + 1)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert refused[0].json()["error"]["code"] == "too_frequent"
    assert int(refused[0].headers["retry-after"]) >= 1
    assert alice.send("C2Cbob", "another limit")
    server.clock.advance(10)
    assert alice.get("/v1/me")


def test_an_endless_head_is_cut_off(server: LiveServer) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=DEADLINE) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: ")
        with suppress(ConnectionError):
            for _ in range(1000):
                connection.sendall(b"x" * 4096)
            raise AssertionError("4 MB of header were taken")


def test_a_head_that_never_ends_is_cut_off(server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui_chat.server.transport.HEAD_SECONDS", 0.2)
    host, port = server.url.removeprefix("http://").split(":")
    for beginning in (b"", b"GET /healthz HTTP/1.1\r\nHost: x\r\n", b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET"):
        with socket.create_connection((host, int(port)), timeout=DEADLINE) as connection:
            connection.sendall(beginning)
            with suppress(ConnectionError):
                while connection.recv(4096):
                    pass


def test_many_requests_on_one_connection_are_not_one_long_head(server: LiveServer) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=DEADLINE) as connection:
        answers = connection.makefile("rb")
        for _ in range(40):
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Filler: " + b"x" * 2000 + b"\r\n\r\n")
            assert answers.readline() == b"HTTP/1.1 200 OK\r\n"
            length = 0
            while (line := answers.readline()) != b"\r\n":
                if line.startswith(b"content-length"):
                    length = int(line.split()[1])
            answers.read(length)
        answers.close()
