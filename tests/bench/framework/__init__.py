"""What all benches share: sizes, timing, statistics, baselines and bars, the report as a table and as JSON."""

from .bench import Bench, timings
from .report import Bar, Figure, at_least, at_most

__all__ = ["Bar", "Bench", "Figure", "at_least", "at_most", "timings"]
