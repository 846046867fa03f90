"""What a bench found: figures, what was made of them, and both as a table. As JSON it is these structs as they are."""

import math
from collections.abc import Sequence
from typing import Any, Final, Literal

import msgspec
from rich import box
from rich.console import Console
from rich.table import Table

from .machine import Machine

Statistic = Literal["median", "p95", "p99", "min", "max"]
TIMES: Final = "×"
"""The unit of a ratio."""


class Figure(msgspec.Struct, frozen=True):
    """One thing that was measured `n` times."""

    name: str
    unit: str
    n: int
    median: float
    p95: float
    p99: float
    min: float
    max: float

    @classmethod
    def of(cls, name: str, unit: str, samples: Sequence[float]) -> "Figure":
        """Statistics of samples; percentiles by nearest rank, so that each is a value that occurred."""
        ordered = sorted(samples)
        if not ordered:
            raise ValueError(f"nothing was measured of {name!r}")

        def rank(share: float) -> float:
            return ordered[max(0, math.ceil(share * len(ordered)) - 1)]

        return cls(name, unit, len(ordered), rank(0.5), rank(0.95), rank(0.99), ordered[0], ordered[-1])


class Bar(msgspec.Struct, frozen=True):
    """What must be reached."""

    sense: Literal["at most", "at least"]
    limit: float

    def met(self, value: float) -> bool:
        """Whether it is."""
        return value <= self.limit if self.sense == "at most" else value >= self.limit


def at_most(limit: float) -> Bar:
    """A bar from above."""
    return Bar("at most", limit)


def at_least(limit: float) -> Bar:
    """A bar from below."""
    return Bar("at least", limit)


class Finding(msgspec.Struct, frozen=True):
    """A ratio of two figures, or one figure held against a bar."""

    name: str
    value: float
    unit: str
    statistic: Statistic
    of: str
    """The figure's name."""
    to: str | None = None
    """The baseline's, where it is a ratio."""
    bar: Bar | None = None
    met: bool | None = None
    """None where there is no bar, or sizes are too small to judge (`--quick`)."""


class Report(msgspec.Struct, frozen=True):
    """One run of one bench."""

    bench: str
    version: str
    """Of tui-chat."""
    quick: bool
    seed: int
    started: str
    """ISO 8601, UTC."""
    seconds: float
    machine: Machine
    figures: list[Figure]
    findings: list[Finding]
    notes: list[str]

    @property
    def met(self) -> bool:
        """Whether no bar was missed."""
        return all(finding.met is not False for finding in self.findings)

    def encoded(self) -> bytes:
        """As JSON, for a file."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"

    def show(self, console: Console) -> None:
        """As tables."""
        machine = self.machine
        say: dict[str, Any] = {"markup": False, "highlight": False, "soft_wrap": True}
        console.print(
            f"{self.bench}, tui-chat {self.version}{', quick: sizes say nothing' if self.quick else ''}", **say
        )
        console.print(f"{machine.cpu}, {machine.cores} cores, {machine.memory_gib} GiB; {machine.system}; "
                      f"{machine.python}; load {' '.join(map(str, machine.load))}", **say)  # fmt: skip
        console.print(f"began {self.started}, took {self.seconds:.1f} s, seed {self.seed}", **say)
        console.print(self._figures())
        if self.findings:
            console.print(self._findings())
        for note in self.notes:
            console.print(f"- {note}", **say)

    def _figures(self) -> Table:
        table = Table("", "unit", "n", "median", "p95", "p99", "min", "max", box=box.SIMPLE_HEAD)
        for column in table.columns[2:]:
            column.justify, column.no_wrap = "right", True
        for one in self.figures:
            values = (one.median, one.p95, one.p99, one.min, one.max)
            table.add_row(one.name, one.unit, f"{one.n:,}", *map(number, values))
        return table

    def _findings(self) -> Table:
        table = Table("", "by", "value", "bar", "", box=box.SIMPLE_HEAD)
        table.columns[2].justify = "right"
        for one in self.findings:
            unit = TIMES if one.unit == TIMES else f" {one.unit}"
            bar = f"{one.bar.sense} {number(one.bar.limit)}{unit}" if one.bar else ""
            verdict = "" if one.bar is None else {True: "met", False: "NOT MET", None: "not judged"}[one.met]
            table.add_row(one.name, one.statistic, f"{number(one.value)}{unit}", bar, verdict)
        return table


def number(value: float) -> str:
    """Three digits that count, and no more."""
    if value == 0 or not math.isfinite(value):
        return str(value)
    places = 2 - math.floor(math.log10(abs(value)))
    return f"{value:,.{min(max(places, 0), 6)}f}"
