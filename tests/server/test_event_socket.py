"""One event socket against a line and a log that do what a test says: nothing is lost, repeated or overtaken."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from tui_chat.protocol import events, limits
from tui_chat.protocol.models import ServerFacts
from tui_chat.server.engines import Emitted
from tui_chat.server.hub import Hub
from tui_chat.server.line import LINE, text_frame
from tui_chat.server.operations.caller import Caller
from tui_chat.server.stream import Beginning, EventSocket, Stretch

ALICE = Caller(user=1, user_id="alice", device=1, device_id="d1", device_name="laptop", administrator=False)


class ALine:
    """A connection that takes everything, or nothing until it is told."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.writable = asyncio.Event()
        self.writable.set()
        self.waiting = asyncio.Event()
        self.aborted: int | None = None

    def offer(self, frame: bytes) -> bool:
        if not self.writable.is_set():
            return False
        self.frames.append(frame)
        return True

    async def put(self, frame: bytes) -> None:
        self.waiting.set()
        await self.writable.wait()
        self.waiting.clear()
        self.frames.append(frame)

    def abort(self, code: int) -> None:
        self.aborted = code

    def contents(self) -> list[Any]:
        """What was sent, after the frames' heads."""
        return [json.loads(frame[frame.index(b"{") :]) for frame in self.frames]


class ALog:
    """A log of events that are told apart by their numbers."""

    def __init__(self, newest: int = 0) -> None:
        self.newest = newest
        self.floor = 0
        self.readings = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.page = 200

    def stretch(self, position: int) -> Stretch:
        last = min(self.newest, position + self.page)
        raws = [events.raw_event(event(seq)) for seq in range(position + 1, last + 1)]
        return Stretch(events.EventRange(first=position + 1, last=last, cursor=str(last), events=raws), self.newest)

    async def begin(self, caller: Caller, cursor: str | None) -> Beginning:
        position = self.newest if cursor is None else int(cursor)
        return Beginning(ServerFacts(version="0"), position, None, self.stretch(position))

    async def since(self, caller: Caller, position: int) -> Stretch | None:
        self.readings += 1
        found = self.stretch(position) if position >= self.floor else None
        await self.gate.wait()
        return found

    async def typing(self, caller: Caller, conversation_id: str) -> None:
        raise AssertionError("nobody types here")


class Connected:
    """A socket that runs, with its two ends."""

    def __init__(self, log: ALog, hub: Hub | None = None) -> None:
        self.hub = hub or Hub(b'"%d"')
        self.line = ALine()
        self.log = log
        self.said: asyncio.Queue[Any] = asyncio.Queue()
        self.sent: list[Any] = []
        self.socket = EventSocket(
            {"extensions": {LINE: self.line}}, self.said.get, self._send, caller=ALICE, hub=self.hub, log=log
        )

    async def _send(self, message: Any) -> None:
        self.sent.append(message)
        self.said.put_nowait({"type": "websocket.disconnect", "code": message["code"]})

    def commit(self, count: int = 1, size: int = 0) -> None:
        """Let events happen, and the hub tell of them."""
        first = self.log.newest + 1
        self.log.newest += count
        self.hub.deliver([emitted(seq, size) for seq in range(first, self.log.newest + 1)])

    def commit_unheard(self, count: int = 1) -> None:
        """Let events happen of which the hub does not hear."""
        self.log.newest += count

    def ranges(self) -> list[tuple[int, int]]:
        """The ranges that arrived."""
        return [(each["from"], each["to"]) for each in self.line.contents() if each["t"] == "events"]

    def numbers(self) -> list[int]:
        """The eventSeqs that arrived."""
        envelopes = [each for each in self.line.contents() if each["t"] == "events"]
        return [event["eventSeq"] for each in envelopes for event in each["events"]]


def event(seq: int, size: int = 0) -> events.Event:
    return events.DeviceRevoked(event_seq=seq, device_id="x" * size)


def emitted(seq: int, size: int = 0) -> Emitted:
    return Emitted(1, seq, None, event(seq, size))


async def settle() -> None:
    """Let everything go on that can."""
    for _ in range(50):
        await asyncio.sleep(0)


