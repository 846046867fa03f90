"""A pane's title in its upper border: what it is at the left, how much at the right, a rule between."""

from textual.content import Content

from tui_chat.tui.safe import Safe

from .cells import elide, width


def frame_title(left: Safe, right: Safe, cells: int, rule: Safe, ellipsis: Safe) -> Content:
    """Exactly as wide as a bordered widget's upper edge takes, `cells` being the whole width with the corners."""
    room = max(cells - 6, 1)
    note = elide(right, max(room - 6, 1), ellipsis) if right else right
    name = elide(left, max(room - (width(note) + 3 if note else 0), 1), ellipsis)
    if not note:
        return Content.styled(name, "bold $foreground")
    line = rule * max(room - width(name) - width(note) - 2, 1)
    return Content.assemble((name, "bold $foreground"), f" {line} ", (note, "not bold $foreground"))
