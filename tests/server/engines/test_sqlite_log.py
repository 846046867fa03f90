"""SQLite's log as a file: it is kept long and overwritten with zeros, and nothing that was committed is."""

import asyncio
import os
import random
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tui_chat.server.engines import sqlite_log
from tui_chat.server.engines.sqlite_files import connect
from tui_chat.server.engines.sqlite_log import WriteAheadLog
from tui_chat.server.engines.sqlite_wal import lengthen, wash

FRAME = 24 + 4_096


class Database:
    """A database whose log is tended, and what must stand in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = path.with_name(path.name + "-wal")
        self.connection = connect(path)
        for statement in ("journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=0", "secure_delete=ON"):
            self.connection.execute(f"PRAGMA {statement}")
        self.connection.execute("CREATE TABLE note (number INTEGER PRIMARY KEY, text TEXT NOT NULL)")
        self.connection.execute("PRAGMA busy_timeout=0")
        self.log = WriteAheadLog(self.connection, path)
        self.written: dict[int, str] = {}

    def write(self, number: int, text: str) -> None:
        self.connection.execute("INSERT OR REPLACE INTO note VALUES (?, ?)", (number, text))
        self.written[number] = text

    def after_a_kill(self) -> dict[int, str]:
        """What another process finds that begins with the files as they are now."""
        copy = self.path.with_name("copy.db")
        for suffix in ("", "-wal"):
            shutil.copyfile(f"{self.path}{suffix}", f"{copy}{suffix}")
        with closing(connect(copy)) as connection:
            found = dict(connection.execute("SELECT number, text FROM note"))
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return found


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "chat.db")
    yield database
    database.connection.close()


def test_an_emptied_one_keeps_its_length_and_nothing_of_what_was_in_it(database: Database) -> None:
    for number in range(50):
        database.write(number, "a secret" * 1_000)
        database.log.tend()
    for number in range(50):
        database.write(number, "")
    length = database.file.stat().st_size
    assert b"a secret" in database.file.read_bytes()
    database.log.empty()
    assert database.log.rows == 0
    left = database.file.read_bytes()
    assert len(left) == length
    assert left.count(0, 32 + FRAME) == length - 32 - FRAME, "behind the one frame are zeros"
    assert b"a secret" not in database.path.read_bytes() + left
    assert database.after_a_kill() == database.written


def test_commits_find_room_in_it(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_log, "CHECKPOINT_PAGES", 500)
    database.write(0, "")
    database.log.empty()
    grown = []
    for number in range(200):
        before = database.file.stat().st_size
        database.write(number, "x" * 10_000)
        if database.file.stat().st_size > before:
            grown.append(number)
            assert database.log.has_grown()
        if database.log.is_due():
            database.log.tend()
        if number % 60 == 59:
            database.log.empty()
    assert 1 <= len(grown) <= 6, "else each would have made it longer"
    assert grown[-1] < 60, "once it is long enough it stays so"
    assert database.after_a_kill() == database.written


def test_it_is_not_kept_longer_than_it_needs_to_be(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_log, "KEPT_BYTES", 100_000)
    for number in range(50):
        database.write(number, "x" * 10_000)
    database.log.empty()
    assert database.file.stat().st_size == 100_000
    assert database.after_a_kill() == database.written
    database.write(0, "y" * 200_000)
    assert database.after_a_kill() == database.written


@pytest.mark.parametrize("seed", range(8))
def test_whenever_the_server_is_killed_everything_is_there(
    database: Database, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    dice = random.Random(seed)
    real = {name: getattr(os, name) for name in ("pwrite", "write", "fsync", "ftruncate")}

    def watched(name: str) -> None:
        def call(*arguments: object) -> object:
            assert database.after_a_kill() == database.written, f"before {name}"
            done = real[name](*arguments)
            assert database.after_a_kill() == database.written, f"after {name}"
            return done

        monkeypatch.setattr(os, name, call)

    for name in real:
        watched(name)
    monkeypatch.setattr(sqlite_log, "CHECKPOINT_PAGES", 30)
    monkeypatch.setattr(sqlite_log, "KEPT_BYTES", dice.choice((50_000, 150_000, 1_000_000)))
    reader = connect(database.path, read_only=True)
    for _ in range(40):
        match dice.randrange(8):
            case 0:
                database.log.empty()
            case 1:
                database.log.tend()
            case 2 if reader.in_transaction:
                reader.execute("ROLLBACK")
            case 2:
                reader.execute("BEGIN")
                assert dict(reader.execute("SELECT number, text FROM note")) == database.written
            case _:
                database.write(dice.randrange(20), chr(dice.randrange(97, 123)) * dice.choice((10, 3_000, 30_000)))
        assert database.after_a_kill() == database.written
    reader.close()


def test_who_still_reads_from_it_is_waited_for(database: Database) -> None:
    database.write(1, "a secret")
    with closing(connect(database.path, read_only=True)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT text FROM note").fetchall() == [("a secret",)]
        database.write(1, "")
        database.log.empty()
        assert database.log.rows > 0
        assert b"a secret" in database.file.read_bytes()
        reader.execute("ROLLBACK")
        assert reader.execute("SELECT text FROM note").fetchall() == [("",)]
        database.log.empty()
        assert database.log.rows == 0
        assert b"a secret" not in database.file.read_bytes()
        assert reader.execute("SELECT text FROM note").fetchall() == [("",)]


def test_another_writer_loses_nothing(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is meant to write beside the server, but somebody may."""
    tried: list[str] = []

    with closing(connect(database.path)) as other:
        other.execute("PRAGMA busy_timeout=0")

        def while_others_try(*arguments: object) -> bool:
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("INSERT INTO note VALUES (100, 'of another')")
            tried.append("at the wash")
            return wash(*arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(sqlite_log, "wash", while_others_try)
        database.write(1, "ours")
        database.log.empty()
        assert tried
        other.execute("INSERT INTO note VALUES (101, 'of another')")
        other.execute("BEGIN IMMEDIATE")
        database.log.empty()
        database.log.tend()
        other.execute("INSERT INTO note VALUES (102, 'of another')")
        other.execute("COMMIT")
        lengthen(database.file, 10_000)
        other.execute("INSERT INTO note VALUES (103, 'of another')")
    assert database.after_a_kill() == database.written | dict.fromkeys((101, 102, 103), "of another")


def test_a_round_that_did_not_begin_anew_is_left_alone(database: Database, tmp_path: Path) -> None:
    for number in range(3):
        database.write(number, "x")
    before = database.file.read_bytes()
    assert not wash(database.file, 1, 0)
    assert database.file.read_bytes() == before
    for name, content in (("empty", b""), ("zeros", bytes(100_000))):
        (tmp_path / name).write_bytes(content)
        assert not wash(tmp_path / name, 1, 0)
        assert (tmp_path / name).read_bytes() == content


def test_where_there_is_no_room_it_stays_as_it_is(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*arguments: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    database.write(1, "x")
    database.log.tend()
    [told] = caplog.messages
    assert "No space left" in told
    assert not database.log.has_grown(), "it is not tried again at once"
    assert database.after_a_kill() == database.written


_WRITES_AND_RESTS = """
import asyncio, random, sys
from pathlib import Path
from tui_chat.server.engines import sqlite, sqlite_log

async def main():
    dice = random.Random(sys.argv[2])
    sqlite.IDLE_SECONDS = 0.002
    sqlite_log.CHECKPOINT_PAGES = 200
    sqlite_log.KEPT_BYTES = dice.choice((100_000, 400_000, 20_000_000))
    engine = await sqlite.SqliteEngine.open(Path(sys.argv[1]))
    number = int(sys.argv[2]) * 1_000_000

    async def write(name, text, brief):
        await engine.write(
            lambda tx: tx.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", name, text), brief=brief
        )
        print(name, text.rstrip("x"), flush=True)

    while True:
        several = []
        for name in dice.sample(range(60), dice.choice((1, 1, 1, 20))):
            number += 1
            text = str(number) + "x" * dice.choice((10, 3_000, 40_000))
            several.append(write(f"{name:02}", text, dice.random() < 0.7))
        await asyncio.gather(*several)
        await asyncio.sleep(dice.choice((0, 0, 0.003, 0.01)))

asyncio.run(main())
"""


@pytest.mark.slow
async def test_a_server_that_is_killed_while_it_empties_its_log(tmp_path: Path) -> None:
    """Again and again, and somebody reads beside it now and then."""
    dice = random.Random(1)
    acknowledged: dict[str, int] = {}
    washed = 0
    for turn in range(31):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            _WRITES_AND_RESTS,
            str(tmp_path / "chat.db"),
            str(turn),
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        first = await process.stdout.readline()
        reader = connect(tmp_path / "chat.db", read_only=True)
        for _ in range(dice.randrange(4)):
            reader.execute("BEGIN")
            reader.execute("SELECT COUNT(*) FROM meta").fetchone()
            await asyncio.sleep(dice.uniform(0, 0.05))
            reader.execute("ROLLBACK")
        await asyncio.sleep(dice.uniform(0, 0.1))
        process.kill()
        lines = (first + await process.stdout.read()).decode().splitlines(keepends=True)
        await process.wait()
        washed += (tmp_path / "chat.db-wal").read_bytes().count(0, 32 + FRAME) > 50_000
        reader.close()
        # What was written and not yet told may be there as well: numbers only grow.
        acknowledged |= {name: int(number) for name, number in (line.split() for line in lines if line.endswith("\n"))}
        if turn % 2:
            continue  # The next one begins with what this one left.
        with closing(connect(tmp_path / "chat.db")) as after:
            rows = after.execute("SELECT name, value FROM meta WHERE name GLOB '[0-9]*'").fetchall()
            assert after.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        found = {name: int(text.rstrip("x")) for name, text in rows}
        lost = {name for name, number in acknowledged.items() if found.get(name, 0) < number}
        assert not lost, f"turn {turn}"
    assert washed > 10
