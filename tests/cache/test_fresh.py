"""Messages that arrived and are in no file of history yet: nothing of them is lost, kept too long, or in the way."""

import asyncio
from pathlib import Path

import pytest

from tests.cache.samples import abandon, every_byte, message, messages, row, seqs, span
from tests.cache.test_crash import Killed, killed_at
from tests.cache.test_disk_full import room_for
from tui_chat.cache import history
from tui_chat.cache.account import AccountCache

BOB = "C2Cuser7"
CAROL = "C2Cuser8"
SECRET = "xyzzy-plugh"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "account"


def _files(directory: Path) -> int:
    return len(list((directory / "history").glob("*"))) if (directory / "history").exists() else 0


def test_what_arrives_costs_no_file_until_somebody_looks(directory: Path) -> None:
    cache = AccountCache.open(directory)
    cache.save(messages=[*messages(BOB, 1, 3), *messages(CAROL, 1, 2)], cursor="e:5")
    assert _files(directory) == 0
    cache.close()
    again = AccountCache.open(directory)
    assert _files(directory) == 0
    assert again.history.tail(BOB, 9) == messages(BOB, 1, 3)
    assert _files(directory) == 1
    again.save(messages=[message(BOB, 4)], cursor="e:6")
    assert seqs(again.history.before(BOB, 5, 9)) == [1, 2, 3, 4]
    again._storage.compact_now()
    text = (directory / "account.journal").read_bytes()
    assert b"fresh C2Cuser8" in text
    assert b"fresh C2Cuser7" not in text, "once it is in its file it does not stand there as well"
    again.close()
    last = AccountCache.open(directory)
    assert span(last.history, BOB) == (1, 4)
    assert span(last.history, CAROL) == (1, 2)
    last.close()


def test_an_edit_and_its_message_become_one(directory: Path) -> None:
    cache = AccountCache.open(directory)
    cache.history.add(BOB, [message(BOB, 1), message(BOB, 2, version=5, text="newest")])
    cache.save(
        messages=[
            message(BOB, 1, version=2, text="edited"),
            message(BOB, 2, version=4, text="older"),
            message(BOB, 3),
            message(BOB, 3, version=3, text="edited at once"),
            message(BOB, 3, version=2, text="older"),
        ]
    )
    assert [each.text for each in cache.history.tail(BOB, 9)] == ["edited", "newest", "edited at once"]
    cache.close()


def test_no_more_waits_than_it_may_and_the_longest_waiting_go_first(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "FRESH_BYTES", 3_000)
    cache = AccountCache.open(directory)
    names = [f"C2Cuser{number}" for number in range(60)]
    for name in names:
        cache.save(messages=messages(name, 1, 2), cursor=name)
        assert cache._fresh.size <= 3_000
    assert 30 < _files(directory) < 60
    assert names[0] not in cache._fresh
    assert names[-1] in cache._fresh
    abandon(cache)
    again = AccountCache.open(directory)
    assert 1_000 < again._fresh.size <= 3_000
    assert all(span(again.history, name) == (1, 2) for name in names)
    assert again._fresh.size == 0
    again.close()


@pytest.mark.parametrize("read_before", [False, True], ids=["in the journal", "in its file"])
async def test_a_purge_leaves_no_byte_of_what_had_just_arrived(directory: Path, read_before: bool) -> None:
    cache = AccountCache.open(directory)
    secrets = [message(BOB, seq, text=SECRET) for seq in (1, 2)]
    cache.save(upsert=[row(7, text=SECRET), row(8)], messages=[*secrets, *messages(CAROL, 1, 1)], cursor="e:3")
    cache._storage.compact_now()
    cache.save(messages=[message(BOB, 3, text=SECRET)], cursor="e:4")
    if read_before:
        assert seqs(cache.history.tail(BOB, 9)) == [1, 2, 3]
    cache.save(remove=[BOB], clear={BOB: 3}, cursor="e:5")
    assert cache.history.tail(BOB, 9) == []
    await cache.purge()
    assert SECRET.encode() not in every_byte(directory)
    assert span(cache.history, CAROL) == (1, 1)
    cache.close()
    assert SECRET.encode() not in every_byte(directory)


async def test_what_is_above_the_watermark_stays_and_what_comes_after_the_deletion_too(directory: Path) -> None:
    cache = AccountCache.open(directory)
    cache.save(upsert=[row(7), row(8)], messages=[*messages(BOB, 1, 5), *messages(CAROL, 1, 2)], cursor="e:7")
    cache.save(remove=[CAROL], clear={BOB: 3, CAROL: 2}, cursor="e:8")
    cache.save(upsert=[row(8)], messages=[message(CAROL, 3)], cursor="e:9")
    cache.save(clear={CAROL: 2}, cursor="e:10")
    abandon(cache)
    again = AccountCache.open(directory)
    await again.purge()
    assert span(again.history, BOB) == (4, 5)
    assert span(again.history, CAROL) == (3, 3)
    again.close()


