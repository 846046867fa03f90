"""Killed at any point: what was acknowledged is there, what is there is whole."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cache.crasher import ROWS, TALK
from tests.cache.samples import abandon, every_byte, message, row, span
from tui_chat.cache.account import AccountCache
from tui_chat.cache.journal import JournalStorage

State = dict[str, Any]


def _state(cache: AccountCache) -> State:
    return {
        "rows": cache.conversations(),
        "cursor": cache.cursor,
        "stale": cache.stale,
        "drafts": cache.drafts(),
        "outbox": cache.outbox.all(),
    }


# The end of the file is cut at any byte

NUMBERS = st.integers(0, 5)
SETS = st.sets(NUMBERS, max_size=4)
STEPS = st.one_of(
    st.tuples(st.just("save"), SETS, SETS),
    st.tuples(st.just("replace"), SETS, st.none()),
    st.tuples(st.just("draft"), NUMBERS, st.text(max_size=5).filter(lambda text: text.isprintable())),
    st.tuples(st.just("queue"), st.integers(0, 3), st.none()),
    st.tuples(st.just("done"), NUMBERS, st.none()),
    st.tuples(st.just("rewrite"), st.none(), st.none()),
)


def _perform(cache: AccountCache, number: int, step: tuple[str, Any, Any]) -> None:
    match step:
        case ("save", upsert, remove):
            cache.save(
                upsert=[row(each, text=str(number)) for each in sorted(upsert)],
                remove=[f"C2Cuser{each}" for each in sorted(remove)],
                cursor=f"e:{number}",
                stale=[f"C2Cuser{each}" for each in remove],
            )
        case ("replace", kept, _):
            cache.replace([row(each) for each in sorted(kept)], f"e:{number}")
        case ("draft", which, text):
            cache.set_draft(f"C2Cuser{which}", text)
        case ("queue", count, _):
            cache.outbox.add_many([{"step": number, "n": each} for each in range(count)])
        case ("done", which, _):
            cache.outbox.remove(*[entry for entry, _ in cache.outbox.all()[which : which + 2]])
        case ("rewrite", _, _):
            cache._storage.compact_now()


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)
@given(st.lists(STEPS, min_size=1, max_size=12), st.data())
def test_a_cut_end_leaves_the_state_after_some_step(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, Any, Any]], data: st.DataObject
) -> None:
    directory = tmp_path_factory.mktemp("crash") / "account"
    journal = directory / "account.journal"
    cache = AccountCache.open(directory)
    cache.save(cursor="e:start")
    states = [(journal.stat().st_size, _state(cache))]
    for number, step in enumerate(steps):
        inode = journal.stat().st_ino
        _perform(cache, number, step)
        if journal.stat().st_ino != inode:
            states.clear()  # rewritten: what was before is no end of this file
        states.append((journal.stat().st_size, _state(cache)))
    abandon(cache)

    cut = data.draw(st.integers(0, states[-1][0]))
    os.truncate(journal, cut)
    again = AccountCache.open(directory)
    whole = [state for length, state in states if length <= cut]
    assert again.recovered == (None if whole else "backup")
    assert _state(again) == (whole[-1] if whole else states[0][1]), "the backup is the file as it was last rewritten"
    again.close()


# The process stops at any of its system calls

CALLS = ("write", "fsync", "replace", "unlink", "ftruncate", "open")


class Killed(BaseException):
    """From now on nothing reaches the system any more."""


@contextmanager
def killed_at(call: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], int]]:
    """The call of that number is the last; a write is cut in half. Yields how many calls there were."""
    count = 0

    def watched(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def watch(*values: Any, **options: Any) -> Any:
            nonlocal count
            count += 1
            if count == call and name == "write":
                function(values[0], bytes(values[1])[: len(values[1]) // 2])
            if count >= call:
                raise Killed
            return function(*values, **options)

        return watch

    with monkeypatch.context() as patch:
        for name in CALLS:
            patch.setattr(os, name, watched(name, getattr(os, name)))
        yield lambda: count


def _tables(storage: JournalStorage) -> dict[str, dict[str, Any]]:
    return {name: dict(rows) for name, rows in storage.read().items() if rows}


def _grow(storage: JournalStorage) -> None:
    with storage.group():
        storage.put("t", "1", {"v": "new"})
        storage.remove("t", "2")
        storage.put("u", "1", {"v": "new"})


@pytest.mark.parametrize(
    "act", [_grow, JournalStorage.compact_now, JournalStorage.flush_now], ids=lambda act: act.__name__
)
@pytest.mark.parametrize("fresh", [True, False], ids=["a new file", "an old file"])
def test_killed_at_any_system_call_it_is_as_before_or_as_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: Callable[[JournalStorage], None], fresh: bool
) -> None:
    call, calls = 0, 1
    while call < calls:
        call += 1
        path = tmp_path / str(call) / "file"
        path.parent.mkdir()
        storage = JournalStorage(path)
        if not fresh:
            for number in range(4):
                storage.put("t", str(number), {"v": number})
            storage.compact_now()
            storage.put("t", "9", {"v": 9})
        before = _tables(storage)
        with killed_at(call, monkeypatch) as count:
            try:
                act(storage)
            except Killed:
                calls = call + 1
            else:
                assert count() < call
        expected = [before]
        if act is _grow:
            after = {name: dict(rows) for name, rows in before.items()}
            after.setdefault("t", {}).pop("2", None)
            after["t"]["1"] = after.setdefault("u", {})["1"] = {"v": "new"}
            expected.append(after)
        again = JournalStorage(path)
        assert _tables(again) in expected
        assert again.recovered is None
        again.put("t", "later", {})
        again.close()
        assert {file.name for file in path.parent.iterdir()} == {"file", "file.bak"}
        assert "later" in _tables(JournalStorage(path))["t"]
    assert call > 1 or act is JournalStorage.flush_now


SECRET = "xyzzy"


async def _clear(cache: AccountCache) -> None:
    """As the client does it: messages and rows with the cursor that counts them and what is to go."""
    cache.save(
        upsert=[row(1, text="newer")],
        remove=["C2Cuser2"],
        messages=[message(TALK, 3, text=SECRET)],
        cursor="e:2",
        clear={TALK: 3, "C2Cuser1": 2, "C2Cuser2": 3},
    )
    await cache.purge()


async def _forget(cache: AccountCache) -> None:
    """As the client does it for a new epoch."""
    cache.replace([row(1, text="newer")], "e:2", keep_history=False)
    await cache.purge()


async def _begin_anew(cache: AccountCache) -> None:
    """As the client does it where the log does not reach back far enough: two of three have no row any more."""
    cache.replace([row(1, text="newer")], "e:2", clear={"C2Cuser1": 2})
    await cache.purge()


@pytest.mark.parametrize("act", [_clear, _forget, _begin_anew], ids=lambda act: act.__name__)
async def test_killed_at_any_system_call_what_the_cursor_counts_as_cleared_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: Callable[[AccountCache], Awaitable[None]]
) -> None:
    call, calls = 0, 1
    reached = set()
    while call < calls:
        call += 1
        directory = tmp_path / str(call)
        cache = AccountCache.open(directory)
        for name in (TALK, "C2Cuser1", "C2Cuser2"):
            cache.history.add(name, [message(name, 1, text=SECRET)])
        fresh = [message(name, 2, text=SECRET) for name in (TALK, "C2Cuser1", "C2Cuser2")]
        fresh.append(message("C2Cuser1", 3))
        cache.save(upsert=[row(1, text=SECRET), row(2, text=SECRET)], messages=fresh, cursor="e:1")
        await cache._storage.compact()
        with killed_at(call, monkeypatch) as count:
            try:
                await act(cache)
            except Killed:
                calls = call + 1
            else:
                assert count() < call
        abandon(cache)
        again = AccountCache.open(directory)
        reached.add(again.cursor)
        assert again.recovered is None
        if again.cursor == "e:2":
            assert SECRET.encode() not in every_byte(directory), call
            assert again.conversations() == {"C2Cuser1": row(1, text="newer")}
            assert span(again.history, "C2Cuser1") == (None if act is _forget else (3, 3))
        else:
            assert span(again.history, "C2Cuser2") == (1, 2)
        again.close()
    assert reached == {"e:1", "e:2"}


# The process is killed


def _kill_once(directory: Path, first: int, wait_for: int, delay: random.Random) -> int:
    """Start a writer, kill it some time after its n-th acknowledgement. Returns the last one that it gave."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.cache.crasher", str(directory), str(first)], stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout is not None
        lines = []
        for line in writer.stdout:
            lines.append(line)
            if len(lines) == wait_for:
                for _ in range(delay.randrange(200_000)):
                    pass  # a moment, unlike the writer's own
                writer.send_signal(signal.SIGKILL)
        writer.wait()
    whole = [line for line in lines if line.endswith(b"\n")]
    assert len(whole) >= wait_for, "the writer ended by itself"
    return int(whole[-1])


