"""No room: everything stays as it was, one kind of exception says so, and with room again all goes on."""

import asyncio
import errno
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.cache.samples import abandon, every_byte, messages, row, span
from tui_chat.cache.account import AccountCache
from tui_chat.cache.store import CacheError, DiskFull

BOB = "C2Cbob"


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file of this process can grow beyond so many bytes: the kernel writes a part of the line, then refuses."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "account"


def _length(directory: Path) -> int:
    return (directory / "account.journal").stat().st_size


def test_what_could_not_be_saved_is_written_with_the_next_save(directory: Path) -> None:
    cache = AccountCache.open(directory)
    cache.save(upsert=[row(1), row(2)], cursor="e:1")
    length = _length(directory)
    with room_for(length + 20):
        with pytest.raises(DiskFull, match="disk is full"):
            cache.save(upsert=[row(3)], remove=["C2Cuser1"], cursor="e:2")
        with pytest.raises(DiskFull):
            cache.save(upsert=[row(2, text="newer")], cursor="e:3")
        with pytest.raises(DiskFull):
            asyncio.run(cache.flush())
    assert _length(directory) == length, "half a line does not stay"
    cache.save(cursor="e:4")
    expected = {"C2Cuser2": row(2, text="newer"), "C2Cuser3": row(3)}
    assert cache.conversations() == expected
    asyncio.run(cache.flush())
    abandon(cache)
    again = AccountCache.open(directory)
    assert (again.cursor, again.conversations(), again.recovered) == ("e:4", expected, None)
    again.close()


def test_flushing_writes_what_waits(directory: Path) -> None:
    cache = AccountCache.open(directory)
    cache.save(upsert=[row(1)], cursor="e:1")
    with room_for(_length(directory)), pytest.raises(DiskFull):
        cache.save(upsert=[row(2)], cursor="e:2")
    asyncio.run(cache.flush())
    abandon(cache)
    again = AccountCache.open(directory)
    assert (again.cursor, set(again.conversations())) == ("e:2", {"C2Cuser1", "C2Cuser2"})
    again.close()


def test_a_crash_before_there_is_room_leaves_rows_and_cursor_of_before(directory: Path) -> None:
    cache = AccountCache.open(directory)
    cache.save(upsert=[row(1)], cursor="e:1")
    with room_for(_length(directory) + 30), pytest.raises(DiskFull):
        cache.save(upsert=[row(2)], cursor="e:2")
    abandon(cache)
    again = AccountCache.open(directory)
    assert (again.cursor, set(again.conversations()), again.recovered) == ("e:1", {"C2Cuser1"}, None)
    again.close()


def test_a_command_that_found_no_room_is_not_in_the_queue(directory: Path) -> None:
    cache = AccountCache.open(directory)
    first = cache.outbox.add({"n": 1})
    with room_for(_length(directory) + 20):
        with pytest.raises(DiskFull):
            cache.outbox.add_many([{"n": 2}, {"n": 3}])
        with pytest.raises(DiskFull):
            cache.outbox.update(first, {"n": "changed"})
        assert cache.outbox.all() == [(first, {"n": 1})]
    second = cache.outbox.add({"n": 4})
    cache.close()
    again = AccountCache.open(directory)
    assert again.outbox.all() == [(first, {"n": 1}), (second, {"n": 4})]
    again.close()


def test_messages_that_found_no_room_are_not_held(directory: Path) -> None:
    cache = AccountCache.open(directory)
    cache.history.add(BOB, messages(BOB, 1, 3))
    with room_for(900), pytest.raises(DiskFull):
        cache.history.add(BOB, messages(BOB, 4, 30), covers=(4, 99))
    assert span(cache.history, BOB) == (1, 3)
    cache.history.add(BOB, messages(BOB, 4, 5))
    cache.close()
    again = AccountCache.open(directory)
    assert span(again.history, BOB) == (1, 5)
    again.close()


def test_a_purge_that_finds_no_room_is_done_by_the_next(directory: Path) -> None:
    cache = AccountCache.open(directory)
    cache.save(upsert=[row(number, text="xyzzy") for number in range(50)], cursor="e:1")
    cache.history.add(BOB, messages(BOB, 1, 3))
    cache.save(remove=[f"C2Cuser{number}" for number in range(40)], clear={BOB: 3}, cursor="e:2")
    with room_for(100), pytest.raises(DiskFull):
        asyncio.run(cache.purge())
    assert not list(directory.glob("*.next")), "no half file stays"
    assert cache.cursor == "e:2"
    asyncio.run(cache.purge())
    assert every_byte(directory).count(b"xyzzy") == 2 * 10
    cache.close()


def test_what_is_to_be_cleared_goes_with_the_whole_file_where_there_is_no_room_to_write_the_rest(
    directory: Path,
) -> None:
    cache = AccountCache.open(directory)
    cache.save(upsert=[row(1)], cursor="e:1")
    cache.history.add("C2Cuser1", messages("C2Cuser1", 1, 9))
    cache.save(clear={"C2Cuser1": 5})
    with room_for(0):
        assert cache.history.tail("C2Cuser1", 9) == []
    assert b"message 5" not in every_byte(directory)
    cache.history.add("C2Cuser1", messages("C2Cuser1", 6, 9))
    assert span(cache.history, "C2Cuser1") == (6, 9)
    cache.close()


