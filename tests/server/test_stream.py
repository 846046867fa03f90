"""The event socket: order on connect, what ends it, and that nobody waits for a slow one."""

import json
import logging
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.accounts import DEADLINE, Device, People, Stream
from tests.servers import LiveServer
from tui_chat.protocol import events, limits
from tui_chat.server import stream as event_stream


def refused_handshake(device: Device, **headers: str) -> tuple[int, str]:
    with (
        pytest.raises(InvalidStatus) as refused,
        connect(device.url.replace("http", "ws") + "/v1/stream", additional_headers=headers, proxy=None),
    ):
        pass
    response = refused.value.response
    return response.status_code, json.loads(response.body or b"{}")["error"]["code"]


def test_without_a_valid_token_there_is_no_socket(alice: Device) -> None:
    assert refused_handshake(alice) == (401, "unauthorized")
    assert refused_handshake(alice, Authorization="Bearer wrong") == (401, "unauthorized")


def test_a_refused_socket_leaves_no_error_in_the_log(alice: Device, caplog: pytest.LogCaptureFixture) -> None:
    refused_handshake(alice)
    refused_handshake(alice, Authorization="Bearer wrong")
    refused_handshake(alice, Origin="https://evil.example")
    alice.get("/v1/me")  # what the refused ones did is done by now
    assert [record.getMessage() for record in caplog.records if record.levelno > logging.INFO] == []


def test_web_pages_get_no_socket(alice: Device) -> None:
    headers = {"Authorization": f"Bearer {alice.access_token}", "Origin": "https://evil.example"}
    assert refused_handshake(alice, **headers) == (403, "forbidden")


def test_another_address_is_no_socket(alice: Device) -> None:
    with (
        pytest.raises(InvalidStatus) as refused,
        connect(alice.url.replace("http", "ws") + "/v1/me", proxy=None),
    ):
        pass
    assert refused.value.response.status_code == 404


def test_welcome_then_what_was_missed_then_live(alice: Device, bob: Device) -> None:
    since = bob.cursor()
    alice.send("C2Cbob", "missed 1")
    alice.send("C2Cbob", "missed 2")
    with bob.stream(since) as stream:
        assert stream.welcome["server"]["undoSeconds"] == 600
        alice.send("C2Cbob", "live")
        texts = [stream.event("message.new")["message"]["text"] for _ in range(3)]
        assert texts == ["missed 1", "missed 2", "live"]
        assert bob.events(since)[-1]["eventSeq"] == stream.position
        assert stream.cursor == bob.cursor()


def test_an_event_says_the_same_live_and_from_the_log(alice: Device, bob: Device) -> None:
    since = bob.cursor()
    with bob.stream(since) as stream:
        alice.send("C2Cbob", "hello")
        live = stream.event("message.new")
    assert bob.events(since) == [live]


def test_without_a_cursor_it_begins_now(alice: Device, bob: Device) -> None:
    alice.send("C2Cbob", "before")
    with bob.stream() as stream:
        alice.send("C2Cbob", "after")
        assert stream.event("message.new")["message"]["text"] == "after"


_LONG = "{epoch}:" + "1" * 4_400
"""More digits than Python reads as a number."""


@pytest.mark.parametrize("cursor", ["nonsense", "", "other-epoch:1", "{epoch}:999999", "{epoch}:-1", _LONG])
def test_a_cursor_of_no_use_is_answered_with_a_reset(alice: Device, bob: Device, cursor: str) -> None:
    epoch = bob.cursor().rpartition(":")[0]
    with bob.stream(cursor.replace("{epoch}", epoch)) as stream:
        assert stream.frame() == {"t": "reset", "reason": "epoch"}
        snapshot = bob.get("/v1/sync", since=cursor.replace("{epoch}", epoch))
        assert snapshot["reset"] == "epoch"
        alice.send("C2Cbob", "after the reset")
        assert stream.event("message.new")["message"]["text"] == "after the reset"


