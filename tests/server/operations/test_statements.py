"""How many statements the calls that matter take: each is a crossing into the database, and they must not creep up."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tui_chat.protocol.requests import (
    ClearConversations,
    DeleteConversations,
    ReadConversations,
    ReadMark,
    SendMessage,
    SetFlags,
)
from tui_chat.server.engines import Row, Transaction
from tui_chat.server.engines.sqlite_transaction import SqliteTransaction
from tui_chat.server.operations import conversations, deletion, events, importing, messages

from .world import Device, World


class Counting(SqliteTransaction):
    """Counts what it is asked."""

    asked = 0

    def one(self, sql: str, *values: Any) -> Row | None:
        self.asked += 1
        return super().one(sql, *values)

    def all(self, sql: str, *values: Any) -> list[Row]:
        self.asked += 1
        return super().all(sql, *values)

    def execute(self, sql: str, *values: Any) -> int:
        self.asked += 1
        return super().execute(sql, *values)

    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        self.asked += 1
        super().many(sql, rows)

    def touched(self, sql: str, rows: Sequence[Sequence[Any]]) -> int:
        self.asked += 1
        return super().touched(sql, rows)

    def in_list(self, sql: str, values: Sequence[Any], *more: Any) -> list[Row]:
        self.asked += 1
        return super().in_list(sql, values, *more)

    def take_event_seqs(self, wanted: Mapping[int, int], known: Mapping[int, int] | None = None) -> dict[int, int]:
        self.asked += 1
        return super().take_event_seqs(wanted, known)


def counting(world: World) -> Counting:
    """A transaction on a file, whose every statement is committed at once."""
    return Counting(world.connection, world.now)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path / "chat.db")
    yield world
    world.close()


def test_a_message(world: World, alice: Device, bob: Device) -> None:
    alice.send("C2Cbob")
    tx = counting(world)
    messages.send(tx, alice.caller, "C2Cbob", SendMessage(client_id="x", text="hello"))
    assert tx.asked <= 6


@pytest.mark.parametrize("count", [1, 30])
def test_a_deletion_takes_as_many_for_one_as_for_many(world: World, alice: Device, count: int) -> None:
    names = []
    for number in range(count):
        world.join(f"user{number}").send("C2CAlice")
        names.append(f"C2Cuser{number}")
    tx = counting(world)
    request = DeleteConversations(conversation_id_list=names, operation_id="op", batch_id="batch")
    asked = deletion.in_order(alice.caller, request)
    assert len(deletion.delete(tx, alice.caller, asked).conversation_id_list) == count
    assert tx.asked <= 14


def test_a_message_to_a_group_takes_as_many_whoever_is_in_it(world: World, alice: Device) -> None:
    asked = []
    for size in (8, 40):
        members = [world.join(f"user{size}x{number}").id for number in range(size)]
        alice.create(f"g{size}", *members)
        tx = counting(world)
        messages.send(tx, alice.caller, f"GROUPg{size}", SendMessage(client_id=f"x{size}", text="hello"))
        asked.append(tx.asked)
    assert asked[0] == asked[1] <= 7


def test_catching_up_reads_what_is_missed_about_once(world: World, alice: Device) -> None:
    count = 1_500
    users = [importing.ArchivedUser(user_id=f"user{number}") for number in range(count)]
    letters = [importing.ArchivedMessage(sender=one.user_id, to="alice", time=1, text="x" * 200) for one in users]
    world.do(importing.import_archive, importing.Archive(users=users, messages=letters))
    names = [f"C2C{one.user_id}" for one in users]
    for start in range(0, count, 100):
        alice.delete(*names[start : start + 100], batch_id="b")
    cursor = alice.cursor()
    alice.undo("b")
    asked = told = 0
    more = True
    while more:
        tx = counting(world)
        answer = events.sync(tx, alice.caller, cursor, 100)
        cursor, more = answer.cursor, answer.more
        asked += tx.asked
        told += len(answer.events)
    assert told == count / 25
    assert asked <= 2.5 * count


def steps(world: World, work: Callable[[Transaction], object]) -> int:
    """About how many instructions SQLite carries out for it."""
    taken = 0

    def count() -> int:
        nonlocal taken
        taken += 1
        return 0

    world.connection.set_progress_handler(count, 10)
    try:
        work(counting(world))
    finally:
        world.connection.set_progress_handler(None, 0)
    return taken


@pytest.mark.parametrize("what", ["delete", "clear", "read", "mute"])
def test_a_list_costs_the_same_however_many_conversations_one_has(world: World, what: str) -> None:
    names = [f"C2Cuser{number}" for number in range(50)]

    def work(owner: Device) -> Callable[[Transaction], object]:
        match what:
            case "delete":
                deleting = deletion.in_order(owner.caller, DeleteConversations(conversation_id_list=names))
                return lambda tx: deletion.delete(tx, owner.caller, deleting)
            case "clear":
                clearing = deletion.in_order(owner.caller, ClearConversations(conversation_id_list=names))
                return lambda tx: deletion.clear(tx, owner.caller, clearing)
            case "read":
                reading = ReadConversations(items=[ReadMark(conversation_id=name, message_seq=1) for name in names])
                return lambda tx: conversations.read(tx, owner.caller, reading)
            case _:
                muting = SetFlags(conversation_id_list=names, muted=True)
                return lambda tx: conversations.flags(tx, owner.caller, muting)

    taken = []
    for size in (60, 1_200):
        owner = world.join(f"owner{size}")
        users = [importing.ArchivedUser(user_id=f"user{number}") for number in range(size)]
        letters = [importing.ArchivedMessage(sender=one.user_id, to=owner.id, time=1, text="x") for one in users]
        world.do(importing.import_archive, importing.Archive(users=users, messages=letters))
        taken.append(steps(world, work(owner)))
    assert taken[1] <= 1.2 * taken[0]
