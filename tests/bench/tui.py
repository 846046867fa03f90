"""The screen on a pty: first paint, key to frame, opening, scrolling, marking, idle, 10,000 deletions.

Parts can be chosen: `--only paint`, idle, keys, opening, scrolling, marking, deleting.
"""

import itertools
import random
import re
import sys
import time
from contextlib import closing

import pyte

from ._screen import COLUMNS, ROWS, Mailbox, Watched, environment, person
from .framework import Bench, Figure, at_most

EMPTY = """
from textual.app import App
from textual.widgets import Static
{imports}
class Empty(App):
    def compose(self):
        yield Static("painted")
Empty().run()
"""
LIST = """
from rich.segment import Segment
from rich.style import Style
from textual.app import App
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
class Rows(ScrollView, can_focus=True):
    BINDINGS = [("j", "move(1)"), ("k", "move(-1)")]
    cursor = 0
    def on_mount(self):
        self.virtual_size = Size(self.size.width, {rows})
    def render_line(self, y):
        style = Style(reverse=y == self.cursor)
        return Strip([Segment(f"person {{y}}".ljust(self.size.width), style)])
    def action_move(self, by):
        before, self.cursor = self.cursor, max(0, self.cursor + by)
        self.refresh(*(Region(0, y, self.size.width, 1) for y in (before, self.cursor)))
class List(App):
    def compose(self):
        yield Rows()
List().run()
"""
"""The least that a list drawn line by line does; its cursor stays on the first page."""
LIBRARIES = "import httpx, httpcore, anyio, websockets.asyncio.client, tinydb, msgspec"
"""What the client imports of others; httpx loads the second and the third with its first request."""
ESCAPE = "\x1b"
PAGE_UP = "\x1b[5~"
END = "\x1b[F"


ON_ONE_CLIENT = ("keys", "opening", "scrolling", "marking", "deleting")
"""Parts that one running client goes through."""


def run(bench: Bench) -> None:
    """Measure the chosen parts."""
    parts = bench.chosen(["paint", "idle", *ON_ONE_CLIENT])
    count = bench.size(10_000, quick=120)
    long, short = bench.size((5_000, 100), quick=(60, 20))
    lengths = [long, short, bench.size(10_000, quick=80), *[9] * (count - 3)]
    bench.progress(f"a mailbox of {count:,} conversations, {sum(lengths):,} messages")
    with closing(Mailbox(bench.scratch / "many", lengths, muted_each=10)) as many:
        if "paint" in parts:
            _first_paint(bench, many)
        if "idle" in parts:
            _idle(bench, many)
        if set(parts).isdisjoint(ON_ONE_CLIENT):
            return
        with many.open() as client:
            client.until(person(0))
            client.until("connected")
            client.settle(1.0)
            if "keys" in parts:
                with closing(Mailbox(bench.scratch / "few", [9] * bench.size(100, quick=30))) as few:
                    _keys(bench, client, few)
            if "opening" in parts:
                _opening(bench, client)
            if "scrolling" in parts:
                _scrolling(bench, client)
            if "marking" in parts:
                _marking(bench, client, count)
            if "deleting" in parts:
                _deleting(bench, client, count)


def _first_paint(bench: Bench, mailbox: Mailbox) -> None:
    bench.progress("first paint")
    turns = bench.size(10, quick=1)
    empty, ours = [], []
    for turn in range(turns + 1):  # in turns, so that a busy minute of the machine falls on both; the first warms up
        with _empty(mailbox) as app:
            painted = app.until("painted") - app.started
        with mailbox.open() as client:
            shown = client.until(person(0)) - client.started
            client.until("connected")
            client.quit()
        if turn or turns == 1:
            empty.append(painted)
            ours.append(shown)
    plain = bench.times("first paint, empty Textual app", empty)
    full = bench.times("first paint, warm cache", ours)
    bench.ratio("first paint / empty app", of=full, to=plain, bar=at_most(1.3))


