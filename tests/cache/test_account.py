"""What is particular to the store on disk: who may read it, what a damaged one becomes, what comes after its end."""

import asyncio
import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cache.samples import abandon, every_byte, message, messages, row, seqs, span
from tui_chat.cache.account import AccountCache
from tui_chat.cache.files import disk_errors
from tui_chat.cache.journal import JournalStorage
from tui_chat.cache.store import CacheError, Closed, Locked, NewerFormat

BOB = "C2Cuser7"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "caches" / "account"


def _journal(directory: Path) -> Path:
    return directory / "account.journal"


def test_only_its_owner_can_read_it_and_no_name_tells_who_talks(directory: Path) -> None:
    directory.mkdir(parents=True, mode=0o755)
    with_umask = AccountCache.open(directory)
    with_umask.save(upsert=[row(7)], cursor="e:1")
    with_umask.history.add(BOB, messages(BOB, 1, 3))
    with_umask.outbox.remove(with_umask.outbox.add({}))
    with_umask.close()
    paths = [directory, *directory.rglob("*")]
    expected = {"lock", "account.journal", "account.journal.bak", "account.head", "history"}
    assert {path.name for path in directory.iterdir()} == expected
    assert all(stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600) for path in paths)
    assert not any("user7" in path.name or "C2C" in path.name for path in paths)


def test_a_damaged_file_comes_from_the_backup(directory: Path) -> None:
    cache = AccountCache.open(directory)
    cache.save(upsert=[row(1)], cursor="e:1")
    cache.history.add(BOB, messages(BOB, 1, 3))
    cache.close()
    data = bytearray(_journal(directory).read_bytes())
    data[30] ^= 1
    _journal(directory).write_bytes(data)
    again = AccountCache.open(directory)
    assert again.recovered == "backup"
    assert (again.cursor, again.conversations()) == ("e:1", {"C2Cuser1": row(1)})
    assert seqs(again.history.tail(BOB, 5)) == [1, 2, 3]
    again.close()


def test_without_a_backup_it_begins_anew_and_nothing_that_was_to_go_stays(directory: Path) -> None:
    cache = AccountCache.open(directory)
    cache.save(upsert=[row(1)], cursor="e:1")
    cache.history.add(BOB, messages(BOB, 1, 3))
    cache.close()
    for path in directory.glob("account.journal*"):
        path.write_bytes(b"\0" * 100)
    again = AccountCache.open(directory)
    assert again.recovered == "rebuilt"
    assert (again.cursor, again.conversations()) == (None, {})
    assert again.history.tail(BOB, 5) == []
    assert list((directory / "history").iterdir()) == []
    again.close()


def test_a_damaged_history_file_is_fetched_again(directory: Path) -> None:
    cache = AccountCache.open(directory)
    for name in (BOB, "C2Cuser1"):
        cache.history.add(name, messages(name, 1, 3))
    cache.close()
    for path in (directory / "history").iterdir():
        path.write_bytes(b"\xff" + path.read_bytes()[1:])
    again = AccountCache.open(directory)
    assert again.recovered is None
    assert span(again.history, BOB) is None
    again.history.add(BOB, messages(BOB, 2, 3))
    assert span(again.history, BOB) == (2, 3)
    again.close()


@pytest.mark.parametrize(
    ("orderly", "boot", "kept"),
    [(True, "second", True), (False, "first", True), (False, "second", False)],
    ids=["closed", "killed", "power cut"],
)
def test_history_is_trusted_unless_the_machine_stopped_under_it(
    directory: Path, orderly: bool, boot: str, kept: bool
) -> None:
    cache = AccountCache.open(directory, boot="first")
    cache.save(upsert=[row(7)], cursor="e:1")
    cache.history.add(BOB, messages(BOB, 1, 3))
    if orderly:
        cache.close()
    else:
        asyncio.run(cache.flush())
        abandon(cache)
    again = AccountCache.open(directory, boot=boot)
    assert again.cursor == "e:1"
    assert span(again.history, BOB) == ((1, 3) if kept else None)
    again.history.add(BOB, messages(BOB, 1, 4))
    again.close()
    last = AccountCache.open(directory, boot="third")
    assert span(last.history, BOB) == (1, 4)
    last.close()


