"""Make the README's recording from the real program: a demo in a scratch directory, two devices, real keys.

python assets/make_recording.py [--output assets/screenshots/deletion.svg] [--still NUMBER]

One SVG that moves by itself: each line of the screen that is the same in several frames is in the file once.
"""

import argparse
import asyncio
import tempfile
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

from make_screenshots import opened, until
from rich.cells import cell_len
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from rich.terminal_theme import TerminalTheme
from textual.pilot import Pilot

from tui_chat.client.session import ChatSession
from tui_chat.demo.run import Device, RunningDemo, start
from tui_chat.locale import use_language
from tui_chat.tui.app import ChatApp

SIZE = (120, 24)
CELL, ROW, FONT = 8.4, 18, 14
"""Of one cell: width and height, and the font's size, in the picture's units."""
CAPTION = 34
GROUND, TEXT, ACCENT = "#121212", "#e0e0e0", "#ffa62b"
SAMPLE = 0.05
"""Seconds between two looks while something moves by itself."""
THEME = TerminalTheme((18, 18, 18), (224, 224, 224), [(0, 0, 0)] * 8, [(255, 255, 255)] * 8)


class Frame(NamedTuple):
    """What the screen shows, for how long, and what was pressed."""

    lines: tuple[str, ...]
    """Each as SVG, at the top."""
    caption: str
    seconds: float


class Recorder:
    """Takes frames of one app."""

    def __init__(self, app: ChatApp, pilot: Pilot[None]) -> None:
        self._app, self._pilot = app, pilot
        self.frames: list[Frame] = []

    async def show(self, caption: str, seconds: float) -> None:
        """What is there once nothing moves, for so long."""
        await self._pilot.pause(0.15)
        self._take(caption, seconds)

    async def watch(self, caption: str, seconds: float) -> None:
        """What moves by itself, as it moves."""
        for _ in range(round(seconds / SAMPLE)):
            await asyncio.sleep(SAMPLE)
            self._take(caption, SAMPLE)

    def _take(self, caption: str, seconds: float) -> None:
        strips = self._app.screen._compositor.render_strips()
        lines = tuple(drawn(list(strip)) for strip in strips)
        if self.frames and (self.frames[-1].lines, self.frames[-1].caption) == (lines, caption):
            seconds += self.frames.pop().seconds
        self.frames.append(Frame(lines, caption, seconds))


def colour(of: Color | None, otherwise: str, *, ground: bool) -> str:
    """As the web writes it."""
    return otherwise if of is None or of.is_default else of.get_truecolor(THEME, foreground=not ground).hex


def drawn(segments: list[Segment]) -> str:
    """One line of the screen as SVG."""
    boxes: list[str] = []
    texts: list[str] = []
    at = 0
    for text, style, control in segments:
        cells = cell_len(text)
        if control or not cells:
            continue
        style = style or Style()
        ink, ground = colour(style.color, TEXT, ground=False), colour(style.bgcolor, GROUND, ground=True)
        if style.reverse:
            ink, ground = ground, ink
        if ground != GROUND:
            wide = f"{cells * CELL:.1f}"
            boxes.append(f'<path fill="{ground}" d="M{at * CELL:.1f} 0h{wide}v{ROW}h-{wide}z"/>')
        words = text.rstrip(" ")
        lead = len(words) - len(words.lstrip(" "))
        if words.strip():
            look = ' font-weight="700"' if style.bold else ""
            look += ' text-decoration="line-through"' if style.strike else ""
            place = f'x="{(at + lead) * CELL:.1f}" y="{FONT}" textLength="{(cell_len(words) - lead) * CELL:.1f}"'
            texts.append(f'<text {place} fill="{ink}"{look}>{escape(words[lead:])}</text>')
        at += cells
    return "".join(boxes + texts)


