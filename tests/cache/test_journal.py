"""One file of tables: groups, torn tails, damage, backup, formats."""

import asyncio
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from tui_chat.cache.journal import JournalStorage
from tui_chat.cache.store import NewerFormat


def _open(path: Path, **options: Any) -> JournalStorage:
    return JournalStorage(path, **options)


def _state(storage: JournalStorage) -> dict[str, dict[str, Any]]:
    return {name: dict(rows) for name, rows in storage.read().items() if rows}


def _content(path: Path) -> tuple[int, bytes]:
    return path.stat().st_ino, path.read_bytes()


def _size(path: Path) -> int:
    return path.stat().st_size


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n")


def _filled(path: Path) -> dict[str, dict[str, Any]]:
    """A file with a base and records behind it."""
    storage = _open(path)
    for number in range(5):
        storage.put("t", str(number), {"v": number})
    storage.compact_now()
    for number in range(3, 8):
        storage.put("t", str(number), {"v": number * 10})
    state = _state(storage)
    storage.close()
    return state


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file.journal"


def test_reading_alone_makes_no_file(path: Path) -> None:
    storage = _open(path)
    assert _state(storage) == {}
    storage.close()
    assert list(path.parent.iterdir()) == []


def test_a_group_is_one_line(path: Path) -> None:
    storage = _open(path)
    storage.put("t", "0", {})
    lines = path.read_bytes().count(b"\n")
    with storage.group():
        storage.put("t", "1", {"v": 1})
        storage.put("u", "1", {"v": 1})
        storage.remove("t", "0")
    assert path.read_bytes().count(b"\n") == lines + 1
    storage.close()


def test_a_group_that_fails_has_changed_nothing(path: Path) -> None:
    storage = _open(path)
    storage.put("t", "1", {"v": 1})
    storage.put("u", "1", {"v": 1})
    before, length = _state(storage), _size(path)

    def fails() -> None:
        with storage.group():
            storage.put("t", "1", {"v": 2})
            storage.put("t", "2", {"v": 2})
            storage.remove("t", "1")
            storage.clear("u")
            storage.put("u", "3", {"v": 3})
            storage.clear("u")
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        fails()
    assert _state(storage) == before
    assert _size(path) == length
    storage.close()
    assert _state(_open(path)) == before


def test_the_last_change_of_a_document_in_a_group_counts(path: Path) -> None:
    storage = _open(path)
    storage.put("t", "old", {"v": 0})
    with storage.group():
        storage.put("t", "1", {"v": 1})
        storage.remove("t", "1")
        storage.put("t", "2", {"v": 1})
        storage.clear("t")
        storage.put("t", "3", {"v": 1})
        storage.remove("t", "3")
        storage.put("t", "3", {"v": 3})
    with storage.group():
        storage.put("t", "4", {"v": 4})
        storage.remove("t", "4")
        storage.remove("t", "3")
        storage.put("t", "3", {"v": 5})
    storage.close()
    assert _state(_open(path)) == {"t": {"3": {"v": 5}}}


@pytest.mark.parametrize("lost", [1, 5, 20])
def test_a_torn_last_line_is_cut(path: Path, lost: int) -> None:
    state = _filled(path)
    whole = path.read_bytes()
    os.truncate(path, len(whole) - lost)
    storage = _open(path)
    assert storage.recovered is None
    state["t"].pop("7")
    assert _state(storage) == state
    storage.put("t", "7", {"v": 70})
    storage.close()
    assert path.read_bytes() == whole, "goes on where the whole lines end"


def test_a_damaged_line_ends_what_counts_and_is_told(path: Path) -> None:
    _filled(path)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[3] = lines[3].replace(b"40", b"41")
    path.write_bytes(b"".join(lines))
    storage = _open(path)
    assert storage.recovered == "backup"
    assert _state(storage)["t"] == {"0": {"v": 0}, "1": {"v": 1}, "2": {"v": 2}, "3": {"v": 30}, "4": {"v": 4}}
    storage.close()
    assert _open(path).recovered is None, "repaired"


def test_a_line_counts_only_behind_its_own_predecessors(path: Path) -> None:
    _filled(path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:3], *lines[4:]]))
    assert _state(_open(path))["t"]["4"] == {"v": 4}


@pytest.mark.parametrize("where", [0, 3, 12, 40, 80])
def test_a_damaged_base_comes_from_the_backup_and_nothing_is_lost(path: Path, where: int) -> None:
    state = _filled(path)
    data = bytearray(path.read_bytes())
    data[where] ^= 0x15
    path.write_bytes(data)
    storage = _open(path)
    assert storage.recovered == "backup"
    assert _state(storage) == state
    storage.close()
    again = _open(path)
    assert (again.recovered, _state(again)) == (None, state)


@pytest.mark.parametrize("left", [0, 10, 60])
def test_a_file_cut_inside_its_base_comes_from_the_backup(path: Path, left: int) -> None:
    _filled(path)
    os.truncate(path, left)
    storage = _open(path)
    assert storage.recovered == "backup"
    assert _state(storage)["t"] == {str(number): {"v": number} for number in range(5)}


def test_a_backup_alone_is_enough(path: Path) -> None:
    _filled(path)
    path.unlink()
    storage = _open(path)
    assert storage.recovered == "backup"
    assert len(_state(storage)["t"]) == 5


