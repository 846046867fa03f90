"""Tell apart the conversations that run through one another in a channel."""

import re
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from .corpus import Line, Sitting, fold

_SAME_BREATH = 150
"""Seconds in which an undirected line still goes to the one whom its speaker addressed last."""
_THREAD_MEMORY = 900
"""Seconds after which somebody's next undirected line begins something new."""

_NAME = re.compile(r"[\w\[\]\\`^{}|\-]{3,20}:")
"""What looks like somebody's name: perhaps of one who has gone, or misspelled."""


class Thread(NamedTuple):
    """Lines of one sitting that belong together."""

    sitting: int
    lines: tuple[Line, ...]


def between(sitting: Sitting, number: int, one: str, other: str) -> Thread:
    """What two people said to one another: the directed lines, and the undirected ones said in the same breath."""
    kept: list[Line] = []
    last_to: dict[str, tuple[str, int]] = {}
    spoken_to = {line.to for line in sitting.lines if line.speaker == other and line.to}
    directed = [line.time for line in sitting.lines if _is_between(line, one, other)]
    if not directed:
        return Thread(number, ())
    first, last = directed[0] - _SAME_BREATH, directed[-1] + _SAME_BREATH
    present = {line.speaker for line in sitting.lines} - {one, other}
    for line in sitting.lines:
        if line.speaker not in (one, other) or (line.to is None and _to_a_third(line.text, present)):
            continue
        if line.to is not None:
            last_to[line.speaker] = (line.to, line.time)
            if _is_between(line, one, other):
                kept.append(line)
            continue
        partner = other if line.speaker == one else one
        whom, when = last_to.get(line.speaker, ("", 0))
        goes_on = whom == partner and line.time - when <= _SAME_BREATH
        alone = line.speaker == other and spoken_to <= {one} and first <= line.time <= last
        if goes_on or alone:
            kept.append(line)
            last_to[line.speaker] = (partner, line.time)
    return Thread(number, tuple(kept))


def disentangle(sitting: Sitting, number: int) -> list[Thread]:
    """All threads of a sitting by a plain rule: a line follows the one whom it addresses, else its speaker's last."""
    latest: dict[str, tuple[int, int]] = {}
    threads: list[list[Line]] = []
    for line in sitting.lines:
        index = _follows(latest, line)
        if index is None:
            index = len(threads)
            threads.append([])
        threads[index].append(line)
        latest[line.speaker] = (index, line.time)
        if line.to is not None and line.to not in latest:
            latest[line.to] = (index, line.time)
    return [Thread(number, tuple(lines)) for lines in threads]


def partners(sitting: Sitting, person: str, without: Collection[str]) -> dict[str, int]:
    """Who talked with `person` in a sitting and in how many directed lines, either way."""
    counts: dict[str, int] = {}
    for line in sitting.lines:
        other = line.to if line.speaker == person else line.speaker if line.to == person else None
        if other is not None and other not in without:
            counts[other] = counts.get(other, 0) + 1
    return counts


def speakers(lines: Iterable[Line]) -> dict[str, int]:
    """How many lines each wrote."""
    counts: dict[str, int] = {}
    for line in lines:
        counts[line.speaker] = counts.get(line.speaker, 0) + 1
    return counts


def most_present(sitting: Sitting, people: Sequence[str]) -> str | None:
    """Who of `people` wrote most here."""
    counts = speakers(sitting.lines)
    here = [person for person in people if person in counts]
    return max(here, key=lambda person: counts[person]) if here else None


def _follows(latest: dict[str, tuple[int, int]], line: Line) -> int | None:
    for person in (line.to, line.speaker):
        if person is not None and person in latest and line.time - latest[person][1] <= _THREAD_MEMORY:
            return latest[person][0]
    return None


def _to_a_third(text: str, present: Collection[str]) -> bool:
    """Whether a line that is directed to nobody known begins with somebody's name all the same."""
    first = text.split(maxsplit=1)[0]
    return _NAME.fullmatch(first) is not None or fold(first.rstrip(":,")) in present


def _is_between(line: Line, one: str, other: str) -> bool:
    return (line.speaker == one and line.to == other) or (line.speaker == other and line.to == one)
