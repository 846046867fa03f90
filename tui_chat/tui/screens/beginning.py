"""What somebody fills in who has no account yet: where to connect to, or what the server started here is to be."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, ClassVar, Final

import msgspec
from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input, Static

from tui_chat.locale import _
from tui_chat.protocol.errors import ChatError
from tui_chat.protocol.ids import check_user_id
from tui_chat.tui import safe
from tui_chat.tui.refusals import refusal
from tui_chat.tui.safe import Safe

if TYPE_CHECKING:
    from tui_chat.tui.welcome import Welcome

LOW_BELOW: Final = 20
"""Lower screens leave the frame and the empty lines away."""


class Then(Enum):
    """What comes after it."""

    DEMO = "demo"
    OPEN = "open"
    """The account that is stored now."""


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """What one has typed to sign in, or to make an account."""

    server: str
    user_id: str
    password: str
    new: bool = False
    invite: str | None = None


class NewServer(msgspec.Struct, frozen=True, kw_only=True):
    """What one has typed to start a server: its first account, which administers it."""

    user_id: str
    password: str
    sync_deletions: bool


class Step(Screen[None]):
    """One of its screens: a frame in the middle."""

    app: Welcome

    def on_resize(self, event: events.Resize) -> None:
        """Another size."""
        self.query_one("#frame").set_class(event.size.height < LOW_BELOW, "-low")


class Toggle(Static, can_focus=True):
    """Something that is so or not: Space changes it."""

    BINDINGS: ClassVar[list[BindingType]] = [("space", "change"), ("enter", "go_on")]

    def __init__(self, says: Safe, *, on: bool, id: str) -> None:  # noqa: A002
        super().__init__(id=id, markup=False)
        self._says = says
        self.on = on

    def render(self) -> Content:
        """`[x] what is so`"""
        return Content.assemble("[x] " if self.on else "[ ] ", self._says)

    def on_click(self) -> None:
        """The mouse."""
        self.action_change()

    def action_change(self) -> None:
        """Space"""
        self.on = not self.on
        self.refresh()
        self._form.changed()

    def action_go_on(self) -> None:
        """Enter"""
        self._form.action_go_on()

    @property
    def _form(self) -> Form:
        form = self.screen
        assert isinstance(form, Form)
        return form


class Form(Step):
    """Fields below each other: Enter leads to the next one, and at the last one carries it out."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("escape", "leave"),
        ("up", "app.focus_previous"),
        ("down", "app.focus_next"),
    ]
    AUTO_FOCUS = "Input"

    def __init__(self) -> None:
        super().__init__()
        self._busy = False

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="frame", can_focus=False):
            yield from self.fields()
            yield Static(id="problem", markup=False)
            yield hint(Content(_("Enter goes on · Tab and arrows move · Esc goes back")))

    def on_mount(self) -> None:
        for field in self.query(Input):
            field.cursor_blink = False
        self.changed()

    def on_resize(self, event: events.Resize) -> None:
        """Another size: what is typed into stays in sight."""
        super().on_resize(event)
        if self.focused is not None:
            self.call_after_refresh(self.focused.scroll_visible, animate=False)

    def fields(self) -> ComposeResult:
        """What is asked for. To be overridden."""
        yield from ()

    def changed(self) -> None:
        """Show what goes with the switches as they stand. To be overridden."""

    def missing(self) -> tuple[str, Safe] | None:
        """The field that something is wrong with, and what. To be overridden."""
        return None

    def doubt(self) -> Safe | None:
        """What is to be said before it is done, once. To be overridden."""
        return None

    async def carry_out(self) -> str | None:
        """Do it; one line where that did not work. To be overridden."""
        raise NotImplementedError

    def typed(self, name: str) -> str:
        """What stands in a field, without the spaces around it."""
        return self.query_one(f"#{name}", Input).value.strip()

    def password(self, name: str) -> str:
        """What stands in a field, with all its spaces."""
        return self.query_one(f"#{name}", Input).value

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter in a field."""
        event.stop()
        self.action_go_on()

    def action_go_on(self) -> None:
        """To the next field; at the last one, do it."""
        fields: list[Widget] = [one for one in self.query("Input, Toggle") if one.display]
        at = fields.index(self.focused) if self.focused in fields else len(fields) - 1
        wrong = self.missing()
        if wrong is not None and fields.index(self.query_one(f"#{wrong[0]}")) <= at:
            name, says = wrong
            self._say(says)
            self.set_focus(self.query_one(f"#{name}"))
        elif at < len(fields) - 1:
            self._say(safe.own(""))
            self.set_focus(fields[at + 1])
        elif not self._busy:
            self._begin()

    def _begin(self) -> None:
        doubt = self.doubt()
        if doubt is not None:
            self._say(doubt)
            return
        self._busy = True
        self._say(safe.own(_("One moment…")), told=True)
        self.run_worker(self._try(), group="form")

    async def _try(self) -> None:
        problem = await self.carry_out()
        self._busy = False
        if problem is None:
            self.app.exit(Then.OPEN)
        else:
            self._say(safe.line(problem))

    def _say(self, text: Safe, *, told: bool = False) -> None:
        said = self.query_one("#problem", Static)
        said.set_class(told, "-told")
        said.update(Content(text))

    def action_leave(self) -> None:
        """Esc; while something runs it is waited for."""
        if not self._busy:
            self.dismiss()


class ConnectForm(Form):
    """Sign in at a server, or make an account there."""

    def __init__(self) -> None:
        super().__init__()
        self._doubted = ""
        """The address of which the doubt was told: Enter once more goes on."""

    def fields(self) -> ComposeResult:
        yield title(Content(_("Connect to a server")))
        yield from _field(
            "server", Content(_("Address of the server")), placeholder=safe.own("https://chat.example.org")
        )
        yield from _field("user", Content(_("Your userID")))
        yield Toggle(safe.own(_("I have no account there yet (Space)")), on=False, id="new")
        yield from _field("password", Content(_("Password")), secret=True)
        yield from _field("again", Content(_("The same password again")), secret=True)
        yield from _field("invite", Content(_("Invitation, if you were given one")))

    @property
    def _new(self) -> bool:
        return self.query_one("#new", Toggle).on

    def changed(self) -> None:
        """An account that is made needs more."""
        for name in ("again", "invite"):
            self.query_one(f"#{name}").display = self._new
            self.query_one(f"#label-{name}").display = self._new

    def missing(self) -> tuple[str, Safe] | None:
        if not self.typed("server"):
            return "server", safe.own(_("Where is the server? Whoever runs it knows its address."))
        if (fault := self.app.fault(self.typed("server"))) is not None:
            return "server", safe.line(fault)
        if wrong := _wrong_account(self, new=self._new):
            return wrong
        return None

    def doubt(self) -> Safe | None:
        server = self.typed("server")
        doubt = self.app.doubt(server)
        if doubt is None or self._doubted == server:
            return None
        self._doubted = server
        return safe.fill(_("{doubt}; Enter goes on all the same"), doubt=doubt)

    async def carry_out(self) -> str | None:
        return await self.app.connect(
            Account(
                server=self.typed("server"),
                user_id=self.typed("user"),
                password=self.password("password"),
                new=self._new,
                invite=(self.typed("invite") or None) if self._new else None,
            )
        )


class ServeForm(Form):
    """Start a server on this machine."""

    def fields(self) -> ComposeResult:
        yield title(Content(_("Start a server on this machine")))
        how_long = _(
            "It runs as long as this window is open, for programs on this machine. `tui-chat serve` runs one for as"
            " long as you like, and for others."
        )
        yield hint(Content(how_long))
        yield from _field("user", Content(_("Your userID: the first account, which administers the server")))
        yield from _field("password", Content(_("Password")), secret=True)
        yield from _field("again", Content(_("The same password again")), secret=True)
        yield Toggle(
            safe.own(_("Sync deletions across each person's devices (Space)")),
            on=True,
            id="sync",
        )

    def missing(self) -> tuple[str, Safe] | None:
        return _wrong_account(self, new=True)

    async def carry_out(self) -> str | None:
        return await self.app.serve(
            NewServer(
                user_id=self.typed("user"),
                password=self.password("password"),
                sync_deletions=self.query_one("#sync", Toggle).on,
            )
        )


def _wrong_account(form: Form, *, new: bool) -> tuple[str, Safe] | None:
    if not form.typed("user"):
        return "user", safe.own(_("A userID is missing: a short name, such as alice."))
    try:
        check_user_id(form.typed("user"))
    except ChatError as error:
        return "user", safe.line(refusal(error))
    if not form.password("password"):
        return "password", safe.own(_("A password is missing."))
    if new and form.password("again") != form.password("password"):
        form.query_one("#again", Input).clear()
        return "again", safe.own(_("The two passwords are not the same."))
    return None


def title(text: Content) -> Static:
    """What it is about."""
    return Static(text, classes="title", markup=False)


def hint(text: Content) -> Static:
    """What helps with it."""
    return Static(text, classes="hint", markup=False)


def _field(name: str, label: Content, *, secret: bool = False, placeholder: Safe | None = None) -> ComposeResult:
    yield Static(label, id=f"label-{name}", classes="label", markup=False)
    yield Input(id=name, password=secret, placeholder=placeholder or "", compact=True)
