"""The coach: six steps that a newcomer walks, moved on by what one does and never by time. Pure."""

from enum import Enum, auto
from typing import Final

from textual.content import Content

from tui_chat.locale import _
from tui_chat.tui import safe
from tui_chat.tui.commands.registry import KeyOf, own_key

MARKS_ASKED: Final = 3


class Did(Enum):
    """What the person, or the network, did."""

    MARKED = auto()
    """Three are marked."""
    DELETED = auto()
    UNDONE = auto()
    OPENED_SECOND = auto()
    DELETED_BESIDE = auto()
    """A deletion was seen on the second device."""
    RETURNED = auto()
    """A deleted conversation came back with a new message."""
    OPENED = auto()
    """A conversation was opened."""


class Coach:
    """Which step one is at. After the sixth its outcome stays to be read until the person does something more."""

    _STEPS: Final = (Did.MARKED, Did.DELETED, Did.UNDONE, Did.OPENED_SECOND, Did.DELETED_BESIDE, Did.RETURNED)

    def __init__(self, *, active: bool = True) -> None:
        self._at = 0
        self._active = active
        self._peer = "bob"
        self._peer_gone = True
        self._second: str | None = None

    @property
    def active(self) -> bool:
        """Whether there is a line to show."""
        return self._active

    @property
    def finished(self) -> bool:
        """All six steps are taken."""
        return self._at >= len(self._STEPS)

    @property
    def step(self) -> int:
        """1 to 6; 7 and 8 after the last."""
        return self._at + 1

    def see(self, what: Did) -> bool:
        """Take note. True: the line has changed. Deleting at once without three marks skips the first step."""
        if not self._active:
            return False
        if self.finished:
            return self._go_on(what)
        if what is Did.DELETED and self._at == 0:
            self._at = 2
            return True
        if self.awaits is not what:
            return False
        self._at += 1
        return True

    def _go_on(self, what: Did) -> bool:
        """After the sixth step only the person's own doing counts, so that nothing goes before it was read."""
        if self.parting:
            if what is not Did.OPENED:
                return False
            self._active = False
            return True
        if what not in (Did.OPENED, Did.DELETED):
            return False
        self._at += 1
        return True

    def escape(self) -> None:
        """Esc: ends it; while the outcome of the last step stands there, the parting words come first."""
        if self.finished and not self.parting:
            self._at += 1
        else:
            self._active = False

    @property
    def parting(self) -> bool:
        """Whether it takes its leave: there is nothing left to do or to read."""
        return self._at > len(self._STEPS)

    @property
    def awaits(self) -> Did | None:
        """What moves it on; None after the last step."""
        return None if self.finished else self._STEPS[self._at]

    def peer(self, name: str, *, gone: bool) -> None:
        """Who is going to write in the last step, and whether that row was among those deleted."""
        self._peer = name
        self._peer_gone = gone

    def second(self, name: str) -> None:
        """What the device beside this screen is called: where other terminals have joined, it is not the phone."""
        self._second = name

    def end(self) -> None:
        """For good."""
        self._active = False

    def line(self, key: KeyOf = own_key) -> Content:
        """The words of the present step, with the keys that are bound."""
        match self._at:
            case 0:
                return safe.template(_("1/6 {key} marks. Mark three."), key=key("mark"))
            case 1:
                text = _("2/6 {key} deletes them. Read the switch, then {confirm}.")
                return safe.template(text, key=key("delete"), confirm=key("confirm"))
            case 2:
                return safe.template(_("3/6 {key} brings them back."), key=key("undo"))
            case 3:
                return safe.template(_("4/6 {key} puts your phone beside this screen."), key=key("second-device"))
            case 4:
                if self._second in (None, "phone"):
                    return Content(_("5/6 Delete again and watch the phone."))
                return safe.template(_("5/6 Delete again and watch {device}."), device=self._second)
            case 5:
                text = (
                    _("6/6 {name} is writing: his row returns with the new message alone.")
                    if self._peer_gone
                    else _("6/6 {name} is writing. A deleted row returns with the new message alone.")
                )
                return safe.template(text, name=self._peer)
            case 6:
                text = (
                    _("6/6 {name}'s row is back with the new message alone. {key} on it opens it.")
                    if self._peer_gone
                    else _("6/6 {name} has written. {key} on the row opens it.")
                )
                return safe.template(text, name=self._peer, key=key("open"))
            case _:
                return safe.template(_("That was all. {key} shows every key."), key=key("help"))
