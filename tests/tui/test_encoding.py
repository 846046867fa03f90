"""What is sent to the terminal is short, and looks as what Textual would have sent."""

import io
import random

import pyte
import pytest
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.strip import Strip

from tui_chat.tui.compositing import Shown
from tui_chat.tui.encoding import encoded

COLOURS = (None, "#e0e0e0", "#121212", "color(5)", "default", "red")
ATTRIBUTES = ("bold", "dim", "italic", "underline", "reverse", "strike")


def console(system: str) -> Console:
    """One that draws in so many colours."""
    return Console(file=io.StringIO(), force_terminal=True, color_system=system)  # type: ignore[arg-type]


def looks(sent: str) -> list[tuple[object, ...]]:
    """The cells of a terminal that got it, and how it would draw on; of a blank only what is seen of one."""
    terminal = pyte.Screen(60, 1)
    pyte.Stream(terminal).feed(sent + "!")
    found: list[tuple[object, ...]] = []
    for x in range(60):
        cell = terminal.buffer[0][x]
        seen_on_blanks = cell.underscore or cell.reverse or cell.strikethrough
        found.append((cell.data, cell.bg) if cell.data == " " and not seen_on_blanks else tuple(cell))
    return found


@pytest.mark.parametrize("system", ["standard", "256", "truecolor"])
def test_any_runs_of_cells_look_as_textual_would_draw_them(system: str) -> None:
    chance = random.Random(7)
    shorter = 0
    for _turn in range(400):
        segments = []
        for _run in range(chance.randrange(1, 8)):
            style = Style(
                color=chance.choice(COLOURS),
                bgcolor=chance.choice(COLOURS),
                **{name: chance.choice([None, True, False]) for name in ATTRIBUTES},  # type: ignore[arg-type]
            )
            segments.append(
                Segment(chance.choice(["  ", "ab", "c d", "明天", ""]), chance.choice([style, style, None]))
            )
        ours, theirs = encoded(Strip(segments), console(system)), Strip(segments).render(console(system))
        assert looks(ours) == looks(theirs), segments
        assert len(ours) <= len(theirs)
        shorter += len(ours) < len(theirs)
    assert shorter > 200


def test_a_link_is_left_as_it_is() -> None:
    strip = Strip([Segment("a", Style(color="red")), Segment("b", Style(link="https://example.org"))])
    assert encoded(strip, console("truecolor")).endswith(
        Strip.render_style(strip._segments[1].style or Style(), "b", ColorSystem.TRUECOLOR)
    )


def test_what_the_terminal_shows_is_not_sent_again() -> None:
    shown = Shown()
    shown.resized(Size(80, 24))
    assert shown.changes(3, 0, 40, "one")
    assert not shown.changes(3, 0, 40, "one")
    assert shown.changes(4, 0, 40, "one"), "another line"
    assert shown.changes(3, 10, 20, "in its midst")
    assert shown.changes(3, 0, 40, "one"), "a part of it was drawn over"
    assert shown.changes(3, 10, 20, "in its midst")
    shown.resized(Size(80, 24))
    assert not shown.changes(4, 0, 40, "one")
    shown.resized(Size(81, 24))
    assert shown.changes(4, 0, 40, "one"), "what a terminal does with its lines when it is made wider, nobody knows"
