"""Requests for a socket that must not become one; and sockets that begin with something else than a true hello."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from tests.accounts import Device
from tui_chat.protocol import events

from .raw_socket import FIN, GONE, PING, Place, frame, handshake, text


@pytest.fixture(autouse=True)
def no_errors(place: Place, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Anybody can cause these, so they leave no error in the log, and no token at all."""
    caplog.set_level(logging.DEBUG)
    place.server.clock.advance(10)
    yield
    place.alice.get("/v1/me")  # what was refused is done by now
    assert [record.getMessage() for record in caplog.records if record.levelno > logging.INFO] == []
    assert place.alice.access_token not in caplog.text


REFUSED: dict[str, tuple[dict[str, Any], tuple[int, ...]]] = {
    "no token": ({"authorization": None}, (401,)),
    "a token of nobody": ({"authorization": "Bearer nobody"}, (401,)),
    "a token that is no text": ({"authorization": "Bearer \xff\xfe"}, (401,)),
    "another scheme": ({"authorization": "Basic YWxpY2U6YWxpY2U="}, (401,)),
    "the origin of a web page": ({"origin": "https://evil.example"}, (403,)),
    "no origin that is one": ({"origin": "null"}, (403,)),
    "no key": ({"sec_websocket_key": None}, (400,)),
    "a short key": ({"sec_websocket_key": "c2hvcnQ="}, (400,)),
    "a key that is no base64": ({"sec_websocket_key": "!" * 24}, (400,)),
    "no version": ({"sec_websocket_version": None}, (400, 426)),
    "an old version": ({"sec_websocket_version": "8"}, (400, 426)),
    "no upgrade": ({"upgrade": None, "connection": "keep-alive"}, (400, 404, 426)),
    "an upgrade to something else": ({"upgrade": "h2c"}, (400, 404, 426)),
    "another method": ({"line": "POST /v1/stream HTTP/1.1"}, (400, 404, 405)),
    "another address": ({"line": "GET /v1/streams HTTP/1.1"}, (404,)),
    "an address with another case": ({"line": "GET /V1/stream HTTP/1.1"}, (404,)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_becomes_no_socket(place: Place, name: str) -> None:
    changes, statuses = REFUSED[name]
    with place.connection() as raw:
        raw.send(handshake(place.alice.access_token, **changes) + text({"t": "hello", "since": None}))
        status, head = raw.head()
        assert status in statuses, head
        assert "101" not in head.partition("\r\n")[0]
    assert place.connected() == 0


@pytest.mark.parametrize("where", ["?token={}", "?access_token={}", "?authorization=Bearer%20{}", "/{}"])
def test_a_token_in_the_address_is_none(place: Place, where: str) -> None:
    with place.connection() as raw:
        line = f"GET /v1/stream{where.format(place.alice.access_token)} HTTP/1.1"
        raw.send(handshake(None, line=line))
        assert raw.head()[0] == (404 if where.startswith("/") else 401)


def test_a_head_that_never_ends_is_no_socket(place: Place) -> None:
    with place.connection() as raw:
        raw.send(handshake(place.alice.access_token, x="y" * 100_000))
        assert raw.head()[0] in (0, 400, 431)


def test_two_hosts_are_one_too_many(place: Place) -> None:
    with place.connection() as raw:
        raw.send(handshake(place.alice.access_token).replace(b"\r\n\r\n", b"\r\nHost: other.example\r\n\r\n"))
        assert raw.head()[0] == 400


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("sec_websocket_extensions", "permessage-deflate; client_max_window_bits"),
        ("sec_websocket_extensions", "x-webkit-deflate-frame"),
        ("sec_websocket_protocol", "chat, superchat"),
    ],
)
def test_what_is_offered_is_not_taken(place: Place, header: str, value: str) -> None:
    """Compression would let few bytes from a client become many here; there is one protocol."""
    with place.connection() as raw:
        raw.send(handshake(place.alice.access_token, **{header: value}))
        status, head = raw.head()
        assert status == 101
        assert header.replace("_", "-") not in head.lower()
        raw.send(text({"t": "hello", "since": None}))
        assert raw.answer()["t"] == "welcome"


def test_a_handshake_may_come_byte_by_byte(place: Place) -> None:
    with place.connection() as raw:
        for byte in handshake(place.alice.access_token):
            raw.send(bytes((byte,)))
        assert raw.head()[0] == 101
        raw.send(text({"t": "hello", "since": None}))
        assert raw.answer()["t"] == "welcome"


