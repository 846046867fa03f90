"""Back into step over HTTP, with answers as a test wants them."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tests.client.making import Inside, arrived, message, ranged, row
from tui_chat.client.changes import StateReset
from tui_chat.protocol import events
from tui_chat.protocol.errors import TooFrequent, Unexpected
from tui_chat.protocol.models import Conversation, ServerFacts
from tui_chat.protocol.requests import ConversationPage, SyncAnswer

BOB = "C2Cbob"
FACTS = ServerFacts(version="test")


def answer(first: int, last: int, *happened: events.Event, more: bool = False, epoch: str = "e") -> SyncAnswer:
    """Events."""
    raw = [events.raw_event(event) for event in happened]
    return SyncAnswer(first=first, last=last, cursor=f"{epoch}:{last}", events=raw, more=more, server=FACTS)


def snapshot(position: int, *rows: Conversation, reset: Any = "epoch", following: str | None = None) -> SyncAnswer:
    """The state."""
    return SyncAnswer(cursor=f"f:{position}", reset=reset, conversations=list(rows), next=following, server=FACTS)


class Server:
    """Answers in order; something may happen while an answer is on its way."""

    def __init__(self, *answers: SyncAnswer | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[str | None] = []
        self.pages: dict[str | None, ConversationPage] = {}
        self.meanwhile: Callable[[], object] = lambda: None

    async def sync(self, cursor: str | None, *, limit: int | None = None) -> SyncAnswer:
        self.asked.append(cursor)
        self.meanwhile()
        found = self.answers.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    async def conversations(self, cursor: str | None) -> ConversationPage:
        return self.pages[cursor]


class Made(Inside):
    """With a way back into step."""

    def __init__(self, server: Server, *rows: Conversation):
        super().__init__(*rows)
        self.catch_up = self.catching_up_with(server)


async def test_it_goes_on_until_there_is_no_more() -> None:
    server = Server(answer(11, 11, arrived(11, BOB, 5), more=True), answer(12, 12, arrived(12, BOB, 6)))
    made = Made(server, row(BOB, 4))
    await made.catch_up.run()
    assert server.asked == ["e:10", "e:11"]
    assert made.state.shown[BOB].newest_seq == 6


async def test_what_the_socket_told_of_while_an_answer_was_on_its_way_is_asked_for_as_well() -> None:
    server = Server(answer(11, 11, arrived(11, BOB, 5)), answer(12, 14, arrived(14, BOB, 6)))
    made = Made(server, row(BOB, 4))
    server.meanwhile = lambda: made.catch_up.saw(14)
    await made.catch_up.run()
    assert made.state.position == 14


async def test_a_number_that_the_log_does_not_have_ends_it() -> None:
    server = Server(answer(11, 10))
    made = Made(server, row(BOB, 4))
    made.catch_up.saw(99)
    await made.catch_up.run()
    assert server.asked == ["e:10"]


async def test_a_snapshot_of_many_pages_replaces_everything_and_goes_on_behind_it() -> None:
    server = Server(snapshot(20, row(BOB, 4), following="p2"), answer(21, 22, arrived(22, BOB, 5), epoch="f"))
    server.pages["p2"] = ConversationPage(conversations=[row("C2Ccarol", 1)], next="p3")
    server.pages["p3"] = ConversationPage(conversations=[row("C2Cdave", 1)], next=None)
    made = Made(server, row("C2Cgone", 3))
    made.store.history.add("C2Cgone", [message("C2Cgone", 3)])
    made.store.history.add(BOB, [message(BOB, 4)])
    await made.catch_up.run()
    await asyncio.sleep(0)
    assert set(made.state.shown) == {BOB, "C2Ccarol", "C2Cdave"}
    assert made.state.position == 22
    assert isinstance(made.changes[0], StateReset)
    assert made.store.history.tail("C2Cgone", 9) == []
    assert [one.message_seq for one in made.store.history.tail(BOB, 9)] == [5], "another epoch: nothing old is kept"


async def test_where_the_log_was_too_old_history_is_kept_above_the_watermarks() -> None:
    server = Server(
        snapshot(20, row(BOB, 4), row("C2Ccarol", 4, cleared_through=3), reset="log_too_old"), answer(21, 20, epoch="f")
    )
    made = Made(server, row(BOB, 4), row("C2Ccarol", 3))
    made.store.history.add(BOB, [message(BOB, 4)])
    made.store.history.add("C2Ccarol", [message("C2Ccarol", 3), message("C2Ccarol", 4)])
    await made.catch_up.run()
    assert [one.message_seq for one in made.store.history.tail(BOB, 9)] == [4]
    assert [one.message_seq for one in made.store.history.tail("C2Ccarol", 9)] == [4]


@pytest.mark.parametrize(("cursor", "left"), [("e:20", [4]), ("f:20", [])])
async def test_a_reload_keeps_history_but_not_that_of_another_epoch(cursor: str, left: list[int]) -> None:
    server = Server(
        msgspec.structs.replace(snapshot(20, row(BOB, 4)), cursor=cursor),
        answer(21, 20, epoch=cursor.partition(":")[0]),
    )
    made = Made(server, row(BOB, 4))
    made.store.history.add(BOB, [message(BOB, 4)])
    await made.catch_up.reload()
    assert [one.message_seq for one in made.store.history.tail(BOB, 9)] == left


async def test_a_snapshot_is_left_where_the_socket_has_brought_what_it_was_asked_for() -> None:
    late = msgspec.structs.replace(snapshot(12, row(BOB, 4), reset="log_too_old"), cursor="e:12")
    server = Server(late, answer(14, 13))
    made = Made(server, row(BOB, 4))
    server.meanwhile = lambda: made.receiver.receive(ranged(11, arrived(11, BOB, 5), last=13))
    await made.catch_up.run()
    assert (made.state.cursor, made.state.shown[BOB].newest_seq) == ("e:13", 5)
    assert server.asked == ["e:10", "e:13"]


async def test_asked_too_often_it_waits_and_does_not_begin_anew() -> None:
    server = Server(
        answer(11, 11, arrived(11, BOB, 5), more=True),
        TooFrequent(retry_after=0.0),
        answer(12, 12, arrived(12, BOB, 6)),
    )
    made = Made(server, row(BOB, 4))
    await made.catch_up.run()
    assert server.asked == ["e:10", "e:11", "e:11"]


async def test_who_waits_for_a_position_is_woken_by_a_reset_as_well() -> None:
    server = Server(snapshot(3, row(BOB, 4)), answer(4, 3, epoch="f"))
    made = Made(server, row(BOB, 4))
    waiting = asyncio.create_task(made.catch_up.arrival(50))
    await asyncio.sleep(0)
    await made.catch_up.run()
    async with asyncio.timeout(5):
        await waiting


@pytest.mark.parametrize(
    "broken",
    [
        answer(15, 16, arrived(15, BOB, 5)),
        SyncAnswer(first=11, last=11, cursor="e:11", events=[msgspec.Raw(b'{"kind":"message.new"}')], server=FACTS),
    ],
)
async def test_an_answer_that_makes_no_sense_is_said_and_changes_nothing(broken: SyncAnswer) -> None:
    made = Made(Server(broken), row(BOB, 4))
    with pytest.raises(Unexpected):
        await made.catch_up.run()
    assert made.state.position == 10
