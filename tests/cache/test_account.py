"""What is particular to the store on disk: who may read it, what leaves no trace, what a damaged one becomes."""

import asyncio
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cache.samples import abandon, every_byte, message, messages, rewriting_held_up, row, seqs, span
from tui_chat.cache.account import AccountCache
from tui_chat.cache.journal import JournalStorage
from tui_chat.cache.store import CacheError, Closed, Locked, NewerFormat

BOB = "C2Cuser7"
SECRET = "xyzzy-plugh"


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


async def _with_secrets(directory: Path) -> AccountCache:
    """A cache with a secret in each place where one can be, of which the present state has none."""
    cache = AccountCache.open(directory)
    other = [message("C2Cuser1", seq, text=f"harmless {seq}") for seq in (1, 2)]
    cache.history.add("C2Cuser1", other)
    cache.history.add(BOB, [message(BOB, 1, text=SECRET)])
    cache.history.add(BOB, messages(BOB, 2, 9))
    cache.save(upsert=[row(7, text=SECRET), row(1)], cursor="e:1")
    cache.set_draft(BOB, SECRET)
    number = cache.outbox.add({"text": SECRET})
    await cache._storage.compact()
    cache.save(upsert=[row(7, text=SECRET + " once more")], cursor="e:2")
    await cache.flush()
    assert every_byte(directory).count(SECRET.encode()) >= 8
    cache.set_draft(BOB, "")
    cache.outbox.remove(number)
    return cache


async def test_a_purge_leaves_no_byte_of_what_was_said(directory: Path) -> None:
    cache = await _with_secrets(directory)
    cache.save(remove=[BOB], clear={BOB: 9}, cursor="e:3")
    await cache.purge()
    assert SECRET.encode() not in every_byte(directory)
    assert seqs(cache.history.tail("C2Cuser1", 5)) == [1, 2]
    cache.close()
    assert SECRET.encode() not in every_byte(directory)


async def test_a_purge_keeps_what_is_above_the_watermark(directory: Path) -> None:
    cache = await _with_secrets(directory)
    cache.save(upsert=[row(7, text="newer")], clear={BOB: 5}, cursor="e:3")
    await cache.purge()
    assert SECRET.encode() not in every_byte(directory)
    assert span(cache.history, BOB) == (6, 9)
    cache.close()


async def test_what_a_crash_kept_from_being_purged_is_purged_by_opening(directory: Path) -> None:
    cache = await _with_secrets(directory)
    cache.save(remove=[BOB], clear={BOB: 9}, cursor="e:3")
    abandon(cache)
    assert SECRET.encode() in every_byte(directory)
    again = AccountCache.open(directory)
    assert SECRET.encode() not in every_byte(directory)
    assert again.history.tail(BOB, 5) == []
    assert again.cursor == "e:3"
    again.close()


async def test_a_purge_that_was_asked_for_during_one_is_not_forgotten(directory: Path) -> None:
    cache = await _with_secrets(directory)
    cache.history.add("C2Cuser1", [message("C2Cuser1", 3, text="second secret")])
    cache.save(remove=[BOB], clear={BOB: 9})
    purging = asyncio.create_task(cache.purge())
    await asyncio.sleep(0)
    cache.save(remove=["C2Cuser1"], clear={"C2Cuser1": 3})
    await purging
    await cache.purge()
    assert b"second secret" not in every_byte(directory)
    assert b"harmless" not in every_byte(directory)
    cache.close()


