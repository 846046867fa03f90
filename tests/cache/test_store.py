"""What every store promises, on disk and in memory."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cache.samples import message, messages, row, seqs, span
from tui_chat.cache.account import AccountCache
from tui_chat.cache.memory import MemoryAccount
from tui_chat.cache.store import EVERYTHING, AccountStore
from tui_chat.protocol.models import Conversation, Message, Reaction, ServerFacts, Tip, TipKind
from tui_chat.protocol.requests import Me

BOB = "C2Cbob"


@pytest.fixture(params=["disk", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AccountStore]:
    opened: AccountStore
    opened = AccountCache.open(tmp_path / "account", keep=100) if request.param == "disk" else MemoryAccount(keep=100)
    yield opened
    opened.close()


@pytest.fixture
def reopened(store: AccountStore, tmp_path: Path) -> Callable[[], AccountStore]:
    """The store after a restart; in memory the same object."""

    def again() -> AccountStore:
        if isinstance(store, MemoryAccount):
            return store
        store.close()
        return AccountCache.open(tmp_path / "account", keep=100)

    return again


def test_it_begins_empty(store: AccountStore) -> None:
    assert store.cursor is None
    assert store.recovered is None
    assert store.conversations() == {}
    assert store.outbox.all() == []
    assert store.facts() is None
    assert store.history.tail(BOB, 10) == []
    assert span(store.history, BOB) is None


def test_rows_and_cursor_come_back(store: AccountStore, reopened: Callable[[], AccountStore]) -> None:
    store.save(upsert=[row(1), row(2), row(3)], cursor="e:1")
    store.save(upsert=[row(2, text="newer")], remove=["C2Cuser3", "C2Cnobody"], cursor="e:2", stale=["C2Cuser1"])
    again = reopened()
    assert again.conversations() == {"C2Cuser1": row(1), "C2Cuser2": row(2, text="newer")}
    assert again.cursor == "e:2"
    assert again.stale == {"C2Cuser1"}
    again.close()


def test_every_field_comes_back(store: AccountStore, reopened: Callable[[], AccountStore]) -> None:
    tip = Tip(what=TipKind.KICKED, operator="alice", user_id_list=["bob"], group_id="g", name="G")
    full = Message(
        conversation_id=BOB,
        message_seq=7,
        client_id="c",
        version=3,
        sender="bob",
        time=5,
        text='"\n\u2028😀',
        nick="Bob",
        tip=tip,
        reply_to=1,
        mentions=["alice"],
        edited_at=6,
        recalled=True,
        reactions={"👍": Reaction(count=1, user_id_list=["alice"])},
    )
    store.history.add(BOB, [full])
    store.save(upsert=[row(1, pinned=True)])
    again = reopened()
    assert again.history.tail(BOB, 1) == [full]
    assert again.conversations()["C2Cuser1"] == row(1, pinned=True)
    again.close()


def test_a_snapshot_replaces_rows_and_cursor_alone(store: AccountStore, reopened: Callable[[], AccountStore]) -> None:
    store.save(upsert=[row(1), row(2)], cursor="e:9", stale=["C2Cuser1"])
    store.set_draft(BOB, "unsent")
    number = store.outbox.add({"what": "delete"})
    store.replace([row(2), row(5)], "f:0")
    again = reopened()
    assert set(again.conversations()) == {"C2Cuser2", "C2Cuser5"}
    assert again.cursor == "f:0"
    assert again.stale == frozenset()
    assert again.draft(BOB) == "unsent"
    assert again.outbox.all() == [(number, {"what": "delete"})]
    again.replace([], None)
    assert again.cursor is None
    again.close()


async def test_a_snapshot_clears_what_its_watermarks_hide(
    store: AccountStore, reopened: Callable[[], AccountStore]
) -> None:
    for each in ("C2Cuser1", "C2Cuser2", "C2Cuser3"):
        store.history.add(each, messages(each, 1, 10))
    store.save(upsert=[row(1), row(2), row(3)], cursor="e:9")
    store.replace([row(1), row(2)], "e:30", clear={"C2Cuser1": 4, "C2Cuser3": 10})
    assert span(store.history, "C2Cuser1") == (5, 10)
    await store.purge()
    again = reopened()
    spans = [span(again.history, each) for each in ("C2Cuser1", "C2Cuser2", "C2Cuser3")]
    assert spans == [(5, 10), (1, 10), None]
    again.close()


async def test_a_snapshot_ends_the_history_of_what_has_no_row_whoever_knew_of_it(
    store: AccountStore, reopened: Callable[[], AccountStore]
) -> None:
    """A deletion that keeps history takes the row; what was cleared afterwards may stand in no log any more."""
    store.save(upsert=[row(1), row(2)], messages=messages("C2Cuser3", 1, 10), cursor="e:9")
    for each in ("C2Cuser1", "C2Cuser2"):
        store.history.add(each, messages(each, 1, 10))
    store.save(remove=["C2Cuser2"], cursor="e:10")
    middle = reopened()
    assert span(middle.history, "C2Cuser2") == (1, 10), "the deletion kept it"
    middle.replace([row(1)], "e:30")
    assert [span(middle.history, f"C2Cuser{each}") for each in (1, 2, 3)] == [(1, 10), None, None]
    await middle.purge()
    middle.close()
    again = reopened()
    assert [span(again.history, f"C2Cuser{each}") for each in (1, 2, 3)] == [(1, 10), None, None]
    again.close()


async def test_a_snapshot_of_another_epoch_ends_all_history_also_of_what_has_no_row(
    store: AccountStore, reopened: Callable[[], AccountStore]
) -> None:
    for each in (BOB, "C2Cuser1", "C2Cuser2"):
        store.history.add(each, messages(each, 1, 10))
    store.save(upsert=[row(1), row(2)], cursor="e:9")
    store.save(remove=["C2Cuser2"])
    store.replace([row(1)], "f:1", keep_history=False)
    assert [span(store.history, each) for each in (BOB, "C2Cuser1", "C2Cuser2")] == [None] * 3
    store.history.add(BOB, messages(BOB, 1, 2))
    await store.purge()
    again = reopened()
    assert [span(again.history, each) for each in (BOB, "C2Cuser1", "C2Cuser2")] == [(1, 2), None, None]
    again.close()


def test_the_outbox_keeps_order_and_never_reuses_a_number(
    store: AccountStore, reopened: Callable[[], AccountStore]
) -> None:
    first = store.outbox.add({"n": 1})
    second, third = store.outbox.add_many([{"n": 2}, {"n": 3, "deep": {"list": [1]}}])
    store.outbox.update(first, {"n": 1, "attempted": True})
    store.outbox.remove(second, 999)
    assert store.outbox.all() == [(first, {"n": 1, "attempted": True}), (third, {"n": 3, "deep": {"list": [1]}})]
    store.outbox.remove(first, third)
    again = reopened()
    assert again.outbox.all() == []
    assert again.outbox.add({"n": 4}) > third
    with pytest.raises(KeyError):
        again.outbox.update(third, {})
    again.close()


def test_nobody_can_change_what_is_stored_through_what_was_read(store: AccountStore) -> None:
    entry = {"ids": ["a"]}
    number = store.outbox.add(entry)
    entry["ids"].append("b")
    store.outbox.all()[0][1]["ids"].append("c")
    store.conversations()["x"] = row(1)
    store.set_preference("p", ["a"])
    store.preference("p").append("b")
    assert store.outbox.all() == [(number, {"ids": ["a"]})]
    assert store.conversations() == {}
    assert store.preference("p") == ["a"]


def test_drafts_preferences_and_facts(store: AccountStore, reopened: Callable[[], AccountStore]) -> None:
    me = Me(user_id="alice", device_id="d", device_name="laptop", server=ServerFacts(version="1", undo_seconds=5))
    store.set_draft(BOB, "half a")
    store.set_draft("C2Ccarol", "gone")
    store.set_draft("C2Ccarol", "")
    store.set_preference("theme", {"dark": True})
    store.set_preference("old", 1)
    store.set_preference("old", None)
    store.set_facts(me)
    again = reopened()
    assert again.drafts() == {BOB: "half a"}
    assert again.draft("C2Ccarol") == ""
    assert again.preference("theme") == {"dark": True}
    assert again.preference("old", "default") == "default"
    assert again.facts() == me
    again.close()


def test_messages_come_back_without_holes(store: AccountStore, reopened: Callable[[], AccountStore]) -> None:
    store.history.add(BOB, messages(BOB, 1, 10))
    store.history.add(BOB, messages(BOB, 15, 20))
    again = reopened().history
    assert seqs(again.tail(BOB, 100)) == list(range(15, 21))
    assert seqs(again.tail(BOB, 2)) == [19, 20]
    assert again.before(BOB, 15, 5) == []
    assert seqs(again.before(BOB, 11, 3)) == [8, 9, 10]
    assert seqs(again.after(BOB, 8, 5)) == [9, 10]
    assert span(again, BOB) == (15, 20)
    again.add(BOB, messages(BOB, 11, 14))
    assert span(again, BOB) == (1, 20)


async def test_messages_are_saved_with_the_cursor_that_counts_them(
    store: AccountStore, reopened: Callable[[], AccountStore]
) -> None:
    store.history.add(BOB, messages(BOB, 1, 3))
    store.save(messages=[*messages(BOB, 4, 6), *messages("C2Ccarol", 1, 2)], cursor="e:5")
    store.save(messages=[message(BOB, 6, version=2, text="edited")], clear={"C2Ccarol": 1}, cursor="e:6")
    again = reopened()
    assert seqs(again.history.tail(BOB, 100)) == [1, 2, 3, 4, 5, 6]
    assert again.history.tail(BOB, 1)[0].text == "edited"
    again.save(upsert=[row(1)], messages=messages("C2Cuser1", 1, 120))
    assert span(again.history, "C2Cuser1") == (21, 120), "no more than are kept"
    again.close()


def test_a_page_joins_what_lies_around_absence(store: AccountStore, reopened: Callable[[], AccountStore]) -> None:
    store.history.add(BOB, messages(BOB, 150, 155))
    store.history.add(BOB, messages(BOB, 95, 99), covers=(95, 149))
    again = reopened().history
    assert span(again, BOB) == (95, 155)
    assert seqs(again.before(BOB, 150, 2)) == [98, 99]


def test_the_higher_version_wins_however_it_arrives(store: AccountStore) -> None:
    store.history.add(BOB, [message(BOB, 1, text="edited", version=2)])
    store.history.add(BOB, [message(BOB, 1, text="first", version=1), message(BOB, 2)])
    store.history.add(BOB, [message(BOB, 2, text="a", version=3), message(BOB, 2, text="b", version=2)])
    assert [each.text for each in store.history.tail(BOB, 5)] == ["edited", "a"]


def test_only_the_newest_are_kept(store: AccountStore, reopened: Callable[[], AccountStore]) -> None:
    store.history.add(BOB, messages(BOB, 1, 90))
    store.history.add(BOB, messages(BOB, 91, 130))
    assert span(store.history, BOB) == (31, 130)
    store.history.add(BOB, messages(BOB, 1, 20))
    again = reopened().history
    assert span(again, BOB) == (31, 130)
    assert len(again.tail(BOB, 1000)) == 100
    assert again.before(BOB, 31, 5) == []


def test_clearing_takes_what_is_under_the_watermark(store: AccountStore, reopened: Callable[[], AccountStore]) -> None:
    store.history.add(BOB, messages(BOB, 1, 10))
    store.history.add("C2Ccarol", messages("C2Ccarol", 1, 3))
    store.history.clear_through(BOB, 7)
    assert seqs(store.history.tail(BOB, 100)) == [8, 9, 10]
    again = reopened().history
    assert span(again, BOB) == (8, 10)
    again.clear_through(BOB, 10)
    assert again.tail(BOB, 5) == []
    again.clear_through("C2Ccarol", EVERYTHING)
    again.clear_through("C2Cnobody", EVERYTHING)
    assert again.tail("C2Ccarol", 5) == []


async def test_what_a_save_clears_is_gone_at_once_and_stays_gone(
    store: AccountStore, reopened: Callable[[], AccountStore]
) -> None:
    for each in (BOB, "C2Cuser1", "C2Cuser2"):
        store.history.add(each, messages(each, 1, 10))
    store.save(upsert=[row(1), row(2)], cursor="e:1")
    store.save(remove=["C2Cuser2"], clear={BOB: 10, "C2Cuser1": 4, "C2Cuser2": 10}, cursor="e:2")
    assert store.history.tail("C2Cuser2", 5) == []
    assert seqs(store.history.tail("C2Cuser1", 100)) == [5, 6, 7, 8, 9, 10]
    # A restore fetches it again, before the purge had its turn.
    store.history.add("C2Cuser2", messages("C2Cuser2", 6, 10))
    await store.purge()
    await store.purge()
    again = reopened()
    assert again.history.tail(BOB, 5) == []
    assert span(again.history, "C2Cuser1") == (5, 10)
    assert span(again.history, "C2Cuser2") == (6, 10)
    again.close()


async def test_flushing_and_closing_twice_does_no_harm(store: AccountStore) -> None:
    store.save(upsert=[row(1)])
    await store.flush()
    await store.flush()
    store.close()
    store.close()


def test_ten_thousand_rows(store: AccountStore, reopened: Callable[[], AccountStore]) -> None:
    rows: list[Conversation] = [row(number) for number in range(1, 10_001)]
    store.replace(rows, "e:1")
    again = reopened()
    assert len(again.conversations()) == 10_000
    again.close()
