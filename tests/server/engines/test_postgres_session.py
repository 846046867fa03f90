"""Statements that are sent together, and locks that are taken or skipped."""

from collections.abc import Iterator

import pytest
from psycopg import errors

from tests.databases import PostgresServer
from tui_chat.server.engines.postgres_connection import connect, migrate
from tui_chat.server.engines.postgres_locks import Busy, Locks
from tui_chat.server.engines.postgres_session import FEW, Session, translated
from tui_chat.server.engines.postgres_transaction import PostgresTransaction


@pytest.fixture
def address(postgres: PostgresServer) -> str:
    address = postgres.new_database()
    with connect(address) as connection:
        migrate(connection, 0)
        connection.execute("INSERT INTO stream (account, seq, floor) SELECT n, 10 * n, 0 FROM generate_series(1, 9) n")
        connection.execute(
            "INSERT INTO conversation (id, kind, low, high, last_seq, last_count, last_time, erased_through)"
            " SELECT n, 1, n, n + 1, 0, 0, 0, 0 FROM generate_series(1, 9) n"
        )
        connection.execute(
            "INSERT INTO state (account, conversation, conversation_id, folded, membership, role, join_seq, join_count,"
            " past, hidden, cleared, hidden_settled, cleared_settled, read_seq, floor_count, mention_count, pinned,"
            " pin_version, muted, marked_unread)"
            " SELECT a, n, 'C2Cx' || n, 'c2cx' || n, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0"
            " FROM generate_series(1, 8) n, generate_series(n, n + 1) a"
        )
    return address


@pytest.fixture
def session(address: str) -> Iterator[Session]:
    session = Session(connect(address))
    yield session
    session.close()


@pytest.fixture
def other(address: str) -> Iterator[Session]:
    session = Session(connect(address))
    yield session
    session.close()


def begun(session: Session) -> PostgresTransaction:
    session.post("BEGIN")
    return PostgresTransaction(session, lambda: 0, Locks(session))


def stopped(session: Session) -> None:
    """The transaction's locks were skipped, not waited for, and it goes on."""
    assert session.rows("SELECT 1") == [(1,)]


def test_values_of_every_kind_come_back_as_they_were(session: Session) -> None:
    texts = ["", "ä\n'\"", "🎈" * 1_000]
    numbers = [0, -1, 2**63 - 1, -(2**63)]
    sql = "SELECT ?::bigint, ?::text, ?::bytea, ?::text, ?::bigint[], ?::text[], ?::bigint[]"
    given = (numbers[2], texts[1], b"\x00\xff", None, numbers, texts, [1, None])
    assert session.rows(translated(sql), given) == [given]
    assert session.rows(translated("SELECT ?::bigint = 1 AND ?::smallint = 0"), (True, False)) == [(True,)]
    with pytest.raises(TypeError, match="float"):
        session.post("SELECT $1", (1.5,))


@pytest.mark.parametrize("count", [1, FEW, FEW + 1, 2_500])
def test_rows_in_any_number_are_inserted_and_found(session: Session, count: int) -> None:
    tx = begun(session)
    rows = [(number, f"n{number}", None if number == 2 else number, b"x") for number in range(count)]
    session.post("CREATE TEMPORARY TABLE thing (id BIGINT, name TEXT, more SMALLINT, data BYTEA, zero BIGINT)")
    tx.many("INSERT INTO thing (id, name, zero) VALUES (?, ?, 0)", [row[:2] for row in rows])
    tx.many(
        "UPDATE thing SET more = ?, data = ? WHERE id = ?", [(row[2] and row[2] % 1_000, b"x", row[0]) for row in rows]
    )
    found = tx.in_list("SELECT id, name, zero FROM thing WHERE zero = ? AND id IN (?*)", [row[0] for row in rows], 0)
    assert sorted(found) == [(*row[:2], 0) for row in rows]
    assert tx.one("SELECT COUNT(*), COUNT(more), COUNT(data) FROM thing") == (count, count - (count > 2), count)


def test_what_was_posted_fails_with_the_next_statement_and_all_goes_on_after_rolling_back(session: Session) -> None:
    session.post("BEGIN")
    session.post("INSERT INTO meta (name, value) VALUES ('a', '')")
    session.post("INSERT INTO meta (name, value) VALUES ('a', '')")
    session.post("INSERT INTO meta (name, value) VALUES ('b', '')")
    with pytest.raises(errors.UniqueViolation):
        session.rows("SELECT name FROM meta")
    with pytest.raises(errors.InFailedSqlTransaction):
        session.rows("SELECT name FROM meta")
    session.post("SELECT nonsense")
    session.roll_back()
    session.post("BEGIN")
    session.post("INSERT INTO meta (name, value) VALUES ('b', '')")
    assert session.rows("SELECT name FROM meta") == [("epoch",), ("b",)]
    session.commit()