async def test_what_could_not_be_removed_is_not_shown_and_still_to_be_removed(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = AccountCache.open(directory)
    cache.history.add(BOB, messages(BOB, 1, 9))
    cache.save(clear={BOB: 9})

    def refused(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", refused)
        for _ in range(2):
            with pytest.raises(CacheError):
                cache.history.tail(BOB, 9)
            with pytest.raises(CacheError):
                await cache.purge()
    assert cache.history.tail(BOB, 9) == []
    await cache.purge()
    assert b"message 5" not in every_byte(directory)
    cache.close()


def test_a_new_epoch_ends_history_also_where_that_cannot_be_written_down(directory: Path) -> None:
    cache = AccountCache.open(directory)
    cache.save(upsert=[row(1)], cursor="e:1")
    cache.history.add(BOB, messages(BOB, 1, 9))
    with room_for(_length(directory)), pytest.raises(DiskFull):
        cache.replace([row(1)], "f:1", keep_history=False)
    assert cache.history.tail(BOB, 9) == []
    asyncio.run(cache.purge())
    assert b"message 5" not in every_byte(directory)
    cache.close()


def test_a_full_disk_keeps_nobody_from_opening(directory: Path) -> None:
    cache = AccountCache.open(directory)
    cache.save(upsert=[row(1)], cursor="e:1")
    cache.close()
    with room_for(0):
        again = AccountCache.open(directory)
        assert (again.cursor, set(again.conversations())) == ("e:1", {"C2Cuser1"})
        again.close()


def test_a_rewrite_that_finds_no_room_loses_nothing_and_is_not_tried_at_each_change(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = AccountCache.open(directory)
    cache._storage._compact_from = cache._storage._compact_at = 1_000
    attempts = []
    file = cache._storage._file
    write = file._write_image

    def refused(image: bytes, suffix: str) -> None:
        attempts.append(len(image))
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(file, "_write_image", refused)
    monkeypatch.setattr(file, "_write_image", write)
    cache.save(cursor="e:0")
    monkeypatch.setattr(file, "_write_image", refused)
    for number in range(500):
        cache.save(upsert=[row(number % 7)], cursor=f"e:{number}")
    assert 1 <= len(attempts) < 12
    cache._storage._compact_at = 0
    with pytest.raises(DiskFull):
        cache._storage.flush_now()
    monkeypatch.setattr(file, "_write_image", write)
    cache.close()
    again = AccountCache.open(directory)
    assert (again.cursor, len(again.conversations())) == ("e:499", 7)
    again.close()


async def test_a_rewrite_in_another_thread_that_finds_no_room_is_not_tried_at_each_flush(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = AccountCache.open(directory)
    cache.save(cursor="e:0")
    cache._storage._compact_from = cache._storage._compact_at = 1_000
    attempts = []

    def refused(image: bytes, suffix: str) -> None:
        attempts.append(len(image))
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(cache._storage._file, "_write_image", refused)
        for number in range(500):
            cache.save(upsert=[row(number % 7)], cursor=f"e:{number}")
            with suppress(DiskFull):
                await cache.flush()
    assert 1 <= len(attempts) < 12
    cache.close()
    again = AccountCache.open(directory)
    assert (again.cursor, len(again.conversations())) == ("e:499", 7)
    again.close()


def test_a_failed_fsync_is_told_and_everything_is_written_anew(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = AccountCache.open(directory)
    cache.save(upsert=[row(1)], cursor="e:1")
    inode = (directory / "account.journal").stat().st_ino
    with monkeypatch.context() as patch:

        def broken(descriptor: int) -> None:
            raise OSError(errno.EIO, "Input/output error")

        patch.setattr(os, "fsync", broken)
        cache.save(cursor="e:2")
        with pytest.raises(CacheError, match="Input/output error") as caught:
            asyncio.run(cache.flush())
        assert not isinstance(caught.value, DiskFull)
    asyncio.run(cache.flush())
    assert (directory / "account.journal").stat().st_ino != inode, "what the failed fsync left is not trusted"
    cache.close()
    again = AccountCache.open(directory)
    assert again.cursor == "e:2"
    again.close()


def test_a_command_whose_fsync_failed_is_not_in_the_queue(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = AccountCache.open(directory)
    first = cache.outbox.add({"n": 1})
    with monkeypatch.context() as patch:

        def full(descriptor: int) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        patch.setattr(os, "fsync", full)
        with pytest.raises(DiskFull):
            cache.outbox.add({"n": 2})
    cache.close()
    again = AccountCache.open(directory)
    assert again.outbox.all() == [(first, {"n": 1})]
    again.close()


def test_half_a_line_that_cannot_be_cut_off_is_followed_by_nothing(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = AccountCache.open(directory)
    cache.save(upsert=[row(1)], cursor="e:1")
    with monkeypatch.context() as patch:

        def broken(descriptor: int, length: int) -> None:
            raise OSError(errno.EIO, "Input/output error")

        patch.setattr(os, "ftruncate", broken)
        with room_for(_length(directory) + 20), pytest.raises(CacheError):
            cache.save(upsert=[row(2)], cursor="e:2")
    cache.save(upsert=[row(3)], cursor="e:3")
    abandon(cache)
    again = AccountCache.open(directory)
    assert again.recovered is None
    assert (again.cursor, set(again.conversations())) == ("e:3", {"C2Cuser1", "C2Cuser2", "C2Cuser3"})
    again.close()
