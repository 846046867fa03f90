"""Commands of groups: on the group's screen by key, elsewhere by name, about the group that one looks at."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, ClassVar

from tui_chat.locale import N_
from tui_chat.protocol.ids import ConversationType
from tui_chat.protocol.models import Conversation, Message, MessageType

from .command import Command, Scope

if TYPE_CHECKING:
    from tui_chat.client.interface import Session
    from tui_chat.tui.app import ChatApp
    from tui_chat.tui.screens.group import GroupScreen
    from tui_chat.tui.screens.group_actions import GroupActions
    from tui_chat.tui.screens.group_rights import Rights
    from tui_chat.tui.widgets.member_list import Person

GROUP = (Scope.GROUP,)


def group_screen(app: ChatApp) -> GroupScreen | None:
    """The group's screen, while it is open."""
    from tui_chat.tui.screens.group import GroupScreen

    return app.screen if isinstance(app.screen, GroupScreen) else None


def looked_at(app: ChatApp) -> tuple[Session, Conversation] | None:
    """The group under the list's cursor, or the open one where one is in the conversation."""
    main = app.main
    if main.scope in (Scope.MESSAGES, Scope.COMPOSER) and main.conversation.conversation_id is not None:
        session, one = main.conversation.session, main.conversation.conversation_id
    else:
        session, key = main.device.session, main.device.list.cursor_key
        if key is None:
            return None
        one = key
    row = session.conversations.get(one)
    return (session, row) if row is not None and row.type is ConversationType.GROUP else None


def actions_of(app: ChatApp) -> GroupActions | None:
    """What can be done with the group of the open screen, or the one that one looks at."""
    from tui_chat.tui.screens.group_actions import GroupActions

    if (screen := group_screen(app)) is not None:
        return screen.actions
    found = looked_at(app)
    return GroupActions(app, *found) if found is not None else None


def rights(app: ChatApp) -> Rights | None:
    """What one may do there."""
    from tui_chat.tui.screens.group_rights import rights_of

    if (screen := group_screen(app)) is not None:
        return screen.rights
    found = looked_at(app)
    return rights_of(found[1], None) if found is not None else None


class GroupCommand(Command):
    """Something one does with a group as a whole, where one's role allows it."""

    scopes = GROUP
    right: ClassVar[str]
    """The name of it in Rights."""

    def available(self, app: ChatApp) -> bool:
        return bool(getattr(rights(app), self.right, False))

    def run(self, app: ChatApp) -> None:
        if (actions := actions_of(app)) is not None:
            app.start(self._do(app, actions))

    async def _do(self, app: ChatApp, actions: GroupActions) -> None:
        await self.do(actions)
        if (screen := group_screen(app)) is not None:
            screen.reload()

    def do(self, actions: GroupActions) -> Awaitable[None]:
        """Ask what has to be known, and do it."""
        raise NotImplementedError


class PersonCommand(Command):
    """Something one does with the member under the cursor of the group's screen."""

    scopes = GROUP
    in_palette = False

    def fits(self, may: Rights, person: Person) -> bool:
        """Whether one may, with this one."""
        raise NotImplementedError

    def do(self, actions: GroupActions, person: Person) -> Awaitable[None]:
        """Do it."""
        raise NotImplementedError

    def available(self, app: ChatApp) -> bool:
        screen = group_screen(app)
        return screen is not None and (person := screen.person) is not None and self.fits(screen.rights, person)

    def run(self, app: ChatApp) -> None:
        screen = group_screen(app)
        if screen is not None and (person := screen.person) is not None:
            app.start(self._do(screen, person))

    async def _do(self, screen: GroupScreen, person: Person) -> None:
        await self.do(screen.actions, person)
        screen.reload()


class ManageGroup(Command):
    id = "group"
    keys = ("M",)
    scopes = (Scope.LIST, Scope.MESSAGES)
    label = N_("Group: members and settings")
    help = N_("Who is in the group, who asks to join, and what your role there lets you do.")

    def available(self, app: ChatApp) -> bool:
        return looked_at(app) is not None

    def run(self, app: ChatApp) -> None:
        from tui_chat.tui.screens.group import GroupScreen

        def write_to(conversation_id: str | None) -> None:
            if conversation_id is not None:
                app.main.visit(conversation_id)

        if (actions := actions_of(app)) is not None:
            app.push_screen(GroupScreen(actions), write_to)


class InviteMembers(GroupCommand):
    id = "group-add"
    keys = ("a",)
    right = "invite"
    label = N_("Add members")
    help = N_("Add people to the group; they are members at once.")

    def do(self, actions: GroupActions) -> Awaitable[None]:
        return actions.invite()


