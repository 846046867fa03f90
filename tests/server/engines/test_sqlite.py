"""The SQLite engine: group commit, isolation, what is told when, and what it refuses."""

import asyncio
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tests.server.engines.jobs import Job, names, reads_one_state, told
from tui_chat.protocol.errors import ChatError, NotFound, StorageFull, Unavailable
from tui_chat.server.engines import Committed, DatabaseInUse, Transaction, sqlite, sqlite_files, sqlite_log
from tui_chat.server.engines.migrations import available, statements
from tui_chat.server.engines.sqlite import SqliteEngine
from tui_chat.server.engines.sqlite_files import CopyStopped
from tui_chat.server.engines.sqlite_transaction import SqliteTransaction


async def test_jobs_that_wait_share_a_commit_and_one_that_fails_fails_alone(tmp_path: Path) -> None:
    engine = await SqliteEngine.open(tmp_path / "chat.db")
    commits: list[list[str]] = []
    engine.on_commit(lambda committed: commits.append(told(committed)))
    gate = threading.Event()
    opening = Job("first", gate=gate)
    first = asyncio.ensure_future(engine.write(opening))
    await asyncio.to_thread(opening.started.wait, 10)
    jobs = [Job("a"), Job("b", NotFound("b failed")), Job("a"), Job("c")]
    rest = [asyncio.ensure_future(engine.write(job)) for job in jobs]
    await asyncio.sleep(0)
    gate.set()
    results = await asyncio.gather(first, *rest, return_exceptions=True)
    assert results[:2] == ["first", "a"]
    assert isinstance(results[2], NotFound)
    assert isinstance(results[3], sqlite3.IntegrityError)
    assert results[4] == "c"
    assert commits == [["first"], ["a", "c"]]
    assert await engine.read(names) == ["a", "c", "first"]
    await engine.close()


class Refused:
    """Looks, and fails before it has written anything, as most that fail do."""

    def __init__(self) -> None:
        self.turns = 0

    def __call__(self, tx: Transaction) -> str:
        self.turns += 1
        assert names(tx) == ["a"], "what came before it in the commit"
        raise NotFound("refused")


async def test_a_job_that_fails_before_it_writes_costs_its_neighbours_nothing(tmp_path: Path) -> None:
    engine = await SqliteEngine.open(tmp_path / "chat.db")
    statements: list[str] = []
    refused = Refused()
    gate = threading.Event()
    opening = Job("a", gate=gate)
    first = asyncio.ensure_future(engine.write(opening))
    await asyncio.to_thread(opening.started.wait, 10)
    engine._writer.set_trace_callback(statements.append)
    rest = [asyncio.ensure_future(engine.write(job)) for job in (refused, Job("b"))]
    await asyncio.sleep(0)
    gate.set()
    results = await asyncio.gather(first, *rest, return_exceptions=True)
    assert results[0] == "a"
    assert isinstance(results[1], NotFound)
    assert results[2] == "b"
    assert refused.turns == 1
    assert not [one for one in statements if "SAVEPOINT" in one]
    assert await engine.read(names) == ["a", "b"]
    await engine.close()


async def test_a_job_that_fails_by_itself_leaves_nothing(tmp_path: Path) -> None:
    engine = await SqliteEngine.open(tmp_path / "chat.db")
    commits: list[Committed] = []
    engine.on_commit(commits.append)
    with pytest.raises(NotFound):
        await engine.write(Job("a", NotFound()))
    assert await engine.read(names) == []
    assert commits == []
    assert await engine.write(Job("b")) == "b"
    await engine.close()


async def test_listeners_hear_of_a_commit_before_its_writer_goes_on(tmp_path: Path) -> None:
    engine = await SqliteEngine.open(tmp_path / "chat.db")
    order: list[str] = []
    engine.on_commit(lambda committed: order.extend(told(committed)))

    async def write(name: str) -> None:
        await engine.write(Job(name))
        order.append(f"{name} answered")

    await asyncio.gather(*(write(f"{number:02}") for number in range(20)))
    heard = [one for one in order if not one.endswith("answered")]
    assert heard == sorted(heard)
    assert len(heard) == 20
    assert all(order.index(f"{one} answered") > order.index(one) for one in heard)
    await engine.close()


