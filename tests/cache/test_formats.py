"""Files that earlier versions wrote: `format1/` is an account as the first format has it, and must open for ever.

In that of the second two messages of `C2Cuser2` are in no file of history yet.
"""

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.cache.samples import message, messages, row, seqs, span
from tui_chat.cache import formats
from tui_chat.cache.account import AccountCache
from tui_chat.cache.records import read_format
from tui_chat.cache.store import NewerFormat

FORMATS = (1, 2)
USER = "C2Cuser1"
OTHER = "C2Cuser2"


def _written(number: int) -> Path:
    return Path(__file__).with_name(f"format{number}")


@pytest.fixture(params=FORMATS, ids=lambda number: f"format {number}")
def written(request: pytest.FixtureRequest) -> int:
    number: int = request.param
    return number


@pytest.fixture
def directory(tmp_path: Path, written: int) -> Path:
    return Path(shutil.copytree(_written(written), tmp_path / "account"))


def _next(tables: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """A change such as a version to come may make: a table has another name, a document another field."""
    drafts = {key: {"text": document["text"].upper()} for key, document in tables.pop("drafts", {}).items()}
    return tables | {"drafts": drafts, "preferences": {"column": {"value": tables["preferences"]["width"]["value"]}}}


def _next_history(tables: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    edited = {key: document | {"text": f"{document['text']}!"} for key, document in tables["messages"].items()}
    return tables | {"messages": edited}


def _assert_whole(cache: AccountCache) -> None:
    assert cache.recovered is None
    assert cache.conversations() == {USER: row(1, pinned=True), OTHER: row(2, text="newer")}
    assert (cache.cursor, cache.stale) == ("e:2", frozenset({USER}))
    assert cache.outbox.all() == [(1, {"what": "send", "text": "queued"})]
    assert span(cache.history, USER) == (1, 5)


def test_there_is_one_of_each() -> None:
    assert FORMATS[-1] == formats.ACCOUNT_FORMAT
    for number in FORMATS:
        assert read_format((_written(number) / "account.journal").read_bytes()) == number


def test_every_format_opens(directory: Path, written: int) -> None:
    cache = AccountCache.open(directory)
    _assert_whole(cache)
    assert cache.drafts() == {USER: "a draft"}
    assert cache.preference("width") == 30
    assert cache.history.tail(USER, 9) == [*messages(USER, 1, 2), message(USER, 5)]
    assert cache.history.tail(OTHER, 9) == (messages(OTHER, 1, 2) if written > 1 else [])
    cache.close()


def test_an_older_cache_is_brought_up_once_with_everything_in_it(
    directory: Path, written: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as later:
        later.setattr(formats, "ACCOUNT_FORMAT", 3)
        later.setattr(formats, "ACCOUNT_MIGRATIONS", {**formats.ACCOUNT_MIGRATIONS, 2: _next})
        later.setattr(formats, "HISTORY_FORMAT", 2)
        later.setattr(formats, "HISTORY_MIGRATIONS", {1: _next_history})
        for _ in range(2):
            cache = AccountCache.open(directory)
            _assert_whole(cache)
            assert cache.drafts() == {USER: "A DRAFT"}
            assert (cache.preference("column"), cache.preference("width")) == (30, None)
            assert [each.text for each in cache.history.tail(USER, 9)] == ["message 1!", "message 2!", "message 5!"]
            cache.history.add(USER, [message(USER, 6, text="m6")])
            assert seqs(cache.history.tail(USER, 1)) == [6]
            cache.close()
            files = list(directory.glob("account.journal*"))
            assert [read_format(path.read_bytes()) for path in files] == [3, 3], "the backup as well"
            assert {read_format(path.read_bytes()) for path in (directory / "history").iterdir()} == {2}
            shutil.copytree(_written(written) / "history", directory / "history", dirs_exist_ok=True)
    with pytest.raises(NewerFormat, match="format 3, this one knows 2"):
        AccountCache.open(directory)
