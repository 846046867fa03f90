"""What one does with groups and users. Straight calls: none of this waits in the queue."""

import asyncio
from collections.abc import Sequence
from typing import Final, Literal

from tui_chat.protocol import requests
from tui_chat.protocol.ids import new_identifier
from tui_chat.protocol.models import Group, Member, User

from .core import Core

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
        answer = await self._core.calls.create_group(body)
        await self._reach(answer.event_seq)
        return answer

    async def group(self, group_id: str) -> Group:
        """A group, as one may see it."""
        return await self._core.calls.group(group_id)

    async def rename_group(self, group_id: str, name: str) -> requests.GroupAnswer:
        """Change a group's name."""
        body = requests.ChangeGroup(name=name, operation_id=new_identifier())
        answer = await self._core.calls.change_group(group_id, body)
        await self._reach(answer.event_seq)
        return answer

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
        """Add users to a group, at once."""
        body = requests.AddMembers(members=list(user_ids), operation_id=new_identifier())
        answer = await self._core.calls.add_members(group_id, body)
        await self._reach(answer.event_seq)
        return answer

    async def join_group(self, group_id: str) -> requests.GroupAnswer:
        """Become a member of a group that is open."""
        body = requests.GroupCommand(operation_id=new_identifier())
        answer = await self._core.calls.join_group(group_id, body)
        await self._reach(answer.event_seq)
        return answer

    async def quit_group(self, group_id: str) -> None:
        """Leave a group; its conversation stays in the list."""
        body = requests.GroupCommand(operation_id=new_identifier())
        await self._reach((await self._core.calls.quit_group(group_id, body)).event_seq)

    async def kick(self, group_id: str, user_id: str) -> None:
        """Remove somebody from a group."""
        await self._reach((await self._core.calls.remove_member(group_id, user_id)).event_seq)

    async def dismiss(self, group_id: str) -> None:
        """End a group for everyone; their conversations stay readable."""
        await self._reach((await self._core.calls.dismiss_group(group_id)).event_seq)

    async def find_users(self, words: str) -> list[User]:
        """Users whose name or nick begins so."""
        return (await self._core.calls.find_users(words)).users

    async def user(self, user_id: str) -> User:
        """One user. Raises UserNotFound."""
        return await self._core.calls.user(user_id)

    async def _reach(self, event_seq: int) -> None:
        try:
            async with asyncio.timeout(GROUP_SECONDS):
                await self._core.reach(event_seq)
        except TimeoutError:
            return  # it took effect; its event comes when there is a connection
