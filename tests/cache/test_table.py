"""Our table is TinyDB's, only quicker: the same calls give the same answers, and cost what they change."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tinydb import Query, TinyDB
from tinydb.storages import MemoryStorage
from tinydb.table import Document

from tui_chat.cache.table import JournalDB

IDS = st.integers(1, 6)
VALUES = st.integers(0, 3)
Step = Callable[[Any], Any]


def _bump(document: Any) -> None:
    document["v"] += 10


def _fail(document: Any) -> None:
    document["v"] = "half done"
    raise ArithmeticError


STEPS: "st.SearchStrategy[Step]" = st.one_of(
    VALUES.map(lambda v: lambda t: t.insert({"v": v, "deep": {"list": [v]}})),
    st.tuples(IDS, VALUES).map(lambda p: lambda t: t.insert(Document({"v": p[1]}, doc_id=p[0]))),
    st.lists(VALUES, max_size=3).map(lambda vs: lambda t: t.insert_multiple([{"v": v} for v in vs])),
    st.tuples(IDS, VALUES).map(lambda p: lambda t: t.upsert(Document({"v": p[1], "u": 1}, doc_id=p[0]))),
    VALUES.map(lambda v: lambda t: t.upsert({"v": v, "w": 2}, Query().v == v)),
    st.tuples(st.lists(IDS), VALUES).map(lambda p: lambda t: t.update({"v": p[1]}, doc_ids=p[0])),
    st.lists(IDS, max_size=3).map(lambda ids: lambda t: t.update(_bump, doc_ids=ids)),
    VALUES.map(lambda v: lambda t: t.update(_bump, Query().v == v)),
    st.just(lambda t: t.update({"all": True})),
    VALUES.map(lambda v: lambda t: t.update_multiple([({"m": v}, Query().v == v), (_bump, Query().v == 1)])),
    st.lists(IDS).map(lambda ids: lambda t: t.remove(doc_ids=ids)),
    VALUES.map(lambda v: lambda t: t.remove(Query().v == v)),
    st.just(lambda t: t.truncate()),
    VALUES.map(lambda v: lambda t: t.search(Query().v == v)),
    VALUES.map(lambda v: lambda t: t.get(Query().v == v)),
    IDS.map(lambda i: lambda t: t.get(doc_id=i)),
    st.sets(IDS).map(lambda ids: lambda t: sorted(t.get(doc_ids=list(ids)), key=lambda d: d.doc_id)),
    IDS.map(lambda i: lambda t: t.contains(doc_id=i)),
    VALUES.map(lambda v: lambda t: t.count(Query().v == v)),
    st.just(len),
    st.just(lambda t: t.all()),
)


def _outcome(step: Step, table: Any) -> Any:
    try:
        result = step(table)
    except (ValueError, LookupError) as error:
        return type(error)
    if isinstance(result, list):
        return sorted((getattr(each, "doc_id", 0), repr(each)) for each in result)
    return (getattr(result, "doc_id", 0), result)


@given(st.lists(STEPS, max_size=25))
def test_every_call_answers_as_tinydb_does(tmp_path_factory: pytest.TempPathFactory, steps: list[Step]) -> None:
    path = tmp_path_factory.mktemp("table") / "db"
    ours, theirs = JournalDB(path, durable=False, compact_from=400), TinyDB(storage=MemoryStorage)
    for step in steps:
        assert _outcome(step, ours.table("t")) == _outcome(step, theirs.table("t"))
    ours.close()
    again = JournalDB(path, durable=False)
    assert {d.doc_id: dict(d) for d in again.table("t")} == {d.doc_id: dict(d) for d in theirs.table("t")}
    again.close()


def test_the_database_itself_answers_too(tmp_path: Path) -> None:
    with JournalDB(tmp_path / "db") as database:
        database.insert({"in": "the default table"})
        database.table("a").insert({"v": 1})
        database.keyed("b").insert(Document({"v": 2}, doc_id="key"))  # type: ignore[arg-type]
        assert database.tables() == {"_default", "a", "b"}
        database.drop_table("a")
    with JournalDB(tmp_path / "db") as database:
        assert database.tables() == {"_default", "b"}
        assert len(database) == 1
        assert [(d.doc_id, dict(d)) for d in database.keyed("b")] == [("key", {"v": 2})]
        with pytest.raises(TypeError, match="with their ID"):
            database.keyed("b").insert({"v": 3})
        database.drop_tables()
        assert database.tables() == set()


def test_an_updater_that_fails_has_changed_nothing(tmp_path: Path) -> None:
    with JournalDB(tmp_path / "db") as database:
        table = database.table("t")
        table.insert_multiple([{"v": 1}, {"v": 2}])
        with pytest.raises(ArithmeticError):
            table.update(_fail)
        with pytest.raises(TypeError):
            table.insert_multiple([{"v": 3}, {"v": object()}])
        assert [d["v"] for d in table] == [1, 2]
    with JournalDB(tmp_path / "db") as database:
        assert [d["v"] for d in database.table("t")] == [1, 2]


def test_what_was_read_is_the_readers_own(tmp_path: Path) -> None:
    with JournalDB(tmp_path / "db") as database:
        table = database.table("t")
        table.insert({"deep": [1]})
        for found in (table.all()[0], table.get(doc_id=1), table.search(Query().deep.any([1]))[0]):
            found["deep"].append(2)
        assert table.search(Query().deep.any([1])) == [{"deep": [1]}]


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.insert({"v": "new"}),
        lambda t: t.update({"v": "other"}, doc_ids=[7]),
        lambda t: t.upsert(Document({"v": "other"}, doc_id=7)),
        lambda t: t.remove(doc_ids=[7]),
        lambda t: t.put(7, {"v": "whole"}),
        lambda t: t.discard([7]),
    ],
)
def test_a_change_writes_the_same_whatever_the_size(tmp_path: Path, change: Step) -> None:
    written = []
    for size in (10, 5_000):
        path = tmp_path / f"db{size}"
        with JournalDB(path, durable=False, compact_from=10**9) as database:
            table = database.table("t")
            table.insert_multiple([{"v": "old"}] * size)
            before = path.stat().st_size
            change(table)
            written.append(path.stat().st_size - before)
    assert 0 < written[0] <= written[1] <= written[0] + 8, "only the ID's digits"


def test_a_change_reads_only_what_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[str] = []

    def decode(rows: Any, key: str) -> dict[str, Any]:
        decoded.append(key)
        return {"v": 0}

    with JournalDB(tmp_path / "db", durable=False) as database:
        table = database.table("t")
        table.insert_multiple([{"v": number} for number in range(1_000)])
        monkeypatch.setattr("tui_chat.cache.rows.Rows.__getitem__", decode)
        table.insert({"v": 1})
        table.update({"v": 3}, doc_ids=[7])
        table.remove(doc_ids=[9])
        table.get(doc_id=11)
        table.get(doc_ids=[12, 13])
    assert set(decoded) <= {"1001", "7", "9", "11", "12", "13"}
    assert len(decoded) < 20


def test_a_condition_writes_only_what_it_changes(tmp_path: Path) -> None:
    with JournalDB(tmp_path / "db", durable=False, compact_from=10**9) as database:
        table = database.table("t")
        table.insert_multiple([{"v": number} for number in range(1_000)])
        before = (tmp_path / "db").stat().st_size
        assert table.update({"w": 1}, Query().v == 500) == [501]
        assert (tmp_path / "db").stat().st_size - before < 100


def test_files_are_rewritten_in_proportion_to_what_was_written(tmp_path: Path) -> None:
    with JournalDB(tmp_path / "db", durable=False, compact_from=1_000) as database:
        table = database.table("t")
        for number in range(5_000):
            table.put(number % 10, {"v": number})
        assert (tmp_path / "db").stat().st_size < 3_000
        assert {d["v"] for d in table} == set(range(4_990, 5_000))
