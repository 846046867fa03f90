"""A session that is shown from the head of its list before its cache is opened."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.client.making import NOWHERE, row
from tui_chat.cache.account import AccountCache
from tui_chat.cache.head import HEAD_ROWS, read_head
from tui_chat.client.changes import Change, StateReset
from tui_chat.client.early import resume_early
from tui_chat.client.interface import Session
from tui_chat.client.problems import AccountInUse
from tui_chat.client.session import ChatSession
from tui_chat.protocol.models import ServerFacts
from tui_chat.protocol.requests import Me

COUNT = 250


@pytest.fixture
def account(tmp_path: Path) -> Path:
    """A cache of more rows than the head has, closed in order."""
    cache = AccountCache.open(tmp_path)
    cache.set_facts(Me(user_id="alice", device_id="d-laptop", device_name="desk", server=ServerFacts(version="1")))
    cache.save(upsert=[row(f"C2Cuser{number}", number) for number in range(1, COUNT + 1)], cursor="e:1")
    cache.set_draft(f"C2Cuser{COUNT}", "half a thought")
    cache.close()
    return tmp_path


@pytest_asyncio.fixture
async def early(account: Path) -> AsyncIterator[Session]:
    """Not started."""
    session = resume_early(NOWHERE, cache_directory=account)
    yield session
    await session.close()


async def test_it_shows_the_first_rows_before_anything_is_opened(early: Session, account: Path) -> None:
    assert not isinstance(early, ChatSession)
    assert list(early.conversations)[:2] == [f"C2Cuser{COUNT}", f"C2Cuser{COUNT - 1}"]
    assert len(early.conversations) == HEAD_ROWS
    assert early.conversation_count == COUNT
    assert dict(early.drafts) == {f"C2Cuser{COUNT}": "half a thought"}
    assert (early.user_id, early.device_name, early.server.version) == ("alice", "desk", "1")
    AccountCache.open(account).close()  # it holds no lock


async def test_once_started_it_is_the_whole_session_and_says_so_first(early: Session, account: Path) -> None:
    told: list[Change] = []
    end = early.subscribe(told.extend)
    await early.start()
    assert isinstance(told[0], StateReset)
    assert len(early.conversations) == early.conversation_count == COUNT
    assert early.draft(f"C2Cuser{COUNT}") == "half a thought"
    assert isinstance(early, ChatSession) is False, "still the same object for whoever holds it"
    assert isinstance(early, Session)
    end()
    told.clear()
    early.set_draft("C2Cuser1", "another")
    await early.close()
    assert not told
    head = read_head(account)
    assert head is not None, "the next start has one again"


async def test_another_process_may_have_opened_it_meanwhile(early: Session, account: Path) -> None:
    other = AccountCache.open(account)
    with pytest.raises(AccountInUse):
        await early.start()
    other.close()


async def test_who_goes_while_it_opens_leaves_it_closed(early: Session, account: Path) -> None:
    starting = asyncio.ensure_future(early.start())
    await asyncio.sleep(0)
    starting.cancel()
    await early.close()
    await asyncio.wait([starting])
    assert read_head(account) is not None
    AccountCache.open(account).close()


async def test_closing_what_was_never_started_touches_nothing(early: Session, account: Path) -> None:
    await early.close()
    assert read_head(account) is not None


@pytest.mark.parametrize("damage", ["missing", "garbage", "older"])
async def test_without_a_good_head_it_is_opened_at_once(account: Path, damage: str) -> None:
    head = account / "account.head"
    if damage == "missing":
        head.unlink()
    elif damage == "garbage":
        head.write_bytes(b"nonsense")
    else:
        old = head.read_bytes()
        cache = AccountCache.open(account)
        cache.save(remove=["C2Cuser7"])
        cache.close()
        head.write_bytes(old)
    session = resume_early(NOWHERE, cache_directory=account)
    assert isinstance(session, ChatSession)
    assert len(session.conversations) == COUNT - (damage == "older")
    await session.close()