def _idle(bench: Bench, mailbox: Mailbox) -> None:
    bench.progress("idle")
    seconds = bench.size(20.0, quick=0.5)
    with _empty(mailbox, LIBRARIES) as app, mailbox.open() as client:
        app.until("painted")
        client.until(person(0))
        client.until("connected")
        client.settle(bench.size(3.0, quick=0.1))
        plain = bench.values("memory, empty app with the same libraries", [app.memory_mib()], "MiB")
        ours = bench.values("memory, client", [client.memory_mib()], "MiB")
        before = app.processor_seconds(), client.processor_seconds()
        time.sleep(seconds)
        used = [
            now - then for now, then in zip((app.processor_seconds(), client.processor_seconds()), before, strict=True)
        ]
    bench.ratio("memory / empty app", of=ours, to=plain, bar=at_most(1.5))
    bench.values("idle, empty app", [100 * used[0] / seconds], "% CPU")
    idle = bench.values("idle, client", [100 * used[1] / seconds], "% CPU")
    bench.judge("idle", idle, "median", at_most(0.2))


def _keys(bench: Bench, client: Watched, few: Mailbox) -> None:
    bench.progress("keys")
    turns = bench.size(200, quick=5)
    least = Watched([sys.executable, "-c", LIST.format(rows=bench.size(10_000, quick=100))], environment(few.home))
    with few.open() as small, least:
        small.until(person(0))
        small.settle(1.0)
        least.until("person 9")
        least.settle(0.3)
        bare: list[float] = []
        figures: dict[str, dict[str, Figure]] = {}
        for what, keys in {"cursor": "jjjjjjjk", "mark": "  k k k "}.items():
            pressed = [keys[turn % len(keys)] for turn in range(turns)]
            times: dict[str, list[float]] = {"many": [], "few": []}
            for turn, key in enumerate(pressed):
                times["few"].append(small.frame(key))
                times["many"].append(client.frame(key))
                bare.append(least.frame("jk"[turn % 2]))
            for one in (small, client):
                one.press(ESCAPE)
                one.settle(0.3)
                one.press("g")
                one.settle(0.3)
            figures[what] = {
                size: bench.times(f"key to frame, {what}, {size}", samples) for size, samples in times.items()
            }
    plain = bench.times("key to frame, a list that does no more", bare)
    for what, by_size in figures.items():
        bench.ratio(f"key to frame, {what} / such a list", of=by_size["many"], to=plain, statistic="p95")
        bench.judge(f"key to frame, {what}", by_size["many"], "p95", at_most(8))
        bench.ratio(
            f"key to frame, {what}, many / few",
            of=by_size["many"],
            to=by_size["few"],
            statistic="p95",
            bar=at_most(1.3),
        )


def _opening(bench: Bench, client: Watched) -> None:
    bench.progress("opening")
    times: dict[str, list[float]] = {"g": [], "gj": []}
    lasts = {"g": bench.size("word05000", quick="word00060"), "gj": bench.size("word00100", quick="word00020")}
    for _turn in range(bench.size(20, quick=2)):
        for way, seconds in times.items():
            client.press(way)
            client.settle(0.1)
            pressed = client.press("\r")
            seconds.append(client.until(lasts[way]) - pressed)
            client.settle(0.2)
            for _step in range(2):
                client.press(ESCAPE)
                client.settle(0.2)
    long = bench.times("opening, long history cached", times["g"])
    short = bench.times("opening, short history", times["gj"])
    bench.ratio("opening, long / short", of=long, to=short, bar=at_most(1.5))


