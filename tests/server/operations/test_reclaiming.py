"""Space that deleted rows leave goes back to the disk, a bounded piece at a time."""

from itertools import pairwise
from pathlib import Path

import pytest

from tui_chat.server.engines import Transaction, sqlite
from tui_chat.server.engines.sqlite import SqliteEngine


def fill(tx: Transaction) -> None:
    tx.many("INSERT INTO meta (name, value) VALUES (?, ?)", [(f"large{number}", "x" * 3000) for number in range(600)])


def clear(tx: Transaction) -> None:
    tx.execute("DELETE FROM meta WHERE name LIKE 'large%'")


async def test_what_is_empty_goes_back_in_pieces_but_for_a_spare(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "SPARE_PAGES", 50)
    monkeypatch.setattr(sqlite, "RECLAIMED_AT_ONCE", 100)
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
