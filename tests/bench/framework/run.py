"""The command: which bench, its run, its report."""

import argparse
import pkgutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Final

from rich.console import Console

import tests.bench
import tui_chat

from .bench import Bench
from .machine import Machine
from .report import Report

SEED: Final = 20_250_601
INTERRUPTED: Final = 130
_WIDTH: Final = 120
"""Of the table where it is not shown on a terminal."""


def names() -> list[str]:
    """The benches there are."""
    return sorted(
        module.name
        for module in pkgutil.iter_modules(tests.bench.__path__)
        if not module.ispkg and not module.name.startswith(("_", "test_"))
    )


def run(name: str, *, quick: bool = False, only: Sequence[str] = ()) -> Report:
    """Run a bench, all of it or only some of its parts."""
    measure: Callable[[Bench], None] = import_module(f"tests.bench.{name}").run
    machine, started, start = Machine.here(), datetime.now(UTC), time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="tui-chat-bench-") as scratch:
        bench = Bench(quick=quick, scratch=Path(scratch), seed=SEED, only=only)
        measure(bench)
    return Report(
        bench=name,
        version=tui_chat.__version__,
        quick=quick,
        seed=SEED,
        started=started.isoformat(timespec="seconds"),
        seconds=round(time.perf_counter() - start, 3),
        machine=machine,
        figures=bench.figures,
        findings=bench.findings,
        notes=bench.notes,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 where every bar was met, 1 where one was not, 130 after Ctrl+C."""
    given = _parser().parse_args(arguments)
    try:
        report = run(given.name, quick=given.quick, only=given.only)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return INTERRUPTED
    console = Console()
    report.show(console if console.is_terminal else Console(width=_WIDTH))
    if given.json is not None:
        given.json.write_bytes(report.encoded())
    return 0 if report.met else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description="Measure, beside a baseline of the same run, and hold it against the bars.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="\n".join(["benches:", *(f"  {name:<12}{_summary(name)}" for name in names())]),
    )
    parser.add_argument("name", metavar="NAME", choices=names(), help="which one")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures there too")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, no verdicts: only whether it runs")
    parser.add_argument(
        "--only", metavar="PART", action="append", default=[], help="one part, where a bench has some (repeatable)"
    )
    return parser


def _summary(name: str) -> str:
    return (import_module(f"tests.bench.{name}").__doc__ or "").partition("\n")[0]
