"""What was cleared leaves no byte in any file, whatever happens meanwhile."""

import asyncio
from pathlib import Path

import pytest

from tests.cache.samples import abandon, every_byte, message, messages, rewriting_held_up, row, seqs, span
from tui_chat.cache.account import AccountCache

BOB = "C2Cuser7"
SECRET = "xyzzy-plugh"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "caches" / "account"


def _journal(directory: Path) -> Path:
    return directory / "account.journal"


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
