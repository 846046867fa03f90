"""Bring a database's schema up to date: numbered .sql files, each applied once, in order."""

import re
import secrets
import sqlite3
from collections.abc import Collection
from importlib.resources import files
from typing import Final

OURS: Final = {"meta": {"name", "value"}, "migration": {"number", "applied"}, "account": {"user_id", "folded"}}
"""Tables that a database of ours has had since the first version, and some of their columns."""
_NAME: Final = re.compile(r"(\d{4})_\w+\.sql")


def available() -> list[tuple[int, str]]:
    """The migrations that come with this version: their numbers and their text, in order."""
    found = []
    for entry in files("tui_chat.server.schema").iterdir():
        match = _NAME.fullmatch(entry.name)
        if match is not None:
            found.append((int(match[1]), entry.read_text(encoding="utf-8")))
    return sorted(found)


def statements(text: str) -> list[str]:
    """The statements of a migration, without comments. Our files have no semicolon but at a statement's end."""
    bare = "\n".join(line.split("--", 1)[0] for line in text.splitlines())
    return [statement for part in bare.split(";") if (statement := part.strip())]


def missing(done: Collection[int]) -> list[tuple[int, str]]:
    """What is still to be applied where `done` was.

    Raises:
        RuntimeError: the database has been written by a newer version.
    """
    known = available()
    newest = max(number for number, _ in known)
    if done and max(done) > newest:
        raise RuntimeError(f"this database has schema {max(done)}; this version knows up to {newest}: update it")
    return [(number, text) for number, text in known if number not in done]


def migrate(connection: sqlite3.Connection, now: int) -> None:
    """Bring an SQLite database up to date, all of it or nothing.

    Raises:
        RuntimeError: the database has been written by a newer version.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute("CREATE TABLE IF NOT EXISTS migration (number BIGINT PRIMARY KEY, applied BIGINT NOT NULL)")
        done = {int(row[0]) for row in connection.execute("SELECT number FROM migration")}
        for number, text in missing(done):
            for statement in statements(text):
                connection.execute(statement.replace("/* clustered */", "WITHOUT ROWID"))
            connection.execute("INSERT INTO migration (number, applied) VALUES (?, ?)", (number, now))
        connection.execute(
            "INSERT INTO meta (name, value) VALUES ('epoch', ?) ON CONFLICT (name) DO NOTHING", (secrets.token_hex(6),)
        )
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
