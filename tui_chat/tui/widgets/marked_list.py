"""A list whose rows can be marked: one by one, by ranges, all that are shown; marks are keys, not rows."""

from collections.abc import Iterable
from dataclasses import dataclass

from textual import events
from textual.message import Message

from .marks import Marks
from .virtual_list import VirtualList


class MarkedList(VirtualList):
    """Movement and marking; a subclass says what the rows are and how they look."""

    @dataclass
    class MarksChanged(Message):
        """Other keys are marked than before."""

        marks: frozenset[str]

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._marks = Marks()
        self._shift_range = False

    def listed(self, keys: Iterable[str]) -> list[str]:
        """Those for which there is a row, shown or not; only such can be marked. To be overridden."""
        return [key for key in keys if self.rows.index_of(key) is not None]

    def marks_changed(self, key: str | None = None) -> None:
        """Marks are other than before: draw them (`key`: only that row's did) and say so."""
        if key is not None:
            self.refresh_key(key)
        else:
            self.refresh()
        self.announce_marks()

    def announce_marks(self) -> None:
        """Say what is marked."""
        self.post_message(self.MarksChanged(self._marks.marked))

    @property
    def marks(self) -> frozenset[str]:
        """What is marked, shown or not."""
        return self._marks.marked

    @property
    def in_range(self) -> bool:
        """Whether moving marks, after `toggle_range`."""
        return self._marks.in_range and not self._shift_range

    def toggle_mark(self) -> None:
        """Space: mark or unmark the row, and go down."""
        key = self.cursor_key
        if key is None:
            return
        self.end_range()
        self._marks.toggle(key)
        self.marks_changed(key)
        self.go_to(self.cursor_index + 1)

    def toggle_range(self) -> None:
        """v: from here on moving marks; again: it no longer does, and the marks stay."""
        if self._marks.in_range:
            self.end_range()
        else:
            self._start_range(shift=False)

    def extend_range(self, rows: int) -> None:
        """Shift with Up or Down: mark this row and the next; going back unmarks. A move without Shift ends it."""
        if not self._marks.in_range:
            self._start_range(shift=True)
        self.go_to(self.cursor_index + rows)

    def end_range(self) -> None:
        """Moving no longer marks."""
        self._marks.end_range()
        self._shift_range = False
        self.set_class(False, "-range")

    def mark_all_shown(self) -> None:
        """a: mark all that are shown."""
        self._marks.add(self.rows.ordered())
        self.marks_changed()

    def invert_marks(self) -> None:
        """*: among those shown, mark the unmarked and unmark the marked."""
        self._marks.invert(self.rows.ordered())
        self.marks_changed()

    def mark(self, keys: Iterable[str]) -> None:
        """Mark these as well, those that are listed."""
        self._marks.add(self.listed(keys))
        self.marks_changed()

    def clear_marks(self) -> int:
        """Unmark all; how many there were. They can be had back by `mark_last_set`."""
        count = self._marks.clear()
        self.end_range()
        self.marks_changed()
        return count

    def mark_last_set(self) -> int:
        """V: mark again what was marked before; how many of them are still listed."""
        there = self.listed(self._marks.last)
        self._marks.add(there)
        self.marks_changed()
        return len(there)

    def cursor_moved(self, old: int, new: int) -> None:
        """Within a range the rows between are marked."""
        if self._marks.in_range:
            self._marks.move_range(old, new, self.rows.key_at)
            self.marks_changed()

    def action_move(self, rows: int) -> None:
        """Up or down; without Shift this ends a range drawn with it."""
        self._end_shift_range()
        super().action_move(rows)

    def action_page(self, pages: int) -> None:
        """By what is visible."""
        self._end_shift_range()
        super().action_page(pages)

    def on_click(self, event: events.Click) -> None:
        """On the sign, or with Ctrl: mark; with Shift: the range up to here; else open."""
        index = self.row_at(event)
        if index is None:
            return
        event.stop()
        event.prevent_default()
        offset = event.get_content_offset(self)
        if event.shift:
            if not self._marks.in_range:
                self._start_range(shift=True)
            self.go_to(index)
            return
        self.end_range()
        self.go_to(index)
        if event.ctrl or (offset is not None and offset.x < 3):
            self._marks.toggle(self.rows.key_at(index))
            self.marks_changed()
        else:
            self.action_choose()

    def _start_range(self, *, shift: bool) -> None:
        key = self.cursor_key
        if key is not None:
            self._shift_range = shift
            self._marks.start_range(self.cursor_index, key)
            self.set_class(not shift, "-range")
            self.marks_changed()

    def _end_shift_range(self) -> None:
        if self._shift_range:
            self.end_range()
