"""What a session on disk does not do: write after its end, open files that nobody looks at, break where one is bad."""

from pathlib import Path

import pytest

from tests.cache.samples import every_byte
from tests.client.making import NOWHERE, arrived, message, ranged, row
from tests.client.sessions import eventually, texts
from tui_chat.cache.history import HistoryCache
from tui_chat.cache.store import CacheError
from tui_chat.client.changes import Change, MessageUpdated, Notice
from tui_chat.client.session import ChatSession
from tui_chat.protocol import events

BOB = "C2Cbob"


def session_on(directory: Path) -> ChatSession:
    """A session that is in step, and hears no more of the server than it is given here."""
    session = ChatSession.resume(NOWHERE, cache_directory=directory)
    if session._core.state.cursor is None:
        session._core.state.cursor, session._core.state.position = "e:0", 0
    return session


def changed(event_seq: int, conversation_id: str, message_seq: int, *, version: int, newest: int) -> events.Event:
    """A message edited."""
    return events.MessageChanged(
        event_seq=event_seq,
        message=message(conversation_id, message_seq, f"edited {version}", version=version),
        conversation=row(conversation_id, newest),
    )


async def test_after_the_end_a_draft_is_not_kept_and_nothing_breaks(tmp_path: Path) -> None:
    session = session_on(tmp_path / "alice")
    session._core.receiver.receive(ranged(1, arrived(1, BOB, 1)))
    session.set_draft(BOB, "in time")
    heard: list[Change] = []
    session.subscribe(heard.extend)
    await session.close()
    before = every_byte(tmp_path)
    heard.clear()
    session.set_draft(BOB, "too late")
    assert session.cached_tail(BOB) == []
    assert every_byte(tmp_path) == before
    again = session_on(tmp_path / "alice")
    assert again.draft(BOB) == "in time"
    await again.close()


async def test_edits_and_reactions_of_what_nobody_looks_at_open_no_file(tmp_path: Path) -> None:
    names = [f"C2Cuser{number}" for number in range(40)]
    session = session_on(tmp_path / "alice")
    core = session._core
    core.receiver.receive(ranged(1, *(arrived(number, name, 1) for number, name in enumerate(names, 1))))
    core.receiver.receive(
        ranged(41, *(changed(number, name, 1, version=2, newest=1) for number, name in enumerate(names, 41)))
    )
    await core.store.flush()
    assert not (tmp_path / "alice" / "history").exists()
    assert [texts(session.cached_tail(name)) for name in names] == [["edited 2"]] * 40, "but they are there"
    await session.close()
    session = session_on(tmp_path / "alice")
    heard: list[Change] = []
    session.subscribe(heard.extend)
    later = session._core
    later.receiver.receive(
        ranged(81, *(changed(number, name, 1, version=3, newest=1) for number, name in enumerate(names, 81)))
    )
    assert len(later.store.history._shelves) == 0, "files that there are stay shut as well"  # type: ignore[attr-defined]
    await eventually(lambda: len([one for one in heard if isinstance(one, MessageUpdated)]) == 40)
    assert [texts(session.cached_tail(name)) for name in names] == [["edited 3"]] * 40
    await session.close()


async def test_an_event_of_what_an_answer_told_already_is_not_told_again(tmp_path: Path) -> None:
    session = session_on(tmp_path / "alice")
    core = session._core
    core.receiver.receive(ranged(1, arrived(1, BOB, 1)))
    assert texts(session.cached_tail(BOB)) == ["m1"]
    heard: list[Change] = []
    session.subscribe(heard.extend)
    core.receiver.adopt_message(message(BOB, 1, "edited 2", version=2))
    core.receiver.receive(ranged(2, changed(2, BOB, 1, version=2, newest=1)))
    await eventually(lambda: heard)
    assert len([one for one in heard if isinstance(one, MessageUpdated)]) == 1
    await session.close()


async def test_a_file_that_cannot_be_read_holds_nothing_and_that_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = session_on(tmp_path / "alice")
    core = session._core
    core.receiver.receive(ranged(1, arrived(1, BOB, 1)))
    heard: list[Change] = []
    session.subscribe(heard.extend)

    def fails(self: HistoryCache, conversation_id: str) -> None:
        raise CacheError("The cache of this account cannot be used: Too many open files.")

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(HistoryCache, "_shelf", fails)
        assert session.cached_tail(BOB) == []
        core.receiver.adopt_message(message(BOB, 1, "edited 2", version=2))
        core.receiver.receive(ranged(2, changed(2, BOB, 1, version=3, newest=1)))
        await eventually(lambda: any(isinstance(one, Notice) and one.what == "disk_failed" for one in heard))
    assert texts(session.cached_tail(BOB)) == ["edited 3"]
    await session.close()