def test_a_message_cleared_by_the_range_that_brought_it_leaves_nothing(directory: Path) -> None:
    cache = AccountCache.open(directory)
    cache.save(upsert=[row(7)], messages=[message(BOB, 1, text=SECRET), message(BOB, 2)], clear={BOB: 1}, cursor="e:3")
    abandon(cache)
    assert SECRET.encode() not in every_byte(directory)
    again = AccountCache.open(directory)
    assert span(again.history, BOB) == (2, 2)
    again.close()


def test_a_new_epoch_ends_them(directory: Path) -> None:
    cache = AccountCache.open(directory)
    cache.save(messages=messages(BOB, 1, 5), cursor="e:5")
    cache.replace([row(7)], "f:1", keep_history=False)
    abandon(cache)
    again = AccountCache.open(directory)
    assert span(again.history, BOB) is None
    assert b"message 5" not in every_byte(directory)
    again.close()


def test_a_power_cut_takes_the_files_and_leaves_what_the_cursor_counts(directory: Path) -> None:
    cache = AccountCache.open(directory, boot="first")
    cache.save(messages=messages(BOB, 1, 3), cursor="e:3")
    assert span(cache.history, BOB) == (1, 3)
    cache.save(messages=[message(BOB, 4)], cursor="e:4")
    asyncio.run(cache.flush())
    abandon(cache)
    again = AccountCache.open(directory, boot="second")
    assert span(again.history, BOB) == (4, 4)
    again.close()


def test_without_room_for_the_file_they_are_read_all_the_same_and_go_there_later(directory: Path) -> None:
    cache = AccountCache.open(directory)
    cache.history.add(BOB, messages(BOB, 1, 3))
    cache.save(messages=[*messages(BOB, 4, 40), *messages(CAROL, 1, 40)], cursor="e:40")
    with room_for(800):
        for _ in range(2):
            assert span(cache.history, BOB) == (1, 40)
            assert seqs(cache.history.tail(CAROL, 2)) == [39, 40]
        for number in range(20):  # others are looked at: their files are closed
            assert cache.history.tail(f"C2Cother{number}", 1) == []
        assert span(cache.history, CAROL) == (1, 40)
    assert (BOB in cache._fresh, CAROL in cache._fresh) == (True, True)
    assert span(cache.history, BOB) == (1, 40)
    assert (BOB in cache._fresh, CAROL in cache._fresh) == (False, True)
    abandon(cache)
    again = AccountCache.open(directory)
    assert (span(again.history, BOB), span(again.history, CAROL)) == ((1, 40), (1, 40))
    again.close()


def test_without_room_more_waits_and_nothing_is_tried_over_and_over(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "FRESH_BYTES", 500)
    cache = AccountCache.open(directory)
    cache.save(messages=messages(BOB, 1, 2), cursor="e:2")
    with room_for((directory / "account.journal").stat().st_size + 20_000):
        (directory / "history").write_bytes(b"")  # no directory can be made there
        for number in range(20):
            cache.save(messages=messages(f"C2Cuser{number}", 3, 4), cursor=f"e:{number}")
        (directory / "history").unlink()
    assert cache._fresh.size > 500
    cache.save(cursor="e:20")
    assert cache._fresh.size <= 500
    assert span(cache.history, BOB) == (1, 4)
    cache.close()


def test_killed_at_any_system_call_on_the_way_to_the_file_none_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    call, calls = 0, 1
    while call < calls:
        call += 1
        directory = tmp_path / str(call)
        cache = AccountCache.open(directory)
        cache.history.add(BOB, messages(BOB, 1, 2))
        cache.save(messages=[*messages(BOB, 3, 4), *messages(CAROL, 1, 2)], cursor="e:4")
        asyncio.run(cache.flush())
        with killed_at(call, monkeypatch) as count:
            try:
                cache.history.tail(BOB, 9)
                cache.history.tail(CAROL, 9)
            except Killed:
                calls = call + 1
            else:
                assert count() < call
        abandon(cache)
        again = AccountCache.open(directory)
        assert again.recovered is None
        assert again.cursor == "e:4"
        assert again.history.tail(BOB, 9) == messages(BOB, 1, 4)
        assert again.history.tail(CAROL, 9) == messages(CAROL, 1, 2)
        again.close()
    assert call > 4


def test_reading_what_waits_does_not_disturb_a_purge(directory: Path) -> None:
    async def read_while_purging() -> None:
        cache = AccountCache.open(directory)
        names = [f"C2Cuser{number}" for number in range(200)]
        cache.save(messages=[message(name, 1, text=SECRET) for name in names], cursor="e:1")
        for name in names[::2]:
            cache.history.tail(name, 1)
        cache.save(clear=dict.fromkeys(names[:150], 1), cursor="e:2")
        purging = asyncio.create_task(cache.purge())
        while not purging.done():
            assert not any(cache.history.tail(name, 1) for name in names[:150:7])
            assert all(cache.history.tail(name, 1) for name in names[150::7])
            await asyncio.sleep(0)
        await purging
        assert every_byte(directory).count(SECRET.encode()) >= 50
        cache._storage.compact_now()
        assert not any(name.encode() + b'"' in every_byte(directory) for name in names[:150])
        cache.close()

    asyncio.run(read_while_purging())
