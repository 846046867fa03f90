"""A cache that was damaged on the disk: repaired from its backup or rebuilt from the server, and the person is told."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.client.sessions import Sessions, Watched, eventually, texts
from tui_chat.client.changes import Notice

BOB = "C2Cbob"


def _damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x10
    path.write_bytes(data)


def _base_of_the_journal(cache: Path) -> None:
    journal = cache / "account.journal"
    data = bytearray(journal.read_bytes())
    data[journal.with_name("account.journal.bak").stat().st_size - 10] ^= 0x10
    journal.write_bytes(data)


def _journal_and_backup(cache: Path) -> None:
    for name in ("account.journal", "account.journal.bak"):
        (cache / name).write_bytes(b"\0" * 200)


def _history(cache: Path) -> None:
    for path in (cache / "history").iterdir():
        _damage(path)


async def _away(sessions: Sessions, cache: Path) -> tuple[Watched, Watched]:
    """alice, who has gone, and bob, who wrote to her before and after."""
    alice = await sessions.register("alice", cache=cache)
    bob = await sessions.register("bob", device="desk")
    for text in ("one", "two"):
        await bob.session.send_message("C2Calice", text)
    await eventually(lambda: texts(alice.session.cached_tail(BOB)) == ["one", "two"])
    alice.session.set_draft(BOB, "a draft")
    await alice.session.close()
    await bob.session.send_message("C2Calice", "three")
    return alice, bob


@pytest.mark.parametrize(
    ("damage", "told", "draft"),
    [
        (_base_of_the_journal, "cache_from_backup", "a draft"),
        (_journal_and_backup, "cache_rebuilt", ""),
        (_history, None, "a draft"),
    ],
    ids=["the journal", "the journal and its backup", "history"],
)
async def test_what_is_damaged_comes_back_and_the_person_is_told(
    sessions: Sessions, tmp_path: Path, damage: Callable[[Path], None], told: str | None, draft: str
) -> None:
    cache = tmp_path / "alice"
    alice, bob = await _away(sessions, cache)
    damage(cache)
    again = await sessions.again(alice, cache=cache)
    if told is not None:
        notice = await again.sees(Notice)
        assert notice.what == told
    assert again.session.conversations[BOB].unread_count == 3
    assert texts((await again.session.history(BOB)).messages) == ["one", "two", "three"]
    assert again.session.draft(BOB) == draft
    await bob.session.send_message("C2Calice", "four")
    await eventually(lambda: texts(again.session.cached_tail(BOB)) == ["one", "two", "three", "four"])
    assert len(again.of(Notice)) == (told is not None)
    last = await sessions.again(again, cache=cache)
    assert texts(last.session.cached_tail(BOB)) == ["one", "two", "three", "four"]
    assert last.of(Notice) == [], "repaired"
