"""Brief jobs of the SQLite engine: run on the loop, committed elsewhere, in the order in which they were asked for."""

import asyncio
import logging
import sqlite3
import sys
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.server.engines.jobs import Job, names, told
from tui_chat.protocol.errors import NotFound, StorageFull, UndoExpired
from tui_chat.protocol.models import Deletion
from tui_chat.protocol.requests import (
    ConversationsDeleted,
    Credentials,
    DeleteConversations,
    MessageSent,
    RestoreConversations,
    SendMessage,
)
from tui_chat.server.engines import Alike, Committed, Transaction, sqlite
from tui_chat.server.engines.sqlite import SqliteEngine
from tui_chat.server.engines.sqlite_files import BUSY_MS
from tui_chat.server.engines.sqlite_group import Group
from tui_chat.server.engines.sqlite_log import WriteAheadLog
from tui_chat.server.operations import accounts, deletion, deletionlog, messages, undo
from tui_chat.server.operations.caller import Caller
from tui_chat.server.operations.sending import Sending


class Held:
    """An engine whose writer is at a long job until `let_go`; what is asked for meanwhile waits."""

    def __init__(self, engine: SqliteEngine) -> None:
        self.engine = engine
        self.commits: list[list[str]] = []
        engine.on_commit(self._committed)
        self._gate = threading.Event()
        self._long = Job("long", gate=self._gate)
        self._task = asyncio.ensure_future(engine.write(self._long))

    def _committed(self, committed: Committed) -> None:
        self.commits.append(told(committed))

    async def asked(self, *jobs: tuple[Callable[[Transaction], object], bool]) -> "asyncio.Future[list[object]]":
        """Ask for jobs, brief or not, behind the long one."""
        await asyncio.to_thread(self._long.started.wait, 10)
        tasks = [asyncio.ensure_future(self.engine.write(job, brief=brief)) for job, brief in jobs]
        await asyncio.sleep(0)
        return asyncio.gather(*tasks, return_exceptions=True)

    async def let_go(self) -> None:
        self._gate.set()
        await self._task