@asynccontextmanager
async def connected(log: ALog, since: str | None = None) -> AsyncIterator[Connected]:
    there = Connected(log)
    task = asyncio.create_task(there.socket.run())
    there.said.put_nowait({"type": "websocket.receive", "text": json.dumps({"t": "hello", "since": since})})
    await settle()
    yield there
    there.said.put_nowait({"type": "websocket.disconnect", "code": 1005})
    await task
    assert there.hub.users() == []


async def test_sockets_that_say_hello_at_the_same_time_are_counted_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SOCKETS_A_USER", 2)
    hub = Hub(b'"%d"')
    there = [Connected(ALog(), hub) for _ in range(3)]
    running = [asyncio.create_task(one.socket.run()) for one in there]
    for one in there:
        one.said.put_nowait({"type": "websocket.receive", "text": json.dumps({"t": "hello", "since": None})})
    await settle()
    assert hub.count(ALICE.user) == 2
    assert [one.sent for one in there] == [[], [], [{"type": "websocket.close", "code": events.CLOSE_TRY_AGAIN}]]
    for one in there:
        one.said.put_nowait({"type": "websocket.disconnect", "code": 1005})
    await asyncio.gather(*running)
    assert hub.count(ALICE.user) == 0


async def test_what_was_missed_then_what_happens() -> None:
    async with connected(ALog(newest=5), since="2") as there:
        there.commit(2)
        assert there.ranges() == [(3, 5), (6, 7)], "sent at once, where nothing waits"
        assert there.log.readings == 0, "one reading is enough to begin"


async def test_a_long_log_is_read_in_pieces() -> None:
    log = ALog(newest=1000)
    async with connected(log, since="0") as there:
        assert there.numbers() == list(range(1, 1001))


async def test_what_happens_during_catching_up_comes_after_it_once() -> None:
    log = ALog(newest=300)
    log.gate.clear()
    async with connected(log, since="0") as there:
        there.commit(3)
        log.gate.set()
        await settle()
        there.commit(1)
        assert there.numbers() == list(range(1, 305))


async def test_an_event_that_is_committed_after_the_reading_is_not_missed() -> None:
    log = ALog(newest=200)
    async with connected(log, since="0") as there:
        there.line.writable.clear()
        log.gate.clear()
        there.commit_unheard(1)
        there.socket.fall_behind(201)
        await settle()
        there.commit(1)  # The reading that waits at the gate does not have this one.
        there.line.writable.set()
        log.gate.set()
        await settle()
        assert there.numbers() == list(range(1, 203))


async def test_a_queue_that_runs_over_is_read_from_the_log() -> None:
    async with connected(ALog()) as there:
        there.line.writable.clear()
        for _ in range(limits.SOCKET_QUEUE + 50):
            there.commit()
            await asyncio.sleep(0)
        there.line.writable.set()
        await settle()
        there.commit()
        await settle()
        assert there.numbers() == list(range(1, limits.SOCKET_QUEUE + 52))
        assert there.log.readings >= 1


async def test_a_queue_of_large_frames_runs_over_earlier() -> None:
    async with connected(ALog()) as there:
        there.line.writable.clear()
        for _ in range(40):
            there.commit(size=60_000)
        there.line.writable.set()
        await settle()
        assert there.numbers() == list(range(1, 41))
        assert there.log.readings >= 1


async def test_nothing_overtakes_what_waits() -> None:
    async with connected(ALog()) as there:
        there.line.writable.clear()
        there.commit()
        await there.line.waiting.wait()
        there.line.writable.set()
        there.commit()  # The line would take it, but the first has not gone yet.
        await settle()
        assert there.numbers() == [1, 2]


async def test_a_gap_is_filled_from_the_log() -> None:
    async with connected(ALog()) as there:
        there.commit_unheard(3)
        there.commit()
        await settle()
        assert there.ranges() == [(1, 4)]


async def test_what_has_been_read_already_is_not_sent_again() -> None:
    async with connected(ALog()) as there:
        there.commit_unheard(2)
        there.socket.fall_behind(2)
        await settle()
        there.hub.deliver([emitted(1), emitted(2)])
        await settle()
        assert there.numbers() == [1, 2]
        there.commit()
        await settle()
        assert there.numbers() == [1, 2, 3]
        assert there.log.readings == 1


