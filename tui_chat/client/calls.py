"""Every endpoint that the client uses, typed. Thin: a path, a body, the shape of the answer."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeVar
from urllib.parse import quote

import msgspec

from tui_chat.protocol import requests
from tui_chat.protocol.errors import Unauthorized
from tui_chat.protocol.limits import PAGE
from tui_chat.protocol.models import AccountRow, Conversation, Group, User

from .api import Api, Query
from .tokens import Tokens

Answer = TypeVar("Answer")


class Calls:
    """The server's endpoints as seen by one device. All raise ChatError as `Api.call` does."""

    def __init__(self, api: Api, tokens: Tokens):
        self.api = api
        self.tokens = tokens

    async def _call(
        self,
        method: str,
        path: str,
        answer: type[Answer],
        body: msgspec.Struct | None = None,
        query: Query | None = None,
        wait_seconds: float = 0.0,
        seen_at: str = "",
    ) -> Answer:
        async def ask(token: str) -> Answer:
            return await self.api.call(
                method, path, answer, body=body, query=query, token=token, seen_at=seen_at, wait_seconds=wait_seconds
            )

        token = await self.tokens.access()
        try:
            return await ask(token)
        except Unauthorized:
            token = await self.tokens.renewed(token)
        return await ask(token)

    # The account

    async def me(self) -> requests.Me:
        return await self._call("GET", "/v1/me", requests.Me)

    async def log_out(self) -> requests.Done:
        return await self._call("POST", "/v1/logout", requests.Done)

    async def devices(self) -> requests.DeviceList:
        return await self._call("GET", "/v1/devices", requests.DeviceList)

    async def revoke_device(self, device_id: str) -> requests.Done:
        return await self._call("DELETE", f"/v1/devices/{_part(device_id)}", requests.Done)

    async def change_password(self, body: requests.ChangePassword) -> requests.PasswordChanged:
        return await self._call("POST", "/v1/password", requests.PasswordChanged, body)

    async def change_me(self, body: requests.ChangeMe) -> requests.Me:
        return await self._call("PATCH", "/v1/me", requests.Me, body)

    async def erase_me(self, body: requests.EraseAccount) -> requests.Done:
        return await self._call("DELETE", "/v1/me", requests.Done, body)

    async def blocks(self) -> requests.BlockList:
        return await self._call("GET", "/v1/blocks", requests.BlockList)

    async def block(self, user_id: str) -> requests.Done:
        return await self._call("PUT", f"/v1/blocks/{_part(user_id)}", requests.Done)

    async def unblock(self, user_id: str) -> requests.Done:
        return await self._call("DELETE", f"/v1/blocks/{_part(user_id)}", requests.Done)

    async def export(self) -> AsyncGenerator[bytes, None]:
        token = await self.tokens.access()
        for again in (True, False):
            lines = self.api.lines("/v1/export", token=token)
            try:
                first = await anext(lines, None)
            except Unauthorized:
                if not again:
                    raise
                token = await self.tokens.renewed(token)
                continue
            async with aclosing(lines):
                if first is not None:
                    yield first
                async for line in lines:
                    yield line
            return

    # State and events

    async def sync(
        self, cursor: str | None, *, limit: int | None = None, wait: int | None = None
    ) -> requests.SyncAnswer:
        query = {"since": cursor, "limit": limit, "wait": wait}
        return await self._call("GET", "/v1/sync", requests.SyncAnswer, query=query, wait_seconds=wait or 0)

    async def conversations(self, cursor: str | None) -> requests.ConversationPage:
        return await self._call(
            "GET", "/v1/conversations", requests.ConversationPage, query={"cursor": cursor, "limit": PAGE}
        )

    async def conversation(self, conversation_id: str) -> Conversation:
        return await self._call("GET", f"/v1/conversations/{_part(conversation_id)}", Conversation)

    # Conversations. `seen_at`: the cursor of the state from which the messageSeqs are; see wire.SEEN_AT.

    async def delete(self, body: requests.DeleteConversations, *, seen_at: str = "") -> requests.ConversationsDeleted:
        path = "/v1/conversations/delete"
        return await self._call("POST", path, requests.ConversationsDeleted, body, seen_at=seen_at)

    async def clear(self, body: requests.ClearConversations, *, seen_at: str = "") -> requests.ConversationsDeleted:
        path = "/v1/conversations/clear"
        return await self._call("POST", path, requests.ConversationsDeleted, body, seen_at=seen_at)

    async def restore(self, body: requests.RestoreConversations) -> requests.ConversationsRestored:
        return await self._call("POST", "/v1/conversations/restore", requests.ConversationsRestored, body)

    async def read(self, body: requests.ReadConversations, *, seen_at: str = "") -> requests.ConversationsChanged:
        path = "/v1/conversations/read"
        return await self._call("POST", path, requests.ConversationsChanged, body, seen_at=seen_at)

    async def flags(self, body: requests.SetFlags) -> requests.ConversationsChanged:
        return await self._call("POST", "/v1/conversations/flags", requests.ConversationsChanged, body)

    async def deletions(self) -> requests.DeletionList:
        return await self._call("GET", "/v1/conversations/deletions", requests.DeletionList)

    async def erase_deletion(self, batch_id: str) -> requests.Done:
        return await self._call("DELETE", f"/v1/conversations/deletions/{_part(batch_id)}", requests.Done)

    # Messages

    async def messages(
        self, conversation_id: str, *, before: int | None = None, after: int | None = None, limit: int | None = None
    ) -> requests.MessagePage:
        path = f"/v1/conversations/{_part(conversation_id)}/messages"
        query = {"before": before, "after": after, "limit": limit}
        return await self._call("GET", path, requests.MessagePage, query=query)

    async def send(
        self, conversation_id: str, body: requests.SendMessage, *, seen_at: str = ""
    ) -> requests.MessageSent:
        path = f"/v1/conversations/{_part(conversation_id)}/messages"
        return await self._call("POST", path, requests.MessageSent, body, seen_at=seen_at)

    async def edit(
        self, conversation_id: str, message_seq: int, body: requests.EditMessage, *, seen_at: str = ""
    ) -> requests.MessageSent:
        path = _message(conversation_id, message_seq)
        return await self._call("PATCH", path, requests.MessageSent, body, seen_at=seen_at)

    async def recall(
        self, conversation_id: str, message_seq: int, *, operation_id: str, seen_at: str = ""
    ) -> requests.MessageSent:
        path, query = _message(conversation_id, message_seq), {"operationID": operation_id}
        return await self._call("DELETE", path, requests.MessageSent, query=query, seen_at=seen_at)

    async def react(
        self, conversation_id: str, message_seq: int, emoji: str, *, there: bool, seen_at: str = ""
    ) -> requests.MessageSent:
        path = f"{_message(conversation_id, message_seq)}/reactions/{_part(emoji)}"
        return await self._call("PUT" if there else "DELETE", path, requests.MessageSent, seen_at=seen_at)

    async def readers(self, conversation_id: str, message_seq: int) -> requests.MessageReaders:
        return await self._call("GET", f"{_message(conversation_id, message_seq)}/readers", requests.MessageReaders)

    async def search(
        self, words: str, *, conversation_id: str | None, cursor: str | None, limit: int
    ) -> requests.SearchAnswer:
        query = {"q": words, "conversationID": conversation_id, "cursor": cursor, "limit": limit}
        return await self._call("GET", "/v1/search", requests.SearchAnswer, query=query)

    # Groups and users

    async def create_group(self, body: requests.CreateGroup) -> requests.GroupAnswer:
        return await self._call("POST", "/v1/groups", requests.GroupAnswer, body)

    async def group(self, group_id: str) -> Group:
        return await self._call("GET", f"/v1/groups/{_part(group_id)}", Group)

    async def change_group(self, group_id: str, body: requests.ChangeGroup) -> requests.GroupAnswer:
        return await self._call("PATCH", f"/v1/groups/{_part(group_id)}", requests.GroupAnswer, body)

    async def dismiss_group(self, group_id: str, operation_id: str) -> requests.GroupAnswer:
        query = {"operationID": operation_id}
        return await self._call("DELETE", f"/v1/groups/{_part(group_id)}", requests.GroupAnswer, query=query)

    async def transfer_group(self, group_id: str, body: requests.TransferGroup) -> requests.GroupAnswer:
        return await self._call("POST", f"/v1/groups/{_part(group_id)}/transfer", requests.GroupAnswer, body)

    async def mute_group(self, group_id: str, body: requests.MuteGroup) -> requests.GroupAnswer:
        return await self._call("POST", f"/v1/groups/{_part(group_id)}/mute", requests.GroupAnswer, body)

    async def join_group(self, group_id: str, body: requests.JoinGroup) -> requests.GroupJoined:
        return await self._call("POST", f"/v1/groups/{_part(group_id)}/join", requests.GroupJoined, body)

    async def quit_group(self, group_id: str, body: requests.GroupCommand) -> requests.GroupAnswer:
        return await self._call("POST", f"/v1/groups/{_part(group_id)}/quit", requests.GroupAnswer, body)

    async def applications(self, group_id: str, cursor: str | None) -> requests.ApplicationPage:
        path = f"/v1/groups/{_part(group_id)}/applications"
        return await self._call("GET", path, requests.ApplicationPage, query={"cursor": cursor, "limit": PAGE})

    async def decide(self, group_id: str, user_id: str, body: requests.DecideApplication) -> requests.GroupAnswer:
        path = f"/v1/groups/{_part(group_id)}/applications/{_part(user_id)}"
        return await self._call("POST", path, requests.GroupAnswer, body)

    async def members(self, group_id: str, cursor: str | None) -> requests.MemberPage:
        query = {"cursor": cursor, "limit": PAGE}
        return await self._call("GET", f"/v1/groups/{_part(group_id)}/members", requests.MemberPage, query=query)

    async def add_members(self, group_id: str, body: requests.AddMembers) -> requests.GroupAnswer:
        return await self._call("POST", f"/v1/groups/{_part(group_id)}/members", requests.GroupAnswer, body)

    async def set_role(self, group_id: str, user_id: str, body: requests.ChangeMember) -> requests.GroupAnswer:
        path = f"/v1/groups/{_part(group_id)}/members/{_part(user_id)}"
        return await self._call("PATCH", path, requests.GroupAnswer, body)

    async def remove_member(self, group_id: str, user_id: str, operation_id: str) -> requests.GroupAnswer:
        path = f"/v1/groups/{_part(group_id)}/members/{_part(user_id)}"
        return await self._call("DELETE", path, requests.GroupAnswer, query={"operationID": operation_id})

    async def find_users(self, words: str) -> requests.UserList:
        return await self._call("GET", "/v1/users", requests.UserList, query={"q": words})

    async def user(self, user_id: str) -> User:
        return await self._call("GET", f"/v1/users/{_part(user_id)}", User)

    # Administration

    async def settings(self) -> requests.SettingsAnswer:
        return await self._call("GET", "/v1/admin/settings", requests.SettingsAnswer)

    async def change_settings(self, body: requests.ChangeSettings) -> requests.SettingsAnswer:
        return await self._call("PATCH", "/v1/admin/settings", requests.SettingsAnswer, body)

    async def accounts(self, q: str, cursor: str | None) -> requests.AccountPage:
        query = {"q": q, "cursor": cursor, "limit": PAGE}
        return await self._call("GET", "/v1/admin/users", requests.AccountPage, query=query)

    async def change_account(self, user_id: str, body: requests.ChangeAccount) -> AccountRow:
        return await self._call("PATCH", f"/v1/admin/users/{_part(user_id)}", AccountRow, body)

    async def remove_account(self, user_id: str) -> requests.Done:
        return await self._call("DELETE", f"/v1/admin/users/{_part(user_id)}", requests.Done)

    async def remove_message(self, conversation_id: str, message_seq: int) -> requests.Done:
        path = f"/v1/admin/messages/{_part(conversation_id)}/{message_seq}"
        return await self._call("DELETE", path, requests.Done)

    async def audit(self, cursor: str | None, limit: int) -> requests.AuditPage:
        query = {"cursor": cursor, "limit": limit}
        return await self._call("GET", "/v1/admin/audit", requests.AuditPage, query=query)

    async def invite(self) -> requests.Invite:
        return await self._call("POST", "/v1/admin/invites", requests.Invite)

    async def backup(self) -> requests.BackupMade:
        return await self._call("POST", "/v1/admin/backup", requests.BackupMade)


def _part(text: str) -> str:
    """A piece of a path: a conversationID may hold `@` and `#`."""
    return quote(text, safe="")


def _message(conversation_id: str, message_seq: int) -> str:
    return f"/v1/conversations/{_part(conversation_id)}/messages/{message_seq}"
