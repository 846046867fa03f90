"""What a bench has in its hands while it runs."""

import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from random import Random
from typing import Final, TypeVar

from .report import TIMES, Bar, Figure, Finding, Statistic

Size = TypeVar("Size")
_SECONDS: Final = {"s": 1.0, "ms": 1e3, "µs": 1e6}


class Bench:
    """One run: how much to do, where, with which randomness; and what was found.

    Arguments:
        quick: with the smallest sizes that still go through everything, for a look at whether it works.
        scratch: an empty directory, removed afterwards.
        seed: of all that is random.
        only: the parts that were asked for; none means all.
    """

    def __init__(self, *, quick: bool, scratch: Path, seed: int, only: Sequence[str] = ()):
        self.quick = quick
        self._only = only
        self.scratch = scratch
        self.random = Random(seed)
        self.figures: list[Figure] = []
        self.findings: list[Finding] = []
        self.notes: list[str] = []

    def size(self, full: Size, *, quick: Size) -> Size:
        """How much of something there is."""
        return quick if self.quick else full

    def chosen(self, parts: Iterable[str]) -> list[str]:
        """Those of the parts that were asked for, in their order. Exits where one is asked for that there is not."""
        there = list(parts)
        unknown = set(self._only) - set(there)
        if unknown:
            raise SystemExit(f"no part {', '.join(sorted(unknown))}: there are {', '.join(there)}")
        return [part for part in there if not self._only or part in self._only]

    def progress(self, what: str) -> None:
        """Tell what is being done now."""
        print(f"… {what}", file=sys.stderr, flush=True)

    def times(self, name: str, seconds: Sequence[float], *, unit: str = "ms") -> Figure:
        """Report durations, given in seconds, in `s`, `ms` or `µs`."""
        return self.values(name, [_SECONDS[unit] * each for each in seconds], unit)

    def values(self, name: str, samples: Sequence[float], unit: str) -> Figure:
        """Report anything else that was measured: bytes, percent, things a second."""
        figure = Figure.of(name, unit, samples)
        self.figures.append(figure)
        return figure

    def ratio(
        self, name: str, *, of: Figure, to: Figure, statistic: Statistic = "median", bar: Bar | None = None
    ) -> float:
        """Report how many times `to` the figure `of` is; both in the same unit, from this run."""
        if of.unit != to.unit:
            raise ValueError(f"{of.name!r} is in {of.unit} and {to.name!r} in {to.unit}")
        baseline: float = getattr(to, statistic)
        value: float = getattr(of, statistic) / baseline if baseline else float("inf")
        self._found(Finding(name, value, TIMES, statistic, of.name, to.name, bar, self._met(bar, value)))
        return value

    def judge(self, name: str, figure: Figure, statistic: Statistic, bar: Bar) -> None:
        """Hold a figure against a bar in its own unit."""
        value: float = getattr(figure, statistic)
        self._found(Finding(name, value, figure.unit, statistic, figure.name, None, bar, self._met(bar, value)))

    def note(self, text: str) -> None:
        """Say what one has to know to read the figures."""
        self.notes.append(text)

    def _met(self, bar: Bar | None, value: float) -> bool | None:
        return bar.met(value) if bar is not None and not self.quick else None

    def _found(self, finding: Finding) -> None:
        self.findings.append(finding)


def timings(action: Callable[[int], object], turns: int) -> list[float]:
    """Call `action` with 0, 1, … and return the seconds that each call took."""
    clock = time.perf_counter
    seconds = []
    for turn in range(turns):
        start = clock()
        action(turn)
        seconds.append(clock() - start)
    return seconds
