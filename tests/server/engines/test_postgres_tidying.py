"""Somebody deletes, or undoes a deletion, just when it is being tidied."""

import asyncio
from collections.abc import Iterable, Mapping

import pytest

from tests.databases import PostgresServer
from tests.server.engines.test_postgres import join, opened
from tui_chat.clock import system_clock
from tui_chat.protocol.requests import (
    ChangeSettings,
    ConversationsDeleted,
    ConversationsRestored,
    DeleteConversations,
    RestoreConversations,
    SendMessage,
)
from tui_chat.server.engines import Transaction
from tui_chat.server.engines.postgres_transaction import PostgresTransaction
from tui_chat.server.operations import deletion, deletionlog, expiry, messages, settings, settling, undo
from tui_chat.server.operations.caller import Caller


async def test_what_comes_from_a_clock_that_is_behind_while_others_become_final_becomes_so_too(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its batch had been called final, and what it hid and cleared stayed as if it could be undone, for ever."""
    address = postgres.new_database()
    loop = asyncio.get_running_loop()
    overtaken: list[int] = []

    async with opened(address) as engine, opened(address, lambda: system_clock() - 3_600_000) as behind:
        alice, bob = [await join(engine, name) for name in ("alice", "bob")]
        asked = DeleteConversations(conversation_id_list=["@TIM#SYSTEM"], operation_id="once")

        async def delete(who: Caller) -> None:
            await behind.write(lambda tx: deletion.delete(tx, who, deletion.in_order(who, asked)))

        def folded(tx: Transaction, account: int, operations: Mapping[int, int]) -> None:
            overtaken.append(account)
            if account == alice.user:
                asyncio.run_coroutine_threadsafe(delete(bob), loop).result(10)
            settling.fold(tx, account, operations)

        monkeypatch.setattr(expiry, "fold", folded)
        await delete(alice)
        assert not await engine.write(expiry.fold_expired)
        assert not await engine.write(expiry.fold_expired)
        assert overtaken == [alice.user, bob.user]
        ended = "SELECT o.status, b.status FROM operation o JOIN batch b ON b.id = o.batch"
        assert await engine.read(lambda tx: tx.all(ended)) == [(settling.FINAL, settling.FINAL)] * 2


async def test_a_deletion_that_comes_too_late_for_one_tidying_counts_for_the_next(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was noted, and the note taken away with the one that had caused the tidying."""
    address = postgres.new_database()
    loop = asyncio.get_running_loop()
    unseen_through = expiry.unseen_through
    overtaken: list[int] = []

    async with opened(address) as engine, opened(address) as other:
        alice, bob = [await join(engine, name) for name in ("alice", "bob")]
        await engine.write(lambda tx: settings.apply(tx, ChangeSettings(undo_seconds=0)))
        hello = SendMessage(client_id="first", text="hello")
        await engine.write(lambda tx: messages.send(tx, alice, "C2Cbob", hello))

        async def delete(who: Caller, name: str) -> None:
            asked = DeleteConversations(conversation_id_list=[name], operation_id=f"of-{name}")
            await other.write(lambda tx: deletion.delete(tx, who, deletion.in_order(who, asked)))

        def looked(tx: Transaction, conversation: int) -> int:
            through = unseen_through(tx, conversation)
            if not overtaken:
                overtaken.append(through)
                asyncio.run_coroutine_threadsafe(delete(alice, "C2Cbob"), loop).result(10)
            return through

        async def texts() -> list[str | None]:
            return await engine.read(lambda tx: [row[0] for row in tx.all("SELECT text FROM message")])

        monkeypatch.setattr(expiry, "unseen_through", looked)
        await delete(bob, "C2Calice")
        await engine.write(expiry.erase_unseen)
        assert (overtaken, await texts()) == ([0], ["hello"])
        await engine.write(expiry.erase_unseen)
        assert await texts() == [None]


@pytest.mark.parametrize("overtaken_by", ["undo", "another call"])
async def test_what_happens_to_a_deletion_that_is_about_to_be_final_counts(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch, overtaken_by: str
) -> None:
    """It was found due, and before its user was locked it was undone, or its batch went on: then it became final, and
    the log said that it had taken nothing."""
    address = postgres.new_database()
    loop = asyncio.get_running_loop()
    passed = [0]
    lock_users = PostgresTransaction.lock_users
    tidying: list[Transaction] = []

    async with (
        opened(address, lambda: system_clock() + passed[0]) as engine,
        opened(address, lambda: system_clock() + 601_000) as late,
    ):
        alice, *peers = [await join(engine, name) for name in ("alice", "bob", "carol")]

        async def greet(peer: Caller) -> None:
            hello = SendMessage(client_id=f"to-{peer.user_id}", text="hello")
            await engine.write(lambda tx: messages.send(tx, alice, f"C2C{peer.user_id}", hello))

        async def delete(name: str) -> ConversationsDeleted:
            request = DeleteConversations(conversation_id_list=[name], operation_id=f"of-{name}", batch_id="batch")
            return await engine.write(lambda tx: deletion.delete(tx, alice, deletion.in_order(alice, request)))

        async def restore() -> ConversationsRestored:
            asked = RestoreConversations(batch_id="batch")
            return await engine.write(lambda tx: undo.restore(tx, alice, asked))

        def overtaken(tx: PostgresTransaction, users: Iterable[int]) -> None:
            if tidying and tx is tidying.pop():
                passed[0] = 590_000
                meanwhile = restore() if overtaken_by == "undo" else delete("C2Ccarol")
                asyncio.run_coroutine_threadsafe(meanwhile, loop).result(10)
            lock_users(tx, users)

        def tidy(tx: Transaction) -> None:
            tidying.append(tx)
            expiry.fold_expired(tx)

        for peer in peers:
            await greet(peer)
        await delete("C2Cbob")
        monkeypatch.setattr(PostgresTransaction, "lock_users", overtaken)
        await late.write(tidy)
        back = await restore()
        assert sorted(back.conversation_id_list) == ["C2Cbob", "C2Ccarol"][: 1 + (overtaken_by == "another call")]
        asked = RestoreConversations(operation_id="of-C2Cbob")
        assert await engine.write(lambda tx: undo.restore(tx, alice, asked)) == back
        [entry] = await engine.read(lambda tx: deletionlog.log(tx, alice).deletions)
        assert (entry.restored, entry.count) == (True, len(back.conversation_id_list))
