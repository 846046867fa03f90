"""What one does with a group: each asks what it has to know, and before what cannot be taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from textual.content import Content

from tui_chat.locale import N_, _, ngettext
from tui_chat.protocol.errors import ApplicationNotFound
from tui_chat.protocol.ids import parse_conversation_id
from tui_chat.protocol.limits import APPLICATION_CHARACTERS
from tui_chat.protocol.models import Conversation, Group
from tui_chat.tui import safe
from tui_chat.tui.dialogs.choice import Choice, Possible
from tui_chat.tui.dialogs.prompt import Prompt
from tui_chat.tui.dialogs.question import Question
from tui_chat.tui.render.rows import conversation_name
from tui_chat.tui.widgets.member_list import Person

if TYPE_CHECKING:
    from tui_chat.client.interface import Session
    from tui_chat.tui.app import ChatApp

JoinRule = Literal["free", "approval", "closed"]

JOIN_RULES: Final[dict[JoinRule, str]] = {
    "closed": N_("only who is added"),
    "approval": N_("whom the owner or an administrator lets in"),
    "free": N_("everybody who wants to"),
}
"""Who may join."""


class GroupActions:
    """Of one group, for the commands and the group's screen. All raise ChatError where the server refuses."""

    def __init__(self, app: ChatApp, session: Session, row: Conversation) -> None:
        self._app = app
        self.session = session
        self._row = row
        self.group_id = parse_conversation_id(row.conversation_id).target

    @property
    def row(self) -> Conversation:
        """The conversation as it is now, or was last."""
        return self.session.conversations.get(self._row.conversation_id, self._row)

    @property
    def name(self) -> safe.Safe:
        """Of the group."""
        return conversation_name(self.row)

    async def facts(self) -> Group:
        """The group's own facts, from the server."""
        return await self.session.group(self.group_id)

    async def invite(self) -> None:
        """Ask whom, and add them at once."""
        title = safe.template(_("Add to {group}"), group=self.name)
        hint = Content(_("userIDs, with spaces between them. They are members at once."))

        async def add(typed: str) -> None:
            await self.session.add_members(self.group_id, typed.replace(",", " ").split())

        if await self._app.push_screen_wait(Prompt(title, hint, add)):
            self._app.say(safe.template(_("Added to {group}"), group=self.name))

    async def rename(self) -> None:
        """Ask how it shall be called."""
        title = safe.template(_("Rename {group}"), group=self.name)
        hint = Content(_("Everybody in it is told."))

        async def rename(typed: str) -> None:
            await self.session.rename_group(self.group_id, typed)

        await self._app.push_screen_wait(Prompt(title, hint, rename, value=self.row.name))

    async def change_join_rule(self) -> None:
        """Ask who may join."""
        now = (await self.facts()).join
        possible = [Possible(rule, Content(_(words))) for rule, words in JOIN_RULES.items()]
        title = safe.template(_("Who may join {group}?"), group=self.name)
        chosen = await self._app.push_screen_wait(Choice(title, possible, at=now))
        if chosen is not None and chosen != now:
            await self.session.set_join_rule(self.group_id, chosen)

    async def mute_all(self) -> None:
        """Nobody but the owner and the administrators can write, or everybody again."""
        muted = not self.row.muted_all
        await self.session.mute_all(self.group_id, muted)
        self._app.say(
            Content(_("Only the owner and the administrators can write now") if muted else _("Everybody can write now"))
        )

    async def remove(self, person: Person) -> None:
        """Ask, then remove a member."""
        title = safe.template(_("Remove {name} from {group}?"), name=person.called, group=self.name)
        text = Content(_("They keep what they could read. They come back only if they are added or let in again."))
        if await self._asks(title, text, Content(_("Remove"))):
            await self.session.kick(self.group_id, person.user_id)

    async def change_role(self, person: Person) -> None:
        """Make a member an administrator, or an ordinary member again."""
        await self.session.set_role(self.group_id, person.user_id, "member" if person.role == "admin" else "admin")

    async def transfer(self, person: Person) -> None:
        """Ask, then hand the group on."""
        title = safe.template(_("Make {name} the owner of {group}?"), name=person.called, group=self.name)
        text = Content(_("You become an ordinary member. Only the new owner can give it back."))
        if await self._asks(title, text, Content(_("Hand on"))):
            await self.session.transfer_group(self.group_id, person.user_id)

    async def leave(self) -> None:
        """Ask, then leave."""
        title = safe.template(_("Leave {group}?"), group=self.name)
        text = Content(_("Its conversation stays in your list, readable up to now, until you delete it."))
        if await self._asks(title, text, Content(_("Leave"))):
            await self.session.quit_group(self.group_id)

    async def dismiss(self) -> None:
        """Ask, then end the group for everybody."""
        count = self.row.member_count or 0
        title = safe.template(_("Dismiss {group}?"), group=self.name)
        text = safe.template(
            ngettext(
                "It ends for its {count} member, for good. What was said stays readable, and nothing more can be.",
                "It ends for all {count} members, for good. What was said stays readable, and nothing more can be.",
                count,
            ),
            count=f"{count:,}",
        )
        if await self._asks(title, text, Content(_("Dismiss"))):
            await self.session.dismiss(self.group_id)

    async def decide(self, user_id: str, *, accept: bool) -> None:
        """Let an applicant in, or decline."""
        await decide(self._app, self.session, self.group_id, user_id, accept=accept)

    async def join(self) -> None:
        """Come back into a group that one has left, or ask to."""
        if (await self.facts()).join != "approval":
            await self.session.join_group(self.group_id)
            return
        title = safe.template(_("Ask to join {group}"), group=self.name)
        hint = safe.template(
            _("What those who decide shall read; at most {count} characters"), count=APPLICATION_CHARACTERS
        )
        waits = False

        async def apply(typed: str) -> None:
            nonlocal waits
            waits = (await self.session.join_group(self.group_id, typed or None)).status == "waiting"

        if await self._app.push_screen_wait(Prompt(title, hint, apply, may_be_empty=True)) and waits:
            self._app.say(waiting(self.name))

    async def _asks(self, title: Content, text: Content, confirm: Content) -> bool:
        return await self._app.push_screen_wait(Question(title, text, confirm=confirm))


async def decide(app: ChatApp, session: Session, group_id: str, user_id: str, *, accept: bool) -> None:
    """Let an applicant into a group, or decline, and say so."""
    applications = app.main.conversation.applications
    try:
        await session.decide_application(group_id, user_id, accept=accept)
    except ApplicationNotFound:
        applications.refresh(group_id)
        raise
    applications.decided(group_id, user_id, accepted=accept)
    said = _("{name} is a member now") if accept else _("{name} was declined")
    app.say(safe.template(said, name=user_id))


def waiting(group: str) -> Content:
    """One has applied."""
    return safe.template(_("You asked to join {group}: its owner or an administrator decides"), group=group)
