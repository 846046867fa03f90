"""Somebody deletes just when what nobody can see is being erased."""

import asyncio

import pytest

from tests.databases import PostgresServer
from tests.server.test_postgres_engine import join, opened
from tui_chat.protocol.requests import ChangeSettings, DeleteConversations, SendMessage
from tui_chat.server.engines import Transaction
from tui_chat.server.operations import deletion, expiry, messages, settings
from tui_chat.server.operations.caller import Caller


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