@pytest.fixture(autouse=True)
def _never_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that stands still for a moment sends none of these jobs aside."""
    monkeypatch.setattr(sqlite, "LATE_SECONDS", 3_600.0)


@pytest_asyncio.fixture
async def engine(tmp_path: Path) -> AsyncIterator[SqliteEngine]:
    engine = await SqliteEngine.open(tmp_path / "chat.db")
    yield engine
    await engine.close()


async def test_they_run_on_the_loop_and_share_a_commit_and_the_order_stays(engine: SqliteEngine) -> None:
    held = Held(engine)
    jobs = [(Job("a"), True), (Job("b"), True), (Job("c"), False), (Job("d"), True)]
    rest = await held.asked(*jobs)
    await held.let_go()
    assert await rest == ["a", "b", "c", "d"]
    assert held.commits == [["long"], ["a", "b"], ["c", "d"]]
    assert [job.on_the_loop for job, _ in jobs] == [True, True, False, False]
    assert await engine.read(names) == ["a", "b", "c", "d", "long"]


async def test_nobody_is_answered_before_the_commit_has_ended(
    engine: SqliteEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, gate = threading.Event(), threading.Event()
    commit = Group.commit

    def slowly(group: Group) -> None:
        begun.set()
        assert gate.wait(10)
        commit(group)

    monkeypatch.setattr(Group, "commit", slowly)
    heard: list[Committed] = []
    engine.on_commit(heard.append)
    first, later = Job("a"), Job("b")
    waiting = asyncio.ensure_future(engine.write(first, brief=True))
    await asyncio.to_thread(begun.wait, 10)
    follows = asyncio.ensure_future(engine.write(later, brief=True))
    await asyncio.sleep(0.01)
    assert first.on_the_loop
    assert not waiting.done()
    assert not heard
    assert await engine.read(names) == []
    assert not later.threads, "the next group begins when the connection is free"
    gate.set()
    assert [await waiting, await follows] == ["a", "b"]
    assert later.on_the_loop


async def test_a_single_one_is_committed_on_the_loop_where_the_disk_is_quick(
    engine: SqliteEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[bool] = []
    commit = Group.commit

    def watched(group: Group) -> None:
        threads.append(threading.get_ident() == threading.main_thread().ident)
        commit(group)

    monkeypatch.setattr(Group, "commit", watched)
    monkeypatch.setattr(sqlite, "QUICK_SECONDS", 10.0)
    for name in "ab":
        assert await engine.write(Job(name), brief=True) == name
    assert threads == [False, True], "how quick it is has to be seen first"
    await asyncio.gather(*(engine.write(Job(name), brief=True) for name in "cd"))
    assert threads[2:] == [False]
    monkeypatch.setattr(sqlite, "QUICK_SECONDS", 0.0)
    for name in "efg":
        await engine.write(Job(name), brief=True)
    assert threads[3:] == [True, False, False], "one was slow"
    assert await engine.read(names) == list("abcdefg")


async def test_the_log_is_folded_in_by_the_writer_whoever_has_committed(
    engine: SqliteEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "QUICK_SECONDS", 10.0)
    await engine.write(Job("a"), brief=True)
    await engine.write(names)  # Begins when there is room in the log.
    await asyncio.sleep(0)  # It was looked after once those who waited were told.
    folded: list[bool] = []
    fold = WriteAheadLog.fold

    def watched(log: WriteAheadLog) -> None:
        folded.append(threading.get_ident() == threading.main_thread().ident)
        fold(log)

    monkeypatch.setattr(WriteAheadLog, "fold", watched)
    monkeypatch.setattr(WriteAheadLog, "is_long", lambda log: log.rows > 0)
    for name in "bcd":
        assert await engine.write(Job(name), brief=True) == name
    assert await engine.write(Job("e")) == "e"
    await engine.write(names)  # Begins when the writer has folded it in.
    assert folded == [False] * 4
    assert await engine.read(names) == list("abcde")


async def test_one_that_fails_after_writing_fails_alone(engine: SqliteEngine) -> None:
    held = Held(engine)
    rest = await held.asked(
        *((job, True) for job in (Job("a"), Job("b", NotFound("b failed")), Job("a"), Job("c"), Job("d")))
    )
    await held.let_go()
    results = await rest
    assert results[0] == "a"
    assert isinstance(results[1], NotFound)
    assert isinstance(results[2], sqlite3.IntegrityError)
    assert results[3:] == ["c", "d"]
    assert [name for commit in held.commits for name in commit] == ["long", "a", "c", "d"]
    assert await engine.read(names) == ["a", "c", "d", "long"]


async def test_one_that_is_refused_before_writing_costs_its_neighbours_nothing(engine: SqliteEngine) -> None:
    def refused(tx: Transaction) -> None:
        raise NotFound(",".join(names(tx)))

    held = Held(engine)
    neighbour = Job("a")
    rest = await held.asked((neighbour, True))
    asked = asyncio.ensure_future(engine.write(refused, brief=True))
    await held.let_go()
    assert await rest == ["a"]
    with pytest.raises(NotFound, match="a,long"):
        await asked
    assert neighbour.on_the_loop
    with pytest.raises(NotFound):
        await engine.write(refused, brief=True)


async def test_one_that_says_that_it_takes_long_runs_elsewhere(engine: SqliteEngine) -> None:
    class Long(Job):
        """Finds out on the way."""

        def __call__(self, tx: Transaction) -> str:
            name = super().__call__(tx)
            tx.takes_long()
            return name

    long, neighbours = Long("b"), (Job("a"), Job("c"))
    held = Held(engine)
    rest = await held.asked(*((job, True) for job in (neighbours[0], long, neighbours[1])))
    await held.let_go()
    assert await rest == ["a", "b", "c"]
    assert len(long.threads) == 2, "once on the loop, as far as there"
    assert not long.on_the_loop
    assert [name for commit in held.commits for name in commit] == ["long", "a", "b", "c"]
    assert await engine.read(names) == ["a", "b", "c", "long"]


async def test_a_batch_that_ran_out_is_made_final_where_it_holds_nobody_up(tmp_path: Path) -> None:
    now = 1_700_000_000_000
    engine = await SqliteEngine.open(tmp_path / "chat.db", clock=lambda: now)
    alice, bob = [await engine.write(partial(_join, name=name)) for name in ("alice", "bob")]
    threads: list[int] = []

    def delete(tx: Transaction, operation_id: str) -> ConversationsDeleted:
        threads.append(threading.get_ident())
        request = DeleteConversations(conversation_id_list=["C2Cbob"], batch_id="the-batch", operation_id=operation_id)
        return deletion.delete(tx, alice, deletion.in_order(alice, request))

    async def call(number: int) -> list[Deletion]:
        text = SendMessage(client_id=f"{number}", text="hello")
        await engine.write(lambda tx: messages.send(tx, bob, "C2Calice", text))
        done = await engine.write(partial(delete, operation_id=f"call-{number}"), brief=True)
        assert done.conversation_id_list == ["C2Cbob"]
        return (await engine.read(lambda tx: deletionlog.log(tx, alice))).deletions

    loop = threading.get_ident()
    await call(1)
    assert [one.count for one in await call(2)] == [1]
    assert threads == [loop, loop]
    now += 700_000
    assert [one.count for one in await call(3)] == [2], "the one that is final, and the one that can be undone"
    assert threads[2] == loop != threads[3]
    with pytest.raises(UndoExpired):
        await engine.write(lambda tx: undo.restore(tx, alice, RestoreConversations(operation_id="call-2")))
    await engine.close()


def _join(tx: Transaction, name: str) -> Caller:
    asked = Credentials(user_id=name, password="correct horse", device_name="laptop")
    return accounts.authenticate(tx, accounts.register(tx, asked, "hash", open_registration=True).access_token)


async def test_others_have_their_turn_between_them(engine: SqliteEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BRIEF_SECONDS", 0.0)
    monkeypatch.setattr(sqlite, "BRIEF_GROUP", 20)
    groups: list[int] = []
    engine.on_group(lambda jobs, seconds: groups.append(jobs))
    held = Held(engine)
    turns = 0
    seen: list[int] = []

    class Noting(Job):
        """Notes when it runs."""

        def __call__(self, tx: Transaction) -> str:
            seen.append(turns)
            return super().__call__(tx)

    rest = await held.asked(*((Noting(f"{number:02}"), True) for number in range(50)))

    def count() -> None:
        nonlocal turns
        turns += 1
        if not rest.done():
            asyncio.get_running_loop().call_soon(count)

    await held.let_go()
    count()
    assert await rest == [f"{number:02}" for number in range(50)]
    assert len(set(seen)) == 50, "between any two of them others had a turn"
    assert groups == [1, 20, 20, 10]


class Twin(Alike[str]):
    """One of a kind of which several can be carried out together, but for those that are `odd`."""

    stretches: list[list[str]] = []
    """Of those that were asked to go together, the names."""

    def __init__(self, name: str, *, odd: bool = False, failure: Exception | None = None) -> None:
        self.job = Job(name, failure)
        self.odd = odd

    def __call__(self, tx: Transaction) -> str:
        return self.job(tx)

    @staticmethod
    def together(tx: Transaction, jobs: "Sequence[Twin]") -> list[str]:
        Twin.stretches.append([twin.job.name for twin in jobs])
        return [twin.job(tx) for twin in takewhile(lambda twin: not twin.odd, jobs)]


class Other(Twin):
    """Of another kind."""


@pytest.fixture
def stretches(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    found: list[list[str]] = []
    monkeypatch.setattr(Twin, "stretches", found)
    return found


async def _together(engine: SqliteEngine, *works: Any) -> tuple[list[object], list[list[str]]]:
    """Ask for all at once; what came of them, and what each commit told of."""
    held = Held(engine)
    rest = await held.asked(*((work, True) for work in works))
    await held.let_go()
    return await rest, held.commits[1:]


async def test_neighbours_of_one_kind_are_carried_out_together(
    engine: SqliteEngine, stretches: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "TOGETHER", 3)
    twins = {name: Other(name) if name in "cd" else Twin(name) for name in "abcdfghi"}
    works = [*(twins[name] for name in "abcd"), Job("e"), *(twins[name] for name in "fghi")]
    results, commits = await _together(engine, *works)
    assert results == list("abcdefghi")
    assert commits == [list("abcdefghi")]
    assert stretches == [["a", "b"], ["c", "d"], ["f", "g", "h"]]
    assert all(twin.job.on_the_loop for twin in twins.values())


async def test_a_group_holds_no_more_of_them_than_of_others(
    engine: SqliteEngine, stretches: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BRIEF_GROUP", 5)
    monkeypatch.setattr(sqlite, "TOGETHER", 4)
    names = [f"{number:02}" for number in range(12)]
    results, commits = await _together(engine, *map(Twin, names))
    assert results == names
    assert commits == [names[:5], names[5:10], names[10:]]
    assert stretches == [names[:4], names[5:9], names[10:]]


async def test_the_one_that_is_odd_goes_alone_and_those_behind_it_too(
    engine: SqliteEngine, stretches: list[list[str]]
) -> None:
    odd = Twin("c", odd=True)
    results, commits = await _together(engine, Twin("a"), Twin("b"), odd, Twin("d"))
    assert results == list("abcd")
    assert commits == [list("abcd")]
    assert stretches == [list("abcd")]
    assert odd.job.on_the_loop


async def test_where_they_cannot_go_together_each_goes_alone(engine: SqliteEngine, stretches: list[list[str]]) -> None:
    results, commits = await _together(engine, Job("a"), Twin("b"), Twin("c", failure=NotFound("c failed")), Twin("d"))
    assert isinstance(results[2], NotFound)
    assert [results[place] for place in (0, 1, 3)] == ["a", "b", "d"]
    assert [name for commit in commits for name in commit] == ["a", "b", "d"]
    assert stretches == [["b", "c", "d"]]
    assert await engine.read(names) == ["a", "b", "d", "long"]
    assert engine.refusals == 0


async def test_a_full_disk_refuses_all_of_them(engine: SqliteEngine, stretches: list[list[str]]) -> None:
    class Large(Twin):
        """Needs a megabyte."""

        def __call__(self, tx: Transaction) -> str:
            tx.execute("INSERT INTO meta (name, value) VALUES ('large', ?)", "x" * 1_000_000)
            return super().__call__(tx)

        @staticmethod
        def together(tx: Transaction, jobs: "Sequence[Twin]") -> list[str]:
            Twin.stretches.append([])
            return [job(tx) for job in jobs]

    await engine.write(lambda tx: tx.one("PRAGMA max_page_count=1"))
    results, commits = await _together(engine, Large("a"), Large("b"))
    assert [type(one) for one in results] == [StorageFull, StorageFull]
    assert stretches == [[]]
    assert commits == []
    assert await engine.read(names) == ["long"]


async def test_messages_that_are_sent_at_once_go_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = await SqliteEngine.open(tmp_path / "chat.db")
    people = [await engine.write(partial(_join, name=f"u{number}")) for number in range(8)]

    def send(number: int, client_id: str) -> Sending:
        request = SendMessage(client_id=client_id, text="hello")
        return Sending(people[number], f"C2Cu{number + 1}", request)

    for number in (0, 2, 4, 6):
        await engine.write(send(number, "first"), brief=True)
    stretches: list[int] = []
    together = Sending.together

    def watched(tx: Transaction, jobs: "Sequence[Sending]") -> list[MessageSent]:
        sent = together(tx, jobs)
        stretches.append(len(sent))
        return sent

    monkeypatch.setattr(Sending, "together", staticmethod(watched))
    jobs = [send(0, "second"), send(2, "second"), send(4, "first"), send(6, "second")]
    answers = await asyncio.gather(*(engine.write(job, brief=True) for job in jobs))
    assert stretches == [0], "one was sent before, which is found when all are written"
    assert [one.message.message_seq for one in answers] == [2, 2, 1, 2]
    answers = await asyncio.gather(*(engine.write(send(number, "third"), brief=True) for number in (0, 2, 4, 6)))
    assert stretches == [0, 4]
    assert [one.message.message_seq for one in answers] == [3, 3, 2, 3]
    await engine.close()


async def test_the_loop_does_not_wait_for_somebody_who_holds_the_database(engine: SqliteEngine, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "chat.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    job = Job("a")
    waiting = asyncio.ensure_future(engine.write(job, brief=True))
    async with asyncio.timeout(BUSY_MS / 1000 - 1):  # Had the loop waited, this would be over with it.
        for _ in range(20):
            await asyncio.sleep(0.001)
    assert not waiting.done()
    other.execute("ROLLBACK")
    other.close()
    assert await waiting == "a"
    assert not job.on_the_loop
    follows = Job("b")
    await engine.write(follows, brief=True)
    assert follows.on_the_loop


async def test_where_they_take_long_they_run_aside_for_a_while(
    engine: SqliteEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "LATE_SECONDS", 0.0)
    slow, follows, later = Job("a"), Job("b"), Job("c")
    await engine.write(slow, brief=True)
    await engine.write(follows, brief=True)
    assert slow.on_the_loop
    assert not follows.on_the_loop
    monkeypatch.setattr(sqlite, "LATE_SECONDS", 10.0)
    engine._aside_until = 0.0
    await engine.write(later, brief=True)
    assert later.on_the_loop


async def test_a_full_disk_refuses_them_and_is_over_when_there_is_room(engine: SqliteEngine) -> None:
    def large(tx: Transaction) -> None:
        tx.execute("INSERT INTO meta (name, value) VALUES ('large', ?)", "x" * 1_000_000)

    await engine.write(lambda tx: tx.one("PRAGMA max_page_count=1"))
    for _ in range(2):
        with pytest.raises(StorageFull):
            await engine.write(large, brief=True)
    await engine.write(lambda tx: tx.one("PRAGMA max_page_count=1000000"), brief=True)
    await engine.write(large, brief=True)
    assert await engine.read(names) == ["large"]
    assert engine.refusals == 2


async def test_a_database_that_cannot_be_written_refuses_them_and_the_engine_goes_on(engine: SqliteEngine) -> None:
    class Broken:
        """A connection that can begin nothing."""

        def __init__(self, whole: sqlite3.Connection) -> None:
            self.whole = whole

        def execute(self, sql: str) -> sqlite3.Cursor:
            if sql.startswith("BEGIN"):
                raise sqlite3.DatabaseError("database disk image is malformed")
            return self.whole.execute(sql)

        def __getattr__(self, name: str) -> Any:
            return getattr(self.whole, name)

    whole = engine._writer
    engine._writer = Broken(whole)  # type: ignore[assignment]
    for _ in range(2):
        with pytest.raises(sqlite3.DatabaseError, match="malformed"):
            await engine.write(Job("a"), brief=True)
    assert engine.refusals == 2
    engine._writer = whole
    assert await engine.write(Job("b"), brief=True) == "b"
    assert engine.refusals == 2


async def test_what_was_answered_is_there_after_a_kill(tmp_path: Path) -> None:
    script = """
