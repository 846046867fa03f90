"""Searching what is on this machine: page by page, each going on where the one before it ended."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from tests.cache.samples import message, row
from tui_chat.cache.account import AccountCache
from tui_chat.client.credentials import StoredCredentials
from tui_chat.client.session import ChatSession
from tui_chat.protocol.models import Message

NOWHERE = StoredCredentials(
    server_url="http://127.0.0.1:9",
    user_id="alice",
    device_id="d",
    device_name="laptop",
    access_token="a",
    refresh_token="r",
    expires_at=2**52,
)
PEOPLE = 30
EACH = 6
Found = tuple[str, int]


def written(number: int, seq: int) -> Message:
    """Everybody in turn, so that the newest of all are one of each."""
    time = seq * PEOPLE + number
    text = f"tea {number} {seq}" if seq < EACH else f"coffee {number}"
    return msgspec.structs.replace(message(f"C2Cuser{number}", seq, text=text), time=time)


@pytest.fixture
async def session(tmp_path: Path) -> AsyncIterator[ChatSession]:
    """alice, without a server, with a few messages of many people."""
    cache = AccountCache.open(tmp_path / "cache")
    for number in range(PEOPLE):
        cache.history.add(f"C2Cuser{number}", [written(number, seq) for seq in range(1, EACH + 1)])
    rows = [row(number, time=EACH * PEOPLE + number) for number in range(PEOPLE)]
    cache.save(upsert=[msgspec.structs.replace(one, newest_seq=EACH) for one in rows], cursor="e:1")
    cache.close()
    async with ChatSession.resume(NOWHERE, cache_directory=tmp_path / "cache") as opened:
        yield opened


@pytest.fixture
def looked_at(session: ChatSession, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The conversations of which messages were read, in order."""
    seen: list[str] = []
    history = session._core.store.history
    for name in ("tail", "before"):
        original = getattr(history, name)

        def reading(conversation_id: str, *rest: int, original: object = original) -> list[Message]:
            seen.append(conversation_id)
            assert callable(original)
            found: list[Message] = original(conversation_id, *rest)
            return found

        monkeypatch.setattr(history, name, reading)
    return seen


def places(found: list[Message]) -> list[Found]:
    return [(one.conversation_id, one.message_seq) for one in found]


def expected(word: str) -> list[Found]:
    """What a look through everything finds."""
    everything = [written(number, seq) for number in range(PEOPLE) for seq in range(1, EACH + 1)]
    hits = [one for one in everything if word in one.text]
    return places(sorted(hits, key=lambda one: one.time, reverse=True))


async def all_pages(session: ChatSession, words: str, *, limit: int) -> list[Found]:
    found: list[Found] = []
    cursor = None
    while True:
        answer = await session.search(words, cursor=cursor, limit=limit)
        assert answer.here_only
        found += places(answer.messages)
        cursor = answer.next
        if cursor is None:
            return found


@pytest.mark.parametrize("limit", [1, 7, 50, 1000])
async def test_the_pages_together_are_everything_the_newest_first(session: ChatSession, limit: int) -> None:
    assert await all_pages(session, "TEA", limit=limit) == expected("tea")
    assert await all_pages(session, "coffee", limit=limit) == expected("coffee")
    assert await all_pages(session, "user", limit=limit) == []


async def test_a_page_looks_no_further_than_it_needs(session: ChatSession, looked_at: list[str]) -> None:
    first = await session.search("coffee", limit=5)
    assert places(first.messages) == expected("coffee")[:5]
    assert len(set(looked_at)) <= 6, "the newest message of each of the others is older"
    looked_at.clear()
    second = await session.search("coffee", cursor=first.next, limit=5)
    assert places(second.messages) == expected("coffee")[5:10]
    assert not set(looked_at) & {one.conversation_id for one in first.messages}


async def test_what_was_looked_at_is_not_looked_through_again(session: ChatSession, looked_at: list[str]) -> None:
    first = await session.search("tea", limit=5)
    assert len(set(looked_at)) == PEOPLE, "each of them may have the newest"
    looked_at.clear()
    await session.search("tea", cursor=first.next, limit=5)
    assert len(set(looked_at)) == 5


async def test_another_search_in_between_changes_nothing_of_what_is_found(session: ChatSession) -> None:
    first = await session.search("tea", limit=8)
    await session.search("coffee", limit=3)
    again = await session.search("tea", cursor=first.next, limit=8)
    assert places(first.messages + again.messages) == expected("tea")[:16]
    twice = await session.search("tea", cursor=first.next, limit=8)
    assert places(twice.messages) == places(again.messages), "a page that is asked for twice is the same"


async def test_what_is_cleared_or_deleted_between_two_pages_is_not_shown(session: ChatSession) -> None:
    first = await session.search("tea", limit=1)
    [(cleared, _), (deleted, _)] = expected("tea")[1:3]
    await session.clear_history([cleared])  # they wait for the server, and hold here at once
    await session.delete_conversation(conversation_id_list=[deleted], clear_history_message=False)
    rest = (await session.search("tea", cursor=first.next, limit=1000)).messages
    assert places(rest) == [one for one in expected("tea")[1:] if one[0] not in (cleared, deleted)]


async def test_a_clock_that_was_set_back_takes_no_message_away(session: ChatSession) -> None:
    late = msgspec.structs.replace(message("C2Cuser3", EACH + 1, text="tea, late"), time=5)
    session._core.store.history.add("C2Cuser3", [late])
    found = await all_pages(session, "tea", limit=1)
    assert sorted(found) == sorted([*expected("tea"), ("C2Cuser3", EACH + 1)])


async def test_of_one_conversation(session: ChatSession) -> None:
    first = await session.search("tea", conversation_id="C2Cuser7", limit=4)
    rest = await session.search("tea", conversation_id="C2Cuser7", cursor=first.next, limit=4)
    assert [one.message_seq for one in first.messages + rest.messages] == [5, 4, 3, 2, 1]
    assert rest.next is None
