"""Draw what the benches found, as pictures for the README.

python -m tests.bench server --json assets/measured/server.json         likewise tui, sync, cache, cluster
pip install -e '.[plots]' && python assets/make_plots.py                 draws what stands in assets/measured
"""

import argparse
from pathlib import Path

import matplotlib
import msgspec
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Picture
from matplotlib.ticker import FuncFormatter, NullLocator

from tests.bench.framework.report import TIMES, Figure, Finding, Report, number

HERE = Path(__file__).parent
MET, MISSED, PLAIN = "#2a7f62", "#c4512d", "#3b5b92"
LATENCIES = {
    "server": ("delete ", "message until received"),
    "tui": ("key to frame", "opening", "scrolling", "marking"),
    "cluster": ("message until received",),
}
"""Of each bench, what the names of the figures begin with that people wait for."""
ROW_INCHES, WIDTH_INCHES = 0.34, 9.0

matplotlib.rcParams.update(
    {"svg.fonttype": "none", "svg.hashsalt": "tui-chat", "font.family": "sans-serif", "font.size": 9}
)


def main() -> None:
    """Read the reports, write the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measured", type=Path, default=HERE / "measured", help="where the benches' JSON files are")
    parser.add_argument("--output", type=Path, default=HERE / "plots", help="where the pictures go")
    asked = parser.parse_args()
    reports = [msgspec.json.decode(path.read_bytes(), type=Report) for path in sorted(asked.measured.glob("*.json"))]
    if not reports:
        parser.error(f"there is no report in {asked.measured}; make one with python -m tests.bench NAME --json FILE")
    asked.output.mkdir(parents=True, exist_ok=True)
    for name, draw in (("bars", draw_bars), ("latencies", draw_latencies)):
        path = asked.output / f"{name}.svg"
        draw(reports).savefig(path, metadata={"Date": None}, bbox_inches="tight", facecolor="white")
        print(path)


def draw_bars(reports: list[Report]) -> Picture:
    """Everything that has a bar: how many times better or worse than it. Of counts that must be 0 there is no such
    ratio, so they are left out."""
    judged = [
        (report.bench, one)
        for report in reports
        for one in report.findings
        if one.met is not None and one.bar is not None and one.bar.limit and one.value
    ]
    judged.sort(key=lambda pair: (pair[0], margin(pair[1])), reverse=True)
    picture, axes = sheet(len(judged))
    for place, (_, one) in enumerate(judged):
        colour = MET if one.met else MISSED
        axes.plot([1, margin(one)], [place, place], color=colour, linewidth=1.5)
        axes.plot(margin(one), place, "o" if one.met else "s", color=colour, markersize=6)
        said = f"{said_of(one.value, one.unit)}  (bar {said_of(one.bar.limit, one.unit)})" if one.bar else ""
        axes.annotate(said, (1.005, place), xycoords=("axes fraction", "data"), va="center", fontsize=8)
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_yticks(range(len(judged)), [f"{bench}: {one.name}" for bench, one in judged])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{number(value)}{TIMES}"))
    axes.set_title("How many times better than its bar each figure is; squares miss it", loc="left")
    return picture


def draw_latencies(reports: list[Report]) -> Picture:
    """What people wait for: from the median over the 95th to the 99th percentile."""
    waits = [
        (report.bench, one)
        for report in reports
        for one in report.figures
        if one.unit == "ms" and one.n >= 20 and one.name.startswith(LATENCIES.get(report.bench, ()))
    ]
    waits.reverse()
    picture, axes = sheet(len(waits))
    for place, (_, one) in enumerate(waits):
        axes.plot([one.median, one.p99], [place, place], color=PLAIN, linewidth=1.5)
        axes.plot([one.median, one.p95, one.p99], [place] * 3, "|", color=PLAIN, markersize=9)
        axes.plot(one.median, place, "o", color=PLAIN, markersize=6)
        axes.annotate(said_of_wait(one), (1.005, place), xycoords=("axes fraction", "data"), va="center", fontsize=8)
    axes.set_yticks(range(len(waits)), [f"{bench}: {one.name}" for bench, one in waits])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{number(value)} ms"))
    axes.set_title("What one waits for: median, 95th and 99th percentile", loc="left")
    return picture


def sheet(rows: int) -> tuple[Picture, Axes]:
    """Room for so many rows over one logarithmic scale."""
    picture = Picture(figsize=(WIDTH_INCHES, 0.8 + ROW_INCHES * rows))
    axes = picture.add_subplot()
    axes.set_xscale("log", base=2)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_ylim(-0.7, rows - 0.3)
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    return picture, axes


def margin(one: Finding) -> float:
    """How many times better than its bar; below 1 misses it."""
    assert one.bar is not None
    return one.bar.limit / one.value if one.bar.sense == "at most" else one.value / one.bar.limit


def said_of(value: float, unit: str) -> str:
    """A value as the table says it."""
    return f"{number(value)}{unit}" if unit == TIMES else f"{number(value)} {unit}"


def said_of_wait(one: Figure) -> str:
    """Median and 99th percentile."""
    return f"{number(one.median)} / {number(one.p99)} ms"


if __name__ == "__main__":
    main()
