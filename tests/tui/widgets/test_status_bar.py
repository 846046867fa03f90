"""The one status line."""

import pytest

from tui_chat.tui.render.cells import line_width
from tui_chat.tui.safe import own
from tui_chat.tui.themes import UNICODE
from tui_chat.tui.widgets.status_bar import Fact, Hint, status_line

from .host import Host

FACTS = (
    Fact(own("● connected"), 9),
    Fact(own("alice on laptop"), 3, "", own("alice")),
    Fact(own("sync of deletions: on"), 5, "", own("sync: on")),
    Fact(own("u undo 9:41"), 7),
)
HINTS = (Hint(own("d"), own("Delete"), 8), Hint(own("="), own("Review"), 4), Hint(own("?"), own("Help"), 8))


def drawn(cells: int) -> str:
    line = status_line(FACTS, HINTS, cells, UNICODE)
    assert line_width(line) <= cells
    return "".join(piece.text for piece in line)


def test_all_of_it_where_there_is_room() -> None:
    left, right = drawn(120).split(" " * 10)[0], drawn(120).split(" " * 10)[-1].lstrip()
    assert left == " ● connected · alice on laptop · sync of deletions: on · u undo 9:41"
    assert right == "d Delete  = Review  ? Help "


def test_short_forms_come_first() -> None:
    assert " · alice · sync of deletions: on · " in drawn(96)
    assert " · alice · sync: on · " in drawn(82)
    assert " ● connected · sync: on · u undo 9:41  " in drawn(72)


def test_the_least_important_goes_first() -> None:
    line = drawn(50)
    assert "● connected" in line
    assert "u undo 9:41" in line
    assert "Review" not in line
    assert "alice" not in line


@pytest.mark.parametrize("cells", range(1, 130, 3))
def test_it_never_takes_more_than_a_line(cells: int) -> None:
    assert drawn(cells) is not None


async def test_it_is_drawn() -> None:
    app = Host()
    async with app.run_test(size=(120, 40)) as pilot:
        app.bar.set_facts(FACTS)
        app.bar.set_hints(HINTS)
        await pilot.pause()
        assert app.bar.render_line(0).text.rstrip() == drawn(120).rstrip()
