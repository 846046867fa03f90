"""What is fast and how fast it is: `python -m tests.bench NAME [--json FILE] [--quick] [--only PART]`.

How to add a bench
------------------

A file `tests/bench/NAME.py` whose docstring's first line says what it measures, and in it

    def run(bench: Bench) -> None:
        rows = bench.size(10_000, quick=100)                     # how much: in earnest, with --quick
        bench.progress(f"{rows:,} rows")                         # to stderr
        ours = bench.times("open", timings(lambda turn: open_ours(), 20))
        plain = bench.times("open, SQLite", timings(lambda turn: open_sqlite(), 20))
        bench.ratio("open / SQLite", of=ours, to=plain, bar=at_most(20))
        bench.judge("open", ours, "p99", at_most(50))            # a bar in the figure's own unit

all from `tests.bench.framework`. The file is a subcommand from then on, and `tests/bench/test_smoke.py` runs it with
`--quick` in the default tier: so that must take a second or two. What several benches share goes into `framework/`, or
into a module whose name begins with an underscore.

Rules: the baseline is measured in the same run, and what is claimed is the ratio; the bar stands beside the figure and
is met or not; what is random comes from `bench.random`; nothing but loopback; files under `bench.scratch`, which goes
at the end, also after Ctrl+C; an asynchronous bench calls `asyncio.run` itself, and ends the processes that it started
in a `finally`.
"""
