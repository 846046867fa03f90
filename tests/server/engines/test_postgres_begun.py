"""A conversation that another process begins just when somebody is about to write there."""

import asyncio
from collections.abc import Mapping

import psycopg
import pytest

from tests.databases import PostgresServer
from tests.server.engines.test_postgres import join, opened
from tui_chat.protocol.requests import CreateGroup, MessageSent, SendMessage
from tui_chat.server.engines import Transaction
from tui_chat.server.engines.postgres_transaction import PostgresTransaction
from tui_chat.server.operations import events, groups, messages, reactions

FREE = "SELECT account FROM stream ORDER BY account FOR NO KEY UPDATE SKIP LOCKED"


@pytest.mark.parametrize("what", ["a message to a person", "a message to a group", "a reaction"])
async def test_what_was_begun_between_locking_it_and_reading_it_is_locked_all_the_same(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """Each statement sees what was committed before it. Unlocked, two events were told under one number."""
    address = postgres.new_database()
    loop = asyncio.get_running_loop()
    place = "GROUPg" if what == "a message to a group" else "C2Cbob"
    tries: list[Transaction] = []
    free: list[list[tuple[int]]] = []
    """Whose logs nobody held when Bob took the numbers of his events."""
    lock_room, take_event_seqs = PostgresTransaction.lock_room, PostgresTransaction.take_event_seqs

    async with opened(address) as engine, opened(address) as other:
        alice, bob, carol = [await join(engine, name) for name in ("alice", "bob", "carol")]

        async def begin() -> None:
            both = CreateGroup(group_id="g", name="g", members=["bob"])
            if place == "GROUPg":
                await other.write(lambda tx: groups.create(tx, alice, both))
            hello = SendMessage(client_id="first", text="hello")
            await other.write(lambda tx: messages.send(tx, alice, place, hello))

        def overtaken(tx: PostgresTransaction, user: int, folded: str) -> None:
            lock_room(tx, user, folded)
            if [tx] == tries:
                assert tx.now  # what was asked for is locked, which is nothing
                asyncio.run_coroutine_threadsafe(begin(), loop).result(10)

        def watched(
            tx: PostgresTransaction, wanted: Mapping[int, int], known: Mapping[int, int] | None = None
        ) -> dict[int, int]:
            if tx in tries:
                with psycopg.connect(address) as connection:
                    free.append(connection.execute(FREE).fetchall())
            return take_event_seqs(tx, wanted, known)

        def act(tx: Transaction) -> MessageSent:
            tries.append(tx)
            there = place if place == "GROUPg" else "C2Calice"
            if what == "a reaction":
                return reactions.react(tx, bob, there, 1, "👍")
            return messages.send(tx, bob, there, SendMessage(client_id="second", text="hello"))

        monkeypatch.setattr(PostgresTransaction, "lock_room", overtaken)
        monkeypatch.setattr(PostgresTransaction, "take_event_seqs", watched)
        told = await engine.write(act)
        assert len(tries) == 2
        assert free == [[(carol.user,)]]
        assert told.event_seq == await engine.read(lambda tx: events.position(tx, bob.user))
        logs = {one.event_seq for one in tries[-1].emitted if one.user == alice.user}
        assert logs == {await engine.read(lambda tx: events.position(tx, alice.user))}