import asyncio, os, sys
from pathlib import Path
from tui_chat.server.engines.sqlite import SqliteEngine

async def main():
    engine = await SqliteEngine.open(Path(sys.argv[1]))
    answered = 0

    async def write(name):
        nonlocal answered
        await engine.write(lambda tx: tx.execute("INSERT INTO meta (name, value) VALUES (?, '')", name), brief=True)
        print(name, flush=True)
        answered += 1
        if answered == 30:
            os.kill(os.getpid(), 9)

    await asyncio.gather(*(write(f"{number:02}") for number in range(90)))

asyncio.run(main())
"""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, str(tmp_path / "chat.db"), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    assert process.returncode == -9
    answered = output.decode().split()
    assert len(answered) == 30
    engine = await SqliteEngine.open(tmp_path / "chat.db")
    assert set(answered) <= set(await engine.read(names))
    await engine.close()


async def test_closing_finishes_them(tmp_path: Path) -> None:
    engine = await SqliteEngine.open(tmp_path / "chat.db")
    jobs = [asyncio.ensure_future(engine.write(Job(f"{number:03}"), brief=True)) for number in range(200)]
    await asyncio.sleep(0)
    await engine.close()
    await asyncio.gather(*jobs)
    assert not (tmp_path / "chat.db-wal").exists()
    again = await SqliteEngine.open(tmp_path / "chat.db")
    assert len(await again.read(names)) == 200
    await again.close()


async def test_the_log_is_emptied_behind_them(
    engine: SqliteEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "IDLE_SECONDS", 0.02)
    log = tmp_path / "chat.db-wal"
    await engine.write(Job("a name that is found in files"), brief=True)
    assert b"a name that is found in files" in log.read_bytes()
    async with asyncio.timeout(10):
        while b"a name that is found in files" in log.read_bytes():  # noqa: ASYNC110 - of a file
            await asyncio.sleep(0.01)
    assert await engine.write(Job("b"), brief=True) == "b"


def test_a_log_that_cannot_be_folded_in_is_told_in_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(sqlite3.Connection):
        def execute(self, sql: str, values: Any = (), /) -> sqlite3.Cursor:
            if "wal_checkpoint" in sql:
                raise sqlite3.OperationalError("database or disk is full")
            return super().execute(sql, values)

    writer = sqlite3.connect(tmp_path / "chat.db", factory=Full, isolation_level=None)
    log = WriteAheadLog(writer, tmp_path / "chat.db")
    writer.execute("CREATE TABLE x (y)")
    writer.execute("INSERT INTO x VALUES (1)")
    for fold in (log.fold, log.empty, log.cut):
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            fold()
        [told] = caplog.records
        assert told.levelno == logging.WARNING
        assert "database or disk is full" in told.getMessage()
        assert "\n" not in told.getMessage()
        assert told.exc_info is None
    writer.close()
