"""Space that deleted rows leave goes back to the disk, a bounded piece at a time."""

import struct
from itertools import pairwise
from pathlib import Path

import pytest

from tui_chat.server.engines import ERASED, Transaction, sqlite_space
from tui_chat.server.engines.sqlite import SqliteEngine
from tui_chat.server.operations.bodies import erase_bodies


def fill(tx: Transaction) -> None:
    tx.many("INSERT INTO meta (name, value) VALUES (?, ?)", [(f"large{number}", "x" * 3000) for number in range(600)])


def clear(tx: Transaction) -> None:
    tx.execute("DELETE FROM meta WHERE name LIKE 'large%'")


async def test_what_is_empty_goes_back_in_pieces_but_for_a_spare(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_space, "SPARE_PAGES", 50)
    monkeypatch.setattr(sqlite_space, "RECLAIMED_AT_ONCE", 100)
    engine = await SqliteEngine.open(tmp_path / "chat.db")
    await engine.write(fill)
    await engine.write(clear)
    sizes = [await engine.size()]
    while await engine.reclaim():
        sizes.append(await engine.size())
    sizes.append(await engine.size())
    page = 4096
    steps = [before.free - after.free for before, after in pairwise(sizes)]
    assert sizes[0].free > 500 * page
    assert all(0 < step <= 100 * page for step in steps)
    assert sizes[-1].free == 50 * page
    assert not await engine.reclaim()
    await engine.close()
    assert (tmp_path / "chat.db").stat().st_size < 200 * page
    again = await SqliteEngine.open(tmp_path / "chat.db")
    assert (await again.size()).free == 50 * page
    await again.close()


@pytest.mark.parametrize("small", [True, False])
async def test_after_bodies_were_erased_the_next_start_leaves_no_copies_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small: bool
) -> None:
    monkeypatch.setattr(sqlite_space, "COMPACTED_BYTES", 2**30 if small else 0)
    path = tmp_path / "chat.db"
    engine = await SqliteEngine.open(path)
    await engine.write(fill)
    await engine.write(clear)
    await engine.write(lambda tx: erase_bodies(tx, 1, 0, 1))
    await engine.close()
    before = path.stat().st_size
    with path.open("r+b") as file:  # What a split of a page leaves: bytes in the room between a page's parts.
        at = unused(path)
        file.seek(at)
        file.write(b"swordfish")
    engine = await SqliteEngine.open(path)
    assert await engine.read(lambda tx: tx.one("SELECT 1 FROM meta WHERE name = ?", ERASED)) == (
        None if small else (1,)
    )
    await engine.close()
    assert (b"swordfish" not in path.read_bytes()) is small
    assert (path.stat().st_size < before) is small
    again = await SqliteEngine.open(path)
    await again.close()


def unused(path: Path) -> int:
    """Where in the file an index page, the last there is, has nothing."""
    content = path.read_bytes()
    for page in range(len(content) // 4096 - 1, 0, -1):
        head = content[page * 4096 : page * 4096 + 8]
        cells, start = struct.unpack(">HH", head[3:7])
        if head[0] == 10 and 8 + 2 * cells + 100 < start:
            return int(page * 4096 + 8 + 2 * cells + 50)
    raise AssertionError("every page is full")