async def test_a_purge_asked_for_again_while_the_first_ends_survives_a_crash(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = await _with_secrets(directory)
    cache.save(clear={BOB: 9})
    compact = cache._storage.compact

    async def and_then_more() -> None:
        await compact()
        cache.history.add(BOB, [message(BOB, 8, text="second secret")])
        cache.save(clear={BOB: 9})

    monkeypatch.setattr(cache._storage, "compact", and_then_more)
    await cache.purge()
    abandon(cache)
    assert b"second secret" in every_byte(directory)
    AccountCache.open(directory).close()
    assert b"second secret" not in every_byte(directory)


async def test_many_conversations_are_purged_while_others_are_read(directory: Path) -> None:
    cache = AccountCache.open(directory)
    names = [f"C2Cuser{number}" for number in range(300)]
    for name in names:
        cache.history.add(name, [message(name, 1, text=SECRET)])
    cache.save(clear=dict.fromkeys(names[:250], 1))
    purging = asyncio.create_task(cache.purge())
    while not purging.done():
        assert not any(cache.history.tail(name, 1) for name in names[:250:7])
        assert all(cache.history.tail(name, 1) for name in names[250::7])
        await asyncio.sleep(0)
    await purging
    assert every_byte(directory).count(SECRET.encode()) == 50
    cache.close()


async def test_a_purge_that_is_given_up_leaves_no_thread_that_writes(directory: Path) -> None:
    cache = await _with_secrets(directory)
    cache.save(remove=[BOB], clear={BOB: 9})
    with rewriting_held_up(cache) as held_up:
        purging = asyncio.create_task(cache.purge())
        await asyncio.to_thread(held_up.writing.wait, 10)
        purging.cancel()
        await asyncio.sleep(0)
        assert not purging.done(), "it waits for what it began"
        held_up.go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await purging
    assert b".next" not in every_byte(directory)
    await cache.purge()
    assert SECRET.encode() not in every_byte(directory)
    cache.close()


@pytest.mark.parametrize("through", [1, 9], ids=["in part", "whole"])
async def test_what_a_kill_left_of_a_rewritten_history_goes_with_the_purge(directory: Path, through: int) -> None:
    cache = await _with_secrets(directory)
    for path in list((directory / "history").iterdir()):
        path.with_name(f"{path.name}.tmp").write_bytes(path.read_bytes())
    abandon(cache)
    again = AccountCache.open(directory)
    again.save(upsert=[row(7, text="newer")], clear={BOB: through})
    await again.purge()
    assert SECRET.encode() not in every_byte(directory)
    again.close()


@pytest.mark.parametrize("crash", [False, True], ids=["in one session", "over a crash"])
@pytest.mark.parametrize("end", ["purge", "close", "open"])
async def test_a_message_that_was_queued_during_the_purge_leaves_no_byte_once_it_is_out(
    directory: Path, crash: bool, end: str
) -> None:
    cache = AccountCache.open(directory)
    first, second = cache.outbox.add_many([{"text": SECRET}, {"text": "still to be sent"}])
    cache.save(clear={BOB: 9})
    await cache.purge()
    assert every_byte(directory).count(SECRET.encode()) == 2, "it is still to be sent"
    assert not cache.purge_due
    if crash:
        abandon(cache)
        cache = AccountCache.open(directory)
    cache.outbox.remove(first)
    assert cache.purge_due, "although another command waits"
    if end == "purge":
        await cache.purge()
    elif end == "close":
        cache.close()
    else:
        await cache.flush()
        abandon(cache)
    if end != "purge":
        cache = AccountCache.open(directory)
    assert SECRET.encode() not in every_byte(directory)
    assert cache.outbox.all() == [(second, {"text": "still to be sent"})]
    assert not cache.purge_due
    later = cache.outbox.add({"text": "queued since"})
    cache.outbox.remove(second)
    await cache.purge()
    cache.outbox.remove(later)
    before = _journal(directory).stat().st_ino
    assert not cache.purge_due, "a busy queue does not have the file rewritten for ever"
    await cache.purge()
    assert _journal(directory).stat().st_ino == before
    cache.close()


@pytest.mark.parametrize("again", [False, True], ids=["cleared", "sent later"])
async def test_a_message_that_goes_while_the_file_is_rewritten_without_it_leaves_no_byte(
    directory: Path, again: bool
) -> None:
    cache = AccountCache.open(directory)
    number = cache.outbox.add({"text": SECRET})
    if again:
        other = cache.outbox.add({"text": "went before"})
        cache.save(clear={BOB: 9})
        await cache.purge()
        cache.outbox.remove(other)
    else:
        cache.save(clear={BOB: 9})
    with rewriting_held_up(cache) as held_up:
        purging = asyncio.create_task(cache.purge())
        await asyncio.to_thread(held_up.writing.wait, 10)
        cache.outbox.remove(number)
        held_up.go_on.set()
        await purging
    assert cache.purge_due
    await cache.purge()
    assert SECRET.encode() not in every_byte(directory)
    assert not cache.purge_due
    cache.close()


def test_a_purge_costs_nothing_where_nothing_is_to_do(directory: Path) -> None:
    cache = AccountCache.open(directory)
    cache.save(upsert=[row(1)])
    before = _journal(directory).stat()
    asyncio.run(cache.purge())
    assert _journal(directory).stat() == before
    cache.close()


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
