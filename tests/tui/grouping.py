"""The part of the tests' session that is a server's groups."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import msgspec

from tui_chat.client.changes import ConversationsUpdated, GroupUpdated, MemberUpdated
from tui_chat.protocol.errors import ChatError
from tui_chat.protocol.models import Application, Conversation, Group, Member, Membership
from tui_chat.protocol.requests import GroupAnswer, GroupJoined


class Grouping:
    """As a server does it, at once. Who is in a group stands in `people`, what it is in `groups`."""

    user_id: str
    calls: list[tuple[str, Any]]
    conversations: dict[str, Conversation]
    error: ChatError | None
    people: dict[str, list[Member]]
    groups: dict[str, Group]
    waiting: dict[str, list[Application]]
    tell: Callable[..., None]

    def _did(self, what: str, group_id: str, *more: Any) -> None:
        self.calls.append((what, (group_id, *more)))
        if self.error is not None:
            raise self.error

    def _answer(self, group_id: str, **changes: Any) -> GroupAnswer:
        before = self.groups.get(group_id) or Group(group_id=group_id, name=f"#{group_id}", owner="bob")
        self.groups[group_id] = msgspec.structs.replace(before, **changes)
        if changes:
            self.tell(GroupUpdated(group=self.groups[group_id]))
        return GroupAnswer(group=self.groups[group_id], conversation_id=f"GROUP{group_id}")

    def _row(self, group_id: str, **changes: Any) -> None:
        one = f"GROUP{group_id}"
        self.conversations[one] = msgspec.structs.replace(self.conversations[one], **changes)
        self.tell(ConversationsUpdated(conversation_id_list=[one]))

    async def group(self, group_id: str) -> Group:
        return self._answer(group_id).group

    async def rename_group(self, group_id: str, name: str) -> GroupAnswer:
        self._did("rename", group_id, name)
        self._row(group_id, name=name)
        return self._answer(group_id, name=name)

    async def set_join_rule(self, group_id: str, join: Literal["free", "approval", "closed"]) -> GroupAnswer:
        self._did("join rule", group_id, join)
        return self._answer(group_id, join=join)

    async def mute_all(self, group_id: str, muted: bool = True) -> GroupAnswer:
        self._did("mute", group_id, muted)
        self._row(group_id, muted_all=muted)
        return self._answer(group_id, muted=muted)

    async def transfer_group(self, group_id: str, user_id: str) -> GroupAnswer:
        self._did("transfer", group_id, user_id)
        self._row(group_id, role="member")
        roles = {self.user_id: "member", user_id: "owner"}
        self.people[group_id] = [
            msgspec.structs.replace(one, role=roles.get(one.user_id, one.role)) for one in self.people[group_id]
        ]
        return self._answer(group_id, owner=user_id)

    async def set_role(self, group_id: str, user_id: str, role: Literal["admin", "member"]) -> GroupAnswer:
        self._did("role", group_id, user_id, role)
        self.people[group_id] = [
            msgspec.structs.replace(one, role=role) if one.user_id == user_id else one for one in self.people[group_id]
        ]
        self.tell(MemberUpdated(group_id=group_id, member=Member(user_id=user_id, role=role)))
        return self._answer(group_id)

    async def applications(self, group_id: str) -> list[Application]:
        return list(self.waiting.get(group_id, []))

    async def decide_application(self, group_id: str, user_id: str, *, accept: bool) -> GroupAnswer:
        self._did("decide", group_id, user_id, accept)
        self.waiting[group_id] = [one for one in self.waiting.get(group_id, []) if one.user_id != user_id]
        if accept:
            self.people.setdefault(group_id, []).append(Member(user_id=user_id))
        return self._answer(group_id)

    async def add_members(self, group_id: str, user_ids: Sequence[str]) -> GroupAnswer:
        self._did("add", group_id, list(user_ids))
        self.people.setdefault(group_id, []).extend(Member(user_id=one) for one in user_ids)
        return self._answer(group_id)

    async def join_group(self, group_id: str, text: str | None = None) -> GroupJoined:
        self._did("join", group_id, text)
        answer = self._answer(group_id)
        waits = answer.group.join == "approval"
        if not waits and answer.conversation_id in self.conversations:
            self._row(group_id, membership=Membership.JOINED)
        return GroupJoined(
            group=answer.group, conversation_id=answer.conversation_id, status="waiting" if waits else "joined"
        )

    async def quit_group(self, group_id: str) -> None:
        self._did("quit", group_id)
        self._row(group_id, membership=Membership.LEFT)

    async def kick(self, group_id: str, user_id: str) -> None:
        self._did("kick", group_id, user_id)
        self.people[group_id] = [one for one in self.people[group_id] if one.user_id != user_id]

    async def dismiss(self, group_id: str) -> None:
        self._did("dismiss", group_id)
        self._row(group_id, membership=Membership.DISMISSED)
        self._answer(group_id, dismissed=True)