def test_the_mark_that_history_is_being_written_is_on_the_disk_first(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = AccountCache.open(directory, boot="first")
    cache.save(cursor="e:1")
    asyncio.run(cache.flush())
    synced: list[bool] = []
    monkeypatch.setattr(os, "fsync", lambda _: synced.append(b'"unsettled"' in _journal(directory).read_bytes()))
    cache.history.add(BOB, messages(BOB, 1, 1))
    assert synced[-1:] == [True]
    synced.clear()
    cache.history.add(BOB, messages(BOB, 2, 2))
    assert synced == [], "once a session"
    monkeypatch.undo()
    cache.close()
    cache = AccountCache.open(directory, boot="second")
    before = _journal(directory).read_bytes()
    cache.history.tail(BOB, 1)
    cache.close()
    assert _journal(directory).read_bytes() == before, "reading marks nothing"


def test_a_newer_cache_is_refused_left_alone_and_let_go(directory: Path) -> None:
    directory.mkdir(parents=True)
    newer = JournalStorage(_journal(directory), version=9)
    newer.put("conversations", "x", {"unheard": "of"})
    newer.close()
    before = _journal(directory).read_bytes()
    for _ in range(2):
        with pytest.raises(NewerFormat, match="format 9"):
            AccountCache.open(directory)
    assert _journal(directory).read_bytes() == before


def test_two_at_once_are_refused_and_the_second_may_come_later(directory: Path) -> None:
    first = AccountCache.open(directory)
    with pytest.raises(Locked):
        AccountCache.open(directory)
    first.close()
    AccountCache.open(directory).close()


def test_what_cannot_be_made_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CacheError, match="cannot be used: Not a directory"):
        AccountCache.open(tmp_path / "file" / "account")


def test_where_nothing_may_be_written_it_is_said_where_and_what_to_do() -> None:
    said = r"Read-only file system \(/home/alice/lock\): make .* XDG_CACHE_HOME"
    with pytest.raises(CacheError, match=said), disk_errors():
        raise OSError(errno.EROFS, "Read-only file system", "/home/alice/lock")


def test_few_history_files_are_open_at_once(directory: Path) -> None:
    cache = AccountCache.open(directory)
    before = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").is_dir() else 0
    for number in range(100):
        cache.history.add(f"C2Cuser{number}", [message(f"C2Cuser{number}", 1)])
    after = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").is_dir() else 0
    assert after - before <= 17, "16, and the account's own"
    assert all(span(cache.history, f"C2Cuser{number}") == (1, 1) for number in range(100))
    cache.close()


def test_a_write_costs_the_same_in_a_large_account(directory: Path) -> None:
    written = []
    cache = AccountCache.open(directory, keep=1_000)
    for number in (100, 5_000):
        cache.replace([row(each) for each in range(100_000, 100_000 + number)], "e:1")
        before = _journal(directory).stat().st_size
        cache.save(upsert=[row(100_050, text="changed")], cursor="e:2")
        written.append(_journal(directory).stat().st_size - before)
    assert written[0] == written[1]
    cache.close()


@pytest.mark.parametrize(
    "late",
    [
        lambda cache: cache.set_draft(BOB, "too late"),
        lambda cache: cache.set_preference("width", 3),
        lambda cache: cache.save(upsert=[row(7)], messages=[message(BOB, 9)], cursor="e:9", clear={BOB: 9}),
        lambda cache: cache.replace([row(8)], "e:9", keep_history=False),
        lambda cache: cache.outbox.add({"text": "too late"}),
        lambda cache: cache.history.tail(BOB, 9),
        lambda cache: cache.history.add(BOB, [message(BOB, 9)]),
        lambda cache: cache.history.clear_through(BOB, 2),
        lambda cache: asyncio.run(cache.flush()),
        lambda cache: asyncio.run(cache.purge()),
    ],
)
def test_what_comes_after_the_end_is_refused_since_another_may_have_it(
    directory: Path, late: Callable[[AccountCache], object]
) -> None:
    cache = AccountCache.open(directory)
    cache.history.add(BOB, messages(BOB, 1, 3))
    cache.save(upsert=[row(7)], cursor="e:1")
    cache.close()
    before = every_byte(directory)
    with pytest.raises(Closed, match="is closed"):
        late(cache)
    cache.close()
    assert every_byte(directory) == before


def test_a_version_is_told_without_opening_a_file_to_know_it(directory: Path) -> None:
    cache = AccountCache.open(directory)
    cache.history.add(BOB, [message(BOB, 1, version=3)])
    assert cache.history.version_at_hand(BOB, 1) == 3, "its file is open"
    cache.save(messages=[message(BOB, 1, version=5), message(BOB, 2, version=2)], cursor="e:2")
    assert [cache.history.version_at_hand(BOB, seq) for seq in (1, 2, 3)] == [5, 2, 0], "what waits counts"
    cache.save(clear={BOB: 1}, upsert=[row(7)])
    assert [cache.history.version_at_hand(BOB, seq) for seq in (1, 2)] == [0, 2], "what is to be cleared is not held"
    cache.close()
    cache = AccountCache.open(directory)
    opened = len(cache.history._shelves)
    assert cache.history.version_at_hand(BOB, 2) == 2
    assert len(cache.history._shelves) == opened
    cache.close()