async def test_a_range_that_is_known_in_part_is_not_repeated() -> None:
    async with connected(ALog()) as there:
        there.commit_unheard(2)
        there.socket.fall_behind(2)
        await settle()
        there.log.newest = 4
        there.hub.deliver([emitted(seq) for seq in (2, 3, 4)])
        await settle()
        assert there.ranges() == [(1, 2), (3, 4)]


async def test_a_position_that_is_behind_changes_nothing() -> None:
    async with connected(ALog()) as there:
        there.commit(2)
        there.socket.fall_behind(1)
        await settle()
        assert there.log.readings == 0


async def test_a_log_that_moved_on_is_said() -> None:
    async with connected(ALog()) as there:
        there.log.newest = there.log.floor = 10
        there.socket.fall_behind(10)
        await settle()
        there.commit()
        assert there.line.contents()[1:] == [
            {"t": "reset", "reason": "log_too_old"},
            {"t": "events", "from": 11, "to": 11, "cursor": "11", "events": [json.loads(raw(event(11)))]},
        ]


def raw(one: events.Event) -> bytes:
    return msgspec.json.encode(one)


async def test_the_newest_notice_goes_before_what_waits() -> None:
    async with connected(ALog()) as there:
        there.line.writable.clear()
        there.commit()
        await there.line.waiting.wait()
        there.commit()
        for number in (1, 2):
            there.hub.tell_everyone(text_frame(b'{"t":"ephemeral","kind":"%d"}' % number))
        there.line.writable.set()
        await settle()
        kinds = [each.get("kind", each.get("to")) for each in there.line.contents()[1:]]
        assert kinds == [1, "2", 2]


async def test_ephemerals_do_not_move_the_position() -> None:
    async with connected(ALog()) as there:
        there.commit(2)
        there.hub.tell(1, text_frame(b'{"t":"ephemeral","kind":"typing"}'))
        await settle()
        there.commit_unheard()
        there.socket.fall_behind(3)
        await settle()
        assert there.numbers() == [1, 2, 3]


async def test_ephemerals_are_dropped_first() -> None:
    async with connected(ALog()) as there:
        there.line.writable.clear()
        there.commit()
        await there.line.waiting.wait()
        for _ in range(1000):
            there.hub.tell(1, text_frame(b'{"t":"ephemeral","kind":"typing"}'))
        there.commit()
        there.line.writable.set()
        await settle()
        assert there.numbers() == [1, 2]
        assert 0 < len([each for each in there.line.contents() if each["t"] == "ephemeral"]) < 100


async def test_a_peer_that_takes_nothing_is_cut_and_one_that_does_is_not() -> None:
    async with connected(ALog()) as there:
        now = asyncio.get_running_loop().time()
        there.socket.check(now + 10 * limits.STALL_SECONDS)
        assert there.line.aborted is None
        there.line.writable.clear()
        there.commit()
        await there.line.waiting.wait()
        there.socket.check(now + limits.STALL_SECONDS / 2)
        assert there.line.aborted is None
        there.socket.check(asyncio.get_running_loop().time() + limits.STALL_SECONDS + 1)
        assert there.line.aborted == events.CLOSE_SLOW


async def test_a_peer_that_was_slow_once_is_not_cut_later() -> None:
    async with connected(ALog()) as there:
        there.line.writable.clear()
        there.commit()
        await there.line.waiting.wait()
        there.line.writable.set()
        await settle()
        there.socket.check(asyncio.get_running_loop().time() + 10 * limits.STALL_SECONDS)
        assert there.line.aborted is None


@pytest.mark.parametrize("busy", [False, True])
async def test_closing_says_why(busy: bool) -> None:
    async with connected(ALog()) as there:
        if busy:
            there.line.writable.clear()
            there.commit()
            await there.line.waiting.wait()
        there.hub.close_devices(["d1"], events.CLOSE_REVOKED)
        there.line.writable.set()
        await settle()
        assert there.sent == [{"type": "websocket.close", "code": events.CLOSE_REVOKED}]
