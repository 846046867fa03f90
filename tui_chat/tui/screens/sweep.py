"""Groups of conversations that one may want to be rid of, each a query with its count."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui_chat.client.query import Query, parse
from tui_chat.locale import N_, _, ngettext
from tui_chat.tui import safe
from tui_chat.tui.commands.command import same_key
from tui_chat.tui.commands.registry import BY_ID
from tui_chat.tui.dialogs.dialog import Frame, OwnKeys
from tui_chat.tui.dialogs.list_dialog import ListDialog

if TYPE_CHECKING:
    from tui_chat.tui.app import ChatApp
    from tui_chat.tui.widgets.conversation_list import ConversationList


COUNT_CELLS: Final = 7
"""As far as 999,999 they stand below each other."""


class Heap(NamedTuple):
    """One group: its name in the catalogue, and what is in it."""

    name: str
    query: Query


HEAPS: Final = (
    Heap(N_("Left groups"), parse("left:")),
    Heap(N_("Silent for over a year"), parse("older:1y -pinned:")),
    Heap(N_("One message only"), parse("messages:1 -type:system")),
    Heap(N_("Never answered"), parse("answered:no type:c2c -empty:")),
    Heap(N_("Muted, over 99 unread"), parse("muted: unread:>99")),
    Heap(N_("Empty"), parse("empty: -type:system")),
)


class SweepWish(NamedTuple):
    """What to do when the sweep closes: narrow the list to a query, or ask whether to delete these."""

    look_in: Query | None = None
    delete: tuple[str, ...] = ()


class Sweep(ListDialog[SweepWish | None]):
    """Enter looks in, Space marks, `d` deletes what is marked (or the group under the cursor), Esc closes."""

    app: ChatApp

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape,q", "close"),
        same_key(BY_ID["sweep"], "close"),
        same_key(BY_ID["mark"], "mark"),
        same_key(BY_ID["delete"], "delete"),
        ("j", "move(1)"),
        ("k", "move(-1)"),
    ]

    OWN_KEYS = OwnKeys(
        N_("In the sweep"),
        (
            ("enter", N_("Look in: the list shows that group alone.")),
            ("mark", N_("Mark the group, and go down.")),
            ("delete", N_("Delete what is in the marked groups, or the one under the cursor. Asks.")),
            ("escape", N_("Close the sweep.")),
        ),
    )

    def __init__(self, conversations: ConversationList) -> None:
        super().__init__()
        self._list = conversations
        self._found = [(heap, conversations.found(heap.query)) for heap in HEAPS]
        self._marked: set[int] = set()

    def compose(self) -> ComposeResult:
        with Frame(classes="tall"):
            yield Static(Content(_("Sweep")).stylize("bold"), markup=False, id="title")
            yield OptionList(
                *(self._option(index) for index in range(len(self._found))), id="entries", markup=False, compact=True
            )
            yield Static("", id="text", markup=False)
            keys = safe.template(
                _("Enter look in · {mark} mark · {delete} delete · Esc close"),
                mark=self.app.key("mark"),
                delete=self.app.key("delete"),
            )
            yield Static(keys.stylize("$text-muted"), markup=False, id="keys")

    def on_mount(self) -> None:
        options = self.query_one(OptionList)
        options.focus()
        options.highlighted = next((index for index, (_heap, ids) in enumerate(self._found) if ids), 0)
        self._tell()

    def _option(self, index: int) -> Option:
        heap, ids = self._found[index]
        count = safe.number(len(ids))
        sign = self.app.symbols.marked if index in self._marked else safe.own(" ")
        line = safe.template(
            "{sign} {count}  {name}  {query}",
            sign=Content(safe.join(sign)),
            count=Content(safe.join(safe.repeat(safe.own(" "), COUNT_CELLS - len(count)), count)),
            name=_(heap.name),
            query=f"({heap.query.text})",
        )
        return Option(line if ids else line.stylize("$text-muted"), id=str(index))

    def _tell(self) -> None:
        wanted = self._wanted()
        self.query_one("#text", Static).update(
            safe.template(
                ngettext(
                    "{count} conversation in what is marked", "{count} conversations in what is marked", len(wanted)
                ),
                count=f"{len(wanted):,}",
            )
            if self._marked
            else Content("")
        )

    def _wanted(self) -> list[str]:
        """What is in the marked groups, each once, or in the one under the cursor."""
        options = self.query_one(OptionList)
        chosen = sorted(self._marked) or ([options.highlighted] if options.highlighted is not None else [])
        return list(dict.fromkeys(key for index in chosen for key in self._found[index][1]))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter: look in."""
        event.stop()
        heap, ids = self._found[event.option_index]
        if ids:
            self.dismiss(SweepWish(look_in=heap.query))
        else:
            self.app.bell()

    def action_mark(self) -> None:
        """Space"""
        options = self.query_one(OptionList)
        index = options.highlighted
        if index is None or not self._found[index][1]:
            self.app.bell()
            return
        self._marked ^= {index}
        options.replace_option_prompt_at_index(index, self._option(index).prompt)
        options.action_cursor_down()
        self._tell()

    def action_delete(self) -> None:
        """d"""
        wanted = self._wanted()
        if wanted:
            self.dismiss(SweepWish(delete=tuple(wanted)))
        else:
            self.app.bell()
