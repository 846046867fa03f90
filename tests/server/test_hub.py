"""The hub: one encoding for all, a range without content for who is not meant, frames under their limit."""

import itertools
import json
from typing import Any

import msgspec
import pytest
from websockets.client import ClientProtocol
from websockets.frames import Frame as WebSocketFrame
from websockets.frames import Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from tui_chat.protocol import events, limits
from tui_chat.server.engines import Emitted
from tui_chat.server.hub import Frame, Hub, cut, form
from tui_chat.server.line import text_frame
from tui_chat.server.operations.events import cursor_form


class Recorder:
    """A connection that remembers."""

    def __init__(self, user: int, device_id: str) -> None:
        self.user = user
        self.device_id = device_id
        self.sent = 0
        self.reached: int | None = None
        self.frames: list[Frame] = []
        self.others: list[object] = []

    def offer(self, frame: Frame) -> None:
        self.frames.append(frame)

    def offer_ephemeral(self, frame: bytes) -> None:
        self.others.append(frame)

    def offer_notice(self, frame: bytes) -> None:
        self.others.append(frame)

    def fall_behind(self, newest: int) -> None:
        self.others.append(newest)

    def close(self, code: int) -> None:
        self.others.append(code)

    def check(self, now: float) -> None:
        self.others.append(now)


def revoked(user: int, event_seq: int, only_device: str | None = None) -> Emitted:
    event = events.DeviceRevoked(event_seq=event_seq, device_id=f"d{event_seq}")
    return Emitted(user, event_seq, only_device, event)


def content(frame: Frame) -> Any:
    """What stands in a WebSocket frame, read by a client's code."""
    client = ClientProtocol(parse_uri("ws://localhost/"), state=State.OPEN)
    client.receive_data(frame.data)
    (event,) = client.events_received()
    assert isinstance(event, WebSocketFrame)
    assert event.opcode is Opcode.TEXT
    assert event.fin
    return json.loads(bytes(event.data))


def hub() -> Hub:
    return Hub(cursor_form("e"))


def test_all_devices_of_a_user_share_one_frame() -> None:
    one, two, other = Recorder(1, "a"), Recorder(1, "b"), Recorder(2, "c")
    here = hub()
    for recorder in (one, two, other):
        here.join(recorder)
    here.deliver([revoked(1, 7), revoked(2, 3), revoked(1, 8)])
    assert one.frames[0] is two.frames[0]
    assert content(one.frames[0]) == {
        "t": "events",
        "from": 7,
        "to": 8,
        "cursor": "e:8",
        "events": [
            {"kind": "device.revoked", "eventSeq": 7, "deviceID": "d7"},
            {"kind": "device.revoked", "eventSeq": 8, "deviceID": "d8"},
        ],
    }
    assert (other.frames[0].first, other.frames[0].last) == (3, 3)


def test_what_is_for_one_device_closes_the_range_of_the_others_without_content() -> None:
    origin, phone, tablet = Recorder(1, "origin"), Recorder(1, "phone"), Recorder(1, "tablet")
    here = hub()
    for recorder in (origin, phone, tablet):
        here.join(recorder)
    here.deliver([revoked(1, 1, "origin")])
    assert len(content(origin.frames[0])["events"]) == 1
    assert content(phone.frames[0])["events"] == []
    assert (phone.frames[0].first, phone.frames[0].last) == (1, 1)
    assert phone.frames[0] is tablet.frames[0]


def test_a_range_is_what_the_protocol_says_it_is() -> None:
    recorder = Recorder(1, "a")
    here = Hub(cursor_form('"\u00e9\\%'))
    here.join(recorder)
    told = [revoked(1, 7), revoked(1, 8)]
    here.deliver(told)
    wanted = events.EventRange(first=7, last=8, cursor='"\u00e9\\%:8', events=[msgspec.Raw(one.raw()) for one in told])
    assert recorder.frames[0].data == text_frame(msgspec.json.encode(wanted))


def test_a_commit_with_more_than_a_frame_holds_is_cut() -> None:
    recorder = Recorder(1, "a")
    here = hub()
    here.join(recorder)
    many = [Emitted(1, seq, None, events.DeviceRevoked(event_seq=seq, device_id="d" * 9_000)) for seq in range(1, 9)]
    here.deliver(many)
    assert len(recorder.frames) == 2
    assert all(len(frame.data) <= limits.FRAME_BYTES for frame in recorder.frames)
    assert [one["eventSeq"] for frame in recorder.frames for one in content(frame)["events"]] == list(range(1, 9))


def test_who_left_hears_nothing() -> None:
    recorder = Recorder(1, "a")
    here = hub()
    here.join(recorder)
    here.leave(recorder)
    here.deliver([revoked(1, 1)])
    here.tell(1, b"typing")
    here.tell_everyone(b"settings")
    assert (recorder.frames, recorder.others, here.users()) == ([], [], [])
    here.leave(recorder)


def test_positions_from_the_database_reach_the_connections() -> None:
    recorder = Recorder(1, "a")
    here = hub()
    here.join(recorder)
    here.compare({1: 9, 2: 4})
    assert recorder.others == [9]


def test_only_the_named_devices_are_closed() -> None:
    one, two = Recorder(1, "a"), Recorder(1, "b")
    here = hub()
    here.join(one)
    here.join(two)
    here.close_devices(["b"], events.CLOSE_REVOKED)
    assert (one.others, two.others) == ([], [events.CLOSE_REVOKED])


async def test_news_wakes_who_waits_for_it() -> None:
    here = hub()
    mine, others = here.news(1), here.news(2)
    here.deliver([revoked(1, 1)])
    assert mine.done()
    assert not others.done()
    here.stop()
    assert others.done()
    here.no_news(1, mine)
    here.no_news(2, others)
    assert here.waiting() == 0


def raw(size: int) -> msgspec.Raw:
    return msgspec.Raw(json.dumps({"x": "y" * (size - 8)}).encode())


def test_a_large_range_is_cut_without_a_gap() -> None:
    wanted = [(seq, raw(20_000)) for seq in range(3, 30, 3)]
    frames = list(cut(1, 40, wanted, form(b'"%d"')))
    assert frames[0].first == 1
    assert frames[-1].last == 40
    assert all(one.last + 1 == other.first for one, other in itertools.pairwise(frames))
    assert all(len(frame.data) < limits.FRAME_BYTES for frame in frames)
    assert sum(len(content(frame)["events"]) for frame in frames) == len(wanted)


def test_an_event_larger_than_a_frame_goes_alone() -> None:
    frames = list(cut(1, 3, [(1, raw(10)), (2, raw(100_000)), (3, raw(10))], form(b'"%d"')))
    assert [(frame.first, frame.last) for frame in frames] == [(1, 1), (2, 2), (3, 3)]


def test_an_empty_range_is_one_frame() -> None:
    (frame,) = cut(5, 9, [], form(b'"%d"'))
    assert content(frame) == {"t": "events", "from": 5, "to": 9, "cursor": "9", "events": []}


@pytest.mark.parametrize("length", [2, 125, 126, 65_535, 65_536, 200_000])
def test_frames_of_every_length_are_read_by_others(length: int) -> None:
    payload = json.dumps("x" * (length - 2)).encode()
    assert len(payload) == length
    assert content(Frame(0, 0, text_frame(payload))) == "x" * (length - 2)
