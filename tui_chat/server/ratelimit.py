"""Token buckets, and the lockout that grows with every guess at a password.

Times come from the caller's monotonic clock, in seconds. Idle buckets are forgotten, so memory is bounded by who was
active within the time that a bucket takes to fill.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from ipaddress import ip_network
from typing import Final, NamedTuple

from tui_chat.protocol import limits
from tui_chat.protocol.errors import TooFrequent

from .options import address_of, is_loopback

MOST_KEYS: Final = 100_000
"""Keys that one table holds; beyond it those that were idle longest are dropped."""


_TOLERANCE_SECONDS: Final = 1e-6
"""Below it times are not told apart: they are sums of fractions."""


class Rate:
    """`burst` calls at once for every key, then `a_second`.

    Of each key it is known when its bucket will be full again, which is one number to look up and one to write. Who did
    not call for as long as an empty bucket takes to fill is forgotten, all such at once: there are keys that called
    lately and keys that called before, and from time to time the former become the latter.
    """

    def __init__(self, a_second: float, burst: float, monotonic: Callable[[], float]) -> None:
        self._call = 1 / a_second
        """Seconds in which what one call takes comes back."""
        self._burst = burst / a_second
        """Seconds in which an empty bucket fills."""
        self._monotonic = monotonic
        self._lately: dict[Hashable, float] = {}
        """When the bucket of each key that called since `_forgotten` is full again."""
        self._before: dict[Hashable, float] = {}
        """The same of those that called within the time before that."""
        self._forgotten = monotonic()
        """When some were forgotten last."""

    def take(self, key: Hashable) -> None:
        """Count one call of `key`.

        Raises:
            TooFrequent: nothing is left; `retry_after` says when there will be.
        """
        self.take_at(key, self._monotonic())

    def take_at(self, key: Hashable, now: float) -> None:
        """The same at a time that was just read."""
        again = self._lately.get(key)
        if again is None:
            if now - self._forgotten > self._burst or len(self._lately) >= MOST_KEYS // 2:
                self._forget(now)
            again = self._before.get(key, now)
        again = (again if again > now else now) + self._call
        over = again - now - self._burst
        if over > _TOLERANCE_SECONDS:
            raise TooFrequent(retry_after=over)
        self._lately[key] = again

    def forget(self, key: Hashable) -> None:
        """Give `key` its whole burst again."""
        self._lately.pop(key, None)
        self._before.pop(key, None)

    def __len__(self) -> int:
        return len(self._lately.keys() | self._before.keys())

    def _forget(self, now: float) -> None:
        """Drop those that did not call since this was done last. Unless there are too many, their buckets are full
        again: that takes at most `_burst` from the last call, and so long it has been."""
        self._before, self._lately, self._forgotten = self._lately, {}, now


class Lockout:
    """Attempts at one account: `free` at once and a minute; then every failure doubles the wait for the next attempt.

    Unknown names count like known ones, so that the answer tells nothing. A success clears the account.
    """

    FIRST_SECONDS: Final = 15.0
    LONGEST_SECONDS: Final = 900.0
    FORGOTTEN_SECONDS: Final = 2 * LONGEST_SECONDS
    """Quiet after which an account begins anew."""

    def __init__(self, free: int, monotonic: Callable[[], float]) -> None:
        self._free = free
        self._monotonic = monotonic
        self._accounts: OrderedDict[Hashable, _Attempts] = OrderedDict()

    def check(self, key: Hashable) -> None:
        """Count an attempt as a failure until `succeeded` says otherwise, so that many at once are no way around.

        Raises:
            TooFrequent: too early; `retry_after` says when.
        """
        now = self._monotonic()
        known = self._accounts.get(key)
        if known is None or now - known.last > self.FORGOTTEN_SECONDS:
            known = _Attempts(self._free, 0, now, now)
        if now < known.until:
            raise TooFrequent("too many attempts: wait a little", retry_after=known.until - now)
        left = min(self._free, known.left + (now - known.last) * self._free / 60) - 1
        waits, until = known.waits, now
        if waits or left < 1:
            until = now + min(self.LONGEST_SECONDS, self.FIRST_SECONDS * 2.0**waits)
            waits = min(waits + 1, 16)
        self._accounts[key] = _Attempts(left, waits, now, until)
        self._accounts.move_to_end(key)
        if len(self._accounts) > MOST_KEYS:
            self._accounts.popitem(last=False)

    def succeeded(self, key: Hashable) -> None:
        """The attempt was the owner's."""
        self._accounts.pop(key, None)

    def forgive(self, key: Hashable) -> None:
        """The attempt was right, which does not clear the key of the others: it is taken back, and a failure with
        it."""
        known = self._accounts.get(key)
        if known is not None:
            now = self._monotonic()
            self._accounts[key] = _Attempts(min(self._free, known.left + 1), max(0, known.waits - 2), now, now)


