"""Every bench runs, with the smallest sizes; and the framework says what it should. No timing is asserted."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from .framework import Bench, Figure, at_least, at_most
from .framework.run import INTERRUPTED, main, names

SLOW = ("cluster", "server", "tui")
"""These start programs one after the other: half a minute with the smallest sizes."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in names()]
)
def test_a_bench_runs_and_reports_in_the_one_shape(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report_file = tmp_path / "report.json"
    assert main([name, "--quick", "--json", str(report_file)]) == 0
    report = json.loads(report_file.read_bytes())
    assert report["bench"] == name
    assert report["quick"] is True
    assert report["machine"].keys() == {"cpu", "cores", "memory_gib", "system", "python", "load"}
    assert report["figures"]
    for figure in report["figures"]:
        assert figure["n"] >= 1
        assert figure["min"] <= figure["median"] <= figure["p95"] <= figure["p99"] <= figure["max"]
    known = {figure["name"] for figure in report["figures"]}
    assert len(known) == len(report["figures"]), "each figure has a name of its own"
    for finding in report["findings"]:
        assert finding["of"] in known
        assert finding["to"] is None or finding["to"] in known
        assert finding["met"] is None, "tiny sizes are not judged"
    table = capsys.readouterr().out
    assert all(figure["name"].split()[0] in table for figure in report["figures"])


def test_percentiles_are_values_that_occurred() -> None:
    figure = Figure.of("x", "ms", [float(value) for value in range(100, 0, -1)])
    assert (figure.n, figure.min, figure.median, figure.p95, figure.p99, figure.max) == (100, 1, 50, 95, 99, 100)
    assert Figure.of("x", "ms", [7.0]).p99 == 7
    with pytest.raises(ValueError, match="nothing was measured"):
        Figure.of("x", "ms", [])


def test_bars_are_met_or_not(tmp_path: Path) -> None:
    bench = Bench(quick=False, scratch=tmp_path, seed=1)
    ours, plain = bench.times("ours", [0.002]), bench.times("plain", [1.0])
    bench.ratio("plain / ours", of=plain, to=ours, bar=at_least(500))
    bench.ratio("ours / plain", of=ours, to=plain, bar=at_most(0.001))
    bench.judge("ours", ours, "p99", at_most(2.5))
    assert [finding.met for finding in bench.findings] == [True, False, True]
    with pytest.raises(ValueError, match="is in ms"):
        bench.ratio("nonsense", of=ours, to=bench.values("size", [1.0], "KiB"))


def test_ctrl_c_ends_it_without_a_traceback(tmp_path: Path) -> None:
    script = (
        "import signal, sys, time, types\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts its background jobs without\n"
        "from tests.bench.framework import run\n"
        "def measure(bench):\n"
        "    print(bench.scratch, flush=True)\n"
        "    while True:\n"
        "        time.sleep(0.05)  # one long pause would miss a signal that comes just before it begins\n"
        "sys.modules['tests.bench.pause'] = types.SimpleNamespace(run=measure, __doc__='Wait.')\n"
        "run.names = lambda: ['pause']\n"
        "sys.exit(run.main(['pause']))\n"
    )
    started = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    with started:
        assert started.stdout is not None
        scratch = Path(started.stdout.readline().strip())
        assert scratch.is_dir()
        started.send_signal(signal.SIGINT)
        _, said = started.communicate(timeout=30)
    assert started.returncode == INTERRUPTED
    assert said == "stopped\n"
    assert not scratch.exists()
