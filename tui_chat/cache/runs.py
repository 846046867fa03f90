"""Which messages of a conversation are held, and between which of them nothing is missing."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable


class HeldMessages:
    """Sorted messageSeqs, and the runs in which they are known to be complete. Pure bookkeeping, no messages.

    A run is a pair (first, last), both inclusive. Runs never touch; numbers inside a run that are not held belong to no
    message of this reader (written while they were not in the group).
    """

    __slots__ = ("_runs", "_seqs")

    def __init__(self, seqs: Iterable[int] = (), covered: Iterable[tuple[int, int]] = ()):
        self._seqs: list[int] = sorted(set(seqs))
        self._runs: list[tuple[int, int]] = []
        for seq in self._seqs:
            if self._runs and self._runs[-1][1] == seq - 1:
                self._runs[-1] = (self._runs[-1][0], seq)
            else:
                self._runs.append((seq, seq))
        for first, last in covered:
            self._join(first, last)

    def __len__(self) -> int:
        return len(self._seqs)

    def __contains__(self, seq: object) -> bool:
        if not isinstance(seq, int):
            return False
        place = bisect_left(self._seqs, seq)
        return place < len(self._seqs) and self._seqs[place] == seq

    def gaps(self) -> list[tuple[int, int]]:
        """The parts of runs in which no message is held: kept beside the messages, the runs can be known again."""
        gaps: list[tuple[int, int]] = []
        for first, last in self._runs:
            expected = first
            for seq in self._between(first, last):
                if seq > expected:
                    gaps.append((expected, seq - 1))
                expected = seq + 1
            if expected <= last:
                gaps.append((expected, last))
        return gaps

    def hold(self, seqs: Iterable[int], covers: tuple[int, int] | None = None) -> bool:
        """Add messages, and the range that they are known to fill. Returns whether `covers` said anything that the
        numbers alone do not."""
        for seq in seqs:
            if self._seqs and seq <= self._seqs[-1]:
                if seq not in self:
                    insort(self._seqs, seq)
                    self._join(seq, seq)
                continue
            self._seqs.append(seq)
            if self._runs and self._runs[-1][1] == seq - 1:
                self._runs[-1] = (self._runs[-1][0], seq)
            else:
                self._join(seq, seq)
        if covers is None or covers[0] > covers[1] or self._run_of(covers[0]) == self._run_of(covers[1]) is not None:
            return False
        self._join(*covers)
        return True

    def drop_through(self, seq: int) -> list[int]:
        """Forget everything up to and with a number. Returns the messages that went."""
        place = bisect_right(self._seqs, seq)
        gone = self._seqs[:place]
        del self._seqs[:place]
        while self._runs and self._runs[0][1] <= seq:
            del self._runs[0]
        if self._runs and self._runs[0][0] <= seq:
            self._runs[0] = (seq + 1, self._runs[0][1])
        return gone

    def oldest_of(self, count: int) -> list[int]:
        """The oldest messages beyond the newest `count`."""
        return self._seqs[: len(self._seqs) - count] if len(self._seqs) > count else []

    def tail(self, count: int) -> list[int]:
        """The newest messages of the newest run, ascending."""
        if not self._runs or count <= 0:
            return []
        return self._between(*self._runs[-1])[-count:]

    def before(self, seq: int, count: int) -> list[int]:
        """The messages just under a number, ascending; none where the number under it lies in no run."""
        run = self._run_of(seq - 1)
        return self._between(run[0], seq - 1)[-count:] if run and count > 0 else []

    def after(self, seq: int, count: int) -> list[int]:
        """The messages just above a number, ascending; none where the number above it lies in no run."""
        run = self._run_of(seq + 1)
        return self._between(seq + 1, run[1])[:count] if run and count > 0 else []

    def _between(self, first: int, last: int) -> list[int]:
        return self._seqs[bisect_left(self._seqs, first) : bisect_right(self._seqs, last)]

    def _run_of(self, seq: int) -> tuple[int, int] | None:
        place = bisect_right(self._runs, seq, key=lambda run: run[0]) - 1
        return self._runs[place] if place >= 0 and self._runs[place][1] >= seq else None

    def _join(self, first: int, last: int) -> None:
        low = bisect_left(self._runs, first - 1, key=lambda run: run[1])
        high = bisect_right(self._runs, last + 1, key=lambda run: run[0])
        if low < high:
            first = min(first, self._runs[low][0])
            last = max(last, self._runs[high - 1][1])
        self._runs[low:high] = [(first, last)]
