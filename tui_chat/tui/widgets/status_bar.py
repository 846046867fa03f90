"""The one status line: facts at the left, keys that do something now at the right; the least important go first."""

from collections.abc import Iterator, Sequence

import msgspec
from textual.geometry import Size
from textual.strip import Strip

from tui_chat.tui.render.cells import Line, Piece, elide, line_width, spaces
from tui_chat.tui.safe import Safe, join, own
from tui_chat.tui.themes import UNICODE, Symbols

from .painting import Painted


class Fact(msgspec.Struct, frozen=True):
    """Something that is so: connection, account, switch, undo. Lower priorities are left away first."""

    text: Safe
    priority: int = 0
    style: str = ""
    """"" or good, warning, error, strong: how it looks beside what it says."""
    short: Safe | None = None
    """A shorter form, tried before it is left away."""


class Hint(msgspec.Struct, frozen=True):
    """A key and what it does."""

    key: Safe
    label: Safe
    priority: int = 0


class StatusBar(Painted, can_focus=False):
    """One line that never wraps."""

    PREFIX = "status-bar"
    ALLOW_SELECT = False
    DEFAULT_CSS = """
    StatusBar {
        dock: bottom;
        height: 1;
        background: $panel;
        color: $foreground;
        overflow: hidden hidden;
        .status-bar--key { color: $text-accent; text-style: bold; }
        .status-bar--label { color: $foreground; }
        .status-bar--dot { color: $text-muted; }
        .status-bar--good { color: $text-success; }
        .status-bar--warning { color: $text-warning; }
        .status-bar--error { color: $text-error; text-style: bold; }
        .status-bar--strong { color: $foreground; text-style: bold; }
    }
    """

    def __init__(self, *, symbols: Symbols = UNICODE, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._symbols = symbols
        self._facts: tuple[Fact, ...] = ()
        self._hints: tuple[Hint, ...] = ()
        self._strip: Strip | None = None
        self.virtual_size = Size(0, 1)

    def set_facts(self, facts: Sequence[Fact]) -> None:
        """What stands at the left, in this order."""
        if tuple(facts) != self._facts:
            self._facts = tuple(facts)
            self._strip = None
            self.refresh()

    def set_hints(self, hints: Sequence[Hint]) -> None:
        """What stands at the right, in this order."""
        if tuple(hints) != self._hints:
            self._hints = tuple(hints)
            self._strip = None
            self.refresh()

    def line_strip(self, y: int, cells: int) -> Strip:
        """The line, kept as long as it says the same: it is asked for with every frame."""
        if self._strip is None or self._strip.cell_length != cells:
            self._strip = self.paint(status_line(self._facts, self._hints, cells, self._symbols), "", cells)
        return self._strip

    def forget_strips(self) -> None:
        """Colours changed."""
        self._strip = None


def status_line(facts: Sequence[Fact], hints: Sequence[Hint], cells: int, symbols: Symbols) -> Line:
    """The line that fits: short forms first, then what has the least priority goes; of equals the last."""
    if cells < 3:
        return []
    kept, keys = list(facts), list(hints)
    while len(kept) + len(keys) > 1:
        for line in _forms(kept, keys, symbols):
            used = line_width(line[0]) + line_width(line[1])
            if used + 2 <= cells:
                return [*line[0], Piece(spaces(cells - used)), *line[1]]
        least = min([fact.priority for fact in kept] + [hint.priority for hint in keys])
        if any(hint.priority == least for hint in keys):
            keys.pop(max(n for n, hint in enumerate(keys) if hint.priority == least))
        else:
            kept.pop(max(n for n, fact in enumerate(kept) if fact.priority == least))
    if kept:
        return [Piece(own(" ")), Piece(elide(kept[0].text, cells - 2, symbols.ellipsis), kept[0].style)]
    right = _right(keys)
    return [Piece(spaces(cells - line_width(right))), *right] if line_width(right) <= cells else []


def _forms(facts: Sequence[Fact], hints: Sequence[Hint], symbols: Symbols) -> Iterator[tuple[Line, Line]]:
    """Both halves with all facts in full, then with one more in its short form each time, the least important first."""
    shown, right = list(facts), _right(hints)
    yield _left(shown, symbols), right
    for number in sorted(range(len(shown)), key=lambda number: shown[number].priority):
        fact = shown[number]
        if fact.short is not None:
            shown[number] = Fact(fact.short, fact.priority, fact.style)
            yield _left(shown, symbols), right


def _left(facts: Sequence[Fact], symbols: Symbols) -> Line:
    line: Line = [Piece(own(" "))]
    for number, fact in enumerate(facts):
        if number:
            line.append(Piece(join(own(" "), symbols.dot, own(" ")), "dot"))
        line.append(Piece(fact.text, fact.style))
    return line


def _right(hints: Sequence[Hint]) -> Line:
    line: Line = []
    for hint in hints:
        line += [Piece(hint.key, "key"), Piece(own(" ")), Piece(hint.label, "label"), Piece(own("  "))]
    return [*line[:-1], Piece(own(" "))] if line else []