def _check(directory: Path, acknowledged: int) -> int:
    cache = AccountCache.open(directory)
    assert cache.recovered is None
    assert cache.cursor is not None
    reached = int(cache.cursor)
    assert reached >= acknowledged
    for conversation in cache.conversations().values():
        index = int(conversation.conversation_id.removeprefix("C2Cuser"))
        newest = reached - (reached - index) % ROWS
        assert conversation.last_message is not None
        assert conversation.last_message.text == str(newest), "rows and cursor belong together"
    queued = [entry["n"] for _, entry in cache.outbox.all()]
    assert queued == sorted(set(queued))
    assert queued[-1] in {reached - reached % 3, reached - reached % 3 - 3 * (reached % 3 == 0)}
    assert span(cache.history, TALK) == (1, reached), "what the cursor counts is there"
    cache.close()
    traces = every_byte(directory)
    assert not any(f"secret-{number}.".encode() in traces for number in range(7, reached + 1, 7)), "cleared"
    return reached


def _kill_often(directory: Path, times: int, seed: int) -> None:
    chance, reached = random.Random(seed), 0
    for _ in range(times):
        acknowledged = _kill_once(directory, reached + 1, chance.randrange(1, 60), chance)
        reached = _check(directory, acknowledged)


def test_killed_a_few_times_nothing_acknowledged_is_gone(tmp_path: Path) -> None:
    _kill_often(tmp_path / "account", times=4, seed=1)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(4))
def test_killed_often_nothing_acknowledged_is_gone(tmp_path: Path, seed: int) -> None:
    _kill_often(tmp_path / "account", times=50, seed=seed)
