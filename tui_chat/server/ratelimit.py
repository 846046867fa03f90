"""Token buckets, and the lockout that grows with every guess at a password.

Times come from the caller's monotonic clock, in seconds. Idle buckets are forgotten, so memory is bounded by who was
active within the time that a bucket takes to fill.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final, NamedTuple

from tui_chat.protocol import limits
from tui_chat.protocol.errors import TooFrequent

MOST_KEYS: Final = 100_000
"""Keys that one table holds; beyond it the one that was idle longest is dropped."""


class Rate:
    """`burst` calls at once for every key, then `a_second`."""

    def __init__(self, a_second: float, burst: float, monotonic: Callable[[], float]) -> None:
        self._a_second = a_second
        self._burst = burst
        self._monotonic = monotonic
        self._buckets: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def take(self, key: Hashable) -> None:
        """Count one call of `key`.

        Raises:
            TooFrequent: nothing is left; `retry_after` says when there will be.
        """
        now = self._monotonic()
        tokens, since = self._buckets.get(key, (self._burst, now))
        tokens = min(self._burst, tokens + (now - since) * self._a_second)
        if tokens < 1:
            raise TooFrequent(retry_after=(1 - tokens) / self._a_second)
        self._buckets[key] = (tokens - 1, now)
        self._buckets.move_to_end(key)
        self._forget(now)

    def forget(self, key: Hashable) -> None:
        """Give `key` its whole burst again."""
        self._buckets.pop(key, None)

    def __len__(self) -> int:
        return len(self._buckets)

    def _forget(self, now: float) -> None:
        """Drop up to two buckets that are full again: more than one call adds."""
        full_again = now - self._burst / self._a_second
        for _ in range(2):
            key, (_tokens, since) = next(iter(self._buckets.items()))
            if since > full_again and len(self._buckets) <= MOST_KEYS:
                return
            del self._buckets[key]
            if not self._buckets:
                return


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
            raise TooFrequent("too many attempts at this account: wait", retry_after=known.until - now)
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


class _Attempts(NamedTuple):
    left: float
    """Attempts that are still free."""
    waits: int
    """How often one has had to wait."""
    last: float
    until: float
    """When the next attempt is let in."""


class Limiter:
    """Every limit of protocol/limits.py, by user, by address and by account."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self.deletions: Final = Rate(limits.DELETIONS_A_SECOND, limits.DELETIONS_BURST, monotonic)
        self.messages: Final = Rate(limits.MESSAGES_A_SECOND, limits.MESSAGES_BURST, monotonic)
        self.others: Final = Rate(limits.OTHERS_A_SECOND, limits.OTHERS_BURST, monotonic)
        self.logins: Final = Rate(limits.LOGINS_A_MINUTE / 60, limits.LOGINS_A_MINUTE, monotonic)
        """By address."""
        self.guesses: Final = Lockout(limits.LOGINS_A_MINUTE, monotonic)
        """By account."""
