"""What calls set is kept a row a call; and what an older version had kept otherwise can be undone all the same."""

import json

import pytest

from tui_chat.protocol.errors import UndoExpired
from tui_chat.server.engines.migrations import available, statements

from .stores import PostgresStore
from .world import Device, World

NUMBER = 11
UNCOUNTED = 15
"""Takes out what the other one left of a batch's own count."""


def statement_of(number: int, beginning: str) -> str:
    text = dict(available())[number]
    return next(statement for statement in statements(text) if statement.startswith(beginning))


def apply(world: World, statement: str) -> None:
    """As the engines' migrations do."""
    if isinstance(world.store, PostgresStore):
        world.change(statement if statement.startswith("UPDATE") else statement.replace("TEXT", 'TEXT COLLATE "C"'))
    else:
        world.change(statement.replace("/* clustered */", "WITHOUT ROWID"))


def go_back(world: World) -> None:
    """Keep everything as the version before did: a row for each conversation of a call."""
    shares = world.rows("SELECT account, operation, hides, clears, shares FROM share")
    counts = world.rows("SELECT batch, CAST(SUM(count) AS BIGINT) FROM operation GROUP BY batch")
    apply(world, "DROP TABLE share")
    apply(world, statement_of(1, "CREATE TABLE item "))
    apply(world, statement_of(6, "CREATE INDEX item_operation"))
    apply(world, "ALTER TABLE batch ADD COLUMN count BIGINT NOT NULL DEFAULT 0")
    for batch, count in counts:
        world.change("UPDATE batch SET count = ? WHERE id = ?", count, batch)
    for account, operation, hides, clears, text in shares:
        conversations, seen, pins = json.loads(text)
        for conversation, share in zip(conversations, seen, strict=True):
            version = pins.get(str(conversation))
            world.change(
                "INSERT INTO item (account, conversation, operation, hidden, cleared, unpinned, pin_version)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                account,
                conversation,
                operation,
                share * hides,
                share * clears,
                int(version is not None),
                version or 0,
            )


def migrate_again(world: World) -> None:
    for number in (NUMBER, UNCOUNTED):
        for statement in statements(dict(available())[number]):
            apply(world, statement)


@pytest.fixture
def names(world: World, alice: Device) -> list[str]:
    """Alice's conversations, each with two messages; the first is pinned."""
    people = [world.join(f"user{number}") for number in range(4)]
    for one in people * 2:
        one.send("C2CAlice")
    found = [f"C2C{one.id}" for one in people]
    alice.flags(found[0], pinned=True)
    return found


def test_a_call_is_one_row_however_many_it_takes(world: World, alice: Device, names: list[str]) -> None:
    alice.delete(*names, batch_id="b")
    alice.clear(*names[:2], batch_id="b")
    assert world.rows("SELECT hides, clears, pins FROM share ORDER BY operation") == [(1, 1, 1), (0, 1, 0)]


class TestWhatAnOlderVersionKept:
    """It is converted, and nobody notices."""

    @pytest.fixture
    def device(self, world: World, alice: Device, names: list[str]) -> Device:
        """Alice's, after two batches, of which the first has two calls, and the migration."""
        alice.delete(*names[:3], batch_id="first", up_to={names[1]: 1})
        alice.clear(names[3], batch_id="first")
        alice.delete(names[0], names[2], clear=False, batch_id="second", up_to={names[2]: 0})
        go_back(world)
        migrate_again(world)
        return alice

    def test_the_log_is_the_same(self, world: World, alice: Device, names: list[str]) -> None:
        alice.delete(*names[:3], batch_id="first")
        alice.clear(names[3], batch_id="first")
        alice.delete(names[0], batch_id="undone")
        alice.undo("undone")
        before = alice.deletions()
        go_back(world)
        migrate_again(world)
        assert alice.deletions() == before
        assert [entry.count for entry in before] == [1, 4]

    def test_a_batch_has_no_count_of_its_own(self, world: World, device: Device, names: list[str]) -> None:
        assert "count" not in world.store.columns("batch")
        device.undo("second")
        device.undo("first")
        device.delete(names[0], batch_id="third")
        assert [entry.batch_id for entry in device.deletions()] == ["third", "second", "first"]

    def test_everything_comes_back_in_either_order(self, world: World, device: Device, names: list[str]) -> None:
        world.store.mark()
        for order in (("first", "second"), ("second", "first")):
            for batch in order:
                device.undo(batch)
            shown = device.listed()
            assert sorted(shown) == sorted(names)
            assert {one.message_count for one in shown.values()} == {2}
            assert shown[names[0]].pinned
            assert world.rows("SELECT COUNT(*) FROM share") == [(0,)]
            world.store.go_back()

    def test_a_pin_waits_for_the_later_one(self, world: World, device: Device, names: list[str]) -> None:
        device.undo("first")
        assert names[0] not in device.listed()
        device.undo("second")
        assert device.listed()[names[0]].pinned

    def test_it_runs_out(self, world: World, device: Device, names: list[str]) -> None:
        before = {name: device.get(name) for name in names}
        world.pass_seconds(601)
        world.tidy()
        assert {name: device.get(name) for name in names} == before
        assert world.rows("SELECT COUNT(*) FROM share") == [(0,)]
        assert [(entry.count, entry.undo_seconds) for entry in device.deletions()] == [(2, 0), (4, 0)]
        with pytest.raises(UndoExpired):
            device.undo("first")
