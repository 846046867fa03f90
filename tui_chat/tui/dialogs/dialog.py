"""What every dialog has in common: its frame, and how it makes room on small screens."""

from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple, TypeVar

from textual import events
from textual.await_complete import AwaitComplete
from textual.binding import BindingType
from textual.containers import Container
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button

from tui_chat.tui.commands.command import Scope, same_key
from tui_chat.tui.commands.registry import BY_ID
from tui_chat.tui.drawing import PromptScreen

if TYPE_CHECKING:
    from tui_chat.tui.app import ChatApp

Result = TypeVar("Result")

LOW_BELOW: Final = 14
"""Lower screens leave the frame away, so that text and buttons find room."""
TINY_BELOW: Final = 9
"""On still lower ones goes what explains: one has to see what one types."""
STACKED_BELOW: Final = 60
"""In narrower dialogs stands one below the other what else stands side by side."""
WIDTH_MOST: Final = 100


class OwnKeys(NamedTuple):
    """What keys do in one dialog, for its help."""

    title: str
    """As `N_` marks it."""
    keys: tuple[tuple[str, str], ...]
    """A command, whose keys are as they are bound, or a key; and one sentence, as `N_` marks it."""


class Dialog(PromptScreen[Result], ModalScreen[Result]):
    """A dialog composes its contents into `Frame`."""

    app: "ChatApp"

    BINDINGS: ClassVar[list[BindingType]] = [same_key(BY_ID["help"], "help")]
    SCOPE: ClassVar[Scope] = Scope.DIALOG
    """Whose keys the help begins with."""
    OWN_KEYS: ClassVar[OwnKeys | None] = None
    """In their place, where it has others."""

    @property
    def room(self) -> int:
        """Cells in a line of text within the frame, beside a scrollbar."""
        width, height = self.app.size
        beside = 5 if width >= STACKED_BELOW else 3 if height >= LOW_BELOW else 1
        return max(min(width, WIDTH_MOST) - beside, 8)

    @property
    def was_closed(self) -> bool:
        """Whether it was closed meanwhile: what the server answers only now is nobody's any more."""
        return not self.display

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        """Close it; a second time would close what lies below."""
        return AwaitComplete() if self.was_closed else super().dismiss(result)

    def on_resize(self, event: events.Resize) -> None:
        """Another size."""
        frame = self.query_one(Frame)
        frame.set_class(self.app.symbols.ascii, "-ascii")
        frame.set_class(event.size.width < STACKED_BELOW, "-stacked")
        frame.set_class(event.size.height < LOW_BELOW, "-low")
        frame.set_class(event.size.height < TINY_BELOW, "-tiny")
        self.call_after_refresh(self.resized)  # A change of layout within a layout would be lost.

    def action_close(self) -> None:
        """Esc: close it without an answer."""
        self.dismiss(None)

    def action_help(self) -> None:
        """`?`, F1"""
        from tui_chat.tui.screens.help import Help  # It is a dialog itself.

        self.app.push_screen(Help(self.SCOPE, self.OWN_KEYS))

    def resized(self) -> None:
        """Lay out anew for the new `room`. To be overridden."""


class Frame(Container):
    """The dialog's box."""


class Answer(Button):
    """A button of one line, in brackets, so that it looks like one where colours are not seen."""

    def __init__(self, label: Content, *, id: str, classes: str = "") -> None:  # noqa: A002
        super().__init__(id=id, classes=classes, compact=True)
        self.styles.line_pad = 0  # The stylesheet's parser takes no zero for it.
        self.say(label)

    def say(self, label: Content) -> None:
        """Other words."""
        self.label = Content.assemble("[ ", label, " ]")
        self.refresh(layout=True)