class _Attempts(NamedTuple):
    left: float
    """Attempts that are still free."""
    waits: int
    """How often one has had to wait."""
    last: float
    until: float
    """When the next attempt is let in."""


class EachDevice:
    """A limit for each device, and limits.DEVICES_SHARE times as much for all devices of a user together.

    So a script that runs wild on one device leaves the person's other devices something.
    """

    def __init__(self, a_second: float, burst: float, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._devices = Rate(a_second, burst, monotonic)
        self._users = Rate(limits.DEVICES_SHARE * a_second, limits.DEVICES_SHARE * burst, monotonic)

    def take(self, user: int, device: int) -> None:
        """Count one call. Raises TooFrequent."""
        now = self._monotonic()
        self._devices.take_at(device, now)
        self._users.take_at(user, now)


class Guesses:
    """Attempts at passwords, by account and by address; counted before anything is hashed.

    Somebody who guesses from elsewhere must not lock the owner out: attempts from an address from which the account was
    logged in to before are counted by themselves (OWASP, "Slow Down Online Guessing Attacks with Device Cookies").
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._accounts = Lockout(limits.LOGINS_A_MINUTE, monotonic)
        self._addresses = Lockout(limits.LOGINS_A_MINUTE, monotonic)
        self._known: OrderedDict[tuple[str, str | None], None] = OrderedDict()

    def attempt(self, account: str, address: str | None) -> None:
        """Count an attempt at a (folded) userID; `address` as `limited_address` has it.

        Raises:
            TooFrequent: too early.
        """
        if address is not None:
            self._addresses.check(address)
        self._accounts.check(self._key(account, address))

    def succeeded(self, account: str, address: str | None) -> None:
        """The attempt was the owner's."""
        if address is not None:
            self._addresses.forgive(address)
        self._accounts.succeeded(self._key(account, address))
        self._known[account, address] = None
        self._known.move_to_end((account, address))
        if len(self._known) > MOST_KEYS:
            self._known.popitem(last=False)

    def _key(self, account: str, address: str | None) -> Hashable:
        return (account, address) if (account, address) in self._known else account


class OneAtATime:
    """What a user can have only one of under way."""

    def __init__(self) -> None:
        self._under_way: set[int] = set()

    @property
    def under_way(self) -> int:
        """How many users have one under way."""
        return len(self._under_way)

    @contextmanager
    def of(self, user: int) -> Iterator[None]:
        """While it is under way. Raises TooFrequent where another one is."""
        if user in self._under_way:
            raise TooFrequent("one at a time: the one before is still under way", retry_after=10)
        self._under_way.add(user)
        try:
            yield
        finally:
            self._under_way.discard(user)


class Limiter:
    """Every limit of protocol/limits.py, by user, by device, by address and by account."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self.deletions: Final = EachDevice(limits.DELETIONS_A_SECOND, limits.DELETIONS_BURST, monotonic)
        self.messages: Final = EachDevice(limits.MESSAGES_A_SECOND, limits.MESSAGES_BURST, monotonic)
        self.searches: Final = EachDevice(limits.SEARCHES_A_SECOND, limits.SEARCHES_BURST, monotonic)
        self.others: Final = EachDevice(limits.OTHERS_A_SECOND, limits.OTHERS_BURST, monotonic)
        self.nicks: Final = Rate(limits.NICKS_A_MINUTE / 60, limits.NICKS_BURST, monotonic)
        """By user."""
        self.exports: Final = OneAtATime()
        self.strangers: Final = Rate(limits.OTHERS_A_SECOND, limits.OTHERS_BURST, monotonic)
        """Calls without a valid token, by address."""
        self.logins: Final = Rate(limits.LOGINS_A_MINUTE / 60, limits.LOGINS_A_MINUTE, monotonic)
        """By address, whatever comes of them."""
        self.guesses: Final = Guesses(monotonic)


def limited_address(address: str | None) -> str | None:
    """What limits by address count under; None for this machine, to which they do not apply.

    Of an IPv6 address the first 64 bits: whoever has one has all that share them (RFC 6177).
    """
    if address is None or is_loopback(address):
        return None
    parsed = address_of(address)
    if parsed is None or parsed.version == 4:
        return address if parsed is None else str(parsed)
    return str(ip_network((int(parsed) >> 64 << 64, 64)))