def test_a_commit_of_what_failed_says_so(session: Session) -> None:
    session.post("BEGIN")
    with pytest.raises(errors.UndefinedColumn):
        session.rows("SELECT nonsense")
    with pytest.raises(errors.InFailedSqlTransaction):
        session.commit()
    session.post("BEGIN")
    session.post("INSERT INTO meta (name, value) VALUES ('epoch', '')")
    with pytest.raises(errors.UniqueViolation):
        session.commit()
    session.roll_back()
    stopped(session)


def test_a_statement_stays_prepared_when_something_is_rolled_back(session: Session) -> None:
    for _ in range(3):
        session.post("BEGIN")
        session.rows("SELECT name FROM meta")
        session.roll_back()
    count = "SELECT COUNT(*) FROM pg_prepared_statements WHERE statement = 'SELECT name FROM meta'"
    assert session.rows(count) == [(1,)]


def test_a_log_is_counted_on_from_where_it_stands_once_it_is_locked(session: Session, other: Session) -> None:
    theirs = begun(other)
    theirs.lock_users([2])
    assert theirs.take_event_seqs({2: 5}) == {2: 20}
    other.commit()
    mine = begun(session)
    mine.lock_users([1, 2])
    assert mine.take_event_seqs({1: 1, 2: 2, 77: 1}) == {1: 10, 2: 25}
    assert mine.take_event_seqs({2: 2}) == {2: 27}
    mine.execute("UPDATE stream SET seq = 100 WHERE account = ?", 1)
    mine.many("INSERT INTO stream (account, seq, floor) VALUES (?, 0, 0)", [(50,)])
    mine.lock_users([50])
    assert mine.take_event_seqs({1: 1, 50: 1}) == {1: 100, 50: 0}
    session.commit()
    assert session.rows("SELECT account, seq FROM stream WHERE account IN (1, 2, 50) ORDER BY 1") == [
        (1, 101),
        (2, 29),
        (50, 1),
    ]


def lock(tx: PostgresTransaction, what: str) -> None:
    match what:
        case "users":
            tx.lock_users([4])
        case "conversations":
            tx.lock_conversations([3])
        case "everybody":
            tx.lock_everybody([4])
        case _:
            tx.lock_room(3, "c2cx3")
            tx.all("SELECT 1")


@pytest.mark.parametrize("what", ["users", "conversations", "everybody", "room"])
def test_what_is_held_by_somebody_else_is_not_waited_for_out_of_order(
    session: Session, other: Session, what: str
) -> None:
    theirs = begun(other)
    theirs.lock_conversations([3])
    theirs.lock_users([4])
    mine = begun(session)
    mine.lock_users([9])
    with pytest.raises(Busy):
        lock(mine, what)
    stopped(session)
    other.commit()
    mine.lock_users([4])
    mine.lock_conversations([3])
    mine.lock_everybody([4])
    mine.lock_room(3, "c2cx3")
    assert mine.now == 0
    stopped(session)
    session.commit()


def test_nothing_is_written_where_a_lock_that_was_asked_for_cannot_be_had(session: Session, other: Session) -> None:
    theirs = begun(other)
    theirs.lock_conversations([3])
    mine = begun(session)
    mine.lock_users([9])
    for write in (
        lambda: mine.execute("UPDATE stream SET seq = 0 WHERE account = ?", 9),
        lambda: mine.later("UPDATE stream SET seq = 0 WHERE account = ?", 9),
        lambda: mine.many("UPDATE stream SET seq = ? WHERE account = ?", [(0, 9)]),
    ):
        mine.lock_room(3, "c2cx3")
        with pytest.raises(Busy):
            write()
        assert not mine.wrote
    assert mine.one("SELECT seq FROM stream WHERE account = ?", 9) == (90,)


def test_a_lock_that_need_not_be_waited_for_sees_what_was_committed_since(session: Session, other: Session) -> None:
    mine = begun(session)
    mine.lock_users([1])
    theirs = begun(other)
    theirs.lock_room(2, "c2cx2")
    assert theirs.take_event_seqs({2: 1, 3: 1}) == {2: 20, 3: 30}
    other.commit()
    mine.lock_room(2, "c2cx2")
    assert mine.take_event_seqs({1: 1, 2: 1, 3: 1}) == {1: 10, 2: 21, 3: 31}
    session.commit()
