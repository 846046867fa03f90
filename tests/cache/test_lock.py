"""One process an account."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tui_chat.cache.lock import AccountLock
from tui_chat.cache.store import Locked

HOLDER = """
import sys
from pathlib import Path
from tui_chat.cache.account import AccountCache
cache = AccountCache.open(Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.read()
"""
SECOND = """
import sys
from pathlib import Path
from tui_chat.cache.account import AccountCache
from tui_chat.cache.store import Locked
try:
    AccountCache.open(Path(sys.argv[1]))
except Locked as locked:
    print(locked.pid, "|", locked)
"""


def test_a_second_process_is_told_the_first_ones_number(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"open\n"
        second = subprocess.run(
            [sys.executable, "-c", SECOND, str(tmp_path)], capture_output=True, text=True, check=True
        )
        pid, _, text = second.stdout.partition(" | ")
        assert int(pid) == holder.pid
        assert f"(process {holder.pid})" in text
        holder.kill()
        holder.wait()
        third = subprocess.run(
            [sys.executable, "-c", SECOND, str(tmp_path)], capture_output=True, text=True, check=True
        )
        assert third.stdout == "", "a killed holder holds nothing"


def test_the_file_says_who_holds_it_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.write_text("999999999 somebody before\n")
    lock = AccountLock(path)
    assert path.read_text() == f"{os.getpid()}\n"
    with pytest.raises(Locked) as caught:
        AccountLock(path)
    assert caught.value.pid == os.getpid()
    lock.release()
    lock.release()
    assert path.exists()
    AccountLock(path).release()


def test_a_holder_that_has_not_yet_said_its_number(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    lock = AccountLock(path)
    path.write_text("")
    with pytest.raises(Locked, match="already open in another tui-chat: ") as caught:
        AccountLock(path)
    assert caught.value.pid is None
    lock.release()
