"""`admin migrate-database`: a team that has worked on SQLite goes on, on PostgreSQL."""

import re
import sqlite3
import sys
from pathlib import Path

import psycopg
import pytest

from tests.accounts import Device, People
from tests.databases import PostgresServer
from tests.servers import LiveServer
from tui_chat.server.operations import crowdlog
from tui_chat.server.options import DATABASE

from .conftest import Run


def test_a_team_goes_on_where_it_was(
    run: Run,
    server: LiveServer,
    people: People,
    postgres: PostgresServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(crowdlog, "spread", lambda tx: False)
    alice, bob = people.register("alice"), people.register("bob")
    for number in range(30):
        alice.send("C2Cbob", f"{number}: 你好\n'\"\\N\t")
    alice.create_group("team", "bob", groupID="team")
    bob.send("GROUPteam", "hello")
    bob.delete("C2Calice", batchID="batch")
    server.tidy()
    cursor, before = bob.cursor(), alice.history("C2Cbob", limit=100)
    alice.send("GROUPteam", "while bob was away")
    data, address = str(server.options.data), postgres.new_database()
    code, _, error = run("admin", "migrate-database", data, address)
    assert code == 1
    assert "stop the server first" in error
    server.stop()

    code, output, error = run("admin", "migrate-database", data, address)
    assert code == 0, error
    assert "copied and compared" in output
    assert re.search(r"copied message: (\d+) of \1\n", error)
    assert "copied crowd_event: 2 of 2\n" in error, "what waits to be spread comes along"
    monkeypatch.undo()
    assert run("admin", "migrate-database", data, address, "--check")[0] == 0
    assert "accounts already" in run("admin", "migrate-database", data, address)[2]

    live = LiveServer(tmp_path / "there", database=address)
    there = People(live.url)
    try:
        alice, bob = (_at(there, one) for one in (alice, bob))
        assert alice.history("C2Cbob", limit=100) == before
        [missed] = bob.events(cursor)
        assert missed["message"]["text"] == "while bob was away"
        assert "C2Calice" not in bob.conversations()
        bob.restore(batchID="batch")
        assert bob.conversations()["C2Calice"]["messageCount"] == 30
        assert bob.send("C2Calice", "from PostgreSQL")["messageSeq"] == 31
        there.register("carol").send("C2Calice", "a new one")
    finally:
        there.close()
        live.stop()
    code, _, error = run("admin", "migrate-database", data, address, "--check")
    assert code == 1
    assert "they differ in account, " in error


def test_what_cannot_be_moved_is_one_line_and_changes_nothing(
    run: Run, server: LiveServer, people: People, postgres: PostgresServer, tmp_path: Path
) -> None:
    people.register("alice")
    server.stop()
    file, address = server.options.data / DATABASE, postgres.new_database()
    (tmp_path / "rubbish").write_text("rubbish" * 100)
    assert run("admin", "migrate-database", str(file), "mysql://here")[0] == 2
    for source, target, why in (
        (str(tmp_path / "nothing"), address, "is no database"),
        (str(tmp_path / "rubbish"), address, "cannot be read"),
        (str(file), postgres.address("nowhere"), "nowhere"),
    ):
        code, output, error = run("admin", "migrate-database", source, target)
        assert (code, output) == (1, "")
        assert why in error
        assert error.count("\n") == 1
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE account SET nick = 'a' || char(0) || 'b'")
        connection.commit()
    connection.close()
    code, _, error = run("admin", "migrate-database", str(file), address)
    assert code == 1
    assert "takes not all of it" in error
    with psycopg.connect(address) as target_connection:
        assert target_connection.execute("SELECT COUNT(*) FROM account").fetchone() == (0,)
    with sqlite3.connect(file) as connection:
        connection.execute("DELETE FROM migration WHERE number = (SELECT MAX(number) FROM migration)")
    connection.close()
    assert "start and stop its server once" in run("admin", "migrate-database", str(file), address)[2]
    with sqlite3.connect(file) as connection:
        connection.execute("INSERT INTO migration (number, applied) VALUES (9999, 0)")
    connection.close()
    assert "update tui-chat" in run("admin", "migrate-database", str(file), address)[2]


def test_without_the_driver_it_says_what_to_install(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in sys.modules if name.startswith("tui_chat.server.engines.postgres")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    address = "postgresql://nobody@localhost/nothing"
    for words in (
        ("serve", "--port", "0", "--data", str(tmp_path / "data"), "--database", address),
        ("admin", "migrate-database", str(tmp_path / "file"), address),
    ):
        code, _, error = run(*words)
        assert code != 0
        assert error.count("\n") == 1
        assert "pip install 'tui-chat[postgres]'" in error


def _at(there: People, device: Device) -> Device:
    """The same log-in at another server."""
    session = {
        "userID": device.user_id,
        "deviceID": device.device_id,
        "accessToken": device.access_token,
        "refreshToken": device.refresh_token,
    }
    return Device(there.http, session)
