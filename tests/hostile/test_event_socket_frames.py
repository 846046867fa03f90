"""Frames that no well-behaved client sends: each ends its own socket with the fitting code, and nobody else's.

Close codes: RFC 6455, section 7.4.1; those over 4000 are ours (protocol/events.py).
"""

import logging
import struct
import time
from collections.abc import Iterator

import pytest

from tests.accounts import DEADLINE
from tui_chat.protocol import events, limits
from tui_chat.server.line import SMALL_FRAMES_MOST

from .raw_socket import BINARY, CLOSE, CONTINUATION, FIN, GONE, PING, PONG, TEXT, Place, RawSocket, close, frame, text

PROTOCOL_ERROR = 1002
NOT_TEXT = 1007
TOO_BIG = 1009

RSV1, RSV2, RSV3 = 0x40, 0x20, 0x10
PONG_FRAME = b'{"t":"pong"}'
HALF = len(PONG_FRAME) // 2
OVER = limits.FRAME_BYTES + 1


@pytest.fixture(autouse=True)
def nobody_else_notices(place: Place, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Around each case another user's socket stays and hears; nothing is left in the hub, nor an error in the log."""
    place.server.clock.advance(10)
    with place.witness.stream() as stream:
        yield
        sent = place.bob.send("C2Cwitness", "are you there?")
        assert stream.event("message.new")["message"]["messageSeq"] == sent["messageSeq"]
        deadline = time.monotonic() + DEADLINE
        while place.connected() > 1:
            assert time.monotonic() < deadline, "a socket was left behind"
            time.sleep(0.01)
    assert [record.getMessage() for record in caplog.records if record.levelno > logging.INFO] == []


ENDS = {
    "continuation of nothing": (frame(FIN | CONTINUATION, b"x"), PROTOCOL_ERROR),
    "a text within a text": (frame(TEXT, b"{") + frame(FIN | TEXT, b"}"), PROTOCOL_ERROR),
    "bad UTF-8": (frame(FIN | TEXT, b'{"t":"\xff"}'), NOT_TEXT),
    "bad UTF-8 in the second fragment": (frame(TEXT, b'{"t":"') + frame(FIN | CONTINUATION, b'\xc3("}'), NOT_TEXT),
    "UTF-8 that ends early": (frame(FIN | TEXT, b"\xf0\x9f\x98"), NOT_TEXT),
    "a surrogate in UTF-8": (frame(FIN | TEXT, b"\xed\xa0\x80"), NOT_TEXT),
    "one byte over the limit": (frame(FIN | TEXT, b" " * OVER), TOO_BIG),
    "a length of 2^62": (frame(FIN | TEXT, length=struct.pack("!BQ", 127, 2**62)), TOO_BIG),
    "a length of 2^63": (frame(FIN | TEXT, length=struct.pack("!BQ", 127, 2**63)), TOO_BIG),
    "fragments over the limit together": (
        frame(TEXT, b" " * 40_000) + frame(CONTINUATION, b" " * 40_000) + frame(FIN | CONTINUATION, b" "),
        TOO_BIG,
    ),
    "no mask": (frame(FIN | TEXT, PONG_FRAME, mask=None), PROTOCOL_ERROR),
    "compressed without being asked": (frame(FIN | RSV1 | TEXT, PONG_FRAME), PROTOCOL_ERROR),
    "second reserved bit": (frame(FIN | RSV2 | TEXT, PONG_FRAME), PROTOCOL_ERROR),
    "third reserved bit": (frame(FIN | RSV3 | TEXT, PONG_FRAME), PROTOCOL_ERROR),
    "an unknown opcode": (frame(FIN | 0x3, b""), PROTOCOL_ERROR),
    "an unknown control opcode": (frame(FIN | 0xB, b""), PROTOCOL_ERROR),
    "a ping of 126 bytes": (frame(FIN | PING, b"x" * 126), PROTOCOL_ERROR),
    "a ping in fragments": (frame(PING, b"x"), PROTOCOL_ERROR),
    "a close of 126 bytes": (frame(FIN | CLOSE, struct.pack("!H", 1000) + b"x" * 124), PROTOCOL_ERROR),
    "a close with half a code": (frame(FIN | CLOSE, b"\x03"), PROTOCOL_ERROR),
    "a close code that must not travel": (close(1005), PROTOCOL_ERROR),
    "a close code for a broken line": (close(1006), PROTOCOL_ERROR),
    "a close code under all others": (close(999), PROTOCOL_ERROR),
    "a close reason in bad UTF-8": (close(1000, b"\xff"), NOT_TEXT),
    "binary": (frame(FIN | BINARY, PONG_FRAME), events.CLOSE_BAD_FRAME),
    "binary in bad UTF-8": (frame(FIN | BINARY, b"\xff\x00"), events.CLOSE_BAD_FRAME),
    "an empty text": (text(b""), events.CLOSE_BAD_FRAME),
    "no JSON": (text(b"hello"), events.CLOSE_BAD_FRAME),
    "zero bytes": (text(b"\x00" * 100), events.CLOSE_BAD_FRAME),
    "JSON without a kind": (text({}), events.CLOSE_BAD_FRAME),
    "an unknown kind": (text({"t": "shout"}), events.CLOSE_BAD_FRAME),
    "a kind that is a list": (text({"t": ["pong"]}), events.CLOSE_BAD_FRAME),
    "JSON that is nested for ever": (text(b'{"t":"pong","x":' + b"[" * 60_000), events.CLOSE_BAD_FRAME),
    "fields that are not known": (text({"t": "pong", "since": "later"}), events.CLOSE_BAD_FRAME),
    "a list": (text([]), events.CLOSE_BAD_FRAME),
    "a second hello": (text({"t": "hello", "since": None}), events.CLOSE_BAD_FRAME),
    "a number that never ends": (
        text(b'{"t":"typing","conversationID":' + b"9" * 60_000 + b"}"),
        events.CLOSE_BAD_FRAME,
    ),
    "goodbye": (close(1000, b"bye"), 1000),
    "goodbye in words of one's own": (close(4999), 4999),
    "goodbye without a code": (close(), 0),
    "words after the goodbye": (close(1000) + text(b"{") + frame(FIN | 0x3), 1000),
    "HTTP instead of a frame": (b"GET /v1/me HTTP/1.1\r\nhost: x\r\n\r\n", PROTOCOL_ERROR),
    "noise": (bytes(range(255, 0, -1)) * 40, PROTOCOL_ERROR),
}


@pytest.mark.parametrize("name", ENDS)
def test_what_ends_a_socket(place: Place, name: str) -> None:
    data, code = ENDS[name]
    with place.socket() as raw:
        raw.send(data)
        assert raw.ended() == code


ALLOWED = {
    "a text in two fragments": frame(TEXT, PONG_FRAME[:HALF]) + frame(FIN | CONTINUATION, PONG_FRAME[HALF:]),
    "fragments without content": frame(TEXT) + frame(CONTINUATION) + frame(FIN | CONTINUATION, PONG_FRAME),
    "a ping between fragments": (
        frame(TEXT, PONG_FRAME[:HALF]) + frame(FIN | PING, b"!") + frame(FIN | CONTINUATION, PONG_FRAME[HALF:])
    ),
    "a mask of zeros": frame(FIN | TEXT, PONG_FRAME, mask=bytes(4)),
    "a length that could be shorter": frame(FIN | TEXT, PONG_FRAME, length=struct.pack("!BH", 126, len(PONG_FRAME))),
    "a pong that nobody asked for": frame(FIN | PONG, b"unasked"),
    "typing where one is not": text({"t": "typing", "conversationID": "GROUPnowhere"}),
    "typing at nonsense": text({"t": "typing", "conversationID": "\x1b]0;x\x07" * 500}),
    "the largest frame there may be": text(b'{"t":"pong"' + b" " * (limits.FRAME_BYTES - 12) + b"}"),
}


@pytest.mark.parametrize("name", ALLOWED)
def test_what_does_not(place: Place, name: str) -> None:
    with place.socket() as raw:
        raw.send(ALLOWED[name] + frame(FIN | PING, b"still there"))
        assert answered(raw) == b"still there"
        sent = place.bob.send("C2Calice", "and you hear")
        assert raw.answer()["events"][0]["message"]["messageSeq"] == sent["messageSeq"]


def answered(raw: RawSocket) -> bytes:
    """The payload of the last pong; what comes in between is not for us."""
    while (came := raw.frame()) is not None:
        if came.first == FIN | PONG and came.payload != b"!":
            return came.payload
    raise AssertionError("the connection ended")


def test_a_frame_may_come_byte_by_byte(place: Place) -> None:
    with place.socket() as raw:
        for byte in frame(FIN | PING, b"slowly"):
            raw.send(bytes((byte,)))
        assert answered(raw) == b"slowly"


def test_a_flood_of_pings_ends_the_socket(place: Place) -> None:
    with place.socket() as raw:
        # No more than the server reads (the first so many begin the time that counts): what it leaves unread has its
        # system reset the connection, and the goodbye may be lost then.
        raw.send(frame(FIN | PING, b"x" * 125) * 2 * (SMALL_FRAMES_MOST + 1))
        assert raw.ended() == events.CLOSE_TRY_AGAIN


def test_a_flood_of_pongs_ends_the_socket(place: Place) -> None:
    with place.socket() as raw:
        raw.send(frame(FIN | PONG, b"x" * 125) * 5_000)
        assert raw.ended() == events.CLOSE_TRY_AGAIN


def test_a_flood_of_empty_fragments_ends_the_socket(place: Place) -> None:
    with place.socket() as raw:
        raw.send(frame(TEXT) + frame(CONTINUATION) * 100_000)
        assert raw.ended() == events.CLOSE_TRY_AGAIN


def test_a_flood_of_typing_ends_the_socket(place: Place) -> None:
    with place.socket() as raw:
        raw.send(text({"t": "typing", "conversationID": "C2Cbob"}) * 1_000)
        assert raw.ended() == events.CLOSE_TRY_AGAIN


def test_a_fragment_that_never_ends_is_let_go_with_its_socket(place: Place) -> None:
    with place.socket() as raw:
        raw.send(frame(TEXT, b"{"))
    # nobody_else_notices waits until the hub has forgotten it


def test_half_a_frame_is_let_go_with_its_socket(place: Place) -> None:
    with place.socket() as raw:
        raw.send(frame(FIN | TEXT, b" " * 60_000)[:30_000])


def test_a_line_that_is_closed_one_way_is_given_up(place: Place) -> None:
    with place.socket() as raw:
        raw.connection.shutdown(1)
        assert raw.ended() == GONE


def test_a_line_that_breaks_is_given_up(place: Place) -> None:
    with place.socket() as raw:
        raw.reset()


def test_a_reader_of_single_bytes_gets_everything(place: Place) -> None:
    with place.socket() as raw:
        sent = [place.bob.send("C2Calice", f"{number} " + "z" * 2_000)["text"] for number in range(20)]
        missing = [one.encode() for one in sent]
        pieces = bytearray()
        while missing:
            piece = raw.connection.recv(7)
            assert piece, f"{len(missing)} did not come"
            pieces += piece
            if missing[0] in pieces:
                del pieces[: pieces.index(missing[0])]
                missing.pop(0)
