"""A table that is kept as structs says, on the disk and to TinyDB, what one that is kept as JSON says."""

import asyncio
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tinydb import Query

from tests.cache.samples import row
from tui_chat.cache import files
from tui_chat.cache.account import AccountCache
from tui_chat.cache.documents import CONVERSATIONS
from tui_chat.cache.journal import JournalStorage
from tui_chat.cache.kinds import ALL_JSON, Kinds, as_json
from tui_chat.cache.store import CacheError
from tui_chat.protocol.models import Conversation

ROWS = "rows"
STRUCTS: Kinds = {ROWS: CONVERSATIONS}
NUMBERS = st.integers(0, 3)
CHANGES = st.builds(row, NUMBERS, pinned=st.booleans(), text=st.sampled_from(["x", "longer"]))
Step = Callable[[JournalStorage, bool], object]


def _put(rows: list[Conversation]) -> Step:
    def step(storage: JournalStorage, structs: bool) -> None:
        documents = {one.conversation_id: one if structs else as_json(one, CONVERSATIONS) for one in rows}
        storage.put_all(ROWS, documents)
        storage.put("others", "last", {"v": len(rows)})

    return step


def _put_plain(one: Conversation) -> Step:
    document = msgspec.json.decode(as_json(one, CONVERSATIONS))
    return lambda storage, _: storage.put(ROWS, one.conversation_id, document)


def _fail(rows: list[Conversation], removed: int) -> Step:
    def step(storage: JournalStorage, structs: bool) -> None:
        with suppress(ArithmeticError), storage.group():
            storage.remove(ROWS, f"C2Cuser{removed}")
            _put(rows)(storage, structs)
            raise ArithmeticError

    return step


STEPS: "st.SearchStrategy[Step]" = st.one_of(
    st.lists(CHANGES, max_size=3).map(_put),
    CHANGES.map(_put_plain),
    NUMBERS.map(lambda number: lambda storage, _: storage.remove(ROWS, f"C2Cuser{number}")),
    st.just(lambda storage, _: storage.clear(ROWS)),
    st.just(lambda storage, _: storage.compact_now()),
    st.just(lambda storage, _: asyncio.run(storage.compact())),
    st.tuples(st.lists(CHANGES, max_size=2), NUMBERS).map(lambda given: _fail(*given)),
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=50)
@given(st.lists(st.lists(STEPS, max_size=6), min_size=1, max_size=3))
def test_both_have_the_same_file_and_the_same_documents(sessions: list[list[Step]]) -> None:
    with TemporaryDirectory() as directory:
        paths = {True: Path(directory) / "structs", False: Path(directory) / "json"}
        for steps in sessions:
            said: list[dict[str, Any]] = []
            for structs, path in paths.items():
                storage = JournalStorage(path, durable=False, kinds=STRUCTS if structs else ALL_JSON)
                for step in steps:
                    step(storage, structs)
                said.append({name: dict(rows) for name, rows in storage.read().items() if rows})
                kept = Conversation if structs else msgspec.Raw
                assert all(type(document) is kept for document in storage.raw(ROWS).values())
                storage.close()
            assert said[0] == said[1]
            ours, theirs = (path.read_bytes() if path.exists() else None for path in paths.values())
            assert ours == theirs


def test_documents_of_another_kind_leave_the_file_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "file.journal"
    storage = JournalStorage(path)
    storage.put("others", "kept", {"v": 1})
    storage.compact_now()
    storage.put(ROWS, "C2Cbob", {"type": "of a version to come"})
    storage.close()
    written = path.read_bytes()
    with pytest.raises(CacheError, match="cannot be used"):
        JournalStorage(path, kinds=STRUCTS)
    assert path.read_bytes() == written
    again = JournalStorage(path)
    again.compact_now()
    again.close()
    with pytest.raises(CacheError, match="cannot be used"):
        JournalStorage(path, kinds=STRUCTS)


def test_a_document_of_another_kind_is_not_taken(tmp_path: Path) -> None:
    storage = JournalStorage(tmp_path / "file.journal", kinds=STRUCTS)
    storage.put_all(ROWS, {"C2Cuser1": row(1)})
    with pytest.raises(msgspec.ValidationError):
        storage.put(ROWS, "C2Cuser1", {"name": 7})
    assert storage.raw(ROWS) == {"C2Cuser1": row(1)}
    storage.close()


def test_rows_answer_queries_as_documents_and_are_read_as_they_were_written(tmp_path: Path) -> None:
    cache = AccountCache.open(tmp_path)
    written = [row(number, pinned=number == 3) for number in range(5)]
    cache.replace(written, "e:1")
    table = cache._database.keyed("conversations")
    assert [document["name"] for document in table.search(Query().pinned == True)] == ["User 3"]  # noqa: E712
    assert table.get(doc_id="C2Cuser3") == msgspec.json.decode(as_json(written[3], CONVERSATIONS))
    table.update({"name": "renamed"}, Query().conversationID == "C2Cuser3")
    changed = msgspec.structs.replace(written[3], name="renamed")
    assert cache.conversations() == {one.conversation_id: one for one in [*written[:3], changed, written[4]]}
    cache.close()
    again = AccountCache.open(tmp_path)
    assert again.conversations()["C2Cuser3"] == changed
    again.close()


def test_what_stands_in_a_row_more_than_once_is_one_string(tmp_path: Path) -> None:
    cache = AccountCache.open(tmp_path)
    cache.replace([msgspec.structs.replace(row(1, time=10**12), name="user1"), row(2)], "e:1")
    written = cache.conversations()
    cache.close()
    again = AccountCache.open(tmp_path)
    assert again.conversations() == written
    for key, one in again.conversations().items():
        assert one.last_message is not None
        assert key is one.conversation_id
        assert one.last_message.time is one.time
        assert (one.last_message.sender is one.name) == (key == "C2Cuser1")
    again.close()


def test_nothing_of_a_file_stays_in_memory_as_bytes(tmp_path: Path) -> None:
    cache = AccountCache.open(tmp_path)
    cache.replace([row(number) for number in range(300)], "e:1")
    cache.set_draft("C2Cuser1", "not sent")
    cache.set_preference("width", 30)
    cache.close()
    tracemalloc.start()
    try:
        again = AccountCache.open(tmp_path)
        read = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, files.__file__)])
    finally:
        tracemalloc.stop()
    assert sum(trace.size for trace in read.traces) < 1_000 < (tmp_path / "account.journal").stat().st_size
    assert (again.draft("C2Cuser1"), len(again.conversations())) == ("not sent", 300)
    again.close()
