"""Passwords and the memory of tokens."""

import asyncio
from hashlib import sha256

import pytest
from argon2 import PasswordHasher, extract_parameters

from tui_chat.protocol.errors import InvalidRequest, Unauthorized, Unavailable
from tui_chat.server.auth import HASHES_WAITING_MOST, TOKEN_MEMORY_MS, Bearer, Passwords, Tokens
from tui_chat.server.operations.caller import Caller
from tui_chat.server.options import HashParameters

CHEAP = HashParameters(memory_kib=8)


def caller(device: int) -> Caller:
    return Caller(
        user=1, user_id="alice", device=device, device_id=f"d{device}", device_name="laptop", administrator=False
    )


async def test_a_password_is_known_again_and_no_other() -> None:
    passwords = Passwords(CHEAP)
    stored = await passwords.hash("correct horse")
    assert stored.startswith("$argon2id$")
    assert await passwords.verify(stored, "correct horse")
    assert not await passwords.verify(stored, "correct horse ")
    assert not await passwords.verify(None, "correct horse")
    assert not await passwords.verify("no hash at all", "correct horse")
    passwords.close()


async def test_the_length_of_a_password_is_checked_before_it_is_hashed() -> None:
    passwords = Passwords(CHEAP)
    for password in ("short", "x" * 129):
        with pytest.raises(InvalidRequest, match="8 to 128"):
            await passwords.hash(password)
    assert await passwords.hash("päßwörd-1")
    passwords.close()


async def test_an_unknown_user_costs_the_same_work_as_a_wrong_password(monkeypatch: pytest.MonkeyPatch) -> None:
    worked_on: list[str] = []
    verify = PasswordHasher.verify

    def recorded(self: PasswordHasher, stored: str, password: str) -> bool:
        worked_on.append(stored)
        return verify(self, stored, password)

    monkeypatch.setattr(PasswordHasher, "verify", recorded)
    passwords = Passwords(CHEAP)
    assert not await passwords.verify(await passwords.hash("correct horse"), "wrong horse")
    assert not await passwords.verify(None, "wrong horse")
    passwords.close()
    known, unknown = (extract_parameters(stored) for stored in worked_on)
    assert known == unknown


async def test_too_many_at_once_are_turned_away() -> None:
    passwords = Passwords(CHEAP)
    tries = [asyncio.create_task(passwords.verify(None, "x")) for _ in range(HASHES_WAITING_MOST + 10)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(result, Unavailable) for result in results) == 10
    assert not await passwords.verify(None, "x")
    passwords.close()


class Database:
    """Tokens `t1`, `t2` … of devices 1, 2 …; counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.gone: set[str] = set()
        self.pause: asyncio.Event | None = None
        self.reached = asyncio.Event()

    async def __call__(self, token: str) -> Caller:
        self.asked += 1
        if not token.startswith("t") or token in self.gone:
            raise Unauthorized()
        found = caller(int(token[1:]))
        self.reached.set()
        if self.pause is not None:
            await self.pause.wait()
        return found


T7, T8 = ("t7", b"hash of t7"), ("t8", b"hash of t8")
"""Tokens with their hashes."""


def test_a_token_is_taken_out_of_its_header() -> None:
    bearer = Bearer()
    for header, token in (
        (b"Bearer t7", "t7"),
        (b"Bearer t7", "t7"),
        (b"bearer   t8 ", "t8"),
        (b"Bearer t\xe4", "t\xe4"),
        (b"Bearer t7", "t7"),
    ):
        found = bearer.of(header)
        assert found == (token, sha256(token.encode()).digest())
    for header in (b"", b"Bearer", b"Bearer ", b"Bearer  ", b"Basic t7", b"t7"):
        assert bearer.of(header) is None
        assert bearer.of(header) is None
    assert bearer.of(b"Bearer t7") is not None


async def test_a_token_is_looked_up_once_until_the_memory_is_old() -> None:
    database, now = Database(), [0]
    tokens = Tokens(database, lambda: now[0])
    for _ in range(5):
        assert (await tokens.caller(*T7)).device == 7
    assert database.asked == 1
    now[0] = TOKEN_MEMORY_MS
    await tokens.caller(*T7)
    assert database.asked == 2


async def test_a_clock_that_goes_back_is_not_believed() -> None:
    database, now = Database(), [1_000_000]
    tokens = Tokens(database, lambda: now[0])
    await tokens.caller(*T7)
    now[0] = 0
    await tokens.caller(*T7)
    assert database.asked == 2


async def test_a_revoked_device_is_asked_for_again_at_once() -> None:
    database = Database()
    tokens = Tokens(database, lambda: 0)
    await tokens.caller(*T7)
    await tokens.caller(*T8)
    database.gone.add("t7")
    tokens.forget(["d7"])
    with pytest.raises(Unauthorized):
        await tokens.caller(*T7)
    await tokens.caller(*T8)
    assert database.asked == 3


async def test_a_token_that_is_revoked_while_it_is_looked_up_is_not_remembered() -> None:
    database = Database()
    database.pause = asyncio.Event()
    tokens = Tokens(database, lambda: 0)
    under_way = asyncio.create_task(tokens.caller(*T7))
    await database.reached.wait()
    database.gone.add("t7")
    tokens.forget(["d7"])
    database.pause.set()
    await under_way
    with pytest.raises(Unauthorized):
        await tokens.caller(*T7)


async def test_an_unknown_token_is_not_remembered() -> None:
    tokens = Tokens(Database(), lambda: 0)
    with pytest.raises(Unauthorized):
        await tokens.caller("nonsense\ud800", b"its hash")
