"""Databases in which nothing can be begun: whoever runs the server is told why, in one line."""

from pathlib import Path

import psycopg
import pytest

from tests.databases import PostgresServer
from tests.servers import CHEAP
from tui_chat.server.run import CannotServe, ServerOptions, running


async def refused(data: Path, database: str) -> str:
    """Why a server does not begin there."""
    with pytest.raises(CannotServe) as refusal:
        async with running(ServerOptions(port=0, data=data, database=database, passwords=CHEAP)):
            raise AssertionError("it serves")
    return str(refusal.value)


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


async def test_one_in_which_somebody_elses_tables_are(postgres: PostgresServer, tmp_path: Path) -> None:
    address = postgres.new_database()
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("CREATE TABLE account (theirs INT)")
    assert '"account" already exists' in await refused(tmp_path, address)
    with psycopg.connect(address) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    assert tables == [("account",)], "nothing is left there"


async def test_one_that_takes_nothing(postgres: PostgresServer, tmp_path: Path) -> None:
    address = postgres.new_database()
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {connection.info.dbname} SET default_transaction_read_only = on")
    assert "read-only" in await refused(tmp_path, address)
