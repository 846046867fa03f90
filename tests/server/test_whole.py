"""Requests that come whole are answered without ASGI; nobody can tell, and nobody can tell those that do not."""

import json
import logging
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.accounts import DEADLINE, Device, People
from tests.servers import LiveServer
from tui_chat.server import asked, transport, whole
from tui_chat.server.engines import Transaction

SEND = "/v1/conversations/C2Cbob/messages"


@pytest.fixture
def alice(people: People) -> Device:
    people.register("bob")
    return people.register("alice")


class Answer:
    """What came over a connection, taken apart."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body


class Line:
    """A connection, over which bytes go as a test says."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._answers = connection.makefile("rb")

    def say(self, *pieces: bytes) -> None:
        """Send pieces so that they are read one by one."""
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces[:-1]:
            self.connection.sendall(piece)
            time.sleep(0.05)
        self.connection.sendall(pieces[-1])

    def hear(self, method: str = "GET") -> Answer:
        """The next answer."""
        status = int(self._answers.readline().split()[1])
        headers = {}
        while (line := self._answers.readline()) != b"\r\n":
            name, _, value = line.decode().strip().partition(": ")
            headers[name] = value
        return Answer(status, headers, b"" if method == "HEAD" else self._answers.read(int(headers["content-length"])))

    def close(self) -> None:
        """Hang up."""
        self._answers.close()

    def ended(self) -> bool:
        """Whether the server has ended the connection, with nothing before it."""
        return self._answers.read(1) == b""


@contextmanager
def line(server: LiveServer) -> Iterator[Line]:
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=DEADLINE) as connection:
        there = Line(connection)
        try:
            yield there
        finally:
            there.close()


def request(who: Device | None, method: str, path: str, body: Any = None, *more: str, version: str = "1.1") -> bytes:
    content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/{version}", "Host: 127.0.0.1", *more]
    if who is not None:
        lines.append(f"Authorization: Bearer {who.access_token}")
    if body is not None:
        lines.append(f"Content-Length: {len(content)}")
    return "\r\n".join([*lines, "", ""]).encode() + content


def send(who: Device | None, number: int, *more: str) -> bytes:
    return request(who, "POST", SEND, {"clientID": f"c{number}", "text": f"message {number}"}, *more)


