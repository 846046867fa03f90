"""The excerpt as a server takes it in: moved in time, and alice's mailbox as it should be."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tui_chat.demo.archive import mailbox
from tui_chat.demo.excerpt import ALICE, Answers, Excerpt, Line, Person, Talk, mentions_alice
from tui_chat.demo.filling import caller_of, fill
from tui_chat.protocol.models import Conversation, Membership
from tui_chat.server.engines.sqlite import SqliteEngine
from tui_chat.server.operations import conversations, messages, settings

NOW = 1_700_000_000_000
DAY = 86_400_000


def small() -> Excerpt:
    """A few conversations of each kind."""
    people = [Person(ALICE), Person("bob"), Person("carol"), Person("Joe-2", "[Joe]|"), Person("xiaolin", "小林")]
    talks = [
        Talk(
            group="ubuntu",
            name="#ubuntu",
            at=[-7200, 60, 7140],
            senders=[3, 0, 3],
            text=["alice: hello", "[Joe]|: hi", "alice: and now?"],
            unread=1,
            pinned=True,
            live=[Line(1, "alice: are you there?"), Line(3, "malice is another word")],
        ),
        Talk(partner=1, at=[-600, 30], senders=[1, 1], text=["so", "well"], unread=2, live=[Line(1, "and then")]),
        Talk(partner=4, at=[-800_000], senders=[0], text=["你好"], chinese=True, muted=True),
        Talk(group="old", name="#old", at=[-20_000_000, 5], senders=[3, 0], text=["a", "b"], ended="left"),
        Talk(group="gone", name="#gone", at=[-10_000_000, 5], senders=[3, 0], text=["c", "d"], ended="dismissed"),
        Talk(group="out", name="#out", at=[-5_000_000, 5], senders=[3, 0], text=["e", "f"], ended="kicked"),
    ]
    return Excerpt(people, Answers(["ok thanks", "not sure"], ["好的。"]), talks)


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[SqliteEngine]:
    """The small excerpt in a database."""
    await fill(tmp_path / "x.sqlite", small(), now=NOW, password_hash="hash")
    engine = await SqliteEngine.open(tmp_path / "x.sqlite", clock=lambda: NOW)
    yield engine
    await engine.close()


async def rows(engine: SqliteEngine) -> dict[str, Conversation]:
    """Alice's list."""
    page = await engine.read(lambda tx: conversations.page(tx, caller_of(tx, ALICE), limit=100))
    return {row.conversation_id: row for row in page.conversations}


def test_the_newest_is_now_and_the_rest_keeps_its_distance(excerpt: Excerpt) -> None:
    times = [message.time for message in mailbox(excerpt, now=NOW).archive.messages]
    assert max(times) == NOW
    assert min(times) >= NOW - 730 * DAY
    later = mailbox(excerpt, now=NOW + 5_000).archive.messages
    assert [message.time - 5_000 for message in later] == times


def test_groups_are_made_before_their_first_message(excerpt: Excerpt) -> None:
    archive = mailbox(excerpt, now=NOW).archive
    first: dict[str, int] = {}
    for message in archive.messages:
        if message.in_group:
            first.setdefault(message.to, message.time)
    for group in archive.groups:
        assert group.time < first[group.group_id]
        assert ALICE in group.members
        assert len(set(group.members)) == len(group.members)


def test_departures_are_in_order_and_not_in_the_future(excerpt: Excerpt) -> None:
    departures = mailbox(excerpt, now=NOW).departures
    assert departures == sorted(departures)
    assert all(departure.time <= NOW and departure.owner != ALICE for departure in departures)
    assert len(departures) == sum(bool(talk.ended) for talk in excerpt.talks)


def test_a_name_inside_a_word_mentions_nobody() -> None:
    assert mentions_alice("Alice, are you there?")
    assert not mentions_alice("malice is another word")


async def test_the_mailbox_is_as_it_should_be(engine: SqliteEngine) -> None:
    found = await rows(engine)
    assert set(found) == {
        "GROUPubuntu", "C2Cbob", "C2Cxiaolin", "GROUPold", "GROUPgone", "GROUPout", "@TIM#SYSTEM",
    }  # fmt: skip
    ubuntu = found["GROUPubuntu"]
    assert (ubuntu.name, ubuntu.unread_count, ubuntu.pinned, ubuntu.muted) == ("#ubuntu", 1, True, False)
    assert ubuntu.member_count == 4
    assert ubuntu.last_message is not None
    assert (ubuntu.last_message.text, ubuntu.last_message.time) == ("alice: and now?", NOW)
    assert found["C2Cbob"].unread_count == 2
    assert (found["C2Cxiaolin"].name, found["C2Cxiaolin"].muted) == ("小林", True)


async def test_groups_that_ended_ended_in_the_past(engine: SqliteEngine) -> None:
    found = await rows(engine)
    for name, membership in (
        ("GROUPold", Membership.LEFT),
        ("GROUPout", Membership.KICKED),
        ("GROUPgone", Membership.DISMISSED),
    ):
        assert found[name].membership == membership
        newest = found[name].last_message
        assert newest is not None
        assert newest.time < NOW - 10 * DAY
    assert found["@TIM#SYSTEM"].message_count == 2


async def test_sync_is_on_and_alice_is_the_administrator(engine: SqliteEngine) -> None:
    assert (await engine.read(settings.facts)).sync_conversation_deletion
    assert (await engine.read(lambda tx: settings.get(tx, caller_of(tx, ALICE)))).settings.sync_conversation_deletion


async def test_texts_arrive_whole_and_in_order(engine: SqliteEngine) -> None:
    page = await engine.read(lambda tx: messages.page(tx, caller_of(tx, ALICE), "GROUPubuntu"))
    assert [message.text for message in page.messages if not message.tip] == small().talks[0].text
    assert page.messages[-1].nick == "[Joe]|"


async def test_all_of_the_packaged_excerpt_goes_in(excerpt: Excerpt, tmp_path: Path) -> None:
    await fill(tmp_path / "x.sqlite", excerpt, now=NOW, password_hash="hash")
    engine = await SqliteEngine.open(tmp_path / "x.sqlite", clock=lambda: NOW)
    try:
        found: dict[str, Conversation] = {}
        cursor: str | None = None
        while True:
            page = await engine.read(
                lambda tx: conversations.page(tx, caller_of(tx, ALICE), cursor=cursor, limit=100)  # noqa: B023
            )
            found |= {row.conversation_id: row for row in page.conversations}
            cursor = page.next
            if cursor is None:
                break
    finally:
        await engine.close()
    assert len(found) == len(excerpt.talks) + 1
    unread = {talk.group: talk.unread for talk in excerpt.talks if talk.group}
    assert {
        row.conversation_id.removeprefix("GROUP"): row.unread_count for row in found.values() if row.type == "GROUP"
    } == unread
    assert sum(row.pinned for row in found.values()) == sum(talk.pinned for talk in excerpt.talks)
