"""What dialogs with a list of entries have in common."""

from textual.widgets import OptionList

from .dialog import Dialog, Result


class ListDialog(Dialog[Result]):
    """A dialog with one list, whose cursor also moves by keys that the list itself does not take, or not now."""

    def action_move(self, rows: int) -> None:
        """j and k; up and down while one types."""
        entries = self.query_one(OptionList)
        if rows > 0:
            entries.action_cursor_down()
        else:
            entries.action_cursor_up()
