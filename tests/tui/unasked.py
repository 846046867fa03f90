"""What a session offers and the tests' own does not: asked for, it fails the test that did not expect it."""

from collections.abc import Mapping, Sequence
from typing import Literal, NoReturn

from tui_chat.client.results import DeletedConversations
from tui_chat.protocol.models import Application, BlockedUser, Device, User
from tui_chat.protocol.requests import GroupAnswer, GroupJoined


def _unexpected(what: str) -> NoReturn:
    raise AssertionError(f"nobody expected the screen to ask for {what}")


class Unasked:
    """The rest of `client.interface.Session`; what a screen's test is about goes into `FakeSession`."""

    def drop(self, number: int) -> None:
        _unexpected("drop")

    async def clear_history(
        self, conversation_id_list: Sequence[str], *, up_to: Mapping[str, int] | None = None
    ) -> DeletedConversations:
        _unexpected("clear_history")

    async def rename_group(self, group_id: str, name: str) -> GroupAnswer:
        _unexpected("rename_group")

    async def set_join_rule(self, group_id: str, join: Literal["free", "approval", "closed"]) -> GroupAnswer:
        _unexpected("set_join_rule")

    async def mute_all(self, group_id: str, muted: bool = True) -> GroupAnswer:
        _unexpected("mute_all")

    async def transfer_group(self, group_id: str, user_id: str) -> GroupAnswer:
        _unexpected("transfer_group")

    async def set_role(self, group_id: str, user_id: str, role: Literal["admin", "member"]) -> GroupAnswer:
        _unexpected("set_role")

    async def applications(self, group_id: str) -> list[Application]:
        _unexpected("applications")

    async def decide_application(self, group_id: str, user_id: str, *, accept: bool) -> GroupAnswer:
        _unexpected("decide_application")

    async def add_members(self, group_id: str, user_ids: Sequence[str]) -> GroupAnswer:
        _unexpected("add_members")

    async def join_group(self, group_id: str, text: str | None = None) -> GroupJoined:
        _unexpected("join_group")

    async def quit_group(self, group_id: str) -> None:
        _unexpected("quit_group")

    async def kick(self, group_id: str, user_id: str) -> None:
        _unexpected("kick")

    async def dismiss(self, group_id: str) -> None:
        _unexpected("dismiss")

    async def find_users(self, words: str) -> list[User]:
        _unexpected("find_users")

    async def blocks(self) -> list[BlockedUser]:
        _unexpected("blocks")

    async def block(self, user_id: str) -> None:
        _unexpected("block")

    async def unblock(self, user_id: str) -> None:
        _unexpected("unblock")

    async def devices(self) -> list[Device]:
        _unexpected("devices")

    async def revoke_device(self, device_id: str) -> None:
        _unexpected("revoke_device")
