"""The rows of conversations: what each of them says beside its marks, and how it is drawn."""

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from datetime import tzinfo

from textual.strip import Strip

from tui_chat.protocol.models import Conversation
from tui_chat.tui.render.rows import ConversationRow, RowState, conversation_row
from tui_chat.tui.render.times import Times
from tui_chat.tui.themes import Symbols

from .listing import Listing
from .marked_list import MarkedList

_NORMAL = (RowState.NORMAL, "")
STRIPS_KEPT = 1_000
"""Painted rows that are kept; a screen has a hundred at most."""


class ConversationRows(MarkedList):
    """States and signs of rows, and their paint; which rows there are is the subclass's affair."""

    def __init__(
        self,
        *,
        clock: Callable[[], int],
        own_id: str,
        symbols: Symbols,
        zone: tzinfo | None,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        """`clock` gives milliseconds since 1970; `own_id` is whose list it is."""
        super().__init__(id=id, classes=classes)
        self._clock = clock
        self._zone = zone
        self._own_id = own_id
        self._symbols = symbols
        self._times = Times(clock(), zone)
        self._listing = Listing()
        self._states: dict[str, tuple[RowState, str]] = {}
        self._stale: frozenset[str] = frozenset()
        self._drafts: frozenset[str] = frozenset()
        self._online: AbstractSet[str] = frozenset()
        self._open: str | None = None
        self._strips: dict[str, tuple[Conversation, tuple[object, ...], Strip]] = {}
        """By key: of which conversation, how it looked, and its paint."""
        self.set_class(symbols.ascii, "-ascii")

    def set_deleting(self, conversation_ids: Iterable[str], deleting: bool = True) -> None:
        """Mark rows as "deleting…", or take that mark away."""
        for key in conversation_ids:
            if deleting:
                self._states[key] = (RowState.DELETING, "")
            elif self._states.get(key, (RowState.NORMAL, ""))[0] is RowState.DELETING:
                del self._states[key]
        self.refresh()

    def set_failed(self, reasons: Mapping[str, str]) -> None:
        """Say on these rows why the command failed; they are marked, so that it can be tried again."""
        for key, reason in reasons.items():
            if key in self._listing:
                self._states[key] = (RowState.FAILED, reason)
        self._marks.add(key for key in reasons if key in self._listing)
        self.marks_changed()

    def clear_failed(self) -> None:
        """Take the reasons away; the marks stay."""
        self._states = {key: state for key, state in self._states.items() if state[0] is not RowState.FAILED}
        self.refresh()

    @property
    def failed(self) -> frozenset[str]:
        """Rows that show a reason: what a retry is about."""
        return frozenset(key for key, (state, _reason) in self._states.items() if state is RowState.FAILED)

    def set_stale(self, conversation_ids: Iterable[str]) -> None:
        """Exactly these are copies of what another device deleted."""
        self._stale = frozenset(conversation_ids)
        self.refresh()

    def set_drafts(self, conversation_ids: Iterable[str]) -> None:
        """Exactly these have an unsent draft."""
        self._drafts = frozenset(conversation_ids)
        self.refresh()

    def set_online(self, conversation_ids: AbstractSet[str]) -> None:
        """Exactly these are with people who are there."""
        self._online = conversation_ids
        self.refresh()

    def set_open(self, conversation_id: str | None) -> None:
        """Which one the message pane shows."""
        self._open = conversation_id
        self.refresh()

    def refresh_times(self) -> None:
        """The day may have changed: write the times anew."""
        self._times = Times(self._clock(), self._zone)
        self._strips.clear()
        self.refresh()

    def row_strip(self, key: str, index: int, cells: int) -> Strip:
        """The painted row, kept until something about it changes."""
        conversation = self._listing[key]
        cursor, marked, is_open = index == self.cursor_index, key in self._marks, key == self._open
        state, stale, draft = self._states.get(key, _NORMAL), key in self._stale, key in self._drafts
        online = key in self._online
        look = (cells, cursor, marked, is_open, state, stale, draft, online)
        kept = self._strips.get(key)
        if kept is not None and kept[0] is conversation and kept[1] == look:
            return kept[2]
        row = ConversationRow(
            conversation=conversation,
            cursor=cursor,
            marked=marked,
            state=state[0],
            reason=state[1],
            stale=stale,
            draft=draft,
            online=online,
        )
        base = _base(row, is_open=is_open)
        strip = self.paint(conversation_row(row, cells, self._symbols, self._times, self._own_id), base, cells)
        if len(self._strips) > STRIPS_KEPT:
            self._strips.clear()
        self._strips[key] = (conversation, look, strip)
        return strip

    def forget_strips(self) -> None:
        """Colours changed."""
        self._strips.clear()


def _base(row: ConversationRow, *, is_open: bool) -> str:
    if row.state is RowState.FLASH:
        return "flash"
    if row.marked:
        return "marked-cursor" if row.cursor else "marked"
    return "cursor" if row.cursor else "open" if is_open else ""
