"""`?`: the keys of where one is, from the registry, and what the signs mean."""

from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tui_chat.locale import N_, _
from tui_chat.tui.commands.command import KeysOf, Scope, join_keys, own_keys, same_key
from tui_chat.tui.commands.registry import BY_ID, help_of, in_scope
from tui_chat.tui.dialogs.dialog import Dialog, Frame, OwnKeys
from tui_chat.tui.render.cells import width, wrap
from tui_chat.tui.safe import Safe, join, own
from tui_chat.tui.themes import UNICODE, Symbols

KEYS: Final = 18
"""Cells of the column of keys."""
TITLES: Final = {
    Scope.LIST: N_("In the list"),
    Scope.MESSAGES: N_("In the messages"),
    Scope.COMPOSER: N_("In the composer"),
    Scope.EVERYWHERE: N_("Everywhere"),
    Scope.GROUP: N_("In a group's list of members"),
    Scope.DIALOG: N_("In a dialog"),
}


def signs(symbols: Symbols) -> list[tuple[Safe, str]]:
    """What stands in a row of the list and beside one's own messages, in its order, and what it means."""
    left, removed, dismissed = (own(_(one)) for one in (N_("(left)"), N_("(removed)"), N_("(dismissed)")))
    return [
        (symbols.marked, N_("Marked.")),
        (symbols.unread, N_("Unread messages, or flagged as unread; the number is how many.")),
        (symbols.pinned, N_("Pinned: stays at the top.")),
        (symbols.online, N_("After a name: they are online.")),
        (join(left, own(" "), removed, own(" "), dismissed), N_("Your group no more: you can read it, not write.")),
        (symbols.muted, N_("Muted: no notifications.")),
        (symbols.stale, N_("Deleted on another device; this is the copy kept here.")),
        (symbols.draft, N_("A draft of yours waits there.")),
        (symbols.mention, N_("Somebody mentioned you there.")),
        (symbols.failed, N_("Refused; the reason stands beside it.")),
        (symbols.sending, N_("Your message is on its way, or waits for a connection.")),
        (symbols.sent, N_("Your message was sent.")),
        (symbols.read, N_("Your message was read.")),
    ]


def help_text(
    here: Scope,
    cells: int,
    keys_of: KeysOf = own_keys,
    symbols: Symbols = UNICODE,
    *,
    dialog: OwnKeys | None = None,
) -> Content:
    """The commands of where one is first, then those that work everywhere, then the rest; the signs at the end.

    `dialog`: the keys of the one that is open, which then come first.
    """
    others = [scope for scope in Scope if scope not in (here, Scope.EVERYWHERE)]
    order = [here, Scope.EVERYWHERE, *others]
    rows: list[Content] = []
    if dialog is not None:
        order = [Scope.EVERYWHERE, *others, here]
        rows.append(Content(_(dialog.title)).stylize("bold $text-primary"))
        for name, said in dialog.keys:
            keys = keys_of(BY_ID[name]) if name in BY_ID else (name,)
            rows.extend(_row(join_keys(keys), own(_(said)), cells))
        rows.append(Content(""))
    for scope in dict.fromkeys(order):
        rows.append(Content(_(TITLES[scope])).stylize("bold $text-primary"))
        for command in in_scope(scope):
            if command.in_help and (keys := keys_of(command)):
                rows.extend(_row(command.key_text(keys), help_of(command, keys_of), cells))
        rows.append(Content(""))
    rows.append(Content(_("Signs")).stylize("bold $text-primary"))
    for sign, meaning in signs(symbols):
        rows.extend(_row(sign, own(_(meaning)), cells))
    return Content("\n").join(rows)


def _row(keys: Safe, said: Safe, cells: int) -> list[Content]:
    """The keys, and beside them what they do; below them where the keys are long or the screen is narrow."""
    indent = KEYS if cells > 2 * KEYS else 2
    lines = [Content(" " * indent + said[start:end]) for start, end in wrap(said, max(cells - indent, 8))]
    head = Content(keys).stylize("bold")
    if indent == KEYS and width(keys) < KEYS - 1:
        return [head + Content(" " * (KEYS - width(keys))) + Content(lines[0].plain[KEYS:]), *lines[1:]]
    return [head, *lines]


class Help(Dialog[None]):
    """Esc, `?`, F1 and `q` close it."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape,q", "close"), same_key(BY_ID["help"], "close")]

    def __init__(self, here: Scope, dialog: OwnKeys | None = None) -> None:
        """`dialog`: the keys of the one over which this opens, where it has its own."""
        super().__init__()
        self._here = here
        self._dialog = dialog

    def compose(self) -> ComposeResult:
        with Frame(classes="tall"), VerticalScroll(id="page"):
            yield Static(self._text(), id="text", markup=False)

    def on_mount(self) -> None:
        self.query_one("#page").focus()

    def resized(self) -> None:
        """The words are wrapped for the width there is."""
        self.query_one("#text", Static).update(self._text())

    def _text(self) -> Content:
        return help_text(self._here, self.room - 1, self.app.keys_of, self.app.symbols, dialog=self._dialog)
