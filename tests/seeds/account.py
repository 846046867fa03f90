"""The account on which the samples are run."""

from tests.accounts import PASSWORD
from tests.client.sessions import Sessions, eventually, texts
from tui_chat.client.session import ChatSession

C2C = "C2CExample"
GROUP = "GROUPExample"
SYSTEM = "@TIM#SYSTEM"
ALL = [C2C, GROUP, SYSTEM]


class Account:
    """alice's session, and Example's, who writes to her."""

    def __init__(self, session: ChatSession, example: ChatSession):
        self.session = session
        self.example = example

    def listed(self) -> list[str]:
        """Which of the samples' conversations have a row."""
        return [one for one in ALL if one in self.session.conversations]

    async def history(self, conversation_id: str) -> list[str]:
        """What alice's account still has of a conversation, asked of the server from another device."""
        async with await ChatSession.log_in(
            self.session.credentials.server_url, "alice", PASSWORD, device_name="fresh"
        ) as other:
            await other.load()
            return texts((await other.history(conversation_id)).messages)

    async def come_back(self, conversation_id: str) -> None:
        """Have something new written there, and wait for its row."""
        match conversation_id:
            case "C2CExample":
                await self.example.send_message("C2Calice", "again")
            case "GROUPExample":
                await self.example.send_message(GROUP, "again")
            case _:
                await self.example.create_group("again", members=["alice"])
        await eventually(lambda: conversation_id in self.session.conversations)


async def account_at(opened: Sessions) -> Account:
    """Make both accounts and the conversations."""
    alice = await opened.register("alice")
    example = await opened.register("Example", device="desktop")
    await example.session.send_message("C2Calice", "first")
    await example.session.send_message("C2Calice", "second")
    await example.session.create_group("Example", group_id="Example", members=["alice"])
    await example.session.send_message(GROUP, "in the group")
    account = Account(alice.session, example.session)
    await eventually(lambda: account.listed() == ALL and alice.session.conversations[GROUP].message_count >= 2)
    return account
