"""One line for a query, and one below it for what there is to say of it: its keys, how many match, what is wrong."""

from collections.abc import Callable
from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from tui_chat.client.query import Query, QueryError, parse
from tui_chat.locale import _
from tui_chat.tui import safe
from tui_chat.tui.refusals import query_fault


class _Line(Input):
    """Where the query is typed. Enter acts there and then: what is told by messages is drawn a frame later."""

    def __init__(self, placeholder: str, enter: Callable[[], None]) -> None:
        super().__init__(compact=True, placeholder=placeholder)
        self.cursor_blink = False  # A blinking cursor is a timer that never rests.
        self._enter = enter

    async def action_submit(self) -> None:
        """Textual: Enter."""
        self._enter()


class QueryBar(Vertical):
    """Reads what is typed; what a query does is its owner's business."""

    DEFAULT_CSS = """
    QueryBar {
        height: auto;
        Input { height: 1; padding: 0 1; background: $surface; }
        Static { height: auto; max-height: 2; padding: 0 1; color: $text-muted; }
        Static.-wrong { color: $text-error; }
    }
    """

    @dataclass
    class Typed(Message):
        """Another query; of one that cannot be read, what stands before the fault."""

        query: Query

    def __init__(
        self,
        kept: Callable[[Query], None],
        *,
        marking: bool = False,
        id: str | None = None,  # noqa: A002
    ) -> None:
        """Made hidden.

        Arguments:
            kept: what Enter does with a query that can be read.
            marking: it says that what matches is marked; otherwise that it is shown.
        """
        super().__init__(id=id)
        words = _("Mark what matches") if marking else _("Filter: words of the names, or a query")
        self._input = _Line(words, self._enter)
        self._said = Static("", markup=False)
        self._kept = kept
        self.display = False

    def compose(self) -> ComposeResult:
        yield self._input
        yield self._said

    def open(self, text: str = "") -> None:
        """Show it with a query in it, and give it the focus."""
        self._input.value = text
        self._input.cursor_position = len(text)
        self.display = True
        self._read()
        self._input.focus()

    def close(self) -> None:
        """Away with it; what stands in it is replaced when it is opened again."""
        self.display = False

    def keep(self) -> None:
        """Leave it standing, without its second line, while the list has the focus."""
        self._said.display = False
        self.display = bool(self._input.value.strip())

    def say(self, text: Content) -> None:
        """Say something of the query, such as how many match."""
        self._said.display = True
        self._said.set_class(False, "-wrong")
        self._said.update(text)

    @property
    def is_typed(self) -> bool:
        """Whether one types here, and all that was typed so far stands here."""
        here: bool = self.screen.focused is self._input
        return here and self._input._message_queue.empty()

    def _enter(self) -> None:
        try:
            query = parse(self._input.value)
        except QueryError:
            return  # what is wrong with it stands below
        self._kept(query)

    def _read(self) -> Query | None:
        """Take in what is typed; the query, or as much of it as can be read."""
        text = self._input.value
        self._said.display = True
        try:
            query = parse(text)
        except QueryError as error:
            self._said.set_class(True, "-wrong")
            self._said.update(fault(error))
            try:
                return parse(text[: error.position - 1])
            except QueryError:
                return None  # such as "a | -": what comes before the fault is no query either
        else:
            self.say(Content(_("unread: older:30d type:group messages:<3 from: muted: pinned: left: empty: | -")))
            self._said.display = query.empty
            return query

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        if self.display:
            readable = self._read()
            if readable is not None:
                self.post_message(self.Typed(readable))


def fault(error: QueryError) -> Content:
    """What is wrong with a query, and where."""
    return safe.template(query_fault(error), position=str(error.position), text=error.text)
