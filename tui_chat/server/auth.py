"""Who may in: passwords (argon2id, on threads), tokens (a short memory of whom they belong to), open registration."""

import asyncio
import hashlib
import os
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from tui_chat.protocol import limits
from tui_chat.protocol.errors import InvalidRequest, Unavailable

from .operations.caller import Caller
from .options import HashParameters, ServerOptions, host_of, is_loopback

Result = TypeVar("Result")

TOKENS_REMEMBERED: Final = 20_000
TOKEN_MEMORY_MS: Final = 60_000
"""How long a token is believed without asking the database. Revoking is told at once, and where it was done at another
process and the word was lost, found by the next comparison (bus/exchange.py); so this bounds expiry alone. A device's
last use is written down as often."""
HASHES_WAITING_MOST: Final = 256


class Passwords:
    """Hashes and checks passwords on as many threads as there are cores: each hash takes its memory and ~30 ms."""

    def __init__(self, parameters: HashParameters) -> None:
        self._hasher = PasswordHasher(
            time_cost=parameters.passes, memory_cost=parameters.memory_kib, parallelism=parameters.lanes
        )
        self._threads = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="password")
        self._waiting = 0
        self._nobodys = self._hasher.hash(secrets.token_hex(16))

    async def hash(self, password: str) -> str:
        """The hash to store.

        Raises:
            InvalidRequest: shorter or longer than limits allow.
            Unavailable: too many wait already.
        """
        if not limits.PASSWORD_CHARACTERS_LEAST <= len(password) <= limits.PASSWORD_CHARACTERS_MOST:
            raise InvalidRequest(
                f"a password has {limits.PASSWORD_CHARACTERS_LEAST} to {limits.PASSWORD_CHARACTERS_MOST} characters",
                details={"path": "$.password"},
            )
        return await self._on_thread(self._hasher.hash, password)

    async def hash_again(self, password: str) -> str:
        """The hash of a password that was right, whatever its length. Raises Unavailable: too many wait already."""
        return await self._on_thread(self._hasher.hash, password)

    def is_outdated(self, stored: str) -> bool:
        """Whether a hash was made at another cost than hashes have now."""
        return self._hasher.check_needs_rehash(stored)

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether it is the password; for a user who does not exist (None) it takes as long, and it is not.

        Raises:
            Unavailable: too many wait already.
        """
        right = await self._on_thread(
            self._matches, stored or self._nobodys, password[: limits.PASSWORD_CHARACTERS_MOST + 1]
        )
        return right and stored is not None

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown()

    def _matches(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _on_thread(self, work: Callable[..., Result], *arguments: str) -> Result:
        if self._waiting >= HASHES_WAITING_MOST:
            raise Unavailable("too many log-ins at once: try again", retry_after=5)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)
        finally:
            self._waiting -= 1


class Bearer:
    """The access token in the requests of one connection: mostly it is the same in all of them, and then it is taken
    apart and hashed once."""

    __slots__ = ("_read",)

    def __init__(self) -> None:
        self._read: dict[bytes, tuple[str, bytes] | None] = {}
        """Of the newest header alone: what stands in it."""

    def of(self, header: bytes) -> tuple[str, bytes] | None:
        """The token in an `Authorization` header, and its hash; None where it holds none."""
        try:
            return self._read[header]
        except KeyError:
            scheme, _, token = header.decode("latin-1").partition(" ")
            token = token.strip() if scheme.lower() == "bearer" else ""
            found = (token, hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()) if token else None
            self._read = {header: found}
            return found


class Tokens:
    """Whose access token it is, with a short memory so that a request need not ask the database."""

    def __init__(self, look_up: Callable[[str], Awaitable[Caller]], clock: Callable[[], int]) -> None:
        self.look_up = look_up
        """Whose access token it is, by the database. Raises Unauthorized."""
        self._clock = clock
        self._known: OrderedDict[bytes, tuple[Caller, int]] = OrderedDict()
        self.forgotten = 0
        """How often tokens were forgotten: while it stays the same, who was let in is still."""

    def known(self, key: bytes) -> Caller | None:
        """The device that a token belongs to, by the token's hash (see Bearer), where that is remembered."""
        known = self._known.get(key)
        return known[0] if known is not None and 0 <= self._clock() - known[1] < TOKEN_MEMORY_MS else None

    async def caller(self, token: str, key: bytes) -> Caller:
        """The device that the token with this hash belongs to.

        Raises:
            Unauthorized: to none, or it ran out.
        """
        known = self.known(key)
        if known is not None:
            return known
        forgotten = self.forgotten
        caller = await self.look_up(token)
        if forgotten == self.forgotten:
            self._known[key] = (caller, self._clock())
            self._known.move_to_end(key)
            if len(self._known) > TOKENS_REMEMBERED:
                self._known.popitem(last=False)
        return caller

    def forget(self, devices: Collection[str], users: Collection[int] = ()) -> None:
        """The tokens of these devices, and of these users, are no longer valid; an answer that is on its way is not
        remembered."""
        self.forgotten += 1
        self._known = OrderedDict(
            (key, known)
            for key, known in self._known.items()
            if known[0].device_id not in devices and known[0].user not in users
        )


def may_register_freely(options: ServerOptions, peer: str | None, headers: Mapping[bytes, bytes]) -> bool:
    """Whether a request to register comes from this very machine, and the server is for nobody else: the one case that
    needs no invitation."""
    return is_loopback(options.host) and from_this_machine(options, peer, headers)


def from_this_machine(options: ServerOptions, peer: str | None, headers: Mapping[bytes, bytes]) -> bool:
    """Whether a request comes from this very machine.

    A proxy in front would make every stranger look local, so the server must have no public address, and the request
    must name a loopback host and carry no sign of a proxy.
    """
    proxied = any(name == b"forwarded" or name.startswith(b"x-forwarded-") for name in headers)
    host = host_of(headers.get(b"host", b"").decode("latin-1"))
    return options.public_url is None and peer is not None and is_loopback(peer) and is_loopback(host) and not proxied
