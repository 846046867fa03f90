"""When things were said: real pauses within a sitting, sittings spread so that the whole reaches back two years."""

import random
from collections.abc import Sequence
from typing import Final

from .corpus import Line

SPAN: Final = 730 * 86_400
"""Seconds that the excerpt reaches back."""
_DAY: Final = 86_400


def pace(lines: Sequence[Line], stretch: float) -> list[int]:
    """Seconds after the first line. The corpus knows minutes: lines of one minute are spread over it, in order."""
    times: list[int] = []
    index = 0
    while index < len(lines):
        minute = lines[index].time
        same = index
        while same < len(lines) and lines[same].time == minute:
            same += 1
        for place in range(same - index):
            at = (minute - lines[0].time + 60 * (place + 0.5) / (same - index)) * stretch
            times.append(max(round(at), times[-1] + 1 if times else 0))
        index = same
    return [time - times[0] for time in times]


def turns(count: int, rng: random.Random) -> list[int]:
    """Seconds after the first line for two who chat by phone: quick answers, and now and then a longer pause."""
    times = [0]
    for _ in range(count - 1):
        wait = rng.uniform(9, 100) if rng.random() > 0.06 else rng.uniform(1200, 30_000)
        times.append(times[-1] + round(wait))
    return times


def join(parts: Sequence[Sequence[int]], ends: int, pause: tuple[float, float], rng: random.Random) -> list[int]:
    """Sittings one after another, `pause` days between them, so that the last line was `ends` seconds before now.

    Returns:
        Seconds before now, all negative or zero, rising. What would reach back over SPAN is moved closer together.
    """
    lengths = sum(part[-1] for part in parts)
    room = SPAN - ends - lengths
    pauses = [rng.uniform(*pause) * _DAY for _ in parts[1:]]
    if room < sum(pauses):
        pauses = [max(3600.0, one * room / sum(pauses)) for one in pauses]
    at = -float(ends)
    result: list[int] = []
    for index in range(len(parts) - 1, -1, -1):
        start = at - parts[index][-1]
        result[:0] = [round(start + time) for time in parts[index]]
        at = start - (pauses[index - 1] if index else 0)
    return result


def ends(count: int, rng: random.Random) -> list[int]:
    """`count` moments of last messages, seconds before now, newest first, as a mailbox has them: some today, the
    bulk over the last months, nearly a third silent for over a year."""
    shares = [(0.09, 900, _DAY), (0.10, _DAY, 7 * _DAY), (0.13, 7 * _DAY, 31 * _DAY), (0.23, 31 * _DAY, 180 * _DAY)]
    shares += [(0.15, 180 * _DAY, 365 * _DAY), (0.30, 366 * _DAY, 720 * _DAY)]
    moments: list[int] = []
    for place in range(count):
        at = (place + 0.5) / count
        for share, first, last in shares:
            if at <= share or last == shares[-1][2]:
                moments.append(round(rng.uniform(first, last)))
                break
            at -= share
    return sorted(moments)