async def test_a_listener_that_fails_stops_nobody(tmp_path: Path) -> None:
    engine = await SqliteEngine.open(tmp_path / "chat.db")
    reported: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context["message"]))

    def fail(_: Committed) -> None:
        raise RuntimeError

    engine.on_commit(fail)
    assert await engine.write(Job("a")) == "a"
    assert reported == ["a commit listener failed"]
    await engine.close()


async def test_what_was_answered_is_there_after_a_kill(tmp_path: Path) -> None:
    script = """
import asyncio, os, sys
from pathlib import Path
from tui_chat.server.engines.sqlite import SqliteEngine

async def main():
    engine = await SqliteEngine.open(Path(sys.argv[1]))
    for number in range(20):
        await engine.write(lambda tx: tx.execute("INSERT INTO meta (name, value) VALUES (?, '')", f"{number:02}"))
    os.kill(os.getpid(), 9)

asyncio.run(main())
"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", script, str(tmp_path / "chat.db"))
    assert await process.wait() == -9
    engine = await SqliteEngine.open(tmp_path / "chat.db")
    assert await engine.read(names) == [f"{number:02}" for number in range(20)]
    await engine.close()


async def test_a_second_process_is_refused_in_one_line(tmp_path: Path) -> None:
    engine = await SqliteEngine.open(tmp_path / "chat.db")
    script = """
import asyncio, sys
from pathlib import Path
from tui_chat.server.engines import DatabaseInUse
from tui_chat.server.engines.sqlite import SqliteEngine

try:
    asyncio.run(SqliteEngine.open(Path(sys.argv[1])))
except DatabaseInUse as refusal:
    print(refusal)
