"""A group: who is in it and who waits, and what one may do there."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Input, Static

from tui_chat.client.changes import Change, ConversationsUpdated, GroupUpdated, MemberUpdated, MessagesAdded, StateReset
from tui_chat.locale import _, ngettext
from tui_chat.protocol.errors import ChatError
from tui_chat.protocol.ids import c2c
from tui_chat.protocol.models import Application, Group, Member, MessageType
from tui_chat.tui import safe
from tui_chat.tui.bridge import Bridge, SessionChanged
from tui_chat.tui.commands.command import Scope, bindings_of, key_name, same_key
from tui_chat.tui.commands.registry import BY_ID, COMMANDS, in_scope
from tui_chat.tui.dialogs.dialog import Dialog, Frame
from tui_chat.tui.refusals import refusal
from tui_chat.tui.widgets.member_list import MemberList, Person, matches, people

from .group_actions import JOIN_RULES, GroupActions
from .group_rights import Rights, rights_of

if TYPE_CHECKING:
    from tui_chat.tui.app import ChatApp

SETTLE: Final = 0.3
"""Seconds of quiet after which members are asked for anew: a hundred who join one after the other are one question."""


class GroupScreen(Dialog[str | None]):
    """Dismisses with the conversationID of the member to write to, where one was chosen with Enter."""

    app: ChatApp

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings_of(COMMANDS, Scope.GROUP),
        same_key(BY_ID["filter"], "filter"),
        ("escape,q", "close"),
    ]
    AUTO_FOCUS = "#people"
    SCOPE = Scope.GROUP

    def __init__(self, actions: GroupActions) -> None:
        super().__init__()
        self.actions = actions
        self._group: Group | None = None
        self._members: list[Member] = []
        self._applications: list[Application] = []
        self._bridge: Bridge | None = None
        self._settling: Timer | None = None

    def compose(self) -> ComposeResult:
        with Frame(classes="tall"):
            yield Static(id="title", markup=False)
            yield Static(id="facts", markup=False)
            yield Input(id="words", compact=True, placeholder=_("Some letters of a name"))
            yield MemberList(own_id=self.actions.session.user_id, symbols=self.app.symbols, id="people")
            yield Static(Content(_("Loading…")), id="text", markup=False)
            yield Static(id="keys", markup=False)

    def on_mount(self) -> None:
        words = self.query_one("#words", Input)
        words.display = False
        words.cursor_blink = False
        self._bridge = Bridge(self.actions.session, self)
        self._show()
        self.reload()

    def on_unmount(self) -> None:
        if self._bridge is not None:
            self._bridge.close()

    @property
    def rights(self) -> Rights:
        """What one may do here now."""
        return rights_of(self.actions.row, self._group)

    @property
    def person(self) -> Person | None:
        """Who is under the cursor."""
        return self.query_one(MemberList).person if self.is_mounted else None

    def reload(self) -> None:
        """Ask for everything anew."""
        self.run_worker(self._load(), group="load", exclusive=True)

    async def _load(self) -> None:
        session, group_id = self.actions.session, self.actions.group_id
        problem = Content("")
        try:
            self._group = await session.group(group_id)
            if self.rights.role is not None:
                decides = self.rights.decide
                self._members, self._applications = await asyncio.gather(
                    session.members(group_id), session.applications(group_id) if decides else _nobody()
                )
            else:
                self._members, self._applications = [], []
                problem = Content(_("You are not in this group: who is, only its members see."))
        except ChatError as error:
            problem = safe.one_line(refusal(error)).stylize("$text-error")
        if not self.was_closed:
            self._show()
            self.query_one("#text", Static).update(problem)

    # What is shown.

    def _show(self) -> None:
        count = self.actions.row.member_count or len(self._members)
        title = safe.template(
            ngettext("{group} · {count} member", "{group} · {count} members", count),
            group=self.actions.name,
            count=f"{count:,}",
        )
        self.query_one("#title", Static).update(title.stylize("bold"))
        self.query_one("#facts", Static).update(self._facts().stylize("$text-muted"))
        words = self.query_one("#words", Input).value.casefold().split()
        shown = [one for one in people(self._members, self._applications) if matches(one, words)]
        self.query_one(MemberList).set_people(shown)
        self._show_keys()

    def _facts(self) -> Content:
        facts = [safe.template(_("ID {group}"), group=self.actions.group_id)]
        if self._group is not None:
            if self._group.dismissed:
                facts.append(Content(_("dismissed")))
            else:
                facts.append(safe.template(_("joins: {who}"), who=_(JOIN_RULES[self._group.join])))
        if self.actions.row.muted_all:
            facts.append(Content(_("muted: only its owner and administrators write")))
        if self._applications:
            waiting = len(self._applications)
            facts.append(safe.template(ngettext("{count} asks to join", "{count} ask to join", waiting), count=waiting))
        return Content(" · ").join(facts)

    def _show_keys(self) -> None:
        offered = [
            f"{key_name(self.app.keys_of(one)[0])} {_(one.label)}"
            for one in in_scope(Scope.GROUP)
            if self.app.keys_of(one) and one.available(self.app)
        ]
        if self.person is not None and self.person.user_id != self.actions.session.user_id:
            offered.append(_("Enter writes to them"))
        filtering = safe.fill(_("{key} filter"), key=self.app.key("filter"))
        keys = safe.one_line(" · ".join([*offered, filtering, _("Esc close")]))
        self.query_one("#keys", Static).update(keys.stylize("$text-muted"))

    @on(MemberList.Highlighted)
    def _highlighted(self) -> None:
        self._show_keys()

    @on(MemberList.Chosen)
    def _chosen(self, event: MemberList.Chosen) -> None:
        event.stop()
        if event.key != self.actions.session.user_id:
            self.dismiss(c2c(event.key))

    # Filtering.

    def action_filter(self) -> None:
        """/"""
        words = self.query_one("#words", Input)
        words.display = True
        words.focus()

    def on_input_changed(self) -> None:
        """Narrow with every letter."""
        self._show()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter: back to the rows."""
        event.stop()
        self.query_one(MemberList).focus()

    def action_close(self) -> None:
        """Esc: out of the filter first."""
        words = self.query_one("#words", Input)
        if words.display:
            words.value = ""
            words.display = False
            self.query_one(MemberList).focus()
        else:
            self.dismiss(None)

    # What happens.

    def on_session_changed(self, event: SessionChanged) -> None:
        """Somebody came, went, or has another role; the group is called otherwise."""
        for change in event.bridge.take():
            self._take(change)

    def _take(self, change: Change) -> None:
        match change:
            case GroupUpdated(group=group) if group.group_id == self.actions.group_id:
                self._group = group
                self._show()
            case MemberUpdated(group_id=group_id, member=member) if group_id == self.actions.group_id:
                self._members = [member if one.user_id == member.user_id else one for one in self._members]
                self._show()
            case ConversationsUpdated(conversation_id_list=ids) if self.actions.row.conversation_id in ids:
                self._show()
            case MessagesAdded(messages=messages) if any(
                (one.conversation_id == self.actions.row.conversation_id and one.type is MessageType.TIP)
                or (one.tip is not None and one.tip.group_id == self.actions.group_id)
                for one in messages
            ):
                self._settle()
            case StateReset():
                self._settle()
            case _:
                pass

    def _settle(self) -> None:
        if self._settling is not None:
            self._settling.stop()
        self._settling = self.set_timer(SETTLE, self.reload)


async def _nobody() -> list[Application]:
    return []
