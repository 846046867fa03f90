"""What a session offers and the tests' own does not: asked for, it fails the test that did not expect it."""

from collections.abc import Mapping, Sequence
from typing import NoReturn

from tui_chat.client.results import DeletedConversations
from tui_chat.protocol.models import BlockedUser, Device, User


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