def texts(who: Device) -> list[str]:
    return [one["text"] for one in who.get(SEND)["messages"]]


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which way each request went. What does not come in one piece is not waited for."""
    monkeypatch.setattr(transport, "HELD_SECONDS", 0.0)
    gone: list[str] = []
    for kind in (whole.AskedWhole, asked.AskedByASGI):

        def begin(self: Any, *given: Any, kind: Any = kind, init: Any = kind.__init__, **named: Any) -> None:
            gone.append("whole" if kind is whole.AskedWhole else "ASGI")
            init(self, *given, **named)

        monkeypatch.setattr(kind, "__init__", begin)
    return gone


@pytest.mark.parametrize(
    ("method", "path", "body", "more"),
    [
        ("POST", SEND, {"clientID": "same", "text": "hello"}, ()),
        ("POST", SEND, {"clientID": "same", "text": ""}, ()),
        ("POST", SEND, {"surprise": 1}, ()),
        ("POST", SEND, b"{", ()),
        ("POST", "/v1/conversations/nonsense/messages", {"clientID": "c", "text": "x"}, ()),
        ("POST", "/v1/conversations/C2Cnobody/messages", {"clientID": "c", "text": "x"}, ()),
        ("POST", SEND, {"clientID": "c", "text": "x"}, ("Origin: https://evil.example",)),
        ("POST", SEND, {"clientID": "c", "text": "x"}, ("Host: elsewhere",)),
        ("POST", f"{SEND}?surprise=1", {"clientID": "c", "text": "x"}, ()),
        ("POST", f"{SEND}#fragment", {"clientID": "same", "text": "hello"}, ()),
        ("POST", "http://127.0.0.1/v1/nothing", b"{}", ()),
        ("POST", "/v1/me", b"{}", ()),
        ("POST", "/nothing", b"{}", ()),
        ("BREW", "/v1/me", b"{}", ()),
        ("GET", "/v1/me", b"{}", ()),
        ("HEAD", "/v1/me", b"{}", ()),
        ("GET", "/openapi.json", b"{}", ()),
        ("PUT", "/openapi.json", b"{}", ()),
        ("PUT", "/metrics", b"{}", ()),
        ("POST", "/v1/login", {"userID": "alice", "password": "wrong"}, ()),
        ("POST", SEND, {"clientID": "same", "text": "hello"}, ("Connection: close",)),
    ],
)
def test_a_request_in_one_piece_and_one_in_two_are_answered_alike(
    server: LiveServer, alice: Device, ways: list[str], method: str, path: str, body: Any, more: tuple[str, ...]
) -> None:
    alice.send("C2Cbob", "the first")
    asking = request(alice, method, path, body, *more)
    answers = []
    for pieces in ((asking,), (asking[:-1], asking[-1:])):
        ways.clear()
        with line(server) as there:
            there.say(*pieces)
            answers.append(there.hear(method))
        if method != "BREW":  # which cannot be read
            assert ways == ["whole" if len(pieces) == 1 else "ASGI"]
    one, two = answers
    assert one.status == two.status
    assert one.body == two.body
    assert one.headers == two.headers


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        (("Origin: https://evil.example",), 403, "forbidden"),
        (("Origin: https://evil.example", "Origin: https://other.example"), 403, "forbidden"),
        (("Host: elsewhere",), 400, "invalid_request"),
        (("X-Twice: 1", "X-Twice: 2"), 200, None),
    ],
)
def test_whom_no_address_answers(
    server: LiveServer, alice: Device, more: tuple[str, ...], status: int, code: str | None
) -> None:
    with line(server) as there:
        there.say(send(alice, 1, *more))
        answer = there.hear()
        assert (answer.status, json.loads(answer.body).get("error", {}).get("code")) == (status, code)


@pytest.mark.parametrize("who", ["nobody", "a stranger"])
def test_who_has_no_token_is_refused_and_can_go_on(server: LiveServer, alice: Device, who: str) -> None:
    with line(server) as there:
        there.say(send(None, 1) if who == "nobody" else send(None, 1, "Authorization: Bearer nonsense"))
        refused = there.hear()
        assert (refused.status, refused.headers["www-authenticate"]) == (401, "Bearer")
        there.say(send(alice, 2))
        assert there.hear().status == 200
    assert texts(alice) == ["message 2"]


def test_each_request_of_a_connection_is_its_own_devices(server: LiveServer, alice: Device, people: People) -> None:
    """As behind a proxy, which keeps connections for whoever comes."""
    carol = people.register("carol")
    with line(server) as there:
        for number, who in enumerate((alice, carol, alice, None, carol)):
            there.say(request(who, "GET", "/v1/me"))
            answer = json.loads(there.hear().body)
            assert answer.get("userID") == (None if who is None else who.user_id), number
        people.login("alice").remove(f"/v1/devices/{alice.device_id}")
        there.say(request(alice, "GET", "/v1/me"))
        assert there.hear().status == 401


def test_requests_behind_each_other_are_carried_out_and_answered_in_their_order(
    server: LiveServer, alice: Device
) -> None:
    with line(server) as there:
        there.say(b"".join(send(alice, number) for number in range(20)) + request(alice, "GET", "/v1/me"))
        sent = [json.loads(there.hear().body)["message"] for _ in range(20)]
        assert json.loads(there.hear().body)["userID"] == "alice"
        there.say(send(alice, 20))
        assert there.hear().status == 200
    assert [one["text"] for one in sent] == [f"message {number}" for number in range(20)]
    assert [one["messageSeq"] for one in sent] == list(range(1, 21))


def test_what_comes_behind_the_last_request_of_a_connection_is_not_carried_out(
    server: LiveServer, alice: Device
) -> None:
    for first in (
        send(alice, 1, "Connection: close"),
        request(alice, "GET", "/nothing", None, "Connection: close"),
        request(alice, "GET", "/nothing", None, "Connection: keep-alive", version="1.0"),
    ):
        with line(server) as there:
            there.say(first + send(alice, 2))
            assert there.hear().headers["connection"] == "close"
            assert there.ended()
    server.write(lambda _tx: None)  # which comes behind whatever was asked for
    assert texts(alice) == ["message 1"]


def test_who_speaks_an_older_http_gets_one_answer(server: LiveServer, alice: Device) -> None:
    with line(server) as there:
        there.say(request(alice, "GET", "/v1/me", None, "Connection: keep-alive", version="1.0"))
        answer = there.hear()
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert there.ended()


def test_who_asks_first_whether_to_go_on_is_told_so(server: LiveServer, alice: Device) -> None:
    asking = send(alice, 1, "Expect: 100-continue")
    head, _, body = asking.partition(b"\r\n\r\n")
    with line(server) as there:
        there.say(head + b"\r\n\r\n")
        assert there.connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        there.say(body)
        assert there.hear().status == 200


def test_a_body_in_chunks_is_taken_whole_and_in_pieces(server: LiveServer, alice: Device, ways: list[str]) -> None:
    def chunked(number: int) -> bytes:
        body = b'{"clientID":"c%d","text":"in chunks"}' % number
        head = request(alice, "POST", SEND, None, "Transfer-Encoding: chunked")
        return head + b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:7], body[7:])) + b"0\r\n\r\n"

    ways.clear()
    with line(server) as there:
        there.say(chunked(1))
        assert there.hear().status == 200
        there.say(chunked(2)[:-3], chunked(2)[-3:])
        assert there.hear().status == 200
        there.say(chunked(3)[:-9] + b"nonsense\r\n")
        assert there.hear().status == 400
        assert there.ended()
    assert ways == ["whole", "ASGI"]
    assert texts(alice) == ["in chunks"] * 2


class Held:
    """A writer that is held up: jobs that are asked for meanwhile wait."""

    def __init__(self, server: LiveServer) -> None:
        self._server = server
        self._go_on = threading.Event()
        self._begun = threading.Event()
        self._thread = threading.Thread(target=lambda: server.write(self._wait))

    def _wait(self, _tx: Transaction) -> None:
        self._begun.set()
        assert self._go_on.wait(DEADLINE)

    def __enter__(self) -> "Held":
        self._thread.start()
        assert self._begun.wait(DEADLINE)
        return self

    def __exit__(self, *_: object) -> None:
        self._go_on.set()
        self._thread.join(DEADLINE)

    def until(self, requests: int) -> None:
        """Wait until so many requests wait for it."""
        deadline = time.monotonic() + DEADLINE
        while len(self._server.running.engine._waiting) < requests:  # type: ignore[attr-defined]
            assert time.monotonic() < deadline, "the request does not arrive"
            time.sleep(0.005)


def test_a_message_whose_sender_hangs_up_is_stored_and_nothing_is_said_of_it(
    server: LiveServer, alice: Device, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), Held(server) as held:
        for number, behind in enumerate((b"", send(alice, 9))):
            with line(server) as there:
                there.say(send(alice, number) + behind)
                held.until(number + 1)
                there.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    server.write(lambda _tx: None)  # which comes behind all that waited
    assert texts(alice) == ["message 0", "message 1"]
    assert [one for one in caplog.records if one.levelno >= logging.WARNING] == []


def test_a_server_that_stops_answers_what_is_under_way(server: LiveServer, alice: Device) -> None:
    with line(server) as there:
        with Held(server) as held:
            there.say(send(alice, 1))
            held.until(1)
            stopping = threading.Thread(target=server.stop)
            stopping.start()
            deadline = time.monotonic() + DEADLINE
            while not server.running.services.draining:
                assert time.monotonic() < deadline, "the server does not begin to stop"
                time.sleep(0.005)
        assert there.hear().status == 200
        stopping.join(DEADLINE)
        assert not stopping.is_alive()


def test_nothing_is_begun_while_the_server_stops(server: LiveServer, alice: Device) -> None:
    server.running.services.draining = True
    with line(server) as there:
        there.say(send(alice, 1))
        refused = there.hear()
        assert refused.status == 503
        assert int(refused.headers["retry-after"]) >= 1
        server.running.services.draining = False
        there.say(send(alice, 2))
        assert there.hear().status == 200
    assert texts(alice) == ["message 2"]


def test_what_fails_is_answered_in_the_one_shape_and_logged(
    server: LiveServer, alice: Device, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError("something is wrong here")

    monkeypatch.setattr("tui_chat.server.operations.messages.send", broken)
    with line(server) as there:
        there.say(send(alice, 1))
        answer = there.hear()
        assert (answer.status, json.loads(answer.body)["error"]["code"]) == (500, "internal")
        there.say(request(alice, "GET", "/v1/me"))
        assert there.hear().status == 200
    assert re.search(r"POST .*/messages failed", caplog.text)
    assert "ZeroDivisionError: something is wrong here" in caplog.text


def test_requests_are_counted_whichever_way_they_come(server: LiveServer, alice: Device, people: People) -> None:
    with line(server) as there:
        there.say(send(alice, 1))
        there.hear()
        there.say(send(alice, 2)[:-1], send(alice, 2)[-1:])
        there.hear()
        there.say(send(None, 3))
        there.hear()
    numbers = people.http.get("/metrics").text
    endpoint = 'endpoint="/v1/conversations/{conversation_id}/messages",method="POST"'
    assert f'tui_chat_requests_total{{{endpoint},status="200"}} 2.0' in numbers
    assert f'tui_chat_requests_total{{{endpoint},status="401"}} 1.0' in numbers
    assert "tui_chat_messages_sent_total 2.0" in numbers
