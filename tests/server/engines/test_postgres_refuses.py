"""Databases in which nothing can be begun: whoever runs the server is told why, in one line."""

import asyncio
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from tests.databases import PostgresServer
from tests.servers import CHEAP
from tui_chat.server.engines import postgres_connection
from tui_chat.server.run import CannotServe, ServerOptions, running


async def refused(data: Path, database: str) -> str:
    """Why a server does not begin there."""
    with pytest.raises(CannotServe) as refusal:
        async with running(ServerOptions(port=0, data=data, database=database, passwords=CHEAP)):
            raise AssertionError("it serves")
    return str(refusal.value)


async def served(data: Path, database: str) -> None:
    """Let a server begin there, and end."""
    async with running(ServerOptions(port=0, data=data, database=database, passwords=CHEAP)):
        pass


def tables(connection: "psycopg.Connection[tuple[str]]") -> set[str]:
    """What there is in the schema where servers make theirs."""
    return {row[0] for row in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}


async def test_one_where_the_role_may_make_no_tables(postgres: PostgresServer, tmp_path: Path) -> None:
    """As a role may not since PostgreSQL 15, unless it owns the database or was granted it."""
    address = postgres.new_database()
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS guest")
        connection.execute("CREATE ROLE guest LOGIN")
        connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    said = await refused(tmp_path, address.replace("postgres@", "guest@"))
    assert "permission denied for schema public" in said
    assert "\n" not in said


@pytest.mark.parametrize("theirs", ["account (theirs INT)", "customer (name TEXT) PARTITION BY LIST (name)"])
async def test_one_in_which_another_programs_tables_are(postgres: PostgresServer, tmp_path: Path, theirs: str) -> None:
    address = postgres.new_database()
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"CREATE TABLE {theirs}")
        before = tables(connection)
        said = await refused(tmp_path, address)
        assert "another program's tables" in said
        assert "\n" not in said
        assert tables(connection) == before, "nothing is left there"


async def test_tables_of_another_schema_and_of_extensions_are_in_nobodys_way(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    address = postgres.new_database()
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA theirs; CREATE TABLE theirs.account (theirs INT)")
        connection.execute("CREATE TABLE helper (number INT)")
        connection.execute("ALTER EXTENSION plpgsql ADD TABLE helper")
        await served(tmp_path, address)
        assert {"account", "helper"} < tables(connection)


async def test_who_begins_while_another_brings_the_tables_up_to_date_waits(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long that takes: an index over all messages may take minutes."""
    monkeypatch.setattr(postgres_connection, "LOCK_MS", 50)
    monkeypatch.setattr(postgres_connection, "STATEMENT_MS", 100)
    address = postgres.new_database()
    with psycopg.connect(address) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (postgres_connection.MIGRATING,))
        beginning = asyncio.create_task(served(tmp_path, address))
        waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'advisory' AND query_start < clock_timestamp() - %s"
        while not connection.execute(waits, (timedelta(milliseconds=200),)).fetchone() and not beginning.done():
            await asyncio.sleep(0.01)
            connection.execute("SELECT pg_stat_clear_snapshot()")
    await beginning


async def test_who_keeps_tables_beside_ours_goes_on(postgres: PostgresServer, tmp_path: Path) -> None:
    address = postgres.new_database()
    await served(tmp_path, address)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("CREATE TABLE customer (name TEXT)")
    await served(tmp_path, address)


async def test_one_that_takes_nothing(postgres: PostgresServer, tmp_path: Path) -> None:
    address = postgres.new_database()
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {connection.info.dbname} SET default_transaction_read_only = on")
    assert "read-only" in await refused(tmp_path, address)