def test_every_device_of_a_user_hears(alice: Device, bob: Device, people: People) -> None:
    phone = people.login("alice")
    with alice.stream(alice.cursor()) as here, phone.stream(phone.cursor()) as there:
        bob.send("C2Calice", "to both")
        assert here.event("message.new") == there.event("message.new")


def test_the_answer_names_the_event_that_it_caused(alice: Device, bob: Device) -> None:
    with alice.stream(alice.cursor()) as stream:
        body = {"clientID": "c1", "text": "hi"}
        answer = alice.post("/v1/conversations/C2Cbob/messages", body)
        event = stream.event("message.new")
        assert event["eventSeq"] == answer["eventSeq"]
        assert event["message"] == answer["message"]


def test_who_says_nothing_is_let_go(alice: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HELLO_SECONDS", 0.2)
    with alice.stream(hello=False) as stream:
        assert stream.closed() == events.CLOSE_NO_HELLO


@pytest.mark.parametrize("frame", ['{"t":"pong"}', '{"t":"typing","conversationID":"C2Cbob"}'])
def test_hello_comes_first(alice: Device, frame: str) -> None:
    with alice.stream(hello=False) as stream:
        stream.say(frame)
        assert stream.closed() == events.CLOSE_NO_HELLO


@pytest.mark.parametrize(
    "frame",
    ["", "nonsense", "[]", "null", '{"t":"surprise"}', '{"t":"hello","since":1}', '{"t":"hello","x":1}', b"\x00\x01"],
)
def test_a_frame_that_is_none_ends_the_socket(alice: Device, frame: str | bytes) -> None:
    with alice.stream(hello=False) as stream:
        stream.say(frame)
        assert stream.closed() == events.CLOSE_BAD_FRAME
    with alice.stream() as stream:
        stream.say(frame)
        assert stream.closed() == events.CLOSE_BAD_FRAME


def test_two_hellos_end_the_socket(alice: Device) -> None:
    with alice.stream() as stream:
        stream.say({"t": "hello", "since": None})
        assert stream.closed() == events.CLOSE_BAD_FRAME


def test_a_frame_over_the_limit_ends_the_socket(alice: Device) -> None:
    with alice.stream() as stream:
        stream.say('{"t":"typing","conversationID":"' + "x" * limits.FRAME_BYTES + '"}')
        assert stream.closed() == 1009


def test_a_flood_of_frames_ends_the_socket(alice: Device) -> None:
    with alice.stream() as stream:
        with suppress(ConnectionClosed):
            for _ in range(150):
                stream.say({"t": "pong"})
        assert stream.closed() == events.CLOSE_TRY_AGAIN


def test_revoking_a_device_closes_its_socket_and_tells_the_others(alice: Device, people: People) -> None:
    phone = people.login("alice")
    with alice.stream(alice.cursor()) as here, phone.stream(phone.cursor()) as there:
        alice.remove(f"/v1/devices/{phone.device_id}")
        assert there.closed() == events.CLOSE_REVOKED
        assert here.event("device.revoked")["deviceID"] == phone.device_id
    assert refused_handshake(phone, Authorization=f"Bearer {phone.access_token}") == (401, "unauthorized")


def test_logging_out_closes_the_socket(alice: Device) -> None:
    with alice.stream() as stream:
        alice.post("/v1/logout")
        assert stream.closed() == events.CLOSE_REVOKED


def test_a_socket_outlives_its_access_token(server: LiveServer, alice: Device, bob: Device, people: People) -> None:
    with alice.stream(alice.cursor()) as stream:
        server.clock.advance(limits.ACCESS_TOKEN_SECONDS * 2)
        people.login("bob").send("C2Calice", "still there?")
        assert stream.event("message.new")["message"]["text"] == "still there?"


def test_a_change_of_settings_reaches_connected_sockets_unnumbered(server: LiveServer, alice: Device) -> None:
    with alice.stream(alice.cursor()) as stream:
        for value in (True, False, True):
            server.change_settings(sync_conversation_deletion=value)
            frame = stream.frame()
            assert (frame["t"], frame["kind"]) == ("ephemeral", "settings.changed")
            assert frame["server"]["syncConversationDeletion"] is value


def test_settings_that_stay_as_they_are_are_not_told(server: LiveServer, alice: Device) -> None:
    server.change_settings(sync_conversation_deletion=True)
    with alice.stream(alice.cursor()) as stream:
        for same in ({}, {"syncConversationDeletion": True}, {"undoSeconds": 600}, {"registration": "open"}):
            alice.patch("/v1/admin/settings", same)
        server.change_settings(undo_seconds=30)
        assert stream.frame()["server"]["undoSeconds"] == 30


def test_typing_reaches_the_other_side_and_is_not_logged(alice: Device, bob: Device) -> None:
    alice.send("C2Cbob", "hello")
    since = bob.cursor()
    with alice.stream(alice.cursor()) as writer, bob.stream(since) as reader:
        writer.say({"t": "typing", "conversationID": "C2Cbob"})
        frame = reader.frame()
        assert (frame["t"], frame["kind"], frame["conversationID"], frame["userID"]) == (
            "ephemeral",
            "typing",
            "C2Calice",
            "alice",
        )
        writer.say({"t": "typing", "conversationID": "C2Cnobody"})
        writer.say({"t": "typing", "conversationID": "nonsense"})
        writer.say({"t": "pong"})
        bob.send("C2Calice", "still open?")
        assert writer.event("message.new")["message"]["text"] == "still open?"
    assert bob.cursor() > since


def test_typing_is_passed_on_once_a_second_to_each_conversation(
    alice: Device, bob: Device, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "TYPING_SECONDS", 1_000.0)
    people.register("carol")
    for one in ("C2Cbob", "C2Ccarol"):
        alice.send(one, "hello")

    def typing(there: Stream) -> int:
        """How often somebody typed until the next event."""
        count = 0
        while (frame := there.frame())["t"] != "events":
            count += frame.get("kind") == "typing"
        return count

    carol = people.login("carol")
    with bob.stream(bob.cursor()) as his, carol.stream(carol.cursor()) as hers, alice.stream() as writer:
        for one in ("C2Cbob", "C2CBOB", "C2Cbob", "C2Ccarol"):
            writer.say({"t": "typing", "conversationID": one})
        while hers.frame().get("kind") != "typing":
            pass
        monkeypatch.setattr(event_stream, "TYPING_SECONDS", 0.0)
        for one in ("C2Cbob", "C2Ccarol"):
            writer.say({"t": "typing", "conversationID": one})
        while hers.frame().get("kind") != "typing":
            pass
        alice.send("C2Cbob", "there")
        assert typing(his) == 2


def test_pings_say_where_the_log_stands(alice: Device, bob: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PING_SECONDS", 0.5)
    with alice.stream(alice.cursor()) as stream:
        bob.send("C2Calice", "hello")
        event = stream.event("message.new")
        frame = stream.frame()
        while frame["eventSeq"] < event["eventSeq"]:
            frame = stream.frame()
        assert frame == {"t": "ping", "eventSeq": event["eventSeq"]}


def test_a_large_gap_comes_in_frames_under_the_limit(server: LiveServer, alice: Device, bob: Device) -> None:
    since = bob.cursor()
    for number in range(40):
        alice.send("C2Cbob", f"{number} " + "x" * 8000)
    with bob.stream(since) as stream:
        position, count = int(since.rpartition(":")[2]), 0
        while count < 40:
            text = stream.socket.recv(timeout=DEADLINE)
            assert len(text) < limits.FRAME_BYTES
            frame = json.loads(text)
            assert frame["from"] == position + 1
            position, count = frame["to"], count + len(frame["events"])


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


class StuckReader:
    """A peer that shakes hands, says hello, and never reads again."""

    def __init__(self, device: Device, since: str) -> None:
        host, port = device.url.removeprefix("http://").split(":")
        self.connection = socket.socket()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.connection.settimeout(DEADLINE)
        self.connection.connect((host, int(port)))
        self.connection.sendall(
            f"GET /v1/stream HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
            f"Authorization: Bearer {device.access_token}\r\n\r\n".encode()
        )
        assert self.connection.recv(12) == b"HTTP/1.1 101"
        hello = json.dumps({"t": "hello", "since": since}).encode()
        assert len(hello) < 126
        self.connection.sendall(bytes([0x81, 0x80 | len(hello), 0, 0, 0, 0]) + hello)

    def rest(self) -> bytes:
        """Everything that still comes, until the end."""
        received = bytearray()
        while True:
            try:
                piece = self.connection.recv(65536)
            except ConnectionError:
                return bytes(received)
            if not piece:
                return bytes(received)
            received += piece


def test_a_reader_that_takes_nothing_delays_nobody_and_is_cut(
    server: LiveServer, alice: Device, bob: Device, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    stall = 2.0
    monkeypatch.setattr(limits, "STALL_SECONDS", stall)
    carol = people.register("carol")
    group = alice.create_group("Team", "bob", "carol")["conversationID"]
    beginning = bob.cursor()
    hub = server.running.services.hub
    stuck = StuckReader(bob, beginning)
    try:
        with carol.stream(carol.cursor()) as stream:
            wait_until(lambda: len(hub.users()) == 2)
            sent = 0
            while len(hub.users()) == 2:
                if sent % limits.MESSAGES_BURST == 0:
                    server.clock.advance(10)
                began = time.monotonic()
                alice.send(group, f"{sent} " + "x" * 8000)
                stream.event("message.new")
                assert time.monotonic() - began < stall, "a broadcast that waits would take that long"
                sent += 1
        assert stuck.rest().endswith(struct.pack("!BBH", 0x88, 2, events.CLOSE_SLOW)), "it is told to come back"
    finally:
        stuck.connection.close()
    texts = [event["message"]["text"].split()[0] for event in bob.events(beginning) if "message" in event]
    assert texts == [str(number) for number in range(sent)], "nothing is lost: it is in the log"


def test_a_reader_that_pauses_gets_everything_once_and_in_order(server: LiveServer, alice: Device, bob: Device) -> None:
    """Far more than a queue holds arrives while the peer does not read: the socket reads on from the log."""
    since = bob.cursor()
    with bob.stream(since) as stream:
        sent = []
        for number in range(2 * limits.SOCKET_QUEUE):
            if number % 90 == 0:
                server.clock.advance(10)
            sent.append(alice.send("C2Cbob", f"{number} " + "y" * 4000)["text"])
        received = [stream.event("message.new")["message"]["text"] for _ in sent]
    assert received == sent


def test_what_is_sent_while_sockets_come_and_go_arrives_once(server: LiveServer, alice: Device, bob: Device) -> None:
    since = bob.cursor()
    stop = threading.Event()
    sent: list[str] = []

    def talk() -> None:
        while not stop.is_set():
            if len(sent) % 50 == 0:
                server.clock.advance(10)
            sent.append(alice.send("C2Cbob", f"m{len(sent)}")["text"])

    talker = threading.Thread(target=talk)
    talker.start()
    received: list[str] = []
    try:
        for _ in range(20):
            with bob.stream(since) as stream:
                for _ in range(5):
                    received.append(stream.event("message.new")["message"]["text"])
                frames_in_hand = stream.position
                assert frames_in_hand is not None
                received += [event["message"]["text"] for event in stream.until(frames_in_hand)]
                since = stream.cursor
    finally:
        stop.set()
        talker.join()
    received += [event["message"]["text"] for event in bob.events(since)]
    assert received == sent


def test_a_user_cannot_open_sockets_without_end(alice: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SOCKETS_A_USER", 2)
    with alice.stream(), alice.stream():
        assert refused_handshake(alice, Authorization=f"Bearer {alice.access_token}") == (429, "too_frequent")


def test_the_server_says_goodbye(server: LiveServer, alice: Device) -> None:
    with alice.stream() as stream:
        server.stop()
        assert stream.closed() == events.CLOSE_RESTART
