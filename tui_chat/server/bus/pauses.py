"""How long to wait before the next attempt at what failed."""

from collections.abc import Callable
from random import Random
from typing import Final

FIRST_SECONDS: Final = 0.25
LONGEST_SECONDS: Final = 5.0
HEALTHY_SECONDS: Final = 10.0
"""What held for so long begins anew with short pauses."""


class Pauses:
    """Full jitter, so that many who lost the same do not come back at once; the most doubles with each failure."""

    def __init__(
        self,
        monotonic: Callable[[], float],
        random: Random,
        *,
        first: float = FIRST_SECONDS,
        longest: float = LONGEST_SECONDS,
    ) -> None:
        self._monotonic = monotonic
        self._random = random
        self._first = first
        self._longest = longest
        self._failures = 0
        self._since: float | None = None

    def succeeded(self) -> None:
        """From now on it works."""
        self._since = self._monotonic()

    def next(self) -> float:
        """It failed, or does no longer work: seconds to wait."""
        if self._since is not None and self._monotonic() - self._since >= HEALTHY_SECONDS:
            self._failures = 0
        self._since = None
        most = min(self._longest, self._first * 2.0**self._failures)
        self._failures = min(self._failures + 1, 32)
        return self._random.uniform(0, most)