def test_records_behind_another_base_than_the_backups_are_not_applied(path: Path) -> None:
    _filled(path)
    former = path.with_name("file.journal.bak").read_bytes()
    storage = _open(path)
    storage.put("t", "later", {"v": 1})
    storage.compact_now()
    storage.put("t", "last", {"v": 1})
    storage.close()
    path.with_name("file.journal.bak").write_bytes(former)
    path.write_bytes(b"x" + path.read_bytes()[1:])
    assert len(_state(_open(path))["t"]) == 5


def test_without_file_and_backup_it_begins_anew_and_says_so(path: Path) -> None:
    _filled(path)
    for file in path.parent.iterdir():
        file.write_bytes(b"garbage\n" * 9)
    storage = _open(path)
    assert storage.recovered == "rebuilt"
    assert _state(storage) == {}
    storage.put("t", "1", {"v": 1})
    storage.close()
    again = _open(path)
    assert (again.recovered, _state(again)) == (None, {"t": {"1": {"v": 1}}})


def test_a_newer_format_is_refused_and_left_alone(path: Path) -> None:
    storage = _open(path, version=3)
    storage.put("t", "1", {})
    storage.close()
    before = path.read_bytes()
    with pytest.raises(NewerFormat, match="newer tui-chat") as caught:
        _open(path, version=2)
    assert (caught.value.found, caught.value.known) == (3, 2)
    assert path.read_bytes() == before


def test_older_formats_are_brought_up_step_by_step(path: Path) -> None:
    storage = _open(path)
    storage.put("t", "1", {"name": "a"})
    storage.compact_now()
    storage.put("t", "2", {"name": "b"})
    storage.close()
    storage = _open(
        path,
        version=3,
        migrations={
            1: lambda tables: {"people": {key: {"nick": row["name"]} for key, row in tables["t"].items()}},
            2: lambda tables: {"people": {key: row | {"age": 0} for key, row in tables["people"].items()}},
        },
    )
    expected = {"people": {"1": {"nick": "a", "age": 0}, "2": {"nick": "b", "age": 0}}}
    assert _state(storage) == expected
    storage.close()
    assert _state(_open(path, version=3)) == expected
    with pytest.raises(NewerFormat):
        _open(path)


def test_files_are_their_owners_alone(path: Path) -> None:
    _filled(path)
    path.chmod(0o644)
    storage = _open(path)
    storage.put("t", "1", {})
    assert {file.name for file in path.parent.iterdir()} == {"file.journal", "file.journal.bak"}
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}
    storage.close()


async def test_changes_during_a_rewrite_follow_into_the_new_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = _open(path)
    storage.put("t", "1", {"v": 1})
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def held_up(function: Any, *values: Any) -> Any:
        reached.set()
        await go_on.wait()
        return function(*values)

    monkeypatch.setattr(asyncio, "to_thread", held_up)
    rewriting = asyncio.create_task(storage.compact())
    await reached.wait()
    storage.put("t", "2", {"v": 2})
    with storage.group():
        storage.remove("t", "1")
        storage.put("t", "3", {"v": 3})
    state = _state(storage)
    go_on.set()
    await rewriting
    storage.put("t", "4", {"v": 4})
    assert _lines(path) == 2 + 3
    storage.close()
    assert _state(_open(path)) == state | {"t": state["t"] | {"4": {"v": 4}}}
    assert {file.name for file in path.parent.iterdir()} == {"file.journal", "file.journal.bak"}


async def test_a_rewrite_overtaken_by_another_or_by_closing_is_dropped(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for overtake in ("compact", "close"):
        storage = _open(path)
        storage.put("t", overtake, {"secret": True})
        reached, go_on = asyncio.Event(), asyncio.Event()

        async def held_up(
            function: Any, *values: Any, reached: asyncio.Event = reached, go_on: asyncio.Event = go_on
        ) -> Any:
            reached.set()
            await go_on.wait()
            return function(*values)

        with monkeypatch.context() as patch:
            patch.setattr(asyncio, "to_thread", held_up)
            rewriting = asyncio.create_task(storage.compact())
            await reached.wait()
            storage.remove("t", overtake)
            if overtake == "compact":
                storage.compact_now()
            else:
                storage.close()
            left = _content(path)
            go_on.set()
            await rewriting
        assert _content(path) == left, "a former state does not come back, nor to a file that may be another's by now"
        storage.close()
        assert _state(_open(path)) == {}
        assert {file.name for file in path.parent.iterdir()} == {"file.journal", "file.journal.bak"}


async def test_flushing_waits_for_one_fsync_together(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = _open(path)
    storage.put("t", "0", {})
    synced: list[int] = []
    fsync = os.fsync

    def counted(descriptor: int) -> None:
        synced.append(_size(path))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", counted)
    for number in range(50):
        storage.put("t", str(number), {"v": number})
    length = _size(path)
    await asyncio.gather(*(storage.flush() for _ in range(10)))
    assert synced == [length]
    await storage.flush()
    assert len(synced) == 1, "nothing was waiting"
    storage.close()


async def test_flushing_rewrites_a_file_that_has_grown(path: Path) -> None:
    storage = _open(path, compact_from=2_000)
    for number in range(100):
        storage.put("t", str(number % 3), {"v": number})
    await storage.flush()
    assert _size(path) < 500
    assert {row["v"] for row in _state(storage)["t"].values()} == {97, 98, 99}
    storage.close()
    assert {row["v"] for row in _state(_open(path))["t"].values()} == {97, 98, 99}