HELLOS: dict[str, tuple[bytes, int]] = {
    "a pong first": (text({"t": "pong"}), events.CLOSE_NO_HELLO),
    "typing first": (text({"t": "typing", "conversationID": "C2Cbob"}), events.CLOSE_NO_HELLO),
    "a hello to nobody": (text({"t": "Hello", "since": None}), events.CLOSE_BAD_FRAME),
    "a cursor that is a number": (text({"t": "hello", "since": 5}), events.CLOSE_BAD_FRAME),
    "a cursor that is a list": (text({"t": "hello", "since": ["x"]}), events.CLOSE_BAD_FRAME),
    "a binary hello": (frame(FIN | 2, b'{"t":"hello","since":null}'), events.CLOSE_BAD_FRAME),
    "half a hello and goodbye": (frame(1, b'{"t":"hel') + frame(FIN | 8, b"\x03\xe8"), 1002),
}


@pytest.mark.parametrize("name", HELLOS)
def test_what_is_no_hello(place: Place, name: str) -> None:
    data, code = HELLOS[name]
    with place.connection() as raw:
        raw.open(place.alice)
        raw.send(data)
        assert raw.ended() == code


def test_pings_are_no_hello(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui_chat.protocol.limits.HELLO_SECONDS", 0.3)
    with place.connection() as raw:
        raw.open(place.alice)
        raw.send(frame(FIN | PING, b"x") * 3)
        assert raw.ended() == events.CLOSE_NO_HELLO


def test_who_asks_for_a_socket_and_is_gone_leaves_nothing(place: Place) -> None:
    for _ in range(20):
        with place.connection() as raw:
            raw.send(handshake(place.alice.access_token) + text({"t": "hello", "since": None}))
            raw.reset()
    with place.socket() as raw:
        raw.send(frame(FIN | PING, b"x"))
        assert raw.frame() is not None


def cursors(alice: Device, stranger: Device) -> dict[str, str]:
    epoch, _, newest = alice.cursor().rpartition(":")
    other = stranger.cursor()
    return {
        "of another server": f"ffffffffffff:{newest}",
        "above the newest": f"{epoch}:{int(newest) + 1}",
        "far above the newest": f"{epoch}:{10**17}",
        "of another user, who has come further": other,
        "below the beginning": f"{epoch}:-1",
        "a number that never ends": f"{epoch}:{'9' * 5_000}",
        "digits of another script": f"{epoch}:١",
        "without an epoch": newest,
        "nothing": "",
        "an epoch that goes on": f"{epoch}:{newest}:{newest}",
        "escapes": "\x1b[2J",
        "a query": "' OR 1=1 --",
    }


def test_cursors_of_no_use_are_answered_with_a_reset_and_nothing_of_others(place: Place) -> None:
    place.alice.send("C2Cwitness", "for alice and the witness")
    for number in range(50):
        place.bob.send("C2Cwitness", f"secret {number}")
    for name in cursors(place.alice, place.witness):
        with place.connection() as raw:
            raw.open(place.alice)
            raw.send(text({"t": "hello", "since": cursors(place.alice, place.witness)[name]}))
            assert raw.answer()["t"] == "welcome", name
            assert raw.answer() == {"t": "reset", "reason": "epoch"}, name
            sent = place.alice.send("C2Cwitness", name)
            told = raw.answer()
            assert [event["message"]["messageSeq"] for event in told["events"]] == [sent["messageSeq"]], name
            assert "secret" not in json.dumps(told)


def test_another_users_cursor_shows_nothing_of_theirs(place: Place) -> None:
    """Positions say nothing about whose they are: one that lies within one's own log shows one's own log."""
    place.bob.send("C2Cwitness", "secret")
    place.alice.send("C2Cwitness", "her own")
    epoch = place.alice.cursor().rpartition(":")[0]
    with place.socket(since=f"{epoch}:0") as raw:
        told = raw.answer()
        assert told["from"] == 1
        assert "secret" not in json.dumps(told)


def test_a_device_that_is_revoked_hears_no_more(place: Place) -> None:
    phone = place.people.login("alice")
    with place.socket(phone) as raw:
        place.alice.remove(f"/v1/devices/{phone.device_id}")
        assert raw.ended() == events.CLOSE_REVOKED
    with place.connection() as raw:
        raw.send(handshake(phone.access_token))
        assert raw.head()[0] == 401


def test_a_device_that_is_revoked_before_its_hello_gets_no_welcome(place: Place) -> None:
    phone = place.people.login("alice")
    with place.connection() as raw:
        raw.open(phone)
        place.alice.remove(f"/v1/devices/{phone.device_id}")
        raw.send(text({"t": "hello", "since": None}))
        answer = raw.answer()
        assert answer in (events.CLOSE_REVOKED, events.CLOSE_UNAUTHORIZED, GONE), answer