"""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, str(tmp_path / "chat.db"), stdout=subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert b"is in use by another process (PID " in output
    assert output.count(b"\n") == 1
    with pytest.raises(DatabaseInUse):
        await SqliteEngine.open(tmp_path / "chat.db")
    await engine.close()
    again = await SqliteEngine.open(tmp_path / "chat.db")
    await again.close()


async def test_a_full_disk_refuses_and_the_engine_goes_on(tmp_path: Path) -> None:
    engine = await SqliteEngine.open(tmp_path / "chat.db")
    await engine.write(Job("before"))

    def limit(tx: Transaction) -> None:
        tx.one("PRAGMA max_page_count=1")

    def large(tx: Transaction) -> None:
        for number in range(1000):
            tx.execute("INSERT INTO meta (name, value) VALUES (?, ?)", f"large{number}", "x" * 10_000)

    await engine.write(limit)
    results = await asyncio.gather(
        engine.write(Job("x" * 50)), engine.write(large), engine.write(large), return_exceptions=True
    )
    assert isinstance(results[1], StorageFull)
    assert isinstance(results[2], StorageFull)
    assert "before" in await engine.read(names)
    assert not any(name.startswith("large") for name in await engine.read(names))
    await engine.write(lambda tx: tx.one("PRAGMA max_page_count=1000000"))
    await engine.write(Job("after"))
    assert "after" in await engine.read(names)
    await engine.close()


async def test_reading_sees_one_state_and_cannot_write(tmp_path: Path) -> None:
    engine = await SqliteEngine.open(tmp_path / "chat.db")
    await reads_one_state(engine)
    with pytest.raises((sqlite3.OperationalError, ChatError)):
        await engine.read(Job("a"))
    await engine.close()


async def test_nothing_that_was_erased_stays_in_the_log_of_an_idle_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "IDLE_SECONDS", 0.02)
    engine = await SqliteEngine.open(tmp_path / "chat.db")
    log = tmp_path / "chat.db-wal"
    begun, gate = threading.Event(), threading.Event()

    def look(tx: Transaction) -> None:
        names(tx)
        begun.set()
        assert gate.wait(10)

    secret = b"a secret to be erased"
    await engine.write(Job(secret.decode()))
    reading = asyncio.ensure_future(engine.read(look))
    await asyncio.to_thread(begun.wait, 10)
    await engine.write(lambda tx: tx.execute("DELETE FROM meta WHERE name LIKE '%secret%'"))
    assert await engine.write(Job("goes on while somebody reads"))
    assert secret in log.read_bytes()
    gate.set()
    await reading
    async with asyncio.timeout(10):
        while secret in log.read_bytes():  # noqa: ASYNC110 - of a file
            await asyncio.sleep(0.01)
    assert secret not in (tmp_path / "chat.db").read_bytes()
    await engine.close()


async def test_who_stops_waiting_undoes_nothing(tmp_path: Path) -> None:
    engine = await SqliteEngine.open(tmp_path / "chat.db")
    gate = threading.Event()
    waiting = asyncio.ensure_future(engine.write(Job("a", gate=gate)))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    gate.set()
    await engine.write(Job("b"))
    assert await engine.read(names) == ["a", "b"]
    await engine.close()


async def test_closing_finishes_what_was_asked_for(tmp_path: Path) -> None:
    engine = await SqliteEngine.open(tmp_path / "chat.db")
    jobs = [asyncio.ensure_future(engine.write(Job(f"{number:03}"))) for number in range(300)]
    await asyncio.sleep(0)
    await engine.close()
    await asyncio.gather(*jobs)
    await engine.close()
    with pytest.raises(Unavailable):
        await engine.write(Job("late"))
    with pytest.raises(Unavailable):
        await engine.read(names)
    assert not (tmp_path / "chat.db-wal").exists()
    again = await SqliteEngine.open(tmp_path / "chat.db")
    assert len(await again.read(names)) == 300
    await again.close()


async def test_the_clock_is_the_given_one(tmp_path: Path) -> None:
    engine = await SqliteEngine.open(tmp_path / "chat.db", clock=lambda: 12345)
    assert await engine.write(lambda tx: tx.now) == 12345
    assert await engine.read(lambda tx: tx.now) == 12345
    await engine.close()


async def test_the_epoch_stays_and_a_newer_schema_is_refused(tmp_path: Path) -> None:
    def epoch(tx: Transaction) -> object:
        return tx.one("SELECT value FROM meta WHERE name = 'epoch'")

    engine = await SqliteEngine.open(tmp_path / "chat.db")
    first = await engine.read(epoch)
    await engine.close()
    engine = await SqliteEngine.open(tmp_path / "chat.db")
    assert await engine.read(epoch) == first
    assert first is not None
    await engine.write(lambda tx: tx.execute("INSERT INTO migration (number, applied) VALUES (9999, 0)"))
    await engine.close()
    with pytest.raises(RuntimeError, match="update it"):
        await SqliteEngine.open(tmp_path / "chat.db")


def test_migrations_are_numbered_in_order_and_name_no_engine() -> None:
    numbers = [number for number, _ in available()]
    assert numbers == list(range(1, len(numbers) + 1))
    for _, text in available():
        for statement in statements(text):
            assert statement.startswith(("CREATE ", "ALTER TABLE ", "UPDATE ", "INSERT INTO ", "DROP "))
            for word in ("AUTOINCREMENT", "ROWID", "STRICT", "SERIAL"):
                assert word not in statement.upper()


class TestTransaction:
    """Lists and keys."""

    @pytest.fixture
    def tx(self) -> SqliteTransaction:
        connection = sqlite3.connect(":memory:", isolation_level=None)
        connection.execute("CREATE TABLE batch (id BIGINT PRIMARY KEY, x BIGINT)")
        connection.executemany("INSERT INTO batch VALUES (?, ?)", [(number, number % 7) for number in range(1500)])
        return SqliteTransaction(connection, 0)

    @pytest.mark.parametrize("count", [0, 1, 2, 3, 100, 101, 500, 501, 1400])
    def test_lists_of_any_length(self, tx: SqliteTransaction, count: int) -> None:
        query = "SELECT id FROM batch WHERE id >= ? AND id IN (?*) AND x < ?"
        rows = tx.in_list(query, list(range(count)), 0, 7)
        assert sorted(row[0] for row in rows) == list(range(count))

    @pytest.mark.parametrize("count", [0, 1, 3, 100, 501])
    def test_changing_lists_of_any_length(self, tx: SqliteTransaction, count: int) -> None:
        tx.change_list("UPDATE batch SET x = ? WHERE id IN (?*) AND id >= ?", list(range(count)), 9, 1)
        assert [row[0] for row in tx.all("SELECT id FROM batch WHERE x = 9 ORDER BY id")] == list(range(1, count))

    @pytest.mark.parametrize("count", [0, 1, 3, 100, 501])
    def test_structs_are_what_the_rows_say(self, tx: SqliteTransaction, count: int) -> None:
        class Found(msgspec.Struct, array_like=True):
            id: int
            x: int
            text: str
            nothing: int | None

        columns = "b.id, b.x, 'é\"\\' || b.id, NULLIF(b.x, b.x)"
        sources = " FROM (VALUES ?**) v CROSS JOIN batch b WHERE b.id = v.column1 AND b.x < ?"
        keys = [*range(2 * count, 0, -2), 1_000_000]
        found = tx.structs(Found, columns, sources, keys, 5)
        assert found == [Found(key, key % 7, f'é"\\{key}', None) for key in keys if key % 7 < 5 and key < 1_500]
        assert found == Transaction.structs(tx, Found, columns, sources, keys, 5)

    @pytest.mark.parametrize("count", [0, 1, 3, 100, 501])
    def test_columns_are_what_the_rows_say(self, tx: SqliteTransaction, count: int) -> None:
        columns = ("b.id", "b.x", "'é\"\\' || b.id", "NULLIF(b.x, b.x)")
        sources = " FROM (VALUES ?**) v CROSS JOIN batch b WHERE b.id = v.column1 AND b.x < ?"
        keys = [*range(2 * count, 0, -2), 1_000_000]
        found = [key for key in keys if key % 7 < 5 and key < 1_500]
        rows = [found, [key % 7 for key in found], [f'é"\\{key}' for key in found], [None] * len(found)]
        assert tx.columns(columns, sources, keys, 5) == rows
        assert Transaction.columns(tx, columns, sources, keys, 5) == rows

    def test_keys(self, tx: SqliteTransaction) -> None:
        assert tx.next_keys("batch", 3) == [1500, 1501, 1502]
        with pytest.raises(ValueError, match="no keys"):
            tx.next_key("state; DROP TABLE state")


async def test_many_rows_are_all_written_and_none_where_one_is_refused(tmp_path: Path) -> None:
    engine = await SqliteEngine.open(tmp_path / "chat.db")

    def write(*numbers: int) -> Callable[[Transaction], None]:
        # More than go into one statement, and some over; they may come from anywhere.
        return lambda tx: tx.many(
            "INSERT INTO meta (name, value) VALUES (?, ?)", ((f"{n:03}", str(n)) for n in numbers)
        )

    await engine.write(write(*range(130)))
    rows = await engine.read(lambda tx: tx.all("SELECT name, value FROM meta WHERE name < 'a' ORDER BY name"))
    assert rows == [(f"{n:03}", str(n)) for n in range(130)]
    together = [write(*range(200, 330)), write(*range(400, 530), 7), write(*range(600, 710))]
    done = await asyncio.gather(*map(engine.write, together), return_exceptions=True)
    assert [type(one) for one in done] == [type(None), sqlite3.IntegrityError, type(None)]
    kept = await engine.read(lambda tx: [int(row[0]) for row in tx.all("SELECT name FROM meta WHERE name < 'a'")])
    assert sorted(kept) == [*range(130), *range(200, 330), *range(600, 710)]
    await engine.close()


async def test_a_list_is_changed_whole_or_where_one_row_is_refused_not_at_all(tmp_path: Path) -> None:
    engine = await SqliteEngine.open(tmp_path / "chat.db")
    names = [f"{number:03}" for number in range(30)]

    def change(to: str, refused: str) -> Callable[[Transaction], None]:
        query = "UPDATE meta SET value = CASE WHEN name = ? THEN NULL ELSE ? END WHERE name IN (?*)"
        return lambda tx: tx.change_list(query, names, refused, to)

    await engine.write(
        lambda tx: tx.many("INSERT INTO meta (name, value) VALUES (?, ?)", [(name, "before") for name in names])
    )
    together = [change("one", "nobody"), change("two", "020")]
    done = await asyncio.gather(*map(engine.write, together), return_exceptions=True)
    assert [type(one) for one in done] == [type(None), sqlite3.IntegrityError]
    rows = await engine.read(lambda tx: tx.all("SELECT name, value FROM meta WHERE name < 'a' ORDER BY name"))
    assert rows == [(name, "one") for name in names]
    await engine.close()


async def test_the_log_is_folded_in_by_what_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "chat.db"
    engine = await SqliteEngine.open(path)
    log = path.with_name("chat.db-wal")
    page = 4_096
    sizes = []

    def write(first: int, rows: int, length: int) -> Callable[[Transaction], None]:
        values = [(f"{number:08}", "x" * length) for number in range(first, first + rows)]
        return lambda tx: tx.many("INSERT INTO meta (name, value) VALUES (?, ?)", values)

    await engine.write(write(0, 3_000, 10))
    await engine.write(write(3_000, 3_000, 10))
    shared = log.stat().st_size
    assert shared < 200 * page, "many rows stand on one page"
    assert engine._log.pages_a_row == sqlite_log.PAGES_A_ROW_LEAST
    for number in range(12):
        await engine.write(write(10_000 + 1_000 * number, 1_000, 6_000))
        sizes.append(log.stat().st_size)
    assert engine._log.pages_a_row > 1, "now each has pages of its own"
    assert max(sizes) < 40_000_000 < 12 * 1_000 * 6_000, "of what was written the log does not keep everything"
    await engine.close()


async def test_closing_stops_a_backup_that_is_under_way_and_nothing_is_left_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = await SqliteEngine.open(tmp_path / "chat.db")
    directory, paused, goes_on = tmp_path / "backups", threading.Event(), threading.Event()

    def pause(_seconds: float) -> None:
        paused.set()
        goes_on.wait(10)

    monkeypatch.setattr(sqlite_files, "COPIED_AT_ONCE", 1)
    monkeypatch.setattr("tui_chat.server.engines.sqlite_files.time.sleep", pause)
    backup = asyncio.create_task(engine.backup(directory / "copy"))
    await asyncio.to_thread(paused.wait, 10)
    assert unfinished(directory)
    closing = asyncio.create_task(engine.close())
    await asyncio.sleep(0)
    goes_on.set()
    with pytest.raises(Unavailable, match="shutting down"):
        await backup
    await closing
    assert not unfinished(directory)


def unfinished(directory: Path) -> list[Path]:
    """What is in it."""
    return list(directory.iterdir())


def test_the_check_of_a_copy_can_be_stopped_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = sqlite3.connect(tmp_path / "source")
    source.execute("CREATE TABLE something (number)")
    source.executemany("INSERT INTO something VALUES (?)", [(number,) for number in range(10_000)])
    source.commit()
    source.close()
    monkeypatch.setattr(sqlite_files, "STEPS_AT_ONCE", 100)
    asked: list[None] = []

    def after_the_pages() -> bool:
        asked.append(None)
        return len(asked) > 1

    with pytest.raises(CopyStopped):
        sqlite_files.copy(tmp_path / "source", tmp_path / "copy", stopped=after_the_pages)
    assert [path.name for path in tmp_path.iterdir()] == ["source"]