class RemoveMember(PersonCommand):
    id = "group-remove"
    keys = ("x",)
    label = N_("Remove")
    help = N_("Remove the member under the cursor. Asks first.")

    def fits(self, may: Rights, person: Person) -> bool:
        return person.role is not None and may.remove(person.role)

    def do(self, actions: GroupActions, person: Person) -> Awaitable[None]:
        return actions.remove(person)


class ChangeRole(PersonCommand):
    id = "group-role"
    keys = ("r",)
    label = N_("Administrator or not")
    help = N_("Make the member under the cursor an administrator, or an ordinary member again.")

    def fits(self, may: Rights, person: Person) -> bool:
        return may.roles and person.role in ("admin", "member")

    def do(self, actions: GroupActions, person: Person) -> Awaitable[None]:
        return actions.change_role(person)


class TransferGroup(PersonCommand):
    id = "group-transfer"
    keys = ("t",)
    label = N_("Hand on")
    help = N_("Make the member under the cursor the group's owner. Asks first.")

    def fits(self, may: Rights, person: Person) -> bool:
        return may.transfer and person.role in ("admin", "member")

    def do(self, actions: GroupActions, person: Person) -> Awaitable[None]:
        return actions.transfer(person)


class MuteGroup(GroupCommand):
    id = "group-mute"
    keys = ("m",)
    right = "mute"
    label = N_("Mute or unmute the group")
    help = N_("Let only the owner and the administrators write; again: everybody.")

    def do(self, actions: GroupActions) -> Awaitable[None]:
        return actions.mute_all()


class RenameGroup(GroupCommand):
    id = "group-rename"
    keys = ("n",)
    right = "rename"
    label = N_("Rename the group")
    help = N_("Give the group another name; everybody in it is told.")

    def do(self, actions: GroupActions) -> Awaitable[None]:
        return actions.rename()


class ChangeJoinRule(GroupCommand):
    id = "group-joining"
    keys = ("w",)
    right = "join_rule"
    label = N_("Who may join")
    help = N_("Everybody, whom the owner or an administrator lets in, or only who is added.")

    def do(self, actions: GroupActions) -> Awaitable[None]:
        return actions.change_join_rule()


class LeaveGroup(GroupCommand):
    id = "group-leave"
    keys = ("l",)
    right = "leave"
    label = N_("Leave the group")
    help = N_("Leave the group; its conversation stays until you delete it. Asks first.")

    def do(self, actions: GroupActions) -> Awaitable[None]:
        return actions.leave()


class DismissGroup(GroupCommand):
    id = "group-dismiss"
    keys = ("X",)
    right = "dismiss"
    label = N_("Dismiss the group")
    help = N_("End the group for everybody, for good. Asks first.")

    def do(self, actions: GroupActions) -> Awaitable[None]:
        return actions.dismiss()


class JoinAgain(GroupCommand):
    id = "group-join"
    keys = ("J",)
    right = "join"
    label = N_("Join the group again")
    help = N_("Come back into a group that you left, or ask to be let in.")

    def do(self, actions: GroupActions) -> Awaitable[None]:
        return actions.join()


class DecideApplication(Command):
    """On the group's screen about who is under the cursor; in the messages about the notice under it."""

    scopes = (Scope.MESSAGES, Scope.GROUP)
    in_footer = True
    accept: ClassVar[bool]

    def available(self, app: ChatApp) -> bool:
        if (screen := group_screen(app)) is not None:
            return screen.rights.decide and (person := screen.person) is not None and person.waits
        return application(app) is not None

    def run(self, app: ChatApp) -> None:
        if (screen := group_screen(app)) is not None:
            if (person := screen.person) is not None:
                app.start(self._decide_there(screen, person))
        elif (message := application(app)) is not None:
            app.start(self._decide(app, message))

    async def _decide_there(self, screen: GroupScreen, person: Person) -> None:
        await screen.actions.decide(person.user_id, accept=self.accept)
        screen.reload()

    async def _decide(self, app: ChatApp, message: Message) -> None:
        from tui_chat.tui.screens.group_actions import decide

        if (tip := message.tip) is not None and tip.group_id is not None:
            await decide(app, app.main.conversation.session, tip.group_id, tip.operator, accept=self.accept)


class AcceptApplication(DecideApplication):
    id = "accept"
    keys = ("A",)
    accept = True
    in_footer = True
    label = N_("Accept")
    help = N_("Let who asks to join the group in: on the notice of it, or in the group's list of members.")


class DeclineApplication(DecideApplication):
    id = "decline"
    keys = ("D",)
    accept = False
    in_footer = True
    label = N_("Decline")
    help = N_("Decline who asks to join; they may ask again.")


def application(app: ChatApp) -> Message | None:
    """The notice under the cursor, where it says that somebody asks to join, and nobody has decided."""
    message = app.main.conversation.messages.current_message
    if message is None or message.type is not MessageType.NOTICE:
        return None
    return message if app.main.conversation.applications.is_open(message) else None
