"""The top of the list in a file of its own: what it says is what the list would show, or it says nothing."""

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cache.samples import abandon, every_byte, row
from tui_chat.cache.account import AccountCache
from tui_chat.cache.head import HEAD_ROWS, read_head
from tui_chat.protocol.models import ServerFacts
from tui_chat.protocol.requests import Me

ME = Me(user_id="alice", device_id="d", device_name="laptop", server=ServerFacts(version="1"))


def _closed(directory: Path, rows: int = 4) -> None:
    cache = AccountCache.open(directory)
    cache.set_facts(ME)
    cache.save(upsert=[row(number, time=1_000 - number) for number in range(1, rows + 1)], cursor="e:1")
    cache.save(upsert=[row(rows, time=1, pinned=True)], stale=["C2Cuser1", f"C2Cuser{rows - 1}"])
    cache.set_draft("C2Cuser1", "a draft")
    cache.close()


def test_it_has_the_rows_that_a_list_shows_on_top(tmp_path: Path) -> None:
    _closed(tmp_path, rows=250)
    head = read_head(tmp_path)
    assert head is not None
    expected = [250, *range(1, HEAD_ROWS)]
    assert [each.conversation_id for each in head.rows] == [f"C2Cuser{number}" for number in expected]
    assert head.rows[0] == row(250, time=1, pinned=True)
    assert (head.total, head.stale, head.drafts, head.facts) == (250, ["C2Cuser1"], {"C2Cuser1": "a draft"}, ME)


def test_reading_it_loads_no_database(tmp_path: Path) -> None:
    _closed(tmp_path)
    script = (
        "import sys\nfrom pathlib import Path\nfrom tui_chat.cache.head import read_head\n"
        "assert read_head(Path(sys.argv[1])) is not None\nassert 'tinydb' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True)


def test_there_is_none_while_the_account_is_open_nor_after_a_crash(tmp_path: Path) -> None:
    assert read_head(tmp_path / "nowhere") is None
    _closed(tmp_path)
    cache = AccountCache.open(tmp_path)
    assert read_head(tmp_path) is None
    abandon(cache)
    assert read_head(tmp_path) is None
    AccountCache.open(tmp_path).close()
    assert read_head(tmp_path) is not None


def test_a_head_that_comes_back_after_a_power_cut_is_not_believed(tmp_path: Path) -> None:
    _closed(tmp_path)
    former = (tmp_path / "account.head").read_bytes()
    cache = AccountCache.open(tmp_path)
    cache.save(remove=["C2Cuser2"])
    asyncio.run(cache.flush())
    (tmp_path / "account.head").write_bytes(former)
    assert read_head(tmp_path) is None
    cache._storage.compact_now()
    (tmp_path / "account.head").write_bytes(former)
    assert read_head(tmp_path) is None
    cache.close()


@pytest.mark.parametrize("cut", [0, 1, 40, -1])
def test_half_a_head_is_none(tmp_path: Path, cut: int) -> None:
    _closed(tmp_path)
    path = tmp_path / "account.head"
    os.truncate(path, cut if cut >= 0 else path.stat().st_size + cut)
    assert read_head(tmp_path) is None
    AccountCache.open(tmp_path).close()
    assert read_head(tmp_path) is not None


def test_a_damaged_head_and_another_accounts_are_none(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for directory in (first, second):
        _closed(directory)
    data = bytearray((first / "account.head").read_bytes())
    data[50] ^= 1
    (first / "account.head").write_bytes(data)
    assert read_head(first) is None
    shutil.copy(second / "account.head", first)
    assert read_head(first) is None


def test_with_commands_in_the_queue_there_is_none_since_they_change_what_is_shown(tmp_path: Path) -> None:
    cache = AccountCache.open(tmp_path)
    cache.save(upsert=[row(1)])
    number = cache.outbox.add({"what": "delete"})
    cache.close()
    assert read_head(tmp_path) is None
    cache = AccountCache.open(tmp_path)
    cache.outbox.remove(number)
    cache.close()
    assert read_head(tmp_path) is not None


async def test_what_was_purged_is_in_no_head(tmp_path: Path) -> None:
    cache = AccountCache.open(tmp_path)
    cache.save(upsert=[row(1, text="xyzzy"), row(2)])
    cache.set_draft("C2Cuser1", "xyzzy, too")
    cache.close()
    assert every_byte(tmp_path).count(b"xyzzy") >= 4
    cache = AccountCache.open(tmp_path)
    cache.set_draft("C2Cuser1", "")
    cache.save(remove=["C2Cuser1"], clear={"C2Cuser1": 3})
    await cache.purge()
    assert b"xyzzy" not in every_byte(tmp_path)
    cache.close()
    assert b"xyzzy" not in every_byte(tmp_path)
    head = read_head(tmp_path)
    assert head is not None
    assert (len(head.rows), head.total) == (1, 1)
