"""What one does with groups and users. Straight calls: none of this waits in the queue."""

import asyncio
from collections.abc import Sequence
from typing import Final, Literal, TypeVar

from tui_chat.protocol import requests
from tui_chat.protocol.ids import new_identifier
from tui_chat.protocol.models import Application, Group, Member, User

from .core import Core

Answer = TypeVar("Answer", bound=requests.GroupAnswer)

GROUP_SECONDS: Final = 2.0
"""How long a group command waits for its own event after it was answered."""


class GroupCommands:
    """A part of ChatSession. All raise ChatError; NotConnected where the server cannot be reached."""

    _core: Core

    async def create_group(
        self,
        name: str,
        *,
        group_id: str | None = None,
        join: Literal["free", "approval", "closed"] = "closed",
        members: Sequence[str] = (),
    ) -> requests.GroupAnswer:
        """Make a group; one is its owner."""
        body = requests.CreateGroup(
            name=name, group_id=group_id, join=join, members=list(members), operation_id=new_identifier()
        )
        return await self._reached(await self._core.calls.create_group(body))

    async def group(self, group_id: str) -> Group:
        """A group, as one may see it."""
        return await self._core.calls.group(group_id)

    async def rename_group(self, group_id: str, name: str) -> requests.GroupAnswer:
        """Change a group's name; its owner and its administrators can. Raises Forbidden, InvalidName."""
        return await self._change(group_id, requests.ChangeGroup(name=name, operation_id=new_identifier()))

    async def set_join_rule(self, group_id: str, join: Literal["free", "approval", "closed"]) -> requests.GroupAnswer:
        """Change who may join: anybody, whom the owner or an administrator lets in, only who is added. They can."""
        return await self._change(group_id, requests.ChangeGroup(join=join, operation_id=new_identifier()))

    async def mute_all(self, group_id: str, muted: bool = True) -> requests.GroupAnswer:
        """Let only the owner and the administrators write, or everybody again; they can."""
        body = requests.MuteGroup(muted=muted, operation_id=new_identifier())
        return await self._reached(await self._core.calls.mute_group(group_id, body))

    async def transfer_group(self, group_id: str, user_id: str) -> requests.GroupAnswer:
        """Hand a group on to another member; its owner can, and is an ordinary member afterwards. Raises UserNotFound
        where that is no member."""
        body = requests.TransferGroup(user_id=user_id, operation_id=new_identifier())
        return await self._reached(await self._core.calls.transfer_group(group_id, body))

    async def set_role(self, group_id: str, user_id: str, role: Literal["admin", "member"]) -> requests.GroupAnswer:
        """Make a member an administrator, or an ordinary member again; the owner can.

        Raises:
            UserNotFound: that is no member. TooManyAdministrators.
        """
        body = requests.ChangeMember(role=role, operation_id=new_identifier())
        return await self._reached(await self._core.calls.set_role(group_id, user_id, body))

    async def applications(self, group_id: str) -> list[Application]:
        """Who wants to join and waits, oldest first; the owner and the administrators can see it."""
        found: list[Application] = []
        cursor: str | None = None
        while True:
            page = await self._core.calls.applications(group_id, cursor)
            found.extend(page.applications)
            cursor = page.next
            if cursor is None:
                return sorted(found, key=lambda one: one.time)

    async def decide_application(self, group_id: str, user_id: str, *, accept: bool) -> requests.GroupAnswer:
        """Let an applicant in, or decline; the owner and the administrators can.

        Raises:
            ApplicationNotFound: somebody else was quicker. TooManyMembers: the group is full; the application waits.
        """
        body = requests.DecideApplication(accept=accept, operation_id=new_identifier())
        return await self._reached(await self._core.calls.decide(group_id, user_id, body))

    async def members(self, group_id: str) -> list[Member]:
        """All members of a group."""
        members: list[Member] = []
        cursor: str | None = None
        while True:
            page = await self._core.calls.members(group_id, cursor)
            members.extend(page.members)
            cursor = page.next
            if cursor is None:
                return members

    async def add_members(self, group_id: str, user_ids: Sequence[str]) -> requests.GroupAnswer:
        """Add users to a group, at once; any member can, where joining takes approval those who approve."""
        body = requests.AddMembers(members=list(user_ids), operation_id=new_identifier())
        return await self._reached(await self._core.calls.add_members(group_id, body))

    async def join_group(self, group_id: str, text: str | None = None) -> requests.GroupJoined:
        """Become a member of a group that is open, or apply where somebody decides: `status` says which it was.

        Arguments:
            text: for those who decide, at most limits.APPLICATION_CHARACTERS.

        Raises:
            GroupNotFound, Forbidden: it is closed. TooManyMembers.
        """
        body = requests.JoinGroup(text=text, operation_id=new_identifier())
        return await self._reached(await self._core.calls.join_group(group_id, body))

    async def quit_group(self, group_id: str) -> None:
        """Leave a group; its conversation stays in the list. Raises OwnerCannotQuit."""
        body = requests.GroupCommand(operation_id=new_identifier())
        await self._reached(await self._core.calls.quit_group(group_id, body))

    async def kick(self, group_id: str, user_id: str) -> None:
        """Remove somebody from a group: the owner anybody else, administrators ordinary members."""
        await self._reached(await self._core.calls.remove_member(group_id, user_id, new_identifier()))

    async def dismiss(self, group_id: str) -> None:
        """End a group for everyone; their conversations stay readable."""
        await self._reached(await self._core.calls.dismiss_group(group_id, new_identifier()))

    async def find_users(self, words: str) -> list[User]:
        """Users whose name or nick begins so."""
        return (await self._core.calls.find_users(words)).users

    async def user(self, user_id: str) -> User:
        """One user. Raises UserNotFound."""
        return await self._core.calls.user(user_id)

    async def _change(self, group_id: str, body: requests.ChangeGroup) -> requests.GroupAnswer:
        return await self._reached(await self._core.calls.change_group(group_id, body))

    async def _reached(self, answer: Answer) -> Answer:
        """The answer, once the state has what it tells of."""
        try:
            async with asyncio.timeout(GROUP_SECONDS):
                await self._core.reach(answer.event_seq)
        except TimeoutError:
            pass  # it took effect; its event comes when there is a connection
        return answer
