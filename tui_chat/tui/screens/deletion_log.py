"""The log of deletions: when, which device, how many, and how long each can be undone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui_chat.locale import N_, _, ngettext
from tui_chat.protocol.errors import ChatError, NotFound
from tui_chat.protocol.ids import ConversationType, parse_conversation_id
from tui_chat.protocol.models import Deletion
from tui_chat.tui import safe
from tui_chat.tui.commands.command import same_key
from tui_chat.tui.commands.registry import BY_ID
from tui_chat.tui.dialogs.dialog import Frame, OwnKeys
from tui_chat.tui.dialogs.list_dialog import ListDialog
from tui_chat.tui.dialogs.question import Question
from tui_chat.tui.refusals import refusal
from tui_chat.tui.render.rows import conversation_name
from tui_chat.tui.render.times import Times

from . import sentences

if TYPE_CHECKING:
    from tui_chat.client.interface import Session
    from tui_chat.tui.app import ChatApp

ENTRIES_MOST: Final = 500
NAMES_MOST: Final = 200
NAMES_ASKED: Final = 30
"""Names that are asked for one by one; the rest is shown by ID."""
SECOND: Final = 1.0


class DeletionLog(ListDialog[None]):
    """Enter shows the names, `u` undoes, `E` erases now, Esc closes."""

    app: ChatApp

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape,q", "close"),
        same_key(BY_ID["log"], "close"),
        same_key(BY_ID["undo"], "undo"),
        ("E", "erase"),
        ("j", "move(1)"),
        ("k", "move(-1)"),
    ]

    OWN_KEYS = OwnKeys(
        N_("In the log of deletions"),
        (
            ("enter", N_("Show the names; again: hide them.")),
            ("undo", N_("Undo that deletion.")),
            ("E", N_("Erase it now: its time for undo ends. Asks first.")),
            ("escape", N_("Close the log.")),
        ),
    )

    def __init__(
        self, session: Session, *, clock: Callable[[], int], bring_back: Callable[[str], Awaitable[None]]
    ) -> None:
        """`bring_back` undoes a batch and says so."""
        super().__init__()
        self._session = session
        self._clock = clock
        self._bring_back = bring_back
        self._fetched = 0
        """When the entries came; their seconds left count from there."""
        self._entries: list[Deletion] = []
        self._known_names: dict[str, str] = {}
        """Of conversations that are not listed, as far as they were asked for."""
        self._open: str | None = None
        """The batch whose names are shown."""

    def compose(self) -> ComposeResult:
        with Frame(classes="tall"):
            yield Static(Content(_("Deletions")).stylize("bold"), markup=False, id="title")
            yield OptionList(id="entries", markup=False, compact=True)
            yield Static(Content(_("Loading…")), id="text", markup=False)
            yield Static(self._keys(), markup=False, id="keys")

    def _keys(self) -> Content:
        """What keys do with the entry under the cursor: a final one is neither undone nor erased."""
        entry = self._chosen() if self._entries else None
        if entry is not None and self._left(entry):
            said = safe.template(_("Enter names · {undo} undo · E erase now · Esc close"), undo=self.app.key("undo"))
        elif entry is not None:
            said = Content(_("Enter names · Esc close"))
        else:
            said = Content(_("Esc close"))
        return said.stylize("$text-muted")

    def _show_keys(self) -> None:
        self.query_one("#keys", Static).update(self._keys())

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """The cursor is on another entry."""
        event.stop()
        self._show_keys()

    def on_mount(self) -> None:
        self.query_one("#entries").focus()
        self.app.start(self._load())

    async def _load(self) -> None:
        try:
            entries = await self._session.deletions()
        except ChatError as error:
            if not self.was_closed:
                self.query_one("#text", Static).update(safe.one_line(refusal(error)))
            return
        if self.was_closed:
            return
        self._entries = entries[:ENTRIES_MOST]
        self._fetched = self._clock()
        self.query_one("#text", Static).update(
            Content("") if entries else Content(_("Nothing was deleted in the last 30 days."))
        )
        self._show()
        if any(self._left(entry) for entry in self._entries):
            self.set_interval(SECOND, self._count_down)

    def _left(self, entry: Deletion) -> int:
        """Milliseconds in which it can still be undone."""
        if entry.restored:
            return 0
        return max(0, entry.undo_seconds * 1000 - (self._clock() - self._fetched))

    def _count_down(self) -> None:
        options = self.query_one("#entries", OptionList)
        for index, entry in enumerate(self._entries):
            if entry.undo_seconds and not entry.restored:
                options.replace_option_prompt_at_index(index, self._line(entry, Times(self._clock())))
        self._show_keys()

    def _show(self) -> None:
        options = self.query_one("#entries", OptionList)
        at = options.highlighted or 0
        times = Times(self._clock())
        options.clear_options()
        options.add_options([Option(self._line(entry, times), id=entry.batch_id) for entry in self._entries])
        if self._entries:
            options.highlighted = min(at, len(self._entries) - 1)
        self._show_keys()

    def _line(self, entry: Deletion, times: Times) -> Content:
        left = self._left(entry)
        if entry.restored:
            state = Content(_("undone")).stylize("$text-muted")
        elif left:
            state = safe.template(_("undo {time}"), time=sentences.remaining(left)).stylize("$text-success")
        else:
            state = Content(_("final")).stylize("$text-muted")
        pattern = {
            ("deleted", True): _("deleted and cleared"),
            ("deleted", False): _("deleted, history kept"),
        }.get((entry.what, entry.clear_history_message), _("history cleared"))
        first = Content.assemble(
            safe.template(
                ngettext(
                    "{time}  {device}  {count} conversation, {what}",
                    "{time}  {device}  {count} conversations, {what}",
                    entry.count,
                ),
                time=_when(times, entry.time),
                device=entry.device.name,
                count=f"{entry.count:,}",
                what=pattern,
            ),
            "  ",
            state,
        )
        if self._open != entry.batch_id:
            return first
        return Content("\n").join([first, *self._names(entry)])

    def _names(self, entry: Deletion) -> list[Content]:
        if not entry.conversation_id_list:
            said = _("    all of it is back") if entry.restored else _("    the names of a final deletion are not kept")
            return [Content(said).stylize("$text-muted")]
        shown = [safe.template("    {name}", name=self._called(one)) for one in entry.conversation_id_list[:NAMES_MOST]]
        more = len(entry.conversation_id_list) - len(shown)
        if more > 0:
            shown.append(safe.template(ngettext("    {count} more", "    {count} more", more), count=f"{more:,}"))
        return shown

    def _called(self, conversation_id: str) -> str:
        row = self._session.conversations.get(conversation_id)
        if row is not None:
            return conversation_name(row)
        parsed = parse_conversation_id(conversation_id)
        if parsed.type is ConversationType.SYSTEM:
            return _("System")
        return self._known_names.get(conversation_id, parsed.target)

    def _chosen(self) -> Deletion | None:
        at = self.query_one("#entries", OptionList).highlighted
        return self._entries[at] if at is not None and at < len(self._entries) else None

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter: show the names, or hide them again."""
        event.stop()
        self._open = None if self._open == event.option_id else event.option_id
        self._show()
        if self._open is not None and (entry := self._chosen()) is not None:
            self.app.start(self._ask_names(entry.conversation_id_list[:NAMES_ASKED]))

    async def _ask_names(self, conversation_ids: list[str]) -> None:
        """Rows that are gone have left no name behind: the server knows those of groups and people."""
        for one in conversation_ids:
            parsed = parse_conversation_id(one)
            if one in self._known_names or one in self._session.conversations or not parsed.target:
                continue
            try:
                if parsed.type is ConversationType.GROUP:
                    self._known_names[one] = (await self._session.group(parsed.target)).name
                else:
                    self._known_names[one] = (await self._session.user(parsed.target)).nick or parsed.target
            except NotFound:
                self._known_names[one] = parsed.target
        if not self.was_closed:
            self._show()

    def action_undo(self) -> None:
        """u"""
        entry = self._chosen()
        if entry is None:
            return
        if not self._left(entry):
            self.app.say(safe.own(_("That is final, or undone already")))
            return
        self.app.start(self._undo(entry.batch_id))

    async def _undo(self, batch_id: str) -> None:
        await self._bring_back(batch_id)
        await self._load()

    def action_erase(self) -> None:
        """E"""
        entry = self._chosen()
        if entry is not None and self._left(entry):
            self.app.start(self._erase(entry))

    async def _erase(self, entry: Deletion) -> None:
        title = safe.template(
            ngettext("Erase {count} conversation now?", "Erase {count} conversations now?", entry.count),
            count=f"{entry.count:,}",
        )
        text = Content(_("The time for undo ends at once. Nothing can be brought back then."))
        if await self.app.push_screen_wait(Question(title, text, confirm=Content(_("Erase now")))):
            await self._session.erase_deletion(entry.batch_id)
            await self._load()


def _when(times: Times, time: int) -> str:
    short = times.short(time)
    clock = times.clock(time)
    return short if short == clock else f"{short} {clock}"
