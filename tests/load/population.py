"""Databases that are filled before a server starts on them: accounts that are logged in, conversations, groups.

Registering a thousand accounts over HTTP costs a thousand argon2 hashes; here it costs one transaction.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from tui_chat.protocol.requests import ChangeSettings, Credentials
from tui_chat.server.engines import Engine, Transaction
from tui_chat.server.engines.postgres import PostgresEngine
from tui_chat.server.engines.sqlite import SqliteEngine
from tui_chat.server.operations import accounts, importing, settings
from tui_chat.server.run import DATABASE

_AT_ONCE: Final = 20_000
"""Messages in one transaction."""
_BEGIN_MS: Final = 1_760_000_000_000


class Login(NamedTuple):
    """A device that is logged in."""

    user_id: str
    device_id: str
    token: str


class Population:
    """What is filled into a server's database; use it within `filling` or `filling_postgres`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def settings(self, **changes: Any) -> None:
        """Change the server's settings."""
        await self._engine.write(lambda tx: settings.apply(tx, ChangeSettings(**changes)))

    async def users(self, *user_ids: str) -> list[Login]:
        """Accounts without a password, each with one device that is logged in."""
        users = [importing.ArchivedUser(user_id=user_id) for user_id in user_ids]
        await self._engine.write(lambda tx: importing.import_archive(tx, importing.Archive(users=users)))
        return await self.devices(*user_ids)

    async def devices(self, *user_ids: str) -> list[Login]:
        """One more device for each of these users."""

        def job(tx: Transaction) -> list[Login]:
            return [_log_in(tx, user_id) for user_id in user_ids]

        return await self._engine.write(job)

    async def group(self, group_id: str, members: list[str]) -> str:
        """A group; its conversationID."""
        group = importing.ArchivedGroup(group_id=group_id, name=group_id, members=members, time=_BEGIN_MS)
        await self._engine.write(lambda tx: importing.import_archive(tx, importing.Archive(groups=[group])))
        return f"GROUP{group_id}"

    async def messages(self, count: int, message: Callable[[int], tuple[str, str, str]]) -> None:
        """One-to-one messages: `message(number)` is (sender, to, text); those of a conversation come in order."""

        def archived(number: int) -> importing.ArchivedMessage:
            sender, to, text = message(number)
            return importing.ArchivedMessage(sender=sender, to=to, time=_BEGIN_MS + number, text=text)

        for start in range(0, count, _AT_ONCE):
            some = [archived(number) for number in range(start, min(count, start + _AT_ONCE))]
            await self._engine.write(lambda tx, some=some: _import(tx, some))  # type: ignore[misc]

    async def not_to_be_searched(self) -> None:
        """Let the server take what is filled in for searchable, or it would index all of it while it is measured."""
        statement = "UPDATE conversation SET indexed_through = last_seq, unindexed = 0"
        await self._engine.write(lambda tx: tx.execute(statement))


@asynccontextmanager
async def filling(data: Path) -> AsyncIterator[Population]:
    """A population for a server whose directory is `data`, and which does not run yet."""
    engine = await SqliteEngine.open(data / DATABASE)
    try:
        yield Population(engine)
    finally:
        await engine.close()


@asynccontextmanager
async def filling_postgres(address: str) -> AsyncIterator[Population]:
    """The same for servers that keep their data in PostgreSQL, which may run already."""
    engine = await PostgresEngine.open(address)
    try:
        yield Population(engine)
    finally:
        await engine.close()


def pairs(logins: list[Login]) -> Iterator[tuple[Login, Login]]:
    """The first with the second, the third with the fourth, and so on."""
    return zip(logins[::2], logins[1::2], strict=False)


def _import(tx: Transaction, messages: list[importing.ArchivedMessage]) -> None:
    importing.import_archive(tx, importing.Archive(messages=messages))


def _log_in(tx: Transaction, user_id: str) -> Login:
    session = accounts.login(tx, Credentials(user_id=user_id, password="", device_name="load"))
    return Login(session.user_id, session.device_id, session.access_token)