def _scrolling(bench: Bench, client: Watched) -> None:
    bench.progress("scrolling")
    drawn = client.keep_drawn()
    client.press("gjj")
    client.settle(0.2)
    client.press("\r")
    client.settle(0.5)
    client.press(ESCAPE)
    client.settle(0.3)
    ends = [len(drawn)]
    for _turn in range(bench.size(100, quick=1)):  # not as fast as it can, so that each page is drawn to its end
        client.press(PAGE_UP)
        client.until("word")
        client.settle(0.04)
        ends.append(len(drawn))
    lost = _lines_lost(drawn, ends)
    bench.judge(
        "scrolling up, lines lost or twice",
        bench.values("scrolling up, lines lost or twice", [float(lost)], "lines"),
        "max",
        at_most(0),
    )
    client.press(END)
    client.settle(0.5)
    frames = [client.frame(PAGE_UP) for _turn in range(bench.size(300, quick=1))]
    scrolled = bench.times("scrolling up, page to frame", frames)
    bench.judge("scrolling up, longest frame", scrolled, "max", at_most(33))
    client.press(ESCAPE)
    client.settle(0.3)


def _lines_lost(drawn: list[bytes], ends: list[int]) -> int:
    """The pages, each without the last line, which the one before it had as its first, are what was written: messages
    of two lines each, numbered without a hole. How many lines are not as they should be."""
    terminal = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.ByteStream(terminal)
    lines: list[str] = []
    start = 0
    for end in ends:
        stream.feed(b"".join(drawn[start:end]))
        start = end
        cells = [[terminal.buffer[y][x].data for x in range(COLUMNS)] for y in range(ROWS)]
        left = "".join(cells[0]).index(f"╭─ {person(2)}")
        page = itertools.takewhile(lambda row, left=left: row[left] == "│", cells[1:])  # type: ignore[misc]
        lines = ["".join(row[left:]) for row in page][: -1 if lines else None] + lines
    numbers = [int(found[1]) if (found := re.search(r"word(\d+) ", line)) else None for line in lines]
    first = next(at for at, number in enumerate(numbers) if number is not None)
    begin = numbers[first] or 0
    wanted = [begin + at // 2 if at % 2 == 0 else None for at in range(len(numbers) - first)]
    return sum(number != right for number, right in zip(numbers[first:], wanted, strict=True))


def _marking(bench: Bench, client: Watched, count: int) -> None:
    bench.progress("marking by query")
    seconds = []
    for _turn in range(bench.size(10, quick=1)):
        client.press("T")
        client.settle(0.2)
        client.press("muted:")
        client.settle(0.3)
        pressed = client.press("\r")
        # The rows are in the same frame, above the status line that counts them; the toast comes after it.
        seconds.append(client.until(f"{count // 10:,} marked") - pressed)
        client.settle(0.3)
        client.press(ESCAPE)
        client.settle(0.5)
    marked = bench.times(f"marking {count // 10:,} of {count:,} by query, Enter to frame", seconds)
    bench.judge("marking by query", marked, "median", at_most(14))


def _deleting(bench: Bench, client: Watched, count: int) -> None:
    bench.progress("deleting all")
    client.press("*")  # what is not marked: all
    client.settle(0.5)
    client.press("d")
    client.until("Delete")
    client.settle(0.5)
    client.press(str(count))
    client.settle(0.3)
    start = client.press("y")
    keys: list[float] = []
    random.seed(count)
    drawn = b""
    while b" deleted" not in drawn or b"brings" not in drawn:
        pressed = client.press("j")
        first: float | None = None
        while time.perf_counter() < pressed + 0.05:
            piece = client._read(pressed + 0.05 - time.perf_counter())
            if piece and first is None:
                first = time.perf_counter() - pressed
            drawn = (drawn + piece)[-60_000:]
        if first is not None:
            keys.append(first)
        if time.perf_counter() > start + 60:
            raise TimeoutError("it does not come to an end")
    whole = bench.times(f"deleting {count:,} from the screen", [time.perf_counter() - start], unit="s")
    bench.judge("deleting all", whole, "median", at_most(3))
    if keys:
        bench.times("key to the next frame meanwhile", keys)


def _empty(mailbox: Mailbox, imports: str = "") -> Watched:
    return Watched([sys.executable, "-c", EMPTY.format(imports=imports)], environment(mailbox.home))