def animated(frames: list[Frame], *, still: int | None = None) -> str:
    """All frames in one picture; with `still` one of them, which does not move."""
    width, height = SIZE[0] * CELL + 20, SIZE[1] * ROW + CAPTION + 20
    total = sum(frame.seconds for frame in frames)
    numbers: dict[str, int] = {}
    for frame in frames:
        for line in frame.lines:
            numbers.setdefault(line, len(numbers))
    shown = frames if still is None else [frames[still]]
    rules, groups, past = [], [], 0.0
    for number, frame in enumerate(shown):
        begin, end = past / total * 100, (past + frame.seconds) / total * 100
        past += frame.seconds
        if still is None:
            hidden = "0%{visibility:hidden}" if number else ""
            seen = f"{begin:.3f}%{{visibility:visible}}{end:.3f}%,100%{{visibility:hidden}}"
            rules.append(f"@keyframes f{number}{{{hidden}{seen}}}")
            rules.append(f".f{number}{{animation:f{number} {total:.2f}s step-end infinite}}")
        uses = "".join(f'<use href="#l{numbers[line]}" y="{y * ROW}"/>' for y, line in enumerate(frame.lines) if line)
        state = "" if number == 0 else ' visibility="hidden"'
        caption = f'<text y="{SIZE[1] * ROW + 24}" fill="{ACCENT}" font-weight="700">{escape(frame.caption)}</text>'
        groups.append(f'<g class="f{number}"{state}>{uses}{caption}</g>')
    needed = {line for frame in shown for line in frame.lines}
    lines = "".join(f'<g id="l{number}">{line}</g>' for line, number in numbers.items() if line in needed and line)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" role="img">'
        "<title>Three conversations are deleted on one device, go from the other, and come back</title>"
        f"<style>text{{font:{FONT}px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;"
        f"white-space:pre}}{''.join(rules)}</style>"
        f'<rect width="100%" height="100%" rx="8" fill="{GROUND}"/>'
        f'<defs>{lines}</defs><g transform="translate(10 10)">{"".join(groups)}</g></svg>\n'
    )


async def recorded(demo: RunningDemo) -> list[Frame]:
    """Mark three, delete, see them go from the other device, undo."""

    async def second() -> ChatSession:
        return await opened(await demo.another_device())

    async with await opened(Device(demo.credentials, demo.cache_directory)) as session:
        app = ChatApp(session, second=second, demo=True)
        async with app.run_test(size=SIZE, notifications=True) as pilot:
            await until(pilot, lambda: len(session.conversations) > 300)
            await pilot.press("f2")
            await until(pilot, lambda: app.main.second is not None)
            await pilot.press(*["down"] * 4)
            await pilot.pause(0.5)
            recorder = Recorder(app, pilot)
            await recorder.show("Two devices of one account", 1.6)
            for count in (1, 2, 3):
                await pilot.press("space")
                await recorder.show("Space " * count, 0.6)
            await recorder.show("Three are marked", 0.9)
            await pilot.press("d")
            await recorder.show("d  asks", 3.0)
            await pilot.press("y")
            await recorder.watch("y  deletes, and the phone follows", 1.2)
            await recorder.show("y  deletes, and the phone follows", 2.2)
            await pilot.press("u")
            await recorder.watch("u  brings them back, on both", 0.8)
            await recorder.show("u  brings them back, on both", 2.4)
            return recorder.frames


async def frames_of_a_demo() -> list[Frame]:
    """In one that nobody else sees."""
    with tempfile.TemporaryDirectory() as scratch:
        async with await start(Path(scratch) / "demo") as demo:
            return await recorded(demo)


def make(output: Path, still: int | None) -> None:
    """Record, and write it."""
    frames = asyncio.run(frames_of_a_demo())
    output.write_text(animated(frames, still=still), "utf-8")
    print(f"{output}: {len(frames)} frames, {output.stat().st_size:,} bytes")
    for number in range(len(frames)) if still == -1 else ():
        output.with_stem(f"{output.stem}-{number}").write_text(animated(frames, still=number), "utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "screenshots" / "deletion.svg")
    parser.add_argument("--still", type=int, help="this frame alone; -1: each in a file of its own, to look at them")
    arguments = parser.parse_args()
    use_language("en")
    make(arguments.output, arguments.still)
